"""The JSON API, version 1; ``docs/api.md`` and ``/api/v1/openapi.json`` describe it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from flask import Blueprint, Response, jsonify, request

from mapsi.catalog.listings.priced import say
from mapsi.catalog.product import ProductPage
from mapsi.catalog.query import Query
from mapsi.catalog.records import Facets
from mapsi.documents import (
    Reader,
    Results,
    offers_document,
    photo_document,
    prices_document,
    similar_document,
    suggestions_document,
    words_document,
)
from mapsi.errors import CatalogError
from mapsi.infer.look import Garment
from mapsi.web.api.openapi import openapi_document
from mapsi.web.request.languages import language
from mapsi.web.request.parameters import (
    ParameterError,
    check_language,
    check_page,
    read_aside,
    read_box,
    read_flag,
    read_query,
    read_words,
)
from mapsi.web.request.security import keep_private
from mapsi.web.request.uploads import take_photo
from mapsi.web.state.services import current_services

SUGGESTIONS = 8
PER_GARMENT = 8
"""Products told of each garment in a photo; its ``box`` asks for more."""
SUGGESTION_SECONDS = 60
"""How long a browser may answer the same letters itself."""

api = Blueprint("api", __name__, url_prefix="/api/v1")


@api.post("/search/image")
def search_image() -> Response:
    """A photo's classes and garments, and one page of the products like it, or like the part in ``box``. Nothing of the
    photo is held after the answer."""
    services = current_services()
    query, box = _read_refined(), read_box(request.args)
    photo = take_photo(request, services.settings)
    garments: list[tuple[Garment, ProductPage]] = []
    if box is None:
        look = services.finder.look(photo)
        reading, count = look.whole, partial(services.finder.facets_by_look, look)
        if query.words:
            found = services.finder.by_look(look, query)
        else:
            found, each = services.finder.by_garment(look, query, PER_GARMENT)
            garments = list(zip(look.garments, each, strict=True))
    else:
        reading = services.finder.read_box(photo, box)
        found, count = services.finder.by_photo(reading, query), partial(services.finder.facets_by_photo, reading)
    results = _results(check_page(found), query, count)
    return keep_private(jsonify(photo_document(reading, results, _reader(), garments)))


@api.get("/search/words")
def search_words() -> Response:
    """One page of the products that words find."""
    services = current_services()
    typed, query = read_words(request.args), _read_query("q")
    if not typed:
        raise ParameterError("q", "There are no words to search for.", "Send them as the parameter q.")
    found = check_page(services.catalog.listings.search(query))
    services.notes.search(query, found)
    results = _results(found, query, services.catalog.listings.facets)
    return jsonify(words_document(typed, results, _reader()))


@api.get("/products/<int:product_id>/similar")
def similar(product_id: int) -> Response:
    """One page of the products like one of them."""
    services = current_services()
    query = _read_refined()
    product = services.finder.product(product_id)
    found = check_page(services.finder.similar(product_id, query))
    results = _results(found, query, partial(services.finder.facets_similar, product_id))
    return jsonify(similar_document(product, results, _reader()))


@api.get("/products/<int:product_id>/prices")
def prices(product_id: int) -> Response:
    """What a product has cost."""
    return jsonify(prices_document(product_id, current_services().finder.prices(product_id)))


@api.get("/products/<int:product_id>/offers")
def offers(product_id: int) -> Response:
    """What each shop that has a product asks for it."""
    services = current_services()
    check_language(request.args)
    found = services.finder.offers(product_id)
    return jsonify(offers_document(product_id, found, _reader()))


@api.get("/suggest")
def suggest() -> Response:
    """What somebody who is typing may be looking for."""
    services = current_services()
    typed = read_words(request.args)
    found = services.catalog.listings.suggest(typed, services.taxonomy, SUGGESTIONS)
    response = jsonify(suggestions_document(typed, found))
    response.headers["Cache-Control"] = f"private, max-age={SUGGESTION_SECONDS}"
    return response


@api.get("/openapi.json")
def openapi() -> Response:
    """The description of this API."""
    services = current_services()
    try:
        shops = [shop.slug for shop in services.catalog.listings.facets().shops]
    except CatalogError:
        shops = []  # the description itself needs no catalogue
    return jsonify(openapi_document(services.taxonomy, services.settings, shops))


def _read_query(words: str = "") -> Query:
    """What is asked for; ``words`` names the parameter with the words, where there is one."""
    services = current_services()
    check_language(request.args)
    query = read_query(
        request.args,
        taxonomy=services.taxonomy,
        shops=services.catalog.listings.shop_slugs,
        size=services.settings.page_size,
        size_is_free=True,
    )
    return say(query, read_words(request.args, words)) if words else query


def _read_refined() -> Query:
    """What is asked for of what is alike: words that shift it, products that were pushed aside."""
    return replace(_read_query("words"), less=read_aside(request.args))


def _results(page: ProductPage, query: Query, count: Callable[[Query], Facets]) -> Results:
    """The page with its facets, which are counted where the request asks for them."""
    return Results(page, query, count(query) if read_flag(request.args, "facets") else None)


def _reader() -> Reader:
    return Reader(taxonomy=current_services().taxonomy, language=language(), base_url=request.url_root.rstrip("/"))
