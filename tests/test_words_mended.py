"""Words that find nothing as typed: the other keyboard, one slip; and what must be left alone."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsi.catalog import Catalog
from mapsi.catalog.filters import Filters
from mapsi.catalog.listings.correcting import one_slip_away
from mapsi.catalog.text.hangul import initials, letters, typed_as_hangul, typed_as_latin
from mapsi.catalog.text.tokens import words
from offers import offer, take_in

SHOP = (
    offer("1", "울 카디건"),
    offer("2", "린넨 원피스", color="검정"),
    offer("3", "Blue Jeans"),
    offer("4", "니트 베스트"),
)

syllables = st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("typed", "instead", "title"),
    [
        ("카디껀", "카디건", "울 카디건"),
        ("원피즈", "원피스", "린넨 원피스"),
        ("jaens", "jeans", "Blue Jeans"),
        ("slxm", "니트", "니트 베스트"),
        ("sl xm", "니트", "니트 베스트"),
        ("zkelrjs", "카디건", "울 카디건"),
        ("ㅠㅣㅕㄷ", "blue", "Blue Jeans"),
        ("blak 원피스", "black 원피스", "린넨 원피스"),
    ],
)
def test_what_finds_nothing_is_mended_if_it_is_one_slip_or_the_other_keyboard(
    catalog: Catalog, typed: str, instead: str, title: str
) -> None:
    take_in(catalog, *SHOP, offer("5", "Black belt"))
    page = catalog.search_words(typed, Filters(), "likeness", 1, 10)
    assert (page.instead, [product.name for product in page.products]) == (instead, [title])
    exactly = catalog.search_words(typed, Filters(), "likeness", 1, 10, exact=True)
    assert (exactly.total, exactly.instead) == (0, "")


@pytest.mark.parametrize("typed", ["니투", "jas", "ㄴㅌㅌ", "501x", "zzzzzz"])
def test_short_words_initials_and_numbers_are_not_taken_for_slips(catalog: Catalog, typed: str) -> None:
    take_in(catalog, *SHOP, offer("5", "501"))
    page = catalog.search_words(typed, Filters(), "likeness", 1, 10)
    assert (page.instead, page.total) == ("", 0)


def test_words_that_find_something_are_left_alone(catalog: Catalog) -> None:
    take_in(catalog, *SHOP, offer("5", "jaens 한정판"))
    page = catalog.search_words("jaens", Filters(), "likeness", 1, 10)
    assert (page.instead, page.total) == ("", 1)


def test_words_that_stand_in_no_product_together_are_not_mended(catalog: Catalog) -> None:
    take_in(catalog, *SHOP)
    page = catalog.search_words("카디건 jeans", Filters(), "likeness", 1, 10)
    assert (page.instead, page.total) == ("", 0)


def test_filters_do_not_make_a_word_a_slip(catalog: Catalog) -> None:
    take_in(catalog, *SHOP)
    page = catalog.search_words("카디건", Filters(shops=("nowhere",)), "likeness", 1, 10)
    assert (page.instead, page.total) == ("", 0)


def test_the_more_frequent_of_two_neighbours_is_taken(catalog: Catalog) -> None:
    take_in(catalog, offer("1", "coat"), offer("2", "boat"), offer("3", "boat neck"))
    assert catalog.search_words("xoat", Filters(), "likeness", 1, 10).instead == "boat"


def slip_distance(one: str, other: str) -> int:
    """Edits between two texts, a swap of neighbours counted as one: the textbook's table (optimal string alignment)."""
    table = [[i + j if not i or not j else 0 for j in range(len(other) + 1)] for i in range(len(one) + 1)]
    for i in range(1, len(one) + 1):
        for j in range(1, len(other) + 1):
            change = table[i - 1][j - 1] + (one[i - 1] != other[j - 1])
            table[i][j] = min(table[i - 1][j] + 1, table[i][j - 1] + 1, change)
            if i > 1 and j > 1 and one[i - 2 : i] == other[j - 2 : j][::-1]:
                table[i][j] = min(table[i][j], table[i - 2][j - 2] + 1)
    return table[-1][-1]


@given(one=st.text("abc", max_size=4), other=st.text("abc", max_size=5))
def test_one_slip_is_one_edit(one: str, other: str) -> None:
    assert (other in set(one_slip_away(one, "abc"))) == (slip_distance(one, other) <= 1 and (one != other or bool(one)))


@given(syllables)
def test_keys_typed_on_either_layout_are_the_same_word(word: str) -> None:
    keys = typed_as_latin(unicodedata.normalize("NFKC", word))
    assert keys.isascii()
    again = typed_as_hangul(keys)
    # Shift is lost (ㄲ and ㄱ are one key), and with it what it told apart: the keys stay the same.
    assert not again or typed_as_latin(again) == keys


@given(word=syllables, cut=st.integers(0, 12))
def test_every_state_of_typing_is_a_beginning_of_the_word(word: str, cut: int) -> None:
    assert letters(word).startswith(letters(word)[:cut])
    assert letters(word).startswith(letters(word[:1]))
    assert len(initials(word)) == len(word)


@pytest.mark.parametrize("typed", ["ㄱ", "가", "가ㄷ", "갇", "가디", "가딕", "가디거", "가디건"])
def test_a_syllable_in_composition_is_a_beginning(typed: str) -> None:
    assert letters("가디건").startswith("".join(map(letters, words(typed))))
