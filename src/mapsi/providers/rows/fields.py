"""The words of single fields (stock, condition, audience, yes and no), in both languages; nothing here knows a file
format.

What is wrong with a field raises :class:`BadFieldError`, a sentence for the shop's owner.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

from mapsi.catalog.offer import Audience, Availability
from mapsi.providers.rows.bad_field import BadFieldError, shown


def _spelled(**words: str) -> dict[str, str]:
    return {word: meaning for meaning, all_of_it in words.items() for word in all_of_it.split()}


_AVAILABILITIES = _spelled(
    in_stock="instock available availablefororder limitedavailability limitedstock lowstock onlineonly "
    "madetoorder onsale "
    "true yes y 1 판매중 판매 재고있음 재고보유 재고있슴 정상 정상판매 구매가능 판매가능 주문가능 주문제작 있음",
    out_of_stock="outofstock nostock notinstock notavailable unavailable temporarilyoutofstock "
    "temporarilyunavailable soldout "
    "discontinued instoreonly false no n 0 품절 일시품절 매진 완판 단종 절판 재고없음 판매중지 판매중단 판매종료 "
    "판매완료 판매대기 판매금지 구매불가 미판매 일시중지",
    preorder="preorder presale 예약 예약판매 예약판매중 예약상품 예약주문 예약구매 사전예약",
    backorder="backorder backordered onbackorder 입고예정 입고대기 재입고예정 재입고대기",
)
_NEW = frozenset(
    ["new", "brandnew", "newwithtags", "신상품", "신상", "신품", "새상품", "새제품", "새것", "미개봉", "정상"]
)
_NOT_NEW = _spelled(
    used="used preowned secondhand usedlikenew usedgood likenew damaged 중고 중고품 중고상품 구제 빈티지중고",
    refurbished="refurbished refurb renewed reconditioned certifiedrefurbished 리퍼 리퍼상품 리퍼비시 리퍼브 리퍼제품 재생",  # noqa: E501
    returned="openbox returned 반품 반품상품 개봉 개봉상품 단순개봉 전시 전시상품 진열상품 스크래치 스크래치상품 흠집 하자",  # noqa: E501
)
_YES = frozenset(["yes", "y", "true", "t", "1", "adult", "예", "네", "성인", "성인용", "성인상품", "19금"])
_NO = frozenset(["no", "n", "false", "f", "0", "아니오", "아니요", "아님", "일반"])
_AUDIENCES = _spelled(
    women="female f women woman womens ladies lady girls 여성 여자 여 여성용",
    men="male m men man mens gentlemen boys 남성 남자 남 남성용",
    unisex="unisex 공용 남녀공용 남여공용 유니섹스",
)
_CATEGORY_AUDIENCES: tuple[tuple[tuple[str, ...], Audience], ...] = (
    (("출산", "유아", "아동", "키즈", "주니어"), "kids"),
    (("여성",), "women"),
    (("남성",), "men"),
)
_KIDS = frozenset(
    [
        "kids",
        "kid",
        "toddler",
        "infant",
        "newborn",
        "children",
        "child",
        "baby",
        "아동",
        "키즈",
        "유아",
        "영아",
        "어린이",
        "주니어",
        "아기",
    ]
)


@lru_cache(maxsize=1024)  # a feed has few of these words
def _word(text: str) -> str:
    """A field's word as the tables above spell it: composed, small, without blanks and hyphens, without the address and
    the endings that schema.org puts around it."""
    word = re.sub(r"[\s_'’-]", "", unicodedata.normalize("NFKC", text)).casefold()
    if "schema.org/" in word:
        word = word.rpartition("/")[2].removesuffix("condition")
    return word


def parse_availability(text: str) -> Availability:
    """``in_stock``, ``in stock``, ``InStock``, schema.org's address of it, ...; a shop that says nothing has it in
    stock."""
    word = _word(text)
    if not word:
        return "in_stock"
    if word not in _AVAILABILITIES:
        raise BadFieldError(f"The availability {shown(text)} is not known.")
    return _AVAILABILITIES[word]  # type: ignore[return-value]


def parse_condition(text: str) -> str:
    """What a product is where it is not new: ``used``, ``refurbished`` or ``returned``; empty where it is new or the
    shop says nothing."""
    word = _word(text)
    if not word or word in _NEW or word.removesuffix("condition") in _NEW:
        return ""
    kind = _NOT_NEW.get(word) or _NOT_NEW.get(word.removesuffix("condition"))
    if kind is None:
        raise BadFieldError(f"The condition {shown(text)} is not known.")
    return kind


def parse_yes(text: str, field: str) -> bool:
    """``yes`` or ``no`` in the ways that programs and people write them; a shop that says nothing says no."""
    word = _word(text)
    if word and word not in _YES and word not in _NO:
        raise BadFieldError(f"The {field} {shown(text)} is neither yes nor no.")
    return word in _YES


def parse_audience(gender: str, age_group: str) -> Audience | None:
    """For whom an offer is; the age group weighs more than the gender. Words that are not known say nothing."""
    if _word(age_group) in _KIDS or _word(gender) in _KIDS:
        return "kids"
    return _AUDIENCES.get(_word(gender))  # type: ignore[return-value]


def audience_of_category(category: str) -> Audience | None:
    """For whom a category of Naver's tree is: ``패션의류 > 여성의류 > 원피스`` is for women."""
    parts = category.split(" > ")
    for marks, audience in _CATEGORY_AUDIENCES:
        if any(part.startswith(marks) for part in parts):
            return audience
    return None
