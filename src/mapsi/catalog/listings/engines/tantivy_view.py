"""What tantivy answers: what is sought as its queries, and a state of an index of it."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from tantivy import DocAddress, FieldType, Occur, Order, Query, Schema, Searcher

from mapsi.catalog.listings.engines import sought
from mapsi.catalog.listings.engines.sought import Sought
from mapsi.catalog.listings.engines.view import Found, Hit, Prices
from mapsi.catalog.listings.engines.view import Order as By

_MOST_VALUES = 10_000
_ORDERS: Mapping[By, dict[str, Any]] = {
    "points": {"weight_by_field": "weight"},
    "newest": {"order_by_field": "newest"},
    "price-up": {"order_by_field": "price_up", "order": Order.Asc},
    "price-down": {"order_by_field": "price_down", "order": Order.Desc},
}


@dataclass(frozen=True, slots=True)
class TantivyView:
    """A :class:`~mapsi.catalog.listings.engines.view.View` that no later writing changes."""

    schema: Schema
    searcher: Searcher
    generation: int

    @property
    def scores_dearly(self) -> bool:
        return True

    @classmethod
    def of(cls, schema: Schema, searcher: Searcher) -> TantivyView:
        found = searcher.search(Query.term_query(schema, "meta", 1, "basic"), 1).hits
        (generation,) = searcher.fast_field_values("generation", [found[0][1]]) if found else (-1,)
        return cls(schema, searcher, int(generation or 0) if found else -1)

    @property
    def size(self) -> int:
        return self.searcher.num_docs - 1

    def look(self, sought: Sought, size: int, *, offset: int = 0, order: By = "points") -> Found:
        offset = min(offset, self.searcher.num_docs)
        found: Any = self.searcher.search(self._query(sought), size, offset=offset, **_ORDERS[order])
        return Found(self._hits([address for _, address in found.hits]), int(found.count))

    def _hits(self, addresses: list[DocAddress]) -> list[Hit]:
        values = self.searcher.fast_field_values
        offers, variants = values("newest", addresses), values("variants", addresses)
        return [
            Hit(int(cast(int, offer)), count == 1, address)
            for offer, count, address in zip(offers, variants, addresses, strict=True)
        ]

    def count(self, sought: Sought) -> int:
        """Nothing is scored: at a million a fourth of what a search takes."""
        found: Any = self.searcher.search(Query.const_score_query(self._query(sought), 0.0), 1)
        return int(found.count)

    def variants(self, hit: Hit) -> list[int]:
        return [int(offer) for offer in self.searcher.doc(hit.place).get_all("offer")]

    def values(self, sought: Sought, *fields: str) -> dict[str, dict[Any, int]]:
        asked = {field: {"terms": {"field": field, "size": _MOST_VALUES}} for field in fields}
        found = self.searcher.aggregate(self._query(sought), asked)
        return {field: {each["key"]: each["doc_count"] for each in found[field]["buckets"]} for field in fields}

    def prices(self, sought: Sought, percents: Sequence[float]) -> Prices:
        found = self.searcher.aggregate(
            self._query(sought),
            {
                "bounds": {"stats": {"field": "price"}},
                "shares": {"percentiles": {"field": "price", "percents": list(percents)}},
                "uneven": {"stats": {"field": "uneven"}},
            },
        )
        least, most = found["bounds"]["min"], found["bounds"]["max"]
        return Prices(
            least=None if least is None else int(least),
            most=None if most is None else int(most),
            shares=[value for value in found["shares"]["values"].values() if value is not None],
            uneven=bool(found["uneven"]["max"]),
        )

    def holds(self, tokens: Collection[tuple[str, str]]) -> bool:
        return any(self.searcher.doc_freq(field, token) for field, token in tokens)

    def frequencies(self, field: str, tokens: Collection[str]) -> dict[str, int]:
        return {token: self.searcher.doc_freq(field, token) for token in tokens}

    def beginning_with(self, field: str, beginning: str, most: int) -> list[tuple[str, int]]:
        return self.searcher.terms_with_prefix(field, beginning, None, most)

    def products_of(self, offers: Collection[int]) -> tuple[set[int], set[int]]:
        """The numbers of the products that have any of these offers, and all offers of theirs."""
        if not offers:
            return set(), set()
        query = Query.term_set_query(self.schema, "offer", list(offers))
        addresses = [address for _, address in self.searcher.search(query, len(offers)).hits]
        numbers = {int(number or 0) for number in self.searcher.fast_field_values("product", addresses)}
        return numbers, {offer for address in addresses for offer in self.searcher.doc(address).get_all("offer")}

    def _query(self, each: Sought) -> Query:
        match each:
            case sought.Worth(inside, points):
                return Query.const_score_query(self._query(inside), points)
            case sought.All(of, liked, without):
                kinds = ((Occur.Must, of), (Occur.Should, liked), (Occur.MustNot, without))
                return Query.boolean_query([(occur, self._query(one)) for occur, some in kinds for one in some])
            case sought.Any(of):
                return Query.boolean_query([(Occur.Should, self._query(one)) for one in of])
            case _:
                return self._leaf(each)

    def _leaf(self, each: Sought) -> Query:
        match each:
            case sought.Has(field, value):
                query = self._term(field, value)
            case sought.HasAny(field, values):
                query = Query.term_set_query(self.schema, field, list(values))
            case sought.Begins(field, text):
                query = Query.regex_query(self.schema, field, f"{re.escape(text)}.*")
            case sought.SideBySide(field, text):
                query = self._side_by_side(field, text)
            case sought.Within(field, low, high):
                query = Query.range_query(self.schema, field, FieldType.Unsigned, low, high)
            case sought.Every():
                query = Query.const_score_query(self._term("meta", 0), 0.0)
            case _:
                query = Query.empty_query()
        return query

    def _side_by_side(self, field: str, text: str) -> Query:
        tokens = pairs(text)
        if not tokens:
            return self._term("syllable", text)
        return self._term(field, tokens[0]) if len(tokens) == 1 else Query.phrase_query(self.schema, field, [*tokens])

    def _term(self, field: str, value: int | str) -> Query:
        return Query.term_query(self.schema, field, value, "basic")


def pairs(word: str) -> list[str]:
    """Two letters at a time, side by side: 원피스 as 원피 and 피스."""
    return [word[at : at + 2] for at in range(len(word) - 1)]
