"""Counts for the operator (searches, ways to shops), written beside the answer: no shopper waits for the database's
write lock."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from mapsi.errors import MapsiError

if TYPE_CHECKING:
    from mapsi.catalog import Catalog
    from mapsi.catalog.product import Product, ProductPage
    from mapsi.catalog.query import Query

WAITING = 100
"""Notes that wait at once, while an import is switching for example; more are dropped."""

_log = logging.getLogger(__name__)


class Notes:
    """Writes counts into the catalogue from one thread of its own, which is started by the first of them."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._free = BoundedSemaphore(WAITING)
        self._writer = ThreadPoolExecutor(1, "notes")

    def search(self, query: Query, found: ProductPage) -> None:
        """Note the words of a search that nothing narrowed, and how much it found; not its further pages. Words that
        found nothing as they were typed, and something when mended, found something."""
        if query.words and query.page == 1 and not query.filters.narrows:
            self._take(partial(self._catalog.searches.note, query.words, found.with_all_words))

    def history(self, account_id: int, query: Query) -> None:
        """Remember the words of somebody's search in their history, if they keep one."""
        if query.words and query.page == 1 and not query.filters.narrows:
            self._take(partial(self._catalog.peoples_searches.remember, account_id, query.words))

    def click(self, product: Product) -> None:
        """Note that somebody went on to the shop of a product."""
        self._take(partial(self._catalog.clicks.note, product))

    def close(self) -> None:
        """Write what waits, and end."""
        self._writer.shutdown()

    def _take(self, write: Callable[[], None]) -> None:
        if self._free.acquire(blocking=False):
            self._writer.submit(self._write, write)

    def _write(self, write: Callable[[], None]) -> None:
        try:
            write()
        except MapsiError as error:
            _log.warning("A count could not be noted: %s", error)
        finally:
            self._free.release()
