"""The browser behind the source google: found, told when it does not fit, and gone when the work is over or cut
short."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from flask import Flask, Response
from PIL import Image
from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome

from chromium import chromium_is_installed, on_a_port
from google_site import Look, Result, Site, open_site
from mapsi.cli import main
from mapsi.collect.browser import Programs, open_browser
from mapsi.collect.faults import SourceUnreachable
from mapsi.collect.google.source import GoogleImages, TermsNotAcceptedError, open_google
from mapsi.collect.google.walk import WalkLimits
from mapsi.collect.selectors import GoogleSelectors
from mapsi.collect.source import Query
from mapsi.errors import ArtifactError, ExtraMissingError
from mapsi.settings import read_settings
from mapsi.taxonomy import load_taxonomy
from servers import require

QUERY = Query(text="knits", language="en", cls=load_taxonomy().find("style").find("knit"))
QUICK = WalkLimits(page=10, picture=1, between=0, scroll=0.1, scrolls=2)


@pytest.fixture
def site() -> Iterator[Site]:
    require(chromium_is_installed(), "chromium and chromium-driver")
    with open_site() as opened:
        results = tuple(Result(f"https://pictures.example.com/{n}.jpg") for n in range(6))
        opened.looks["knits"] = Look(results)
        yield opened


@pytest.fixture
def profiles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that browsers of this test keep their profiles in, by which they are told from all others."""
    folder = tmp_path / "profiles"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def browsers(profiles: Path) -> list[int]:
    """The processes that work with a profile in ``profiles``, by their command lines."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                command = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if os.fsencode(profiles) in command and entry.name != str(os.getpid()):
                found.append(int(entry.name))
    return found


def gone(profiles: Path, seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while browsers(profiles) or any(profiles.iterdir()):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


# --- the terms --------------------------------------------------------------------------------------------------------


def test_the_source_is_off_until_the_terms_are_accepted(tmp_path: Path) -> None:
    nowhere = tmp_path / "no browser is looked for"
    with pytest.raises(TermsNotAcceptedError) as raised:
        open_google(terms_accepted=False, evidence=tmp_path, browser=nowhere)
    assert "forbid" in raised.value.message
    assert "MAPSI_GOOGLE_TERMS_ACCEPTED=yes" in raised.value.hint
    with pytest.raises(TermsNotAcceptedError):
        GoogleImages(terms_accepted=False, evidence=tmp_path, open_driver=open_browser)  # type: ignore[arg-type]


def test_the_terms_are_not_accepted_by_default() -> None:
    assert read_settings({}).google_terms_accepted is False
    assert read_settings({"MAPSI_GOOGLE_TERMS_ACCEPTED": "yes"}).google_terms_accepted is True


# --- the programs -----------------------------------------------------------------------------------------------------


def program(folder: Path, name: str, says: str) -> Path:
    file = folder / name
    file.write_text(f"#!/bin/sh\necho '{says}'\n")
    file.chmod(0o755)
    return file


def test_a_browser_and_a_driver_of_one_version_go_together(tmp_path: Path) -> None:
    browser = program(tmp_path, "chrome", "Google Chrome 131.0.6778.85 ")
    driver = program(tmp_path, "driver", "ChromeDriver 131.0.6778.69 (abc-refs/branch-heads/6778@{#1})")
    assert Programs.find(browser, driver) == Programs(browser, driver)


def test_versions_that_are_apart_are_told_in_a_sentence(tmp_path: Path) -> None:
    browser = program(tmp_path, "chrome", "Chromium 156.0.8078.79 built on Debian")
    driver = program(tmp_path, "driver", "ChromeDriver 140.0.7339.80 (abc)")
    with pytest.raises(ExtraMissingError, match=r"of version 156, .* of version 140"):
        Programs.find(browser, driver)


def test_a_missing_or_broken_program_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ExtraMissingError, match=r"no Chrome or Chromium at .*nowhere") as raised:
        Programs.find(tmp_path / "nowhere")
    assert "MAPSI_CHROME" in raised.value.hint
    mute = program(tmp_path, "mute", "hello")
    with pytest.raises(ExtraMissingError, match="does not tell its version"):
        Programs.find(mute, mute)


def test_a_machine_without_a_browser_is_reported(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("mapsi.collect.browser.BROWSERS", ("chromium",))
    with pytest.raises(ExtraMissingError, match="no Chrome or Chromium on this machine"):
        Programs.find()


def test_a_browser_that_does_not_start_leaves_nothing_behind(tmp_path: Path, profiles: Path) -> None:
    require(chromium_is_installed(), "chromium and chromium-driver")
    broken = program(tmp_path, "chrome", "Chromium 1.2.3")
    with (
        pytest.raises(ExtraMissingError, match="did not start"),
        open_browser(Programs(broken, Programs.find().driver), hosts=None),
    ):
        pass
    assert gone(profiles)


def test_a_browser_that_does_not_start_is_a_source_that_cannot_be_reached(tmp_path: Path, profiles: Path) -> None:
    require(chromium_is_installed(), "chromium and chromium-driver")
    broken = Programs(program(tmp_path, "chrome", "Chromium 1.2.3"), Programs.find().driver)
    google = GoogleImages(terms_accepted=True, evidence=tmp_path, open_driver=lambda: open_browser(broken, hosts=None))
    with pytest.raises(SourceUnreachable, match="did not start"):
        next(google.search(QUERY))


# --- the end of it ----------------------------------------------------------------------------------------------------


def test_a_search_that_is_over_leaves_no_process_and_no_profile(site: Site, tmp_path: Path, profiles: Path) -> None:
    google = open_google(terms_accepted=True, evidence=tmp_path, base=site.address, limits=QUICK)
    found = google.search(QUERY)
    assert next(found).rank == 1
    assert browsers(profiles)
    assert [one.rank for one in found] == [2, 3, 4, 5, 6]
    assert gone(profiles)


def test_a_search_that_is_given_up_leaves_no_process_and_no_profile(site: Site, tmp_path: Path, profiles: Path) -> None:
    found = open_google(terms_accepted=True, evidence=tmp_path, base=site.address, limits=QUICK).search(QUERY)
    assert next(found).rank == 1
    found.close()  # type: ignore[attr-defined]
    assert gone(profiles)


def test_a_browser_that_crashes_is_told_and_leaves_nothing(site: Site, tmp_path: Path, profiles: Path) -> None:
    found = open_google(terms_accepted=True, evidence=tmp_path, base=site.address, limits=QUICK).search(QUERY)
    assert next(found).rank == 1
    for process in browsers(profiles):
        if b"chrom" in Path(f"/proc/{process}/cmdline").read_bytes().split(b"\0", maxsplit=1)[0]:
            os.kill(process, signal.SIGKILL)
    with pytest.raises(SourceUnreachable, match="browser"):
        next(found)
    assert gone(profiles)


def test_a_page_that_can_neither_be_read_nor_kept_is_a_fault_of_the_source(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The browser may be gone by the time its page is to be kept for a look."""
    site.pages[QUERY.text] = "<p>Something else"

    def lost(self: Chrome) -> bytes:
        raise WebDriverException("tab crashed")

    monkeypatch.setattr(Chrome, "get_screenshot_as_png", lost)
    quick = replace(QUICK, page=4)
    with pytest.raises(SourceUnreachable, match="tab crashed"):
        list(open_google(terms_accepted=True, evidence=tmp_path, base=site.address, limits=quick).search(QUERY))


SEARCHING = """
import signal, sys, tempfile
from pathlib import Path
from mapsi.collect.google.source import open_google
# A process begun in the background of a shell ignores Ctrl-C, and so would this one.
signal.signal(signal.SIGINT, signal.default_int_handler)
from mapsi.collect.source import Query
from mapsi.taxonomy import load_taxonomy
address, profiles = sys.argv[1:]
tempfile.tempdir = profiles
cls = load_taxonomy().find("style").find("knit")
google = open_google(terms_accepted=True, evidence=Path(profiles).parent, base=address)
for found in google.search(Query(text="knits", language="en", cls=cls)):
    print(found.rank, flush=True)
    if found.rank == 2:
        sys.stdin.read()
"""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_process_that_is_ended_midway_takes_its_browser_along(
    site: Site, profiles: Path, ending: signal.Signals
) -> None:
    command = [sys.executable, "-c", SEARCHING, site.address, str(profiles)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, process_group=0
    ) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(2)] == [b"1\n", b"2\n"]
        assert len(browsers(profiles)) > 3
        # To the whole group, as Ctrl-C on a terminal does.
        os.killpg(process.pid, ending)
        assert process.wait(timeout=30) != 0
    assert gone(profiles)


# --- from the command to the photos
# ------------------------------------------------------------------------------------


def picture_server() -> Flask:
    """Another server than the results page's, with a photo of its own under each number."""
    app = Flask("pictures")

    @app.get("/<int:number>.jpg")
    def picture(number: int) -> Response:
        out = io.BytesIO()
        noise = np.random.default_rng(number).integers(0, 256, (12, 10, 3), dtype=np.uint8)
        Image.fromarray(noise).resize((300, 360)).save(out, "JPEG")
        return Response(out.getvalue(), mimetype="image/jpeg")

    return app


def test_the_command_collects_by_the_browser_and_fetches_by_the_fetcher(
    site: Site, tmp_path: Path, profiles: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with on_a_port(picture_server()) as pictures:
        results = tuple(Result(f"{pictures}/{n}.jpg", f"https://shop{n}.example.com/", f"Look {n}") for n in range(4))
        site.looks |= {word: Look(results) for word in QUERY.cls.all_words}
        monkeypatch.setenv("MAPSI_COLLECT_BASES", f"google={site.address}")
        monkeypatch.setenv("MAPSI_ALLOW_HOSTS", "127.0.0.1")
        command = [
            "collect",
            "--source",
            "google",
            "--class",
            "knit",
            "--per-class",
            "3",
            "--into",
            str(tmp_path / "into"),
        ]
        refused = CliRunner().invoke(main, command)
        assert refused.exit_code == 2
        assert "MAPSI_GOOGLE_TERMS_ACCEPTED=yes" in refused.output
        assert site.asked == []
        monkeypatch.setenv("MAPSI_GOOGLE_TERMS_ACCEPTED", "yes")
        done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    assert len(list((tmp_path / "into" / "knit").glob("*.jpg"))) == 3
    lines = [json.loads(line) for line in (tmp_path / "into" / "ledger.jsonl").read_text("utf-8").splitlines()]
    kept = [line for line in lines if line["outcome"] == "kept"]
    assert {(line["source"], line["page"], line["title"]) for line in kept} == {
        ("google", f"https://shop{n}.example.com/", f"Look {n}") for n in range(3)
    }
    assert gone(profiles)


# --- the selectors ----------------------------------------------------------------------------------------------------


def test_every_selector_has_its_date_newest_first() -> None:
    selectors = GoogleSelectors.read()
    for ways in (selectors.cell, selectors.thumbnail, selectors.panel, selectors.picture, selectors.consent):
        assert ways
        assert [way.seen for way in ways] == sorted((way.seen for way in ways), reverse=True)


@pytest.mark.parametrize(
    "text",
    ["version = ", 'version = "1"', 'cell = [{css = "a", seen = "2020-01"}, {css = "b", seen = "2021-01"}]'],
)
def test_selectors_that_do_not_fit_are_told_with_their_file(tmp_path: Path, text: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    with pytest.raises(ArtifactError, match=r"mine\.toml"):
        GoogleSelectors.read(file)


def test_selectors_out_of_order_are_refused(tmp_path: Path) -> None:
    shipped = Path(__file__).parents[1] / "src/mapsi/collect/selectors/google.toml"
    file = tmp_path / "mine.toml"
    file.write_text(shipped.read_text("utf-8").replace('seen = "2024-01"', 'seen = "2099-01"', 1), "utf-8")
    with pytest.raises(ArtifactError, match="newest first"):
        GoogleSelectors.read(file)
