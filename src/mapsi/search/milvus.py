"""Vectors in a Milvus, for shops whose index one machine should not hold.

A collection an index, ``mapsi_NAME``: a row's number, the cell that it lies in, its vector. What is shown and what
passes a shopper's filters changes by the minute and is known here, so a question brings a mask of rows; what of it a
filter of Milvus can say is said there, and the rest is left out of what comes back. Figures: docs/milvus.md.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable
from functools import partial
from typing import Any

import numpy as np

from mapsi.arrays import BoolArray, FloatArray, IntArray
from mapsi.batches import batched
from mapsi.errors import MapsiError
from mapsi.milvus import LOAD_SECONDS, MOST, SECONDS, DataType, MilvusClient, MilvusConnection
from mapsi.search.cells import Cells
from mapsi.search.index import Batch

ALIAS = "mapsi"
PREFIX = "mapsi_"
LISTED = 10_000
"""Rows that a filter names one by one at most."""
_MOST_EF = 32_768
_AWAY = ("Searching by photo is not possible just now.", "Search with words, or try again in a moment.")
_GONE = ("Milvus no longer has this index.", "Run `mapsi index build`.")
_GRAPH = {"M": 16, "efConstruction": 200}


class MilvusDatabase(MilvusConnection):
    """The indexes of vectors that lie in the Milvus at ``url``."""

    def __init__(self, url: str) -> None:
        super().__init__(url, away=_AWAY, gone=_GONE)

    def write(self, name: str, width: int, batches: Iterable[Batch]) -> int:
        collection, rows = _collection(name), 0
        self.ask(lambda client: _create(client, collection, width))
        for batch in batches:
            fields = zip(range(rows, rows + len(batch.vectors)), batch.cells.tolist(), batch.vectors, strict=True)
            entries = [{"row": row, "cell": cell, "vector": vector} for row, cell, vector in fields]
            self.ask(partial(_insert, collection=collection, entries=entries))
            rows += len(entries)
        self.ask(lambda client: client.flush(collection, timeout=LOAD_SECONDS))
        self.ask(lambda client: client.load_collection(collection, timeout=LOAD_SECONDS))
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
            entries = self._database.ask_of(
                self._collection,
                partial(
                    MilvusClient.get,
                    collection_name=self._collection,
                    ids=part,
                    output_fields=["vector"],
                    timeout=SECONDS,
                ),
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
        hits = self._database.ask_of(
            self._collection,
            lambda client: client.search(
                self._collection,
                data=[vector.astype(np.float32)],
                filter=condition,
                limit=limit,
                output_fields=["row"],
                search_params=looking,
                timeout=SECONDS,
            ),
        )[0]
        rows = np.array([hit["row"] for hit in hits], np.int64)
        return rows, np.array([hit["distance"] for hit in hits], np.float32)


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
