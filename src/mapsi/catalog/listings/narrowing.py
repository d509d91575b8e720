"""Filters over the rows of a segment, one mask a kind of filter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_FLOOR

import numpy as np

from mapsi.catalog.filters import Filters
from mapsi.catalog.listings.segment import Bools, Codes, Segment
from mapsi.catalog.store.money import LARGEST, to_order
from mapsi.errors import UsageError

LARGEST_PAGE = 1000
PRICE, SHOP, AUDIENCE, COLOR = "price", "shop", "audience", "color"


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


def masks(segment: Segment, filters: Filters, shops: Mapping[str, int]) -> dict[str, Bools]:
    """The rows that each kind of filter lets through, kinds without a filter left out. Kinds are :data:`PRICE`,
    :data:`SHOP`, :data:`AUDIENCE`, :data:`COLOR` and each axis; ``shops`` gives the number of a slug."""
    found: dict[str, Bools] = {}
    if filters.min_price is not None or filters.max_price is not None:
        found[PRICE] = _in_price_range(segment, filters)
    if filters.shops:
        found[SHOP] = np.isin(segment.shop, [shops[slug] for slug in filters.shops if slug in shops])
    if filters.audiences:
        found[AUDIENCE] = _is_one_of(segment.audience, filters.admitted_audiences)
    if filters.colors:
        wanted = set(filters.colors)
        found[COLOR] = _by_value(segment.colors, (bool(wanted & set(v.split())) for v in segment.colors.values))
    for axis, slugs in filters.classes.items():
        if slugs:
            known = segment.classes.get(axis)
            found[axis] = np.zeros(segment.size, np.bool_) if known is None else _is_one_of(known, slugs)
    return found


def _in_price_range(segment: Segment, filters: Filters) -> Bools:
    keep = np.ones(segment.size, np.bool_)
    if filters.min_price is not None:
        keep &= segment.price >= int(to_order(filters.min_price).to_integral_value(ROUND_CEILING))
    if filters.max_price is not None:
        keep &= segment.price <= int(to_order(filters.max_price).to_integral_value(ROUND_FLOOR))
    return keep


def _is_one_of(codes: Codes, wanted: Iterable[str]) -> Bools:
    known = {value for value in wanted if value}
    return _by_value(codes, (value in known for value in codes.values))


def _by_value(codes: Codes, lets_through: Iterable[bool]) -> Bools:
    return np.fromiter(lets_through, np.bool_, len(codes.values))[codes.codes]
