"""Vector engines side by side: brute force in numpy, faiss's half-precision scan (what serves), usearch's graph.

    python benchmarks/bench_index.py [--rows 100000] [--width 512]

Prints, for random unit vectors in clusters, the median time of a query, recall@10 against brute force, and memory.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from usearch.index import Index

from mapsi.arrays import FloatArray
from mapsi.search.index import FlatIndex

QUERIES = 100
COUNT = 10


def clustered(rows: int, width: int, rng: np.random.Generator) -> FloatArray:
    """Unit vectors around one centre a hundred rows, as products around kinds of garment."""
    centres = rng.normal(size=(max(1, rows // 100), width)).astype(np.float32)
    vectors = centres[rng.integers(0, len(centres), rows)] + rng.normal(size=(rows, width)).astype(np.float32)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def measure(find: Callable[[FloatArray], npt.NDArray[np.int64]], queries: FloatArray, truth: list[set[int]]) -> str:
    """Median milliseconds a query, and recall@10."""
    times, hits = [], 0
    for query, expected in zip(queries, truth, strict=True):
        start = time.perf_counter()
        found = find(query)
        times.append(time.perf_counter() - start)
        hits += len(expected & {int(i) for i in found})
    return f"{statistics.median(times) * 1e3:8.2f} ms   recall@10 {hits / (COUNT * len(queries)):.4f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--width", type=int, default=512)
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    vectors = clustered(options.rows, options.width, rng)
    noise = rng.normal(size=(QUERIES, options.width)).astype(np.float32) * 0.02
    queries = vectors[rng.integers(0, options.rows, QUERIES)] + noise
    queries = np.asarray(queries / np.linalg.norm(queries, axis=1, keepdims=True), dtype=np.float32)

    def brute(query: FloatArray) -> npt.NDArray[np.int64]:
        return np.argsort(-(vectors @ query))[:COUNT]

    truth = [set(brute(query).tolist()) for query in queries]
    print(f"{options.rows} x {options.width}, {QUERIES} queries")
    print(f"numpy float32      {measure(brute, queries, truth)}   {vectors.nbytes / 1e6:.0f} MB")
    flat = FlatIndex.build(vectors)
    print(
        f"faiss fp16 scan    {measure(lambda q: flat.nearest(q, COUNT)[0], queries, truth)}   "
        f"{vectors.nbytes / 2e6:.0f} MB"
    )
    tenth = rng.random(options.rows) < 0.1
    found = measure(lambda q: flat.nearest(q, COUNT, tenth)[0], queries, truth)
    print(f"  a tenth allowed  {found.split('recall')[0]}")
    graph = Index(ndim=options.width, metric="ip", dtype="f16")
    start = time.perf_counter()
    graph.add(np.arange(options.rows), vectors)
    built = time.perf_counter() - start
    found = measure(lambda q: graph.search(q, COUNT).keys.astype(np.int64), queries, truth)
    print(f"usearch f16 graph  {found}   {graph.memory_usage / 1e6:.0f} MB, built in {built:.0f} s")


if __name__ == "__main__":
    main()
