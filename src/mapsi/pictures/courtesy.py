"""Good manners towards the servers that pictures come from: few connections at once, and a pause where one asks for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from threading import BoundedSemaphore, Lock
from urllib.parse import urlsplit

from mapsi.errors import MapsiError
from mapsi.remote.retry import retry_after

CONNECTIONS = 4
"""At once to one host; browsers open six."""

LONGEST = timedelta(days=1)
"""No longer is waited for a host, whatever it asks."""


class AskedToWaitError(MapsiError):
    """A host wants to be left alone until ``until`` (UTC)."""

    def __init__(self, host: str, until: datetime) -> None:
        super().__init__(f"{host} asks to wait until {until:%Y-%m-%d %H:%M} UTC.", "It is asked again after that.")
        self.until = until


class Courtesy:
    """Shared by the threads that fetch."""

    def __init__(self, connections: int = CONNECTIONS, clock: Callable[[], datetime] | None = None) -> None:
        self._connections = connections
        self._clock = clock or (lambda: datetime.now(UTC))
        self._slots: dict[str, BoundedSemaphore] = {}
        self._resting: dict[str, datetime] = {}
        self._lock = Lock()

    @contextmanager
    def visit(self, address: str) -> Iterator[None]:
        """Wait for a free connection to the address's host; raises :class:`AskedToWaitError` where it wants none."""
        host = _host(address)
        with self._lock:
            slots = self._slots.setdefault(host, BoundedSemaphore(self._connections))
        with slots:
            until = self._resting.get(host)
            if until is not None and until > self._clock():
                raise AskedToWaitError(host, until)
            yield

    def leave_alone(self, address: str, headers: Mapping[str, str], otherwise: timedelta) -> AskedToWaitError:
        """Take in an answer that asks to wait: for as long as ``Retry-After`` says, else for ``otherwise``."""
        now = self._clock()
        seconds = retry_after(headers.get("retry-after", ""), now)
        wait = min(timedelta(seconds=seconds) if seconds else otherwise, LONGEST)
        self._resting[_host(address)] = now + wait
        return AskedToWaitError(_host(address), now + wait)


def _host(address: str) -> str:
    return urlsplit(address).netloc.lower()
