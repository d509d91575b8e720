"""When a server that refused may be asked again."""

from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST = 366 * 86400.0
"""Seconds that are believed at most: a moment further off can hardly be written as a date of another time zone."""


def retry_after(header: str, now: datetime) -> float | None:
    """Seconds that a ``Retry-After`` header asks to wait, 0 to a year; it is a number of seconds or a date. ``None``
    where it is neither."""
    text = header.strip()
    if text.isascii() and text.isdigit() and len(text) < 10:
        return min(float(text), LONGEST)
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    seconds = (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds()
    return min(max(0.0, seconds), LONGEST)
