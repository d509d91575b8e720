"""Dates and spans of time as feeds write them (ISO 8601 and its common variations) -> moments."""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from email.utils import parsedate_to_datetime

from mapsi.providers.rows.date_words import in_figures

UNSAID = timezone(timedelta(hours=9), "KST")
"""Where a moment names no time zone: shops that leave it out are Korean, as those that leave out the currency."""

_HOURS = {"EST": -5, "EDT": -4, "PST": -8, "PDT": -7, "CET": 1, "CEST": 2}
_ZONES = {"Z": UTC, "UTC": UTC, "GMT": UTC, "KST": UNSAID, "JST": UNSAID} | {
    name: timezone(timedelta(hours=hours)) for name, hours in _HOURS.items()
}
_MOMENT = re.compile(
    r"(?P<year>\d{4})(?:(?P<mark>[-./])\s?(?P<month>\d{1,2})(?P=mark)\s?(?P<day>\d{1,2})(?!\d)\.?|\s*년\s*(?P<k_month>\d{1,2})\s*월\s*"
    r"(?P<k_day>\d{1,2})\s*일|(?P<c_month>\d\d)(?P<c_day>\d\d)(?!\d)|-?W(?P<week>\d\d)-?(?P<weekday>[1-7])(?!\d))"
    r"(?:(?:\s*T\s*|[\s_]+(?=(?:오[전후]\s*|[AP]M\s*)?\d{1,2}:))(?P<before>오[전후]|[AP]M)?\s*(?P<hour>\d{1,2})(?::?(?P<minute>\d\d)(?::?(?P<second>\d\d)(?:[.,]\d+)?)?)?"
    r"\s*(?P<after>[AP]\.?M\.?)?(?:\s*(?P<zone>Z|UTC|GMT|KST|JST|[EP][SD]T|CES?T)?\s*"
    r"(?P<offset>[+\u2212-](?:\d\d(?::?\d\d)?|\d))?(?!\d))?)?",
    re.IGNORECASE,
)
_BETWEEN = re.compile(r"\s*(?:/|--?|~|–|—|,|;|to|until|부터|\s)\s*", re.IGNORECASE)
_DURATION = re.compile(
    r"P(?:(\d{1,3})Y)?(?:(\d{1,3})M)?(?:(\d{1,3})W)?(?:(\d{1,4})D)?(?:T(?:(\d{1,4})H)?(?:(\d{1,5})M)?(?:(\d{1,6})S)?)?",
    re.IGNORECASE,
)
_BEFORE_THE_END = frozenset(["/", "~", "../", "until", "till", "by"])
_UNTIL = re.compile(r"^(?:until|till|by|~)\s*|\s*까지$", re.IGNORECASE)
_MAX_LENGTH = 120


def parse_end(text: str) -> datetime:
    """The moment after which something no longer holds; a date without a time of day holds to the end of that day.
    Raises :class:`ValueError`."""
    text = _UNTIL.sub("", in_figures(_short(text)))
    match = _MOMENT.fullmatch(text)
    if match is not None:
        return _moment(match, end=True)
    moment = parsedate_to_datetime(text)  # as RSS writes its own dates
    return moment if moment.tzinfo else moment.replace(tzinfo=UNSAID)


def parse_span(text: str) -> tuple[datetime, datetime]:
    """First and last moment of ``START/END``, either of which may be left out, or one of them a duration (``P30D``).
    Raises :class:`ValueError`."""
    text = in_figures(_short(text))
    found = list(_MOMENT.finditer(text))
    rest = [part.strip() for part in _MOMENT.split(text)[:: _MOMENT.groups + 1]]
    if len(found) == 2 and not rest[0] and not rest[2].strip("까지 ") and _BETWEEN.fullmatch(f" {rest[1]} "):
        first, last = _moment(found[0], end=False), _moment(found[1], end=True)
    elif len(found) == 1:
        first, last = _open_or_lasting(found[0], *rest)
    else:
        raise ValueError(f"not a span of time: {text!r}")
    if last < first:
        raise ValueError(f"a span that ends before it begins: {text!r}")
    return first, last


def _short(text: str) -> str:
    if len(text) > _MAX_LENGTH or not text.strip():
        raise ValueError("no date")
    return text.strip()


def _open_or_lasting(found: re.Match[str], before: str, after: str) -> tuple[datetime, datetime]:
    begin, end = _moment(found, end=False), _moment(found, end=True)
    if (before.lower() in _BEFORE_THE_END and not after) or (after == "까지" and not before):
        return datetime.min.replace(tzinfo=UTC), end
    if (after in ("/", "~", "/..", "부터", "이후") and not before) or (before.lower() == "from" and not after):
        return begin, datetime.max.replace(tzinfo=UTC)
    if lasting := _DURATION.fullmatch(after.removeprefix("/")):
        return begin, _moved(begin, lasting, 1)
    if lasting := _DURATION.fullmatch(before.removesuffix("/")):
        return _moved(end, lasting, -1), end
    raise ValueError("one moment is not a span of time")


def _moment(match: re.Match[str], *, end: bool) -> datetime:
    get = match.groupdict().get
    year = int(match["year"])
    if get("week"):
        day = date.fromisocalendar(year, int(match["week"]), int(match["weekday"]))
    else:
        month, number = (match[a] or match[b] or match[c] for a, b, c in (
            ("month", "k_month", "c_month"), ("day", "k_day", "c_day"))
        )  # fmt: skip
        day = date(year, int(month), int(number))
    hour, minute, second = (int(get(name) or 0) for name in ("hour", "minute", "second"))
    hour = _of_the_day(hour, get("before") or get("after") or "")
    if hour > 24 or minute > 59 or second > 60:
        raise ValueError("no time of day")
    if get("hour") is None and end:
        hour = 24
    if year == 9999:  # how databases write "for ever"; no zone fits in behind it
        return datetime.max.replace(tzinfo=UTC)
    midnight = datetime(day.year, day.month, day.day, tzinfo=_zone(get("zone"), get("offset")))
    try:
        return midnight + timedelta(hours=hour, minutes=minute, seconds=min(second, 59))
    except OverflowError as error:
        raise ValueError("beyond the calendar") from error


def _of_the_day(hour: int, half: str) -> int:
    """An hour of 24: ``12 AM`` is midnight."""
    if not half:
        return hour
    if not 1 <= hour <= 12:
        raise ValueError("no hour of half a day")
    return hour % 12 + (12 if half[0] in "pP" or half == "오후" else 0)


def _zone(name: str | None, offset: str | None) -> tzinfo:
    if offset is None:
        return _ZONES[name.upper()] if name else UNSAID
    sign = 1 if offset[0] == "+" else -1
    digits = offset[1:].replace(":", "").zfill(2).ljust(4, "0")
    return timezone(sign * timedelta(hours=int(digits[:2]), minutes=int(digits[2:])))


def _moved(moment: datetime, duration: re.Match[str], sign: int) -> datetime:
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in duration.groups())
    month = moment.year * 12 + moment.month - 1 + sign * (years * 12 + months)
    year, month = divmod(month, 12)
    if not 1 <= year <= 9998:
        raise ValueError("beyond the calendar")
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    rest = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return moment.replace(year=year, month=month + 1, day=day) + sign * rest
