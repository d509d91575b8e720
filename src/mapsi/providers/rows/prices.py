"""Prices as shops write them -> a number and a currency."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from functools import lru_cache

from mapsi.providers.rows.price_words import bare_price, has_units, in_digits
from mapsi.providers.rows.texts import MAX_FIELD

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
_DOLLARS = (
    "USD AUD BBD BMD BND BSD BZD CAD CLP COP DOP FJD GYD HKD JMD KYD LRD MXN NAD NIO NZD SBD SGD SRD TTD TWD UYU XCD"
)
_SIGNS: dict[str, tuple[str, ...]] = {
    sign: tuple(codes.split())
    for signs, codes in {
        "₩ 원 WON W \\": "KRW KPW",  # a backslash is a won sign in the code page of Korean Windows
        "$ 달러": _DOLLARS,
        "US$ U$ US 미달러": "USD",
        "A$ AU$ AU": "AUD",
        "C$ CA$ CA": "CAD",
        "HK$ HK": "HKD",
        "NT$ NT": "TWD",
        "S$": "SGD",
        "NZ$ NZ": "NZD",
        "MX$": "MXN",
        "R$": "BRL",
        "€ EURO 유로": "EUR",
        "£ 파운드": "GBP EGP FKP GIP LBP SDG SHP SYP",
        "¥": "JPY CNY",
        "円 엔": "JPY",
        "元 RMB CN¥ 위안": "CNY",
        "JP¥": "JPY",
        "₹": "INR",
        "RS RS.": "INR PKR LKR NPR",
        "₫ Đ": "VND",
        "฿ 바트": "THB",
        "₽ РУБ РУБ.": "RUB",
        "₺ TL": "TRY",
        "₪": "ILS",
        "₱": "PHP",
        "₴": "UAH",
        "₸": "KZT",
        "ZŁ": "PLN",
        "KČ": "CZK",
        "FT": "HUF",
        "FR FR. SFR.": "CHF",
        "RM": "MYR",
        "RP": "IDR",
        "KR KR.": "- SEK NOK DKK ISK",  # which of them, the sign alone does not say
    }.items()
    for sign in signs.split()
}
_LAKHS = frozenset({"INR", "PKR", "BDT", "NPR", "LKR"})
"""Currencies whose groups above a thousand have two digits: ``1,23,456``."""

_MARKS = str.maketrans("’‘`´＇،٫", "''''',.")
_RANGE = re.compile(r"(.*\d.*?)\s*(?:[~∼〜–—-]|\bto\b)\s*(.*\d.*)", re.IGNORECASE)
_PRICE = re.compile(r"([^\d+-]*?)\s*([0-9](?:[0-9.,' ]*[0-9])?)\s*([^\d+-]*)")
_PARTED = re.compile(r"\d{1,3}(?:[ ']\d{3})+(?:[.,]\d+)?")
_LAKH = re.compile(r"\d{1,2}(?:,\d\d)+,\d{3}(?:\.\d+)?")
_MAX_DIGITS = 12
_MAX_LENGTH = 64


@lru_cache(maxsize=4096)  # a shop's prices repeat
def parse_price(text: str, stated: str = "") -> tuple[Decimal, str]:
    """``15,000``, ``₩15,000``, ``15000원``, ``15000 KRW``, ``$12.50 USD``, ``R$ 129,90``, ``1.234,56 EUR`` as amount (0
    or more) and ISO 4217 code. ``15000 - 20000`` and ``15000~`` are read as the lowest price.

    ``stated`` is what the feed says elsewhere: it settles which dollar a ``$`` is, and stands in where there is no sign
    at all; without it that is the won. A price that names another currency keeps its own. Raises :class:`ValueError`.
    """
    price = bare_price(unicodedata.normalize("NFKC", text[:MAX_FIELD].translate(_MARKS)), _MAX_LENGTH)
    both = _RANGE.fullmatch(price)
    try:
        parts = [_number_and_signs(part) for part in _in_won(both.groups() if both else (price,))]
        currency = _currency_of([sign for _, signs in parts for sign in signs], stated)
        amounts = [_amount(number, currency) for number, _ in parts]
    except ValueError as error:
        raise ValueError(f"not a price: {text!r}") from error
    if amounts != sorted(amounts):
        raise ValueError(f"not a price: {text!r}")
    return amounts[0], currency


def parse_currency(text: str) -> str:
    """A code or a sign as a code; raises :class:`ValueError` where it is none, or may be several."""
    word = unicodedata.normalize("NFKC", text).strip().upper()
    if word in _CURRENCIES:
        return word
    found = _SIGNS.get(word, ("-",))[0]
    if found == "-":
        raise ValueError(f"not a currency: {text!r}")
    return found


def _in_won(parts: tuple[str, ...]) -> list[str]:
    """Korean units written out. ``1~2만원`` may be one won or ten thousand."""
    if not any(map(has_units, parts)):
        return list(parts)
    written = [in_digits(part) for part in parts]
    if any(not (has_units(part) or "원" in part) for part in parts):
        raise ValueError("units of one end only")
    return written


def _number_and_signs(text: str) -> tuple[str, list[str]]:
    match = _PRICE.fullmatch(text.strip())
    if match is None:
        raise ValueError("no number")
    words = [word.strip(":=") for word in f"{match[1]} {match[3]}".upper().split()]
    return match[2], [sign for word in words for sign in _apart(word)]


def _apart(word: str) -> tuple[str, ...]:
    """``KRW₩`` names its currency twice."""
    code, sign = word[:3], word[3:]
    return (code, sign) if code in _CURRENCIES and sign in _SIGNS else (word,)


def _currency_of(signs: list[str], stated: str) -> str:
    """The one currency that all signs can mean; ``stated`` decides where that is several."""
    meant: tuple[str, ...] = ()
    for sign in signs:
        codes = (sign,) if sign in _CURRENCIES else _SIGNS.get(sign, ())
        meant = tuple(code for code in meant if code in codes) if meant else codes
        if not meant:
            raise ValueError("signs that disagree or are not currencies")
    if not signs or stated in meant:
        return stated or DEFAULT_CURRENCY
    if meant[0] == "-":
        raise ValueError("a sign of several currencies")
    return meant[0]


def _amount(number: str, currency: str) -> Decimal:
    if currency in _LAKHS and _LAKH.fullmatch(number):
        number = number.replace(",", "")
    if " " in number or "'" in number:
        if not _PARTED.fullmatch(number):
            raise ValueError("digits that are not grouped in thousands")
        number = number.replace(" ", "").replace("'", "")
    number = _plain_number(number, whole=currency in WHOLE_CURRENCIES)
    if len(number.partition(".")[0]) > _MAX_DIGITS or len(number) > 2 * _MAX_DIGITS:
        raise ValueError("too long a number")
    return Decimal(number)


def _plain_number(number: str, *, whole: bool) -> str:
    """Digits with at most one point, the decimal one. Raises :class:`ValueError` where groups of three do not fit.

    With both marks, the last is the decimal one. A single mark before exactly three digits parts thousands if it is a
    comma; a point does so only where the currency has no decimals (Google's rule says that it is decimal), and more
    than three digits before it say that it is none (``29000.000``, as databases write amounts).
    """
    mark = "," if number.rfind(",") > number.rfind(".") else "."
    other = "." if mark == "," else ","
    head, _, tail = number.rpartition(mark)
    if not head:
        return _joined(number, mark)
    parts_thousands = len(tail) == 3 and other not in head and (mark == "," or (whole and len(head) <= 3))
    if mark in head or parts_thousands:
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
