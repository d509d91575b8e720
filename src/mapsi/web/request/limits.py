"""How often one client may search; counted in this process's memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

from cachetools import TLRUCache
from flask import Flask
from flask_limiter import Limiter
from limits import parse_many
from limits.storage import Storage

from mapsi.errors import SettingError
from mapsi.web.request.clients import current_client

MOST_COUNTED = 100_000
"""Counts held at once, some 20 MB of them; beyond, those that ended or that nobody added to for longest go."""


class _Count(NamedTuple):
    """How many calls there were, and until when (seconds of ``time.time``) they count."""

    calls: int
    until: float


class Counts(Storage):
    """Counts of this process, in memory; safe to share between threads. The library's own (limits 5.8) starts a thread
    with each call to look for what is past its time, a thirtieth of an answer to a photo."""

    STORAGE_SCHEME = ["mapsi-counts"]  # noqa: RUF012 - as the library has it

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: str) -> None:
        super().__init__(uri, wrap_exceptions, **options)
        self._lock = threading.Lock()
        self._counts: TLRUCache[str, _Count] = TLRUCache(MOST_COUNTED, lambda _, count, __: count.until, time.time)

    @property
    def base_exceptions(self) -> type[Exception]:
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        with self._lock:
            before = self._counts.get(key) or _Count(0, time.time() + expiry)
            self._counts[key] = _Count(before.calls + amount, before.until)
            return before.calls + amount

    def get(self, key: str) -> int:
        with self._lock:
            return self._counts[key].calls if key in self._counts else 0

    def get_expiry(self, key: str) -> float:
        with self._lock:
            return self._counts[key].until if key in self._counts else time.time()

    def check(self) -> bool:
        return True

    def reset(self) -> int:
        with self._lock:
            held = len(self._counts)
            self._counts.clear()
            return held

    def clear(self, key: str) -> None:
        with self._lock:
            self._counts.pop(key, None)


def setup_limits(app: Flask, rates: dict[str, tuple[str, Iterable[str]]]) -> None:
    """Count calls: ``rates`` maps a scope to its rate (``30 per minute``) and the endpoints that share the count.

    Raises :class:`SettingError` where a rate cannot be read.
    """
    limiter = Limiter(current_client, app=app, storage_uri="mapsi-counts://", headers_enabled=True)
    for scope, (rate, endpoints) in rates.items():
        _check_rate(scope, rate)
        for endpoint in endpoints:
            view: Any = app.view_functions[endpoint]
            app.view_functions[endpoint] = limiter.shared_limit(rate, scope=scope)(view)


def _check_rate(scope: str, rate: str) -> None:
    try:
        parse_many(rate)
    except ValueError as error:
        raise SettingError(
            f"The setting MAPSI_{scope.upper()}_RATE has the value {rate!r}, which is not a rate.",
            "Write it like `30 per minute`.",
        ) from error
