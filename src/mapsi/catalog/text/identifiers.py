"""The numbers that name one product in every shop: GTINs, and makers' numbers."""

from __future__ import annotations

import re
import unicodedata

_GTIN_LENGTHS = (8, 12, 13, 14)
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
    fewer than three, or where it is the same sign again and again."""
    folded = "".join(letter for letter in unicodedata.normalize("NFKC", text).upper() if letter.isalnum())
    return folded if len(folded) >= 3 and len(set(folded)) > 1 else ""
