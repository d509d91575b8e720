"""Which listings hold the words of a query, and where: the better the place, the lower the score."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt

from mapsi.catalog.listings.segment import Bools, Postings, Segment, Small
from mapsi.catalog.text.class_words import KnownClass
from mapsi.catalog.text.hangul import initials, is_initials
from mapsi.catalog.text.thesaurus import Form, Term
from mapsi.catalog.text.tokens import is_cjk, stem
from mapsi.catalog.text.vocabulary import JOINED, Numbers, Vocabulary

Scores = npt.NDArray[np.uint16]
NOWHERE = 2000
"""The score of a listing that lacks a term: above what all terms of a query can add up to, and so small that their sum
fits 16 bits."""


class Place(IntEnum):
    """Where a term was found; the even ones as a whole word, the odd ones as part of one or by a synonym."""

    TITLE = 0
    TITLE_WEAKLY = 1
    ABOUT = 2
    ABOUT_WEAKLY = 3
    CLASS = 4
    CLASS_WEAKLY = 5

    def score(self, terms: int) -> int:
        """What it adds in a query of so many terms: the places of all terms (title 0, about 1, class 2) weigh more than
        how many of them are weak."""
        return self // 2 * (terms + 1) + self % 2


def score_words(segment: Segment, terms: Sequence[Term], known: Sequence[KnownClass]) -> Scores:
    """A score for each row of a segment, the smaller the better; :data:`NOWHERE` and more where a term is missing."""
    total = np.zeros(segment.size, np.uint16)
    for term in terms:
        total += _score_term(segment, term, known, len(terms))
    return total


def has_words(segment: Segment, terms: Sequence[Term], known: Sequence[KnownClass]) -> Bools:
    """Which living rows of a segment have all terms, wherever: what :func:`score_words` finds, in a third of the time."""
    held = np.ones(segment.size, np.bool_) if segment.alive is None else segment.alive
    for term in terms:
        held = held & _has_term(segment, term, known)
    return held


def is_somewhere(segment: Segment, term: Term, known: Sequence[KnownClass]) -> bool:
    """Whether any living row of a segment has the term."""
    return bool(has_words(segment, (term,), known).any())


def _has_term(segment: Segment, term: Term, known: Sequence[KnownClass]) -> Bools:
    held = np.zeros(segment.size, np.bool_)
    for cls in known:
        if cls.axis in segment.classes and _place_in_class(term, cls) is not None:
            codes = segment.classes[cls.axis]
            held |= codes.codes == codes.number(cls.slug)
    own = _numbers_of(segment.vocabulary, term.own)
    others = [_numbers_of(segment.vocabulary, form) for form in term.others]
    for field in (segment.title, segment.about):
        for rows in (own.whole(field), own.weak(field), *(found.weak_or_whole(field) for found in others)):
            held[rows] = True
    return held


def _score_term(segment: Segment, term: Term, known: Sequence[KnownClass], terms: int) -> Scores:
    scores = _score_classes(segment, term, known, terms)
    # The worst place first, so that a better one is written over it.
    own, others = _numbers_of(segment.vocabulary, term.own), [_numbers_of(segment.vocabulary, f) for f in term.others]
    for field, whole, weak in (
        (segment.about, Place.ABOUT, Place.ABOUT_WEAKLY),
        (segment.title, Place.TITLE, Place.TITLE_WEAKLY),
    ):
        for found in others:
            scores[found.weak_or_whole(field)] = weak.score(terms)
        scores[own.weak(field)] = weak.score(terms)
        scores[own.whole(field)] = whole.score(terms)
    return scores


@dataclass(frozen=True, slots=True)
class _Found:
    """The words of a vocabulary that a form finds: ``wholes`` has those that are it for each word of the form, ``parts``
    those that hold it, as numbers and as a range."""

    wholes: tuple[Numbers, ...]
    parts: Numbers
    beginnings: tuple[int, int]
    is_synonym_by_part: bool

    def whole(self, field: Postings) -> Small:
        rows, *others = sorted((_rows(field, numbers) for numbers in self.wholes), key=len)
        for other in others:
            # Marks in a column of all rows: numpy's own intersect1d takes a hundred times as long.
            marked = np.zeros(field.size, np.bool_)
            marked[other] = True
            rows = rows[marked[rows]]
        return rows

    def weak(self, field: Postings) -> Small:
        return np.concatenate((_rows(field, self.parts), field.between(*self.beginnings)))

    def weak_or_whole(self, field: Postings) -> Small:
        """The rows that count where the form is a synonym: a Korean one also inside a word, if it is long enough not to
        be there by chance."""
        if self.is_synonym_by_part:
            return np.concatenate((self.whole(field), _rows(field, self.parts)))
        return self.whole(field)


def _numbers_of(vocabulary: Vocabulary, form: Form) -> _Found:
    wholes = tuple(_whole_words(vocabulary, word) for word in form)
    word, parts, beginnings = form[0], np.zeros(0, np.int64), (0, 0)
    if len(form) == 1:
        if is_initials(word):
            parts = vocabulary.with_initials(word)
        elif is_cjk(word):
            parts = vocabulary.holding(word)
        elif len(word) > 1:  # "t" of t-shirt: as a beginning it would find half of the catalogue
            beginnings = vocabulary.beginning_with(word)
    return _Found(wholes, parts, beginnings, len(form) == 1 and is_cjk(word) and len(word) > 1)


def _whole_words(vocabulary: Vocabulary, word: str) -> Numbers:
    if is_initials(word):
        found = vocabulary.with_initials(word)
        return np.array([n for n in found if initials(vocabulary.words[n]) == word], np.int64)
    if is_cjk(word):
        return np.concatenate((vocabulary.exactly(word), vocabulary.exactly(JOINED + word)))
    return vocabulary.exactly(word) if len(word) == 1 else vocabulary.with_stem(stem(word))


def _rows(field: Postings, numbers: Numbers) -> Small:
    if not len(numbers):
        return np.zeros(0, np.int32)
    return np.concatenate([field.of(int(number)) for number in numbers])


def _score_classes(segment: Segment, term: Term, known: Iterable[KnownClass], terms: int) -> Scores:
    scores = np.full(segment.size, NOWHERE, np.uint16)
    found = [(cls, place) for cls in known if (place := _place_in_class(term, cls)) is not None]
    for cls, place in sorted(found, key=lambda entry: -entry[1]):
        codes = segment.classes.get(cls.axis)
        if codes is not None:
            np.copyto(scores, place.score(terms), where=codes.codes == codes.number(cls.slug), casting="unsafe")
    return scores


def _place_in_class(term: Term, cls: KnownClass) -> Place | None:
    """A term with synonyms reaches a class by its names only: jeans are trousers, but who asks for jeans does not want all
    trousers, though the class has the word among what it is recognised by."""
    known = len(cls.names) if term.others else len(cls.texts)
    if is_initials(term.own[0]):
        said = [initials("".join(text)) for text in cls.texts[:known]]
        whole, part = term.own[0] in said, any(text.startswith(term.own[0]) for text in said)
    else:
        whole = any(_holds(words, term.own) for words in cls.whole_words[:known])
        part = len(term.own) == 1 and any(_is_part(term.own[0], text) for text in cls.texts[:known])
    if whole:
        return Place.CLASS
    by_synonym = any(_holds(words, form) for words in cls.whole_words[:known] for form in term.others)
    return Place.CLASS_WEAKLY if part or by_synonym else None


def _holds(words: Collection[str], form: Form) -> bool:
    return all(stem(word) in words for word in form)


def _is_part(word: str, text: Sequence[str]) -> bool:
    if is_cjk(word):
        return any(word in said for said in text)
    return len(word) > 1 and any(said.startswith(word) for said in text)
