"""What a shopper narrows a search down to, and in which order the products come."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from mapsi.catalog.offer import Audience
from mapsi.errors import UsageError

Sort = Literal["likeness", "price-up", "price-down"]
SORTS: tuple[Sort, ...] = ("likeness", "price-up", "price-down")


@dataclass(frozen=True, slots=True, kw_only=True)
class Filters:
    """Only offers that meet all of it. Empty means no restriction; several shops, classes of one axis, audiences or
    colours are alternatives. Prices are inclusive, in units of the offer's currency. ``classes`` maps an axis to class
    slugs, ``colors`` are slugs of colour families. An audience of ``women`` or ``men`` also lets ``unisex`` through."""

    min_price: Decimal | None = None
    max_price: Decimal | None = None
    shops: tuple[str, ...] = ()
    classes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    audiences: tuple[Audience, ...] = ()
    colors: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for bound in (self.min_price, self.max_price):
            if bound is not None and not (bound.is_finite() and bound >= 0):
                raise UsageError(
                    "A price bound must be a number, 0 or more.", "Correct the price filter, or leave it out."
                )
        if self.min_price is not None and self.max_price is not None and self.min_price > self.max_price:
            raise UsageError("The lowest price asked for is above the highest.", "Swap the two.")

    @property
    def admitted_audiences(self) -> tuple[Audience, ...]:
        """The audiences asked for, and unisex where women's or men's clothes are; sorted, empty for no restriction."""
        extra: set[Audience] = {"unisex"} if {"women", "men"} & set(self.audiences) else set()
        return tuple(sorted(extra | set(self.audiences)))

    @property
    def narrows(self) -> bool:
        return self != Filters()
