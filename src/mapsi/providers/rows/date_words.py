"""Dates in words, in other orders and in seconds -> figures in ISO's order; words for "without end"."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_NAME = rf"(?P<month>{'|'.join(_MONTHS)})[a-z]*\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_WEEKDAY = r"(?:\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\.?,?\s+)?"
_NAMED = (
    re.compile(rf"{_WEEKDAY}(?<!\d){_DAY}[\s-]+{_NAME},?[\s-]+(?P<year>\d{{4}})(?!\d)", re.IGNORECASE),
    re.compile(rf"{_WEEKDAY}\b{_NAME}\s+{_DAY},?\s+(?P<year>\d{{4}})(?!\d)", re.IGNORECASE),
)
_YEAR_LAST = {
    mark: re.compile(rf"(?<![\d{mark}])(\d{{1,2}})[{mark}](\d{{1,2}})[{mark}](\d{{4}})(?!\d)") for mark in "./-"
}
_SECONDS = re.compile(r"(?<![\d.])(1\d{9})(?:\d{3})?(?![\d:.-])")
_SERIAL = re.compile(r"(?<![\d.,:])([3-7]\d{4}|2958465)(?:\.(\d{1,12}))?(?![\d.,:])")
"""Days as spreadsheets count them, from 1982 to 2119 and their last one, with a part of the day behind the point."""

_DAY_ZERO = datetime(1899, 12, 30, tzinfo=UTC)
_COMMENT = re.compile(r"\s*\((?:UTC|GMT|KST)\)|\s*\[?Asia/Seoul\]?(?=$|[\s/~-])")
_NO_DATE = re.compile(r"[0:\s./~T-]*", re.IGNORECASE)
_SPELLED = """
    상시 상시할인 상시판매 무기한 무제한 제한없음 기한없음 계속 always never none ongoing unlimited
    noexpiry noexpiration
"""
_WITHOUT_END = frozenset(_SPELLED.split())


def says_no_end(text: str) -> bool:
    """Whether a field of dates says that there is none: ``상시``, ``never``, ``0000-00-00/0000-00-00``."""
    return "".join(text.casefold().split()) in _WITHOUT_END or _NO_DATE.fullmatch(text) is not None


def in_figures(text: str) -> str:
    """``Dec 30, 2026``, ``30.12.2026``, ``12/30/2026``, a spreadsheet's ``46386`` and seconds since 1970 as
    ``2026-12-30``. What may be a day or a month stays as it is, and so is no date."""
    for named in _NAMED:
        text = named.sub(_by_name, text)
    text = _COMMENT.sub("", text)
    for mark, dates in _YEAR_LAST.items():
        text = _year_first(text, mark, dates)
    return _SERIAL.sub(_from_serial, _SECONDS.sub(_from_seconds, text))


def _by_name(match: re.Match[str]) -> str:
    return f"{match['year']}-{_MONTHS.index(match['month'].lower()) + 1:02}-{int(match['day']):02}"


def _year_first(text: str, mark: str, dates: re.Pattern[str]) -> str:
    """Days and months told apart by the one that is beyond twelve, in any of the dates; a day comes first where points
    stand between."""
    days = [(int(first), int(second)) for first, second, _ in dates.findall(text)]
    if any(second > 12 for _, second in days):
        return dates.sub(r"\3-\1-\2", text)
    if mark == "." or any(first > 12 or first == second for first, second in days):
        return dates.sub(r"\3-\2-\1", text)
    return text


def _from_seconds(match: re.Match[str]) -> str:
    return datetime.fromtimestamp(int(match[1]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _from_serial(match: re.Match[str]) -> str:
    day = _DAY_ZERO + timedelta(days=int(match[1]))
    if match[2] is None:
        return f"{day:%Y-%m-%d}"
    return f"{day + timedelta(seconds=round(86_400 * float('0.' + match[2]))):%Y-%m-%dT%H:%M:%S}"
