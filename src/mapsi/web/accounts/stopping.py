"""Stopping emails by the link in each of them, without a log-in: by a button here, or by that of a mail program."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, make_response, render_template

from mapsi.catalog.people.accounts import Account
from mapsi.web.accounts.links import read_stop
from mapsi.web.request.security import keep_private
from mapsi.web.state.services import current_services

stopping = Blueprint("stopping", __name__, url_prefix="/account/emails", template_folder="templates")


@stopping.get("/<token>")
def offer(token: str) -> Response:
    """A button: what only looks at the links of an email must stop nothing."""
    _account(token)
    return _page(token, done=False)


@stopping.post("/<token>")
def stop(token: str) -> Response:
    """Stop them. Mail programs send this without a cookie or a form's token (RFC 8058); the signed link is what lets
    in."""
    account = _account(token)
    if account:
        current_services().catalog.accounts.want_mail(account.id, wanted=False)
    return _page(token, done=True)


def _account(token: str) -> Account | None:
    return read_stop(current_services().catalog, current_app.config["SECRET_KEY"], token)


def _page(token: str, *, done: bool) -> Response:
    return keep_private(make_response(render_template("accounts/stop.html", token=token, done=done)))
