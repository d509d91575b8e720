"""Failed log-ins by account, wherever they come from: the more there were, the longer the next one has to wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from cachetools import TTLCache

from mapsi.catalog.people.accounts import LONGEST_ADDRESS, typed_address

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
        self._failed: TTLCache[str | int, tuple[int, float]] = TTLCache(MOST, MEMORY, timer=clock)
        self._lock = threading.Lock()

    def begin(self, account: str | int) -> float:
        """Seconds until the account may be tried again; 0 for now, and the try counts as failed until it succeeds: of
        many at once no more are let through than one by one.

        The account is an address as it was typed, or a number, whose tries are counted by themselves: who is logged in
        and is asked for the password again does not wait for those who guess at the log-in.
        """
        key = _key(account)
        with self._lock:
            count, last = self._failed.get(key, (0, 0.0))
            now = self._clock()
            waiting = last + min(LONGEST, 2.0 ** (count - FREE)) - now if count >= FREE else 0.0
            if waiting <= 0:
                self._failed[key] = (min(count + 1, 64), now)
        return max(0.0, waiting)

    def succeed(self, account: str | int) -> None:
        key = _key(account)
        with self._lock:
            self._failed.pop(key, None)


def _key(account: str | int) -> str | int:
    return typed_address(account)[:LONGEST_ADDRESS] if isinstance(account, str) else account
