"""The JSON answers as plain documents: pure functions, so that the API and the command line print the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from mapsi.catalog.product import JoinedOffer, Product, ProductPage
from mapsi.catalog.query import Query
from mapsi.catalog.records import Facets, PricePoint, Suggestion
from mapsi.http_address import is_http
from mapsi.infer.look import Garment, Look
from mapsi.infer.reading import AxisReading, Reading
from mapsi.taxonomy import Taxonomy
from mapsi.taxonomy.names import class_name

Document = dict[str, Any]

GUESSES = 3
_DIGITS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """Whom a document is for. Classes have their names by ``taxonomy``, keywords in ``language``; ``base_url`` is the
    address of the service without a slash at the end, and where it is empty, as on the command line, pictures are
    null."""

    taxonomy: Taxonomy
    language: str
    base_url: str = ""


@dataclass(frozen=True, slots=True)
class Results:
    """One page of products, the ``query`` it answers, and the ``facets`` it can be narrowed down to where they were
    asked for."""

    page: ProductPage
    query: Query
    facets: Facets | None = None


def photo_document(
    reading: Reading,
    results: Results,
    reader: Reader,
    garments: Sequence[tuple[Garment, ProductPage]] = (),
) -> Document:
    """The answer to a photo, and to each of its ``garments`` by itself. ``sure`` is false where no axis is known."""
    axes = {axis: axis_document(answer, reader.taxonomy) for axis, answer in reading.axes.items()}
    parts = [
        {
            **_garment_document(garment, reader.taxonomy),
            "products": [product_document(one, reader) for one in found.products],
            "total": found.total,
        }
        for garment, found in garments
    ]
    return {"axes": axes, "sure": reading.known, "garments": parts, **_results_document(results, reader)}


def words_document(query: str, results: Results, reader: Reader) -> Document:
    """The answer to words. ``searched_for`` differs from ``query`` where the words as typed find nothing or say a
    price; ``left_out`` are those that no product has together with the others; ``with_all_words`` counts the products
    that have all, which come first."""
    page = results.page
    named = {
        "query": query,
        "searched_for": page.instead or results.query.words or "",
        "left_out": page.left_out,
        "with_all_words": page.with_all_words,
    }
    return {**named, **_results_document(results, reader)}


def facets_document(facets: Facets) -> Document:
    """What an answer can be narrowed down to, with the number of products that each choice leaves. ``most`` is null, or
    the number at which counting ends."""
    return {
        "classes": {axis: _counts(counts) for axis, counts in facets.classes.items()},
        "shops": [{"slug": shop.slug, "name": shop.name, "count": shop.count} for shop in facets.shops],
        "audiences": _counts(facets.audiences),
        "colors": _counts(facets.colors),
        "prices": [
            {
                "min_price": None if price.low is None else _number(price.low),
                "max_price": None if price.high is None else _number(price.high),
                "count": price.count,
            }
            for price in facets.prices
        ],
        "most": facets.most,
    }


def _counts(counts: Iterable[tuple[str, int]]) -> list[Document]:
    return [{"slug": slug, "count": count} for slug, count in counts]


def similar_document(product: Product, results: Results, reader: Reader) -> Document:
    """Products like one."""
    return {"product": product_document(product, reader), **_results_document(results, reader)}


def prices_document(product_id: int, prices: Iterable[PricePoint]) -> Document:
    """What a product has cost, from when on, the oldest first."""
    told = [
        {"from": point.seen_at.isoformat(), "lowest_price": _number(point.lowest_price), "currency": point.currency}
        for point in prices
    ]
    return {"id": str(product_id), "prices": told}


def offers_document(product_id: int, offers: Iterable[Product], reader: Reader) -> Document:
    """What each shop that has a product asks for it, the lowest price first."""
    told = [product_document(one, reader) for one in offers]
    return {"id": str(product_id), "offers": told}


def joined_document(parts: Iterable[JoinedOffer]) -> Document:
    """One product of several shops, for its operator: each shop's part and what it shares with the others."""
    told = [
        {
            "id": str(part.product.id),
            "name": part.product.name,
            "shop": part.product.shop,
            "lowest_price": _number(part.product.lowest_price),
            "currency": part.product.currency,
            "shares": [each._asdict() for each in part.shares],
        }
        for part in parts
    ]
    return {"offers": told}


def suggestions_document(query: str, suggestions: Iterable[Suggestion]) -> Document:
    """What somebody who typed ``query`` so far may be looking for."""
    told = [{"text": one.text, "kind": one.kind, "count": one.count} for one in suggestions]
    return {"query": query, "suggestions": told}


def axis_document(answer: AxisReading, taxonomy: Taxonomy) -> Document:
    """What the model says on one axis: whether it would stand by it, and its first three guesses."""
    top = []
    for guess in answer.top[:GUESSES]:
        name = class_name(taxonomy, answer.axis, guess.slug)
        confidence = round(float(guess.confidence), _DIGITS)
        top.append({"slug": guess.slug, "name_ko": name.ko, "name_en": name.en, "confidence": confidence})
    return {"known": answer.known, "top": top}


def look_document(look: Look, taxonomy: Taxonomy) -> Document:
    """The garments in a photo, the most prominent first, each with its box in shares of the photo and what it is."""
    return {"garments": [_garment_document(garment, taxonomy) for garment in look.garments]}


def _garment_document(garment: Garment, taxonomy: Taxonomy) -> Document:
    return {
        "group": garment.group or None,
        "confidence": round(garment.confidence, _DIGITS),
        "box": [round(share, _DIGITS) for share in garment.box],
        "sure": garment.reading.known,
        "axes": {axis: axis_document(answer, taxonomy) for axis, answer in garment.reading.axes.items()},
    }


def error_document(code: str, message: str, hint: str) -> Document:
    """The one shape of every error."""
    return {"error": {"code": code, "message": message, "hint": hint}}


def product_document(product: Product, reader: Reader) -> Document:
    """One product. Its keyword is in the reader's language, as far as it has a name in it."""
    return {
        "id": str(product.id),
        "name": product.name,
        "keyword": product_keyword(product, reader.taxonomy, reader.language),
        "lowest_price": _number(product.lowest_price),
        "currency": product.currency,
        "shop": product.shop_name,
        "shops": product.shops,
        "link": product_link(product, reader.base_url),
        "image": product_image(product, reader.base_url),
        "similarity": None if product.similarity is None else round(product.similarity, _DIGITS),
    }


def product_keyword(product: Product, taxonomy: Taxonomy, language: str) -> str:
    """The class that the product is listed under: on the taxonomy's first axis that it has one on (the style, then the
    garment), else the last part of the shop's category, else nothing."""
    classes = dict(reversed(product.classes))
    for axis in taxonomy.listed:
        if axis in classes:
            return class_name(taxonomy, axis, classes[axis]).in_language(language)
    return product.category.rpartition(">")[2].strip()


def product_image(product: Product, base_url: str) -> str | None:
    """Where its picture is: our copy, or the shop's own where its terms allow no copy."""
    if product.picture and base_url:
        return f"{base_url}/pictures/{product.picture}.webp"
    return product.linked_picture if is_http(product.linked_picture) else None


def product_link(product: Product, base_url: str) -> str:
    """Where a click goes: the shop's page, or our own page about a sample. Anything but http(s) is left out."""
    if product.sample and base_url:
        return f"{base_url}/product/{product.id}"
    return product.link if is_http(product.link) else ""


def _results_document(results: Results, reader: Reader) -> Document:
    page, filters = results.page, results.query.filters
    return {
        "products": [product_document(one, reader) for one in page.products],
        "total": page.total,
        "page": page.number,
        "pages": page.pages,
        "size": page.size,
        "sort": results.query.sort,
        "min_price": None if filters.min_price is None else _number(filters.min_price),
        "max_price": None if filters.max_price is None else _number(filters.max_price),
        "facets": results.facets and facets_document(results.facets),
    }


def _number(price: Decimal) -> int | float:
    return int(price) if price == price.to_integral_value() else float(price)
