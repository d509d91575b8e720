"""How many pixels may be decoded at once, whoever asks."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager


class PixelBudget:
    """Lends pixels to threads, in the order in which they ask; who asks for more than there are gets all of them,
    alone."""

    def __init__(self, pixels: int) -> None:
        self._all = self._free = pixels
        self._changed = threading.Condition()
        self._waiting: deque[object] = deque()

    @contextmanager
    def lend(self, pixels: int) -> Iterator[None]:
        """Wait for ``pixels`` of the budget, and give them back when the block ends."""
        wanted, ticket = min(pixels, self._all), object()
        with self._changed:
            self._waiting.append(ticket)
            try:
                self._changed.wait_for(lambda: self._waiting[0] is ticket and wanted <= self._free)
                self._free -= wanted
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._free += wanted
                self._changed.notify_all()
