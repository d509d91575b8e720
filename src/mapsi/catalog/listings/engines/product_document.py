"""What an index of words holds of a product, whatever engine keeps it.

What each of its variants says, and the values that it is filtered, counted and ordered by.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from mapsi.catalog.text.facts import ListingReader, ListingText, Said
from mapsi.catalog.text.hangul import initials, letters
from mapsi.catalog.text.tokens import without_accents, words

LAYOUT = 3
"""To be counted up with every change of the fields or of how they are filled."""
SEPARATOR = "\x1f"
BEGINNING = "^"
_LONGEST_SUGGESTED = 40


class ListingRow(NamedTuple):
    """A row of ``listings``; see there."""

    offer_id: int
    shop_id: int
    group_key: str
    price_order: int
    audience: str | None
    title: str
    brand: str
    category: str
    color: str
    classes: str
    colors: str
    joined: int | None

    @property
    def stands_alone(self) -> bool:
        return self.joined is None and self.group_key.startswith("=")

    @property
    def product(self) -> int:
        """A number of the product it is a variant of: its own id, or 63 bits of a digest of shop and group, or of what
        several shops' offers are joined under."""
        if self.stands_alone:
            return self.offer_id
        key = f"{self.shop_id}:{self.group_key}" if self.joined is None else f"joined:{self.joined}"
        digest = hashlib.blake2b(key.encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") | 1 << 63

    @property
    def text(self) -> ListingText:
        return ListingText(self.title, self.brand, self.category, self.color, self.audience, self.classes, self.colors)


@dataclass(frozen=True, slots=True)
class ProductDocument:
    """A product as it is indexed: its number, its offers, the shops that have it, its prices as the catalogue orders
    them, the lowest of them with its offer; by field the ``values`` that it is filtered and counted by, and the
    ``tokens`` that it is found by. ``words`` are those of all variants as they stand."""

    product: int
    offers: tuple[int, ...]
    shops: frozenset[int]
    prices: frozenset[int]
    cheapest: tuple[int, int]
    values: Mapping[str, frozenset[str]]
    tokens: Mapping[str, frozenset[str]]
    words: tuple[str, ...]
    suggestions: frozenset[str]

    @classmethod
    def of(cls, variants: Sequence[ListingRow], reader: ListingReader) -> ProductDocument:
        """The document of a product out of the listings of its variants."""
        said = [reader.read(row.text) for row in variants]
        return cls(
            product=variants[0].product,
            offers=tuple(row.offer_id for row in variants),
            shops=frozenset(row.shop_id for row in variants),
            prices=frozenset(row.price_order for row in variants),
            cheapest=min((row.price_order, row.offer_id) for row in variants),
            values=_values(variants),
            tokens=_tokens(said),
            words=tuple(dict.fromkeys(word for variant in said for word in variant.words)),
            suggestions=frozenset(_suggestions(variants, reader)),
        )

    @property
    def newest(self) -> int:
        return max(self.offers)

    @property
    def is_uneven(self) -> bool:
        """Whether a price has a part of a whole unit."""
        return any(price % 10_000 for price in self.prices)


def _values(variants: Sequence[ListingRow]) -> dict[str, frozenset[str]]:
    return {
        "audience": frozenset(row.audience for row in variants if row.audience),
        "color": frozenset(slug for row in variants for slug in row.colors.split()),
        "class": frozenset(key for row in variants for key in row.classes.split()),
        "brand": frozenset(row.brand for row in variants if row.brand),
    }


def _tokens(said: Sequence[Said]) -> dict[str, frozenset[str]]:
    return {
        "fact": frozenset().union(*(variant.facts for variant in said)),
        "title": frozenset().union(*(variant.title for variant in said)),
        "about": frozenset().union(*(variant.about for variant in said)),
        "class_word": frozenset().union(*(variant.classes for variant in said)),
        "sound": frozenset(f"{sound}{SEPARATOR}{word}" for variant in said for sound, word in variant.sounds),
    }


def _suggestions(variants: Sequence[ListingRow], reader: ListingReader) -> Iterator[str]:
    found = {(row.brand, "brand", row.brand) for row in variants if row.brand}
    for key in {key for row in variants for key in row.classes.split()}:
        found |= {(" ".join(name), "class", f"{key}:{at}") for at, name in enumerate(reader.class_names(key))}
    said = {word for row in variants for word in without_accents(row.title).split()}
    found |= {(word, "word", word) for word in said if len(word) > 1 and word.isalpha()}
    for text, kind, value in found:
        if len(text) <= _LONGEST_SUGGESTED:
            for spelled in _spellings(text):
                yield f"{spelled}{SEPARATOR}{kind}{SEPARATOR}{value}"


@lru_cache(maxsize=100_000)
def _spellings(text: str) -> tuple[str, ...]:
    """The beginnings of what a text is found by while it is typed: its letters, and its initial consonants."""
    return tuple(dict.fromkeys((spell(text), initials("".join(words(text))))))


def spell(text: str) -> str:
    """A text as it is typed, letter by letter, words between single blanks."""
    return " ".join(map(letters, words(text)))
