"""Time that can be handed in, and how long a server asks to be left alone."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Protocol

from mapsi.remote.retry import LONGEST

PERIODS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
"""Seconds of the periods in ``20/min`` and ``200/day``, by their first letter."""


class Clock(Protocol):
    """Seconds since 1970, and a way to let some pass."""

    def now(self) -> float: ...

    def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> float:
        return time.time()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


def moment(clock: Clock) -> datetime:
    """The clock's time in UTC."""
    return datetime.fromtimestamp(clock.now(), UTC)


class Pace:
    """Keeps the starts of requests ``apart`` seconds apart, one request at a time.

    It is a context: the block holds the one request. :meth:`rest` keeps everybody out for longer.
    """

    def __init__(self, clock: Clock, apart: float) -> None:
        self._clock = clock
        self._apart = apart
        self._free_at = 0.0
        self._lock = threading.Lock()

    def waiting(self) -> float:
        """Seconds until the next request may begin, 0 where it may now."""
        return max(0.0, self._free_at - self._clock.now())

    def rest(self, seconds: float) -> None:
        """Let no request begin for ``seconds`` from now."""
        self._free_at = max(self._free_at, self._clock.now() + seconds)

    def __enter__(self) -> None:
        self._lock.acquire()
        try:
            if left := self.waiting():
                self._clock.sleep(left)
            self._free_at = max(self._free_at, self._clock.now() + self._apart)
        except BaseException:
            self._lock.release()
            raise

    def __exit__(self, *_: object) -> None:
        self._lock.release()


def limit_rest(headers: Mapping[str, str], now: float) -> float:
    """Seconds, 0 to a year, to leave a server alone by its ``X-RateLimit-*`` headers; 0 where it may be asked again.

    Reads ``X-RateLimit-Remaining`` with ``X-RateLimit-Reset`` (seconds from now, or since 1970), and Openverse's pairs
    ``X-RateLimit-Limit-SCOPE: 20/min`` with ``X-RateLimit-Available-SCOPE``; of several limits the longest rest counts.
    """
    rests = [0.0]
    if _is_spent(headers.get("x-ratelimit-remaining")):
        rests.append(_until_reset(headers.get("x-ratelimit-reset", ""), now))
    for name, value in headers.items():
        scope = name.removeprefix("x-ratelimit-available-")
        if scope != name and _is_spent(value):
            rests.append(_period(headers.get(f"x-ratelimit-limit-{scope}", "")))
    return min(max(rests), LONGEST)


def _is_spent(value: str | None) -> bool:
    return value is not None and value.strip() in ("0", "0.0")


def _period(rate: str) -> float:
    """Seconds in the period of ``20/min``; a minute where none is named."""
    _, _, unit = rate.partition("/")
    return float(PERIODS.get(unit.strip()[:1].lower(), 60))


def _until_reset(reset: str, now: float) -> float:
    text = reset.strip()
    if not (text.isascii() and text.isdigit() and len(text) <= 12):
        return 60.0
    seconds = float(text)
    return max(0.0, seconds - now) if seconds > 1e9 else seconds


def hour_of(moment: float) -> str:
    """A moment as a person of this machine's time zone would write it."""
    return datetime.fromtimestamp(moment, UTC).astimezone().strftime("%Y-%m-%d %H:%M")
