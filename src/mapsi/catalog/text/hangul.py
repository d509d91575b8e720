"""Hangul below the syllable: letters, initial consonants, and what the keys of the other keyboard layout would have
typed.

Letters are the conjoining ones that NFKC gives (U+1100 and on), as :func:`mapsi.catalog.text.tokens.words` cuts them.
"""

from __future__ import annotations

import unicodedata

_FIRST, _LAST = 0xAC00, 0xD7A3
_INITIALS = [chr(0x1100 + number) for number in range(19)]
_VOWELS = [chr(0x1161 + number) for number in range(21)]
_FINALS = [chr(0x11A8 + number) for number in range(27)]

# The keys of the standard layout (dubeolsik, KS X 5002), letter by letter in the order of Unicode.
_INITIAL_KEYS = ["r", "R", "s", "e", "E", "f", "a", "q", "Q", "t", "T", "d", "w", "W", "c", "z", "x", "v", "g"]
_VOWEL_KEYS = [
    "k",
    "o",
    "i",
    "O",
    "j",
    "p",
    "u",
    "P",
    "h",
    "hk",
    "ho",
    "hl",
    "y",
    "n",
    "nj",
    "np",
    "nl",
    "b",
    "m",
    "ml",
    "l",
]
_FINAL_KEYS = [
    "r",
    "R",
    "rt",
    "s",
    "sw",
    "sg",
    "e",
    "f",
    "fr",
    "fa",
    "fq",
    "ft",
    "fx",
    "fv",
    "fg",
    "a",
    "q",
    "qt",
    "t",
    "T",
    "d",
    "w",
    "c",
    "z",
    "x",
    "v",
    "g",
]

_FINAL_AS_INITIAL = {
    final: _INITIALS[_INITIAL_KEYS.index(keys)]
    for final, keys in zip(_FINALS, _FINAL_KEYS, strict=True)
    if keys in _INITIAL_KEYS
}
_KEYS = dict(
    zip((*_INITIALS, *_VOWELS, *_FINALS), (*_INITIAL_KEYS, *_VOWEL_KEYS, *_FINAL_KEYS), strict=True),
)
_VOWEL_OF = dict(zip(_VOWEL_KEYS, _VOWELS, strict=True))
_INITIAL_OF = dict(zip(_INITIAL_KEYS, _INITIALS, strict=True))
_FINAL_OF = dict(zip(_FINAL_KEYS, _FINALS, strict=True))


def is_syllable(letter: str) -> bool:
    return _FIRST <= ord(letter) <= _LAST


def is_initials(word: str) -> bool:
    """Whether a word is two or more consonants alone, as in ㅋㄷㄱ."""
    return len(word) > 1 and all(letter in _INITIAL_KEYS_BY_LETTER for letter in word)


_INITIAL_KEYS_BY_LETTER = dict(zip(_INITIALS, _INITIAL_KEYS, strict=True))


def initials(word: str) -> str:
    """The first consonants of a word's syllables; other letters stay."""
    return "".join(_INITIALS[(ord(c) - _FIRST) // 588] if is_syllable(c) else c for c in word)


def letters(word: str) -> str:
    """A word taken apart as it is typed: syllables into first consonant, vowel and final consonant, the final
    one written as the first one that looks alike, and composed ones as their parts. So a word's beginning in
    letters is the beginning of its letters whatever the next syllable: 가ㄷ, 갇 and 가디 all begin 가디건."""
    apart = unicodedata.normalize("NFD", word)
    if apart.isascii():
        return apart
    return "".join(_SIMPLE.get(letter, letter) for letter in apart)


def _simple_letters() -> dict[str, str]:
    """Finals as initials, and finals and vowels that are typed with two keys as two letters."""
    found = dict(_FINAL_AS_INITIAL)
    for final, keys in zip(_FINALS, _FINAL_KEYS, strict=True):
        if final not in found:
            found[final] = "".join(_INITIAL_OF[key] for key in keys)
    for vowel, keys in zip(_VOWELS, _VOWEL_KEYS, strict=True):
        if len(keys) == 2:
            found[vowel] = "".join(_VOWEL_OF[key] for key in keys)
    return found


_SIMPLE = _simple_letters()
SIMPLE_LETTERS = (*_INITIALS, *(vowel for vowel in _VOWELS if vowel not in _SIMPLE))
"""What :func:`letters` gives of Hangul."""


def typed_as_latin(word: str) -> str:
    """The keys that typed a Hangul word: ``ㅠㅣㅕㄷ`` gives ``blue``. Other letters stay."""
    return "".join(_KEYS.get(letter, letter) for letter in unicodedata.normalize("NFD", word)).lower()


def typed_as_hangul(keys: str) -> str:
    """What Latin keys type on the Korean layout, ``dbslr`` giving ``유닉``; empty where they leave a letter alone.

    Shift matters for a few double consonants only, and search texts have lost it: lower-case letters are read."""
    syllables, at = [], 0
    while at < len(keys):
        read = _read_syllable(keys, at)
        if read is None:
            return ""
        syllable, at = read
        syllables.append(syllable)
    return "".join(syllables)


def _read_syllable(keys: str, at: int) -> tuple[str, int] | None:
    initial = _INITIAL_OF.get(keys[at : at + 1])
    vowel_keys = _longest(keys, at + 1, _VOWEL_OF)
    if initial is None or not vowel_keys:
        return None
    at += 1 + len(vowel_keys)
    final_keys = _longest(keys, at, _FINAL_OF)
    # A consonant before a vowel begins the next syllable.
    while final_keys and keys[at + len(final_keys) : at + len(final_keys) + 1] in _VOWEL_OF:
        final_keys = final_keys[:-1]
    parts = initial + _VOWEL_OF[vowel_keys] + (_FINAL_OF[final_keys] if final_keys else "")
    return unicodedata.normalize("NFC", parts), at + len(final_keys)


def _longest(keys: str, at: int, known: dict[str, str]) -> str:
    return next((keys[at : at + n] for n in (2, 1) if len(keys) >= at + n and keys[at : at + n] in known), "")


def syllables(spelled: str) -> str:
    """What :func:`letters` took apart, put together again: ``ㅋㅏㄷㅣㄱㅓㄴ`` gives ``카디건``; empty where a letter is
    left alone."""
    keys = "".join(_KEYS.get(letter, letter) for letter in spelled)
    return typed_as_hangul(keys) if keys.isascii() else ""
