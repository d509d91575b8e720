"""Asking for a link by mail, and choosing a password by it: for a new account and for a forgotten password alike."""

from __future__ import annotations

from flask import Blueprint, Response, current_app, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from mapsi.catalog.operations.jobs import Job
from mapsi.catalog.people.accounts import checked_address
from mapsi.errors import UsageError
from mapsi.web.accounts.entrance import onward
from mapsi.web.accounts.links import LinkOverError, read_link
from mapsi.web.accounts.passwords import LONGEST, SHORTEST, EasyPasswordError, PasswordError, hash_password
from mapsi.web.request.languages import language
from mapsi.web.request.languages import translate as _
from mapsi.web.request.security import keep_private
from mapsi.web.request.sessions import enter, present
from mapsi.web.state.services import current_services

keys = Blueprint("keys", __name__, url_prefix="/account", template_folder="templates")
keys.after_request(keep_private)  # no cache keeps what one person alone sees


@keys.get("/new")
def new() -> Response:
    """Ask for an account."""
    return _ask_form()


@keys.get("/forgotten")
def forgotten() -> Response:
    """Ask for another password."""
    return _ask_form()


@keys.post("/link")
def ask() -> AnyResponse:
    """Have a link sent. The answer says nothing of whether the address is known."""
    try:
        address = checked_address(request.form.get("email", ""))
    except UsageError:
        return _ask_form(_("This is not an email address. Write it like name@example.com."), 400)
    catalog = current_services().catalog
    if catalog.emails.put("password", address, language()):
        catalog.jobs.put(Job("mail"))
    return redirect(url_for("keys.asked"), 303)


@keys.get("/asked")
def asked() -> str:
    """What happens now."""
    return render_template("accounts/asked.html", by_mail=bool(current_services().settings.smtp))


@keys.get("/password/<token>")
def password(token: str) -> AnyResponse:
    """The form for a password, by a link."""
    return _choose_form(token, _address(token))


@keys.post("/password/<token>")
def choose(token: str) -> AnyResponse:
    """Take the password, and log in. Sent twice, the second time leads to the account that the first one opened, or to
    the log-in where the browser did not wait for the answer that logs in."""
    try:
        address = _address(token)
    except LinkOverError:
        account = present()
        return onward(account) if account else _to_log_in()
    try:
        password_hash = hash_password(request.form.get("password", ""), address)
    except PasswordError as error:
        return _choose_form(token, address, password_fault(error), 400)
    account = current_services().catalog.accounts.open(address, password_hash, language())
    enter(account)
    return onward(account)


def password_fault(error: PasswordError) -> str:
    """What is wrong with a password that was not taken."""
    if isinstance(error, EasyPasswordError):
        return _("This password is easy to guess. Use a sentence that nobody else would.")
    return _("Use %(shortest)d to %(longest)d characters: a sentence will do.", shortest=SHORTEST, longest=LONGEST)


def _address(token: str) -> str:
    catalog = current_services().catalog
    return read_link(catalog, current_app.config["SECRET_KEY"], token, catalog.now())


def _to_log_in() -> AnyResponse:
    flash(
        _(
            "This link is too old or has already been used. If you have just chosen a password, log in with it; "
            "otherwise get a new link."
        )
    )
    return redirect(url_for("entrance.login"), 303)


def _ask_form(fault: str = "", status: int = 200) -> Response:
    page = render_template(
        "accounts/ask.html",
        fault=fault,
        email=request.form.get("email", "")[:254],
        by_mail=bool(current_services().settings.smtp),
    )
    return make_response(page, status)


def _choose_form(token: str, address: str, fault: str = "", status: int = 200) -> Response:
    page = render_template("accounts/choose.html", token=token, address=address, fault=fault, shortest=SHORTEST)
    return make_response(page, status)
