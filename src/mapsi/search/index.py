"""Vectors of product pictures behind one small interface: scanned whole up to fifty thousand, by clusters beyond.

Both engines are faiss's and keep half-precision numbers in a file of one format; ``milvus.py`` is a third, a database
of vectors. Figures: docs/decisions/0018, ``benchmarks/bench_index.py``.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any, NamedTuple, Protocol, Self

import faiss
import numpy as np

from mapsi.arrays import BoolArray, FloatArray, IntArray
from mapsi.cores import cores
from mapsi.errors import ArtifactError, MapsiError
from mapsi.search.cells import Cells

SCANNED_WHOLE = 50_000
"""Up to so many vectors a scan takes no longer than half of what reading the photo does."""
LOOKED_AT = 10_000
"""Allowed vectors that a question to clusters is compared with, about, where the filter has nothing to do with it."""
SHARE_LOOKED_AT = 160
"""Where more than so many times :data:`LOOKED_AT` are allowed, one in so many is looked at: of ten million, 10,000 hold
0.90 of the 60 nearest, 60,000 hold 0.99 and take a millisecond more."""
UNLIKE = 10
"""Up to so many times as many are looked at where what is allowed is unlike the photo, bags beside a shirt: of a
million rows with the farthest tenth allowed, 10,000 hold 0.29 of the 60 nearest, 100,000 all, in 10 ms instead of 6."""
COUNTED = 50_000
"""Of more allowed rows than that, some stand for all when it is counted where they lie: a fortieth of the time at a
million, and 1 % off."""
_AT_ONCE = 50_000
_SAMPLE = 40
"""Vectors for each cluster that its middle is learned from (faiss's own advice begins at 39)."""


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
        """Row numbers and cosines of the ``count`` nearest rows, best first; ``allowed`` (size,) leaves rows out. So
        many rows come as there are, and their cosines are right; of an engine that does not scan all, a few of the
        nearest may be missing."""

    @property
    def fault(self) -> MapsiError | None:
        """What keeps it from answering just now."""


class Batch(NamedTuple):
    """Unit ``vectors`` (n, width) of the next n rows, and the numbers of the ``cells`` (n,) that they lie in."""

    vectors: FloatArray
    cells: IntArray


class VectorDatabase(Protocol):
    """A server that keeps the vectors of indexes, each under a name."""

    def write(self, name: str, width: int, batches: Iterable[Batch]) -> int:
        """Keep the vectors of an index, and give how many there are; other indexes serve meanwhile."""

    def open(self, name: str, width: int, cells: Cells) -> VectorIndex:
        """The index of that name, whose rows lie in ``cells``. It is asked for with the first question."""

    def lead_to(self, name: str) -> None:
        """Let the alias under which others find the index that serves lead to this one."""

    def drop_others(self, keep: Collection[str]) -> None:
        """Drop the indexes that are neither in ``keep`` nor newer than those."""


class _Rows(ABC):
    """What both engines do alike."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @property
    def size(self) -> int:
        return int(self._index.ntotal)

    @property
    def width(self) -> int:
        """Numbers a vector has."""
        return int(self._index.d)

    @property
    def fault(self) -> MapsiError | None:
        return None

    def vector(self, row: int) -> FloatArray:
        return np.asarray(self._index.reconstruct(row), dtype=np.float32)

    def vectors(self, rows: IntArray) -> FloatArray:
        return np.asarray(self._index.reconstruct_batch(rows), dtype=np.float32)

    def write(self, file: Path) -> None:
        """Write a file that :func:`read_index` reads."""
        faiss.write_index(self._index, str(file))

    def nearest(self, vector: FloatArray, count: int, allowed: BoolArray | None = None) -> tuple[IntArray, FloatArray]:
        if vector.shape != (self.width,):
            raise ValueError(f"expected a vector of shape ({self.width},), got {vector.shape}")
        available = self.size if allowed is None else int(np.count_nonzero(allowed))
        count = min(count, available)
        if count <= 0:
            return np.zeros(0, np.int64), np.zeros(0, np.float32)
        # One thread: a second one makes the scan of 10,000 rows no faster and then spins for 20 times as long, in the
        # way of the network; that of 100,000 is memory's, and requests keep the other cores busy. Threads each have
        # their own number.
        faiss.omp_set_num_threads(1)
        return self._search(vector.astype(np.float32), count, available, allowed)

    @abstractmethod
    def _search(
        self, vector: FloatArray, count: int, available: int, allowed: BoolArray | None
    ) -> tuple[IntArray, FloatArray]:
        """The ``count`` nearest of the ``available`` rows that are allowed, at least one."""

    def _ask(
        self, vector: FloatArray, count: int, parameters: Any, allowed: BoolArray | None
    ) -> tuple[IntArray, FloatArray]:
        if allowed is not None:
            # The selector points into `bits`, which therefore has to outlive the search.
            bits = np.packbits(allowed, bitorder="little")
            parameters.sel = faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits))
        similarities, rows = self._index.search(vector[None], count, params=parameters)
        return rows[0], similarities[0]


class FlatIndex(_Rows):
    """Exact scan: a filter loses nothing and makes it faster, and building is a copy."""

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

    def _search(
        self, vector: FloatArray, count: int, available: int, allowed: BoolArray | None
    ) -> tuple[IntArray, FloatArray]:
        return self._ask(vector, count, faiss.SearchParameters(), allowed)


class ClusteredIndex(_Rows):
    """The same vectors by the nearest of 2 sqrt(n) centroids. A question looks into few clusters where most rows are
    allowed, and into more, up to all of them, the fewer are."""

    def __init__(self, index: faiss.IndexIVF) -> None:
        super().__init__(index)
        self._centroids = np.asarray(index.quantizer.reconstruct_n(0, index.nlist), np.float32)
        # faiss keeps of each row its cluster's number and, in the lower half, its place there.
        self._cluster = (faiss.vector_to_array(index.direct_map.array) >> 32).astype(np.int32)
        self._sizes = np.bincount(self._cluster, minlength=len(self._centroids))

    @classmethod
    def of(cls, flat: FlatIndex) -> Self:
        """What ``flat`` holds, in clusters; the same ones for the same vectors."""
        clusters = max(1, round(2 * math.sqrt(flat.size)))
        centroids = faiss.IndexFlatIP(flat.width)
        half = faiss.ScalarQuantizer.QT_fp16
        index = faiss.IndexIVFScalarQuantizer(
            centroids,
            flat.width,
            clusters,
            half,
            faiss.METRIC_INNER_PRODUCT,
            False,  # not by residual: numbers as they are
        )
        index.cp.niter, index.cp.max_points_per_centroid = 8, _SAMPLE
        faiss.omp_set_num_threads(cores())
        rng = np.random.default_rng(0)
        index.train(flat.vectors(rng.choice(flat.size, min(flat.size, _SAMPLE * clusters), replace=False)))
        for at in range(0, flat.size, _AT_ONCE):
            index.add(flat.vectors(np.arange(at, min(flat.size, at + _AT_ONCE))))
        index.make_direct_map()
        return cls(index)

    def _search(
        self, vector: FloatArray, count: int, available: int, allowed: BoolArray | None
    ) -> tuple[IntArray, FloatArray]:
        wanted = max(LOOKED_AT, available // SHARE_LOOKED_AT, 10 * count)
        probes = self._probes(vector, wanted, allowed, available)
        while True:
            parameters = faiss.SearchParametersIVF()
            parameters.nprobe = probes
            rows, cosines = self._ask(vector, count, parameters, allowed)
            if rows[-1] >= 0 or probes == len(self._centroids):
                return rows[rows >= 0], cosines[rows >= 0]
            probes = min(len(self._centroids), 4 * probes)

    def _probes(self, vector: FloatArray, wanted: int, allowed: BoolArray | None, available: int) -> int:
        """How many clusters, the nearest first, hold ``wanted`` of the ``available`` rows that are allowed; all where
        not so many are. Where more rows had to be passed for them than if a filter had left out rows by chance, more
        are wanted, as many times as more were passed, up to :data:`UNLIKE`.

        Of clusters of 10 rows with (9, 0, 3, 8) allowed, the nearest first, three hold 10 and more. With (0, 0, 3, 8)
        allowed 4 are held by four, 40 rows, where by chance 15 would hold them: 11 are wanted.
        """
        clusters = len(self._centroids)
        if allowed is None:
            return math.ceil(clusters * min(1.0, wanted / self.size))
        every = max(1, available // COUNTED)
        held = every * np.bincount(self._cluster[::every][allowed[::every]], minlength=clusters)
        # Not by @, which would wake a thread a core for a small product.
        nearest = np.argsort(-np.einsum("cw,w->c", self._centroids, vector), kind="stable")
        so_far = np.cumsum(held[nearest])
        passed = self._sizes[nearest[: 1 + int(np.searchsorted(so_far, wanted))]].sum()
        by_chance = wanted * self.size / available
        wanted = round(wanted * min(UNLIKE, max(1.0, passed / by_chance)))
        return min(clusters, 1 + int(np.searchsorted(so_far, wanted)))


def engine_for(flat: FlatIndex) -> FlatIndex | ClusteredIndex:
    """The engine for as many vectors: what was gathered itself, or its clusters."""
    return flat if flat.size <= SCANNED_WHOLE else ClusteredIndex.of(flat)


def read_index(file: Path) -> FlatIndex | ClusteredIndex:
    """Read what either engine wrote; raises :class:`ArtifactError`."""
    try:
        index = faiss.read_index(str(file))
    except RuntimeError as error:
        raise ArtifactError("The index of product pictures is damaged.", "Run `mapsi index build`.") from error
    return ClusteredIndex(index) if isinstance(index, faiss.IndexIVF) else FlatIndex(index)
