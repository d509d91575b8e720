"""Classes as walls of pictures: a wrong one is seen in a second, ticked, and put where it belongs for good."""

from __future__ import annotations

from dataclasses import dataclass

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from mapsi.catalog.filters import Filters
from mapsi.catalog.query import Query
from mapsi.errors import NotFoundError
from mapsi.web.lists.cards import PictureView, view_picture
from mapsi.web.request.languages import language
from mapsi.web.request.languages import translate as _
from mapsi.web.request.parameters import read_page_leniently
from mapsi.web.state.services import current_services

SIZE = 60
"""Pictures on one page of a wall."""

walls = Blueprint("walls", __name__, url_prefix="/classes")
"""Part of the operator's pages, whose log-in it is behind."""


@dataclass(frozen=True, slots=True)
class WallProduct:
    """A product on a wall."""

    id: int
    name: str
    picture: PictureView | None


@walls.get("/<axis>/<slug>")
def wall(axis: str, slug: str) -> str:
    """The products of a class."""
    services = current_services()
    name = _class_name(axis, slug)
    number = read_page_leniently(request.args)
    found = services.catalog.listings.search(Query(filters=Filters(classes={axis: (slug,)}), page=number, size=SIZE))
    return render_template(
        "operator/wall.html",
        axis=axis,
        slug=slug,
        name=name,
        page=found,
        products=[WallProduct(product.id, product.name, view_picture(product)) for product in found.products],
        others=[
            (one.slug, one.name.in_language(language()))
            for one in services.taxonomy.axes[axis].classes
            if one.slug != slug
        ],
    )


@walls.post("/<axis>/<slug>")
def correct(axis: str, slug: str) -> AnyResponse:
    """Put the ticked products into another class, or into none."""
    services = current_services()
    _class_name(axis, slug)
    ticked = [int(one) for one in request.form.getlist("product") if one.isascii() and one.isdigit() and len(one) < 18]
    count = services.catalog.corrections.correct(ticked, axis, request.form.get("to", ""), services.taxonomy)
    if count:
        flash(_("%(count)d offers have been corrected, for good.", count=count))
    else:
        flash(_("Nothing was ticked."))
    return redirect(url_for("operator.walls.wall", axis=axis, slug=slug, page=request.args.get("page")), 303)


def _class_name(axis: str, slug: str) -> str:
    found = current_services().taxonomy.axes.get(axis)
    if found is None or slug not in found.by_slug:
        raise NotFoundError("There is no such class.", "Go back to the overview.")
    return found.by_slug[slug].name.in_language(language())
