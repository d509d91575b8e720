"""Words that find nothing as typed: typed on the other keyboard layout, with one slip, or a brand in the other
script."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from string import ascii_lowercase

from mapsi.catalog.listings.engines.product_document import SEPARATOR
from mapsi.catalog.listings.engines.view import View
from mapsi.catalog.text.hangul import (
    SIMPLE_LETTERS,
    is_initials,
    is_syllable,
    letters,
    syllables,
    typed_as_hangul,
    typed_as_latin,
)
from mapsi.catalog.text.phonetic import is_alike, phonetic_key
from mapsi.catalog.text.tokens import is_cjk, words

SHORTEST_LATIN = 4
SHORTEST_HANGUL = 3
"""Shorter words have too many others one slip away."""
_SOUNDING_ALIKE = 10

Finds = Callable[[Sequence[str]], bool]
"""Whether each of some words finds something."""


def correct(view: View, said: Sequence[str], is_known: Callable[[str], bool], finds: Finds) -> tuple[str, ...]:
    """The words to search for in place of ``said``; none where each finds something, or none can be mended. Words
    that find something or mean something (``is_known``), and those that cannot be mended, stay as they are."""
    found = [is_known(word) or finds((word,)) for word in said]
    if all(found):
        return ()
    whole = _on_the_other_keyboard("".join(said), finds)
    if whole:
        return whole
    mended: list[str] = []
    for word, is_found in zip(said, found, strict=True):
        mended += (word,) if is_found else _mend(view, word, finds) or (word,)
    return tuple(mended) if tuple(mended) != tuple(said) else ()


def _mend(view: View, word: str, finds: Finds) -> tuple[str, ...]:
    other = _on_the_other_keyboard(word, finds)
    if other:
        return other
    near = _nearest(view, word) or _sounding_alike(view, word)
    return (near,) if near else ()


def _on_the_other_keyboard(keys: str, finds: Finds) -> tuple[str, ...]:
    other = typed_as_hangul(keys) if keys.isascii() else typed_as_latin(keys)
    if len(other) < 2 or other == keys or (not keys.isascii() and not other.isascii()):
        return ()
    found = tuple(words(other))
    return found if finds(found) else ()


def _nearest(view: View, word: str) -> str:
    """The word one slip away that most products have; empty where there is none."""
    counted = view.frequencies("word", list(_near(word)))
    best = max(counted, default="", key=lambda other: counted[other])
    return best if counted.get(best) else ""


def _near(word: str) -> Iterable[str]:
    if is_cjk(word):
        if len(word) < SHORTEST_HANGUL or is_initials(word) or not all(map(is_syllable, word)):
            return ()
        return (syllables(spelled) for spelled in one_slip_away(letters(word), SIMPLE_LETTERS))
    if len(word) >= SHORTEST_LATIN and word.isascii() and word.isalpha():
        return one_slip_away(word, tuple(ascii_lowercase))
    return ()


def _sounding_alike(view: View, word: str) -> str:
    """The brand in the other script that sounds like a word, the one that most products have; empty where there is
    none."""
    heard = phonetic_key(word)
    if not heard:
        return ""
    alike = view.beginning_with("sound", f"{heard}{SEPARATOR}", _SOUNDING_ALIKE)
    brands = (text.partition(SEPARATOR)[2] for text, _ in alike)
    return next((brand for brand in brands if is_cjk(brand) != is_cjk(word) and is_alike(brand, word)), "")


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
