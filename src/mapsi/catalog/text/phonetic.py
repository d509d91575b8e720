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
_SILENT_R = re.compile("(?<=[aeiouy])r(?![aeiouyr])")
_SHORTEST = 2


def phonetic_key(word: str) -> str:
    """The classes of a word's consonants in their order: ``NK`` of both nike and 나이키; empty for too few of them.

    Latin words are read by Metaphone (Philips 1990, from jellyfish), without an r that English spelling has and Korean
    leaves out: at the end and before another consonant (버버리 is burberry)."""
    found = _of_hangul(word) if is_cjk(word) else _of_latin(word)
    return found if len(found) >= _SHORTEST else ""


def _of_latin(word: str) -> str:
    if not (word.isascii() and word.isalpha()):
        return ""
    return jellyfish.metaphone(_SILENT_R.sub("", word)).translate(_OF_METAPHONE)


def _of_hangul(word: str) -> str:
    heard = "".join(_OF_HANGUL.get(letter, "") for letter in unicodedata.normalize("NFD", word))
    return heard.replace("LL", "L")
