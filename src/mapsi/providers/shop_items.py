"""An answer of ``shop.json`` -> offers; the same whether a server gave it just now or a file kept it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from mapsi.catalog.offer import Availability, BrokenRow, Offer
from mapsi.errors import FeedError
from mapsi.providers.arrivals.encoding import open_text
from mapsi.providers.provider import Provider, Terms
from mapsi.providers.rows.addresses import parse_link
from mapsi.providers.rows.bad_field import BadFieldError, shown
from mapsi.providers.rows.fields import audience_of_category
from mapsi.providers.rows.ids import each_once
from mapsi.providers.rows.rows import filled, merchant_offer, require

MAX_DOCUMENT = 16 << 20
"""Characters of one JSON document in a file; an answer of the service is about a tenth of a million."""

USED = "used"
_CATEGORIES = ("category1", "category2", "category3", "category4")
_REQUIRED = ("productId", "title", "link", "image", "lprice")
_KINDS: tuple[Availability | None, ...] = ("in_stock", None, "out_of_stock", "out_of_stock")

_ANY_TIME = datetime.min.replace(tzinfo=UTC)
"""An item names no date, so that it reads the same at any time."""

TERMS = Terms(
    hours=24,
    reason="The terms (7.3(3)) forbid keeping results: what a refresh brings is shown only until the next day's.",
    copies_pictures=False,
    display=frozenset({"nothing_between", "addresses_unaltered", "no_advertisements"}),
)


@dataclass(frozen=True, slots=True)
class Envelope:
    """One answer: how many items there are in all, and those that came, still raw."""

    total: int
    items: list[object]


def parse_envelope(text: str | bytes) -> Envelope:
    """Read an answer's JSON; raises :class:`FeedError` where it is none."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FeedError(
            "The answer is not JSON, or is cut off.", "Check the base address, or try again later."
        ) from error
    return _envelope_of(document)


def _envelope_of(document: object) -> Envelope:
    if not isinstance(document, dict) or not isinstance(document.get("items"), list):
        raise FeedError("The answer is not in the format shop.json: it has no items.", "Check the base address.")
    total = document.get("total", len(document["items"]))
    if isinstance(total, str) and total.isascii() and total.isdigit():
        total = int(total)
    if not isinstance(total, int) or total < 0:
        raise FeedError(
            "The answer is not in the format shop.json: its total is not a number.", "Check the base address."
        )
    return Envelope(total, document["items"])


def read_item(item: object, place: int, *, used: bool = False, about: str = "") -> Offer | BrokenRow | None:
    """An item as an offer, ``None`` where it is used goods and ``used`` does not ask for them.

    Ordinary products are in stock. Discontinued and coming ones are out of stock: they cannot be bought, so they are
    not shown, but their history continues. ``place``, from 1, stands for the line in a broken row, ``about`` before its
    reason.
    """
    if not isinstance(item, dict):
        return BrokenRow(place, f"{about}The item is not an object.")
    try:
        values = {str(name): _text_of(str(name), value) for name, value in item.items()}
        availability = _availability(values.get("productType", ""))
        if availability is None and not used:
            return None
        return _to_offer(values, availability or "in_stock")
    except BadFieldError as error:
        return BrokenRow(place, f"{about}{error}")


def _to_offer(raw: Mapping[str, str], availability: Availability) -> Offer:
    values = filled(raw)
    require(values, _REQUIRED)
    get = values.get
    category = " > ".join(name for name in (get(field, "").strip() for field in _CATEGORIES) if name)
    return merchant_offer(
        {
            "id": values["productId"],
            "title": values["title"],
            "link": _unaltered(raw["link"], "link"),
            "image_link": parse_link(values["image"], "image"),
            "price": values["lprice"],
            "availability": availability,
            "brand": get("brand", "").strip() or get("maker", ""),
            "product_type": category,
            "gender": audience_of_category(category) or "",
            "seller": get("mallName", ""),
        },
        base="",
        now=_ANY_TIME,
    )


def _unaltered(address: str, field: str) -> str:
    """The very address: the terms forbid to alter it, so that one which would need mending is not taken."""
    if parse_link(address, field) != address.strip():
        raise BadFieldError(f"The {field} {shown(address)} is not an address that can be used as it stands.")
    return address.strip()


def _availability(product_type: str) -> Availability | None:
    """What the twelve types mean: three each (price comparison, unmatched, matched) of ordinary, used, discontinued and
    coming products. ``None`` stands for used; an absent type is ordinary."""
    text = product_type.strip() or "1"
    if not (text.isascii() and text.isdigit() and len(text) < 3 and 1 <= int(text) <= 12):
        raise BadFieldError(f"The productType {shown(product_type)} is not one of 1 to 12.")
    return _KINDS[(int(text) - 1) // 3]


def _text_of(name: str, value: object) -> str:
    """A value as text: the service writes every one as a string, gateways also write numbers and null."""
    if value is None:
        return ""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        raise BadFieldError(f"The {name[:40]!r} is not text.")
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise BadFieldError(f"The {name[:40]!r} holds half a character.") from None
    return value


def read(file: Path, base: str = "", now: datetime | None = None) -> Iterator[Offer | BrokenRow]:
    """The offers of kept answers: one JSON document (an answer, or a list of them), or one answer per line. Each
    product counts once; used goods are left out. See :class:`mapsi.providers.provider.Read`; ``base`` is not used, for
    the addresses may not be altered, nor is ``now``, for items name no dates."""
    return each_once(_rows(file))


def _rows(file: Path) -> Iterator[Offer | BrokenRow]:
    place = 0
    with open_text(file) as text:
        for envelope in _envelopes(text):
            for item in envelope.items:
                place += 1
                row = read_item(item, place)
                if row is not None:
                    yield row
    if not place:
        raise FeedError("The answers have no items.", "Ask again with other words.")


def _envelopes(text: TextIO) -> Iterator[Envelope]:
    first = text.readline(MAX_DOCUMENT)
    while first and not first.strip():
        first = text.readline(MAX_DOCUMENT)
    try:
        document = json.loads(first)
    except (ValueError, RecursionError):
        document = _whole_document(first + text.read(MAX_DOCUMENT))
    yield from _in_document(document)
    for number, line in enumerate(iter(lambda: text.readline(MAX_DOCUMENT), ""), 2):
        if line.strip():
            yield _in_line(number, line)


def _whole_document(text: str) -> object:
    if len(text) >= MAX_DOCUMENT:
        raise FeedError(
            f"The file is one JSON document of more than {MAX_DOCUMENT:,} characters.", "Write one answer per line."
        )
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FeedError("The file is not JSON, or is cut off.", "Keep answers as they came, one per line.") from error


def _in_document(document: object) -> Iterator[Envelope]:
    for answer in document if isinstance(document, list) else [document]:
        yield _envelope_of(answer)


def _in_line(number: int, line: str) -> Envelope:
    try:
        return parse_envelope(line)
    except FeedError as error:
        raise FeedError(f"Line {number}: {error.message}", "Keep answers as they came, one per line.") from error


PROVIDER = Provider(
    "shop-json",
    "Naver Open API's shopping search, asked with the classes' words, or its answers kept in a file.",
    read,
    TERMS,
)
