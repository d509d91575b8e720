"""The numbers that name one product in every shop: GTINs, and makers' numbers, which mean nothing without the brand."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache

from mapsi.placeholders import stands_for_nothing
from mapsi.taxonomy.synonyms import Meaning

_GTIN_LENGTHS = (8, 12, 13, 14)
LONGEST = 160
"""Characters that a brand with a maker's number has at most; nothing that is one has half as many."""
_SPELLED = """
    NOBRAND NONBRAND UNBRANDED GENERIC NONAME OEM OTHER
    기타 기타브랜드 노브랜드 브랜드없음 자체제작 자체브랜드 보세 상세설명참조 상세페이지참조
"""
_NO_BRAND = frozenset(_SPELLED.split())
"""What shops write for goods that have no brand."""
_RESTRICTED = re.compile(r"0(02|04|2\d|98|99)")
"""In 14 digits: numbers that every shop gives as it likes, and coupons (GS1 General Specifications, 1.4.2)."""


def checked_gtin(text: str) -> str:
    """A GTIN (EAN, UPC, JAN, ISBN-13) as 14 digits; empty where it is none: another length, a wrong check digit, or a
    number for use inside a shop, which two shops give to two things."""
    digits = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", text))
    if not (digits.isascii() and digits.isdigit()) or len(digits) not in _GTIN_LENGTHS or not int(digits):
        return ""
    whole = digits.zfill(14)
    if len(digits) > 8 and _RESTRICTED.match(whole):
        return ""
    # From the left of 14 digits, every other one counts three times; with the last one, the sum is a multiple of ten.
    return whole if sum(int(digit) * (3, 1)[at % 2] for at, digit in enumerate(whole)) % 10 == 0 else ""


def folded_mpn(text: str) -> str:
    """A maker's number as two shops may write it alike: letters and digits alone, in capitals; empty where there are
    fewer than three, no digit, or the same sign again and again, and for words that stand for nothing."""
    if stands_for_nothing(text):
        return ""
    folded = _letters_and_digits(text)
    is_number = len(folded) >= 3 and len(set(folded)) > 1 and any(letter.isdigit() for letter in folded)
    return folded if is_number else ""


class BrandReader:
    """Reads what two shops call one brand as one: letters and digits alone, in capitals, by the name in the table of
    brands where it stands there (``나이키`` and ``Nike`` are ``NIKE``)."""

    def __init__(self, brands: Iterable[Meaning]) -> None:
        self._names = {
            _letters_and_digits(form): _letters_and_digits(brand.name.removeprefix("brand "))
            for brand in brands
            for form in brand.forms
        }
        self.fold = lru_cache(maxsize=10_000)(self._fold)

    def maker_number(self, brand: str, mpn: str) -> str:
        """``NIKE DD1391100``; empty where the brand or the number is missing, or it is longer than
        :data:`LONGEST`."""
        number = folded_mpn(mpn) if mpn else ""
        folded = self.fold(brand) if number else ""
        whole = f"{folded} {number}" if folded else ""
        return whole if len(whole) <= LONGEST else ""

    def _fold(self, brand: str) -> str:
        folded = "" if stands_for_nothing(brand) else _letters_and_digits(brand)
        return "" if folded in _NO_BRAND else self._names.get(folded, folded)


def _letters_and_digits(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFKC", text).upper() if letter.isalnum())
