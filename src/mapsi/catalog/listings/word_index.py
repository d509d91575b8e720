"""The index of words: one document a product in a folder of tantivy's, which any number of processes read.

A product's document holds what each of its variants says, and the values that it is filtered, counted and ordered by
(docs/decisions/0010). The generation of the catalogue that it shows is in a document of its own, so that it changes
with the rest or not at all.
"""

from __future__ import annotations

import hashlib
import math
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import Enum
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import tantivy

from mapsi.catalog.text.facts import ListingReader, ListingText, Said
from mapsi.catalog.text.hangul import initials, letters
from mapsi.catalog.text.tokens import is_cjk, without_accents, words

LAYOUT = 3
"""To be counted up with every change of the fields or of how they are filled."""
HEAP = 50_000_000
"""Bytes that a writer collects before it writes; tantivy takes no less than 15 MB."""
SMALL_HEAP = 15_000_000
BREAK = "|"
BEGINNING = "^"
SEPARATOR = "\x1f"
_META = "meta.json"
_FRACTION = 1 / 64
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


class DamagedIndexError(Exception):
    """The folder holds no index that can be read: files are missing, cut off or of another make."""


def _make_schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for name in ("meta", "product"):
        builder.add_unsigned_field(name, indexed=True, fast=True)
    builder.add_unsigned_field("offer", stored=True, indexed=True, fast=True)
    for name in ("alone", "only_shop"):
        builder.add_unsigned_field(name, indexed=True)
    builder.add_unsigned_field("shop", indexed=True, fast=True)
    for name in ("generation", "newest", "variants", "price", "price_up", "price_down", "uneven"):
        builder.add_unsigned_field(name, indexed=name == "price", fast=True)
    builder.add_float_field("weight", fast=True)
    for name in ("audience", "color", "class", "brand"):
        builder.add_text_field(name, fast=True, tokenizer_name="raw", index_option="basic")
    builder.add_text_field("suggestion", tokenizer_name="raw", index_option="basic")
    for name in ("fact", "title", "about", "class_word", "word", "syllable", "sound"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
    for name in ("part", "initial"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="position")
    return builder.build()


class Hits(NamedTuple):
    """Documents found, in their order, and how many there are in all."""

    addresses: list[tantivy.DocAddress]
    total: int


def look_for(searcher: tantivy.Searcher, query: tantivy.Query, limit: int = 1, **order: Any) -> Hits:
    """The first ``limit`` documents that a query finds; ``order`` as for :meth:`tantivy.Searcher.search`."""
    found: Any = searcher.search(query, limit, **order)  # tantivy's types leave ``count`` out
    return Hits([address for _, address in found.hits], int(found.count))


def count_of(searcher: tantivy.Searcher, query: tantivy.Query) -> int:
    """How many documents a query finds. Nothing is scored: at a million a fourth of what a search takes."""
    return look_for(searcher, tantivy.Query.const_score_query(query, 0.0)).total


class Condition(Enum):
    """How an index's files stand: as they were opened, written on by another process, or damaged."""

    AS_OPENED = 0
    WRITTEN = 1
    DAMAGED = 2


class View(NamedTuple):
    """One state of an index, which no later writing changes: what it shows, and the ``generation`` of the catalogue, -1
    where nothing was written yet."""

    schema: tantivy.Schema
    searcher: tantivy.Searcher
    generation: int


class WordIndex:
    """An index that is open, of a folder or, without one, in memory. Any number of threads may look at its ``view``;
    one at a time, of all processes, may write."""

    def __init__(
        self, index: tantivy.Index, folder: Path | None, links: tempfile.TemporaryDirectory[str] | None = None
    ) -> None:
        self.folder = folder
        self._index = index
        self._links = links
        self.reload()

    @classmethod
    def create(cls, folder: Path | None) -> WordIndex:
        """An empty one."""
        if folder is None:
            return cls(tantivy.Index(_make_schema()), None)
        folder.mkdir(parents=True)
        return cls(tantivy.Index(_make_schema(), path=str(folder), reuse=False), folder)

    @classmethod
    def open(cls, folder: Path) -> WordIndex:
        """The one in ``folder``; raises :class:`DamagedIndexError`.

        Readers of tantivy make a file that locks, which a disk that may only be read does not take: there the index is
        opened through links to its files from the system's folder for temporary files."""
        try:
            with reading_safely():
                return cls(tantivy.Index.open(str(folder)), folder)
        except DamagedIndexError as error:
            if "Lockfile" not in str(error):
                raise
        with reading_safely():
            links = tempfile.TemporaryDirectory(prefix="mapsi-words-", ignore_cleanup_errors=True)
            _link(folder, Path(links.name))
            return cls(tantivy.Index.open(links.name), folder, links)

    def reload(self) -> None:
        """Go over to what was written last; raises :class:`DamagedIndexError`."""
        with reading_safely():
            if self._links is not None and self.folder is not None:
                _link(self.folder, Path(self._links.name))
            self._index.reload()
            searcher, schema = self._index.searcher(), self._index.schema
            found = look_for(searcher, tantivy.Query.term_query(schema, "meta", 1, "basic")).addresses
            (generation,) = searcher.fast_field_values("generation", found) if found else (-1,)
            self._files = self._measure()
            self.view = View(schema, searcher, int(generation or 0) if found else -1)

    def condition(self) -> Condition:
        """How the files stand against those that were opened. Nothing of a damaged one may be touched: its files are
        mapped into memory, and reading what was cut off ends the process."""
        if self.folder is None:
            return Condition.AS_OPENED
        try:
            now = self._measure()
        except OSError:
            return Condition.DAMAGED
        is_written = now.get(_META) != self._files.get(_META)
        kept = {name: stood for name, stood in self._files.items() if name != _META}
        if _META not in now or any(now.get(name, stood) != stood for name, stood in kept.items()):
            return Condition.DAMAGED
        if is_written:
            return Condition.WRITTEN
        return Condition.AS_OPENED if kept.keys() <= now.keys() else Condition.DAMAGED

    def write(
        self,
        products: Iterable[Sequence[ListingRow]],
        reader: ListingReader,
        generation: int,
        *,
        gone: Collection[int] = (),
        heap: int = SMALL_HEAP,
    ) -> None:
        """Put ``products``, each with all of its variants, in place of those that are ``gone`` (by their numbers),
        and show ``generation`` from then on; all of it or nothing."""
        if self._links is not None:  # its folder may be written to by now
            self._index, self._links = tantivy.Index.open(str(self.folder)), None
        writer = self._index.writer(heap, 1)
        try:
            # By query: deletion by a term takes a number for a signed one and finds nothing (tantivy 0.27).
            outdated = [tantivy.Query.term_set_query(self._index.schema, "product", list(gone))] if gone else []
            for query in (*outdated, tantivy.Query.term_query(self._index.schema, "meta", 1, "basic")):
                writer.delete_documents_by_query(query)
            for variants in products:
                writer.add_document(_product_document(variants, reader))
            writer.add_document(_generation_document(generation))
            writer.commit()
        except BaseException:
            with suppress(ValueError, OSError):
                writer.rollback()
            raise
        writer.wait_merging_threads()
        self.reload()

    def _measure(self) -> dict[str, tuple[int, int]]:
        """Size and, of the one file that is written again, time by name."""
        if self.folder is None:
            return {}
        with os.scandir(self.folder) as entries:
            found = [(entry.name, entry.stat()) for entry in entries if not entry.name.startswith(".")]
        return {name: (stat.st_size, stat.st_mtime_ns if name == _META else 0) for name, stat in found}


def _link(folder: Path, beside: Path) -> None:
    """Links in ``beside`` to the files of an index's folder that are not there yet."""
    for file in folder.iterdir():
        if not (file.name.endswith(".lock") or (beside / file.name).is_symlink()):
            (beside / file.name).symlink_to(file.resolve())


@contextmanager
def reading_safely() -> Iterator[None]:
    """Whatever tantivy finds wrong with the files as :class:`DamagedIndexError`; a panic of it is no Exception."""
    try:
        yield
    except (ValueError, OSError, RuntimeError) as error:
        raise DamagedIndexError(str(error)) from error
    except BaseException as error:
        if type(error).__name__ == "PanicException":
            raise DamagedIndexError(str(error)) from error
        raise


def _generation_document(generation: int) -> tantivy.Document:
    document = tantivy.Document()
    document.add_unsigned("meta", 1)
    document.add_unsigned("generation", generation)
    return document


def _product_document(variants: Sequence[ListingRow], reader: ListingReader) -> tantivy.Document:
    """The document of a product out of the listings of its variants."""
    document = tantivy.Document()
    document.add_unsigned("meta", 0)
    document.add_unsigned("product", variants[0].product)
    for row in variants:
        document.add_unsigned("offer", row.offer_id)
    if len(variants) == 1:
        document.add_unsigned("alone", variants[0].offer_id)
    document.add_unsigned("variants", len(variants))
    shops = {row.shop_id for row in variants}
    for shop in shops:
        document.add_unsigned("shop", shop)
    if len(shops) == 1:
        document.add_unsigned("only_shop", *shops)
    _add_orders(document, variants)
    _add_values(document, variants)
    _add_words(document, [reader.read(row.text) for row in variants])
    _add_suggestions(document, variants, reader)
    return document


def _add_orders(document: tantivy.Document, variants: Sequence[ListingRow]) -> None:
    price, offer = min((row.price_order, row.offer_id) for row in variants)
    newest = max(row.offer_id for row in variants)
    for each in {row.price_order for row in variants}:
        document.add_unsigned("price", each)
    document.add_unsigned("uneven", int(any(row.price_order % 10_000 for row in variants)))
    # Equal prices by offer: 39 bits of price in hundredths of a unit, 24 of the offer's number.
    coarse, number = min(price // 100, (1 << 39) - 1) << 24, offer & 0xFFFFFF
    document.add_unsigned("price_up", coarse | number)
    document.add_unsigned("price_down", coarse | (0xFFFFFF - number))
    document.add_unsigned("newest", newest)
    document.add_float("weight", _weight(newest))


def _weight(newest: int) -> float:
    """What makes tantivy multiply a score by a little more than 1, the more the newer: by ``1 + r / 64`` with ``r``
    from 0 to 1, logarithmic in the offer's number. It multiplies by ``log2(2 + weight)``. Scores are whole numbers
    below 64, so that newer comes first among equals and nowhere else: 7 becomes at most 7.1."""
    share = math.log2(1 + newest) / 64
    return float(2 ** (1 + share * _FRACTION) - 2)


def _add_values(document: tantivy.Document, variants: Sequence[ListingRow]) -> None:
    values = {
        "audience": {row.audience for row in variants if row.audience},
        "color": {slug for row in variants for slug in row.colors.split()},
        "class": {key for row in variants for key in row.classes.split()},
        "brand": {row.brand for row in variants if row.brand},
    }
    for name, texts in values.items():
        for text in texts:
            document.add_text(name, text)


def _add_words(document: tantivy.Document, said: Sequence[Said]) -> None:
    every = list(dict.fromkeys(word for variant in said for word in variant.words))
    cjk = [word for word in every if is_cjk(word)]
    texts = {
        "fact": frozenset().union(*(variant.facts for variant in said)),
        "title": frozenset().union(*(variant.title for variant in said)),
        "about": frozenset().union(*(variant.about for variant in said)),
        "class_word": frozenset().union(*(variant.classes for variant in said)),
        "word": every,
        "sound": {f"{sound}{SEPARATOR}{word}" for variant in said for sound, word in variant.sounds},
        "syllable": {letter for word in cjk for letter in word},
        "part": [token for word in cjk for token in (*pairs(word), BREAK)],
        "initial": [token for word in cjk for token in (*pairs(BEGINNING + initials(word)), BREAK)],
    }
    for name, tokens in texts.items():
        if tokens:
            document.add_text(name, " ".join(tokens))


def pairs(word: str) -> list[str]:
    """Two letters at a time, side by side: 원피스 as 원피 and 피스."""
    return [word[at : at + 2] for at in range(len(word) - 1)]


def _add_suggestions(document: tantivy.Document, variants: Sequence[ListingRow], reader: ListingReader) -> None:
    found = {(row.brand, "brand", row.brand) for row in variants if row.brand}
    for key in {key for row in variants for key in row.classes.split()}:
        found |= {(" ".join(name), "class", f"{key}:{at}") for at, name in enumerate(reader.class_names(key))}
    said = {word for row in variants for word in without_accents(row.title).split()}
    found |= {(word, "word", word) for word in said if len(word) > 1 and word.isalpha()}
    for text, kind, value in found:
        if len(text) <= _LONGEST_SUGGESTED:
            for spelled in _spellings(text):
                document.add_text("suggestion", f"{spelled}{SEPARATOR}{kind}{SEPARATOR}{value}")


@lru_cache(maxsize=100_000)
def _spellings(text: str) -> tuple[str, ...]:
    """The beginnings of what a text is found by while it is typed: its letters, and its initial consonants."""
    return tuple(dict.fromkeys((spell(text), initials("".join(words(text))))))


def spell(text: str) -> str:
    """A text as it is typed, letter by letter, words between single blanks."""
    return " ".join(map(letters, words(text)))
