"""Colour families out of what shops write."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

from mapsi.catalog.text.tokens import is_cjk, words
from mapsi.taxonomy.synonyms import ColorFamily

_SMALLEST_PART = 2


class ColorReader:
    """Finds the families of colours in a shop's colour field or, where that says nothing, in the title.

    English words are found as whole words, the longest first (``off white``, then ``white``), Korean ones of two
    syllables and more at the beginning of a word too (블랙진), so that other words hold no colour by chance.
    """

    def __init__(self, families: Sequence[ColorFamily]) -> None:
        self.families = tuple(families)
        self._family = {tuple(words(word)): family.slug for family in families for word in family.all_words}
        self._longest = max(map(len, self._family))
        self._beginnings = sorted(
            (key[0] for key in self._family if len(key) == 1 and is_cjk(key[0]) and len(key[0]) >= _SMALLEST_PART),
            key=len,
            reverse=True,
        )
        self._of_field = lru_cache(maxsize=10_000)(self.find)

    def keys(self, color: str, title: str) -> str:
        """Slugs of families between blanks, as they are kept; empty where no colour is named."""
        found = self._of_field(color) or self.find(title)
        return f" {' '.join(found)} " if found else ""

    def find(self, text: str) -> tuple[str, ...]:
        """Slugs of the families named in a text, in its order."""
        said, found, at = words(text), [], 0
        while at < len(said):
            count = next((n for n in range(self._longest, 0, -1) if tuple(said[at : at + n]) in self._family), 0)
            if count:
                found.append(self._family[tuple(said[at : at + count])])
            elif is_cjk(said[at]):
                beginning = next((word for word in self._beginnings if said[at].startswith(word)), None)
                found += [self._family[(beginning,)]] if beginning else []
            at += count or 1
        return tuple(dict.fromkeys(found))
