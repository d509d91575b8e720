"""The JSON API, version 1; ``docs/api.md`` and ``/api/v1/openapi.json`` describe it."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from mapsi.documents import photo_document, suggestions_document, words_document
from mapsi.web.languages import LANGUAGES, language
from mapsi.web.openapi import openapi_document
from mapsi.web.parameters import ListQuery, ParameterError, check_page, read_flag, read_query, read_words
from mapsi.web.security import keep_private
from mapsi.web.services import services
from mapsi.web.uploads import take_photo

SUGGESTIONS = 8
SUGGESTION_SECONDS = 60
"""How long a browser may answer the same letters itself."""

api = Blueprint("api", __name__, url_prefix="/api/v1")


@api.post("/search/image")
def search_image() -> Response:
    """A photo's classes, and one page of the products like it. Nothing of the photo is held after the answer."""
    house = services()
    query = _read_query()
    reading = house.finder.read(take_photo(request, house.settings))
    found = check_page(house.finder.by_photo(reading, query.filters, query.sort, query.page, query.size))
    document = photo_document(
        reading,
        found,
        house.taxonomy,
        sort=query.sort,
        language=language(),
        base_url=_base_url(),
        facets=house.finder.photo_facets(reading, query.filters) if _wants_facets() else None,
    )
    return keep_private(jsonify(document))


@api.get("/search/words")
def search_words() -> Response:
    """One page of the products that words find."""
    house = services()
    asked, query = read_words(request.args), _read_query()
    if not asked:
        raise ParameterError("q", "There are no words to search for.", "Send them as the parameter q.")
    found = check_page(
        house.finder.by_words(asked, query.filters, query.sort, query.page, query.size, exact=query.exact)
    )
    house.notes.search(asked, query, found)
    document = words_document(
        asked,
        found,
        house.taxonomy,
        sort=query.sort,
        language=language(),
        base_url=_base_url(),
        facets=house.finder.words_facets(asked, query.filters, exact=query.exact) if _wants_facets() else None,
    )
    return jsonify(document)


@api.get("/suggest")
def suggest() -> Response:
    """What somebody who is typing may be looking for."""
    house = services()
    typed = read_words(request.args)
    found = house.finder.suggest(typed, house.taxonomy, SUGGESTIONS)
    response = jsonify(suggestions_document(typed, found))
    response.headers["Cache-Control"] = f"private, max-age={SUGGESTION_SECONDS}"
    return response


@api.get("/openapi.json")
def openapi() -> Response:
    """The description of this API."""
    return jsonify(openapi_document(services().taxonomy, services().settings))


def _read_query() -> ListQuery:
    house = services()
    if request.args.get("lang", "ko") not in LANGUAGES:
        raise ParameterError("lang", "There is no such language here.", f"There are: {', '.join(LANGUAGES)}.")
    shops = [shop.slug for shop in house.finder.facets().shops]
    return read_query(
        request.args, taxonomy=house.taxonomy, shops=shops, size=house.settings.page_size, size_is_free=True
    )


def _wants_facets() -> bool:
    return read_flag(request.args, "facets")


def _base_url() -> str:
    return request.url_root.rstrip("/")
