"""What stands around the number of a price: words that say what it is, and Korean units -> the number and its signs."""

from __future__ import annotations

import re
from decimal import Decimal

from mapsi.providers.rows.texts import plain

_BEFORE = re.compile(
    r"(?:(?:정|정상|판매|할인|소비자|최저|시중|현재|회원)가(?:격)?|가격|금액|최저|일금|from|starting (?:at|from)|ab|약"
    r"|(?:(?:sale|regular|list|our) )?price)\s*[:=]?\s*(?=\D{0,6}\d)",
    re.IGNORECASE,
)
_AFTER = re.compile(
    r"\s*\(?\s*(?:(?:부가세|부가가치세|vat|tax|세금)\s*포함|incl?(?:\.|uding|uded)?\s*(?:vat|tax)|(?:vat|tax)\s*incl?(?:\.|uded)?)\s*\)?"
    r"|\s*/\s*1?\s*(?:개|장|벌|켤레|족|ea|each|pcs?|pair)|(?<=원)\s*정|\s*이상|(?:\s*(?:[~∼〜]|부터))+",
    re.IGNORECASE,
)
_NO_CENTS = re.compile(r"(?<=\d)[.,](?:--?|–|—)(?!\d)")
_NO_UNITS = re.compile(r"(?<![\d.,])\.(?=\d)")
_KOREAN = re.compile(
    r"(?:(?P<ten_thousands>\d{1,5}(?:\.\d{1,4})?|\d{1,2},\d{3})\s*만)?\s*(?:(?P<thousands>\d{1,4}(?:\.\d{1,3})?)\s*천)?\s*"
    r"(?P<rest>\d{1,4}|\d,\d{3})?\s*원?"
)

_BARE = re.compile(r"\d[\d.,]*\d ?(?:원|[A-Z]{3})?")  # as nine prices of ten are written


def bare_price(text: str, longest: int) -> str:
    """The number and its signs out of ``판매가 29,900원 (VAT 포함)``, ``'29,900``, ``<b>29,900</b>원``, ``.99``;
    empty where that is longer than ``longest`` characters."""
    if _BARE.fullmatch(text) and len(text) <= longest:
        return text
    if "<" in text or "&" in text or not text.isprintable():
        text = plain(text, longest + 1)
    price = text.strip()
    if len(price) > longest:
        return ""
    if len(price) > 1 and price[0] == price[-1] == '"':
        price = price[1:-1].strip()
    # A spreadsheet puts ' before what it keeps as a text.
    price = price.removeprefix("'").removeprefix("+").lstrip()
    if (before := _BEFORE.match(price)) is not None:
        price = price[before.end() :]
    return _NO_UNITS.sub("0.", _NO_CENTS.sub("", _without_end(price)))


def has_units(price: str) -> bool:
    """Whether it counts in ten thousands or thousands, as Korean does."""
    return "만" in price or "천" in price


def in_digits(price: str) -> str:
    """``3만 9천원`` as ``39000원``; what is no such number as it is."""
    match = _KOREAN.fullmatch(price.strip())
    if match is None:
        return price
    units = {"ten_thousands": 10_000, "thousands": 1_000, "rest": 1}
    amount = sum((Decimal((match[name] or "0").replace(",", "")) * unit for name, unit in units.items()), Decimal())
    return f"{amount.normalize():f}원"


def _without_end(price: str) -> str:
    for after in _AFTER.finditer(price):
        if after.end() == len(price):
            return _without_end(price[: after.start()])
    return price
