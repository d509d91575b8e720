"""The log-in and log-out of everybody."""

from __future__ import annotations

import math
from contextlib import suppress

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response as AnyResponse

from mapsi.catalog.people.accounts import Account
from mapsi.errors import MapsiError
from mapsi.web.accounts.passwords import check_password
from mapsi.web.request.languages import CHOSEN, LANGUAGES, has_chosen, keep_language
from mapsi.web.request.languages import translate as _
from mapsi.web.request.onward import next_page
from mapsi.web.request.security import keep_private
from mapsi.web.request.sessions import enter as enter_session
from mapsi.web.request.sessions import leave, present, visitor
from mapsi.web.saved.keeping import bring_along
from mapsi.web.sharing.owning import adopt_shares
from mapsi.web.state.services import current_services

entrance = Blueprint("entrance", __name__, url_prefix="/account", template_folder="templates")
entrance.after_request(keep_private)  # no cache keeps what one person alone sees


@entrance.before_app_request
def keep_email_language() -> None:
    """Emails follow the language that whoever is logged in chooses on a page."""
    chosen = request.args.get(CHOSEN)
    account = visitor() if chosen in LANGUAGES and request.method == "GET" else None
    if account and chosen and account.language != chosen:
        with suppress(MapsiError):  # the page is shown where nothing can be written
            current_services().catalog.accounts.write_in(account.id, chosen)


@entrance.get("/login")
def login() -> AnyResponse:
    """The form; who is already logged in is sent on."""
    known = present()
    return onward(known) if known else _form()


@entrance.post("/login")
def enter() -> AnyResponse:
    """Log in. The answer is the same, and takes as long, whether the address or the password is wrong."""
    email, attempts = request.form.get("email", ""), current_services().attempts
    account = current_services().catalog.accounts.find(email)  # where the database is down, no try is counted
    waiting = attempts.begin(email)
    if waiting:
        return after(waiting, too_often())
    right = check_password(account.password_hash if account else "", request.form.get("password", ""))
    if account is None or not right:
        return _form(_("The email address or the password is wrong."), 403)
    attempts.succeed(email)
    enter_session(account)
    return onward(account)


@entrance.post("/logout")
def exit_session() -> AnyResponse:
    """Log out."""
    leave()
    flash(_("You are logged out."))
    return redirect(url_for("entrance.login"), 303)


@entrance.errorhandler(429)
def too_often(_error: TooManyRequests | None = None) -> Response:
    """Say so on the form that was sent."""
    return _form(_("Too many attempts. Wait a minute, then try again."), 429)


def after(seconds: float, refused: Response) -> Response:
    """A refusal that says when the next try may come."""
    refused.headers["Retry-After"] = str(math.ceil(seconds))
    return refused


def onward(account: Account) -> AnyResponse:
    """The way on of somebody who has just come in, with what their device had saved, in the language of the account
    where none was chosen here."""
    own = "operator.overview" if account.is_operator else "account.home"
    response = redirect(next_page() or url_for(own), 303)
    if account.language in LANGUAGES and not has_chosen():
        keep_language(response, account.language)
    bring_along(response, account)
    adopt_shares(account)
    return response


def _form(fault: str = "", status: int = 200) -> Response:
    for_operators = next_page().startswith(url_for("operator.overview"))
    page = render_template(
        "accounts/log_in.html",
        fault=fault,
        email=request.form.get("email", "")[:254],
        onward=next_page(),
        for_operators=for_operators,
        nobody=for_operators and not current_services().catalog.accounts.operators(),
    )
    return make_response(page, status)
