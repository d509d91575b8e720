"""Google Images' results page in a browser: which page it is, its cells, and the picture that a click brings up."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast
from urllib.parse import urlsplit

from selenium.common.exceptions import (
    ElementClickInterceptedException,
    ElementNotInteractableException,
    NoSuchElementException,
    StaleElementReferenceException,
    WebDriverException,
)
from selenium.webdriver import Chrome
from selenium.webdriver.remote.webelement import WebElement

from mapsi.collect.google import scripts
from mapsi.collect.selectors import GoogleSelectors, Selector
from mapsi.http_address import is_http


class PageKind(Enum):
    """Which of Google's pages is in the browser."""

    RESULTS = "results"
    EMPTY = "empty"
    CONSENT = "consent"
    TRAFFIC = "unusual traffic"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Cell:
    """A result: where its thumbnail is, the page it names and its caption (both may be empty)."""

    thumbnail: WebElement | None
    page: str
    title: str


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture's address, and how it was found."""

    address: str
    selector: Selector


class ResultsPage:
    """The page in ``driver``, read by ``selectors``. ``matched`` tells how each piece was found."""

    def __init__(self, driver: Chrome, selectors: GoogleSelectors, host: str) -> None:
        self.driver = driver
        self.matched: dict[str, Selector] = {}
        self._selectors = selectors
        self._host = host
        self._panels = _css(selectors.panel)
        self._last_picture = ""

    def shown(self) -> PageKind:
        """Which page this is now."""
        looked = self._look()
        path, host = urlsplit(self.driver.current_url).path, urlsplit(self.driver.current_url).hostname or ""
        text, chosen = looked["text"].casefold(), self._selectors
        if path.startswith(chosen.traffic_path) or looked["traffic"]:
            return PageKind.TRAFFIC
        if host in chosen.consent_hosts or looked["consent"] or looked["button"] >= 0:
            return PageKind.CONSENT
        if looked["way"] >= 0:
            self.matched["cell"] = chosen.cell[looked["way"]]
            return PageKind.RESULTS
        if _says(text, chosen.traffic_texts):
            return PageKind.TRAFFIC
        return PageKind.EMPTY if _says(text, chosen.empty_texts) else PageKind.UNKNOWN

    def _look(self) -> dict[str, Any]:
        chosen = self._selectors
        return cast(
            dict[str, Any],
            self.driver.execute_script(
                scripts.LOOK,
                _css(chosen.cell),
                self._panels,
                _css(chosen.consent),
                chosen.traffic_css,
                chosen.consent_css,
            ),
        )

    def panel_is_open(self) -> bool:
        """Whether a side panel is on the page."""
        return bool(self._look()["panel"])

    def pass_consent(self, seconds: float) -> bool:
        """Press the button that ends the consent page and wait until it is gone; false where none is known."""
        button = self._consent_button()
        if button is None:
            return False
        self._press(button)
        wait_until(lambda: is_gone(button), seconds)
        return True

    def _consent_button(self) -> WebElement | None:
        for way in self._selectors.consent:
            found = self.driver.find_elements("css selector", way.css)
            if found and found[0].is_displayed():
                self.matched["consent"] = way
                return found[0]
        return cast(
            WebElement | None, self.driver.execute_script(scripts.CONSENT_BY_TEXT, list(self._selectors.consent_texts))
        )

    def cells(self) -> list[WebElement]:
        """The results on the page so far, in its order; none from the side panel."""
        found = self.driver.execute_script(scripts.CELLS, self.matched["cell"].css, self._panels)
        return cast(list[WebElement], found)

    def read_cell(self, cell: WebElement) -> Cell:
        """What ``cell`` holds; raises :class:`StaleElementReferenceException` where the page dropped it."""
        way, thumbnail, page, title = self.driver.execute_script(
            scripts.READ_CELL, cell, _css(self._selectors.thumbnail)
        )
        if thumbnail is not None:
            self.matched["thumbnail"] = self._selectors.thumbnail[way]
        return Cell(thumbnail, page if is_http(page) else "", title.strip())

    def open_picture(self, cell: Cell, seconds: float) -> Picture | None:
        """Click a cell and wait until the panel names the picture itself; ``None`` where it does not."""
        assert cell.thumbnail is not None, "a cell without a thumbnail cannot be clicked"
        self.driver.execute_script(scripts.WATCH, _css(self._selectors.picture), _css(self._selectors.cell))
        self._press(cell.thumbnail)
        for _ in _moments(seconds, 0.05):
            picture = self._picture_of(cell)
            if picture is not None:
                self._last_picture = picture.address
                self.matched["picture"] = picture.selector
                return picture
        return None

    def _picture_of(self, cell: Cell) -> Picture | None:
        noted = self.driver.execute_script(scripts.NOTED)
        fitting = [
            (way, -number, address)
            for number, (way, address, link, how) in enumerate(noted)
            if self.is_picture(address)
            and not self._is_of_another(link, cell.page)
            # A class that changes on the last picture, as it leaves, says nothing of the next one.
            and not (how == "class" and address == self._last_picture)
        ]
        if not fitting:
            return None
        way, _, address = min(fitting)
        return Picture(address, self._selectors.picture[way])

    def _is_of_another(self, link: str, page: str) -> bool:
        """Whether the picture is a link to another site than the cell's: a neighbour's, loaded ahead or too late."""
        if not link or not page or urlsplit(link).netloc in ("", self._host):
            return False
        return urlsplit(link).hostname != urlsplit(page).hostname

    def is_picture(self, address: str) -> bool:
        """Whether an address can be the picture itself: no thumbnail, no favicon, nothing of Google's."""
        parts, chosen = urlsplit(address), self._selectors
        host = parts.hostname or ""
        return (
            parts.scheme in ("http", "https")
            and parts.netloc != self._host
            and not any(host == known or host.endswith(f".{known}") for known in chosen.thumbnail_hosts)
            and not host.startswith(chosen.thumbnail_names)
            and "favicon" not in parts.path.lower()
        )

    def more(self, patience: int, pause: float) -> bool:
        """Scroll until more cells are on the page; false where ``patience`` looks in a row found none."""
        before = self._count()
        for _ in range(patience):
            self._scroll()
            time.sleep(pause)
            if self._count() > before:
                return True
        return False

    def _count(self) -> int:
        return int(self.driver.execute_script(scripts.COUNT, self.matched["cell"].css, self._panels))

    def _scroll(self) -> None:
        self.driver.execute_script("window.scrollTo(0, document.documentElement.scrollHeight)")
        for way in self._selectors.more:
            for button in self.driver.find_elements("css selector", way.css):
                if button.is_displayed():
                    self.matched["more"] = way
                    self._press(button)
                    return

    def _press(self, element: WebElement) -> None:
        """Click as a person would; where something lies over the element, tell the element itself."""
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center', behavior: 'instant'})", element)
        try:
            element.click()
        except (ElementClickInterceptedException, ElementNotInteractableException):
            self.driver.execute_script("arguments[0].click()", element)


GONE = (StaleElementReferenceException, NoSuchElementException)
"""What Selenium raises for an element that the page has dropped meanwhile."""

LEFT = "does not belong to the document"
"""What the driver says, in an error without a name of its own, where the page goes at the very moment it looks."""


def is_gone(element: WebElement) -> bool:
    """Whether an element can no longer be seen, perhaps because its page is gone."""
    try:
        return not element.is_displayed()
    except GONE:
        return True
    except WebDriverException as error:
        if LEFT in (error.msg or ""):
            return True
        raise


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    """Whether ``condition`` came true within ``seconds``."""
    return any(condition() for _ in _moments(seconds, 0.1))


def _moments(seconds: float, pause: float) -> Iterator[None]:
    deadline = time.monotonic() + seconds
    yield
    while time.monotonic() < deadline:
        time.sleep(pause)
        yield


def _css(ways: Sequence[Selector]) -> list[str]:
    return [way.css for way in ways]


def _says(text: str, phrases: Sequence[str]) -> bool:
    return any(phrase.casefold() in text for phrase in phrases)
