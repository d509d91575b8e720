"""The answers of the API as JSON schemas: what each document has, and nothing else."""

from __future__ import annotations

from typing import Any

from mapsi.catalog.filters import SORTS
from mapsi.taxonomy import Taxonomy

Document = dict[str, Any]


def schemas(taxonomy: Taxonomy) -> Document:
    """Every schema that the description refers to, by name."""
    text, count = {"type": "string"}, {"type": "integer", "minimum": 0}
    price = {"type": ["number", "null"], "minimum": 0}
    page = {
        "products": list_of({"$ref": "#/components/schemas/Product"}),
        "total": {**count, "description": "Products over all pages."},
        "page": {"type": "integer", "minimum": 1},
        "pages": {"type": "integer", "minimum": 1},
        "size": {"type": "integer", "minimum": 1},
        "sort": {"enum": list(SORTS)},
        "min_price": {**price, "description": "The lowest price let through, by the parameter or by the words."},
        "max_price": {**price, "description": "The highest price let through, by the parameter or by the words."},
        "facets": {"oneOf": [{"$ref": "#/components/schemas/Facets"}, {"type": "null"}]},
    }
    error = _exactly({"code": text, "message": text, "hint": text})
    axes = {"type": "object", "additionalProperties": {"$ref": "#/components/schemas/Axis"}}
    return {
        "Product": _product_schema(),
        "Axis": _axis_schema(),
        "ImageAnswer": _exactly(
            {
                "axes": {**axes, "description": f"One entry per axis of the model: {', '.join(taxonomy.axes)}."},
                "sure": {"type": "boolean", "description": "Whether any axis is known."},
                "garments": {
                    **list_of({"$ref": "#/components/schemas/Garment"}),
                    "description": "What is worn or shown, the most prominent first, each with its own products.",
                },
                **page,
            }
        ),
        "Garment": _garment_schema(axes),
        "SimilarAnswer": _exactly({"product": {"$ref": "#/components/schemas/Product"}, **page}),
        "Prices": _exactly({"id": text, "prices": list_of(_price_schema())}),
        "Offers": _exactly({"id": text, "offers": list_of({"$ref": "#/components/schemas/Product"})}),
        "WordsAnswer": _exactly(
            {
                "query": text,
                "searched_for": {
                    **text,
                    "description": "Other words where those of the query find nothing; without the prices in them.",
                },
                "left_out": {**text, "description": "Words that no product has together with the others, or none."},
                "with_all_words": {
                    "type": "integer",
                    "description": "Products that have all words: they come first, the nearest to them follow.",
                },
                **page,
            }
        ),
        "Facets": _facets_schema(),
        "Suggestions": _exactly({"query": text, "suggestions": list_of(_suggestion_schema())}),
        "Error": _exactly({"error": error}),
        "Health": _exactly(
            {
                "status": {"enum": ["ok", "incomplete"]},
                "model": text,
                "offers": count,
                "indexed": count,
                "index": {"enum": ["ok", "missing", "damaged", "unreachable", "modelless"]},
                "words": {"enum": ["ok", "in_memory", "unreachable"]},
            }
        ),
        "Unhealthy": _exactly({"status": {"const": "unavailable"}, "error": error}),
    }


def list_of(items: Document) -> Document:
    """A JSON list of such items."""
    return {"type": "array", "items": items}


def _exactly(properties: Document) -> Document:
    """An object with these properties, all of them and no other."""
    return {
        "type": "object",
        "required": list(properties),
        "additionalProperties": False,
        "properties": properties,
    }


def _garment_schema(axes: Document) -> Document:
    share = {"type": "number", "minimum": 0, "maximum": 1}
    return _exactly(
        {
            "group": {
                "type": ["string", "null"],
                "description": "Its place on a person, null where the model has no map.",
            },
            "confidence": share,
            "box": {"type": "array", "minItems": 4, "maxItems": 4, "items": share},
            "sure": {"type": "boolean"},
            "axes": axes,
            "products": list_of({"$ref": "#/components/schemas/Product"}),
            "total": {"type": "integer", "minimum": 0},
        }
    )


def _price_schema() -> Document:
    return _exactly(
        {
            "from": {"type": "string", "format": "date-time"},
            "lowest_price": {"type": "number", "minimum": 0},
            "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
        }
    )


def _facets_schema() -> Document:
    count = {"type": "integer", "minimum": 0}
    counts = list_of(_exactly({"slug": {"type": "string"}, "count": count}))
    price = {"type": ["number", "null"], "minimum": 0}
    shop = _exactly({"slug": {"type": "string"}, "name": {"type": "string"}, "count": count})
    most = "Counting ends here: such a count means so many or more. Null where all are counted."
    return _exactly(
        {
            "classes": {"type": "object", "additionalProperties": counts},
            "shops": list_of(shop),
            "audiences": counts,
            "colors": counts,
            "prices": list_of(_exactly({"min_price": price, "max_price": price, "count": count})),
            "most": {"type": ["integer", "null"], "description": most},
        }
    )


def _suggestion_schema() -> Document:
    return _exactly(
        {
            "text": {"type": "string"},
            "kind": {"enum": ["class", "brand", "word"]},
            "count": {"type": "integer", "minimum": 1, "description": "Products that a search for it finds."},
        }
    )


def _product_schema() -> Document:
    address = {"type": "string", "pattern": "^(https?://.+)?$"}
    return _exactly(
        {
            "id": {"type": "string"},
            "name": {"type": "string"},
            "keyword": {"type": "string", "description": "The class it is listed under, in the answer's language."},
            "lowest_price": {"type": "number", "minimum": 0},
            "currency": {"type": "string", "pattern": "^[A-Z]{3}$"},
            "shop": {"type": "string"},
            "shops": {"type": "integer", "minimum": 1, "description": "Shops that have it; the offer is one's."},
            "link": {**address, "description": "The product's page in its shop."},
            "image": {"type": ["string", "null"], "description": "Its picture: our copy, a WebP file, or at its shop."},
            "similarity": {
                "type": ["number", "null"],
                "minimum": 0,
                "maximum": 1,
                "description": "The score, the probability that it is what was looked for; null where no photo "
                "was given.",
            },
        }
    )


def _axis_schema() -> Document:
    guess = _exactly(
        {
            "slug": {"type": "string"},
            "name_ko": {"type": "string"},
            "name_en": {"type": "string"},
            "confidence": {"type": "number", "minimum": 0, "maximum": 1},
        }
    )
    return _exactly(
        {
            "known": {"type": "boolean", "description": "False where the first guess is only a guess."},
            "top": {"type": "array", "minItems": 1, "maxItems": 3, "items": guess},
        }
    )
