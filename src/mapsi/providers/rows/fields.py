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
    in_stock="instock available availablenow availablefororder limited limitededition limitedavailability "
    "limitedstock "
    "lowstock onlineonly madetoorder onsale sale selling orderable active enabled on true yes y 1 판매중 판매 판매함 "
    "재고있음 재고보유 재고있슴 재고부족 정상 정상판매 구매가능 판매가능 주문가능 주문제작 있음 진열 진열함 전시중 "
    "노출 노출함 공개 "
    "품절임박 한정수량 소량 재입고 재입고완료",
    out_of_stock="outofstock nostock notinstock notavailable unavailable temporarilyoutofstock "
    "temporarilyunavailable "
    "soldout sold discontinued ended expired inactive disabled off hidden comingsoon suspension prohibition wait "
    "close "
    "closed delete deleted unadmission instoreonly false no n 0 품절 품절상품 일시품절 매진 완판 단종 절판 "
    "재고없음 판매중지 "
    "판매중단 판매종료 판매완료 판매대기 판매금지 판매안함 구매불가 미판매 일시중지 진열안함 미진열 노출안함 "
    "미노출 비공개 숨김 "
    "삭제 출시예정 오픈예정 발매예정 판매예정",
    preorder="preorder presale 예약 예약판매 예약판매중 예약상품 예약주문 예약구매 사전예약",
    backorder="backorder backordered onbackorder 입고예정 입고대기 재입고예정 재입고대기",
)
_NEW = frozenset(
    [
        "new",
        "brandnew",
        "newwithtags",
        "신상품",
        "신상",
        "신품",
        "신제품",
        "새상품",
        "새제품",
        "새것",
        "미개봉",
        "정상",
        "정상품",
    ]
)
_NOT_NEW = _spelled(
    used="used preowned secondhand usedlikenew usedgood likenew damaged vintage 중고 중고품 중고상품 구제 빈티지 "
    "빈티지중고",
    refurbished="refurbished refurb renewed reconditioned certifiedrefurbished 리퍼 리퍼상품 리퍼비시 리퍼브 리퍼제품 재생",  # noqa: E501
    returned="openbox returned 반품 반품상품 개봉 개봉상품 단순개봉 전시 전시상품 진열상품 스크래치 스크래치상품 흠집 하자 b급 b급상품",  # noqa: E501
)
_YES, _NO = (
    frozenset(words.split())
    for words in (
        "yes y true t on o 1 18 18+ 19 19+ adult 예 네 성인 성인용 성인상품 19금 19세이상 청소년불가 청소년구매불가 "
        "청소년이용불가 미성년자구매불가",
        "no n false f off x 0 all 아니오 아니요 아님 일반 전체 전체이용가 청소년가능",
    )
)
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
_STOCK = re.compile(
    r"(?:재고(?:수량)?:?|stock:?|qty:?|instock:?)?(\d{1,7})(?:개|장|점|벌|pcs?|left|instock|개남음|개보유)?"
)
_BRACKETED = re.compile(r"[(\[][^()\[\]]*[)\]]$")
_GRADE = re.compile(r"^[sab]급(?=중고)")


@lru_cache(maxsize=1024)  # a feed has few of these words
def _word(text: str) -> str:
    """A field's word as the tables above spell it: composed, lower case, without blanks and hyphens, without the
    address and the endings that schema.org puts around it."""
    word = re.sub(r"[\s_'’-]", "", unicodedata.normalize("NFKC", text)).casefold()
    if "schema.org/" in word:
        word = word.rpartition("/")[2].removesuffix("condition")
    return word


def parse_availability(text: str) -> Availability:
    """``in_stock``, ``in stock (online)``, ``InStock``, schema.org's address of it, how many there are (``3``, ``재고
    3개``), ...; a shop that says nothing has it in stock."""
    word = _word(text)
    if not word:
        return "in_stock"
    if stock := _STOCK.fullmatch(word):
        return "in_stock" if stock[1].strip("0") else "out_of_stock"
    word = _BRACKETED.sub("", word).rstrip(".!")
    if word not in _AVAILABILITIES:
        raise BadFieldError(f"The availability {shown(text)} is not known.")
    return _AVAILABILITIES[word]  # type: ignore[return-value]


def parse_condition(text: str) -> str:
    """What a product is where it is not new: ``used``, ``refurbished`` or ``returned``; empty where it is new or the
    shop says nothing."""
    word = _GRADE.sub("", _BRACKETED.sub("", _word(text)))
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
