"""Which class a shop's own words give an offer."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsi.catalog.text.class_from_words import WordClassifier
from mapsi.taxonomy import Axis, Class, Name, Taxonomy, load_taxonomy

SHIPPED = WordClassifier(load_taxonomy())


@pytest.mark.parametrize(
    ("title", "garment"),
    [
        ("Oxford shirt", "shirt"),
        ("Basic T-Shirt", "t-shirt"),
        ("basic t-shirts 3 pack", "t-shirt"),
        ("베이직 티셔츠", "t-shirt"),
        ("린넨셔츠", "shirt"),
        ("울 롱코트", "coat"),
        ("나이키 스니커즈 신발", "sneakers"),
        ("크로스백", "bag"),
        ("Summer DRESSES", "dress"),
        ("Dressed up", None),
        ("Shirtless", None),
        ("셔츠 원피스", None),
        ("Short pants", "shorts"),
        ("그냥 좋은 옷", None),
    ],
)
def test_the_words_of_a_title(title: str, garment: str | None) -> None:
    assert SHIPPED.classes(title, "").get("garment") == garment


@pytest.mark.parametrize(
    ("title", "style"),
    [
        ("린넨 셔츠", "linen-shirt"),
        ("린넨셔츠", "linen-shirt"),
        ("와이드팬츠", "wide-pants"),
        ("와이드 데님 팬츠", None),
        ("체크 셔츠", "nanbang"),
        ("Men's cardigan", "men-cardigan"),
        ("MENS CARDIGANS", "men-cardigan"),
        ("Cardigan", None),
        ("dress shirts", "shirt"),
        ("락시크 오버핏 재킷", None),
    ],
)
def test_longer_words_hide_the_ones_inside(title: str, style: str | None) -> None:
    assert SHIPPED.classes(title, "").get("style") == style


def test_of_a_class_and_a_kind_of_it_the_kind_counts() -> None:
    assert SHIPPED.classes("Shoes, sneakers", "")["garment"] == "sneakers"
    assert "garment" not in SHIPPED.classes("Sneakers and boots", "")


def test_for_whom_and_which_colour_are_no_classes_of_an_offer() -> None:
    assert set(SHIPPED.classes("Women black dress", "")) == {"garment", "style"}


def test_the_category_counts_only_where_the_title_says_nothing() -> None:
    assert SHIPPED.classes("데일리 기본템", "Women > Dresses") == {"garment": "dress", "style": "one-piece"}
    assert SHIPPED.classes("Denim jacket", "Women > Dresses")["garment"] == "jacket"
    assert "garment" not in SHIPPED.classes("셔츠 원피스", "Women > Dresses")


def test_the_audience_makes_no_cardigan() -> None:
    assert "style" not in SHIPPED.classes("가디건", "Women > Cardigans")


# --- against the rule, read slowly -----------------------------------------------------------------------------------

PIECES = (
    "셔츠",
    "티셔츠",
    "린넨 셔츠",
    "린넨",
    "shirt",
    "t shirt",
    "linen shirt",
    "dress",
    "one dress",
    "체크 셔츠 dress",
)
texts = st.lists(st.sampled_from([*PIECES, "s", "es", "셔", "츠", "one", "t", "x"]), max_size=6).flatmap(
    lambda parts: st.lists(st.sampled_from([" ", ""]), min_size=len(parts), max_size=len(parts)).map(
        lambda joints: "".join(a + b for a, b in zip(parts, joints, strict=True))
    )
)
word_lists = st.lists(st.lists(st.sampled_from(PIECES), min_size=1, max_size=3), min_size=2, max_size=4)


@given(word_lists, texts)
def test_the_fast_way_finds_what_the_slow_one_finds(classes: list[list[str]], text: str) -> None:
    axis = Axis(
        "a",
        Name("a", "a"),
        {},
        tuple(Class(f"c{n}", Name(ws[0], ws[0]), tuple(ws), "g") for n, ws in enumerate(classes)),
    )
    spaced = " ".join(re.findall("[가-힣]+|[a-z0-9]+", text))
    finds = {(s, e, f"c{n}") for n, ws in enumerate(classes) for word in ws for s, e in slow_finds(word, spaced)}
    left = {c for s, e, c in finds if not any(a <= s and e <= b and (a, b) != (s, e) for a, b, _ in finds)}
    expected = {"a": next(iter(left))} if len(left) == 1 else {}
    assert WordClassifier(Taxonomy({"a": axis})).classes(text, "") == expected


def slow_finds(word: str, spaced: str) -> set[tuple[int, int]]:
    """Every span of a text that reads as the word."""
    spans = ((s, e) for s in range(len(spaced)) for e in range(s + 1, len(spaced) + 1))
    return {(s, e) for s, e in spans if reads_as(word, spaced[s:e]) and borders_fit(spaced, s, e)}


def reads_as(word: str, span: str) -> bool:
    forms = [word] if "가" <= word[-1] <= "힣" else [word, word + "s", word + "es"]
    return any(span in (form, re.sub("(?<=[가-힣]) (?=[가-힣])", "", form)) for form in forms)


def borders_fit(spaced: str, start: int, end: int) -> bool:
    before_is_word = start > 0 and spaced[start - 1] != " "
    after_is_word = end < len(spaced) and spaced[end] != " "
    return not (spaced[start].isascii() and before_is_word) and not (spaced[end - 1].isascii() and after_is_word)


@pytest.mark.parametrize(
    ("title", "style", "garment"),
    [
        ("베이직 반팔 티셔츠", None, "t-shirt"),
        ("린넨 셔츠", "linen-shirt", "shirt"),
        ("린넨셔츠", "linen-shirt", "shirt"),
        ("옥스포드 셔츠", "shirt", "shirt"),
        ("와이드 팬츠", "wide-pants", "pants"),
        ("린넨 티셔츠", None, "t-shirt"),
    ],
)
def test_a_mere_part_of_another_axis_word_says_nothing(title: str, style: str | None, garment: str) -> None:
    found = WordClassifier(load_taxonomy()).classes(title, "")
    assert (found.get("style"), found.get("garment")) == (style, garment)
