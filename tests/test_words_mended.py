"""Words that find nothing as typed: the other keyboard, one slip; and what must be left alone."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsi.catalog import Catalog
from mapsi.catalog.filters import Filters
from mapsi.catalog.listings.correcting import one_slip_away
from mapsi.catalog.query import Query
from mapsi.catalog.text.hangul import initials, letters, typed_as_hangul, typed_as_latin
from mapsi.catalog.text.tokens import words
from offers import NewCatalog, offer, take_in

SHOP = (
    offer("1", "울 카디건"),
    offer("2", "린넨 원피스", color="검정"),
    offer("3", "Blue Jeans"),
    offer("4", "니트 베스트"),
)


@pytest.fixture(scope="module", params=["sqlite", "mariadb"])
def stocked(request: pytest.FixtureRequest, new_catalog: NewCatalog) -> Iterator[Catalog]:
    with new_catalog(request.param) as catalog:
        take_in(catalog, *SHOP, offer("5", "Black belt"), offer("6", "501"))
        yield catalog


syllables = st.text(st.characters(min_codepoint=0xAC00, max_codepoint=0xD7A3), min_size=1, max_size=4)


@pytest.mark.parametrize(
    ("typed", "instead", "title"),
    [
        ("카디껀", "카디건", "울 카디건"),
        ("원피즈", "원피스", "린넨 원피스"),
        ("jaens", "jeans", "Blue Jeans"),
        ("slxm", "니트", "울 카디건"),
        ("sl xm", "니트", "울 카디건"),
        ("zkelrjs", "카디건", "울 카디건"),
        ("ㅠㅣㅕㄷ", "blue", "Blue Jeans"),
        ("blak 원피스", "black 원피스", "린넨 원피스"),
    ],
)
def test_what_finds_nothing_is_mended_if_it_is_one_slip_or_the_other_keyboard(
    stocked: Catalog, typed: str, instead: str, title: str
) -> None:
    page = stocked.listings.search(Query(words=typed, size=10))
    assert (page.instead, page.products[0].name) == (instead, title)
    exactly = stocked.listings.search(Query(words=typed, size=10, exact=True))
    assert (exactly.total, exactly.instead) == (0, "")


@pytest.mark.parametrize("typed", ["니투", "jas", "ㄴㅌㅌ", "501x", "zzzzzz"])
def test_short_words_initials_and_numbers_are_not_taken_for_slips(stocked: Catalog, typed: str) -> None:
    page = stocked.listings.search(Query(words=typed, size=10))
    assert (page.instead, page.total) == ("", 0)


def test_words_that_find_something_are_left_alone(catalog: Catalog) -> None:
    take_in(catalog, *SHOP, offer("5", "jaens 한정판"))
    page = catalog.listings.search(Query(words="jaens", size=10))
    assert (page.instead, page.total) == ("", 1)


def test_of_words_that_no_product_has_together_the_nearest_are_found_and_what_was_left_out_is_said(
    catalog: Catalog,
) -> None:
    take_in(catalog, *SHOP)
    page = catalog.listings.search(Query(words="카디건 jeans", size=10))
    assert (page.left_out, page.whole, [p.name for p in page.products]) == ("카디건", 0, ["Blue Jeans"])
    page = catalog.listings.search(Query(words="zzzzzz 원피스", size=10))
    assert (page.left_out, [p.name for p in page.products]) == ("zzzzzz", ["린넨 원피스"])
    exactly = catalog.listings.search(Query(words="카디건 jeans", size=10, exact=True))
    assert (exactly.total, exactly.left_out) == (0, "")


def test_a_kind_that_nobody_sells_gives_way_to_the_kinds_near_it(catalog: Catalog) -> None:
    take_in(catalog, offer("1", "Women top"), offer("2", "Men top"), offer("3", "Belt"))
    page = catalog.listings.search(Query(words="여성 블라우스", size=10))
    assert (page.left_out, [p.name for p in page.products]) == ("블라우스", ["Women top", "Men top"])


def test_what_is_the_near_kind_itself_comes_before_the_kinds_of_it(catalog: Catalog) -> None:
    take_in(
        catalog, offer("1", "Black trousers"), offer("2", "Blue jeans"), offer("3", "Track pants"), offer("4", "Hat")
    )
    page = catalog.listings.search(Query(words="정장 바지", size=10))
    assert [p.name for p in page.products] == ["Black trousers", "Track pants", "Blue jeans"]


def test_a_colour_that_the_kind_does_not_come_in_is_sought_of_what_the_kind_is_one_of(catalog: Catalog) -> None:
    take_in(
        catalog,
        offer("1", "Brown chinos"),
        offer("2", "Navy trousers", color="navy"),
        offer("3", "Navy coat", color="navy"),
        offer("4", "Pink formal shirt", color="pink"),
        offer("5", "White shirt", color="white"),
    )
    chinos = catalog.listings.search(Query(words="navy chinos", size=10))
    assert ([p.name for p in chinos.products], chinos.whole, chinos.left_out) == (
        ["Navy trousers", "Brown chinos"],
        0,
        "",
    )
    shirts = catalog.listings.search(Query(words="흰색 정장 셔츠", size=10))
    assert [p.name for p in shirts.products] == ["White shirt", "Pink formal shirt"]


@pytest.mark.parametrize("typed", ["카키 바지", "카키색 바지", "카키바지", "khaki trousers"])
def test_a_shade_is_found_in_either_language_and_its_family_after_it(catalog: Catalog, typed: str) -> None:
    take_in(
        catalog,
        offer("1", "Black trousers", color="black"),
        offer("2", "Green trousers", color="green"),
        offer("3", "Khaki trousers", color="khaki"),
    )
    page = catalog.listings.search(Query(words=typed, size=10))
    assert ([p.name for p in page.products][:2], page.left_out) == (["Khaki trousers", "Green trousers"], "")


def test_of_a_shade_that_nothing_has_the_family_is_shown(catalog: Catalog) -> None:
    take_in(catalog, offer("1", "Black trousers", color="black"), offer("2", "Green trousers", color="green"))
    page = catalog.listings.search(Query(words="올리브색 바지", size=10))
    assert (page.products[0].name, page.left_out) == ("Green trousers", "올리브색")


def test_a_colour_does_not_turn_a_kind_into_one_beside_it(catalog: Catalog) -> None:
    take_in(catalog, offer("1", "Black skirt", color="black"), offer("2", "White dress", color="white"))
    page = catalog.listings.search(Query(words="흰색 치마", size=10))
    assert ([p.name for p in page.products], page.left_out) == (["Black skirt"], "흰색")


@pytest.mark.parametrize(
    ("typed", "title"),
    [
        ("아이 반팔티", "Kids tee"),
        ("운동복 바지", "Track pants"),
        ("굽 높은 구두", "Black heels"),
        ("구두 굽 높은", "Black heels"),
    ],
)
def test_what_shoppers_call_things_is_understood(catalog: Catalog, typed: str, title: str) -> None:
    take_in(
        catalog, offer("1", "Kids tee"), offer("2", "Track pants"), offer("3", "Black heels"), offer("4", "Men tee")
    )
    assert catalog.listings.search(Query(words=typed, size=10)).products[0].name == title


def test_where_few_products_have_all_words_the_nearest_follow_them(catalog: Catalog) -> None:
    take_in(
        catalog,
        offer("1", "Red dress"),
        offer("2", "Blue dress"),
        offer("3", "Red cap"),
        *(offer(f"s{n}", "White shirt") for n in range(8)),
    )
    page = catalog.listings.search(Query(words="red dress", size=10))
    assert ([p.name for p in page.products], page.whole, page.left_out) == (["Red dress", "Blue dress"], 1, "")
    by_price = catalog.listings.search(Query(words="red dress", sort="price-up", size=10))
    assert ([p.name for p in by_price.products], by_price.whole) == (["Red dress"], None)
    assert catalog.listings.search(Query(words="white shirt", size=10)).whole is None


def test_as_many_are_said_to_come_first_as_do(catalog: Catalog) -> None:
    take_in(
        catalog,
        offer("named", "Belted Trench Coat", category="Women > Jackets"),
        offer("is", "Wool Coat", category="Women > Coats"),
        offer("near", "Denim Jacket", category="Women > Jackets"),
    )
    page = catalog.listings.search(Query(words="coat", size=10))
    assert (page.whole, page.products[0].name) == (1, "Wool Coat")
    assert {product.name for product in page.products[1:]} >= {"Belted Trench Coat"}


@pytest.mark.parametrize(
    ("typed", "brand"),
    [("나이키", "Nike"), ("nike", "나이키"), ("프로보그", "Provogue"), ("와일드크래프트", "Wildcraft")],
)
def test_a_brand_is_found_in_the_other_script(catalog: Catalog, typed: str, brand: str) -> None:
    take_in(catalog, offer("1", f"{brand} Air 250"), offer("2", "Plain mug"), offer("3", "무지 컵", brand="컵나라"))
    page = catalog.listings.search(Query(words=typed, size=10))
    assert [product.name for product in page.products] == [f"{brand} Air 250"]


@pytest.mark.parametrize(
    ("typed", "brand"), [("수박", "Spykar"), ("우주복", "Spykar"), ("비누", "Van"), ("우산", "John"), ("나무", "Nim")]
)
def test_a_word_with_the_consonants_of_a_brand_and_other_vowels_is_not_taken_for_it(
    catalog: Catalog, typed: str, brand: str
) -> None:
    take_in(catalog, offer("1", f"{brand} shirt", brand=brand))
    page = catalog.listings.search(Query(words=typed, size=10))
    assert (page.instead, page.total) == ("", 0)


def test_filters_do_not_make_a_word_a_slip(catalog: Catalog) -> None:
    take_in(catalog, *SHOP)
    page = catalog.listings.search(Query(words="카디건", filters=Filters(shops=("nowhere",)), size=10))
    assert (page.instead, page.total) == ("", 0)


def test_the_more_frequent_of_two_neighbours_is_taken(catalog: Catalog) -> None:
    take_in(catalog, offer("1", "coat"), offer("2", "boat"), offer("3", "boat neck"))
    assert catalog.listings.search(Query(words="xoat", size=10)).instead == "boat"


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
