"""Products that several shops have: what was joined and why, and a button for each part that does not belong."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from mapsi.catalog.product import Evidence, JoinedOffer
from mapsi.web.lists.cards import Card, view_card
from mapsi.web.request.languages import language
from mapsi.web.request.languages import translate as _
from mapsi.web.request.parameters import read_page_leniently
from mapsi.web.state.services import current_services

SIZE = 30
"""Products on one page."""

joins = Blueprint("joins", __name__, url_prefix="/joins")
"""Part of the operator's pages, whose log-in it is behind."""


@dataclass(frozen=True, slots=True)
class PartView:
    """One shop's part of a joined product, and what it shares with the others, in sentences."""

    card: Card
    shares: tuple[str, ...]


@joins.get("")
def joined() -> str:
    """The joined products, those joined last first, and those that a person parted."""
    services = current_services()
    catalog = services.catalog
    number = read_page_leniently(request.args)
    total = catalog.joins.count()
    return render_template(
        "operator/joins.html",
        products=[[_view(part) for part in parts] for parts in catalog.joins.page(number, SIZE)],
        parted=[
            view_card(product, services.taxonomy, language())
            for product in catalog.listings.products(catalog.joins.parted())
        ],
        total=total,
        number=number,
        pages=max(1, -(-total // SIZE)),
    )


@joins.post("/<int:product_id>/part")
def part(product_id: int) -> AnyResponse:
    """Let a product stand by itself."""
    current_services().catalog.joins.part(product_id)
    flash(_("It is shown by itself now, for good."))
    return _back()


@joins.post("/<int:product_id>/allow")
def allow(product_id: int) -> AnyResponse:
    """Let a product be joined again."""
    current_services().catalog.joins.allow(product_id)
    flash(_("It may be joined again."))
    return _back()


def _back() -> AnyResponse:
    return redirect(url_for("operator.joins.joined", page=request.args.get("page")), 303)


def _view(part: JoinedOffer) -> PartView:
    shares = tuple(_told(each) for each in part.shares)
    return PartView(view_card(part.product, current_services().taxonomy, language()), shares)


def _told(evidence: Evidence) -> str:
    match evidence.kind:
        case "gtin":
            return _("GTIN %(number)s", number=evidence.value.lstrip("0"))
        case "mpn":
            return _("brand and maker's number %(number)s", number=evidence.value)
        case "picture":
            return _("copies of one picture, brand %(brand)s", brand=evidence.brand)
