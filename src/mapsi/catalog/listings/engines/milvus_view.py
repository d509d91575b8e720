"""What Milvus answers of words: what is sought as its filters and as a vector of points, and a state of an index of it.

Milvus has no counts by value and no dictionary of words: the former are counted in a sample of what is found, the
latter is a collection of its own beside the products. What differs from tantivy is in docs/milvus.md.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any, TypeVar

import numpy as np
from cachetools import LRUCache

from mapsi.batches import batched
from mapsi.catalog.listings.engines import sought
from mapsi.catalog.listings.engines.milvus_tokens import CHEAPEST, DEAREST, NEWEST, dimension, side_by_side, token
from mapsi.catalog.listings.engines.product_document import SEPARATOR
from mapsi.catalog.listings.engines.sought import Sought
from mapsi.catalog.listings.engines.view import Found, Hit, Order, Prices
from mapsi.catalog.listings.engines.word_index import DamagedIndexError
from mapsi.errors import ArtifactError
from mapsi.milvus import MOST, MilvusClient, MilvusConnection

SECONDS = 5.0
"""Seconds to wait for an answer."""
SAMPLE = 5_000
"""Of more products than this, values and prices are counted in about so many drawn by lot."""
LOTS = 1_000_000
TERMS = "_terms"
_EXPANDED = 1_000
"""Words that the beginning of one stands for, the most frequent of them."""
_VERIFIED = 5
_REMEMBERED = 4096
_OUTWEIGHS = 10.0
_NONE = "number < 0 and number > 0"
_PLAIN = frozenset({"alone", "only_shop"})
_LISTS = frozenset({"shop", "offer"})
_ORDERS: Mapping[Order, Mapping[int, float]] = {
    "newest": {NEWEST: 1.0},
    "price-up": {CHEAPEST: 1.0},
    "price-down": {DEAREST: 1.0},
}

_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class MilvusView:
    """A :class:`~mapsi.catalog.listings.engines.view.View` of the collection; what is written later is seen in it too.
    ``newest`` is the highest number of an offer in it. What was counted once is not counted again, so that all pages of
    an answer tell one total."""

    milvus: MilvusConnection
    collection: str
    generation: int
    newest: int
    counts: LRUCache[str, int] = field(default_factory=lambda: LRUCache(maxsize=_REMEMBERED), compare=False)
    lock: Lock = field(default_factory=Lock, compare=False)

    @property
    def scores_dearly(self) -> bool:
        return False

    @property
    def size(self) -> int:
        return self._count("number != 0")

    def look(self, sought: Sought, size: int, *, offset: int = 0, order: Order = "points") -> Found:
        """As of every engine, up to :data:`~mapsi.milvus.MOST` products deep."""
        condition = self._condition(sought)
        total, hits, before = self._count(condition), list[Hit](), 0
        vector = _ORDERS.get(order) or self._points(sought)
        for part in self._parts(condition, sought) if order == "points" else [condition]:
            hits += self._page(part, vector, size - len(hits), max(0, offset - before), order)
            if len(hits) == size:
                break
            before += self._count(part)
        return Found(hits, total)

    def count(self, sought: Sought) -> int:
        return self._count(self._condition(sought))

    def variants(self, hit: Hit) -> list[int]:
        return list(hit.place)

    def values(self, sought: Sought, *fields: str) -> dict[str, dict[Any, int]]:
        """Exact of up to :data:`SAMPLE` products; of more, what a sample says of them all."""
        rows, times = self._sample(sought, fields)
        counted = {field: Counter(value for row in rows for value in row[field]) for field in fields}
        return {field: {value: round(n * times) for value, n in each.items()} for field, each in counted.items()}

    def prices(self, sought: Sought, percents: Sequence[float]) -> Prices:
        rows, _ = self._sample(sought, ("price_low", "price_high", "uneven"))
        if not rows:
            return Prices(None, None, (), uneven=False)
        low = [row["price_low"] for row in rows]
        return Prices(
            least=min(low),
            most=max(row["price_high"] for row in rows),
            shares=[float(share) for share in np.percentile(low, percents)],
            uneven=any(row["uneven"] for row in rows),
        )

    def holds(self, tokens: Collection[tuple[str, str]]) -> bool:
        condition = _any_token([token(field, text) for field, text in tokens])
        return bool(self._query(condition, ["number"], limit=1))

    def frequencies(self, field: str, tokens: Collection[str]) -> dict[str, int]:
        """Of the most frequent few, by their number when the index was built; those are counted now."""
        found: list[tuple[float, str]] = []
        for part in batched(sorted({f"{field}{SEPARATOR}{text}" for text in tokens}), SAMPLE):
            get = partial(
                MilvusClient.get,
                collection_name=self._terms,
                ids=part,
                output_fields=["term", "weight"],
                timeout=SECONDS,
            )
            entries = self._ask(get, self._terms)
            found += [(entry["weight"][0], entry["term"].partition(SEPARATOR)[2]) for entry in entries]
        first = [text for _, text in sorted(found, key=lambda entry: -entry[0])[:_VERIFIED]]
        return {text: self._count(_any_token([token(field, text)])) for text in first}

    def beginning_with(self, field: str, beginning: str, most: int) -> list[tuple[str, int]]:
        """With about how many products had them when the index was built."""
        if not all(letter.isalnum() or letter in f" {SEPARATOR}" for letter in beginning):
            return []
        condition = f'term like "{field}{SEPARATOR}{beginning}%"'
        hits = self._search(self._terms, condition, {0: 1.0}, most, 0, ["term"])
        return [(hit["entity"]["term"].partition(SEPARATOR)[2], int(hit["distance"])) for hit in hits]

    def products_of(self, offers: Collection[int]) -> tuple[set[int], set[int]]:
        """The numbers of the products that have any of these offers, and all offers of theirs, as they were written
        last."""
        rows = [
            row
            for part in batched(sorted(offers), SAMPLE)
            for row in self._query(
                f"array_contains_any(offer, {part})", ["number", "offer"], consistency_level="Strong"
            )
        ]
        return {row["number"] for row in rows}, {offer for row in rows for offer in row["offer"]}

    @property
    def _terms(self) -> str:
        return self.collection + TERMS

    def _parts(self, condition: str, each: Sought) -> list[str]:
        """The answer in one, or in two where what has everything comes first whatever else it is worth."""
        first = next(_outweighing(each), None)
        if first is None:
            return [condition]
        outweighs = self._condition(first)
        return [f"({condition}) and ({outweighs})", f"({condition}) and not ({outweighs})"]

    def _page(self, condition: str, vector: Mapping[int, float], size: int, offset: int, order: Order) -> list[Hit]:
        size = min(size, MOST - offset)
        if size <= 0:
            return []
        found = self._search(self.collection, condition, vector, size, offset, ["newest", "offer", "cheapest"])
        rows = [(hit["distance"], hit["entity"]) for hit in found]
        # Among equals Milvus's numbers of 32 bits leave the order of some neighbours open.
        if order == "points":
            rows.sort(key=lambda row: (-math.floor(row[0] + 0.01), -row[1]["newest"]))
        elif order == "newest":
            rows.sort(key=lambda row: -row[1]["newest"])
        else:
            rows.sort(key=lambda row: (-row[0], row[1]["cheapest"]))
        return [Hit(row["newest"], len(row["offer"]) == 1, tuple(row["offer"])) for _, row in rows]

    def _sample(self, each: Sought, fields: Sequence[str]) -> tuple[list[Mapping[str, Any]], float]:
        """These fields of what is found, and how many products each stands for."""
        condition = self._condition(each)
        total = self._count(condition)
        if total > SAMPLE:
            condition = f"({condition}) and lot < {LOTS * SAMPLE // total}"
        rows = self._query(condition, list(fields), limit=MOST) if total else []
        return rows, total / max(1, len(rows))

    def _condition(self, each: Sought) -> str:
        """What is sought as a filter of Milvus's. Nothing of what people type is in it but numbers."""
        match each:
            case sought.Worth(inside, _):
                return self._condition(inside)
            case sought.All(of, _, without):
                return self._all(of, without)
            case sought.Any(of):
                tokens = [found[0] for one in of if len(found := _tokens(one)) == 1]
                others = [self._condition(one) for one in of if len(_tokens(one)) != 1]
                return (
                    " or ".join(f"({part})" for part in (*([_any_token(tokens)] if tokens else []), *others)) or _NONE
                )
            case _:
                return self._leaf(each)

    def _all(self, of: Sequence[Sought], without: Sequence[Sought]) -> str:
        tokens = [found for one in of for found in _tokens(one)]
        parts = [f"array_contains_all(tokens, {list(dict.fromkeys(tokens))})"] if tokens else []
        parts += [f"({self._condition(one)})" for one in of if not _tokens(one)]
        parts += [f"not ({self._condition(one)})" for one in without]
        return " and ".join(parts if of else ("number != 0", *parts))

    def _leaf(self, each: Sought) -> str:
        match each:
            case sought.HasAny(field, values) if field in _PLAIN:
                condition = f"{field} in {list(values)}"
            case sought.HasAny(field, values) if field in _LISTS:
                condition = f"array_contains_any({field}, {list(values)})"
            case sought.HasAny(field, values):
                condition = _any_token([token(field, str(value)) for value in values])
            case sought.Begins(field, text):
                begun = self.beginning_with(field, text, _EXPANDED)
                condition = _any_token([token(field, word) for word, _ in begun]) if begun else _NONE
            case sought.Within(_, low, high):
                condition = f"price_low <= {high} and price_high >= {low}"
            case sought.Every():
                condition = "number != 0"
            case sought.Has() | sought.SideBySide():
                condition = f"array_contains_all(tokens, {list(_tokens(each))})"
            case _:
                condition = _NONE
        return condition

    def _points(self, each: Sought) -> dict[int, float]:
        """The vector whose inner product with a product's is its points, and a little more the newer it is."""
        points: Counter[int] = Counter()
        for number, worth in _worths(each):
            points[dimension(number)] += worth  # type: ignore[assignment]
        return {**points, NEWEST: 0.5 / 2 ** self.newest.bit_length()}

    def _count(self, condition: str) -> int:
        with self.lock:
            if condition in self.counts:
                return self.counts[condition]
        count = int(self._query(condition, ["count(*)"])[0]["count(*)"])
        with self.lock:
            self.counts[condition] = count
        return count

    def _query(self, condition: str, fields: list[str], **more: Any) -> list[Mapping[str, Any]]:
        return self._ask(
            lambda client: list(client.query(self.collection, condition, fields, timeout=SECONDS, **more)),
            self.collection,
        )

    def _search(
        self, collection: str, condition: str, vector: Mapping[int, float], size: int, offset: int, fields: list[str]
    ) -> list[Mapping[str, Any]]:
        return self._ask(
            lambda client: list(
                client.search(
                    collection,
                    data=[dict(vector)],
                    anns_field="words" if collection == self.collection else "weight",
                    filter=condition,
                    limit=size,
                    offset=offset,
                    output_fields=fields,
                    timeout=SECONDS,
                )[0]
            ),
            collection,
        )

    def _ask(self, question: Callable[[MilvusClient], _Answer], collection: str) -> _Answer:
        try:
            return self.milvus.ask_of(collection, question)
        except ArtifactError as error:  # somebody has dropped it, or builds after it have
            raise DamagedIndexError(str(error)) from error


def _any_token(tokens: Sequence[int]) -> str:
    return f"array_contains_any(tokens, {list(tokens)})"


def _tokens(each: Sought) -> tuple[int, ...]:
    """The tokens that a product has to have all of, where that is all that is sought."""
    match each:
        case sought.Worth(inside, _):
            return _tokens(inside)
        case sought.Has(field, value):
            return (token(field, value),)
        case sought.SideBySide(field, text):
            return side_by_side(field, text)
        case _:
            return ()


def _worths(each: Sought) -> Iterator[tuple[int, float]]:
    """Tokens with their points. What is worth points as a whole (a unit that has to be said) gives them for the first
    token that it has to have."""
    match each:
        case sought.Worth(sought.All(of, _, _) as inside, points):
            if points < _OUTWEIGHS and not inside.without:
                yield from ((number, points) for number in _tokens(of[0])[:1])
        case sought.Worth(inside, points):
            yield from ((number, points) for number in _tokens(inside)[:1])
        case sought.All(of, liked, _):
            for one in of:
                yield from _worths(one)
            for one in liked:
                yield from _of_a_unit(one) if isinstance(one, sought.All) else _worths(one)
        case sought.Any(of):
            for one in of:
                yield from _worths(one)


def _of_a_unit(unit: sought.All) -> Iterator[tuple[int, float]]:
    """Tokens with their points of a unit that may be missing. They count where it is said; what another meaning is
    worth to it (red, to maroon) is given for its being said."""
    meaning = _meaning(unit.of[0])
    for one in (*unit.of, *unit.liked):
        if meaning and isinstance(one, sought.Worth) and _meaning(one) not in ("", meaning):
            yield from ((number, one.points) for number in _tokens(unit.of[0]))
        else:
            yield from _worths(one)


def _meaning(each: Sought) -> str:
    """What a fact is about; empty for what is no fact."""
    match each:
        case sought.Worth(inside, _):
            return _meaning(inside)
        case sought.Has("fact", value):
            return value.partition(":")[2]
        case _:
            return ""


def _outweighing(each: Sought) -> Iterator[Sought]:
    """What is worth more than all else that can be found together."""
    match each:
        case sought.Worth(sought.All() as inside, points) if points >= _OUTWEIGHS:
            yield inside
        case sought.All(of, liked, _):
            for one in (*of, *liked):
                yield from _outweighing(one)
