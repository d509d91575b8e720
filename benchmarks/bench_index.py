"""Vector engines side by side, over real embeddings: scans in half and in single bytes, clusters, and usearch's graph.

    python benchmarks/bench_index.py HOME [--rows 10000 100000] [--graph]

HOME is that of a shop with an index (MAPSI_HOME): of real pictures, such as ``shared/data/products``. Its embeddings
are multiplied until there are so many rows: each new one lies between a real one and one of its ten nearest, with a
little noise, so that neighbourhoods are kept. Questions are a hundred of the real ones, left out of the rows. Of each
engine: how long a question for the 60 nearest takes where 100, 10 and 1 % of the rows are allowed, how many of the true
60 and 10 it finds, memory, how long it takes to build, and to take in 1,000 rows more. Times are of the processor, of
which other work on the machine takes least.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import faiss
import numpy as np
from usearch.index import Index

from mapsi.arrays import BoolArray, FloatArray, IntArray
from mapsi.cores import cores
from mapsi.search.index import ClusteredIndex, FlatIndex
from mapsi.search.snapshot import current_name, read_snapshot

T = TypeVar("T")
QUESTIONS, COUNT = 100, 60
SHARES = (1.0, 0.1, 0.01)
NOISE = 0.012
Find = Callable[[FloatArray, BoolArray], IntArray]


def real(home: Path) -> FloatArray:
    """The unit embeddings that a shop's index holds, each once."""
    name = current_name(home / "index")
    if name is None:
        raise SystemExit(f"{home} has no index: run `mapsi index build`.")
    index = read_snapshot(home / "index", name).index
    vectors = np.unique(index.vectors(np.arange(index.size)), axis=0)
    vectors = vectors[np.linalg.norm(vectors, axis=1) > 0.5]
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(np.random.default_rng(0).permutation(unit), np.float32)


def multiplied(vectors: FloatArray, rows: int, rng: np.random.Generator) -> FloatArray:
    """So many rows in the neighbourhoods of ``vectors``."""
    near = faiss.IndexFlatIP(vectors.shape[1])
    near.add(vectors)
    _, nearest = near.search(vectors, 11)
    parts, left = [vectors[:rows]], rows - len(vectors)
    while left > 0:
        count = min(left, 100_000)
        one = rng.integers(0, len(vectors), count)
        other = nearest[one, rng.integers(1, 11, count)]
        way = rng.random((count, 1), np.float32) / 2
        noise = rng.normal(size=(count, vectors.shape[1])).astype(np.float32) * np.float32(NOISE)
        between = vectors[one] * (1 - way) + vectors[other] * way + noise
        parts.append(between / np.linalg.norm(between, axis=1, keepdims=True))
        left -= count
    return np.concatenate(parts)


def true_nearest(vectors: FloatArray, questions: FloatArray, allowed: BoolArray) -> IntArray:
    rows = np.flatnonzero(allowed)
    exact = faiss.IndexFlatIP(vectors.shape[1])
    exact.add(vectors[rows])
    faiss.omp_set_num_threads(cores())
    return np.asarray(rows[exact.search(questions, COUNT)[1]], np.int64)


def asked(find: Find, questions: FloatArray, allowed: BoolArray, truth: IntArray) -> str:
    """Median and p95 in milliseconds, recall at 60 and at 10."""
    took, hits, first = list[float](), 0, 0
    for question, expected in zip(questions, truth, strict=True):
        begun = time.thread_time()
        found = find(question, allowed)
        took.append(1000 * (time.thread_time() - begun))
        hits += len(set(found.tolist()) & set(expected.tolist()))
        first += len(set(found[:10].tolist()) & set(expected[:10].tolist()))
    slow = sorted(took)[int(0.95 * len(took))]
    return (
        f"{statistics.median(took):.2f} (p95 {slow:.2f}) ms, {hits / truth.size:.3f}, {first / 10 / len(questions):.3f}"
    )


def of_faiss(index: faiss.Index) -> Find:
    def find(question: FloatArray, allowed: BoolArray) -> IntArray:
        bits = np.packbits(allowed, bitorder="little")
        parameters = faiss.SearchParameters()
        parameters.sel = faiss.IDSelectorBitmap(len(bits), faiss.swig_ptr(bits))
        faiss.omp_set_num_threads(1)
        return np.asarray(index.search(question[None], COUNT, params=parameters)[1][0], np.int64)

    return find


def engines(vectors: FloatArray, *, graph: bool) -> Iterator[tuple[str, float, float, float, Find]]:
    """Name, seconds to build, seconds to add 1,000, megabytes, and how it is asked."""
    rows, width = vectors.shape
    few = vectors[:1000]
    flat, built = timed(lambda: FlatIndex.build(vectors))
    yield "scan, half precision", built, timed(lambda: FlatIndex.build(few))[1], rows * width * 2 / 1e6, ours(flat)
    single = faiss.IndexScalarQuantizer(width, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
    _, built = timed(lambda: _filled(single, vectors))
    yield "scan, bytes", built, timed(lambda: single.sa_encode(few))[1], rows * width / 1e6, of_faiss(single)
    clustered, built = timed(lambda: ClusteredIndex.of(flat))
    size = rows * (width * 2 + 16) / 1e6
    assigned = timed(lambda: clustered._index.quantizer.search(few, 1))[1]
    yield "clusters, half precision", built, assigned, size, ours(clustered)
    if graph:
        usearch = Index(ndim=width, metric="ip", dtype="f16")
        _, built = timed(lambda: usearch.add(np.arange(rows), vectors, threads=cores()))
        more = timed(lambda: usearch.add(np.arange(rows, rows + 1000), few, threads=cores()))[1]
        yield "usearch, graph", built, more, usearch.memory_usage / 1e6, of_graph(usearch, rows)


def _filled(index: faiss.Index, vectors: FloatArray) -> None:
    index.train(vectors[:100_000])
    index.add(vectors)


def ours(index: FlatIndex | ClusteredIndex) -> Find:
    return lambda question, allowed: index.nearest(question, COUNT, None if allowed.all() else allowed)[0]


def of_graph(index: Index, rows: int) -> Find:
    """usearch's Python knows no filter: where rows are left out, so many more are asked for."""

    def find(question: FloatArray, allowed: BoolArray) -> IntArray:
        wanted = min(rows, round(1.5 * COUNT * rows / max(1, int(allowed.sum()))))
        keys = index.search(question, wanted).keys.astype(np.int64)
        keys = keys[keys < rows]
        return np.asarray(keys[allowed[keys]][:COUNT], np.int64)

    return find


def timed(do: Callable[[], T]) -> tuple[T, float]:
    begun = time.process_time()
    return do(), time.process_time() - begun


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("home", type=Path)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--graph", action="store_true", help="usearch's graph as well, which takes long to build")
    options = parser.parse_args()
    known = real(options.home)
    questions, known = known[:QUESTIONS], known[QUESTIONS:]
    shares = " | ".join(f"{share:.0%} allowed: ms, recall@60, recall@10" for share in SHARES)
    print(f"| rows | engine | {shares} | MB | build, processor s | 1,000 more |")
    print(f"|---|---|{'---|' * len(SHARES)}---|---|---|")
    for rows in options.rows:
        rng = np.random.default_rng(rows)
        vectors = multiplied(known, rows, rng)
        masks = [rng.random(rows) < share for share in SHARES]
        truths = [true_nearest(vectors, questions, allowed) for allowed in masks]
        for name, built, more, size, find in engines(vectors, graph=options.graph):
            told = [asked(find, questions, allowed, truth) for allowed, truth in zip(masks, truths, strict=True)]
            print(f"| {rows:,} | {name} | {' | '.join(told)} | {size:.0f} | {built:.1f} | {more:.2f} s |", flush=True)


if __name__ == "__main__":
    main()
