"""Exports of shops' own programs: what is offered of them, what is not, and what has to be told beside."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from mapsi.catalog.offer import BrokenRow, Offer
from mapsi.catalog.store.sale_prices import price_at
from mapsi.cli import main
from mapsi.errors import FeedError, UsageError
from mapsi.providers import EXPORTS, ShopFacts, find_provider, read_offers

NOW = datetime(2026, 11, 15, tzinfo=UTC)
SHOP = ShopFacts.of("https://haru.example", "USD")
Row = Mapping[str, str]


class Exported:
    """Writes an export and reads it."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.file, self.kind = folder / "export.csv", kind

    def write(self, rows: Iterable[Row], names: Iterable[str]) -> Path:
        out = io.StringIO()
        writer = csv.DictWriter(out, list(names), restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
        self.file.write_text("\ufeff" + out.getvalue(), "utf-8")
        return self.file

    def __call__(self, rows: Iterable[Row], names: Iterable[str], shop: ShopFacts = SHOP) -> list[Offer | BrokenRow]:
        return list(EXPORTS[self.kind].read(self.write(rows, names), shop, NOW))


def offers(rows: list[Offer | BrokenRow]) -> list[Offer]:
    assert not [row for row in rows if isinstance(row, BrokenRow)]
    return [row for row in rows if isinstance(row, Offer)]


def reason(rows: list[Offer | BrokenRow]) -> str:
    (broken,) = rows
    assert isinstance(broken, BrokenRow)
    return broken.reason


# --- Shopify ---------------------------------------------------------------------------------------------------------

OLD = [
    *("Handle", "Title", "Body (HTML)", "Vendor", "Product Category", "Type", "Tags", "Published"),
    *("Option1 Name", "Option1 Value", "Option2 Name", "Option2 Value", "Option3 Name", "Option3 Value", "Variant SKU"),
    *("Variant Inventory Tracker", "Variant Inventory Qty", "Variant Inventory Policy", "Variant Price"),
    *("Variant Compare At Price", "Variant Barcode", "Image Src", "Image Position", "Gift Card"),
    *("Google Shopping / Google Product Category", "Google Shopping / Gender", "Google Shopping / Age Group"),
    *("Google Shopping / MPN", "Google Shopping / Condition", "Variant Image", "Price / International", "Status"),
]
NEW = {
    "Handle": "URL handle",
    "Body (HTML)": "Description",
    "Published": "Published on online store",
    "Variant SKU": "SKU",
    "Variant Inventory Tracker": "Inventory tracker",
    "Variant Inventory Qty": "Inventory quantity",
    "Variant Inventory Policy": "Continue selling when out of stock",
    "Variant Price": "Price",
    "Variant Compare At Price": "Compare-at price",
    "Variant Barcode": "Barcode",
    "Image Src": "Product image URL",
    "Variant Image": "Variant image URL",
    "Google Shopping / MPN": "Google Shopping / Manufacturer part number (MPN)",
}
SHIRT = {
    "Handle": "linen-shirt",
    "Title": "'90s linen shirt",
    "Body (HTML)": "<p>Light &amp; cool</p>",
    "Vendor": "Haru",
    "Type": "Shirts",
    "Published": "TRUE",
    "Option1 Name": "Title",
    "Option1 Value": "Default Title",
    "Variant SKU": "LS-1",
    "Variant Inventory Tracker": "shopify",
    "Variant Inventory Qty": "3",
    "Variant Inventory Policy": "deny",
    "Variant Price": "25.00",
    "Variant Barcode": "'8801234567893",
    "Image Src": "https://cdn.example/1.jpg",
    "Gift Card": "FALSE",
    "Google Shopping / Gender": "female",
    "Price / International": "99.00",
    "Status": "active",
}
SHIRT_OFFER = Offer(
    id="linen-shirt",
    title="'90s linen shirt",
    description="Light & cool",
    link="https://haru.example/products/linen-shirt",
    image="https://cdn.example/1.jpg",
    price=Decimal(25),
    currency="USD",
    brand="Haru",
    category="Shirts",
    group="linen-shirt",
    audience="women",
    gtin="8801234567893",
)
RED_S = {**SHIRT, "Option1 Name": "Color", "Option1 Value": "Red", "Option2 Name": "Size", "Option2 Value": "S"}
BLUE_M = {
    "Handle": "linen-shirt",
    "Option1 Value": "Blue",
    "Option2 Value": "M",
    "Variant Inventory Tracker": "shopify",
    "Variant Inventory Qty": "0",
    "Variant Inventory Policy": "deny",
    "Variant Price": "20.00",
    "Variant Compare At Price": "30.00",
    "Variant Image": "https://cdn.example/blue.jpg",
}
PICTURE = {"Handle": "linen-shirt", "Image Src": "https://cdn.example/2.jpg", "Image Position": "2"}


@pytest.fixture
def shopify(tmp_path: Path) -> Exported:
    return Exported(tmp_path, "shopify")


def test_a_product_of_shopify_is_an_offer_with_a_link_into_its_shop(shopify: Exported) -> None:
    assert shopify([SHIRT], OLD) == [SHIRT_OFFER]


def test_variants_are_offers_of_one_group_with_what_their_product_says(shopify: Exported) -> None:
    red, blue = offers(shopify([RED_S, BLUE_M, PICTURE], OLD))
    assert red == replace(SHIRT_OFFER, id="linen-shirt/Red/S", color="Red")
    assert blue == replace(
        red,
        id="linen-shirt/Blue/M",
        color="Blue",
        image="https://cdn.example/blue.jpg",
        price=Decimal(30),
        sale_price=Decimal(20),
        availability="out_of_stock",
        gtin="",
    )


def test_the_names_of_columns_since_2025_mean_the_same(shopify: Exported) -> None:
    rows = [{NEW.get(name, name): text for name, text in row.items()} for row in (RED_S, BLUE_M, PICTURE)]
    rows[1]["Continue selling when out of stock"] = "FALSE"
    assert shopify(rows, [NEW.get(name, name) for name in OLD]) == shopify([RED_S, BLUE_M, PICTURE], OLD)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"Status": "draft"}, "status is draft"),
        ({"Status": "Archived"}, "status is archived"),
        ({"Status": "unlisted"}, "status is unlisted"),
        ({"Published": "false"}, "column Published"),
        ({"Gift Card": "TRUE"}, "gift card"),
        ({"Google Shopping / Condition": "used"}, "used"),
        ({"Variant Price": ""}, "no price"),
        ({"Image Src": ""}, "no image_link"),
        ({"Title": ""}, "no title"),
    ],
)
def test_what_its_shop_does_not_show_is_not_offered_here(shopify: Exported, change: dict[str, str], says: str) -> None:
    told = shopify([{**RED_S, **change}, {**BLUE_M, "Variant Image": ""}], OLD)
    assert says in str(told[0])
    if "Variant Price" not in change:
        assert all(isinstance(row, BrokenRow) for row in told)


def test_a_hidden_product_hides_no_other(shopify: Exported) -> None:
    told = shopify([{**SHIRT, "Status": "draft"}, {**SHIRT, "Handle": "other"}], OLD)
    assert [type(row) for row in told] == [BrokenRow, Offer]


@pytest.mark.parametrize(
    ("tracker", "quantity", "policy", "available"),
    [
        ("shopify", "1", "deny", "in_stock"),
        ("shopify", "0", "deny", "out_of_stock"),
        ("shopify", "-2", "DENY", "out_of_stock"),
        ("shopify", "0", "continue", "backorder"),
        ("shopify", "", "deny", "in_stock"),  # several places: another export counts there
        ("", "0", "deny", "in_stock"),
    ],
)
def test_stock_counts_where_it_is_counted(
    shopify: Exported, tracker: str, quantity: str, policy: str, available: str
) -> None:
    row = {
        **SHIRT,
        "Variant Inventory Tracker": tracker,
        "Variant Inventory Qty": quantity,
        "Variant Inventory Policy": policy,
    }
    assert offers(shopify([row], OLD))[0].availability == available


@pytest.mark.parametrize(
    ("before", "sale"), [("30.00", "25"), ("25.00", None), ("20.00", None), ("0.00", None), ("", None)]
)
def test_a_price_that_is_struck_through_counts_where_it_is_higher(
    shopify: Exported, before: str, sale: str | None
) -> None:
    (offer,) = offers(shopify([{**SHIRT, "Variant Compare At Price": before}], OLD))
    assert (offer.sale_price, min(offer.price, offer.sale_price or offer.price)) == (
        sale and Decimal(sale),
        Decimal(25),
    )


def test_an_id_that_would_be_too_long_is_whole_by_a_digest(shopify: Exported) -> None:
    long = {**RED_S, "Handle": "long-" * 30}
    ids = {offer.id for offer in offers(shopify([long, {**BLUE_M, "Handle": long["Handle"]}], OLD))}
    assert len(ids) == 2
    assert all(len(id) <= 50 and id.startswith("long-long-") for id in ids)


def test_a_handle_of_other_letters_is_written_as_addresses_are(shopify: Exported) -> None:
    (offer,) = offers(shopify([{**SHIRT, "Handle": "린넨-셔츠"}], OLD))
    assert offer.link == "https://haru.example/products/%EB%A6%B0%EB%84%A8-%EC%85%94%EC%B8%A0"
    assert offer.id == offer.group == "린넨-셔츠"


# --- WooCommerce -----------------------------------------------------------------------------------------------------

WOO = [
    *("ID", "Type", "SKU", "GTIN, UPC, EAN, or ISBN", "Name", "Published", "Is featured?", "Visibility in catalog"),
    *("Short description", "Description", "Date sale price starts", "Date sale price ends", "In stock?", "Stock"),
    *("Sale price", "Regular price", "Categories", "Tags", "Images", "Parent", "External URL", "Brands"),
    *("Attribute 1 name", "Attribute 1 value(s)", "Attribute 2 name", "Attribute 2 value(s)"),
]
HOODIE = {
    "ID": "44",
    "Type": "simple",
    "SKU": "H-1",
    "Name": "Hoodie",
    "Published": "1",
    "Visibility in catalog": "visible",
    "Description": "Warm\\nand soft",
    "In stock?": "1",
    "Regular price": "45",
    "Categories": "Clothing, Clothing > Hoodies, Sale\\, now",
    "Images": "https://cdn.example/1.jpg, https://cdn.example/2.jpg",
    "Brands": "Haru",
    "Attribute 1 name": "Color",
    "Attribute 1 value(s)": "Blue",
}
HOODIE_OFFER = Offer(
    id="44",
    title="Hoodie",
    description="Warm and soft",
    link="https://haru.example/?p=44",
    image="https://cdn.example/1.jpg",
    price=Decimal(45),
    currency="USD",
    brand="Haru",
    category="Clothing > Hoodies",
    color="Blue",
)
PARENT = {**HOODIE, "Type": "variable", "Regular price": "", "Attribute 1 value(s)": "Blue, Red"}
RED = {
    "ID": "91",
    "Type": "variation",
    "Name": "Hoodie - Red",
    "Published": "1",
    "In stock?": "0",
    "Regular price": "45",
    "Parent": "H-1",
    "Attribute 1 name": "Color",
    "Attribute 1 value(s)": "Red",
}


@pytest.fixture
def woo(tmp_path: Path) -> Exported:
    return Exported(tmp_path, "woocommerce")


def test_a_product_of_woocommerce_is_an_offer_with_a_link_into_its_shop(woo: Exported) -> None:
    assert woo([HOODIE], WOO) == [HOODIE_OFFER]


@pytest.mark.parametrize("parent", ["H-1", "id:44"])
def test_variations_are_offers_of_one_group_with_what_their_parent_says(woo: Exported, parent: str) -> None:
    variation = {**RED, "Parent": parent}
    wanted = replace(HOODIE_OFFER, id="91", title="Hoodie - Red", color="Red", group="44", availability="out_of_stock")
    assert woo([PARENT, variation], WOO) == [wanted]
    assert woo([variation, PARENT], WOO) == [wanted]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"Published": "-1"}, "Published -1"),
        ({"Published": "0"}, "Published 0"),
        ({"Published": "2"}, "Published 2"),
        ({"Visibility in catalog": "hidden"}, "hidden"),
    ],
)
def test_what_woocommerce_does_not_show_is_not_offered_nor_its_variations(
    woo: Exported, change: dict[str, str], says: str
) -> None:
    assert says in reason(woo([{**HOODIE, **change}], WOO))
    assert says in reason(woo([{**PARENT, **change}, RED], WOO))


def test_a_variation_without_its_parent_and_a_group_of_products_are_told(woo: Exported) -> None:
    assert "parent 'H-1' is not in the export" in reason(woo([RED], WOO))
    assert "group of others" in reason(woo([{**HOODIE, "Type": "grouped"}], WOO))


@pytest.mark.parametrize(
    ("starts", "ends", "cost"),
    [
        ("", "", "30"),
        ("2026-11-01 0:00:00", "2026-11-30 23:59:59", "30"),
        ("2026-11-01", "", "30"),
        ("", "2026-11-30", "30"),
        ("", "2026-11-01 23:59:59", "45"),
        ("2026-12-01", "", "45"),
    ],
)
def test_a_sale_is_between_its_dates(woo: Exported, starts: str, ends: str, cost: str) -> None:
    row = {**HOODIE, "Sale price": "30", "Date sale price starts": starts, "Date sale price ends": ends}
    (offer,) = offers(woo([row], WOO))
    assert price_at(offer, NOW) == Decimal(cost)


@pytest.mark.parametrize(
    ("written", "currency", "price"),
    [
        ("12,50", "EUR", "12.50"),
        ("1234.5", "USD", "1234.50"),
        ("29000", "KRW", "29000"),
        ("1.234,50", "EUR", "1234.50"),
    ],
)
def test_prices_are_in_the_currency_that_is_told(woo: Exported, written: str, currency: str, price: str) -> None:
    (offer,) = offers(woo([{**HOODIE, "Regular price": written}], WOO, ShopFacts.of("https://haru.example", currency)))
    assert (offer.price, offer.currency) == (Decimal(price), currency)


@pytest.mark.parametrize(("said", "available"), [("1", "in_stock"), ("0", "out_of_stock"), ("backorder", "backorder")])
def test_woocommerces_stock_is_what_it_says(woo: Exported, said: str, available: str) -> None:
    assert offers(woo([{**HOODIE, "In stock?": said}], WOO))[0].availability == available


def test_what_is_escaped_for_spreadsheets_is_read_as_it_was(woo: Exported) -> None:
    assert offers(woo([{**HOODIE, "Name": "'=Hoodie="}], WOO))[0].title == "=Hoodie="
    assert offers(woo([{**HOODIE, "Name": "'90s hoodie"}], WOO))[0].title == "'90s hoodie"


# --- both ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", EXPORTS)
def test_another_table_is_told_by_the_columns_that_it_lacks(tmp_path: Path, kind: str) -> None:
    with pytest.raises(FeedError, match="does not name these columns"):
        Exported(tmp_path, kind)([{"id": "1"}], ["id", "link"])


CAFE24 = ["상품코드", "자체 상품코드", "진열상태", "판매상태", "상품명", "판매가", "이미지등록(상세)"]


@pytest.mark.parametrize(
    ("names", "hint"),
    [(OLD, "--format shopify"), (WOO, "--format woocommerce"), (CAFE24, "Cafe24"), (["a", "b"], "Name them")],
)
def test_an_export_that_is_given_for_a_table_of_ones_own_is_told_as_what_it_is(
    tmp_path: Path, names: list[str], hint: str
) -> None:
    file = Exported(tmp_path, "shopify").write([SHIRT | HOODIE | {"a": "1"}], names)
    for format in ("csv", "merchant", "naver-ep"):
        with pytest.raises(FeedError) as told:
            list(read_offers(format, file))
        assert hint in told.value.hint or hint == "Name them"


@pytest.mark.parametrize("kind", EXPORTS)
def test_an_export_is_no_source_and_no_feed(kind: str) -> None:
    with pytest.raises(UsageError, match=r"imported by hand.*--site"):
        find_provider(kind)


@pytest.mark.parametrize(
    ("site", "currency", "says"),
    [("", "USD", "--site"), ("haru.example", "USD", "--site"), ("https://haru.example", "", "--currency"),
     ("https://haru.example", "dollars", "--currency"), ("ftp://haru.example", "USD", "--site")],
)  # fmt: skip
def test_what_an_export_leaves_unsaid_has_to_be_told(site: str, currency: str, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        ShopFacts.of(site, currency)


@pytest.mark.parametrize("site", ["https://a.example/shop", "https://a.example/shop/", "https://a.example/shop/?x=1"])
def test_a_shop_may_lie_under_a_path(site: str) -> None:
    assert ShopFacts.of(site, "USD").address("?p=1") == "https://a.example/shop/?p=1"


def test_the_command_takes_an_export_with_what_it_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shopify: Exported
) -> None:
    monkeypatch.setenv("MAPSI_HOME", str(tmp_path / "home"))
    file = str(shopify.write([RED_S, BLUE_M, {**SHIRT, "Handle": "b", "Status": "draft"}], OLD))
    words = ["catalog", "import", file, "--format", "shopify", "--shop", "haru", "--no-index"]
    assert "--site" in CliRunner().invoke(main, words).output
    done = CliRunner().invoke(main, [*words, "--site", "https://haru.example", "--currency", "usd"])
    assert done.exit_code == 0, done.output
    assert "2 new" in done.output
    assert "status is draft" in done.output
    other = [*words[:4], "csv", *words[5:], "--currency", "USD"]
    assert "say their links" in CliRunner().invoke(main, other).output
