"""Prices as shops write them -> a number and a currency."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache

DEFAULT_CURRENCY = "KRW"
"""Where a price names none: the shops that leave it out are Korean."""

WHOLE_CURRENCIES = frozenset({"KRW", "JPY", "VND", "CLP", "IDR", "HUF", "ISK", "PYG", "UGX", "XAF", "XOF"})
"""Currencies whose prices have no decimals in practice, so that ``15.000`` means fifteen thousand."""

_CODES = """
    AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF CLP
    CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR
    ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT
    MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD
    SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND
    VUV WST XAF XCD XOF XPF YER ZAR ZMW ZWG
"""
_CURRENCIES = frozenset(_CODES.split())
_SIGNS = {
    "₩": "KRW",
    "원": "KRW",
    "WON": "KRW",
    "$": "USD",
    "US$": "USD",
    "€": "EUR",
    "£": "GBP",
    "¥": "JPY",
    "円": "JPY",
    "엔": "JPY",
    "달러": "USD",
    "유로": "EUR",
}
_PRICE = re.compile(r"([^\d\s.,'+-]*)\s*([0-9][0-9.,' ]*)([^\d\s.,'+-]*)")
_MAX_DIGITS = 12
_MAX_LENGTH = 64


@lru_cache(maxsize=4096)  # a shop's prices repeat
def parse_price(text: str, default: str = DEFAULT_CURRENCY) -> tuple[Decimal, str]:
    """A price such as ``15000 KRW``, ``15,000``, ``₩15,000``, ``15000원``, ``12.50 USD`` or ``1.234,56 EUR`` as amount
    (0 or more) and ISO 4217 code, ``default`` where it names none. Raises :class:`ValueError`."""
    match = _PRICE.fullmatch(unicodedata.normalize("NFKC", text).strip()) if len(text) <= _MAX_LENGTH else None
    if match is None or (match[1] and match[3]):
        raise ValueError(f"not a price: {text!r}")
    sign = (match[1] or match[3]).upper()
    currency = _SIGNS.get(sign, sign) or default
    if currency not in _CURRENCIES:
        raise ValueError(f"not a price: {text!r}")
    number = _plain_number(match[2].replace(" ", "").replace("'", ""), whole=currency in WHOLE_CURRENCIES)
    if len(number.partition(".")[0]) > _MAX_DIGITS or len(number) > 2 * _MAX_DIGITS:
        raise ValueError(f"not a price: {text!r}")
    return Decimal(number), currency


def _plain_number(number: str, *, whole: bool) -> str:
    """Digits with at most one point, the decimal one. Raises :class:`ValueError` where groups of three do not fit.

    With both marks, the last is the decimal one. A single mark before exactly three digits parts thousands if it is a
    comma; a point does so only where the currency has no decimals (Google's rule says that it is decimal).
    """
    mark = "," if number.rfind(",") > number.rfind(".") else "."
    other = "." if mark == "," else ","
    head, _, tail = number.rpartition(mark)
    if not head:
        return _joined(number, mark)
    if mark in head or (len(tail) == 3 and other not in head and (mark == "," or whole)):
        return _joined(number, mark)
    if not tail.isdigit() or (mark == "," and len(tail) > 2):
        raise ValueError(f"not a price: {number!r}")
    return f"{_joined(head, other)}.{tail}"


def _joined(number: str, mark: str) -> str:
    """The digits without the marks that part thousands, each of which has three behind it."""
    first, *groups = number.split(mark)
    if not first.isdigit() or (groups and len(first) > 3) or any(len(g) != 3 or not g.isdigit() for g in groups):
        raise ValueError(f"not a price: {number!r}")
    return first + "".join(groups)
