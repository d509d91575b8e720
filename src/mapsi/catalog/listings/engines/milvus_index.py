"""The index of words in a Milvus: a collection of products and, beside it, one of the words that they have."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from mapsi.batches import batched
from mapsi.catalog.listings.engines.milvus_tokens import MOST_TOKENS, NEWEST, tokens_of, vector_of
from mapsi.catalog.listings.engines.milvus_view import LOTS, TERMS, MilvusView
from mapsi.catalog.listings.engines.product_document import SEPARATOR, ListingRow, ProductDocument
from mapsi.catalog.listings.engines.word_index import Condition
from mapsi.catalog.text.facts import ListingReader
from mapsi.milvus import LOAD_SECONDS, SECONDS, DataType, MilvusClient, MilvusConnection, MilvusException

_BATCH = 500
WRITE_SECONDS = 60.0
_LONGEST_TERM = 500
_STATE = 0
"""The number of the entry that tells what the index shows; no product has it."""
_FIELDS = {"offer": DataType.INT64, "shop": DataType.INT64, "tokens": DataType.INT64}
_VALUES = ("audience", "color", "class")
_NUMBERS = ("newest", "cheapest", "alone", "only_shop", "price_low", "price_high", "uneven", "lot")

_FILTERED = ("alone", "only_shop", "price_low", "price_high", "lot")

_log = logging.getLogger(__name__)


class _State(NamedTuple):
    """What a collection tells: its own name, the ``generation`` of the catalogue that it shows, -1 where nothing was
    written yet, and the highest number of an offer."""

    collection: str
    generation: int
    newest: int


class MilvusIndex:
    """An index that is written. Any number of threads may look at its ``view``; one at a time, of all machines, may
    write."""

    folder: Path | None = None

    def __init__(self, milvus: MilvusConnection, collection: str, *, is_new: bool = False) -> None:
        self.collection = collection
        self._milvus = milvus
        if is_new:
            self.view = MilvusView(milvus, collection, -1, 0)
        else:
            self.reload()

    @classmethod
    def create(cls, milvus: MilvusConnection, collection: str) -> MilvusIndex:
        """An empty one."""
        milvus.ask(lambda client: _create(client, collection))
        return cls(milvus, collection, is_new=True)

    def reload(self) -> None:
        """Look again at which generation it shows."""
        state = read_state(self._milvus, self.collection)
        self.view = MilvusView(self._milvus, self.collection, state.generation, state.newest)

    def condition(self) -> Condition:
        return Condition.AS_OPENED

    def write(
        self,
        products: Iterable[Sequence[ListingRow]],
        reader: ListingReader,
        generation: int,
        *,
        gone: Collection[int] = (),
    ) -> None:
        """Put ``products``, each with all of its variants, in place of those that are ``gone`` (by their numbers), and
        show ``generation`` from then on. What is written until it is broken off is written again by the next."""
        numbers, terms, newest = set[int](), Counter[str](), max(0, self.view.newest)
        is_new = self.view.generation < 0
        for part in batched(products, _BATCH):
            found = [ProductDocument.of(variants, reader) for variants in part]
            entries = [_entry(product) for product in found]
            self._put(entries, new=is_new)
            terms.update(term for product in found for term in _terms_of(product))
            newest = max(newest, *(product.newest for product in found))
            if not is_new:
                numbers |= {entry["number"] for entry in entries}
        self._delete(sorted({signed(number) for number in gone} - numbers))
        self._count_terms(terms, new=is_new)
        told = _State(self.collection, generation, newest)
        self._put([_state_entry(json.dumps(told._asdict()))], new=is_new)
        if is_new:
            for collection in (self.collection, self.collection + TERMS):
                self._milvus.ask(partial(_finish, collection=collection))
        self.reload()

    def _put(self, entries: list[dict[str, Any]], *, new: bool) -> None:
        def put(client: MilvusClient) -> None:
            (client.insert if new else client.upsert)(self.collection, entries, timeout=WRITE_SECONDS)

        self._milvus.ask(put)

    def _delete(self, numbers: Sequence[int]) -> None:
        for part in batched(numbers, _BATCH):
            delete = partial(MilvusClient.delete, collection_name=self.collection, ids=part, timeout=WRITE_SECONDS)
            self._milvus.ask_of(self.collection, delete)

    def _count_terms(self, terms: Mapping[str, int], *, new: bool) -> None:
        """Words with how many products have them. Of an index that serves, those are added which it had not."""
        name, more = self.collection + TERMS, {"timeout": WRITE_SECONDS}
        for part in batched(list(terms), 10 * _BATCH):
            known = set[str]()
            if not new:
                get = partial(MilvusClient.get, collection_name=name, ids=part, output_fields=["term"], **more)
                known = {entry["term"] for entry in self._milvus.ask_of(name, get)}
            rows = [{"term": term, "weight": {0: float(terms[term])}} for term in part if term not in known]
            if rows:
                self._milvus.ask(partial(MilvusClient.insert, collection_name=name, data=rows, **more))


def read_state(milvus: MilvusConnection, collection: str) -> _State:
    """What a collection, or the one that an alias stands for, tells of itself. Raises
    :class:`~mapsi.errors.ArtifactError` where there is none."""
    entries = milvus.ask_of(
        collection,
        lambda client: list(client.get(collection, [_STATE], ["state"], consistency_level="Strong", timeout=SECONDS)),
    )
    return _State(**json.loads(entries[0]["state"])) if entries else _State(collection, -1, 0)


def signed(number: int) -> int:
    """A product's number as one of 64 bits with a sign."""
    return number - (1 << 64) if number >= 1 << 63 else number


def drop(client: MilvusClient, collection: str) -> None:
    """Take an index away, with its words."""
    for name in (collection, collection + TERMS):
        client.drop_collection(name, timeout=WRITE_SECONDS)


def _create(client: MilvusClient, collection: str) -> None:
    schema = MilvusClient.create_schema(auto_id=False)
    schema.add_field("number", DataType.INT64, is_primary=True)
    for name in _NUMBERS:
        schema.add_field(name, DataType.INT64)
    for name, kind in _FIELDS.items():
        schema.add_field(name, DataType.ARRAY, element_type=kind, max_capacity=MOST_TOKENS)
    for name in _VALUES:
        schema.add_field(name, DataType.ARRAY, element_type=DataType.VARCHAR, max_capacity=1000, max_length=200)
    schema.add_field("state", DataType.VARCHAR, max_length=1000)
    schema.add_field("words", DataType.SPARSE_FLOAT_VECTOR)
    client.create_collection(collection, schema=schema, timeout=WRITE_SECONDS)
    _index(client, collection, "words", (*_FILTERED, *_FIELDS))
    schema = MilvusClient.create_schema(auto_id=False)
    schema.add_field("term", DataType.VARCHAR, is_primary=True, max_length=_LONGEST_TERM)
    schema.add_field("weight", DataType.SPARSE_FLOAT_VECTOR)
    client.create_collection(collection + TERMS, schema=schema, timeout=WRITE_SECONDS)
    _index(client, collection + TERMS, "weight", ("term",))


def _index(client: MilvusClient, collection: str, vector: str, fields: Iterable[str]) -> None:
    """Indexes of a collection, which are built while it is filled. Milvus Lite has none of lists, and goes over all of
    them instead."""
    for name in (vector, *fields):
        indexes = MilvusClient.prepare_index_params()
        kind = (
            {"index_type": "SPARSE_INVERTED_INDEX", "metric_type": "IP"}
            if name == vector
            else {"index_type": "INVERTED"}
        )
        indexes.add_index(name, **kind)
        try:
            client.create_index(collection, indexes, timeout=WRITE_SECONDS, sync=False)
        except MilvusException as error:
            if "does not support scalar index" not in str(error):
                raise
            _log.debug("This Milvus has no index of %s: %s", name, error)


def _finish(client: MilvusClient, collection: str) -> None:
    client.flush(collection, timeout=LOAD_SECONDS)
    client.load_collection(collection, timeout=LOAD_SECONDS)


def _entry(product: ProductDocument) -> dict[str, Any]:
    offers, shops = product.offers[:MOST_TOKENS], sorted(product.shops)
    return {
        "number": signed(product.product),
        "newest": product.newest,
        "cheapest": product.cheapest[1],
        "alone": offers[0] if len(offers) == 1 else 0,
        "only_shop": shops[0] if len(shops) == 1 else 0,
        "price_low": min(product.prices),
        "price_high": max(product.prices),
        "uneven": int(product.is_uneven),
        "lot": product.product * 2_654_435_761 % (1 << 32) % LOTS,
        "offer": list(offers),
        "shop": shops,
        "tokens": tokens_of(product),
        **{name: sorted(product.values[name]) for name in _VALUES},
        "state": "",
        "words": vector_of(product),
    }


def _state_entry(told: str) -> dict[str, Any]:
    lists = {name: list[int]() for name in (*_FIELDS, *_VALUES)}
    return {"number": _STATE, **dict.fromkeys(_NUMBERS, 0), **lists, "state": told, "words": {NEWEST: 0.1}}


def _terms_of(product: ProductDocument) -> Iterator[str]:
    """The words that are suggested, that a slip is mended to, and that a beginning stands for."""
    fields = {"word": product.words, "sound": product.tokens["sound"], "suggestion": product.suggestions}
    for field, texts in fields.items():
        yield from (term for text in texts if len((term := f"{field}{SEPARATOR}{text}").encode()) <= _LONGEST_TERM)
