"""Filters, orders and pages as SQL over ``listings``."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR
from typing import Any

from sqlalchemy import ColumnElement, exists, select

from mapsi.catalog.database import storable
from mapsi.catalog.filters import SORTS, Filters, Sort
from mapsi.catalog.money import LARGEST, to_order
from mapsi.catalog.tables import Listing, OfferClass, Shop
from mapsi.errors import UsageError

LARGEST_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Window:
    """Page ``number`` (from 1) of ``size`` (1..1000) products."""

    number: int
    size: int

    def __post_init__(self) -> None:
        if self.number < 1 or not 1 <= self.size <= LARGEST_PAGE:
            raise UsageError(f"Pages count from 1 and hold 1 to {LARGEST_PAGE} products.", "Mend page or size.")

    @property
    def offset(self) -> int:
        return min((self.number - 1) * self.size, LARGEST)


def conditions(filters: Filters, listing: type[Listing] = Listing) -> list[ColumnElement[bool]]:
    """What a listing (or an alias of the table) has to meet."""
    found: list[ColumnElement[bool]] = []
    if filters.min_price is not None:
        found.append(listing.price_order >= int(to_order(filters.min_price).to_integral_value(ROUND_CEILING)))
    if filters.max_price is not None:
        found.append(listing.price_order <= int(to_order(filters.max_price).to_integral_value(ROUND_FLOOR)))
    if filters.shops:
        found.append(listing.shop_id.in_(select(Shop.id).where(Shop.slug.in_(_all_storable(filters.shops)))))
    if filters.audiences:
        found.append(listing.audience.in_(filters.admitted_audiences))
    found += [_has_class(listing, axis, slugs) for axis, slugs in sorted(filters.classes.items()) if slugs]
    return found


def _has_class(listing: type[Listing], axis: str, slugs: Iterable[str]) -> ColumnElement[bool]:
    return exists().where(
        OfferClass.offer_id == listing.offer_id,
        OfferClass.axis.in_(_all_storable([axis])),
        OfferClass.slug.in_(_all_storable(slugs)),
    )


def _all_storable(texts: Iterable[str]) -> list[str]:
    return [storable(text, 200) for text in texts]


def order(sort: Sort, likeness: Iterable[ColumnElement[Any]], price: Any, offer_id: Any) -> list[ColumnElement[Any]]:
    """ORDER BY of a sort; prices tie by id. Raises :class:`UsageError` for an unknown one."""
    match sort:
        case "likeness":
            return list(likeness)
        case "price-up":
            return [price.asc(), offer_id.asc()]
        case "price-down":
            return [price.desc(), offer_id.asc()]
    raise UsageError(f"There is no order {sort!r}.", f"There are: {', '.join(SORTS)}.")


def cache_key(filters: Filters) -> Hashable:
    """Filters as something a cache can look up."""
    classes = tuple(sorted((axis, tuple(slugs)) for axis, slugs in filters.classes.items()))
    return (filters.min_price, filters.max_price, filters.shops, classes, filters.audiences)
