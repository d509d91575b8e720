"""Links that are good without a log-in: signed, each for one purpose.

By the first somebody chooses a password: good for a while, once. It opens an account or gives an old one another
password, whichever it takes: who asks for a link is told the same either way, and so learns nothing about the address.
It dies with the password it replaces. The second stops emails, and keeps doing so: an email may be read after years.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

from itsdangerous import BadData, URLSafeSerializer

from mapsi.catalog import Catalog
from mapsi.errors import NotFoundError

LIFE = timedelta(hours=2)
_SALT = "mapsi.password-link"
_STOP_SALT = "mapsi.stop-emails"


class LinkOverError(NotFoundError):
    """A link that is too old, was used already, or never was one."""

    code = "link_over"
    http_status = 410


class NoStopLinkError(LinkOverError):
    """A link that was to stop emails, and never was one of ours: they have no end."""

    code = "no_stop_link"


def sign_link(catalog: Catalog, secret_key: str, address: str, now: datetime) -> str:
    """The token of a link for this address, good for ``LIFE``."""
    until = int((now + LIFE).timestamp())
    return str(_serializer(secret_key).dumps([address, _mark(catalog, secret_key, address), until]))


def read_link(catalog: Catalog, secret_key: str, token: str, now: datetime) -> str:
    """The address that a token is for; raises :class:`LinkOverError`."""
    try:
        address, mark, until = _serializer(secret_key).loads(token)
    except BadData as error:
        raise LinkOverError("This is not one of our links.", "Ask for a new one.") from error
    if now.timestamp() > until or not hmac.compare_digest(mark, _mark(catalog, secret_key, address)):
        raise LinkOverError("This link is too old or has already been used.", "Ask for a new one.")
    return str(address)


def sign_stop(secret_key: str, account_id: int) -> str:
    """The token of a link that stops the emails to an account."""
    return str(_serializer(secret_key, _STOP_SALT).dumps(account_id))


def read_stop(secret_key: str, token: str) -> int:
    """The account that a token of :func:`sign_stop` is for; raises :class:`NoStopLinkError`."""
    try:
        return int(_serializer(secret_key, _STOP_SALT).loads(token))
    except BadData as error:
        raise NoStopLinkError("This is not one of our links.", "Stop the emails in your account.") from error


def _serializer(secret_key: str, salt: str = _SALT) -> URLSafeSerializer:
    return URLSafeSerializer(secret_key, salt=salt)


def _mark(catalog: Catalog, secret_key: str, address: str) -> str:
    """Changes with the password; tells nothing of its hash."""
    known = catalog.accounts.find(address)
    text = f"{known.id}:{known.password_hash}" if known else ""
    return hmac.new(secret_key.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]
