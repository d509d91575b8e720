"""Forms are taken from our own pages only."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flask import Blueprint, Flask, request
from flask_wtf.csrf import CSRFError, CSRFProtect

_OWN = ("same-origin", "none")
_CHANGING = ("POST", "PUT", "PATCH", "DELETE")


def protect_forms(app: Flask, *, exempt: Blueprint, without_token: Iterable[Callable[..., object]]) -> None:
    """Refuse what another site makes a browser send, but for the ``exempt`` addresses, which know no session. A form
    for the views ``without_token`` is made by the visitor's own device or mail program, which have none.

    Every form carries a token that belongs to the visitor's session; and a browser says itself, over https, which site
    a form came from (``Sec-Fetch-Site``). Flask-WTF would compare the referring address with ``Host`` instead, which
    behind a proxy with nginx's defaults is not the address that the visitor sees: every form would be refused.
    """
    app.config["WTF_CSRF_SSL_STRICT"] = False
    # A phone keeps a tab open for days; the token lives as long as the session it belongs to.
    app.config["WTF_CSRF_TIME_LIMIT"] = None
    protection = CSRFProtect(app)
    protection.exempt(exempt)
    for view in without_token:
        protection.exempt(view)

    @app.before_request
    def refuse_others() -> None:
        site = request.headers.get("Sec-Fetch-Site", "none")
        if request.method in _CHANGING and site not in _OWN and request.blueprint != exempt.name:
            raise CSRFError("The form was sent from another site.")
