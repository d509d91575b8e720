"""Kept searches, and the history of those who switched it on."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlencode, urlsplit

from flask import Blueprint, flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from mapsi.catalog.people.accounts import Account
from mapsi.errors import UsageError
from mapsi.web.request.languages import translate as _
from mapsi.web.request.times import view_time
from mapsi.web.state.services import current_services

account_searches = Blueprint("searches", __name__, url_prefix="/searches")
"""Part of the pages of one's own account, whose log-in it is behind."""

_PLACE = ("page", "from", "lang")
"""Parameters that say where in a list one is, not what is searched for."""


@account_searches.get("")
def listing() -> str:
    """What is kept, and the history."""
    services, owner = current_services(), _owner()
    searches, now = services.catalog.peoples_searches, services.catalog.now()
    return render_template(
        "accounts/searches.html",
        owner=owner,
        kept=searches.of(owner.id),
        history=[(one.words, view_time(one.at, now)) for one in searches.history(owner.id)],
    )


@account_searches.post("")
def keep() -> AnyResponse:
    """Keep the search of a list; sent twice, it is kept once."""
    query = urlencode(
        [pair for pair in parse_qsl(urlsplit(request.form.get("search", "")).query) if pair[0] not in _PLACE]
    )
    name = " ".join(request.form.get("name", "").split())[:200] or _("All products")
    try:
        current_services().catalog.peoples_searches.keep(_owner().id, name, query)
    except UsageError:
        flash(_("There is no room for this search. Remove one first, or save one with fewer filters."))
        return redirect(url_for("account.searches.listing"), 303)
    flash(_("The search has been saved in your account."))
    return redirect(f"{url_for('pages.words')}?{query}", 303)


@account_searches.post("/<int:search_id>/drop")
def drop(search_id: int) -> AnyResponse:
    """Take a search off the list."""
    current_services().catalog.peoples_searches.drop(_owner().id, search_id)
    return redirect(url_for("account.searches.listing"), 303)


@account_searches.post("/history")
def history() -> AnyResponse:
    """Switch the history on, or off, which empties it; or only empty it (``clear``)."""
    catalog, wanted = current_services().catalog, request.form.get("keep") == "1"
    if "clear" not in request.form:
        catalog.accounts.keep_history(_owner().id, wanted=wanted)
    if "clear" in request.form or not wanted:
        catalog.peoples_searches.forget(_owner().id)
        flash(_("Your history is empty."))
    return redirect(url_for("account.searches.listing"), 303)


def _owner() -> Account:
    owner: Account = g.owner
    return owner
