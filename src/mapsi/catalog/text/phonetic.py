"""What a word sounds like, the same for both scripts: so a brand that is in no table is found by its other
spelling."""

from __future__ import annotations

import re
import unicodedata

import jellyfish

from mapsi.catalog.text.tokens import is_cjk

# Consonants that Korean spelling runs together, as one letter a class: b, p, f, v; g, k; d, t, th; j, ch, sh; l, r.
_OF_METAPHONE = str.maketrans(
    {**dict.fromkeys("BPFV", "P"), **dict.fromkeys("GK", "K"), **dict.fromkeys("DT0", "T"), **dict.fromkeys("JX", "S")}
    | {**dict.fromkeys("LR", "L"), "S": "S", "Z": "S", "M": "M", "N": "N", **dict.fromkeys("AEIOUHWY", "")}
)
_OF_HANGUL = dict(
    zip(
        (chr(0x1100 + number) for number in range(19)),
        ("K", "K", "N", "T", "T", "L", "M", "P", "P", "S", "S", "", "S", "S", "S", "K", "T", "P", ""),
        strict=True,
    )
) | {"\u11a8": "K", "\u11ab": "N", "\u11af": "L", "\u11b7": "M", "\u11b8": "P", "\u11ba": "T", "\u11bc": "N"}
# Vowels roughly as English spells them; ㅡ is heard in no foreign word.
_OF_VOWELS = (
    *(
        ("A", "ㅏ"),
        ("E", "ㅐㅔ"),
        ("I", "ㅣ"),
        ("O", "ㅓㅗ"),
        ("U", "ㅜ"),
        ("IA", "ㅑ"),
        ("IE", "ㅒㅖ"),
        ("IO", "ㅕㅛ"),
    ),
    *(("IU", "ㅠ"), ("UA", "ㅘ"), ("UE", "ㅙㅚㅞ"), ("UI", "ㅟㅢ"), ("UO", "ㅝ")),
)
_VOWELS = {chr(ord(vowel) - ord("ㅏ") + 0x1161): heard for heard, vowels in _OF_VOWELS for vowel in vowels}
_OF_LATIN = str.maketrans("cgkqbfpvdtjszlrmnwyaeiou", "KKKKPPPPTTSSSLLMNUIAEIOU") | str.maketrans({"h": "", "x": "KS"})
_SILENT_R = re.compile("(?<=[aeiouy])r(?![aeiouyr])")
_TWICE = re.compile(r"(.)\1+")
_SHORTEST = 2
_ALIKE = 0.75
"""How like two spellings are (Jaro 1989) of one brand: of the 76 pairs in `brands.toml` that share a key 71 are; of 34
pairs of an everyday word (수박, a watermelon) and a brand of 8,561 real products (Spykar), 8."""


def phonetic_key(word: str) -> str:
    """The classes of a word's consonants in their order: ``NK`` of both nike and 나이키; empty for too few of them.

    Latin words are read by Metaphone (Philips 1990, from jellyfish), without an r that English spelling has and Korean
    leaves out: at the end and before another consonant (버버리 is burberry)."""
    found = _of_hangul(word) if is_cjk(word) else _of_latin(word)
    return found if len(found) >= _SHORTEST else ""


def is_alike(one: str, other: str) -> bool:
    """Whether two words of one :func:`phonetic_key` are alike with their vowels too, as far as scripts let them."""
    return jellyfish.jaro_similarity(_spelled(one), _spelled(other)) >= _ALIKE


def _spelled(word: str) -> str:
    """A word in the classes of :func:`phonetic_key`, with its vowels: ``NAIKI`` for 나이키, ``NIKE`` for nike."""
    if is_cjk(word):
        letters = unicodedata.normalize("NFD", word)
        spelled = "".join(_OF_HANGUL.get(letter) or _VOWELS.get(letter, "") for letter in letters)
    else:
        spelled = re.sub("ch|sh", "s", word.lower()).replace("ph", "p").translate(_OF_LATIN)
    return _TWICE.sub(r"\1", spelled)


def _of_latin(word: str) -> str:
    if not (word.isascii() and word.isalpha()):
        return ""
    return jellyfish.metaphone(_SILENT_R.sub("", word)).translate(_OF_METAPHONE)


def _of_hangul(word: str) -> str:
    heard = "".join(_OF_HANGUL.get(letter, "") for letter in unicodedata.normalize("NFD", word))
    return heard.replace("LL", "L")
