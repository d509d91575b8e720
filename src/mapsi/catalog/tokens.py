"""Text as it is searched: words cut out of it, what the full-text index holds of them, and what a query asks for.

The rule of what is found stands in :class:`Term`: *needles*, texts looked for inside a searchable text. The tokens only
narrow down, by the database's full-text index, the rows in which needles are looked for; they may let too much
through, never too little. Both databases are given the same needles and the same tokens, so both answer alike.

A *searchable text* holds the words of a text between single blanks, a Latin one followed by its stem after ``=``:
``Linen DRESSES 롱코트`` becomes `` linen =linen dresses =dress 롱코트 ``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
_IS_CJK = re.compile(f"[{_CJK}]")
_APOSTROPHE = re.compile(r"(?<=[a-z])['\u2019](?=[a-z])")
_STEMMED = re.compile("[a-z]{3,}")

# MariaDB leaves out tokens under 3 and over 84 characters and its stop words ("to", "the"): these beginnings make every
# token long enough and none a stop word, the cut keeps it short enough.
_GRAM, _FULL, _STEM, _CLASS = "xk", "xw", "xs", "xc"
_LONGEST_TOKEN = 64
_LONGEST_SPLIT = 12


def words(text: str) -> list[str]:
    """The words of a text: NFKC, case folded, apostrophes inside a word dropped (``men's``: ``mens``), cut at every
    character that is neither letter nor digit and where CJK meets another script."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    if "'" in folded or "\u2019" in folded:
        folded = _APOSTROPHE.sub("", folded)
    return _WORD.findall(folded)


def is_cjk(word: str) -> bool:
    return _IS_CJK.match(word) is not None


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """The English stem by Snowball (Porter2); words of other letters, with digits or under three characters stay."""
    if _STEMMED.fullmatch(word) is None:
        return word
    # A stemmer of its own for each call: the object keeps state and is not safe to share between threads.
    return str(snowballstemmer.stemmer("english").stemWord(word))


def searchable(text: str) -> str:
    """The searchable text of a text, or an empty one where it has no word."""
    parts = [word if is_cjk(word) else f"{word} ={stem(word)}" for word in words(text)]
    return f" {' '.join(parts)} " if parts else ""


def class_keys(classes: Mapping[str, str]) -> str:
    """Classes (axis to slug) as needles find them: `` garment:dress style:one-piece ``."""
    return f" {' '.join(map(':'.join, sorted(classes.items())))} " if classes else ""


def class_token(key: str) -> str:
    """The token of one ``axis:slug``."""
    return _token(_CLASS, "".join(filter(str.isalnum, key)))


def index_tokens(title: str, about: str, classes: str) -> str:
    """All tokens, each once and between blanks, that the full-text index holds of an offer: of two searchable texts and
    of class keys."""
    entries = dict.fromkeys(title.split() + about.split())
    tokens = [token for entry in entries for token in _entry_tokens(entry)]
    return " ".join(dict.fromkeys(tokens + [class_token(key) for key in classes.split()]))


@lru_cache(maxsize=100_000)
def _entry_tokens(entry: str) -> tuple[str, ...]:
    if entry.startswith("="):
        return (_token(_STEM, entry[1:]),)
    if is_cjk(entry):
        return (*_grams(entry), _token(_GRAM, entry[-1]))
    return (_token(_FULL, entry),)


def _grams(word: str) -> Iterator[str]:
    return (_token(_GRAM, word[at : at + 2]) for at in range(len(word) - 1))


def _token(kind: str, word: str) -> str:
    """A token of a-z and 0-9 only; the beginning of a word stays the beginning of its token."""
    body = word if word.isascii() else "".join(c if c.isascii() else f"{ord(c):x}" for c in word)
    return (kind + body)[:_LONGEST_TOKEN]


Ways = Sequence[tuple[str, ...]]
"""Sets of tokens: a row that matches has all tokens of at least one set; a token that ends in ``*`` stands for all that
begin so."""


@dataclass(frozen=True, slots=True)
class Term:
    """One word of a query. A searchable text has it as a whole word where it holds a needle of ``whole``, as part of a
    word where it holds one of ``part``. ``ways`` find the rows in which to look."""

    whole: tuple[str, ...]
    part: tuple[str, ...]
    ways: Ways

    def is_whole_in(self, text: str) -> bool:
        return any(needle in text for needle in self.whole)

    def is_part_in(self, text: str) -> bool:
        return any(needle in text for needle in self.part)


def parse_query(text: str) -> tuple[Term, ...]:
    """The terms of a query, each once, all of which have to match; raises :class:`UsageError`."""
    if len(text) > MAX_CHARACTERS:
        raise UsageError(f"The search text is longer than {MAX_CHARACTERS} characters.", "Search for fewer words.")
    asked = tuple(dict.fromkeys(words(text)))
    if not asked:
        raise UsageError("The search text has no letter or digit.", "Type a name, a kind of garment or a colour.")
    if len(asked) > MAX_TERMS:
        raise UsageError(f"The search text has more than {MAX_TERMS} words.", "Search for fewer words.")
    return tuple(_cjk_term(word) if is_cjk(word) else _latin_term(word) for word in asked)


def _latin_term(word: str) -> Term:
    if len(word) == 1:  # "t" of t-shirt: as a beginning it would find half of the catalogue
        return Term((f" {word} ",), (), ((_token(_FULL, word),),))
    root = stem(word)
    ways = ((f"{_token(_FULL, word)}*",), (_token(_STEM, root),))
    return Term((f" {word} ", f" ={root} "), (f" {word}",), ways)


def _cjk_term(word: str) -> Term:
    inside = tuple(dict.fromkeys(_grams(word))) if len(word) > 1 else (f"{_token(_GRAM, word)}*",)
    # Shops write 린넨 원피스 and 린넨원피스 alike: also find the term where it stands as two words.
    splits = [(word[:at], word[at:]) for at in range(1, len(word))] if len(word) <= _LONGEST_SPLIT else []
    apart = tuple(tuple(token for half in split for token in _half_tokens(half)) for split in splits)
    return Term((f" {word} ", *(f" {left} {right} " for left, right in splits)), (word,), (inside, *apart))


def _half_tokens(half: str) -> Iterable[str]:
    return (*_grams(half), _token(_GRAM, half[-1]))


def fts5_query(asked: Iterable[Ways]) -> str:
    """The query for SQLite's FTS5. Every token is ours: letters and digits, nothing that a user typed as an operator."""
    return " AND ".join("(" + " OR ".join("(" + " AND ".join(way) + ")" for way in ways) + ")" for ways in asked)


def boolean_query(asked: Iterable[Ways]) -> str:
    """The same for MariaDB's boolean mode."""
    return " ".join("+(" + " ".join(_boolean_way(way) for way in ways) + ")" for ways in asked)


def _boolean_way(way: tuple[str, ...]) -> str:
    return way[0] if len(way) == 1 else "(" + " ".join(f"+{token}" for token in way) + ")"
