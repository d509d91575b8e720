"""What a device keeps by itself: saved products in a cookie, for people without an account.

A cookie rather than the browser's own storage: saving is a form, which works without JavaScript, and the page of saved
products is made here. It holds numbers of offers and the minutes they were saved in, nothing of who saved them: it
needs no signature, whoever changes it changes their own list.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from flask import current_app, request
from werkzeug.wrappers import Response

from mapsi.catalog.people.saved import Saved

COOKIE = "saved"
MOST = 200
"""How many products fit, at up to 18 bytes each, into the 4,096 that every browser keeps of a cookie."""

LIFE = timedelta(days=365)
_ENTRY = re.compile(r"([0-9a-z]{1,10})-([0-9a-z]{1,6})")
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_START = datetime(2026, 1, 1, tzinfo=UTC)


def read_device(now: datetime) -> dict[int, datetime]:
    """The products saved on the device that asks; what cannot be read is left out."""
    saved: dict[int, datetime] = {}
    for entry in request.cookies.get(COOKIE, "").split(".")[:MOST]:
        found = _ENTRY.fullmatch(entry)
        if found:
            saved[int(found[1], 36)] = min(now, _START + timedelta(minutes=int(found[2], 36)))
    return saved


def write_device(response: Response, saved: Saved) -> None:
    """Keep these products, at most ``MOST``, on the device that is answered."""
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    if saved:
        response.set_cookie(COOKIE, _written(saved), max_age=LIFE, secure=secure, httponly=True, samesite="Lax")
    else:
        response.delete_cookie(COOKIE, secure=secure, httponly=True, samesite="Lax")


def _written(saved: Mapping[int, datetime]) -> str:
    """``7-2s.1i-2t``: number and minutes since the start of 2026, to base 36."""
    minutes = {offer: max(0, int((at - _START).total_seconds() // 60)) for offer, at in saved.items()}
    return ".".join(f"{_base36(offer)}-{_base36(at)}" for offer, at in minutes.items())


def _base36(number: int) -> str:
    text = ""
    while number or not text:
        number, digit = divmod(number, 36)
        text = _DIGITS[digit] + text
    return text
