"""The page of saved products, and the form that is on every card."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from mapsi.catalog.people.saved import SavedProduct
from mapsi.web.lists.cards import Card, view_card
from mapsi.web.request.languages import format_price, language
from mapsi.web.request.languages import translate as _
from mapsi.web.request.onward import next_page
from mapsi.web.saved.keeping import TooManySavedError, save, saved, unsave
from mapsi.web.state.services import current_services

saved_pages = Blueprint("saved", __name__, template_folder="templates")


@dataclass(frozen=True, slots=True)
class SavedCard:
    """A saved product as a card; ``drop`` says how much cheaper it has become, and by how many percent."""

    card: Card
    shown: bool
    drop: str
    percent: int


@saved_pages.get("/saved")
def listing() -> str:
    """What the person saved, with what became cheaper."""
    found = current_services().catalog.saved.look_up(saved())
    return render_template("saved/saved.html", cards=[_view(one) for one in found])


@saved_pages.post("/saved/<int:product_id>")
def keep(product_id: int) -> AnyResponse:
    """Save a product (``keep=1``) or take it off the list; sending the form twice is sending it once."""
    onward = next_page() or url_for("saved.listing")
    response = redirect(f"{onward.partition('#')[0]}#p{product_id}", 303)
    if request.form.get("keep") != "1":
        unsave(response, product_id)
        return response
    try:
        save(response, product_id)
    except TooManySavedError:
        flash(_("There is room for %(count)d saved products. Remove one first.", count=len(saved())))
        return redirect(url_for("saved.listing"), 303)
    return response


def _view(one: SavedProduct) -> SavedCard:
    product = one.product
    share = one.drop / one.price_then if one.price_then else Decimal(0)
    return SavedCard(
        card=view_card(product, current_services().taxonomy, language()),
        shown=one.shown,
        drop=format_price(one.drop, product.currency, language()) if one.drop else "",
        percent=int(share * 100),
    )
