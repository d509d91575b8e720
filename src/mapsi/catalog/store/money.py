"""Money as whole numbers of a currency's minor unit, and out again."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache

from babel.numbers import get_currency_precision

LARGEST = 2**63 - 1
"""The largest number a column holds."""
ORDER_DIGITS = 4
"""No currency in use has more decimals than this."""


@lru_cache(maxsize=256)
def minor_digits(currency: str) -> int:
    """Decimals of a currency by CLDR: 0 for KRW and JPY, 2 for most."""
    return min(get_currency_precision(currency), ORDER_DIGITS)


def to_minor(amount: Decimal, currency: str) -> int:
    """Whole minor units, rounded half to even."""
    return int(amount.scaleb(minor_digits(currency)).to_integral_value(ROUND_HALF_EVEN))


def from_minor(minor: int, currency: str) -> Decimal:
    """Units of the currency."""
    return Decimal(minor).scaleb(-minor_digits(currency))


def minor_to_order(minor: int, currency: str) -> int:
    """Ten-thousandths of a unit: the scale on which prices of any currency are compared."""
    return int(minor * 10 ** (ORDER_DIGITS - minor_digits(currency)))


def to_order(amount: Decimal) -> Decimal:
    """A price bound on the scale of :func:`minor_to_order`, not rounded; no higher than a column holds."""
    return min(amount, Decimal(LARGEST // 10**ORDER_DIGITS)).scaleb(ORDER_DIGITS)


def from_order(order: int) -> Decimal:
    """The way back from :func:`minor_to_order`, without trailing zeros."""
    units = Decimal(order).scaleb(-ORDER_DIGITS)
    return units.to_integral_value() if units == units.to_integral_value() else units.normalize()
