"""What a search can be narrowed down to: counts of the search itself, in products, on both databases."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import numpy as np
import pytest

from mapsi.catalog import Catalog
from mapsi.catalog.filters import Filters
from mapsi.catalog.offer import Offer
from mapsi.catalog.query import Query
from mapsi.catalog.text.class_words import class_keys, classes_of
from mapsi.catalog.text.colors import ColorReader
from mapsi.taxonomy.synonyms import load_colors
from offers import TAXONOMY, NewCatalog, offer, take_in, take_in_all

COLORS = ColorReader(load_colors())


def made_up_offers(count: int) -> Iterator[Offer]:
    chance = random.Random(3)
    for number in range(count):
        yield offer(
            str(number),
            chance.choice(("니트", "셔츠", "블랙 원피스", "청바지", "linen shirt", "mug")),
            chance.choice((9000, 19000, 29000, 59000, 120000)),
            color=chance.choice(("black", "흰색/블루", "navy blue", "", "khaki")),
            audience=chance.choice(("women", "men", "unisex", None)),
            group=chance.choice(("", "", "g1", "g2", "g3", "g4")),
        )


OFFERS = {shop: tuple(made_up_offers(80)) for shop in ("one", "two")}
FILTERS = (
    Filters(),
    Filters(shops=("one",)),
    Filters(colors=("white", "black"), max_price=Decimal(30000)),
    Filters(audiences=("women",), classes={"garment": ("shirt", "dress")}),
    Filters(shops=("two",), colors=("blue",), audiences=("men",), min_price=Decimal(10000)),
)


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def full_catalog(request: pytest.FixtureRequest, new_catalog: NewCatalog) -> Iterator[Catalog]:
    with new_catalog(request.param) as catalog:
        for shop, offers in OFFERS.items():
            take_in_all(catalog, offers, shop=shop)
        yield catalog


def total(catalog: Catalog, text: str | None, filters: Filters) -> int:
    return catalog.listings.search(Query(words=text, filters=filters, size=1)).total


@pytest.mark.parametrize("text", [None, "shirt", "검정", "니트"])
@pytest.mark.parametrize("filters", FILTERS)
def test_a_count_is_what_choosing_it_alone_leaves(full_catalog: Catalog, text: str | None, filters: Filters) -> None:
    """The slow way: for each choice, the search with that choice in the place of the others of its kind."""
    facets = full_catalog.listings.facets(Query(words=text, filters=filters))
    assert facets.offers == total(full_catalog, text, filters)
    for shop in facets.shops:
        assert shop.count == total(full_catalog, text, replace(filters, shops=(shop.slug,)))
    for color, count in facets.colors:
        assert count == total(full_catalog, text, replace(filters, colors=(color,)))
    for axis, classes in facets.classes.items():
        for slug, count in classes:
            assert count == total(full_catalog, text, replace(filters, classes={**filters.classes, axis: (slug,)}))
    for prices in facets.prices:
        priced = replace(filters, min_price=prices.low, max_price=prices.high)
        assert prices.count == total(full_catalog, text, priced)
    for audience, count in facets.audiences:
        assert count == total(full_catalog, text, replace(filters, audiences=(audience,)))


def test_ranges_of_prices_are_round_and_hold_everything_between_them(full_catalog: Catalog) -> None:
    ranges = full_catalog.listings.facets().prices
    assert ranges[0].low is None
    assert ranges[-1].high is None
    for before, after in pairwise(ranges):
        assert before.high is not None
        assert after.low == before.high + 1
        assert len(str(int(after.low)).rstrip("0")) == 1


def test_variants_count_once_and_under_each_of_their_colours(catalog: Catalog) -> None:
    take_in(
        catalog,
        offer("1", "니트", color="블랙", group="g"),
        offer("2", "니트", color="Black / White", group="g"),
        offer("3", "니트", color="red"),
    )
    facets = catalog.listings.facets(Query(words="니트"))
    assert facets.offers == 2
    assert dict(facets.colors) == {"black": 1, "white": 1, "red": 1}
    assert [
        product.name for product in catalog.listings.search(Query(filters=Filters(colors=("white",)), size=9)).products
    ] == ["니트"]


@pytest.mark.parametrize(
    ("color", "title", "families"),
    [
        ("검정", "", "black"),
        ("Off White", "", "white"),
        ("Navy Blue", "", "navy"),
        ("블랙/화이트", "", "black white"),
        ("", "연청 데님", "blue"),
        ("", "블랙진", "black"),
        ("01", "Red Tape shoes", "red"),
        ("", "Hundred-day shirt", ""),
        ("khaki", "blue", "green"),
    ],
)
def test_colours_are_read_in_both_languages(color: str, title: str, families: str) -> None:
    assert COLORS.keys(color, title).split() == families.split()


def test_counts_among_given_offers_count_these_alone(catalog: Catalog) -> None:
    take_in(
        catalog, offer("1", "니트", color="black"), offer("2", "셔츠", color="red"), offer("3", "코트", color="red")
    )
    ids = np.array([3, 1, 77])
    facets = catalog.listings.facets_among(ids, Filters())
    assert (facets.offers, dict(facets.colors)) == (2, {"black": 1, "red": 1})
    assert catalog.listings.shown().narrow(ids, Filters(colors=("red",))).tolist() == [True, False, False]
    assert facets.capped(1).offers == 1


def test_who_filters_by_a_kind_is_shown_the_kinds_of_it(catalog: Catalog) -> None:
    take_in_all(
        catalog,
        [
            offer("a", "Running sneakers", category="Shoes > Sneakers"),
            offer("b", "Leather heels", category="Shoes > Heels"),
            offer("c", "Blue jeans", category="Pants > Jeans"),
            offer("d", "Canvas", category="Shoes"),
        ],
    )
    shoes, sneakers = (Filters(classes={"garment": (slug,)}) for slug in ("shoes", "sneakers"))
    assert found(catalog, None, shoes) == {"Running sneakers", "Leather heels", "Canvas"}
    assert found(catalog, None, sneakers) == {"Running sneakers"}
    assert found(catalog, "leather", shoes) == {"Leather heels"}
    assert found(catalog, "신발", shoes) == {"Running sneakers", "Leather heels", "Canvas"}
    counted = dict(catalog.listings.facets().classes["garment"])
    assert counted == {"shoes": 3, "sneakers": 1, "heels": 1, "pants": 1, "jeans": 1}
    ids = [one.id for one in catalog.listings.search(Query(size=9, sort="price-up")).products]
    by_row = catalog.listings.shown().narrow(np.array(ids, np.int64), shoes)
    assert by_row.sum() == 3
    suggested = {one.text: one.count for one in catalog.listings.suggest("신발", TAXONOMY)}
    assert suggested["신발"] == 3


def test_a_product_is_of_one_class_on_an_axis_though_its_listing_keeps_wider_ones_too() -> None:
    keys = class_keys({"style": "athleisure", "garment": "sneakers"}, TAXONOMY)
    assert keys == " garment:sneakers garment:shoes style:athleisure "
    assert classes_of(keys) == {"garment": "sneakers", "style": "athleisure"}
    assert class_keys({"garment": "other"}, TAXONOMY) == ""
    assert class_keys({"garment": "earlier"}, TAXONOMY) == " garment:earlier "


def test_a_correction_moves_a_product_out_of_the_wider_kind_too(catalog: Catalog) -> None:
    take_in_all(catalog, [offer("a", "Running sneakers", category="Shoes > Sneakers")])
    (number,) = [one.id for one in catalog.listings.search(Query()).products]
    catalog.corrections.correct([number], "garment", "jeans", TAXONOMY)
    assert found(catalog, None, Filters(classes={"garment": ("shoes",)})) == set()
    assert found(catalog, None, Filters(classes={"garment": ("pants",)})) == {"Running sneakers"}


def found(catalog: Catalog, text: str | None, filters: Filters) -> set[str]:
    return {one.name for one in catalog.listings.search(Query(words=text, filters=filters, size=99)).products}
