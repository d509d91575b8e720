"""What somebody who is typing may mean: classes, brands and frequent words that begin so, with what they find."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from operator import attrgetter

import numpy as np

from mapsi.catalog.listings.listing_index import ListingIndex
from mapsi.catalog.listings.searching import Searcher
from mapsi.catalog.listings.segment import Segment
from mapsi.catalog.records import Suggestion
from mapsi.catalog.text.hangul import initials, is_initials, letters
from mapsi.catalog.text.tokens import words
from mapsi.catalog.text.vocabulary import JOINED
from mapsi.taxonomy import Taxonomy

MOST = 10
_FREQUENT = 30_000
_TRIED = 2
_LAST = chr(0x10FFFF)
_KINDS = {"class": 2, "brand": 1, "word": 0}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A text to suggest; ``weight`` is about how many listings it stands for."""

    text: str
    kind: str
    weight: int


class Suggester:
    """The candidates of one generation, by how they are spelled and by their initial consonants."""

    def __init__(self, index: ListingIndex, taxonomy: Taxonomy) -> None:
        every = [*_classes(index, taxonomy), *_brands(index.segments), *_words(index.segments)]
        self._by_letters = _Sorted((spell(each.text), each) for each in every)
        self._by_initials = _Sorted((initials("".join(words(each.text))), each) for each in every)

    def suggest(self, text: str, searcher: Searcher, limit: int) -> tuple[Suggestion, ...]:
        """At most ``limit`` texts that complete ``text``, the most frequent first, each with the number of products that a
        search for it finds; none that finds nothing."""
        said = words(text)
        found: dict[str, Suggestion] = {}
        for before, typed in ((said[:at], said[at:]) for at in range(len(said))):
            for candidate in self._complete(typed, _TRIED * limit):
                full = " ".join((*before, candidate.text))
                if len(found) < limit and full.casefold() not in found:
                    count = searcher.count_words(tuple(dict.fromkeys(words(full))))
                    if count:
                        found[full.casefold()] = Suggestion(text=full, kind=candidate.kind, count=count)
        return tuple(sorted(found.values(), key=attrgetter("count"), reverse=True))

    def _complete(self, typed: Sequence[str], most: int) -> list[Candidate]:
        written = " ".join(typed)
        found = self._by_letters.beginning_with(spell(written), most)
        joined = "".join(typed)
        if is_initials(joined):
            found += self._by_initials.beginning_with(joined, most)
        return found


def spell(text: str) -> str:
    """A text as it is typed, letter by letter, words between single blanks."""
    return " ".join(map(letters, words(text)))


class _Sorted:
    """Candidates by a key, so that those whose key begins alike stand together."""

    def __init__(self, entries: Iterable[tuple[str, Candidate]]) -> None:
        kept = sorted((entry for entry in entries if entry[0]), key=lambda entry: entry[0])
        self._keys = [key for key, _ in kept]
        self._candidates = [candidate for _, candidate in kept]
        self._weights = np.array([c.weight * 4 + _KINDS[c.kind] for c in self._candidates], np.int64)

    def beginning_with(self, beginning: str, most: int) -> list[Candidate]:
        """At most ``most`` of them, the weightiest first."""
        low, high = bisect_left(self._keys, beginning), bisect_left(self._keys, beginning + _LAST)
        weights = self._weights[low:high]
        heaviest = np.argpartition(-weights, most)[:most] if len(weights) > most else np.arange(len(weights))
        ordered = heaviest[np.argsort(-weights[heaviest], kind="stable")]
        return [self._candidates[low + int(n)] for n in ordered]


def _classes(index: ListingIndex, taxonomy: Taxonomy) -> Iterator[Candidate]:
    for axis in taxonomy.listed.values():
        counts = _count(index.segments, lambda segment, axis=axis: segment.classes.get(axis.slug))
        for cls in axis.classes:
            for name in dict.fromkeys((cls.name.ko, cls.name.en)):
                if counts.get(cls.slug):
                    yield Candidate(name, "class", counts[cls.slug])


def _brands(segments: Sequence[Segment]) -> Iterator[Candidate]:
    counts = _count(segments, attrgetter("brand"))
    return (Candidate(brand, "brand", count) for brand, count in counts.items() if brand)


def _count(segments: Sequence[Segment], codes_of: object) -> dict[str, int]:
    counts: dict[str, int] = {}
    for segment in segments:
        codes = codes_of(segment)  # type: ignore[operator]
        if codes is not None:
            for value, count in zip(codes.values, np.bincount(codes.codes, minlength=len(codes.values)), strict=True):
                counts[value] = counts.get(value, 0) + int(count)
    return counts


def _words(segments: Sequence[Segment]) -> Iterator[Candidate]:
    """The most frequent words of titles; numbers and single letters are no help."""
    for segment in segments:
        frequency = np.diff(segment.title.starts)
        order = np.argsort(-frequency, kind="stable")[:_FREQUENT]
        for number in order:
            word = segment.vocabulary.words[number]
            if frequency[number] and len(word) > 1 and word[0] != JOINED and word.isalpha():
                yield Candidate(word, "word", int(frequency[number]))
