"""The pages that a shopper sees."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import replace
from functools import partial

from flask import (
    Blueprint,
    Response,
    current_app,
    jsonify,
    make_response,
    render_template,
    request,
    send_file,
)
from werkzeug.wrappers import Response as AnyResponse

from mapsi.catalog.listings.priced import say
from mapsi.catalog.product import ProductPage
from mapsi.catalog.query import Query
from mapsi.catalog.records import Facets
from mapsi.documents import error_document
from mapsi.errors import IndexUnavailableError, MapsiError, NotFoundError, UsageError
from mapsi.pictures.store import FULL
from mapsi.web.lists.cards import view_card
from mapsi.web.lists.lists import explain_words, gather, listing, read_asked, read_refined
from mapsi.web.lists.view import ListRequest
from mapsi.web.pages.photos import EXAMPLES
from mapsi.web.request.faults import from_mapsi
from mapsi.web.request.languages import language
from mapsi.web.request.parameters import ParameterError, read_words
from mapsi.web.request.security import keep_private
from mapsi.web.request.sessions import visitor
from mapsi.web.state.services import current_services

pages = Blueprint("pages", __name__)
_COPY = re.compile(r"([0-9a-f]{64})(?:-([0-9]{3}))?")


@pages.get("/")
def home() -> str:
    """The three steps, and a shelf of products; without one where the index of words does not answer."""
    services, shelf = current_services(), None
    with suppress(IndexUnavailableError):
        found, facets = services.shelf.page(), services.catalog.listings.facets()
        shelf = listing("pages.words", {}, ListRequest(Query()), found, facets)
    return render_template("home.html", shelf=shelf, examples=EXAMPLES)


@pages.get("/search")
def words() -> Response:
    """Products by words; without words all products, to browse by filters."""
    asked = read_asked()
    try:
        asked = replace(asked, query=say(asked.query, read_words(request.args)))
        found, facets = _find(asked)
    except UsageError as error:
        if isinstance(error, ParameterError) and error.parameter != "q":
            raise
        asked = replace(asked, faults={**asked.faults, "q": explain_words(error)})
        found, facets = replace(asked.query, page=1).nothing, current_services().catalog.listings.facets()
    shown = listing("pages.words", {}, asked, found, facets)
    return make_response(render_template("search.html", listing=shown), 400 if asked.faults else 200)


def _find(asked: ListRequest) -> tuple[ProductPage, Facets]:
    query, listings, notes = asked.query, current_services().catalog.listings, current_services().notes
    found = gather(listings.search, asked)
    if query.words:
        notes.search(query, found)
        account = visitor()
        if account is not None and account.keeps_history:
            notes.history(account.id, query)
    if not found.total and not query.filters.narrows:
        return found, listings.facets()  # where to go from a list without products
    return found, listings.facets(query)


@pages.get("/product/<int:product_id>")
def product(product_id: int) -> str:
    """One product: what each shop that has it asks for it, the lowest price first, or that it is a sample."""
    services = current_services()
    offers = services.finder.offers(product_id)
    shown = next((one for one in offers if one.id == product_id), offers[0])
    return render_template(
        "product.html",
        product=shown,
        card=view_card(shown, services.taxonomy, language()),
        offers=[view_card(one, services.taxonomy, language()) for one in offers],
    )


@pages.get("/product/<int:product_id>/similar")
def similar(product_id: int) -> Response:
    """Products like one of the catalogue's."""
    services = current_services()
    product = services.finder.product(product_id)
    asked = read_refined()
    found, facets = (
        gather(partial(services.finder.similar, product_id), asked),
        services.finder.facets_similar(product_id, asked.query),
    )
    shown = listing("pages.similar", {"product_id": product_id}, asked, found, facets)
    card = view_card(product, services.taxonomy, language())
    return make_response(render_template("similar.html", card=card, listing=shown), 400 if asked.faults else 200)


@pages.get("/pictures/<digest>.webp")
def picture(digest: str) -> Response:
    """Our copy of a product picture, ``DIGEST`` or a smaller one, ``DIGEST-SIDE``: its name is its content, so that a
    browser keeps it for good. Where that size is not made yet, the full one stands in for an hour."""
    asked, store = _COPY.fullmatch(digest), current_services().finder.pictures
    exact = store.path(asked[1], int(asked[2] or FULL)) if asked else None
    path = exact or (store.path(asked[1], FULL) if asked else None)
    if path is None:
        raise NotFoundError("There is no such picture.", "Search for the product again.")
    response = send_file(path, mimetype="image/webp", conditional=True, etag=path.stem)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if exact else "public, max-age=3600"
    return response


@pages.get("/about")
def about() -> str:
    """What happens with a photo, and what the model can and cannot do."""
    return render_template("about.html", settings=current_services().settings, taxonomy=current_services().taxonomy)


@pages.get("/healthz")
def health() -> AnyResponse:
    """200 where the catalogue answers, else 503; ``incomplete`` where photos or words find nothing, or not all, for
    lack of an index."""
    try:
        status = current_services().finder.status()
    except MapsiError as error:
        fault = from_mapsi(error)
        body = {"status": "unavailable", **error_document(fault.code, fault.message, fault.hint)}
        return keep_private(make_response(jsonify(body), 503))
    whole = status["index"] == "ok" and status["words"] != "unreachable"
    return keep_private(jsonify(status="ok" if whole else "incomplete", **status))


@pages.get("/robots.txt")
def robots() -> Response:
    """Search engines may list the front page and the products' shelf, not searches and photos."""
    lines = (
        "User-agent: *",
        "Disallow: /photo/",
        "Disallow: /search",
        "Disallow: /api/",
        "Disallow: /go/",
        "Disallow: /share/",
        "",
    )
    return Response("\n".join(lines), mimetype="text/plain")


@pages.get("/favicon.ico")
def favicon() -> Response:
    """The icon, for browsers that ask without looking at the page."""
    return current_app.send_static_file("favicon.svg")
