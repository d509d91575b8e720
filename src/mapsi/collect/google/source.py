"""The source ``google``: Google Images in a real browser, the paper's way. Off until its terms are accepted.

The browser opens the results page and clicks cell after cell; what it tells are addresses. The photos are downloaded by
the harvest, through the one safe fetcher, like those of every other source.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from selenium.common.exceptions import WebDriverException
from selenium.webdriver import Chrome
from urllib3.exceptions import HTTPError

from mapsi.artifacts import atomic_file
from mapsi.collect.browser import Programs, open_browser
from mapsi.collect.faults import SourceChanged, SourceFault, SourceRefused, SourceUnreachable
from mapsi.collect.google.page import PageKind, ResultsPage, wait_until
from mapsi.collect.google.walk import PieceMissingError, Skipped, Walk, WalkLimits
from mapsi.collect.selectors import GoogleSelectors, Selector
from mapsi.collect.source import Found, Query
from mapsi.collect.sources.parts import SourceParts
from mapsi.errors import ExtraMissingError, UsageError

NAME = "google"
BASE = "https://www.google.com"
LIMIT = 1000
"""About as many results as Google Images gives for one query."""

CONSENTS = 3
"""Consent pages passed in a row before the page counts as changed."""

OpenDriver = Callable[[], AbstractContextManager[Chrome]]


class TermsNotAcceptedError(UsageError):
    """The operator has not said that they know what Google's terms say."""

    code = "terms_not_accepted"

    def __init__(self) -> None:
        super().__init__(
            "The source google is off: Google's terms forbid searching by a program without Google's permission, "
            "Google may"
            " block whoever does, and the photos it shows belong to others.",
            "Use another source (naver, openverse, commons, a folder), or, if you have permission or answer for it"
            " yourself, set MAPSI_GOOGLE_TERMS_ACCEPTED=yes.",
        )


class GoogleImages:
    """Photos from Google Images; a :class:`~mapsi.collect.source.Source`.

    Each search starts a browser with a fresh profile by ``open_driver`` and quits it when the search ends or is given
    up (``close`` of the iterator). ``evidence`` is the folder where a page that could not be read is kept for a look.
    ``matched`` tells by which selector each piece of the last page was found, ``skipped`` which results gave nothing.
    """

    def __init__(
        self,
        *,
        terms_accepted: bool,
        evidence: Path,
        open_driver: OpenDriver,
        base: str = BASE,
        selectors: GoogleSelectors | None = None,
        limits: WalkLimits | None = None,
        limit: int = LIMIT,
    ) -> None:
        """Raises :class:`TermsNotAcceptedError` unless ``terms_accepted``."""
        if not terms_accepted:
            raise TermsNotAcceptedError
        self.matched: dict[str, Selector] = {}
        self.skipped: list[Skipped] = []
        self._evidence = evidence
        self._open_driver = open_driver
        self._base = base.rstrip("/")
        self._selectors = selectors or GoogleSelectors.read()
        self._limits = limits or WalkLimits()
        self._limit = limit

    @property
    def name(self) -> str:
        return NAME

    def search(self, query: Query) -> Iterator[Found]:
        """Results in the page's order, each picture once; ``rank`` counts cells, so results without one leave gaps.

        Raises :class:`SourceRefused` (Google asks whether a person is there), :class:`SourceChanged` (naming the piece
        that no selector finds) or :class:`SourceUnreachable`.
        """
        with self._driver() as driver:
            page = ResultsPage(driver, self._selectors, urlsplit(self._base).netloc)
            self.matched = page.matched
            try:
                yield from self._results(page, query)
            except (WebDriverException, HTTPError, ConnectionError) as error:
                raise _lost(error) from error

    def _results(self, page: ResultsPage, query: Query) -> Iterator[Found]:
        try:
            if self._open(page, query):
                yield from Walk(page, self._limits, self._limit, self._skip(query)).pictures()
        except PieceMissingError as missing:
            raise self._changed(page, missing.piece, missing.why) from missing

    @contextmanager
    def _driver(self) -> Iterator[Chrome]:
        with ExitStack() as stack:
            try:
                driver = stack.enter_context(self._open_driver())
            except ExtraMissingError as error:
                raise SourceUnreachable(NAME, error.message, error.hint) from error
            yield driver

    def _open(self, page: ResultsPage, query: Query) -> bool:
        """Bring the results onto the screen; false where Google says that there are none."""
        asked = urlencode({"q": query.text, "udm": "2", "hl": "en", "safe": "active"})
        page.driver.get(f"{self._base}/search?{asked}")
        for _ in range(CONSENTS):
            match self._settled(page):
                case PageKind.RESULTS:
                    return True
                case PageKind.EMPTY:
                    return False
                case PageKind.TRAFFIC:
                    raise self._refused(page)
                case PageKind.UNKNOWN:
                    why = "no selector finds a result, and the page does not say that there are none"
                    raise PieceMissingError("cells", why)
            if not page.pass_consent(self._limits.page):
                break
        raise PieceMissingError("consent", "the consent page has no known button")

    def _settled(self, page: ResultsPage) -> PageKind:
        """Which page is shown, once that is known or there is no more hope of knowing it."""
        seen = PageKind.UNKNOWN

        def is_known() -> bool:
            nonlocal seen
            seen = page.shown()
            return seen is not PageKind.UNKNOWN

        wait_until(is_known, self._limits.page)
        return seen

    def _changed(self, page: ResultsPage, piece: str, why: str) -> SourceFault:
        """The fault for a page that cannot be read any more, kept for a look."""
        saved = self._keep(page, piece)
        found = ", ".join(f"{name} by {way.css} ({way.seen})" for name, way in page.matched.items())
        return SourceChanged(
            NAME,
            f"Google's page does not look as expected ({piece}): {why}. Found: {found or 'nothing'}.",
            f"Look at {saved}.html and {saved}.png, and put the new selector first in google.toml"
            f" (selectors of {self._selectors.version}); docs/collect-google.md says how.",
        )

    def _refused(self, page: ResultsPage) -> SourceFault:
        """The fault for the page that asks whether a person is there, kept for a look."""
        saved = self._keep(page, "unusual-traffic")
        return SourceRefused(
            NAME,
            "Google reports unusual traffic and wants to see a person; it is not asked again.",
            f"Wait some hours, ask for less, or use another source. The page is saved as {saved}.html.",
        )

    def _keep(self, page: ResultsPage, piece: str) -> Path:
        """Save the page and a picture of it; the path without the two suffixes."""
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
        saved = self._evidence / f"google-{stamp}-{piece.replace(' ', '-')}"
        with atomic_file(saved.with_name(f"{saved.name}.html")) as beside:
            beside.write_text(page.driver.page_source, "utf-8")
        with atomic_file(saved.with_name(f"{saved.name}.png")) as beside:
            beside.write_bytes(page.driver.get_screenshot_as_png())
        return saved

    def _skip(self, query: Query) -> Callable[[int, str], None]:
        return lambda rank, reason: self.skipped.append(Skipped(query.text, rank, reason))


def _lost(error: Exception) -> SourceFault:
    why = str(getattr(error, "msg", None) or error).strip().splitlines()
    return SourceUnreachable(
        NAME,
        f"The browser could not open or keep Google's page: {why[0] if why else type(error).__name__}.",
        "Check the connection, and that nobody closed the browser.",
    )


def open_google(
    *,
    terms_accepted: bool,
    evidence: Path,
    base: str = BASE,
    browser: Path | None = None,
    driver: Path | None = None,
    limits: WalkLimits | None = None,
    limit: int = LIMIT,
) -> GoogleImages:
    """The source with a browser of this machine; ``browser`` and ``driver`` name other ones.

    Raises :class:`TermsNotAcceptedError` before anything is looked for, and
    :class:`~mapsi.errors.ExtraMissingError` where there is no browser that works.
    """
    if not terms_accepted:
        raise TermsNotAcceptedError
    selectors, programs = GoogleSelectors.read(), Programs.find(browser, driver)
    # The browser does not contact the pictures' own servers: the fetcher asks them, once.
    hosts = selectors.hosts if base == BASE else (urlsplit(base).hostname or "",)
    seconds = (limits or WalkLimits()).page
    return GoogleImages(
        terms_accepted=terms_accepted,
        evidence=evidence,
        open_driver=lambda: open_browser(programs, hosts=hosts, seconds=seconds),
        base=base,
        selectors=selectors,
        limits=limits,
        limit=limit,
    )


def build(argument: str, parts: SourceParts) -> GoogleImages:
    """The source as ``mapsi collect --source google`` asks for it, with what the settings say; it takes no argument."""
    if argument:
        raise UsageError(f"The source google takes nothing after a colon, but was given {argument!r}.")
    settings = parts.settings
    return open_google(
        terms_accepted=settings.google_terms_accepted,
        evidence=parts.kept / "pages",
        base=parts.base(NAME, BASE),
        browser=settings.chrome,
        driver=settings.chromedriver,
    )
