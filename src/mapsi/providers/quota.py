"""How many calls a provider allows in a day. Across runs and processes the catalogue counts them (``CountedCalls``)."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Protocol

from mapsi.errors import QuotaSpentError

KOREA = timezone(timedelta(hours=9), "KST")


def quota_day(now: datetime) -> date:
    """The day that a call at ``now`` (aware) counts for: it changes at midnight in Korea, where the provider is.

    No document of the provider says when it changes; its users see it there."""
    return now.astimezone(KOREA).date()


def day_turns(now: datetime) -> datetime:
    """When the day of ``now`` ends and all calls are there again."""
    midnight = datetime.combine(quota_day(now), datetime.min.time(), KOREA)
    return midnight + timedelta(days=1)


def quota_spent(message: str, now: datetime) -> QuotaSpentError:
    """The error to raise where none of a day's calls is left; the hint says when there are some again."""
    return QuotaSpentError(message, f"Continue after {day_turns(now):%Y-%m-%d %H:%M} Korean time.")


class Quota(Protocol):
    """Counts the calls of one key. ``now`` is aware; it is handed in so that a whole run goes by one clock."""

    def spend(self, now: datetime) -> None:
        """Count one call, before it is made; raises :class:`QuotaSpentError` where none is left, and counts nothing."""

    def exhaust(self, now: datetime) -> None:
        """Treat the day's calls as used up, because the provider says so: others may use the same key."""

    def left(self, now: datetime) -> int:
        """How many calls are left of the day's."""
