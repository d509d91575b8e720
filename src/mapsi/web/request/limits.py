"""How often one client may search; counted in this process's memory."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any

from flask import Flask
from flask_limiter import Limiter
from limits import parse_many
from limits.storage import MemoryStorage

from mapsi.errors import SettingError
from mapsi.web.request.clients import current_client


class Counts(MemoryStorage):
    """The library's counts in memory, one thread at a time: two that counted at once could start its timer for what is
    past its time twice, and one of them was an error of the service (limits 5.8)."""

    STORAGE_SCHEME = ["mapsi-counts"]  # noqa: RUF012 - as the library has it

    def __init__(self, uri: str | None = None, wrap_exceptions: bool = False, **options: str) -> None:
        self._counting = threading.Lock()
        super().__init__(uri, wrap_exceptions, **options)

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        with self._counting:
            return super().incr(key, expiry, amount)


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
