"""One way through the cells of a results page: click, wait for the picture, scroll on, and know when the page
changed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from selenium.webdriver.remote.webelement import WebElement

from mapsi.collect.google.page import GONE, Cell, Picture, ResultsPage
from mapsi.collect.source import Found


@dataclass(frozen=True, slots=True)
class WalkLimits:
    """How long each thing may take, in seconds, and how many failures in a row mean that the page has changed."""

    page: float = 30.0
    picture: float = 8.0
    between: float = 0.5
    scroll: float = 1.0
    scrolls: int = 6
    misses: int = 8


@dataclass(frozen=True, slots=True)
class Skipped:
    """A result that gave no picture, and why."""

    query: str
    rank: int
    reason: str


class PieceMissingError(Exception):
    """A piece of the page that no selector finds any more."""

    def __init__(self, piece: str, why: str) -> None:
        super().__init__(f"{piece}: {why}")
        self.piece = piece
        self.why = why


class Walk:
    """The pictures behind the first ``limit`` cells of ``page``; ``skip`` is told the rank of a cell without one."""

    def __init__(self, page: ResultsPage, limits: WalkLimits, limit: int, skip: Callable[[int, str], None]) -> None:
        self._page = page
        self._limits = limits
        self._limit = limit
        self._skip = skip
        self._given: set[str] = set()
        self._without_thumbnail = 0
        self._without_picture = 0

    def pictures(self) -> Iterator[Found]:
        """Each picture once, in the page's order. Raises :class:`PieceMissingError` where too many in a row have none,
        and where none at all has one."""
        for rank, cell in self._cells():
            found = self._take(cell, rank)
            if found is not None:
                yield found
            elif max(self._without_thumbnail, self._without_picture) >= self._limits.misses:
                raise self._missing()
        if not self._given:
            raise self._missing()

    def _cells(self) -> Iterator[tuple[int, WebElement]]:
        rank = 0
        while rank < self._limit:
            for cell in self._page.cells()[rank : self._limit]:
                rank += 1
                yield rank, cell
            if rank < self._limit and not self._page.more(self._limits.scrolls, self._limits.scroll):
                return

    def _take(self, element: WebElement, rank: int) -> Found | None:
        try:
            cell = self._page.read_cell(element)
            if cell.thumbnail is None:
                self._without_thumbnail += 1
                return self._skip(rank, "the result has no thumbnail")
            self._without_thumbnail = 0
            picture = self._page.open_picture(cell, self._limits.picture)
        except GONE:
            return self._skip(rank, "the page dropped the result")
        time.sleep(self._limits.between)
        if picture is None:
            self._without_picture += 1
            return self._skip(rank, "the panel showed nothing but the thumbnail")
        return self._found(picture, cell, rank)

    def _found(self, picture: Picture, cell: Cell, rank: int) -> Found | None:
        self._without_picture = 0
        if picture.address in self._given:
            return self._skip(rank, "the picture was already among the results")
        self._given.add(picture.address)
        return Found(address=picture.address, rank=rank, page=cell.page, title=cell.title)

    def _missing(self) -> PieceMissingError:
        if not self._without_picture:
            return PieceMissingError("thumbnail", "the results have no thumbnail that a selector finds")
        if self._page.panel_is_open():
            count = self._without_picture
            return PieceMissingError("full picture", f"{count} results in a row showed no picture but the thumbnail")
        return PieceMissingError("panel", "clicking a result opens no panel that a selector finds")
