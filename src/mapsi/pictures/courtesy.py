"""Good manners towards the servers that pictures come from: few connections at once, and a pause where one asks for
it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import BoundedSemaphore, Lock
from urllib.parse import urlsplit

from mapsi.errors import MapsiError
from mapsi.remote.retry import retry_after

CONNECTIONS = 4
"""Connections to one host at a time; browsers open six."""

LONGEST = timedelta(days=1)
"""A host is waited for no longer than this, whatever it asks for."""


ANY_NUMBER = 1 << 30

SLOW_IN_A_ROW = 2
"""How many addresses of one host may use up their time before it rests, for :data:`REST`."""

SLOW_SECONDS = 2.0
"""A picture that takes longer is slow, whether it comes or not: most take a tenth of it."""

SLOW_SECONDS_IN_ALL = 600.0
"""What slow pictures of one host may take in all before it rests: a build is over for every shop when it is for the
last one."""

REST = timedelta(hours=1)

_USED_UP = 0.8  # of the time that an address has


class AskedToWaitError(MapsiError):
    """A host is left alone until ``until`` (UTC), because it wants to be or because it does not answer."""

    def __init__(self, host: str, until: datetime, why: str = "asks to wait") -> None:
        super().__init__(f"{host} {why} until {until:%Y-%m-%d %H:%M} UTC.", "It will be asked again after that.")
        self.until = until


class Courtesy:
    """Shared by the threads that fetch."""

    def __init__(self, connections: int = CONNECTIONS, clock: Callable[[], datetime] | None = None) -> None:
        self._connections = connections
        self._clock = clock or (lambda: datetime.now(UTC))
        self._slots: dict[str, BoundedSemaphore] = {}
        self._resting: dict[str, tuple[datetime, str]] = {}
        # How many in a row used up their time; a host that was never asked is not in it.
        self._slow: dict[str, int] = {}
        self._is_quick: dict[str, bool] = {}
        self._slow_seconds: dict[str, float] = {}
        self._lock = Lock()

    @contextmanager
    def visit(self, address: str) -> Iterator[None]:
        """Wait for a free connection to the address's host; raises :class:`AskedToWaitError` where it wants none."""
        host = host_of(address)
        with self._lock:
            slots = self._slots.setdefault(host, BoundedSemaphore(self._connections))
        with slots:
            until, why = self._resting.get(host, (None, ""))
            if until is not None and until > self._clock():
                raise AskedToWaitError(host, until, why)
            yield

    def width(self, host: str) -> int:
        """How many addresses of a host are worth a thread: one until it has answered quickly, and while it does not.
        Files of this machine are of no host."""
        if not host:
            return ANY_NUMBER
        return self._connections if self._is_quick.get(host) else 1

    def note(self, address: str, seconds: float, *, most: float) -> None:
        """Note the seconds that an address took, of the ``most`` that it has. A host rests for a while whose addresses
        use up their time one after another, or whose slow ones took too long in all, so that its threads work for
        others."""
        host, used_up = host_of(address), seconds > _USED_UP * most
        with self._lock:
            self._slow[host] = self._slow.get(host, 0) + 1 if used_up else 0
            self._is_quick[host] = not used_up and seconds <= SLOW_SECONDS
            self._slow_seconds[host] = self._slow_seconds.get(host, 0.0) + seconds * (seconds > SLOW_SECONDS)
            if self._slow[host] >= SLOW_IN_A_ROW:
                self._resting[host] = (self._clock() + REST, "does not answer in time and is left alone")
            elif self._slow_seconds[host] >= SLOW_SECONDS_IN_ALL:
                self._resting[host] = (self._clock() + REST, "is slow and is left alone")
                self._slow_seconds[host] = 0.0

    def leave_alone(self, address: str, headers: Mapping[str, str], otherwise: timedelta) -> AskedToWaitError:
        """Note an answer that asks us to wait: for as long as ``Retry-After`` says, else for ``otherwise``."""
        now = self._clock()
        seconds = retry_after(headers.get("retry-after", ""), now)
        wait = min(timedelta(seconds=seconds) if seconds else otherwise, LONGEST)
        self._resting[host_of(address)] = (now + wait, "asks to wait")
        return AskedToWaitError(host_of(address), now + wait)


def host_of(address: str) -> str:
    """Host and port of an address, empty for a path."""
    return urlsplit(address).netloc.lower()
