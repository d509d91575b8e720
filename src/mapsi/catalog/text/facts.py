"""What a listing says, as sets of tokens: what it is, whom it is for, what it looks like, and its plain words.

Worked out once a listing, when it is indexed; a query is then a few tokens to look up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

from mapsi.catalog.text.class_words import KnownClass
from mapsi.catalog.text.phonetic import phonetic_key
from mapsi.catalog.text.thesaurus import Piece, Thesaurus
from mapsi.catalog.text.tokens import is_cjk, stem, without_accents, words
from mapsi.taxonomy.synonyms import Meaning

LONGEST_JOINED = 12
AFTER_THE_NOUN = frozenset({"for", "with"})
"""What follows them is not what the thing is: a dress with belt is a dress."""
_REMEMBERED = 2_000
"""Listings of one product, and products that are shown again, are read once."""
_SEVERAL = re.compile(r"[/&,·]| and ")

SAID, TITLE, KIND, NOUN, SHOWN = "said", "title", "kind", "noun", "shown"
"""How surely a listing says a meaning: anywhere; in its title; it is one of that kind or of one under it; its noun or
category is that very kind; the shop's own field says so (colour, audience). Each implies ``said``."""


def fact(how: str, meaning: str) -> str:
    """The token for a meaning that is said so: ``kind:dress_shoes``."""
    return f"{how}:{meaning}".replace(" ", "_")


class ListingText(NamedTuple):
    """What is read of a listing. ``title`` is a searchable text, ``classes`` and ``colors`` are keys between blanks
    (see the table ``listings``)."""

    title: str
    brand: str
    category: str
    color: str
    audience: str | None
    classes: str
    colors: str


@dataclass(frozen=True, slots=True)
class Said:
    """The tokens of a listing, or of one of its fields: ``facts`` (see :func:`fact`), whole words in the ``title``,
    whole words ``about`` it (brand, category, colour), words of its ``classes``. ``words`` are title and about as they
    stand, ``brands`` those that may be a brand."""

    facts: frozenset[str] = frozenset()
    title: frozenset[str] = frozenset()
    about: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    brands: tuple[str, ...] = ()

    @property
    def sounds(self) -> frozenset[tuple[str, str]]:
        """The phonetic key of each of its brands, and the word itself."""
        return frozenset((heard, word) for word in self.brands if (heard := phonetic_key(word)))


@dataclass(frozen=True, slots=True)
class _Field:
    """One field read: its words and the meanings said in it; the kinds that it may be."""

    words: tuple[str, ...] = ()
    meanings: tuple[Meaning, ...] = ()
    kinds: tuple[Meaning, ...] = ()


class ListingReader:
    """Reads listings. ``classes`` gives the classes that they may have by ``axis:slug``."""

    def __init__(self, thesaurus: Thesaurus, classes: Mapping[str, KnownClass]) -> None:
        self._thesaurus = thesaurus
        self._classes = classes
        self._category = lru_cache(maxsize=20_000)(self._read_category)
        self._plain = lru_cache(maxsize=50_000)(self._read_plain)
        self.read = lru_cache(maxsize=_REMEMBERED)(self._read)
        self._class_words = lru_cache(maxsize=5_000)(self._read_classes)
        self._worn_by = {audience: _names_of(thesaurus, audience) for audience in ("women", "men", "unisex", "kids")}

    def _read(self, listing: ListingText) -> Said:
        """What a listing says."""
        title = self._read_title(without_accents(listing.title).split())
        category, classes = self._category(listing.category), self._class_words(listing.classes)
        brand, color = self._plain(listing.brand), self._plain(listing.color)
        about = (*brand.words, *category.words, *color.words)
        nouns = self._nouns(title, category, classes)
        kinds = {name for noun in nouns for name in self._thesaurus.wider(noun)}
        shown = self._shown(listing)
        said = {m.name for field in (title, brand, category, color, classes) for m in field.meanings}
        said |= self._worn_by.get(listing.audience or "", frozenset())
        return Said(
            facts=frozenset(
                (
                    *(fact(SAID, name) for name in said | kinds | shown),
                    *(fact(TITLE, meaning.name) for meaning in title.meanings),
                    *(fact(KIND, name) for name in kinds),
                    *(fact(NOUN, noun.name) for noun in nouns),
                    *(fact(SHOWN, name) for name in shown),
                )
            ),
            title=whole_words(title.words),
            about=frozenset().union(*map(whole_words, (brand.words, category.words, color.words))),
            classes=frozenset(map(stem, classes.words)),
            words=(*title.words, *about),
            brands=(*brand.words, *title.words[:1]),
        )

    def class_names(self, key: str) -> Sequence[Sequence[str]]:
        """The words of a class's Korean and of its English name."""
        return self._classes[key].names[:2] if key in self._classes else ()

    def _nouns(self, title: _Field, category: _Field, classes: _Field) -> tuple[Meaning, ...]:
        """What the product is: the shop's category is believed; the title's noun where it is the same kind, or the
        category names none or several. Of a listing that names no kind, what its classes are called."""
        head = title.kinds[-1:]
        agree = tuple(kind for kind in head if any(self._is_one(kind, other) for other in category.kinds))
        if len(category.kinds) == 1:
            return (*category.kinds, *(kind for kind in agree if kind not in category.kinds))
        return agree or head or category.kinds or classes.kinds

    def _is_one(self, kind: Meaning, other: Meaning) -> bool:
        wider = self._thesaurus.wider
        return kind.name in wider(other) or other.name in wider(kind)

    def _shown(self, listing: ListingText) -> set[str]:
        """Meanings that the shop's fields stand for."""
        colors = {f"color {slug}" for slug in listing.colors.split()}
        return colors | ({f"audience {listing.audience}"} if listing.audience else set())

    def _read_title(self, said: Sequence[str]) -> _Field:
        pieces = self._thesaurus.read(said)
        return _Field(tuple(said), _meanings(pieces), _meanings(nouns_of(pieces)))

    def _read_category(self, category: str) -> _Field:
        """A path; what it ends with is the kind. Of one that ends with several (Shirts & Tops) each may be."""
        leaf = category.rpartition(">")[2]
        kinds = [self._read_title(words(part)).kinds[-1:] for part in _SEVERAL.split(leaf)]
        whole = self._read_title(words(leaf)).kinds
        several = tuple(kind for found in kinds for kind in found)
        pieces = self._thesaurus.read(words(category))
        return _Field(tuple(words(category)), _meanings(pieces), several if len(several) > 1 else whole[-1:])

    def _read_plain(self, text: str) -> _Field:
        said = words(text)
        return _Field(tuple(said), _meanings(self._thesaurus.read(said)))

    def _read_classes(self, keys: str) -> _Field:
        known = [self._classes[key] for key in keys.split() if key in self._classes]
        names = [self._thesaurus.read(name) for cls in known for name in cls.names]
        said = tuple(word for cls in known for text in cls.texts for word in text)
        meanings = tuple(dict.fromkeys(m for pieces in names for m in _meanings(pieces)))
        kinds = tuple(dict.fromkeys(m for pieces in names for m in _meanings(nouns_of(pieces))[-1:]))
        return _Field(said, meanings, kinds)


def nouns_of(pieces: Sequence[Piece]) -> list[Piece]:
    """The pieces that may be what a thing is: kinds that end a word, before ``for`` and ``with``; the last decides, in
    Korean and in English."""
    found: list[Piece] = []
    for piece in pieces:
        if found and piece.words[-1] in AFTER_THE_NOUN:
            break
        if piece.meaning is not None and piece.meaning.kind and piece.ends:
            found.append(piece)
    return found


def whole_words(said: Sequence[str]) -> frozenset[str]:
    """The tokens that whole words are found by: Latin ones as their stems, neighbours in Korean as one word too."""
    joined = (
        f"{left}{right}"
        for left, right in pairwise(said)
        if len(left) + len(right) <= LONGEST_JOINED and is_cjk(left) and is_cjk(right)
    )
    return frozenset((*map(stem, said), *joined))


def _meanings(pieces: Iterable[Piece]) -> tuple[Meaning, ...]:
    return tuple(dict.fromkeys(piece.meaning for piece in pieces if piece.meaning is not None))


def _names_of(thesaurus: Thesaurus, audience: str) -> frozenset[str]:
    """The meanings that an audience stands for; unisex is found by who asks for women's or men's too."""
    wanted = {"women", "men", "unisex"} if audience == "unisex" else {audience}
    return frozenset(meaning.name for meaning in thesaurus.by_name.values() if meaning.audience in wanted)
