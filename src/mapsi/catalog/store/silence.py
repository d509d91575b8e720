"""A server that does not answer is asked by one at a time: everybody else is told so at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from mapsi.catalog.store.refusals import SILENT, is_silence
from mapsi.errors import CatalogError

REST = 2.0
"""Seconds between two tries to reach a server that was silent."""


class Silence:
    """Whether a database was silent when it was last asked. Safe between threads.

    A frozen server holds whoever asks it until a time-out. Were each request to find that out by itself, they would
    hold every thread there is; so the first ones find out, and then one every :data:`REST` seconds.
    """

    def __init__(self) -> None:
        self._next_try: float | None = None
        self._trying = threading.Lock()

    @contextmanager
    def broken_by_one(self) -> Iterator[None]:
        """Ask in this block; raises :class:`CatalogError` without asking where another just found silence."""
        if self._next_try is None:
            yield from self._ask()
        elif time.monotonic() >= self._next_try and self._trying.acquire(blocking=False):
            try:
                yield from self._ask()
            finally:
                self._trying.release()
        else:
            raise CatalogError(*SILENT)

    def _ask(self) -> Iterator[None]:
        try:
            yield
        except CatalogError as error:
            self._next_try = time.monotonic() + REST if is_silence(error) else None
            raise
        self._next_try = None
