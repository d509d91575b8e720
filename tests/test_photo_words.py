"""Words said with a photo ask for another kind, colour or audience, or for words in a product's text."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsi.catalog.filters import Filters
from mapsi.catalog.query import Query
from mapsi.catalog.text.photo_words import PhotoWordReader, PhotoWords
from mapsi.infer import Model
from mapsi.search.finder import Finder
from mapsi.search.pair import ServingPair
from mapsi.taxonomy import load_taxonomy
from small_house import House, draw_garment, photo_bytes, photo_form

TAXONOMY = load_taxonomy()
READER = PhotoWordReader(TAXONOMY)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", PhotoWords()),
        ("this, but black", PhotoWords(color="black")),
        ("검은색으로", PhotoWords(color="black")),
        ("빨간", PhotoWords(color="red")),
        ("원피스로", PhotoWords(kind="dress")),
        ("as a skirt in navy blue", PhotoWords(kind="skirt", color="navy")),
        ("남자 셔츠", PhotoWords(kind="shirt", audience="men")),
        ("for a boy", PhotoWords(audience="kids")),
        ("린넨", PhotoWords(rest="린넨")),
        ("이거 같은 느낌인데 린넨 셔츠로", PhotoWords(kind="shirt", rest="느낌인데 린넨")),
        ("women's sneakers by Nike", PhotoWords(kind="sneakers", audience="women", rest="by nike")),
    ],
)
def test_words_are_understood_as_what_they_change(text: str, said: PhotoWords) -> None:
    assert READER.read(text) == said


@given(st.text(max_size=200))
def test_whatever_is_typed_is_understood_somehow(text: str) -> None:
    said = READER.read(text)
    assert said.kind in {*TAXONOMY.axes["garment"].by_slug, ""}


def test_a_filter_that_was_set_counts_before_the_words() -> None:
    said = PhotoWords(kind="shoes", color="black", audience="women")
    narrowed = said.narrow(Filters(colors=("red",)))
    assert narrowed.colors == ("red",)
    assert narrowed.audiences == ("women",)
    assert narrowed.classes["garment"] == ("shoes",)


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        (Filters(), PhotoWords(kind="shoes", color="black")),
        (Filters(colors=("red",)), PhotoWords(kind="shoes", color="red")),
        (Filters(colors=("red", "blue")), PhotoWords(kind="shoes", color="black")),
        (Filters(audiences=("men",)), PhotoWords(kind="shoes", color="black", audience="men")),
        (Filters(classes={"garment": ("dress",), "style": ("knit",)}), PhotoWords(kind="dress", color="black")),
    ],
)
def test_what_alone_is_chosen_as_a_filter_is_said(filters: Filters, said: PhotoWords) -> None:
    assert PhotoWords(kind="shoes", color="black").or_chosen(filters) == said


def test_who_puts_a_word_of_a_reading_right_finds_things_of_that_kind_though_the_photo_was_read_as_another(
    house: House,
) -> None:
    finder = ending(house)
    reading = finder.read(draw_garment("#c0392b"))
    for kind in ("shirt", "dress", "coat"):
        found = finder.by_photo(reading, Query(filters=Filters(classes={"garment": (kind,)}), size=50))
        assert {dict(product.classes)["garment"] for product in found.products} == {kind}
        assert found.total >= 10


CHOICES = (
    Query(size=100),
    Query(size=100, words="린넨"),
    Query(size=100, words="여자"),
    Query(size=100, less=(3,)),
    Query(size=100, filters=Filters(max_price=Decimal(60000))),
    Query(size=100, filters=Filters(colors=("red",), shops=("haru", "nuri"))),
    Query(size=100, filters=Filters(classes={"garment": ("shirt",)})),
)


@pytest.mark.parametrize("query", CHOICES)
def test_each_choice_is_counted_as_the_answer_with_it_would_be(house: House, query: Query) -> None:
    finder = ending(house)
    reading = finder.read(draw_garment("#2a6fb0"))

    def total(**changes: object) -> int:
        return finder.by_photo(reading, replace(query, filters=replace(query.filters, **changes))).total  # type: ignore[arg-type]

    facets = finder.facets_by_photo(reading, query)
    assert facets.offers == total()
    assert {shop.slug: shop.count for shop in facets.shops} == {
        shop: count for shop in ("haru", "nuri", "drawn") if (count := total(shops=(shop,)))
    }
    for color, count in facets.colors:
        assert count == total(colors=(color,)), color
    for audience, count in facets.audiences:
        assert count == total(audiences=(audience,)), audience
    for axis, counts in facets.classes.items():
        for slug, count in counts:
            assert count == total(classes={**query.filters.classes, axis: (slug,)}), (axis, slug)


def test_choices_for_things_like_a_product_are_counted_without_it(house: House) -> None:
    finder = ending(house)
    product = finder.by_photo(finder.read(draw_garment("#2a6fb0")), Query()).products[0].id
    for color, count in finder.facets_similar(product, Query()).colors:
        assert count == finder.similar(product, Query(filters=Filters(colors=(color,)))).total


def ending(house: House) -> Finder:
    """A finder whose answers end where nothing is alike, as those of the shipped model do."""
    pair = ServingPair(Model.open(house.home / "model", threads=1), house.home / "index")
    return Finder(house.catalog, pair, house.finder.pictures, TAXONOMY)


def test_a_photo_with_words_finds_what_the_words_ask_for(house: House) -> None:
    reading = house.finder.read(draw_garment("#c0392b"))
    dresses = house.finder.by_photo(reading, Query(words="원피스로", size=50)).products
    assert dresses
    assert {dict(product.classes)["garment"] for product in dresses} == {"dress"}
    for_men = house.finder.by_photo(reading, Query(words="남자", size=50)).products
    assert {product.audience for product in for_men} == {"men"}
    linen = house.finder.by_photo(reading, Query(words="린넨", size=50)).products
    assert linen
    assert all("린넨" in product.name or "Linen" in product.name for product in linen)


def test_words_that_nothing_has_find_nothing(house: House) -> None:
    answer = house.app().test_client().post("/api/v1/search/image?words=qqqqzzzz", **photo_form(photo_bytes()))
    assert answer.get_json()["products"] == []


def test_words_that_are_too_long_are_refused(house: House) -> None:
    answer = house.app().test_client().post(f"/api/v1/search/image?words={'a' * 2000}", **photo_form(photo_bytes()))
    assert answer.status_code == 400
