"""Vectors of product pictures, searched exactly, behind an interface small enough for another engine.

A server engine (Milvus, Qdrant, ...) will be beside :class:`FlatIndex` as another :class:`VectorIndex`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol, Self

import faiss
import numpy as np

from mapsi.arrays import BoolArray, FloatArray, IntArray
from mapsi.errors import ArtifactError


class VectorIndex(Protocol):
    """Rows of unit vectors, found by cosine."""

    @property
    def size(self) -> int:
        """How many vectors there are."""

    def vector(self, row: int) -> FloatArray:
        """The vector of a row, (width,), as far as it was kept."""

    def vectors(self, rows: IntArray) -> FloatArray:
        """Those of several rows, (rows, width)."""

    def nearest(self, vector: FloatArray, count: int, allowed: BoolArray | None = None) -> tuple[IntArray, FloatArray]:
        """Row numbers and cosines of the ``count`` nearest rows, best first; ``allowed`` (size,) leaves rows out."""


class FlatIndex:
    """Exact scan over half-precision vectors.

    12 ms a query at 100,000 x 512 on two cores, 1.3 ms where a tenth of the rows is allowed, 102 MB
    (``benchmarks/bench_index.py``; docs/decisions/0001). At a million it is time to look again.
    """

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @classmethod
    def build(cls, vectors: FloatArray) -> Self:
        """An index of unit vectors (n, d), n may be 0."""
        index = cls.empty(vectors.shape[1])
        index.add(vectors)
        return index

    @classmethod
    def empty(cls, width: int) -> Self:
        """An index of no vector yet, each of which is to have ``width`` numbers."""
        return cls(faiss.IndexScalarQuantizer(width, faiss.ScalarQuantizer.QT_fp16, faiss.METRIC_INNER_PRODUCT))

    def add(self, vectors: FloatArray) -> None:
        """Add unit vectors (n, d) behind those that are there; never to an index that serves."""
        if len(vectors):
            self._index.add(np.ascontiguousarray(vectors, dtype=np.float32))

    @classmethod
    def read(cls, file: Path) -> Self:
        """Read what :meth:`write` wrote; raises :class:`ArtifactError`."""
        try:
            return cls(faiss.read_index(str(file)))
        except RuntimeError as error:
            raise ArtifactError("The index of product pictures is damaged.", "Run `mapsi index build`.") from error

    def write(self, file: Path) -> None:
        faiss.write_index(self._index, str(file))

    @property
    def size(self) -> int:
        return int(self._index.ntotal)

    @property
    def width(self) -> int:
        """Numbers a vector has."""
        return int(self._index.d)

    def vector(self, row: int) -> FloatArray:
        return np.asarray(self._index.reconstruct(row), dtype=np.float32)

    def vectors(self, rows: IntArray) -> FloatArray:
        return np.asarray(self._index.reconstruct_batch(rows), dtype=np.float32)

    def nearest(self, vector: FloatArray, count: int, allowed: BoolArray | None = None) -> tuple[IntArray, FloatArray]:
        if vector.shape != (self.width,):
            raise ValueError(f"expected a vector of shape ({self.width},), got {vector.shape}")
        count = min(count, self.size if allowed is None else int(allowed.sum()))
        if count <= 0:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        parameters = None
        if allowed is not None:
            bits = np.packbits(allowed, bitorder="little")
            parameters = faiss.SearchParameters()
            # The selector points into `bits`, which therefore has to outlive the search.
            parameters.sel = faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits))
        # One thread: a second one makes the scan of 10,000 rows no faster and then spins for 20 times as long, in the
        # way of the network; that of 100,000 is memory's, and requests keep the other cores busy. Threads each have
        # their own number.
        faiss.omp_set_num_threads(1)
        similarities, rows = self._index.search(vector[None].astype(np.float32), count, params=parameters)
        return rows[0], similarities[0]
