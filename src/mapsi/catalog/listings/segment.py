"""Listings in memory, as columns of numbers and as lists of who holds which word: what a search looks through.

One row a listing, ordered by product, then price, then offer, so that the variants of a product stand side by side and
the cheapest comes first.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mapsi.catalog.text.vocabulary import Vocabulary, joined_neighbours, sort_words

Ints = npt.NDArray[np.int64]
Small = npt.NDArray[np.int32]
Bools = npt.NDArray[np.bool_]


class ListingRow(NamedTuple):
    """A row of ``listings``; see there."""

    offer_id: int
    shop_id: int
    group_key: str
    price_order: int
    audience: str | None
    title: str
    about: str
    classes: str
    colors: str
    brand: str


@dataclass(frozen=True, slots=True)
class Codes:
    """One value a row, as its number in ``values``; the empty value has number 0."""

    codes: Small
    values: tuple[str, ...]

    def number(self, value: str) -> int:
        """The number of ``value``, -1 where no row has it."""
        return self.values.index(value) if value in self.values else -1


@dataclass(frozen=True, slots=True)
class Postings:
    """The rows, out of ``size``, that hold each word of a vocabulary, by rising row."""

    starts: Ints
    rows: Small
    size: int

    def of(self, number: int) -> Small:
        return self.rows[self.starts[number] : self.starts[number + 1]]

    def between(self, low: int, high: int) -> Small:
        """Of all words from ``low`` up to before ``high``; a row may come several times."""
        return self.rows[self.starts[low] : self.starts[high]]


@dataclass(frozen=True, slots=True)
class Segment:
    """Some listings, none of which changes. ``alive`` leaves out those that a later segment has in another version.

    All columns have one entry a row: ``offer``, ``group`` (equal numbers are variants of one product; rising), ``price``
    (on the scale of ``price_order``), ``shop`` (the database's number), ``shared`` (whether the product has another
    variant), the rest codes. ``by_offer`` has the rows by rising offer.
    """

    offer: Ints
    group: Small
    price: Ints
    shop: Ints
    audience: Codes
    colors: Codes
    brand: Codes
    classes: Mapping[str, Codes]
    vocabulary: Vocabulary
    title: Postings
    about: Postings
    alive: Bools | None = None
    by_offer: Small = field(default_factory=lambda: np.zeros(0, np.int32))
    shared: Bools = field(default_factory=lambda: np.zeros(0, np.bool_))

    @property
    def size(self) -> int:
        return len(self.offer)

    def locate(self, offers: Ints) -> Ints:
        """The row of each of ``offers``, -1 where it is not here."""
        if not self.size:
            return np.full(len(offers), -1, np.int64)
        known = self.offer[self.by_offer]
        places = np.minimum(np.searchsorted(known, offers), self.size - 1)
        return np.where(known[places] == offers, self.by_offer[places], -1)

    def rows_of(self, offers: Ints) -> Ints:
        """The rows of those of ``offers`` that are here."""
        rows = self.locate(offers)
        return rows[rows >= 0]

    def siblings(self, offers: Ints) -> Ints:
        """All offers of the products that ``offers`` are variants of, living rows only."""
        groups = np.zeros(int(self.group[-1]) + 1 if self.size else 0, np.bool_)
        groups[self.group[self.rows_of(offers)]] = True
        rows = groups[self.group] if self.alive is None else groups[self.group] & self.alive
        return np.asarray(self.offer[rows])

    def without(self, offers: Ints) -> Segment:
        """The same without these offers."""
        alive = np.ones(self.size, np.bool_) if self.alive is None else self.alive.copy()
        alive[self.rows_of(offers)] = False
        return replace(self, alive=alive)


class _Numbers(dict[str, int]):
    """Numbers texts in the order in which they are met."""

    def __missing__(self, text: str) -> int:
        number = self[text] = len(self)
        return number


class SegmentBuilder:
    """Takes listings one by one, in any order, and keeps numbers only: about 150 bytes a listing, not its texts."""

    def __init__(self) -> None:
        self._columns = {name: array("q") for name in ("offer", "group", "price", "shop")}
        self._coded = {name: (array("i"), _Numbers({"": 0})) for name in ("audience", "colors", "brand", "classes")}
        self._groups: dict[tuple[int, str], int] = {}
        self._words = _Numbers()
        self._titles, self._abouts = _Texts(), _Texts()
        self._about = (array("i"), _Numbers())

    def add(self, row: ListingRow) -> None:
        numbers = {"offer": row.offer_id, "group": self._group(row), "price": row.price_order, "shop": row.shop_id}
        for name, number in numbers.items():
            self._columns[name].append(number)
        texts = {"audience": row.audience or "", "colors": row.colors, "brand": row.brand, "classes": row.classes}
        for name, text in texts.items():
            codes, known = self._coded[name]
            codes.append(known[text])
        self._titles.add(self._number(row.title))
        # Brand, category and colour repeat from offer to offer: their words are cut once.
        codes, known = self._about
        if row.about not in known:
            self._abouts.add(self._number(row.about))
        codes.append(known[row.about])

    def _group(self, row: ListingRow) -> int:
        # An offer that stands alone is its own group; only real groups need a look-up.
        if row.group_key.startswith("="):
            return -row.offer_id
        return self._groups.setdefault((row.shop_id, row.group_key), len(self._groups))

    def _number(self, text: str) -> list[int]:
        said = text.split()
        if "=" in text:  # English stems of listings that were written before migration 0003
            said = [word for word in said if word[0] != "="]
        found = [self._words[word] for word in said]
        if not text.isascii():
            found += [self._words[word] for word in joined_neighbours(said)]
        return found

    def build(self) -> Segment:
        columns = {name: np.frombuffer(values, np.int64) for name, values in self._columns.items()}
        order = np.lexsort((columns["offer"], columns["price"], columns["group"]))
        columns = {name: values[order] for name, values in columns.items()}
        coded = {name: Codes(_ints(codes)[order], tuple(known)) for name, (codes, known) in self._coded.items()}
        words, places = sort_words(self._words)
        vocabulary = Vocabulary(words)
        vocabulary.prepare()
        rank = np.empty(len(order), np.int32)
        rank[order] = np.arange(len(order), dtype=np.int32)
        offer = columns["offer"]
        begins = np.diff(columns["group"], prepend=columns["group"][:1]) != 0
        return Segment(
            offer=offer,
            group=np.cumsum(begins, dtype=np.int32),
            price=columns["price"],
            shop=columns["shop"],
            audience=coded["audience"],
            colors=coded["colors"],
            brand=coded["brand"],
            classes=_split_classes(coded["classes"]),
            vocabulary=vocabulary,
            title=self._titles.postings(places, rank, None),
            about=self._abouts.postings(places, rank, _ints(self._about[0])),
            by_offer=np.argsort(offer).astype(np.int32),
            shared=_shared(columns["group"]),
        )


class _Texts:
    """Texts as lists of word numbers, one after the other."""

    def __init__(self) -> None:
        self._words = array("i")
        self._lengths = array("i")

    def add(self, words: list[int]) -> None:
        self._words.extend(words)
        self._lengths.append(len(words))

    def postings(self, places: Small, rank: Small, text_of: Small | None) -> Postings:
        """Turned around. ``places`` are the words' final numbers, ``rank`` the listings' final rows, ``text_of`` which text
        each listing has (its own by default)."""
        words, lengths = places[_ints(self._words)], _ints(self._lengths)
        if text_of is not None:
            starts = np.cumsum(lengths) - lengths
            taken = lengths[text_of]
            first = np.repeat(starts[text_of] - (np.cumsum(taken) - taken), taken)
            words, lengths = words[first + np.arange(len(first))], taken
        # Word and row in one number: sorting it groups rows by word and leaves out repeats.
        held = sorted_unique((words.astype(np.int64) << 32) | np.repeat(rank, lengths))
        counts = np.bincount(held >> 32, minlength=len(places))
        return Postings(np.concatenate(([0], np.cumsum(counts))), (held & 0xFFFFFFFF).astype(np.int32), len(rank))


def _shared(groups: Ints) -> Bools:
    """Which rows have a neighbour of the same group."""
    same = groups[1:] == groups[:-1]
    return np.concatenate((same, [False])) | np.concatenate(([False], same)) if len(groups) else same


def sorted_unique(values: Ints) -> Ints:
    """The different values, rising. numpy's own ``unique`` looks them up in a hash table, ten times slower than a sort."""
    ordered = np.sort(values)
    return np.asarray(ordered[np.diff(ordered, prepend=ordered[:1] - 1) != 0])


def _ints(values: array[int]) -> Small:
    return np.frombuffer(values, np.int32) if len(values) else np.zeros(0, np.int32)


def _split_classes(joint: Codes) -> dict[str, Codes]:
    """Class keys of all axes in one text, apart by axis."""
    found = [dict(key.split(":", 1) for key in text.split()) for text in joint.values]
    apart = {}
    for axis in sorted({axis for keys in found for axis in keys}):
        known = _Numbers({"": 0})
        table = np.array([known[keys.get(axis, "")] for keys in found], np.int32)
        apart[axis] = Codes(table[joint.codes], tuple(known))
    return apart


def build_segment(rows: Iterable[Any]) -> Segment:
    """A segment of rows with the fields of :class:`ListingRow`."""
    builder = SegmentBuilder()
    for row in rows:
        builder.add(row)
    return builder.build()
