"""Who is logged in: a token in the signed session cookie, and a row of the catalogue that can be taken away.

Not by flask-login, whose hooks read the session for every answer: that would mark each product picture as different
from visitor to visitor (``Vary: Cookie``), and no cache could share it.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any, cast

from flask import g, session

from mapsi.catalog.people.accounts import Account
from mapsi.errors import MapsiError
from mapsi.web.state.services import current_services

IDLE = timedelta(hours=8)
"""After so long without a page asked for by hand, an operator is asked for the password again."""

NOTED = timedelta(minutes=1)
"""How exactly the time of the last page is kept: no new cookie for every picture of a page."""

_KEY = "account"
PHOTOS = "photos"
"""Under which the session keeps the tokens of the visitor's own photos, the latest last."""

_log = logging.getLogger(__name__)


def enter(account: Account) -> None:
    """Log in; of the session before, only which photos are the person's own is taken along."""
    photos = session.get(PHOTOS)
    leave()
    if photos:
        session[PHOTOS] = photos
    session.permanent = True
    session[_KEY] = {"token": current_services().catalog.sessions.open(account.id), "seen": _now()}


def leave() -> None:
    """Log out: the session is over for every copy of its cookie."""
    kept = _kept()
    if kept is not None:
        current_services().catalog.sessions.close(kept["token"])
    session.clear()
    g.pop(_KEY, None)


def present(*, awake: bool = True) -> Account | None:
    """Who is logged in. Over is a session that was logged out, an operator's that was idle, and every one of an account
    that was removed or has a new password.

    ``awake`` is false for what a page asks for by itself: an open page that nobody looks at does not stay logged in.
    """
    if _KEY not in g:
        setattr(g, _KEY, _look_up())
    account = cast("Account | None", g.get(_KEY))
    if account is not None and awake and _now() - session[_KEY]["seen"] >= NOTED.total_seconds():
        session[_KEY] = {**session[_KEY], "seen": _now()}
    return account


def visitor() -> Account | None:
    """Who is logged in, for what every page shows; nobody where the catalogue cannot tell."""
    try:
        return present(awake=False)
    except MapsiError as error:
        _log.warning("Nobody can be logged in: %s", error)
        return None


def token() -> str:
    """The token of the session of the person who is logged in."""
    return str(session[_KEY]["token"])


def _look_up() -> Account | None:
    kept = _kept()
    if kept is None:
        return None
    account = current_services().catalog.sessions.find(kept["token"])
    idle = _now() - kept["seen"] > IDLE.total_seconds()
    if account is None or (account.is_operator and idle):
        leave()
        return None
    return account


def _kept() -> dict[str, Any] | None:
    return cast("dict[str, Any] | None", session.get(_KEY))


def _now() -> float:
    return current_services().catalog.now().timestamp()
