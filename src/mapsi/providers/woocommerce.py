"""WooCommerce's export of products: a CSV with a row per product, and one per variation that names its parent.

Source of the columns: WooCommerce's own schema of the product CSV, in English. A variation may come long after its
parent, so what it takes from there is read first.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from mapsi.catalog.offer import BrokenRow, Offer
from mapsi.providers.arrivals.encoding import open_text
from mapsi.providers.exports import Export, ShopFacts, color_of
from mapsi.providers.rows.bad_field import BadFieldError, NotOfferedError, shown
from mapsi.providers.rows.rows import filled, merchant_offer, read_rows
from mapsi.providers.table import TableColumns, read_table

_ATTRIBUTES = range(1, 6)
FROM_THE_PARENT = ("description", "short_description", "categories", "images", "brands", "brand")
"""What a variation has of its parent where it says nothing itself."""

COLUMNS = TableColumns(
    known=(
        *("id", "type", "sku", "gtin,_upc,_ean,_or_isbn", "name", "published", "visibility_in_catalog", "parent"),
        *("date_sale_price_starts", "date_sale_price_ends", "in_stock?", "sale_price", "regular_price"),
        *FROM_THE_PARENT,
        *(f"attribute_{number}_{part}" for number in _ATTRIBUTES for part in ("name", "value")),
    ),
    required=("id", "type", "name", "published", "regular_price", "images"),
    hint="Export the products from WooCommerce with all columns, its administration set to English.",
)

_ESCAPED = re.compile(r"'(?=[=+\-@])")
_LINE_END = re.compile(r"\\n")
_BETWEEN = re.compile(r"(?<!\\),\s*")
_NOT_SHOWN = frozenset({"0", "-1", "2"})
"""Private, a draft, waiting for a review."""


@dataclass(frozen=True, slots=True)
class _Parent:
    id: str
    hidden: str
    fields: Mapping[str, str]


def read(file: Path, shop: ShopFacts, now: datetime | None = None) -> Iterator[Offer | BrokenRow]:
    """An offer for each product and each variation, those of one parent in one group; see
    :data:`mapsi.providers.exports.ReadExport`. What variations take from their parents is held in memory."""
    parents = _parents(file)
    with open_text(file) as text:
        rows = (item for item in read_table(text, COLUMNS) if isinstance(item, BrokenRow) or not _is_parent(item[1]))
        yield from read_rows(rows, shop.site, now, partial(_offer, shop, parents))


def _kinds(row: Mapping[str, str]) -> set[str]:
    """``variation, downloadable`` is both, and so is ``variable-subscription``."""
    return {kind.strip().casefold() for kind in re.split("[,-]|_", row["type"])}


def _is_parent(row: Mapping[str, str]) -> bool:
    """A product of several variations, which are what is offered of it."""
    return "variable" in _kinds(row)


def _parents(file: Path) -> dict[str, _Parent]:
    """Products of several variations, by their SKU and by ``id:7``."""
    found: dict[str, _Parent] = {}
    with open_text(file) as text:
        for item in read_table(text, COLUMNS):
            if isinstance(item, BrokenRow) or not _is_parent(item[1]):
                continue
            row = _tidied(item[1])
            fields = {name: row[name] for name in FROM_THE_PARENT if name in row}
            parent = _Parent(row.get("id", "").strip(), _why_hidden(item[1]), fields)
            found[f"id:{parent.id}"] = parent
            if sku := row.get("sku", "").strip():
                found[sku] = parent
    return found


def _tidied(raw: Mapping[str, str]) -> dict[str, str]:
    """Without what the export adds for spreadsheets (``'=``), and line ends as such again."""
    return filled({name: _LINE_END.sub("\n", _ESCAPED.sub("", text, count=1)) for name, text in raw.items()})


def _why_hidden(row: Mapping[str, str]) -> str:
    """Why visitors of the shop do not see a product, empty where they do."""
    published = row.get("published", "").strip()
    if published in _NOT_SHOWN:
        return f"Published {published}"
    if row.get("visibility_in_catalog", "").strip().casefold() == "hidden":
        return "Visibility in catalog hidden"
    return ""


def _offer(shop: ShopFacts, parents: Mapping[str, _Parent], raw: Mapping[str, str], base: str, now: datetime) -> Offer:
    row = _tidied(raw)
    kinds, page, group = _kinds(raw), row.get("id", "").strip(), ""
    hidden = _why_hidden(raw)
    if "variation" in kinds:
        named = row.get("parent", "").strip()
        if named not in parents:
            raise BadFieldError(f"The variation's parent {shown(named)} is not in the export.")
        parent = parents[named]
        row, hidden, page, group = {**parent.fields, **row}, hidden or parent.hidden, parent.id, parent.id
    if hidden:
        raise NotOfferedError(f"The product is not shown in its shop: {hidden}.")
    if "grouped" in kinds:
        raise NotOfferedError("The product is a group of others, which have rows of their own.")
    return merchant_offer(_fields(shop, row, page, group) | {"availability": raw.get("in_stock?", "")}, base, now)


def _fields(shop: ShopFacts, row: Mapping[str, str], page: str, group: str) -> dict[str, str]:
    """A row by the names of a Merchant feed."""
    get = row.get
    attributes = {get(f"attribute_{n}_name", ""): get(f"attribute_{n}_value", "") for n in _ATTRIBUTES}
    starts, ends = get("date_sale_price_starts", ""), get("date_sale_price_ends", "")
    return {
        "id": get("id", ""),
        "title": get("name", ""),
        "description": get("description", "") or get("short_description", ""),
        "link": shop.address(f"?p={page}") if page else "",  # how WordPress itself shortens the address of a product
        "image_link": get("images", ""),
        "price": get("regular_price", ""),
        "sale_price": get("sale_price", ""),
        "sale_price_effective_date": f"{starts}/{ends}" if starts or ends else "",
        "currency": shop.currency,
        "brand": get("brands", "") or get("brand", ""),
        "product_type": _deepest(get("categories", "")),
        "item_group_id": group,
        "color": color_of(attributes),
        "gtin": get("gtin,_upc,_ean,_or_isbn", ""),
    }


def _deepest(categories: str) -> str:
    """Of several paths the one that says most; a comma within a name has a backslash before it."""
    paths = [path.replace("\\,", ",") for path in _BETWEEN.split(categories)]
    return max(paths, key=lambda path: path.count(">"))


EXPORT = Export("woocommerce", "WooCommerce's export of products (CSV); needs --site and --currency.", read)
