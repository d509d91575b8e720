"""The pages of one's own account."""

from __future__ import annotations

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from mapsi.catalog.people.accounts import Account
from mapsi.web.accounts.entrance import after
from mapsi.web.accounts.export import export_document
from mapsi.web.accounts.keys import password_fault
from mapsi.web.accounts.links import remove_account
from mapsi.web.accounts.passwords import SHORTEST, PasswordError, check_password, hash_password
from mapsi.web.accounts.searches import account_searches
from mapsi.web.request.languages import translate as _
from mapsi.web.request.onward import here
from mapsi.web.request.security import keep_private
from mapsi.web.request.sessions import enter, leave, present, token
from mapsi.web.state.attempts import Attempts
from mapsi.web.state.services import current_services

account_pages = Blueprint("account", __name__, url_prefix="/account", template_folder="templates")
account_pages.after_request(keep_private)  # no cache keeps what one person alone sees

account_pages.register_blueprint(account_searches)


@account_pages.before_request
def let_in_owners() -> AnyResponse | None:
    """Send everybody else to the log-in: also whoever removed the account in another window."""
    g.owner = present()
    if g.owner is not None:
        return None
    if request.endpoint == "account.delete":
        flash(_("You are no longer logged in here. If you have just deleted the account, it is gone."))
    elif request.endpoint == "account.change_password":
        flash(_("You are logged out here. If you have just changed the password, log in with the new one."))
    elif request.method == "POST":
        flash(_("You are logged out, so nothing was changed. Log in, then try again."))
    return redirect(url_for("entrance.login", next=here() if request.method == "GET" else None), 303)


@account_pages.get("")
def home() -> Response:
    """Everything that is one's own."""
    return _home()


@account_pages.post("/wishes")
def wishes() -> AnyResponse:
    """Whether prices that fell are told by mail."""
    current_services().catalog.accounts.want_mail(_owner().id, wanted=request.form.get("mail") == "1")
    return _done(_("Your choice has been saved."))


@account_pages.post("/password")
def change_password() -> AnyResponse:
    """Another password: everybody who is logged in with the old one is logged out, but for this browser. Sent twice,
    the second time finds it changed already."""
    new = request.form.get("new", "")
    if waiting := _attempts().begin(_owner().id):
        return _too_often("password", waiting)
    if not _is_right():
        if check_password(_owner().password_hash, new):
            return _done(_("Your password has been changed. Other browsers are logged out."))
        return _home({"password": _("The current password is wrong.")}, 403)
    try:
        password_hash = hash_password(new, _owner().email)
    except PasswordError as error:
        return _home({"new": password_fault(error)}, 400)
    enter(current_services().catalog.accounts.change_password(_owner().email, password_hash))
    return _done(_("Your password has been changed. Other browsers are logged out."))


@account_pages.post("/elsewhere")
def log_out_elsewhere() -> AnyResponse:
    """Log out all other browsers."""
    current_services().catalog.sessions.close_others(_owner().id, token())
    return _done(_("Other browsers are logged out."))


@account_pages.get("/export.json")
def export() -> Response:
    """All that is kept of the person, as a file."""
    response = jsonify(export_document(current_services().catalog, _owner()))
    response.headers["Content-Disposition"] = 'attachment; filename="mapsi-account.json"'
    return response


@account_pages.post("/delete")
def delete() -> AnyResponse:
    """Remove the account and all that is kept of its person, at once."""
    if waiting := _attempts().begin(_owner().id):
        return _too_often("delete", waiting)
    if not _is_right():
        return _home({"delete": _("The current password is wrong.")}, 403)
    remove_account(current_services().catalog, current_app.config["SECRET_KEY"], _owner())
    leave()
    flash(_("Your account has been deleted, with everything in it."))
    return redirect(url_for("pages.home"), 303)


def _owner() -> Account:
    owner: Account = g.owner
    return owner


def _is_right() -> bool:
    """Whether the current password was typed; who has the session may try it as often as at the log-in."""
    right = check_password(_owner().password_hash, request.form.get("password", ""))
    if right:
        _attempts().succeed(_owner().id)
    return right


def _attempts() -> Attempts:
    return current_services().attempts


def _too_often(field: str, waiting: float) -> Response:
    return after(waiting, _home({field: _("Too many attempts. Wait a minute, then try again.")}, 429))


def _done(sentence: str) -> AnyResponse:
    flash(sentence)
    return redirect(url_for("account.home"), 303)


def _home(faults: dict[str, str] | None = None, status: int = 200) -> Response:
    page = render_template(
        "accounts/home.html",
        owner=_owner(),
        faults=faults or {},
        by_mail=bool(current_services().settings.smtp),
        shortest=SHORTEST,
    )
    return make_response(page, status)
