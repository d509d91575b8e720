"""What a search can be narrowed down to, and how many products each choice would leave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, cast

from mapsi.catalog.listings.engines.sought import All, HasAny, Sought, Within
from mapsi.catalog.listings.engines.view import View
from mapsi.catalog.listings.matching import AUDIENCE, COLOR, PRICE, SHOP
from mapsi.catalog.records import Facets, PriceRange, ShopCount
from mapsi.catalog.store.money import LARGEST, ORDER_DIGITS, from_order

_UNIT = 10**ORDER_DIGITS
_RANGES = 5
_ROUND = (1, 2, 3, 5, 7)
_AXES = "class"


class FacetCounter:
    """Counts over what is ``sought``, each kind of filter with the others in force; a kind of filter that is
    ``apart`` over what is sought of its own. A product counts once for each value that a variant of it has."""

    def __init__(
        self, view: View, sought: All, filters: Mapping[str, Sought], apart: Mapping[str, All] | None = None
    ) -> None:
        self._view = view
        self._sought = sought
        self._filters = filters
        self._apart = apart or {}

    def count(self, shops: Mapping[int, tuple[str, str]]) -> Facets:
        """The counts; ``shops`` gives slug and name by number."""
        alone = {*self._filters, *self._apart}
        together = self._terms(None, *(kind for kind in (SHOP, AUDIENCE, COLOR) if kind not in alone), _AXES)
        for kind in (SHOP, AUDIENCE, COLOR):
            if kind in alone:
                together |= self._terms(kind, kind)
        classes = _by_axis(together[_AXES])
        for axis in sorted(alone - {PRICE, SHOP, AUDIENCE, COLOR}):
            classes[axis] = _by_axis(self._terms(axis, _AXES)[_AXES]).get(axis, {})
        prices = _Prices(self._view, self._but_for(PRICE))
        return Facets(
            shops=_shop_counts(together[SHOP], shops),
            classes={axis: most_first(counts) for axis, counts in sorted(classes.items()) if counts},
            audiences=cast(Any, most_first(self._with_unisex(together[AUDIENCE]))),
            colors=most_first(together[COLOR]),
            price_min=prices.lowest,
            price_max=prices.highest,
            prices=prices.ranges(),
            offers=self._view.count(self._but_for(None)),
        )

    def _but_for(self, kind: str | None) -> All:
        """All filters but those of a kind: a choice among shops shows what other shops have."""
        kept = [sought for name, sought in self._filters.items() if name != kind]
        return self._apart.get(kind or "", self._sought).narrowed(*kept)

    def _with_unisex(self, counts: Mapping[str, int]) -> dict[str, int]:
        """Who asks for women's or men's clothes is shown unisex ones, too: 49 for women and 42 unisex ones count as 91,
        or 90 where one product has variants of both."""
        if not counts.get("unisex"):
            return dict(counts)
        wide = {slug: self._total(AUDIENCE, [slug, "unisex"]) for slug in ("women", "men") if slug in counts}
        return {**counts, **wide}

    def _total(self, kind: str, values: list[str]) -> int:
        return self._view.count(self._but_for(kind).narrowed(HasAny(kind, tuple(values))))

    def _terms(self, left_out: str | None, *fields: str) -> dict[str, dict[Any, int]]:
        return self._view.values(self._but_for(left_out), *fields)


def most_first(counts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """Values with their counts, the most frequent first, among equals by name; none without a product."""
    return tuple(sorted(((value, n) for value, n in counts.items() if n), key=lambda entry: (-entry[1], entry[0])))


def _by_axis(counts: Mapping[str, int]) -> dict[str, dict[str, int]]:
    apart: dict[str, dict[str, int]] = {}
    for key, count in counts.items():
        axis, _, slug = key.partition(":")
        apart.setdefault(axis, {})[slug] = count
    return apart


def _shop_counts(counts: Mapping[int, int], shops: Mapping[int, tuple[str, str]]) -> tuple[ShopCount, ...]:
    by_slug = {shops[int(number)][0]: count for number, count in counts.items() if int(number) in shops}
    names = dict(shops.values())
    return tuple(ShopCount(slug=slug, name=names[slug], count=count) for slug, count in most_first(by_slug))


class _Prices:
    """The prices of what is found whatever the price, as a few ranges of round numbers that hold about as many each."""

    def __init__(self, view: View, sought: All) -> None:
        self._view = view
        self._sought = sought
        self._found = view.prices(sought, [100 * n / _RANGES for n in range(1, _RANGES)])
        self._step = _UNIT // 100 if self._found.uneven else _UNIT

    @property
    def lowest(self) -> Decimal | None:
        return None if self._found.least is None else from_order(self._found.least)

    @property
    def highest(self) -> Decimal | None:
        return None if self._found.most is None else from_order(self._found.most)

    def ranges(self) -> tuple[PriceRange, ...]:
        bounds = self._bounds()
        if not bounds:
            return ()
        found = tuple(self._counted(bounds))
        return found if len(found) > 1 else ()

    def _counted(self, bounds: Sequence[int]) -> Iterator[PriceRange]:
        low: int | None = None  # of a range that would hold nothing, the next one takes the beginning
        for begin, after in pairwise((None, *bounds, None)):
            # One by one: buckets would count a product once for each price that a variant has.
            within = Within("price", begin or 0, (after or LARGEST + 1) - 1)
            count = self._view.count(self._sought.narrowed(within))
            if count:
                high = None if after is None else from_order(after - self._step)
                yield PriceRange(low=None if low is None else from_order(low), high=high, count=count)
                low = after

    def _bounds(self) -> list[int]:
        least, most = self._found.least, self._found.most
        if least is None or most is None:
            return []
        return sorted({bound for share in self._found.shares if least < (bound := _round(int(share))) <= most})


def _round(price: int) -> int:
    """The nearest price with one digit that people count in."""
    scale = int(10 ** (len(str(max(price, 1))) - 1))
    return min([first * scale for first in (*_ROUND, 10)], key=lambda bound: abs(bound - price))
