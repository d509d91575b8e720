"""The OpenAPI 3.1 description of the API, written by hand; a test holds real answers against it."""

from __future__ import annotations

from collections.abc import Sequence

from mapsi import __version__
from mapsi.catalog.filters import SORTS
from mapsi.catalog.query import LAST_PAGE
from mapsi.settings import LARGEST_ANSWER, Settings
from mapsi.taxonomy import Taxonomy
from mapsi.taxonomy.names import color_names
from mapsi.web.api.schemas import Document, list_of, schemas
from mapsi.web.request.languages import LANGUAGES
from mapsi.web.request.parameters import AUDIENCES, LONGEST_QUERY, MOST_ASIDE

_ERRORS = {
    "BadRequest": "A parameter or the form cannot be used.",
    "NotFound": "There is nothing at this address.",
    "TooLarge": "The photo is over the limit on bytes or on pixels.",
    "NotAPhoto": "The body is not a multipart form, or the file is not a photo.",
    "UnreadablePhoto": "The photo is empty, damaged or incomplete.",
    "TooManyRequests": "Too many searches in a short time; Retry-After says for how many seconds to wait.",
    "Unavailable": "The model or the catalogue cannot answer now.",
}

_KINDS = "image/jpeg, image/png, image/webp, image/avif, image/heic, image/gif, image/bmp, image/tiff"


def openapi_document(taxonomy: Taxonomy, settings: Settings, shops: Sequence[str]) -> Document:
    """The description of one installation: its axes, classes, shops (by slug) and limits are named in it."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "mapsi",
            "version": __version__,
            "summary": "From a photo of clothes to its style and the products that look like it.",
            "description": "Photos are held in memory only while they are being answered.",
        },
        "paths": {
            "/api/v1/search/image": {"post": _search_image(taxonomy, settings, shops)},
            "/api/v1/search/words": {"get": _search_words(taxonomy, settings, shops)},
            "/api/v1/products/{id}/similar": {"get": _similar(taxonomy, settings, shops)},
            "/api/v1/products/{id}/prices": {
                "get": _of_product("prices", "What it has cost", "The oldest first.", "Prices")
            },
            "/api/v1/products/{id}/offers": {
                "get": _of_product("offers", "What each shop asks", "The lowest price first.", "Offers", _spoken())
            },
            "/api/v1/suggest": {"get": _suggest()},
            "/api/v1/openapi.json": {"get": _openapi()},
            "/healthz": {"get": _health()},
        },
        "components": {"schemas": schemas(taxonomy), "responses": _error_responses()},
    }


def _search_image(taxonomy: Taxonomy, settings: Settings, shops: Sequence[str]) -> Document:
    # ``format`` is what OpenAPI 3.0 said, and what most programs that make clients still go by.
    photo = {
        "type": "string",
        "format": "binary",
        "contentMediaType": "image/*",
        "description": _photo_limits(settings),
    }
    form = {"type": "object", "required": ["photo"], "properties": {"photo": photo}}
    return {
        "operationId": "searchImage",
        "summary": "What a photo shows, and the products like it",
        "parameters": [_box(), *_refined(), *_list_parameters(taxonomy, settings, shops)],
        "requestBody": {
            "required": True,
            "content": {"multipart/form-data": {"schema": form, "encoding": {"photo": {"contentType": _KINDS}}}},
        },
        "responses": {
            "200": _answer("The classes of the photo and one page of products.", "ImageAnswer"),
            **_error_references(
                {
                    "400": "BadRequest",
                    "413": "TooLarge",
                    "415": "NotAPhoto",
                    "422": "UnreadablePhoto",
                    "429": "TooManyRequests",
                    "503": "Unavailable",
                }
            ),
        },
    }


def _photo_limits(settings: Settings) -> str:
    megabytes = settings.photo_bytes / 1024 / 1024
    return (
        f"One JPEG, PNG, WebP, AVIF, HEIC, GIF, BMP or TIFF of at most {megabytes:g} MB and "
        f"{settings.photo_megapixels} million pixels."
    )


def _search_words(taxonomy: Taxonomy, settings: Settings, shops: Sequence[str]) -> Document:
    words = _parameter(
        "q",
        "Words to search for, Korean or English.",
        {"type": "string", "minLength": 1, "maxLength": LONGEST_QUERY},
        required=True,
    )
    exact = _parameter("exact", "With 1, words that find nothing are not mended.", _flag())
    return {
        "operationId": "searchWords",
        "summary": "Products by words",
        "parameters": [words, exact, *_list_parameters(taxonomy, settings, shops)],
        "responses": {
            "200": _answer("One page of products.", "WordsAnswer"),
            **_error_references({"400": "BadRequest", "429": "TooManyRequests", "503": "Unavailable"}),
        },
    }


def _box() -> Document:
    share = r"(0|1|0\.[0-9]{1,6}|1\.0{1,6})"
    told = (
        "The part of the photo to search for, as x,y,width,height in fractions of its sides; without it, the "
        "whole look."
    )
    return _parameter("box", told, {"type": "string", "pattern": f"^{share}(,{share}){{3}}$"})


def _refined() -> list[Document]:
    said = (
        "Words said with the photo: another kind, colour or audience (black, 원피스로), or words to be found (linen)."
    )
    less = "A product by its id that was pushed aside: it is left out, and what is like it comes later. Repeat it."
    ids = list_of({"type": "string", "pattern": r"^[0-9]{1,18}$"}) | {"maxItems": MOST_ASIDE}
    return [_parameter("words", said, {"type": "string", "maxLength": LONGEST_QUERY}), _parameter("less", less, ids)]


def _product_id() -> Document:
    number = {"type": "integer", "minimum": 1, "maximum": 2**31 - 1}
    return {"name": "id", "in": "path", "required": True, "description": "A product's id.", "schema": number}


def _similar(taxonomy: Taxonomy, settings: Settings, shops: Sequence[str]) -> Document:
    errors = {"400": "BadRequest", "404": "NotFound", "429": "TooManyRequests", "503": "Unavailable"}
    return {
        "operationId": "similar",
        "summary": "Products like one of them",
        "parameters": [_product_id(), *_refined(), *_list_parameters(taxonomy, settings, shops)],
        "responses": {"200": _answer("One page of products.", "SimilarAnswer"), **_error_references(errors)},
    }


def _of_product(operation: str, summary: str, answer: str, schema: str, *more: Document) -> Document:
    errors = {"400": "BadRequest", "404": "NotFound", "429": "TooManyRequests", "503": "Unavailable"}
    return {
        "operationId": operation,
        "summary": summary,
        "parameters": [_product_id(), *more],
        "responses": {"200": _answer(answer, schema), **_error_references(errors)},
    }


def _suggest() -> Document:
    typed = {"type": "string", "maxLength": LONGEST_QUERY}
    return {
        "operationId": "suggest",
        "summary": "What somebody who is typing may be looking for",
        "parameters": [_parameter("q", "What was typed so far; initial consonants (ㄱㄷㄱ) will do.", typed)],
        "responses": {
            "200": _answer("Classes, brands and words that begin so, the most frequent first.", "Suggestions"),
            **_error_references({"400": "BadRequest", "429": "TooManyRequests", "503": "Unavailable"}),
        },
    }


def _openapi() -> Document:
    schema = {"type": "object", "required": ["openapi", "info", "paths"]}
    return {
        "operationId": "describe",
        "summary": "This description",
        "responses": {
            "200": {"description": "An OpenAPI document.", "content": {"application/json": {"schema": schema}}}
        },
    }


def _health() -> Document:
    return {
        "operationId": "health",
        "summary": "Whether the service can answer",
        "responses": {
            "200": _answer("The model and the catalogue answer.", "Health"),
            "503": _answer("One of them does not.", "Unhealthy"),
        },
    }


def _list_parameters(taxonomy: Taxonomy, settings: Settings, shops: Sequence[str]) -> list[Document]:
    classes = [f"{axis.slug}:{slug}" for axis in taxonomy.listed.values() for slug in axis.by_slug]
    price = {"type": "string", "pattern": r"^[0-9]{1,12}(\.[0-9]{1,4})?$"}
    size = {"type": "integer", "minimum": 1, "maximum": LARGEST_ANSWER, "default": settings.page_size}
    shop: Document = {"enum": [*shops]} if shops else {"type": "string"}
    return [
        _parameter("page", "Which page; pages count from 1.", _number_schema(LAST_PAGE)),
        _parameter("size", "How many products a page has.", size),
        _parameter("sort", "The order of the products.", {"enum": list(SORTS), "default": "likeness"}),
        _parameter("min_price", "Lowest price, inclusive.", price),
        _parameter("max_price", "Highest price, inclusive.", price),
        _parameter("shop", "A shop by its slug; repeat it for several.", list_of(shop)),
        _parameter("class", "A class as axis:slug; repeat it for several.", list_of({"enum": classes})),
        _parameter("audience", "For whom; women and men include unisex.", list_of({"enum": list(AUDIENCES)})),
        _parameter("color", "A colour family; repeat it for several.", list_of({"enum": list(color_names())})),
        _parameter("facets", "With 1, the answer counts what it can be narrowed down to.", _flag()),
        _spoken(),
    ]


def _spoken() -> Document:
    return _parameter("lang", "The language of keywords.", {"enum": list(LANGUAGES)})


def _parameter(name: str, description: str, schema: Document, *, required: bool = False) -> Document:
    told = {"name": name, "in": "query", "required": required, "description": description, "schema": schema}
    if required or schema.get("type") == "array":
        return told
    # What is empty counts as absent: forms send every field they have. A list that is empty is not sent anyway.
    return {**told, "allowEmptyValue": True}


def _flag() -> Document:
    return {"enum": ["0", "1"], "default": "0"}


def _number_schema(highest: int) -> Document:
    return {"type": "integer", "minimum": 1, "maximum": highest, "default": 1}


def _answer(description: str, schema: str) -> Document:
    reference = {"$ref": f"#/components/schemas/{schema}"}
    return {"description": description, "content": {"application/json": {"schema": reference}}}


def _error_references(answers: dict[str, str]) -> Document:
    return {status: {"$ref": f"#/components/responses/{name}"} for status, name in answers.items()}


def _error_responses() -> Document:
    return {name: _answer(description, "Error") for name, description in _ERRORS.items()}
