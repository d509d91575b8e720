"""The different words of many texts, sorted, and the ways to find some of them.

A search looks at words here, some ten thousand, before it looks at any product. Where two CJK words stand side by side,
they are kept once more as one word, marked by ``+``: so 린넨원피스 finds 린넨 원피스.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from mapsi.catalog.text.hangul import initials, is_syllable, letters
from mapsi.catalog.text.tokens import is_cjk, stem

JOINED = "+"
LONGEST_JOINED = 12
Numbers = npt.NDArray[np.int64]
_LAST = chr(0x10FFFF)
_NONE: Numbers = np.zeros(0, np.int64)


class Vocabulary:
    """Words by number, in the order of their letters (a word's number is its place). Safe to share between threads."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = words

    def __len__(self) -> int:
        return len(self.words)

    def exactly(self, word: str) -> Numbers:
        """The number of ``word``, if it is known."""
        at = bisect_left(self.words, word)
        return np.array([at], np.int64) if at < len(self.words) and self.words[at] == word else _NONE

    def beginning_with(self, beginning: str) -> tuple[int, int]:
        """First number, and the one after the last, of the words that begin so."""
        return bisect_left(self.words, beginning), bisect_left(self.words, beginning + _LAST)

    def holding(self, part: str) -> Numbers:
        """The CJK words that hold ``part`` anywhere."""
        return self._cjk.holding(part)

    def with_initials(self, consonants: str) -> Numbers:
        """The Hangul words whose syllables begin with these consonants: from the first syllable on, or, for three and
        more, anywhere."""
        return self._initials.holding(consonants if len(consonants) > 2 else f"\n{consonants}")

    def with_stem(self, root: str) -> Numbers:
        """The words with this English stem."""
        return np.array(self._stemmed.get(root, ()), np.int64)

    def by_letters(self, spelled: str) -> int | None:
        """The number of the Hangul word that is spelled so (see :func:`mapsi.catalog.text.hangul.letters`)."""
        return self._spelled.get(spelled)

    def prepare(self) -> None:
        """Work out what every way to find words needs, so that no question has to: a second for 300,000 words."""
        for part in (self._cjk, self._initials, self._spelled, self._stemmed):
            len(part)

    @cached_property
    def _stemmed(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for number, word in enumerate(self.words):
            if word[0] != JOINED and not is_cjk(word):
                found.setdefault(stem(word), []).append(number)
        return found

    @cached_property
    def _cjk_numbers(self) -> Numbers:
        return np.array([n for n, word in enumerate(self.words) if is_cjk(word)], np.int64)

    @cached_property
    def _cjk(self) -> _Lines:
        return _Lines(self.words, self._cjk_numbers, str)

    @cached_property
    def _initials(self) -> _Lines:
        return _Lines(self.words, self._cjk_numbers, initials)

    @cached_property
    def _spelled(self) -> dict[str, int]:
        return {letters(self.words[n]): int(n) for n in self._cjk_numbers if all(map(is_syllable, self.words[n]))}


class _Lines:
    """Words as the lines of one text, so that looking through all of them is one pass in C."""

    def __init__(self, words: Sequence[str], numbers: Numbers, written: Callable[[str], str]) -> None:
        lines = [written(words[n]) for n in numbers]
        self._text = "".join(f"\n{line}" for line in lines)
        self._numbers = numbers
        self._starts = np.cumsum([0, *(len(line) + 1 for line in lines)])

    def __len__(self) -> int:
        return len(self._numbers)

    def holding(self, part: str) -> Numbers:
        places = np.array([match.start() for match in re.finditer(re.escape(part), self._text)], np.int64)
        return np.asarray(self._numbers[np.unique(np.searchsorted(self._starts, places, side="right") - 1)])


def joined_neighbours(said: Sequence[str]) -> Iterator[str]:
    """The CJK words that stand side by side, as one word each and marked."""
    for at in range(len(said) - 1):
        left, right = said[at], said[at + 1]
        if len(left) + len(right) <= LONGEST_JOINED and is_cjk(left) and is_cjk(right):
            yield f"{JOINED}{left}{right}"


def sort_words(words: Iterable[str]) -> tuple[list[str], npt.NDArray[np.int32]]:
    """The words sorted, and the place there of each."""
    before = list(words)
    order = sorted(range(len(before)), key=before.__getitem__)
    places = np.empty(len(before), np.int32)
    places[order] = np.arange(len(before), dtype=np.int32)
    return [before[n] for n in order], places
