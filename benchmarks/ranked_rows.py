"""How long ranking takes besides the search for vectors: an engine that answers at once, over rows drawn at random."""

from __future__ import annotations

import time

import numpy as np

from mapsi.arrays import BoolArray, FloatArray, IntArray
from mapsi.errors import MapsiError
from mapsi.search.ranking import rank
from mapsi.search.score import load_weights
from mapsi.search.snapshot import Coded, IndexColumns, Snapshot
from mapsi.search.wish import Wish
from mapsi.taxonomy import load_taxonomy

WIDTH, ROUNDS, SHOWN = 256, 5, 0.9
COLORS, AUDIENCES = tuple("abcdefghijkl"), ("women", "men", "kids", "unisex")


class NoSearch:
    """Says of any question that the first rows are the nearest."""

    fault: MapsiError | None = None

    def __init__(self, rows: int) -> None:
        self._rows, self.size = np.arange(rows), rows

    def vector(self, row: int) -> FloatArray:
        return np.zeros(WIDTH, np.float32)

    def vectors(self, rows: IntArray) -> FloatArray:
        return np.zeros((len(rows), WIDTH), np.float32)

    def nearest(self, vector: FloatArray, count: int, allowed: BoolArray | None = None) -> tuple[IntArray, FloatArray]:
        return self._rows[:count], np.linspace(0.9, 0.3, min(count, self.size), dtype=np.float32)


def ranking_ms(rows: int) -> float:
    """The least processor time of some rounds, in milliseconds."""
    rng, axis = np.random.default_rng(0), load_taxonomy().axes["garment"]
    kinds = tuple(cls.slug for cls in axis.classes)
    coded = (Coded(rng.integers(0, len(values), rows, np.int16), values) for values in (kinds, COLORS, AUDIENCES))
    columns = IndexColumns(np.arange(rows), rng.integers(0, rows, rows), *coded)
    snapshot = Snapshot("rows", "model", 1, NoSearch(rows), columns)
    wish = Wish(
        np.full(WIDTH, 1 / 16, np.float32), axis, {kinds[3]: 0.6, kinds[8]: 0.3}, {"a": 0.5}, {"women": 0.8, "men": 0.2}
    )
    allowed, weights, took = rng.random(rows) < SHOWN, load_weights(), list[float]()
    for _ in range(ROUNDS):
        begun = time.process_time()
        rank(snapshot, wish, allowed, weights)
        took.append(time.process_time() - begun)
    return round(1000 * min(took), 1)


if __name__ == "__main__":
    for count in (10_000, 100_000, 1_000_000, 10_000_000):
        print(f"{count:>12,} rows: {ranking_ms(count)} ms")
