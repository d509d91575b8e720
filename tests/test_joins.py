"""One product of several shops: one card with the truly lowest price, in every list, on both databases."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from mapsi.catalog import Catalog, open_catalog
from mapsi.catalog.filters import Filters, Sort
from mapsi.catalog.listings import joining
from mapsi.catalog.offer import Offer
from mapsi.catalog.product import Evidence, Product
from mapsi.catalog.query import Query
from mapsi.errors import NotFoundError
from offers import offer, take_in, take_in_all
from test_readings import IMAGE, digest, embedding, give_picture

GTIN, OTHER_GTIN, WRONG_GTIN = "8801234567893", "8806091000019", "8801234567890"

ALL = Filters()


def cards(catalog: Catalog, filters: Filters = ALL, words: str = "") -> list[tuple[str, int, int]]:
    """Shop, price and number of shops of each card."""
    sort: Sort = "likeness" if words else "price-up"
    page = catalog.listings.search(Query(words=words or None, filters=filters, sort=sort, size=99))
    assert page.total == len(page.products)
    return [(one.shop, int(one.lowest_price), one.shops) for one in page.products]


def product(catalog: Catalog, shop: str) -> Product:
    every = [catalog.listings.products([number])[0] for number in range(1, 20) if catalog.listings.products([number])]
    return next(one for one in every if one.shop == shop)


def sold(catalog: Catalog, number: int) -> list[tuple[str, int]]:
    return [(one.shop, int(one.lowest_price)) for one in catalog.listings.offers_of(number)]


def test_shops_with_one_gtin_make_one_card_with_the_lowest_price(catalog: Catalog) -> None:
    take_in(catalog, offer("a", "나이키 린넨 셔츠", 30000, gtin=GTIN), shop="dear")
    take_in(catalog, offer("b", "셔츠", 25000, gtin=GTIN), offer("c", "치마", 9000), shop="cheap")
    assert cards(catalog) == [("cheap", 9000, 1), ("cheap", 25000, 2)]
    assert cards(catalog, words="나이키 셔츠") == [("cheap", 25000, 2)], "words of the dearer title find it too"
    assert catalog.listings.facets().offers == 2
    assert {shop.slug: shop.count for shop in catalog.listings.facets().shops} == {"dear": 1, "cheap": 2}
    assert sold(catalog, product(catalog, "dear").id) == [("cheap", 25000), ("dear", 30000)]


def test_a_filter_shows_the_shop_or_price_that_it_asks_for(catalog: Catalog) -> None:
    take_in(catalog, offer("a", "셔츠", 30000, gtin=GTIN), shop="dear")
    take_in(catalog, offer("b", "셔츠", 25000, gtin=GTIN), shop="cheap")
    assert cards(catalog, Filters(shops=("dear",))) == [("dear", 30000, 2)]
    assert cards(catalog, Filters(min_price=Decimal(27000))) == [("dear", 30000, 2)]


def test_another_colour_is_no_lower_price(catalog: Catalog) -> None:
    take_in(catalog, offer("a", "셔츠", 30000, gtin=GTIN, color="black"), shop="dear")
    take_in(
        catalog,
        offer("b", "셔츠", 25000, gtin=GTIN, color="black", group="g"),
        offer("c", "셔츠", 9000, gtin=OTHER_GTIN, color="white", group="g"),
        shop="cheap",
    )
    assert cards(catalog, words="black") == [("cheap", 25000, 2)]
    assert sold(catalog, product(catalog, "dear").id) == [("cheap", 25000), ("dear", 30000)]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"gtin": WRONG_GTIN}, {"gtin": WRONG_GTIN}),
        ({"brand": "Nike", "mpn": "N/A"}, {"brand": "Nike", "mpn": "N/A"}),
        ({"brand": "Nike", "mpn": "SHIRT"}, {"brand": "Nike", "mpn": "SHIRT"}),
        ({"brand": "Nike", "mpn": "DD1391-100"}, {"brand": "Puma", "mpn": "DD1391-100"}),
        ({"brand": "", "mpn": "DD1391-100"}, {"brand": "", "mpn": "DD1391-100"}),
        ({"brand": "기타", "mpn": "DD1391-100"}, {"brand": "기타", "mpn": "DD1391-100"}),
        ({"brand": "Nike"}, {"brand": "Nike"}),
    ],
)
def test_numbers_not_to_be_believed_join_nothing(catalog: Catalog, one: dict[str, Any], other: dict[str, Any]) -> None:
    take_in(catalog, offer("a", **one), shop="one")
    take_in(catalog, offer("b", **other), shop="other")
    assert len(cards(catalog)) == 2


def test_a_makers_number_joins_with_the_brand_in_either_script(catalog: Catalog) -> None:
    take_in(catalog, offer("a", price=2000, brand="나이키", mpn="dd1391 100"), shop="one")
    take_in(catalog, offer("b", price=1000, brand="NIKE", mpn="DD1391-100"), shop="other")
    assert cards(catalog) == [("other", 1000, 2)]


def test_copies_of_a_picture_join_with_the_same_brand_only(catalog: Catalog) -> None:
    for shop, brand in (("one", "Nike"), ("other", "나이키"), ("third", "Puma"), ("fourth", "")):
        take_in(catalog, offer("a", brand=brand, image=IMAGE), shop=shop)
    first, second, third, fourth = (product(catalog, shop).id for shop in ("one", "other", "third", "fourth"))
    give_picture(catalog, first, second, fourth, of=digest(1))
    give_picture(catalog, third, of=digest(2))
    assert catalog.joins.renew() == 2
    assert sorted(shops for *_, shops in cards(catalog)) == [1, 1, 2]
    assert {each.shares for each in catalog.joins.of(first)} == {(Evidence("picture", digest(1), "NIKE"),)}
    give_picture(catalog, third, of=digest(1))
    catalog.joins.renew()
    assert len(cards(catalog)) == 4, "a picture of two brands is a stand-in"


def test_what_the_feeds_say_later_joins_and_parts(catalog: Catalog) -> None:
    take_in(catalog, offer("a", price=3000, gtin=GTIN), shop="one")
    take_in(catalog, offer("b", price=2000), shop="other")
    assert len(cards(catalog)) == 2
    take_in(catalog, offer("b", price=2000, gtin=GTIN), shop="other")
    assert cards(catalog) == [("other", 2000, 2)]
    take_in(catalog, offer("b", price=1500, gtin=GTIN), shop="other")
    assert cards(catalog) == [("other", 1500, 2)]
    take_in(catalog, offer("b", price=1500, gtin=GTIN), offer("c", price=900, gtin=GTIN), shop="other")
    assert cards(catalog) == [("other", 900, 1), ("other", 1500, 1), ("one", 3000, 1)], "one number for two products"
    take_in(catalog, offer("c", price=900, gtin=GTIN), shop="other")
    assert cards(catalog) == [("other", 900, 2)]
    take_in(catalog, offer("c", price=900, gtin=GTIN, availability="out_of_stock"), shop="other")
    assert cards(catalog) == [("one", 3000, 1)]


def test_a_parting_holds_over_refreshes_until_it_is_taken_back(catalog: Catalog) -> None:
    take_in(catalog, offer("a", price=3000, gtin=GTIN), shop="one")
    take_in(catalog, offer("b", price=2000, gtin=GTIN), shop="other")
    assert [[part.product.shop for part in whole] for whole in catalog.joins.page(1, 9)] == [["other", "one"]]
    assert catalog.joins.of(product(catalog, "one").id)[0].shares == (Evidence("gtin", GTIN.zfill(14)),)
    generation = catalog.generation()
    catalog.joins.part(product(catalog, "other").id)
    assert catalog.generation() > generation
    assert len(cards(catalog)) == 2
    take_in(catalog, offer("b", price=1000, gtin=GTIN), shop="other")
    catalog.joins.renew()
    assert len(cards(catalog)) == 2
    assert (catalog.joins.page(1, 9), catalog.joins.count()) == ([], 0)
    assert catalog.joins.parted() == [product(catalog, "other").id]
    catalog.joins.allow(product(catalog, "other").id)
    assert cards(catalog) == [("other", 1000, 2)]
    with pytest.raises(NotFoundError):
        catalog.joins.part(10**9)


def test_an_expired_shop_leaves_the_card_to_the_others(catalog_url: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with open_catalog(catalog_url, lambda: now) as catalog:
        take_in(catalog, offer("a", price=3000, gtin=GTIN), shop="one")
        take_in(catalog, offer("b", price=2000, gtin=GTIN), shop="other", time_to_live=timedelta(hours=1))
        assert cards(catalog) == [("other", 2000, 2)]
    with open_catalog(catalog_url, lambda: now + timedelta(hours=2)) as catalog:
        assert cards(catalog) == [("one", 3000, 1)]
        catalog.sweep()
        assert cards(catalog) == [("one", 3000, 1)]


def test_the_index_of_pictures_takes_a_joined_product_for_one(catalog: Catalog) -> None:
    take_in(catalog, offer("a", price=3000, gtin=GTIN, image=IMAGE), shop="one")
    take_in(catalog, offer("b", price=2000, gtin=GTIN, image=IMAGE), offer("c", image=IMAGE), shop="other")
    shown = catalog.listings.search(Query(sort="price-up")).products
    numbers = [product(catalog, "one").id, *(one.id for one in shown)]
    for number in numbers:
        give_picture(catalog, number)
    catalog.readings.save("model", [(digest(number), embedding(number), {}) for number in numbers])
    assert len({row.group for row in catalog.readings.index_rows("model")}) == 2
    assert catalog.listings.one_a_product(numbers, Filters(), catalog.listings.shown()) == {
        numbers[0]: numbers[1],
        numbers[2]: numbers[2],
    }


def random_feed(chance: random.Random, shop: int) -> list[Offer]:
    return [
        offer(
            str(number),
            "니트",
            chance.choice((1000, 2000)),
            group=chance.choice(("", "", "g")),
            gtin=chance.choice(("", GTIN, OTHER_GTIN)),
            brand=chance.choice(("", "Nike")),
            mpn=chance.choice(("", "DD1391-100", "AB1")),
            seller=chance.choice(("", "x")),
        )
        for number in range(shop, shop + 4)
        if chance.random() < 0.7
    ]


def test_any_change_joins_as_joining_all_anew_would(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(joining, "_TOGETHER", 3)
    chance = random.Random(5)
    for round_ in range(12):
        take_in_all(catalog, [*random_feed(chance, round_ % 4), offer("x")], shop=f"shop{round_ % 4}")
        assert catalog.joins.renew() == 0, f"round {round_}"
    url = catalog._database.engine.url.render_as_string(hide_password=False)
    with open_catalog(url) as fresh:
        assert cards(fresh, words="니트") == cards(catalog, words="니트")
        assert catalog.listings.facets() == fresh.listings.facets()
