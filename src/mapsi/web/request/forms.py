"""Forms are taken from our own pages only."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Collection

from flask import Blueprint, Flask, g, request
from flask_wtf.csrf import CSRFError, generate_csrf, validate_csrf

_OWN = ("same-origin", "none")
_CHANGING = ("POST", "PUT", "PATCH", "DELETE")


def protect_forms(app: Flask, *, exempt: Blueprint, without_token: Collection[str]) -> None:
    """Refuse what another site makes a browser send, but for the ``exempt`` addresses, which know no session. A form
    for the endpoints ``without_token`` is made by the visitor's own device or mail program, which have none.

    Every form carries a token that belongs to the visitor's session; and a browser says itself, over https, which site
    a form came from (``Sec-Fetch-Site``). Flask-WTF's own extension is not used: it would compare the referring address
    with ``Host``, which behind a proxy with nginx's defaults is not the address that the visitor sees, and its token
    is the same text in every answer (see :func:`mask`).
    """
    # A phone keeps a tab open for days; the token lives as long as the session it belongs to.
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    app.jinja_env.globals["csrf_token"] = form_token

    @app.before_request
    def refuse_others() -> None:
        if request.method not in _CHANGING or request.endpoint is None or request.blueprint == exempt.name:
            return
        if not is_own_request():
            raise CSRFError("The form was sent from another site.")
        if request.endpoint not in without_token:
            _check_token(request.form.get("csrf_token", ""))


def is_own_request() -> bool:
    """Whether a request comes from our own pages or was typed by the visitor, as far as the browser says."""
    return request.headers.get("Sec-Fetch-Site", "none") in _OWN


def form_token() -> str:
    """The token for the forms of this answer, in another mask than that of any other answer."""
    if "form_token" not in g:
        g.form_token = mask(generate_csrf())
    return str(g.form_token)


def _check_token(masked: str) -> None:
    try:
        validate_csrf(unmask(masked))
    except ValueError as error:  # wtforms.ValidationError
        raise CSRFError(str(error)) from error


def mask(token: str) -> str:
    """``token`` as other text each time, so that a page may be compressed.

    Compressed, a page that repeats words from its address gives its token away letter by letter: a right guess in the
    address makes it shorter (BREACH, http://www.breachattack.com). Against a token that is never twice the same text,
    nothing is learned from one answer for the next. As in Django: random bytes, then the token's, each
    added to (XOR) the random one in its place."""
    plain = token.encode()
    pad = secrets.token_bytes(len(plain))
    return urlsafe_b64encode(pad + _xor(pad, plain)).decode("ascii")


def unmask(masked: str) -> str:
    """What :func:`mask` was given; empty for what it never made."""
    try:
        both = urlsafe_b64decode(masked)
        half = len(both) // 2
        return _xor(both[:half], both[half:]).decode()
    except ValueError:
        return ""


def _xor(pad: bytes, data: bytes) -> bytes:
    return bytes(one ^ other for one, other in zip(pad, data, strict=True))
