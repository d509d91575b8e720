"""The index of words: one document a product in a folder of tantivy's, which any number of processes read.

A product's document holds what each of its variants says, and the values that it is filtered, counted and ordered by
(docs/decisions/0010). The generation of the catalogue that it shows is in a document of its own, so that it changes
with the rest or not at all.
"""

from __future__ import annotations

import math
import os
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path

import tantivy

from mapsi.catalog.listings.engines.product_document import BEGINNING, ListingRow, ProductDocument
from mapsi.catalog.listings.engines.tantivy_view import TantivyView, pairs
from mapsi.catalog.text.facts import ListingReader
from mapsi.catalog.text.hangul import initials
from mapsi.catalog.text.tokens import is_cjk

HEAP = 50_000_000
"""Bytes that a writer collects before it writes; tantivy takes no less than 15 MB."""
SMALL_HEAP = 15_000_000
BREAK = "|"
_META = "meta.json"
_FRACTION = 1 / 64


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


class Condition(Enum):
    """How an index's files stand: as they were opened, written on by another process, or damaged."""

    AS_OPENED = 0
    WRITTEN = 1
    DAMAGED = 2


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
            self._files = self._measure()
            self.view = TantivyView.of(schema, searcher)

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
                writer.add_document(_tantivy_document(ProductDocument.of(variants, reader)))
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


def _tantivy_document(product: ProductDocument) -> tantivy.Document:
    document = tantivy.Document()
    document.add_unsigned("meta", 0)
    document.add_unsigned("product", product.product)
    for offer in product.offers:
        document.add_unsigned("offer", offer)
    if len(product.offers) == 1:
        document.add_unsigned("alone", product.offers[0])
    document.add_unsigned("variants", len(product.offers))
    for shop in product.shops:
        document.add_unsigned("shop", shop)
    if len(product.shops) == 1:
        document.add_unsigned("only_shop", *product.shops)
    _add_orders(document, product)
    for name, values in product.values.items():
        for value in values:
            document.add_text(name, value)
    for name, tokens in _tokens(product):
        if tokens:
            document.add_text(name, " ".join(tokens))
    for suggestion in product.suggestions:
        document.add_text("suggestion", suggestion)
    return document


def _add_orders(document: tantivy.Document, product: ProductDocument) -> None:
    price, offer = product.cheapest
    for each in product.prices:
        document.add_unsigned("price", each)
    document.add_unsigned("uneven", int(product.is_uneven))
    # Equal prices by offer: 39 bits of price in hundredths of a unit, 24 of the offer's number.
    coarse, number = min(price // 100, (1 << 39) - 1) << 24, offer & 0xFFFFFF
    document.add_unsigned("price_up", coarse | number)
    document.add_unsigned("price_down", coarse | (0xFFFFFF - number))
    document.add_unsigned("newest", product.newest)
    document.add_float("weight", _weight(product.newest))


def _weight(newest: int) -> float:
    """What makes tantivy multiply a score by a little more than 1, the more the newer: by ``1 + r / 64`` with ``r``
    from 0 to 1, logarithmic in the offer's number. It multiplies by ``log2(2 + weight)``. Scores are whole numbers
    below 64, so that newer comes first among equals and nowhere else: 7 becomes at most 7.1."""
    share = math.log2(1 + newest) / 64
    return float(2 ** (1 + share * _FRACTION) - 2)


def _tokens(product: ProductDocument) -> Iterator[tuple[str, Iterable[str]]]:
    """What the product is found by, by field; of words in Korean, Chinese and Japanese also what is inside them."""
    cjk = [word for word in product.words if is_cjk(word)]
    yield from product.tokens.items()
    yield "word", product.words
    yield "syllable", {letter for word in cjk for letter in word}
    yield "part", [token for word in cjk for token in (*pairs(word), BREAK)]
    yield "initial", [token for word in cjk for token in (*pairs(BEGINNING + initials(word)), BREAK)]
