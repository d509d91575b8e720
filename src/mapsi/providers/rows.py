"""Rows of named raw texts, from whatever format, -> offers and broken rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal

from mapsi.catalog.offer import BrokenRow, Offer
from mapsi.providers.fields import (
    BadFieldError,
    parse_audience,
    parse_availability,
    parse_image,
    parse_link,
    plain,
    shown,
)
from mapsi.providers.prices import parse_price

REQUIRED = ("id", "title", "link", "image_link", "price")
FIELDS = frozenset(
    {
        *REQUIRED,
        "sale_price",
        "availability",
        "description",
        "brand",
        "product_type",
        "google_product_category",
        "color",
        "item_group_id",
        "gender",
        "age_group",
        "gtin",
        "mpn",
    }
)
"""The fields that are read, by the Merchant feed's names; the others are left alone."""

MAX_ID = 50
MAX_TITLE = 150
MAX_DESCRIPTION = 5000
MAX_MPN = 70
MAX_WORDS = 255
"""Limits in characters: the Merchant feed's for the first four, the catalogue's own for every other text."""

Row = tuple[int, Mapping[str, str]]
"""The line, from 1, that a row begins at, and its raw texts by field; an absent field and an empty one are the same."""


ToOffer = Callable[[Mapping[str, str], str], Offer]
"""(raw texts by a format's own names, base address) -> offer; raises :class:`BadFieldError`."""


def read_rows(
    rows: Iterable[Row | BrokenRow], base: str = "", to_offer: ToOffer | None = None
) -> Iterator[Offer | BrokenRow]:
    """An offer for each row, or why there is none; what is broken already is passed on. Of rows with one id, the first whole one counts.

    ``to_offer`` reads a row whose fields have other names than the Merchant feed's. Ids are remembered as 64-bit hashes, so that a million of any length take less than 100 MB; the chance that two of a
    million are taken for one is one in thirty million.
    """
    seen: set[int] = set()
    read_row = to_offer or merchant_offer
    for item in rows:
        if isinstance(item, BrokenRow):
            yield item
            continue
        line, row = item
        try:
            offer = read_row(row, base)
        except BadFieldError as error:
            yield BrokenRow(line, str(error))
            continue
        mark = hash(offer.id)
        if mark in seen:
            yield BrokenRow(line, f"The id {shown(offer.id)} stands in the feed more than once; the first one counts.")
            continue
        seen.add(mark)
        yield offer


def merchant_offer(row: Mapping[str, str], base: str = "") -> Offer:
    """One row as an offer; raises :class:`BadFieldError` with a sentence on the first field that does not fit."""
    require(row, REQUIRED)
    get = row.get
    price, currency = read_price(row["price"], "price")
    if not price:
        raise BadFieldError("The price is zero.")
    return Offer(
        id=parse_id(row["id"]),
        title=_title_of(row["title"]),
        link=parse_link(row["link"], "link", base),
        image=parse_image(row["image_link"], base),
        price=price,
        currency=currency,
        sale_price=_sale_price_of(get("sale_price", ""), currency),
        availability=parse_availability(get("availability", "")),
        description=plain(get("description", ""), MAX_DESCRIPTION),
        brand=plain(get("brand", ""), MAX_WORDS),
        category=_category_of(get("product_type", ""), get("google_product_category", "")),
        color=plain(get("color", ""), MAX_WORDS),
        group=plain(get("item_group_id", ""), MAX_ID),
        audience=parse_audience(get("gender", ""), get("age_group", "")),
        seller=plain(get("seller", ""), MAX_WORDS),
        google_category=plain(get("google_product_category", ""), MAX_WORDS),
        gtin=plain(get("gtin", ""), MAX_ID),
        mpn=plain(get("mpn", ""), MAX_MPN),
    )


def require(row: Mapping[str, str], names: Iterable[str]) -> None:
    """Raise :class:`BadFieldError` for the first of ``names`` that holds nothing."""
    for name in names:
        if not row.get(name, "").strip():
            raise BadFieldError(f"The row has no {name}.")


def parse_id(text: str) -> str:
    """A shop's own number for an offer, white space made single."""
    name = " ".join(text.split())
    if len(name) > MAX_ID:
        raise BadFieldError(f"The id {shown(name)} is longer than {MAX_ID} characters.")
    if not name.isprintable():
        raise BadFieldError(f"The id {shown(name)} holds characters that cannot be printed.")
    return name


def _title_of(text: str) -> str:
    title = plain(text, MAX_TITLE)
    if not title:
        raise BadFieldError("The title holds nothing but markup.")
    return title


def read_price(text: str, field: str, currency: str | None = None) -> tuple[Decimal, str]:
    """A price and its currency, ``currency`` where it names none; raises :class:`BadFieldError`, naming ``field``."""
    try:
        return parse_price(text) if currency is None else parse_price(text, currency)
    except ValueError:
        raise BadFieldError(f"The {field} {shown(text)} is not a price.") from None


def _sale_price_of(text: str, currency: str) -> Decimal | None:
    """Empty and zero are shops' ways to say that there is none."""
    if not text.strip():
        return None
    price, its_currency = read_price(text, "sale_price", currency)
    if its_currency != currency:
        raise BadFieldError(f"The sale_price is in {its_currency}, the price in {currency}.")
    return price or None


def _category_of(own: str, google: str) -> str:
    """The shop's own path, or else Google's, unless that is but a number of its table."""
    return plain(own, MAX_WORDS) or ("" if google.strip().isdigit() else plain(google, MAX_WORDS))
