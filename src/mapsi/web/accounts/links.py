"""Links that are good without a log-in: signed, each for one purpose.

By the first somebody chooses a password: good for a while, once. It opens an account or gives an old one another
password, whichever it takes: who asks for a link is told the same either way, and so learns nothing about the address.
It dies with the password it replaces, and with the account: what it then was good for would be a new account that
nobody asked for. The second stops emails, and keeps doing so: an email may be read after years. It is for an address,
not for an account's number, which another account may have by then, and holds neither.
"""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

from itsdangerous import BadData, URLSafeSerializer

from mapsi.catalog import Catalog
from mapsi.catalog.people.accounts import Account, Trace
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
    account, removal = _account_mark(catalog, secret_key, address), _removal_mark(catalog, secret_key, address)
    return str(_serializer(secret_key).dumps([address, account, removal, until]))


def read_link(catalog: Catalog, secret_key: str, token: str, now: datetime) -> str:
    """The address that a token is for; raises :class:`LinkOverError`."""
    try:
        address, account, removal, until = _serializer(secret_key).loads(token)
    except (BadData, ValueError) as error:
        raise LinkOverError("This is not one of our links.", "Ask for a new one.") from error
    latest = _removal_mark(catalog, secret_key, address)
    same = hmac.compare_digest(account, _account_mark(catalog, secret_key, address))
    if now.timestamp() > until or not same or (latest and not hmac.compare_digest(removal, latest)):
        raise LinkOverError("This link is too old or has already been used.", "Ask for a new one.")
    return str(address)


def remove_account(catalog: Catalog, secret_key: str, account: Account) -> None:
    """Remove an account with all that is kept of its person, and what links were made for it. That there was one is
    known for ``LIFE``, under a digest that says nothing without the key."""
    trace = Trace(_trace_digest(secret_key, account.email), catalog.now() + LIFE)
    catalog.accounts.remove(account.id, trace)


def sign_stop(secret_key: str, address: str) -> str:
    """The token of a link that stops the emails about prices to an address."""
    return str(_serializer(secret_key, _STOP_SALT).dumps(_digest(secret_key, "stop", address)))


def read_stop(catalog: Catalog, secret_key: str, token: str) -> Account | None:
    """The account whose emails a token of :func:`sign_stop` stops; ``None`` where none go out any more. Raises
    :class:`NoStopLinkError`."""
    try:
        digest = str(_serializer(secret_key, _STOP_SALT).loads(token))
    except BadData as error:
        raise NoStopLinkError("This is not one of our links.", "Stop the emails in your account.") from error
    wanting = catalog.accounts.wanting_mail()
    return next((one for one in wanting if _digest(secret_key, "stop", one.email) == digest), None)


def _serializer(secret_key: str, salt: str = _SALT) -> URLSafeSerializer:
    return URLSafeSerializer(secret_key, salt=salt)


def _account_mark(catalog: Catalog, secret_key: str, address: str) -> str:
    """Changes with the password; tells nothing of its hash, nor whether there is an account."""
    known = catalog.accounts.find(address)
    return _digest(secret_key, "account", f"{address} {known.id} {known.password_hash}" if known else address)[:32]


def _removal_mark(catalog: Catalog, secret_key: str, address: str) -> str:
    """Changes when an account of this address is removed; empty where none was for a while."""
    latest = catalog.accounts.last_removal(_trace_digest(secret_key, address))
    return _digest(secret_key, "removal", latest)[:32] if latest else ""


def _trace_digest(secret_key: str, address: str) -> str:
    return _digest(secret_key, "trace", address)


def _digest(secret_key: str, purpose: str, text: str) -> str:
    return hmac.new(secret_key.encode(), f"mapsi.{purpose} {text}".encode(), hashlib.sha256).hexdigest()
