"""Searches that found nothing, noted for the operator beside the answer: no shopper waits for the database's write lock."""

from __future__ import annotations

import logging
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

from mapsi.errors import MapsiError

if TYPE_CHECKING:
    from mapsi.catalog import Catalog
    from mapsi.catalog.product import ProductPage
    from mapsi.web.parameters import ListQuery

WAITING = 100
"""Notes that wait at once, while an import is switching for example; more are dropped."""

_log = logging.getLogger(__name__)


class UnansweredNotes:
    """Notes words in the catalogue from one thread of its own, which is started by the first of them."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._free = BoundedSemaphore(WAITING)
        self._writer = ThreadPoolExecutor(1, "unanswered")

    def take(self, words: str, query: ListQuery, found: ProductPage) -> None:
        """Note the words of a search that found nothing though nothing narrowed it."""
        searched = words and query.page == 1 and not query.filters.narrows
        if searched and not found.total and self._free.acquire(blocking=False):
            self._writer.submit(self._note, words)

    def close(self) -> None:
        """Write what waits, and end."""
        self._writer.shutdown()

    def _note(self, words: str) -> None:
        try:
            self._catalog.unanswered.note(words)
        except MapsiError as error:
            _log.warning("A search that found nothing could not be noted: %s", error)
        finally:
            self._free.release()
