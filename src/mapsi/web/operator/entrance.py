"""The operator's log-in and log-out: all that is seen by somebody who is not logged in."""

from __future__ import annotations

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.exceptions import TooManyRequests
from werkzeug.wrappers import Response as AnyResponse

from mapsi.web.languages import translate as _
from mapsi.web.onward import wish
from mapsi.web.operator.passwords import check_password
from mapsi.web.operator.sessions import enter as enter_session
from mapsi.web.operator.sessions import leave, present
from mapsi.web.security import keep_private
from mapsi.web.services import services

entrance = Blueprint(
    "entrance",
    __name__,
    url_prefix="/operator",
    template_folder="templates",
    static_folder="static",
    static_url_path="/assets",
)


@entrance.get("/login")
def login() -> AnyResponse:
    """The form; who is logged in already goes on."""
    return _onward() if present() else _form()


@entrance.post("/login")
def enter() -> AnyResponse:
    """Log in. The answer is the same, and takes as long, whether the address or the password is wrong."""
    operator = services().finder.catalog.accounts.find(request.form.get("email", ""))
    right = check_password(operator.password_hash if operator else "", request.form.get("password", ""))
    if operator is None or not right:
        return _form(_("The address or the password is wrong."), 403)
    enter_session(operator)
    return _onward()


@entrance.post("/logout")
def exit_session() -> AnyResponse:
    """Log out."""
    leave()
    flash(_("You are logged out."))
    return redirect(url_for("entrance.login"), 303)


@entrance.errorhandler(429)
def too_often(_error: TooManyRequests) -> Response:
    """Say it on the form that was sent."""
    return _form(_("Too many attempts. Wait a minute, then try again."), 429)


@entrance.after_request
def keep_to_one(response: Response) -> Response:
    """No cache keeps what is seen here; style sheets are everybody's."""
    return response if request.endpoint == "entrance.static" else keep_private(response)


def _form(fault: str = "", status: int = 200) -> Response:
    page = render_template(
        "operator/login.html",
        fault=fault,
        email=request.form.get("email", "")[:254],
        onward=wish(),
        nobody=not services().finder.catalog.accounts.operators(),
    )
    return make_response(page, status)


def _onward() -> AnyResponse:
    return redirect(wish() or url_for("operator.overview"), 303)
