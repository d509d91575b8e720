"""What a search can be narrowed down to, and how many products each choice would leave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple, cast

import numpy as np

from mapsi.catalog.listings.narrowing import AUDIENCE, COLOR, PRICE, SHOP
from mapsi.catalog.listings.segment import Bools, Codes, Ints, Segment, sorted_unique
from mapsi.catalog.listings.words import Scores
from mapsi.catalog.records import Facets, PriceRange, ShopCount
from mapsi.catalog.store.money import ORDER_DIGITS, from_order

_UNIT = 10**ORDER_DIGITS
_RANGES = 5
_SAMPLE = 4096
_ROUND = (1, 2, 3, 5, 7)


class Matched(NamedTuple):
    """The rows of a segment that hold the words, their scores, and what each kind of filter lets through."""

    segment: Segment
    rows: Bools
    scores: Scores
    masks: Mapping[str, Bools]

    def but_for(self, kind: str) -> Ints:
        """The rows that pass all filters but those of a kind: a choice among shops shows what other shops have."""
        return np.flatnonzero(self._passing(kind))

    @property
    def passing(self) -> Bools:
        """For each row whether it holds the words and passes all filters."""
        return self._passing("")

    @property
    def found(self) -> Ints:
        """The rows that pass all filters."""
        return self.but_for("")

    def _passing(self, left_out: str) -> Bools:
        keep = self.rows
        for kind, mask in self.masks.items():
            if kind != left_out:
                keep = keep & mask
        return keep


def count_facets(parts: Sequence[Matched], shops: Mapping[int, tuple[str, str]]) -> Facets:
    """Counts over the products of several segments, each kind with the filters of the others in force; ``shops`` gives
    slug and name by number. A product counts once for each value that a variant of it has."""
    prices = _Prices(parts)
    axes = sorted({axis for part in parts for axis in part.segment.classes})
    classes = {axis: _count(parts, axis, lambda s, axis=axis: s.classes.get(axis)) for axis in axes}
    return Facets(
        shops=_count_shops(parts, shops),
        classes={axis: counts for axis, counts in classes.items() if counts},
        audiences=cast(Any, _count(parts, AUDIENCE, lambda segment: segment.audience)),
        colors=_count_colors(parts),
        price_min=prices.lowest,
        price_max=prices.highest,
        prices=prices.ranges(),
        offers=sum(count_products(part.segment, part.found) for part in parts),
    )


def count_products(segment: Segment, rows: Ints) -> int:
    """How many products rising ``rows`` are variants of."""
    shared = segment.shared[rows]
    together = segment.group[rows[shared]]
    return int(len(rows) - len(together) + np.count_nonzero(np.diff(together, prepend=-1)))


def _count_by_code(segment: Segment, rows: Ints, codes: Codes) -> Ints:
    """Products by code. Groups rise with the rows, so a product's repeats stand together: what is left is to count each of
    its codes once."""
    groups, found = segment.group[rows].astype(np.int64), codes.codes[rows]
    shared, size = segment.shared[rows], len(codes.values)
    counted = np.bincount(found[~shared], minlength=size)
    if shared.any():
        pairs = sorted_unique(groups[shared] * size + found[shared])
        counted += np.bincount(pairs % size, minlength=size)
    return counted


def _count(parts: Iterable[Matched], kind: str, codes_of: Any) -> tuple[tuple[str, int], ...]:
    counts: Counter[str] = Counter()
    for part in parts:
        codes = codes_of(part.segment)
        if codes is not None:
            counted = _count_by_code(part.segment, part.but_for(kind), codes)
            counts.update({value: int(counted[n]) for n, value in enumerate(codes.values) if value})
    return _most_first(counts)


def _most_first(counts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(((v, n) for v, n in counts.items() if n), key=lambda entry: (-entry[1], entry[0])))


def _count_shops(parts: Iterable[Matched], shops: Mapping[int, tuple[str, str]]) -> tuple[ShopCount, ...]:
    counts: Counter[str] = Counter()
    names = dict(shops.values())
    for segment, rows in ((part.segment, part.but_for(SHOP)) for part in parts):
        # A product is of one shop: its first row tells which.
        first = rows[np.diff(segment.group[rows], prepend=-1) != 0]
        counted = np.bincount(segment.shop[first])
        for number in np.flatnonzero(counted):
            if int(number) in shops:
                counts[shops[int(number)][0]] += int(counted[number])
    return tuple(ShopCount(slug=slug, name=names[slug], count=count) for slug, count in _most_first(counts))


def _count_colors(parts: Iterable[Matched]) -> tuple[tuple[str, int], ...]:
    """A row may have several colours, kept as one value: variants that share one have to be counted apart."""
    counts: Counter[str] = Counter()
    for part in parts:
        segment, rows, codes = part.segment, part.but_for(COLOR), part.segment.colors
        shared = segment.shared[rows]
        alone = np.bincount(codes.codes[rows[~shared]], minlength=len(codes.values))
        families = sorted({family for value in codes.values for family in value.split()})
        together = rows[shared]
        for family in families:
            has = np.array([family in value.split() for value in codes.values])
            several = count_products(segment, together[has[codes.codes[together]]]) if len(together) else 0
            counts[family] += int(alone[has].sum()) + several
    return _most_first(counts)


class _Prices:
    """The prices of what is found whatever the price, as a few ranges of round numbers that hold about as many each."""

    def __init__(self, parts: Sequence[Matched]) -> None:
        self._parts = [(part.segment, part.but_for(PRICE)) for part in parts]
        self._prices = [segment.price[rows] for segment, rows in self._parts if len(rows)]

    @property
    def lowest(self) -> Decimal | None:
        return from_order(min(int(prices.min()) for prices in self._prices)) if self._prices else None

    @property
    def highest(self) -> Decimal | None:
        return from_order(max(int(prices.max()) for prices in self._prices)) if self._prices else None

    def ranges(self) -> tuple[PriceRange, ...]:
        bounds = self._bounds()
        if not bounds:
            return ()
        step = _UNIT if all(not (prices % _UNIT).any() for prices in self._prices) else _UNIT // 100
        edges = [None, *bounds, None]
        found = []
        for low, after in pairwise(edges):
            count = sum(count_products(s, rows[_between(s.price[rows], low, after)]) for s, rows in self._parts)
            if count:
                high = None if after is None else from_order(after - step)
                found.append(PriceRange(low=None if low is None else from_order(low), high=high, count=count))
        return tuple(found) if len(found) > 1 else ()

    def _bounds(self) -> list[int]:
        if not self._prices:
            return []
        every = np.concatenate([prices[:: max(1, len(prices) // _SAMPLE)] for prices in self._prices])
        shares = np.quantile(every, [n / _RANGES for n in range(1, _RANGES)])
        return sorted({rounded for share in shares if (rounded := _round(int(share))) > int(every.min())})


def _round(price: int) -> int:
    """The nearest price with one digit that people count in."""
    scale = int(10 ** (len(str(max(price, 1))) - 1))
    return min([first * scale for first in (*_ROUND, 10)], key=lambda bound: abs(bound - price))


def _between(prices: Ints, low: int | None, after: int | None) -> Bools:
    keep = np.ones(len(prices), np.bool_)
    if low is not None:
        keep &= prices >= low
    if after is not None:
        keep &= prices < after
    return keep
