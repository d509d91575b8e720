"""Words said with a photo ask for another kind, colour or audience, or for words in a product's text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsi.catalog.filters import Filters
from mapsi.catalog.query import Query
from mapsi.catalog.text.photo_words import PhotoWordReader, PhotoWords
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
