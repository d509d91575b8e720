"""What something costs at a moment, and when that changes next."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Protocol, TypeVar

Amount_co = TypeVar("Amount_co", Decimal, int, covariant=True)


class Priced(Protocol[Amount_co]):
    """What costs something, and for a time perhaps less: an offer of a feed, a row of the catalogue."""

    @property
    def price(self) -> Amount_co: ...
    @property
    def sale_price(self) -> Amount_co | None: ...
    @property
    def sale_from(self) -> datetime | None: ...
    @property
    def sale_until(self) -> datetime | None: ...


def price_at(offer: Priced[Amount_co], moment: datetime) -> Amount_co:
    """What a shopper pays at a moment: the sale price where it is lower, from ``sale_from`` on and before
    ``sale_until``."""
    begun = offer.sale_from is None or offer.sale_from <= moment
    on_sale = begun and (offer.sale_until is None or moment < offer.sale_until)
    return min(offer.price, offer.sale_price) if on_sale and offer.sale_price is not None else offer.price


def first_after(moment: datetime, *turns: datetime | None) -> datetime | None:
    """The first of these moments that is still to come."""
    return min((turn for turn in turns if turn is not None and turn > moment), default=None)
