"""A source as an operator names it, checked against what its format's terms allow."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

from mapsi.catalog.imports.sources import NewSource
from mapsi.errors import UsageError
from mapsi.file_names import OnDisk
from mapsi.http_address import is_http
from mapsi.providers import find_provider
from mapsi.remote.address import parse_address

_DURATION = re.compile(r"([0-9]{1,6})([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_PATTERN = re.compile(r"[*?\[]")


def read_duration(text: str) -> timedelta:
    """A whole number and its unit, ``45m``, ``6h`` or ``3d``; raises :class:`UsageError`."""
    match = _DURATION.fullmatch(text.strip().lower())
    if match is None:
        raise UsageError(f"{text[:40]!r} is not a duration.", "Give a number and s, m, h or d, such as 6h.")
    return timedelta(seconds=int(match[1]) * _UNITS[match[2]])


def admit_source(
    name: str,
    *,
    format: str,
    at: str,
    every: timedelta | None = None,
    time_to_live: timedelta | None = None,
    shrink: float = 0.5,
    shop_name: str = "",
) -> NewSource:
    """A source to add: an http(s) address, a file, a folder, or a folder and a pattern of names, read as ``format``.

    Offers live as long as the format's terms say, or shorter. Raises :class:`UsageError`, and
    :class:`RefusedAddressError` for an address that is never visited, where something does not fit.
    """
    terms = find_provider(format).terms
    longest = None if terms.hours is None else timedelta(hours=terms.hours)
    if time_to_live is not None and longest is not None and time_to_live > longest:
        raise UsageError(
            f"Offers of the format {format} are shown for {terms.hours} hours at most. {terms.reason}",
            "Give a shorter time to live, or leave it out.",
        )
    return NewSource(
        name=name,
        format=format,
        address=_check_address(at),
        every=every,
        time_to_live=time_to_live or longest,
        shrink=shrink,
        shop_name=shop_name,
        copies=terms.copies_pictures,
    )


def _check_address(at: str) -> str:
    if "://" in at:
        if not is_http(at):
            raise UsageError(
                f"{at!r} is neither an http or https address nor a path.",
                "Fetch the feed by other means, into a folder.",
            )
        parse_address(at)
        return at
    path = OnDisk().find(Path(at).expanduser().absolute())
    there = path.parent.is_dir() if _PATTERN.search(path.name) else path.exists()
    if not there:
        raise UsageError(f"There is no file or folder {at}.", "Give an address with https://, or a path that exists.")
    return str(path)
