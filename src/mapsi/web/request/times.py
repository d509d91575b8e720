"""Times and durations in the operator's language."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from babel.dates import format_date, format_timedelta
from babel.units import format_unit

from mapsi.web.request.languages import language
from mapsi.web.request.languages import translate as _

_UNITS = (("day", 86400), ("hour", 3600), ("minute", 60), ("second", 1))


@dataclass(frozen=True, slots=True)
class TimeView:
    """A moment: for scripts (ISO 8601), as "3 minutes ago", and in full by the clock of the server."""

    iso: str
    relative: str
    exact: str


def view_time(at: datetime, now: datetime) -> TimeView:
    """``at`` as seen from ``now``; both aware."""
    here = at.astimezone()
    return TimeView(
        iso=at.isoformat(timespec="seconds"),
        relative=_relative(at - now),
        exact=f"{format_date(here, 'medium', locale=language())} {here:%H:%M:%S %Z}".strip(),
    )


def _relative(span: timedelta) -> str:
    if abs(span) < timedelta(seconds=5):
        return _("just now")
    return format_timedelta(span, add_direction=True, threshold=0.98, locale=language())


def view_duration(duration: timedelta) -> str:
    """A duration by its two largest units: ``1 min 30 sec``."""
    seconds = round(duration.total_seconds())
    if seconds < 1:
        return _("under a second")
    parts = []
    for unit, length in _UNITS:
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(format_unit(count, f"duration-{unit}", "short", locale=language()))
        elif parts:
            break
    return " ".join(parts[:2])
