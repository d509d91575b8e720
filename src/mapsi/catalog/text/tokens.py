"""Text as it is searched: the words cut out of it.

A *searchable text* holds the words of a text, in their order, between single blanks: ``Linen DRESSES 롱코트`` becomes
`` linen dresses 롱코트 ``.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import lru_cache

import snowballstemmer

from mapsi.errors import UsageError

MAX_CHARACTERS = 256
MAX_TERMS = 24

_CJK = (
    "\u1100-\u11ff\u3040-\u30ff\u3130-\u318f\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
"""Scripts in which words are run together: Hangul, Kana and Han ideographs."""
_WORD = re.compile(rf"[{_CJK}]+|[^\W_{_CJK}]+")
_FILLERS = re.compile("[\u115f\u1160]")  # letters without a shape, as NFKC leaves them
_INVISIBLE = re.compile("[\u00ad\u034f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]")
_ACCENTED = re.compile("[\u00e0-\u024f\u0300-\u036f\u1e00-\u1eff]")
_ACCENTS = re.compile("(?<=[a-z])[\u0300-\u036f]+")
_BARE = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe"})  # what NFD does not take apart
_IS_CJK = re.compile(f"[{_CJK}]")
_APOSTROPHE = re.compile(r"(?<=[a-z])['\u2019](?=[a-z])")
_STEMMED = re.compile("[a-z]{3,}")
_thread = threading.local()


class NoWordsError(UsageError):
    """The search text has no letters or digits."""


def words(text: str) -> list[str]:
    """The words of a text: NFKC, case folded, Latin letters without their accents (``Café``: ``cafe``), apostrophes
    inside a word dropped (``men's``: ``mens``), cut at every character that is neither letter nor digit and where CJK
    meets another script."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    if not folded.isascii():
        folded = without_accents(_FILLERS.sub(" ", _INVISIBLE.sub("", folded)))
    if "'" in folded or "\u2019" in folded:
        folded = _APOSTROPHE.sub("", folded)
    return _WORD.findall(folded)


def without_accents(text: str) -> str:
    """A case-folded text whose Latin letters have no accents."""
    if _ACCENTED.search(text) is None:
        return text
    apart = unicodedata.normalize("NFD", text.translate(_BARE))
    return unicodedata.normalize("NFC", _ACCENTS.sub("", apart))


def is_cjk(word: str) -> bool:
    return _IS_CJK.match(word) is not None


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The English stem by Snowball (Porter2); words of other letters, with digits or under three characters stay."""
    if _STEMMED.fullmatch(word) is None:
        return word
    stemmer = getattr(_thread, "stemmer", None)
    if stemmer is None:  # it keeps state and is not safe to share between threads
        stemmer = _thread.stemmer = snowballstemmer.stemmer("english")
    return str(stemmer.stemWord(word))


def searchable(text: str) -> str:
    """The searchable text of a text, or an empty one where it has no word."""
    found = words(text)
    return f" {' '.join(found)} " if found else ""


def query_words(text: str) -> tuple[str, ...]:
    """The words of a query, each once, all of which have to match; raises :class:`UsageError`, :class:`NoWordsError`
    where there is none."""
    if len(text) > MAX_CHARACTERS:
        raise UsageError(f"The search text is longer than {MAX_CHARACTERS} characters.", "Search for fewer words.")
    asked = tuple(dict.fromkeys(words(text)))
    if not asked:
        raise NoWordsError("The search text has no letters or digits.", "Type a name, a kind of garment or a colour.")
    if len(asked) > MAX_TERMS:
        raise UsageError(f"The search text has more than {MAX_TERMS} words.", "Search for fewer words.")
    return asked
