"""Who is logged in: kept in the signed session cookie, and believed only as long as the account stays as it was.

Not by flask-login, whose hooks read the session for every answer: that would mark each product picture as different
from visitor to visitor (``Vary: Cookie``), and no cache could share it.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import timedelta
from typing import Any

from flask import current_app, session

from mapsi.catalog.operations.accounts import Operator
from mapsi.web.services import services

IDLE = timedelta(hours=8)
"""After so long without a page asked for by hand, the password is asked for again."""

_KEY = "operator"


def enter(operator: Operator) -> None:
    """Log in; nothing of the session before is taken along."""
    session.clear()
    session[_KEY] = {"id": operator.id, "mark": _mark(operator), "seen": _now()}


def leave() -> None:
    """Log out."""
    session.clear()


def present(*, awake: bool = True) -> Operator | None:
    """Who is logged in. Ended is a session that was idle, whose operator was removed or has another password.

    ``awake`` is false for what a page asks for by itself: an open page nobody looks at stays logged in no longer.
    """
    kept: dict[str, Any] | None = session.get(_KEY)
    if kept is None:
        return None
    operator = services().finder.catalog.accounts.get(kept["id"])
    fresh = _now() - kept["seen"] <= IDLE.total_seconds()
    if operator is None or not fresh or not hmac.compare_digest(kept["mark"], _mark(operator)):
        session.clear()
        return None
    if awake:
        session[_KEY] = {**kept, "seen": _now()}
    return operator


def _mark(operator: Operator) -> str:
    """Changes with the password; tells nothing of its hash."""
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(key, operator.password_hash.encode(), hashlib.sha256).hexdigest()[:32]


def _now() -> float:
    return services().finder.catalog.sources.now().timestamp()
