"""What ``shop.json`` answers instead of offers, as sentences.

Source of the codes: Naver's reference of the shopping search and its list of common error codes.
"""

from __future__ import annotations

import json

from mapsi.errors import FeedError

QUOTA_CODE = "010"
"""The day's calls are used up; ``012`` on the same status 429 says that calls come too fast."""

_BY_CODE = {
    "SE02": ("it does not take that many items at once (display)", "Report this: mapsi asks for 1 to 100."),
    "SE03": ("it does not take the place to begin at (start)", "Report this: mapsi begins at 1 to 1000."),
    "SE04": ("it does not know the order (sort)", "Sort by sim, date, asc or dsc."),
    "SE05": ("it has no shopping search", "Check the base address."),
    "SE06": ("it cannot read the encoding of the words", "Check that the gateway takes UTF-8."),
    "SE99": ("it has a fault of its own", "Try again later."),
}
_BY_STATUS = {
    400: ("it does not take the request", "Check the base address."),
    401: ("the keys are missing or wrong", "Check MAPSI_NAVER_CLIENT_ID and MAPSI_NAVER_CLIENT_SECRET."),
    403: (
        "the keys may not use the search, or the address is not https",
        "Enable the search API for the application, and check the base address.",
    ),
    404: ("it has no shopping search", "Check the base address."),
    405: ("it does not take the request", "Check the base address."),
    429: ("it takes no more calls now", "Try again later."),
}


class BadQueryError(Exception):
    """The provider does not take the words of a query (SE01); others may go on."""


def code_in(body: bytes) -> str:
    """The ``errorCode`` of an error's body, "" where it has none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    code = document.get("errorCode") if isinstance(document, dict) else None
    return code if isinstance(code, str) and len(code) < 10 and code.isascii() and code.isalnum() else ""


def refusal(status: int, code: str, query: str) -> FeedError:
    """The error for an answer with a status of 400 or more."""
    what, hint = _BY_CODE.get(code) or _BY_STATUS.get(status) or ("it has a fault of its own", "Try again later.")
    said = f"{status}, {code}" if code else str(status)
    return FeedError(f"The provider was asked for {query!r} and answered: {what} ({said}).", hint)
