"""Sharing a list of products, the page that others see, and removing it."""

from __future__ import annotations

import re

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from mapsi.catalog.people.shares import MOST_PRODUCTS
from mapsi.web.lists.cards import view_card
from mapsi.web.request.languages import language
from mapsi.web.request.languages import translate as _
from mapsi.web.request.security import keep_private
from mapsi.web.request.sessions import visitor
from mapsi.web.sharing.owning import become_owner, owner, require_own_photo
from mapsi.web.state.services import current_services

sharing = Blueprint("sharing", __name__, template_folder="templates")
_NUMBER = re.compile(r"[0-9]{1,18}")


@sharing.post("/share")
def make() -> AnyResponse:
    """Share the products of a list (``products``: numbers between points), and the photo they were found by where its
    owner says so (``photo``)."""
    offers = [int(one) for one in request.form.get("products", "").split(".") if _NUMBER.fullmatch(one)]
    photo, token = None, request.form.get("photo", "")
    if token:
        require_own_photo(token)
        photo = current_services().answers.find(token).picture
    response = redirect("", 303)
    made = current_services().catalog.shares.make(become_owner(response), offers[:MOST_PRODUCTS], photo)
    response.location = url_for("sharing.show", token=made)
    return response


@sharing.get("/share/<token>")
def show(token: str) -> Response:
    """A shared list, with what is no longer on offer marked."""
    services, speech = current_services(), language()
    share = services.catalog.shares.find(token)
    found = services.catalog.saved.look_up(dict.fromkeys(share.offers, share.made_at))
    by_number = {one.product.id: one for one in found}
    cards = [
        (view_card(by_number[number].product, services.taxonomy, speech), by_number[number].shown)
        for number in share.offers
        if number in by_number
    ]
    account = visitor()
    page = render_template(
        "sharing/share.html",
        share=share,
        cards=cards,
        own=share.is_of(owner()),
        may_remove=share.is_of(owner()) or (account is not None and account.is_operator),
        address=url_for("sharing.show", token=token, _external=True),
    )
    return keep_private(make_response(page))


@sharing.get("/share/<token>/photo.jpg")
def photo(token: str) -> Response:
    """The photo of a shared list, where its owner added it."""
    return keep_private(Response(current_services().catalog.shares.photo(token), mimetype="image/jpeg"))


@sharing.post("/share/<token>/remove")
def remove(token: str) -> AnyResponse:
    """Remove a list: its owner may, or an operator."""
    account = visitor()
    current_services().catalog.shares.remove(token, None if account and account.is_operator else owner())
    flash(_("The shared list has been removed. Nobody can see it any more."))
    return redirect(url_for("sharing.mine"), 303)


@sharing.get("/shared")
def mine() -> Response:
    """What the visitor shares."""
    shares = current_services().catalog.shares.of(owner())
    return keep_private(make_response(render_template("sharing/mine.html", shares=shares)))
