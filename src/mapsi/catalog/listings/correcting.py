"""Words that find nothing as typed: typed on the other keyboard layout, or with one slip."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from string import ascii_lowercase

from mapsi.catalog.listings.listing_index import ListingIndex
from mapsi.catalog.listings.segment import Segment
from mapsi.catalog.listings.words import is_somewhere
from mapsi.catalog.text.hangul import (
    SIMPLE_LETTERS,
    is_initials,
    is_syllable,
    letters,
    typed_as_hangul,
    typed_as_latin,
)
from mapsi.catalog.text.thesaurus import Term, Thesaurus
from mapsi.catalog.text.tokens import is_cjk, words

SHORTEST_LATIN = 4
SHORTEST_HANGUL = 3
"""Shorter words have too many others one slip away."""


def correct(index: ListingIndex, thesaurus: Thesaurus, terms: Sequence[Term]) -> tuple[tuple[Term, ...], str]:
    """The terms to search for in the place of ``terms``, and their words; the same terms and an empty text where each
    finds something or none can be mended. Words that find something stay as they are."""
    found = [any(is_somewhere(segment, term, index.classes) for segment in index.segments) for term in terms]
    if all(found):
        return tuple(terms), ""
    whole = _on_the_other_keyboard(index, thesaurus, _text(terms))
    if whole:
        return whole, _text(whole)
    mended: list[Term] = []
    for term, is_found in zip(terms, found, strict=True):
        other = (term,) if is_found else _mend(index, thesaurus, term)
        if not other:
            return tuple(terms), ""
        mended += other
    return tuple(mended), _text(mended)


def _text(terms: Iterable[Term]) -> str:
    return " ".join(term.text for term in terms)


def _mend(index: ListingIndex, thesaurus: Thesaurus, term: Term) -> tuple[Term, ...]:
    word = "".join(term.own)
    other = _on_the_other_keyboard(index, thesaurus, word)
    if other:
        return other
    near = _nearest(index, word)
    return thesaurus.terms((near,)) if near else ()


def _on_the_other_keyboard(index: ListingIndex, thesaurus: Thesaurus, typed: str) -> tuple[Term, ...]:
    keys = typed.replace(" ", "")
    other = typed_as_hangul(keys) if keys.isascii() else typed_as_latin(keys)
    if len(other) < 2 or other == keys or (not keys.isascii() and not other.isascii()):
        return ()
    terms = thesaurus.terms(words(other))
    found = (any(is_somewhere(segment, term, index.classes) for segment in index.segments) for term in terms)
    return terms if all(found) else ()


def _nearest(index: ListingIndex, word: str) -> str:
    """The word one slip away that most listings have; empty where there is none."""
    best, most = "", 0
    for segment in index.segments:
        for number in _near(segment, word):
            count = len(segment.title.of(number)) + len(segment.about.of(number))
            if count > most:
                best, most = segment.vocabulary.words[number], count
    return best


def _near(segment: Segment, word: str) -> Iterator[int]:
    vocabulary = segment.vocabulary
    if is_cjk(word):
        if len(word) < SHORTEST_HANGUL or is_initials(word) or not all(map(is_syllable, word)):
            return
        for spelled in one_slip_away(letters(word), SIMPLE_LETTERS):
            number = vocabulary.by_letters(spelled)
            if number is not None:
                yield number
    elif len(word) >= SHORTEST_LATIN and word.isascii() and word.isalpha():
        for other in one_slip_away(word, tuple(ascii_lowercase)):
            yield from map(int, vocabulary.exactly(other))


def one_slip_away(word: str, alphabet: Sequence[str]) -> Iterator[str]:
    """Every text that differs by one letter left out, added, changed, or two neighbours swapped; some come twice."""
    for at in range(len(word) + 1):
        before, after = word[:at], word[at:]
        if after:
            yield before + after[1:]
            yield from (before + letter + after[1:] for letter in alphabet)
        if len(after) > 1:
            yield before + after[1] + after[0] + after[2:]
        yield from (before + letter + after for letter in alphabet)
