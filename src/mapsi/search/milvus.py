"""Vectors in a Milvus, for shops whose index one machine should not hold. The only file that knows pymilvus.

A collection an index, ``mapsi_NAME``: a row's number, the cell that it lies in, its vector. What is shown and what
passes a shopper's filters changes by the minute and is known here, so a question brings a mask of rows; what of it a
filter of Milvus can say is said there, and the rest is left out of what comes back. Figures: docs/milvus.md.
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import numpy as np

from mapsi.arrays import BoolArray, FloatArray, IntArray
from mapsi.batches import batched
from mapsi.errors import ArtifactError, ExtraMissingError, IndexUnavailableError, MapsiError
from mapsi.search.cells import Cells
from mapsi.search.index import Batch

try:
    from grpc import RpcError
    from pymilvus import DataType, MilvusClient, MilvusException
except ImportError as error:
    raise ExtraMissingError(
        "pymilvus, which talks to Milvus, is not installed.", 'pip install "mapsi[milvus]"'
    ) from error

ALIAS = "mapsi"
PREFIX = "mapsi_"
SECONDS = 3.0
"""Seconds to wait for an answer: one takes some 10 milliseconds."""
REST_SECONDS = 1.0
"""For so long after a failure nobody asks again: everybody would wait."""
MOST = 16_384
"""Hits of one question at most, Milvus's own limit."""
LISTED = 10_000
"""Rows that a filter names one by one at most."""
_MOST_EF = 32_768
_LOAD_SECONDS = 3600.0
_MISSING, _NOT_LOADED = 100, 101
_AWAY = ("Searching by photo is not possible just now.", "Search with words, or try again in a moment.")
_GRAPH = {"M": 16, "efConstruction": 200}

_Answer = TypeVar("_Answer")
_log = logging.getLogger(__name__)


class MilvusDatabase:
    """The Milvus at ``url``, connected to with the first question. Any number of threads may ask at once."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: MilvusClient | None = None
        self._lock, self._connecting = threading.Lock(), threading.Lock()
        self._fault: MapsiError | None = None
        self._failed_at = self._resting_until = 0.0
        # It logs each failure with a page of its own; ours has a sentence.
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)

    @property
    def fault(self) -> MapsiError | None:
        """Why it did not answer the last time. After a rest it is asked again, so that it is known when it is back."""
        if self._fault is not None and time.monotonic() >= self._resting_until:
            with suppress(MapsiError):
                self.ask(lambda client: client.list_collections(timeout=REST_SECONDS))
        return self._fault

    def write(self, name: str, width: int, batches: Iterable[Batch]) -> int:
        collection, rows = _collection(name), 0
        self.ask(lambda client: _create(client, collection, width))
        for batch in batches:
            fields = zip(range(rows, rows + len(batch.vectors)), batch.cells.tolist(), batch.vectors, strict=True)
            entries = [{"row": row, "cell": cell, "vector": vector} for row, cell, vector in fields]
            self.ask(partial(_insert, collection=collection, entries=entries))
            rows += len(entries)
        self.ask(lambda client: client.flush(collection, timeout=_LOAD_SECONDS))
        self.ask(lambda client: client.load_collection(collection, timeout=_LOAD_SECONDS))
        return rows

    def open(self, name: str, width: int, cells: Cells) -> MilvusIndex:
        return MilvusIndex(self, _collection(name), width, cells)

    def lead_to(self, name: str) -> None:
        def lead(client: MilvusClient) -> None:
            there = ALIAS in client.list_aliases(timeout=SECONDS)["aliases"]
            change = client.alter_alias if there else client.create_alias
            change(_collection(name), ALIAS, timeout=SECONDS)

        self.ask(lead)

    def drop_others(self, keep: Collection[str]) -> None:
        kept = {_collection(name) for name in keep}

        def drop(client: MilvusClient) -> None:
            for collection in client.list_collections(timeout=SECONDS):
                # Names begin with the catalogue's generation: what is newer, another machine is building.
                if collection.startswith(PREFIX) and collection not in kept and collection < max(kept):
                    client.drop_collection(collection, timeout=SECONDS)

        self.ask(drop)

    def ask(self, question: Callable[[MilvusClient], _Answer]) -> _Answer:
        """The answer to a question. Raises :class:`IndexUnavailableError` where none comes, at once where none came a
        moment ago, and :class:`ArtifactError` where the index asked for is gone."""
        begun = time.monotonic()
        with self._lock:
            if self._fault is not None and begun < self._resting_until:
                raise IndexUnavailableError(*_AWAY)
            # Of those who ask after a rest, one waits for the answer.
            self._resting_until = begun + SECONDS
        try:
            answer = question(self._connected(begun))
        except (MilvusException, RpcError) as error:
            raise self._noted(error) from error
        self._fault = None
        return answer

    def _connected(self, begun: float) -> MilvusClient:
        """The connection; one thread makes it for all who began to ask before it failed."""
        with self._connecting:
            if self._client is None:
                if self._failed_at > begun:
                    raise IndexUnavailableError(*_AWAY)
                try:
                    self._client = self._connect()
                except (MilvusException, RpcError):
                    self._failed_at = time.monotonic()
                    raise
            return self._client

    def _connect(self) -> MilvusClient:
        """A new connection; one that is refused at once is tried once more: a server that has just told an older one
        to go (too many pings) takes the next."""
        connect = partial(MilvusClient, uri=self._url, timeout=SECONDS, dedicated=True)
        begun = time.monotonic()
        try:
            return connect()
        except (MilvusException, RpcError):
            if time.monotonic() - begun > SECONDS / 4:
                raise
            return connect()

    def _noted(self, error: Exception) -> MapsiError:
        if getattr(error, "code", None) == _MISSING:
            self._fault = None
            return ArtifactError("Milvus no longer has this index.", "Run `mapsi index build`.")
        if self._fault is None:
            _log.error("Milvus does not answer: %s", error)
        with self._lock:
            # A connection that broke waits longer and longer before it tries again; a new one does not.
            broken, self._client = self._client, None
            fault = self._fault = IndexUnavailableError(*_AWAY)
            self._resting_until = time.monotonic() + REST_SECONDS
        if broken is not None:
            broken.close()
        return fault


class MilvusIndex:
    """One index in a Milvus, a :class:`~mapsi.search.index.VectorIndex`."""

    def __init__(self, database: MilvusDatabase, collection: str, width: int, cells: Cells) -> None:
        self._database, self._collection, self._width = database, collection, width
        self._cells, self._cell = cells.numbers, cells.of_row
        self._held = np.bincount(self._cell, minlength=len(self._cells))

    @property
    def size(self) -> int:
        return len(self._cell)

    @property
    def fault(self) -> MapsiError | None:
        return self._database.fault

    def vector(self, row: int) -> FloatArray:
        return np.asarray(self.vectors(np.array([row]))[0], np.float32)

    def vectors(self, rows: IntArray) -> FloatArray:
        found: dict[int, Any] = {}
        for part in batched(rows.tolist(), LISTED):
            entries = self._ask(
                partial(
                    MilvusClient.get,
                    collection_name=self._collection,
                    ids=part,
                    output_fields=["vector"],
                    timeout=SECONDS,
                )
            )
            found.update((entry["row"], entry["vector"]) for entry in entries)
        return np.array([found[row] for row in rows.tolist()], np.float32).reshape(-1, self._width)

    def nearest(self, vector: FloatArray, count: int, allowed: BoolArray | None = None) -> tuple[IntArray, FloatArray]:
        """As of every index, up to :data:`MOST` rows."""
        if vector.shape != (self._width,):
            raise ValueError(f"expected a vector of shape ({self._width},), got {vector.shape}")
        available = self.size if allowed is None else int(np.count_nonzero(allowed))
        count = min(count, available, MOST)
        if count <= 0:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        if allowed is None:
            return self._search(vector, count)
        if available > LISTED:
            rows, cosines = self._by_cells(vector, count, allowed)
            if len(rows) == count:
                return rows, cosines
        return self._by_rows(vector, count, np.flatnonzero(allowed))

    def _by_cells(self, vector: FloatArray, count: int, allowed: BoolArray) -> tuple[IntArray, FloatArray]:
        """The nearest rows of the cells in which any is allowed, without those that are not; fewer than ``count`` where
        the others are too many.

        Of cells with (500, 300, 200) rows of which (500, 150, 0) are allowed, the first two are asked for a quarter
        more than ``count``, for 650 of 800 rows count.
        """
        let = np.bincount(self._cell[allowed], minlength=len(self._cells))
        asked = let > 0
        share = let.sum() / self._held[asked].sum()
        of_cells = "" if asked.all() else f"cell in {self._cells[asked].tolist()}"
        limit = min(MOST, math.ceil(1.1 * count / share))
        while True:
            rows, cosines = self._search(vector, limit, of_cells)
            passes = allowed[rows]
            if passes.sum() >= count or limit == MOST:
                return rows[passes][:count], cosines[passes][:count]
            limit = min(MOST, 4 * limit)

    def _by_rows(self, vector: FloatArray, count: int, rows: IntArray) -> tuple[IntArray, FloatArray]:
        """The nearest among ``rows``, named one by one: a question for each ten thousand of them."""
        found = [self._among(vector, count, part) for part in batched(rows.tolist(), LISTED)]
        nearest, cosines = (np.concatenate(each) for each in zip(*found, strict=True))
        order = np.argsort(-cosines, kind="stable")[:count]
        return nearest[order], cosines[order]

    def _among(self, vector: FloatArray, count: int, rows: list[int]) -> tuple[IntArray, FloatArray]:
        """The nearest of at most :data:`LISTED` rows. Milvus Lite walks its graph first and filters what it met, and so
        finds two of fifty that lie far from the question; where any is missing, their vectors are read and compared."""
        count = min(count, len(rows))
        nearest, cosines = self._search(vector, count, f"row in {rows}")
        if len(nearest) == count:
            return nearest, cosines
        return np.array(rows, np.int64), self.vectors(np.array(rows)) @ vector

    def _search(self, vector: FloatArray, limit: int, condition: str = "") -> tuple[IntArray, FloatArray]:
        looking = {"params": {"ef": min(_MOST_EF, max(128, 2 * limit))}}
        hits = self._ask(
            lambda client: client.search(
                self._collection,
                data=[vector.astype(np.float32)],
                filter=condition,
                limit=limit,
                output_fields=["row"],
                search_params=looking,
                timeout=SECONDS,
            )
        )[0]
        rows = np.array([hit["row"] for hit in hits], np.int64)
        return rows, np.array([hit["distance"] for hit in hits], np.float32)

    def _ask(self, question: Callable[[MilvusClient], _Answer]) -> _Answer:
        """Of a Milvus that came back, the index has to be loaded first."""

        def loaded(client: MilvusClient) -> _Answer:
            try:
                return question(client)
            except MilvusException as error:
                if error.code != _NOT_LOADED:
                    raise
            client.load_collection(self._collection, timeout=SECONDS)
            return question(client)

        return self._database.ask(loaded)


def _collection(name: str) -> str:
    return PREFIX + name.replace("-", "_")


def _create(client: MilvusClient, collection: str, width: int) -> None:
    schema = MilvusClient.create_schema(auto_id=False)
    schema.add_field("row", DataType.INT64, is_primary=True)
    schema.add_field("cell", DataType.INT64)
    schema.add_field("vector", DataType.FLOAT_VECTOR, dim=width)
    indexes = MilvusClient.prepare_index_params()
    indexes.add_index("vector", index_type="HNSW", metric_type="IP", params=_GRAPH)
    indexes.add_index("cell", index_type="INVERTED")
    client.create_collection(collection, schema=schema, index_params=indexes, timeout=12 * SECONDS)


def _insert(client: MilvusClient, collection: str, entries: list[dict[str, Any]]) -> None:
    client.insert(collection, entries, timeout=12 * SECONDS)
