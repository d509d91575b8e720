"""Feeds as shops write them: the same rows in every format, and what is read of them."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

from mapsi.catalog.offer import BrokenRow, Offer
from mapsi.errors import FeedError
from mapsi.providers import read_offers

Row = Mapping[str, str]
SHIRT = {
    "id": "A1",
    "title": "린넨 셔츠",
    "description": "가볍고 시원합니다.",
    "link": "https://shop.example/p/1?a=1&b=2",
    "image_link": "https://img.example/1.jpg",
    "price": "29000 KRW",
}
SHIRT_OFFER = Offer(
    id="A1",
    title="린넨 셔츠",
    description="가볍고 시원합니다.",
    link="https://shop.example/p/1?a=1&b=2",
    image="https://img.example/1.jpg",
    price=Decimal(29000),
    currency="KRW",
)
DRESS = {
    "id": "B/2",
    "title": 'Dress "Été", 5 < 6',
    "description": "Line one\nline two; with, every\tdelimiter",
    "link": "https://shop.example/p/2",
    "image_link": "photos/2.png",
    "price": "12.50 USD",
    "sale_price": "9.99 USD",
    "availability": "out of stock",
    "brand": "H&M",
    "product_type": "Women > Dresses",
    "color": "red/white",
    "item_group_id": "G2",
    "gender": "female",
    "age_group": "adult",
    "google_product_category": "2271",
    "gtin": "8801234567893",
    "mpn": "GO12345",
}


def rss(rows: Iterable[Row], prefix: str = "g:") -> str:
    items = "".join(
        "<item>\n"
        + "".join(f"<{prefix}{name}>{escape(value)}</{prefix}{name}>\n" for name, value in row.items())
        + "</item>\n"
        for row in rows
    )
    return (
        '<?xml version="1.0"?>\n<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0">\n<channel><title>Shop</title>'
        f"<link>https://shop.example</link>\n{items}</channel></rss>\n"
    )


def atom(rows: Iterable[Row]) -> str:
    entries = ""
    for number, row in enumerate(rows):
        rest = "".join(
            f"<g:{name}>{escape(value)}</g:{name}>"
            for name, value in row.items()
            if name not in ("title", "link", "description")
        )
        entries += (
            f"<entry><id>tag:shop.example,2026:{number}</id><title>{escape(row['title'])}</title>"
            f'<link rel="self" href="https://shop.example/self"/><link href="{escape(row["link"])}"/>'
            f"<summary>{escape(row.get('description', ''))}</summary>{rest}</entry>\n"
        )
    return (
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0"><title>Shop</title>\n'
        f"<id>tag:shop.example,2026:feed</id>\n{entries}</feed>\n"
    )


def table(rows: Iterable[Row], delimiter: str = ",") -> str:
    rows = list(rows)
    names = list(dict.fromkeys(itertools.chain.from_iterable(rows)))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, restval="", delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


class Read:
    """Writes a feed to a file and reads it."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "feed"

    def file(self, feed: str | bytes) -> Path:
        self._file.write_bytes(feed if isinstance(feed, bytes) else feed.encode())
        return self._file

    def __call__(
        self, feed: str | bytes, format: str = "merchant", now: datetime | None = None
    ) -> list[Offer | BrokenRow]:
        return list(read_offers(format, self.file(feed), now=now))

    def until_error(self, feed: str | bytes, format: str = "merchant") -> tuple[list[Offer | BrokenRow], FeedError]:
        found = []
        try:
            for item in read_offers(format, self.file(feed)):
                found.append(item)  # noqa: PERF402 - what came before the error counts
        except FeedError as error:
            return found, error
        raise AssertionError("the feed was taken for whole")


def naver(rows: Iterable[Row]) -> str:
    """The same rows as Naver's table has them."""
    names = {"price": "price_pc", "item_group_id": "group_id", "product_type": "category_name1"}
    filled = [
        {"category_name1": "패션의류", "shipping": "0"} | {names.get(name, name): text for name, text in row.items()}
        for row in rows
    ]
    columns = list(dict.fromkeys(itertools.chain.from_iterable(filled)))
    lines = [columns, *([row.get(name, "") for name in columns] for row in filled)]
    return "".join("\t".join(line) + "\n" for line in lines)


def only_offer(found: list[Offer | BrokenRow]) -> Offer:
    (offer,) = found
    assert isinstance(offer, Offer), offer
    return offer


def only_reason(found: list[Offer | BrokenRow]) -> str:
    (row,) = found
    assert isinstance(row, BrokenRow), row
    return row.reason


WRITERS: dict[str, tuple[str, Callable[[Iterable[Row]], str]]] = {
    "rss": ("merchant", rss),
    "bare rss": ("merchant", lambda rows: rss(rows, prefix="")),
    "atom": ("merchant", atom),
    "tsv": ("merchant", lambda rows: table(rows, "\t")),
    "csv": ("csv", table),
    "semicolons": ("csv", lambda rows: table(rows, ";")),
    "tabs": ("csv", lambda rows: table(rows, "\t")),
}
"""Ways to write the Merchant feed's fields: the format that reads them, and the writer."""

every_writer = pytest.mark.parametrize(("format", "write"), WRITERS.values(), ids=WRITERS)

EVERYWHERE = {**WRITERS, "naver": ("naver-ep", naver)}
everywhere = pytest.mark.parametrize(("format", "write"), EVERYWHERE.values(), ids=EVERYWHERE)
