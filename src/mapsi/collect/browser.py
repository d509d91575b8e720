"""A real Chrome or Chromium with a profile of its own, which ends with the process that started it, however that
ends."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from mapsi.errors import ExtraMissingError

BROWSERS = (
    "google-chrome",
    "google-chrome-stable",
    "chromium",
    "chromium-browser",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
DRIVERS = ("chromedriver", "chromium.chromedriver", "/usr/lib/chromium-browser/chromedriver")
SETTINGS_HINT = "Install Chromium and its chromedriver, or name them with MAPSI_CHROME and MAPSI_CHROMEDRIVER."

QUIET = (
    "--headless=new",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--disable-features=OptimizationHints,MediaRouter,Translate",
    "--metrics-recording-only",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-pings",
    "--window-size=1400,1000",
)
"""The browser loads the pages it is told to, and calls nobody on its own account."""

# The browser's whole process group hangs on a pipe to us: when the pipe closes, by our doing or because we are gone
# (SIGKILL included), the group and its profile go. The price is one sleeping shell beside each browser.
_KEEPER = 'cat >/dev/null; trap "" TERM; kill -TERM 0; sleep 0.2; rm -rf -- "$1"; kill -KILL 0'
_VERSION = re.compile(r"(\d+)\.\d+\.\d+")


@dataclass(frozen=True, slots=True)
class Programs:
    """A browser and the driver that goes with it."""

    browser: Path
    driver: Path

    @classmethod
    def find(cls, browser: Path | None = None, driver: Path | None = None) -> Programs:
        """The programs named, else the ones that this machine has.

        Raises :class:`ExtraMissingError` where one is missing or their versions differ.
        """
        found = cls(_find("Chrome or Chromium", browser, BROWSERS), _find("chromedriver", driver, DRIVERS))
        found.check_versions()
        return found

    def check_versions(self) -> None:
        """Raises :class:`ExtraMissingError` where browser and driver have different major versions."""
        browser, driver = major_version(self.browser), major_version(self.driver)
        if browser != driver:
            raise ExtraMissingError(
                f"The browser {self.browser} is of version {browser}, the chromedriver {self.driver} of version"
                f" {driver}: a driver works only with a browser of its own version.",
                "Update the older of the two, or name a pair with MAPSI_CHROME and MAPSI_CHROMEDRIVER.",
            )


def _find(what: str, named: Path | None, names: Sequence[str]) -> Path:
    for name in [str(named)] if named is not None else names:
        path = shutil.which(name)
        if path is not None:
            return Path(path)
    where = f" at {named}" if named is not None else " on this machine"
    raise ExtraMissingError(f"There is no {what}{where}.", SETTINGS_HINT)


def major_version(program: Path) -> int:
    """The major version that a browser or driver tells; raises :class:`ExtraMissingError` where it tells none."""
    try:
        told = subprocess.run(  # noqa: S603 - the operator's own programs
            [program, "--version"], capture_output=True, text=True, errors="replace", timeout=60, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ExtraMissingError(f"The program {program} cannot be started.", SETTINGS_HINT) from error
    found = _VERSION.search(told)
    if found is None:
        raise ExtraMissingError(f"The program {program} does not tell its version.", SETTINGS_HINT)
    return int(found[1])


@contextmanager
def open_browser(
    programs: Programs, *, hosts: Sequence[str] | None, language: str = "en", seconds: float = 30
) -> Iterator[Chrome]:
    """Start a headless browser with a fresh profile, and quit it however the block ends.

    ``hosts`` are the only ones that it can reach (``*.example.com`` for all below one); ``None`` lets it reach all.
    ``seconds`` is how long a page may take. Raises :class:`ExtraMissingError` where the browser does not start.
    """
    profile = Path(tempfile.mkdtemp(prefix="mapsi-browser-"))
    with _keeper(profile) as group:
        driver = _start(programs, _options(programs, profile, hosts, language), group)
        try:
            driver.set_page_load_timeout(seconds)
            driver.set_script_timeout(seconds)
            yield driver
        finally:
            # A browser that crashed cannot be quit any more; the keeper ends what is left of it.
            with suppress(WebDriverException, OSError):
                driver.quit()


@contextmanager
def _keeper(profile: Path) -> Iterator[int]:
    """Give the process group that ends, with ``profile``, when the block does or this process is gone."""
    command = ["/bin/sh", "-c", _KEEPER, "mapsi-browser", str(profile)]
    with subprocess.Popen(  # noqa: S603 - a fixed script; the path is an argument, not a part of it
        command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, process_group=0
    ) as keeper:
        # Leaving closes the pipe and waits for the shell, which ends last.
        yield keeper.pid


def _start(programs: Programs, options: ChromeOptions, group: int) -> Chrome:
    service = Service(str(programs.driver), log_output=os.devnull, popen_kw={"process_group": group})
    try:
        return Chrome(options=options, service=service)
    except WebDriverException as error:
        why = (error.msg or "").strip().splitlines()
        raise ExtraMissingError(
            f"The browser {programs.browser} did not start: {why[0] if why else 'it gave no reason'}", SETTINGS_HINT
        ) from error


def _options(programs: Programs, profile: Path, hosts: Sequence[str] | None, language: str) -> ChromeOptions:
    options = ChromeOptions()
    options.binary_location = str(programs.browser)
    for argument in (*QUIET, f"--user-data-dir={profile}", f"--lang={language}", f"--accept-lang={language}"):
        options.add_argument(argument)
    if hosts is not None:
        known = "".join(f", EXCLUDE {host}" for host in hosts)
        options.add_argument(f"--host-resolver-rules=MAP * ~NOTFOUND{known}")
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Chromium refuses to start as root with its sandbox, as it is in most containers.
        options.add_argument("--no-sandbox")
    options.add_experimental_option("prefs", {"intl.accept_languages": language, "download.prompt_for_download": True})
    return options
