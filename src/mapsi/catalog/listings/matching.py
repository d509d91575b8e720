"""Units, filters and what has expired, as queries of the index of words."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR
from itertools import combinations

from tantivy import FieldType, Occur, Query, Schema

from mapsi.catalog.filters import Filters
from mapsi.catalog.listings.word_index import BEGINNING, pairs
from mapsi.catalog.store.expiry import Expired
from mapsi.catalog.store.money import LARGEST, to_order
from mapsi.catalog.text.asked import Asked, Clause, Unit
from mapsi.catalog.text.hangul import initials

PRICE, SHOP, AUDIENCE, COLOR = "price", "shop", "audience", "color"
Clauses = list[tuple[Occur, Query]]
INSIDE = frozenset({"word", "part", "initial"})
_MOST_IN_TIERS = 8  # of so many clauses there are 255 sets


class Matcher:
    """Writes queries. ``shops`` gives the database's number of a shop's slug."""

    def __init__(self, schema: Schema, shops: Mapping[str, int]) -> None:
        self._schema = schema
        self._shops = shops

    def everything(self, expired: Expired) -> Clauses:
        """All products that are shown."""
        shown: Clauses = [(Occur.Must, _unscored(self._term("meta", 0)))]
        if expired.shops:
            shown.append((Occur.MustNot, self._any("only_shop", expired.shops)))
        if expired.offers:
            shown.append((Occur.MustNot, self._any("alone", expired.offers)))
        return shown

    def asked(self, asked: Asked) -> Clauses:
        """Products that have all needed units, by points."""
        clauses: Clauses = []
        for unit in asked.needed:
            clauses += self._needed(unit)
        for unit in asked.liked:
            clauses += self._liked(unit)
        return clauses

    def _needed(self, unit: Unit) -> Iterator[tuple[Occur, Query]]:
        scored = [self._clause(clause) for clause in unit.clauses]
        if unit.covered:
            yield Occur.Must, scored[0]
            yield from ((Occur.Should, query) for query in scored[1:])
        else:
            yield Occur.Must, Query.boolean_query([(Occur.Should, query) for query in scored])

    def tiers(self, asked: Asked, is_held: Callable[[Clause], bool]) -> Iterator[Query]:
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
            sets = (self._just(chosen, held) for chosen in by_points[points])
            yield Query.boolean_query([(Occur.Should, query) for query in sets])

    def _just(self, chosen: Collection[Clause], among: Sequence[Clause]) -> Query:
        """Products that have the chosen clauses, and of the others ``among`` which they are none."""
        parts = [(Occur.Must if clause in chosen else Occur.MustNot, self.find(clause)) for clause in among]
        return Query.boolean_query(parts)

    def _liked(self, unit: Unit) -> Iterator[tuple[Occur, Query]]:
        yield from ((Occur.Should, self._clause(clause)) for clause in unit.clauses)

    def has(self, unit: Unit) -> Query:
        """Products that have one unit."""
        return Query.boolean_query(list(self._needed(unit)))

    def _clause(self, clause: Clause) -> Query:
        return Query.const_score_query(self.find(clause), float(clause.points))

    def find(self, clause: Clause) -> Query:
        """Products that have a clause."""
        match clause.field:
            case "word":
                return Query.regex_query(self._schema, "word", f"{re.escape(clause.text)}.*")
            case "part" if len(clause.text) == 1:
                return self._term("syllable", clause.text)
            case "part":
                return self._side_by_side("part", pairs(clause.text))
            case "initial":
                beginning = BEGINNING if len(clause.text) < 3 else ""
                return self._side_by_side("initial", pairs(beginning + initials(clause.text)))
            case "class":
                return self._term("class_word", clause.text)
            case field:
                return self._term(field, clause.text)

    def _side_by_side(self, field: str, tokens: list[str]) -> Query:
        if len(tokens) == 1:
            return self._term(field, tokens[0])
        return Query.phrase_query(self._schema, field, list(tokens))

    def filters(self, filters: Filters) -> dict[str, Query]:
        """What each kind of filter lets through, kinds without a filter left out. Kinds are :data:`PRICE`,
        :data:`SHOP`, :data:`AUDIENCE`, :data:`COLOR` and each axis."""
        found: dict[str, Query] = {}
        if filters.min_price is not None or filters.max_price is not None:
            found[PRICE] = self._price_range(filters)
        if filters.shops:
            found[SHOP] = self._any("shop", [self._shops[slug] for slug in filters.shops if slug in self._shops])
        if filters.audiences:
            found[AUDIENCE] = self._any("audience", filters.admitted_audiences)
        if filters.colors:
            found[COLOR] = self._any("color", filters.colors)
        for axis, slugs in filters.classes.items():
            if slugs:
                found[axis] = self._any("class", [f"{axis}:{slug}" for slug in slugs])
        return {kind: _unscored(query) for kind, query in found.items()}

    def offers(self, offers: Collection[int]) -> Query:
        """The products of these offers."""
        return _unscored(self._any("offer", offers))

    def _price_range(self, filters: Filters) -> Query:
        low = 0 if filters.min_price is None else int(to_order(filters.min_price).to_integral_value(ROUND_CEILING))
        high = LARGEST if filters.max_price is None else int(to_order(filters.max_price).to_integral_value(ROUND_FLOOR))
        if low > LARGEST:
            return Query.empty_query()
        return Query.range_query(self._schema, "price", FieldType.Unsigned, low, min(high, LARGEST))

    def _any(self, field: str, values: Collection[int] | Collection[str]) -> Query:
        return Query.term_set_query(self._schema, field, list(values)) if values else Query.empty_query()

    def _term(self, field: str, value: int | str) -> Query:
        return Query.term_query(self._schema, field, value, "basic")


def _has(unit: Unit, found: Collection[Clause]) -> bool:
    """Whether a product with these of its clauses has a unit."""
    return unit.clauses[0] in found if unit.covered else bool(found)


def _unscored(query: Query) -> Query:
    return Query.const_score_query(query, 0.0)
