"""Whose a photo and a shared list are: those of the account, or of the device that made them."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from datetime import timedelta

from flask import current_app, request, session
from werkzeug.wrappers import Response

from mapsi.catalog.people.accounts import Account
from mapsi.catalog.people.shares import NotOwnerError, Owner
from mapsi.web.request.sessions import PHOTOS, visitor
from mapsi.web.state.services import current_services

COOKIE = "device"
LIFE = timedelta(days=365)
MOST_PHOTOS = 20


def owner() -> Owner:
    """Who asks; a device without the cookie owns nothing."""
    account, secret = visitor(), request.cookies.get(COOKIE, "")
    if account:
        return Owner(account.id)
    return Owner(None, _digest(secret) if secret else "")


def become_owner(response: Response) -> Owner:
    """Who asks, with the cookie by which a device without an account is known again."""
    known = owner()
    if known.account_id is not None or known.device:
        return known
    secret = _new_secret()
    secure = bool(current_app.config["SESSION_COOKIE_SECURE"])
    response.set_cookie(COOKIE, secret, max_age=LIFE, secure=secure, httponly=True, samesite="Lax")
    return Owner(None, _digest(secret))


def adopt_shares(account: Account) -> None:
    """What the device shared belongs to the account of its person, who has just come in."""
    secret = request.cookies.get(COOKIE, "")
    if secret:
        current_services().catalog.shares.adopt(_digest(secret), account.id)


def note_own_photo(token: str) -> None:
    """The photo under ``token`` is the visitor's own: they may forget it and share it."""
    session[PHOTOS] = [*session.get(PHOTOS, []), token][-MOST_PHOTOS:]


def owns_photo(token: str) -> bool:
    """Whether the visitor searched with this photo themselves."""
    return token in session.get(PHOTOS, [])


def require_own_photo(token: str) -> None:
    """Raise :class:`NotOwnerError` for somebody else's photo: its address was shown to the visitor, no more."""
    if not owns_photo(token):
        raise NotOwnerError("This photo is somebody else's.", "Only the person who searched with it can do that.")


def _new_secret() -> str:
    """The secret of a device that has none yet. A form that is sent twice at once, before the first answer has brought
    the cookie, makes one device, not one that nobody is any more: it follows from the session's token for forms."""
    token = str(session.get("csrf_token", "")) or secrets.token_urlsafe(32)
    key = str(current_app.config["SECRET_KEY"]).encode()
    return hmac.new(key, f"mapsi.device {token}".encode(), hashlib.sha256).hexdigest()


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
