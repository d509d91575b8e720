"""The way to a shop, counted: by the number of a product only, so that it leads nowhere but where a feed says."""

from __future__ import annotations

from flask import Blueprint, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from mapsi.errors import NotFoundError
from mapsi.http_address import is_http
from mapsi.web.state.services import current_services

going = Blueprint("going", __name__)


@going.get("/go/<int:product_id>")
def go(product_id: int) -> AnyResponse:
    """Lead to the product's page in its shop. Who looks ahead (``HEAD``, a browser that fetches in advance) is not
    counted."""
    product = current_services().finder.product(product_id)
    if product.sample or not is_http(product.link):
        raise NotFoundError("This product has no page in a shop.", "Search for another one.")
    if request.method == "GET" and "prefetch" not in request.headers.get("Sec-Purpose", ""):
        current_services().notes.click(product)
    response = redirect(product.link, 302)
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response
