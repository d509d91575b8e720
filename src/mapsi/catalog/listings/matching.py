"""Units, filters and what has expired, as what is sought in the index of words."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR
from itertools import combinations

from mapsi.catalog.filters import Filters
from mapsi.catalog.listings.engines.product_document import BEGINNING
from mapsi.catalog.listings.engines.sought import (
    All,
    Any,
    Begins,
    Has,
    Nothing,
    SideBySide,
    Sought,
    Within,
    Worth,
    any_of,
)
from mapsi.catalog.store.expiry import Expired
from mapsi.catalog.store.money import LARGEST, to_order
from mapsi.catalog.text.asked import Asked, Clause, Unit
from mapsi.catalog.text.hangul import initials

PRICE, SHOP, AUDIENCE, COLOR = "price", "shop", "audience", "color"
INSIDE = frozenset({"word", "part", "initial"})
_MOST_IN_TIERS = 8  # of so many clauses there are 255 sets


class Matcher:
    """Writes what is sought. ``shops`` gives the database's number of a shop's slug."""

    def __init__(self, shops: Mapping[str, int]) -> None:
        self._shops = shops

    def living(self, expired: Expired) -> All:
        """What has not expired, to be added to what is sought."""
        gone = (("only_shop", expired.shops), ("alone", expired.offers))
        return All(without=tuple(any_of(field, tuple(numbers)) for field, numbers in gone if numbers))

    def asked(self, asked: Asked) -> All:
        """Products that have all needed units, by points."""
        liked = tuple(_scored(clause) for unit in asked.liked for clause in unit.clauses)
        return sum(map(self.has, asked.needed), All(liked=liked))

    def has(self, unit: Unit) -> All:
        """Products that have one unit."""
        first, *more = scored = tuple(map(_scored, unit.clauses))
        return All((first,), liked=tuple(more)) if unit.covered else All((Any(scored),))

    def tiers(self, asked: Asked, is_held: Callable[[Clause], bool]) -> Iterator[Sought]:
        """What :meth:`asked` finds, by points: each query finds the products that have just as many, the first those
        that have the most. None at all where a clause looks inside words, which is too dear to be asked twice.

        ``is_held`` tells whether any product has a clause. Of a covered unit whose clauses a, b and c count 1, 6 and 1
        the queries are: a, b and c; a and b without c; a and c without b; a alone. In general what sums up alike is
        found by one query.
        """
        units = [(unit, [clause for clause in unit.clauses if is_held(clause)]) for unit in asked.units]
        held = [clause for _, clauses in units for clause in clauses]
        if len(set(held)) < len(held) or len(held) > _MOST_IN_TIERS or any(c.field in INSIDE for c in held):
            return
        needed = [unit for unit in units if unit[0] in asked.needed]
        by_points: dict[int, list[frozenset[Clause]]] = {}
        for count in range(len(held) + 1):
            for chosen in map(frozenset, combinations(held, count)):
                if all(_has(unit, chosen & frozenset(clauses)) for unit, clauses in needed):
                    by_points.setdefault(sum(clause.points for clause in chosen), []).append(chosen)
        for points in sorted(by_points, reverse=True):
            sets = (_just(chosen, held) for chosen in by_points[points])
            yield Any(tuple(sets))

    def filters(self, filters: Filters) -> dict[str, Sought]:
        """What each kind of filter lets through, kinds without a filter left out. Kinds are :data:`PRICE`,
        :data:`SHOP`, :data:`AUDIENCE`, :data:`COLOR` and each axis."""
        found: dict[str, Sought] = {}
        if filters.min_price is not None or filters.max_price is not None:
            found[PRICE] = _price_range(filters)
        if filters.shops:
            found[SHOP] = any_of("shop", tuple(self._shops[slug] for slug in filters.shops if slug in self._shops))
        if filters.audiences:
            found[AUDIENCE] = any_of("audience", tuple(filters.admitted_audiences))
        if filters.colors:
            found[COLOR] = any_of("color", tuple(filters.colors))
        for axis, slugs in filters.classes.items():
            if slugs:
                found[axis] = any_of("class", tuple(f"{axis}:{slug}" for slug in slugs))
        return {kind: Worth(sought, 0.0) for kind, sought in found.items()}


def of_offers(offers: Collection[int]) -> Sought:
    """The products of these offers."""
    return Worth(any_of("offer", tuple(offers)), 0.0)


def find(clause: Clause) -> Sought:
    """Products that have a clause."""
    match clause.field:
        case "word":
            return Begins("word", clause.text)
        case "part":
            return SideBySide("part", clause.text)
        case "initial":
            beginning = BEGINNING if len(clause.text) < 3 else ""
            return SideBySide("initial", beginning + initials(clause.text))
        case "class":
            return Has("class_word", clause.text)
        case field:
            return Has(field, clause.text)


def _scored(clause: Clause) -> Sought:
    return Worth(find(clause), float(clause.points))


def _just(chosen: Collection[Clause], among: Sequence[Clause]) -> Sought:
    """Products that have the chosen clauses, and of the others ``among`` which they are none."""
    has, has_not = (tuple(find(c) for c in among if (c in chosen) is wanted) for wanted in (True, False))
    return All(has, without=has_not)


def _has(unit: Unit, found: Collection[Clause]) -> bool:
    """Whether a product with these of its clauses has a unit."""
    return unit.clauses[0] in found if unit.covered else bool(found)


def _price_range(filters: Filters) -> Sought:
    low = 0 if filters.min_price is None else int(to_order(filters.min_price).to_integral_value(ROUND_CEILING))
    high = LARGEST if filters.max_price is None else int(to_order(filters.max_price).to_integral_value(ROUND_FLOOR))
    return Nothing() if low > LARGEST else Within("price", low, min(high, LARGEST))
