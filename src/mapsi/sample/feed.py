"""The sample shop as a Google Merchant feed: RSS 2.0 with the ``g:`` namespace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from xml.sax.saxutils import escape

from mapsi.artifacts import atomic_file
from mapsi.sample.product import SampleProduct

NAMESPACE = "http://base.google.com/ns/1.0"
BRAND = "맵시 샘플"


def write_feed(path: Path, products: Iterable[SampleProduct]) -> None:
    """Write the feed whole or not at all."""
    items = "\n".join(_item(product) for product in products)
    with atomic_file(path) as beside:
        beside.write_text(f"{_HEAD}\n{items}\n</channel>\n</rss>\n", "utf-8")


_HEAD = f"""<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:g="{NAMESPACE}">
<channel>
<title>맵시 샘플 상점 / Mapsi sample shop</title>
<link>https://example.com/mapsi-sample</link>
<description>Drawn sample products; nothing here is for sale.</description>"""


def _item(product: SampleProduct) -> str:
    lines = [f"<{name}>{escape(value)}</{name}>" for name, value in _fields(product)]
    return "<item>\n" + "\n".join(lines) + "\n</item>"


def _fields(product: SampleProduct) -> Iterator[tuple[str, str]]:
    yield "g:id", product.id
    yield "title", product.title
    yield "description", product.description
    yield "link", product.link
    yield "g:image_link", product.image
    yield "g:price", f"{product.price} KRW"
    if product.sale_price is not None:
        yield "g:sale_price", f"{product.sale_price} KRW"
    yield "g:availability", "in_stock"
    yield "g:condition", "new"
    yield "g:brand", BRAND
    yield "g:product_type", product.product_type
    yield "g:color", product.color
    yield "g:gender", product.gender
    yield "g:age_group", "adult"
    if product.group:
        yield "g:item_group_id", product.group
    yield "g:custom_label_0", product.style
    yield "g:custom_label_1", product.garment
