"""Shopify's export of products: a CSV with a row per variant, the product's own fields in its first row only.

Source of the columns: Shopify's help on using CSV files for products, with the names from before 2025 and since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from urllib.parse import quote

from mapsi.catalog.offer import BrokenRow, Offer
from mapsi.providers.arrivals.encoding import open_text
from mapsi.providers.exports import Export, ShopFacts, color_of, struck_through
from mapsi.providers.rows.bad_field import NotOfferedError
from mapsi.providers.rows.fields import parse_yes
from mapsi.providers.rows.rows import MAX_ID, Row, filled, merchant_offer, read_rows, tidy_id
from mapsi.providers.table import TableColumns, read_table

OF_THE_PRODUCT = (
    "title",
    "body",
    "vendor",
    "product_category",
    "type",
    "published",
    "status",
    "gift_card",
    "option1_name",
    "option2_name",
    "option3_name",
    "image_src",
    "google_shopping_/_google_product_category",
    "google_shopping_/_gender",
    "google_shopping_/_age_group",
    "google_shopping_/_condition",
)
"""Columns that the first row of a product fills for all of them."""

OF_THE_VARIANT = (
    "option1_value",
    "option2_value",
    "option3_value",
    "variant_price",
    "variant_compare_at_price",
    "variant_inventory_tracker",
    "variant_inventory_qty",
    "variant_inventory_policy",
    "variant_barcode",
    "variant_image",
    "google_shopping_/_mpn",
)

COLUMNS = TableColumns(
    known=("handle", *OF_THE_PRODUCT, *OF_THE_VARIANT),
    required=("handle", "title", "variant_price"),
    aliases={
        "url_handle": "handle",
        "description": "body",
        "published_on_online_store": "published",
        "price": "variant_price",
        "compare_at_price": "variant_compare_at_price",
        "inventory_tracker": "variant_inventory_tracker",
        "inventory_quantity": "variant_inventory_qty",
        "continue_selling_when_out_of_stock": "variant_inventory_policy",
        "barcode": "variant_barcode",
        "variant_image_url": "variant_image",
        "product_image_url": "image_src",
        "google_shopping_/_manufacturer_part_number": "google_shopping_/_mpn",
    },
    hint="Export the products from Shopify's admin as CSV (plain), and leave its first line as it is.",
)

_HIDDEN = frozenset({"draft", "archived", "unlisted"})
_SELLS_ON = frozenset({"continue", "true", "yes"})
_NO_OPTION = "Default Title"


def read(file: Path, shop: ShopFacts, now: datetime | None = None) -> Iterator[Offer | BrokenRow]:
    """An offer for each variant, those of one product in one group; see :data:`mapsi.providers.exports.ReadExport`."""
    with open_text(file) as text:
        yield from read_rows(_variants(read_table(text, COLUMNS)), shop.site, now, partial(_offer, shop))


def _variants(rows: Iterator[Row | BrokenRow]) -> Iterator[Row | BrokenRow]:
    """Each variant with the fields of its product and an id. Rows that hold one more picture are passed over."""
    product: dict[str, str] = {}
    for item in rows:
        if isinstance(item, BrokenRow):
            yield item
            continue
        line, row = item
        handle = row["handle"].strip() or product.get("handle", "")
        is_first = handle != product.get("handle") or bool(row["title"].strip())
        if is_first:
            product = {"handle": handle, **{name: row.get(name, "") for name in OF_THE_PRODUCT}}
        variant = {name: row.get(name, "") for name in OF_THE_VARIANT}
        if is_first or any(text.strip() for text in variant.values()):
            yield line, {"id": _id_of(handle, variant), **product, **variant}


def _id_of(handle: str, variant: Mapping[str, str]) -> str:
    """The export has no numbers: a variant is known by its product's handle and its options."""
    options = (tidy_id(variant[f"option{number}_value"]) for number in (1, 2, 3))
    name = "/".join((tidy_id(handle), *(option for option in options if option not in ("", _NO_OPTION))))
    if len(name) <= MAX_ID:
        return name
    digest = hashlib.sha256(name.encode()).hexdigest()[: MAX_ID // 2]
    return f"{name[: MAX_ID // 2 - 1]}-{digest}"


def _offer(shop: ShopFacts, raw: Mapping[str, str], base: str, now: datetime) -> Offer:
    row = filled(raw)
    get = row.get
    _refuse_hidden(raw)
    options = {get(f"option{number}_name", ""): get(f"option{number}_value", "") for number in (1, 2, 3)}
    price, sale_price = struck_through(row, "variant_price", "variant_compare_at_price", shop.currency)
    handle = get("handle", "")
    return merchant_offer(
        {
            "id": get("id", ""),
            "title": get("title", ""),
            "description": get("body", ""),
            "link": shop.address(f"products/{quote(handle)}") if handle else "",
            "image_link": get("variant_image", "") or get("image_src", ""),
            "price": price,
            "sale_price": sale_price,
            "currency": shop.currency,
            "availability": _availability_of(raw),
            "condition": get("google_shopping_/_condition", ""),
            "brand": get("vendor", ""),
            "color": color_of(options),
            "product_type": get("type", "") or get("product_category", ""),
            "google_product_category": get("google_shopping_/_google_product_category", ""),
            "item_group_id": handle,
            "gender": get("google_shopping_/_gender", ""),
            "age_group": get("google_shopping_/_age_group", ""),
            "gtin": get("variant_barcode", "").removeprefix("'"),  # before numbers, for spreadsheets
            "mpn": get("google_shopping_/_mpn", ""),
        },
        base,
        now,
    )


def _refuse_hidden(row: Mapping[str, str]) -> None:
    status = row.get("status", "").strip().casefold()
    if status in _HIDDEN:
        raise NotOfferedError(f"The product is not shown in its shop: its status is {status}.")
    published = row.get("published", "").strip()
    if published and not parse_yes(published, "published"):
        raise NotOfferedError("The product is not shown in its shop, by its column Published.")
    if parse_yes(row.get("gift_card", ""), "gift_card"):
        raise NotOfferedError("The product is a gift card.")


def _availability_of(row: Mapping[str, str]) -> str:
    """By the stock that is counted; where nobody counts it, or it lies in several places, there is some."""
    counted = row.get("variant_inventory_qty", "").strip()
    if not row.get("variant_inventory_tracker", "").strip() or not counted or not counted.startswith(("0", "-")):
        return "in_stock"
    return "backorder" if row.get("variant_inventory_policy", "").strip().casefold() in _SELLS_ON else "out_of_stock"


EXPORT = Export("shopify", "Shopify's export of products (CSV); needs --site and --currency.", read)
