"""Failed log-ins by account, wherever they come from: the more there were, the longer the next one has to wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from cachetools import TTLCache

FREE = 5
"""Failures that cost no waiting: fingers slip."""

LONGEST = 900.0
MEMORY = 24 * 3600.0
MOST = 10_000


class Attempts:
    """Failures of each account, whether there is one or not: who guesses from a thousand addresses waits all the same.

    After :data:`FREE` failures the next try waits 1 second, then 2, 4 and so on up to :data:`LONGEST`. That also keeps
    the operator waiting while somebody guesses; whoever has a living session keeps it. Safe between threads.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: TTLCache[str, tuple[int, float]] = TTLCache(MOST, MEMORY, timer=clock)
        self._lock = threading.Lock()

    def wait(self, email: str) -> float:
        """Seconds until the account with this address may be tried again, 0 for now."""
        with self._lock:
            count, last = self._failed.get(_account(email), (0, 0.0))
        if count < FREE:
            return 0.0
        return max(0.0, last + min(LONGEST, 2.0 ** (count - FREE)) - self._clock())

    def fail(self, email: str) -> None:
        account = _account(email)
        with self._lock:
            count, _ = self._failed.get(account, (0, 0.0))
            self._failed[account] = (min(count + 1, 64), self._clock())

    def succeed(self, email: str) -> None:
        with self._lock:
            self._failed.pop(_account(email), None)


def _account(email: str) -> str:
    return email[:254].strip().lower()
