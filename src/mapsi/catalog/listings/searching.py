"""Answers out of the listings in memory: a page of offers, how many there are, and what narrows them down."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import TypeVar, cast

import numpy as np

from mapsi.catalog.filters import Expired, Filters, Sort
from mapsi.catalog.listings.correcting import correct
from mapsi.catalog.listings.facets import Matched, count_facets, count_products
from mapsi.catalog.listings.listing_index import ListingIndex
from mapsi.catalog.listings.narrowing import Window, masks
from mapsi.catalog.listings.ordering import Ranking, best_variants, first_products
from mapsi.catalog.listings.segment import Bools, Ints, Segment
from mapsi.catalog.listings.words import NOWHERE, Scores, has_words, score_words
from mapsi.catalog.records import Facets
from mapsi.catalog.text.thesaurus import Term, Thesaurus

T = TypeVar("T")
Shown = Callable[[Segment], Bools | None]
_LARGE = 20
"""Answers whose scores are remembered for their next page and their counts: 2 bytes a listing each."""


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for: the words (none for all listings), and whether they are to be taken as they stand."""

    words: tuple[str, ...] = ()
    exact: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """Offer ids of one page, one a product; products over all pages; the words that were looked for instead."""

    offers: list[int]
    total: int
    instead: str


class Searcher:
    """Searches one index. ``shown`` gives the rows of a segment that may be shown, ``None`` for all."""

    def __init__(self, index: ListingIndex, thesaurus: Thesaurus, shown: Shown) -> None:
        self._index = index
        self._thesaurus = thesaurus
        self._shown = shown
        self._shops = {slug: number for number, (slug, _) in index.shops.items()}

    def page(self, query: Query, filters: Filters, sort: Sort, window: Window) -> Found:
        terms, instead = self._terms(query)
        parts = [self._ranking(matched) for matched in self._matched(terms, filters)]
        total = sum(len(part.rows) for part in parts)
        if window.offset >= total:
            return Found([], total, instead)
        first = first_products(parts, sort, window.offset + window.size)
        return Found([int(offer) for offer in first[window.offset :]], total, instead)

    def facets(self, query: Query, filters: Filters) -> Facets:
        """What the answer can be narrowed down to; see :class:`~mapsi.catalog.records.Facets`."""
        terms, _ = self._terms(query)
        return count_facets(self._matched(terms, filters), self._index.shops)

    def _terms(self, query: Query) -> tuple[tuple[Term, ...], str]:
        """The terms to search for, and their words where they are not the ones asked for."""
        terms = self._thesaurus.terms(query.words)
        if query.exact or not terms or self._is_anywhere(terms):
            return terms, ""
        return self.remember(("terms", query), lambda: correct(self._index, self._thesaurus, terms))

    def _is_anywhere(self, terms: tuple[Term, ...]) -> bool:
        """Whether any listing has all of the terms."""
        for segment, scored in zip(self._index.segments, self._scores(terms), strict=True):
            rows = scored < NOWHERE
            if (rows if segment.alive is None else rows & segment.alive).any():
                return True
        return False

    def _matched(self, terms: tuple[Term, ...], filters: Filters) -> list[Matched]:
        scores = self._scores(terms)
        found = []
        for segment, scored in zip(self._index.segments, scores, strict=True):
            rows = scored < NOWHERE
            for keep in (segment.alive, self._shown(segment)):
                if keep is not None:
                    rows &= keep
            found.append(Matched(segment, rows, scored, masks(segment, filters, self._shops)))
        return found

    def _scores(self, terms: tuple[Term, ...]) -> list[Scores]:
        if not terms:
            return [np.zeros(segment.size, np.uint16) for segment in self._index.segments]
        known = self._index.classes
        return self.remember(
            ("scores", hash(terms) % _LARGE),
            lambda: (terms, [score_words(segment, terms, known) for segment in self._index.segments]),
            lambda kept: kept[0] == terms,
        )[1]

    def facets_among(self, offers: Ints, filters: Filters) -> Facets:
        """What these offers can be narrowed down to."""
        matched = self._matched((), filters)
        return count_facets([self._only(part, offers) for part in matched], self._index.shops)

    def narrow(self, offers: Ints, filters: Filters) -> Bools:
        """Which of these offers are shown and pass the filters."""
        passing = np.zeros(len(offers), np.bool_)
        for part in self._matched((), filters):
            rows = part.segment.locate(offers)
            here = rows >= 0
            passing[here] = part.passing[rows[here]]
        return passing

    def _only(self, part: Matched, offers: Ints) -> Matched:
        rows = np.zeros(part.segment.size, np.bool_)
        rows[part.segment.rows_of(offers)] = True
        return part._replace(rows=part.rows & rows)

    def count_words(self, words: tuple[str, ...]) -> int:
        """How many products hold the words as they stand."""
        return self.remember(("count", words), lambda: self._count_words(words))

    def _count_words(self, words: tuple[str, ...]) -> int:
        terms, known = self._thesaurus.terms(words), self._index.classes
        total = 0
        for segment in self._index.segments:
            held = has_words(segment, terms, known)
            shown = self._shown(segment)
            total += count_products(segment, np.flatnonzero(held if shown is None else held & shown))
        return total

    def _ranking(self, matched: Matched) -> Ranking:
        rows = best_variants(matched.segment, matched.found, matched.scores)
        return Ranking(matched.segment, rows, matched.scores)

    def remember(self, key: Hashable, find: Callable[[], T], fits: Callable[[T], bool] = lambda kept: True) -> T:
        """What ``find`` gave in this generation, where that still ``fits``."""
        memory, lock = self._index.memory, self._index.memory_lock
        with lock:
            kept = memory.get(key)
        if kept is None or not fits(cast(T, kept)):
            kept = find()
            with lock:
                memory[key] = kept
        return cast(T, kept)


def unexpired(expired: Expired) -> Shown:
    """The rows of a segment that are not past their time to live; no sweep has taken these out of the listings yet."""

    def shown(segment: Segment) -> Bools | None:
        if not expired:
            return None
        keep = ~np.isin(segment.shop, list(expired.shops))
        keep[segment.rows_of(np.array(sorted(expired.offers), np.int64))] = False
        return keep

    return shown
