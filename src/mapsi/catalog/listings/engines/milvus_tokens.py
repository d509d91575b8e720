"""What a product is found by in Milvus: tokens as numbers of 63 bits in an array, and as dimensions of a sparse vector.

An array says whether a product has a token; the inner product with the vector of a question adds up the points. Three
dimensions are no tokens: they put products in the orders that know no points.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache

from mapsi.catalog.listings.engines.product_document import BEGINNING, ProductDocument
from mapsi.catalog.text.hangul import initials
from mapsi.catalog.text.tokens import is_cjk

NEWEST, CHEAPEST, DEAREST = 0, 1, 2
LONGEST = 4
"""Letters of a text inside a word that are one token; a longer text is found by all fours of its letters."""
MOST_TOKENS = 4096
"""Of one product: what an array of Milvus takes."""
SCORED = ("fact", "title", "about", "class_word")
"""Fields whose tokens may be worth points; those inside words are as well."""


@lru_cache(maxsize=500_000)
def token(field: str, text: str) -> int:
    """The number of a text in a field."""
    digest = hashlib.blake2b(f"{field}\x1f{text}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1


def dimension(number: int) -> int:
    """A token's place in the sparse vector, which takes 32 bits. Two tokens may share one: of a million tokens a
    hundred pairs do. Their products are still told apart, a point may be given too many."""
    return 3 + number % (2**32 - 8)


def side_by_side(field: str, text: str) -> tuple[int, ...]:
    """The tokens that a product has to have all of where ``text`` stands inside one of its words."""
    if len(text) <= LONGEST:
        return (token(field, text),)
    return tuple(token(field, text[at : at + LONGEST]) for at in range(len(text) - LONGEST + 1))


def tokens_of(product: ProductDocument) -> list[int]:
    """All tokens of a product, those first that say most."""
    scored = [token(field, text) for field in SCORED for text in product.tokens[field]]
    values = [token(field, text) for field, texts in product.values.items() for text in texts]
    whole = [token("word", word) for word in product.words]
    inside = [token(field, text) for field, text in _inside(product)]
    return list(dict.fromkeys((*scored, *values, *whole, *inside)))[:MOST_TOKENS]


def vector_of(product: ProductDocument) -> dict[int, float]:
    """A product's sparse vector: 1 for each token that may be worth points, and its places in the other orders."""
    inside = (token(field, text) for field, text in _inside(product) if field == "part")
    scored = (token(field, text) for field in SCORED for text in product.tokens[field])
    places = {
        NEWEST: float(product.newest),
        CHEAPEST: 1 / (1 + product.cheapest[0]),
        DEAREST: 1.0 + product.cheapest[0],
    }
    return dict.fromkeys(map(dimension, (*scored, *inside)), 1.0) | places


def _inside(product: ProductDocument) -> Iterator[tuple[str, str]]:
    """What stands inside words of Korean, Chinese and Japanese, and inside their initial consonants."""
    for word in product.words:
        if is_cjk(word):
            yield from (("part", text) for text in _pieces(word, 1))
            yield from (("initial", text) for text in _pieces(BEGINNING + initials(word), 2))


def _pieces(word: str, shortest: int) -> Iterator[str]:
    for length in range(shortest, LONGEST + 1):
        yield from (word[at : at + length] for at in range(len(word) - length + 1))
