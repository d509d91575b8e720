"""Vector engines side by side, over real embeddings: scans in half and in single bytes, clusters, and usearch's graph.

    python benchmarks/bench_index.py HOME [--rows 10000 100000] [--engines scan clusters graph]

HOME is that of a shop with an index (MAPSI_HOME): of real pictures, such as ``shared/data/products``. Its embeddings
are multiplied until there are so many rows: each new one lies between a real one and one of its ten nearest, with a
little noise, so that neighbourhoods are kept. Questions are a hundred of the real ones, left out of the rows. Of each
engine: how long a question for the 60 nearest takes where 100, 10 and 1 % of the rows are allowed, how many of the true
60 and 10 it finds, memory, how long it takes to build, and to take in 1,000 rows more. Times are of the processor, of
which other work on the machine takes least.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeVar

import faiss
import numpy as np
import vector_databases
from usearch.index import Index

from mapsi.arrays import BoolArray, FloatArray, IntArray
from mapsi.cores import cores
from mapsi.search.index import ClusteredIndex, FlatIndex
from mapsi.search.snapshot import current_name, read_snapshot

T = TypeVar("T")
QUESTIONS, COUNT = 100, 60
SHARES = (1.0, 0.1, 0.01)
DATABASES = ("lancedb", "zvec")
ENGINES = ("scan", "bytes", "clusters", "graph", *DATABASES)
PART = 100_000
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


def multiplied(vectors: FloatArray, rows: int, rng: np.random.Generator) -> Iterator[FloatArray]:
    """So many rows in the neighbourhoods of ``vectors``, a part after the other: ten million would fill a machine."""
    near = faiss.IndexFlatIP(vectors.shape[1])
    near.add(vectors)
    _, nearest = near.search(vectors, 11)
    yield vectors[:rows]
    for left in range(rows - len(vectors), 0, -PART):
        count = min(left, PART)
        one = rng.integers(0, len(vectors), count)
        other = nearest[one, rng.integers(1, 11, count)]
        way = rng.random((count, 1), np.float32) / 2
        noise = rng.normal(size=(count, vectors.shape[1])).astype(np.float32) * np.float32(NOISE)
        between = vectors[one] * (1 - way) + vectors[other] * way + noise
        yield between / np.linalg.norm(between, axis=1, keepdims=True)


class Truth:
    """The rows nearest to each question among those that a mask allows, kept while rows come."""

    def __init__(self, questions: FloatArray, allowed: BoolArray) -> None:
        self._questions, self._allowed, self._seen = questions, allowed, 0
        self._scores = np.full((len(questions), COUNT), -np.inf, np.float32)
        self.rows = np.full((len(questions), COUNT), -1, np.int64)

    def see(self, part: FloatArray) -> None:
        here = np.flatnonzero(self._allowed[self._seen : self._seen + len(part)])
        exact = faiss.IndexFlatIP(part.shape[1])
        exact.add(part[here])
        scores, places = exact.search(self._questions, min(COUNT, len(here)))
        scores, rows = np.hstack((self._scores, scores)), np.hstack((self.rows, here[places] + self._seen))
        best = np.argsort(-scores, axis=1, kind="stable")[:, :COUNT]
        self._scores, self.rows = np.take_along_axis(scores, best, 1), np.take_along_axis(rows, best, 1)
        self._seen += len(part)


def asked(find: Find, questions: FloatArray, allowed: BoolArray, truth: IntArray, clock: Callable[[], float]) -> str:
    """Median and p95 in milliseconds by the ``clock``, recall at 60 and at 10."""
    took, hits, first = list[float](), 0, 0
    for question, expected in zip(questions, truth, strict=True):
        begun = clock()
        found = find(question, allowed)
        took.append(1000 * (clock() - begun))
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


def engines(
    flat: FlatIndex, names: Sequence[str], scan: float, draw: FloatArray
) -> Iterator[tuple[str, float, float, float, Find]]:
    """Name, seconds to build, seconds to add 1,000, megabytes, and how it is asked. ``scan`` is how long ``flat`` took
    to build."""
    rows, width = flat.size, flat.width
    few = flat.vectors(np.arange(1000))
    if "scan" in names:
        yield "scan, half precision", scan, timed(lambda: FlatIndex.build(few))[1], rows * width * 2 / 1e6, ours(flat)
    if "bytes" in names:
        single = faiss.IndexScalarQuantizer(width, faiss.ScalarQuantizer.QT_8bit, faiss.METRIC_INNER_PRODUCT)
        _, built = timed(lambda: _filled(single, flat))
        yield "scan, bytes", built, timed(lambda: single.sa_encode(few))[1], rows * width / 1e6, of_faiss(single)
    if "clusters" in names:
        clustered, built = timed(lambda: ClusteredIndex.of(flat))
        size = rows * (width * 2 + 16) / 1e6
        assigned = timed(lambda: clustered._index.quantizer.search(few, 1))[1]
        yield "clusters, half precision", built, assigned, size, ours(clustered)
    if "graph" in names:
        graph = Index(ndim=width, metric="ip", dtype="f16")
        _, built = timed(lambda: graph.add(np.arange(rows), flat.vectors(np.arange(rows)), threads=cores()))
        more = timed(lambda: graph.add(np.arange(rows, rows + 1000), few, threads=cores()))[1]
        yield "usearch, graph", built, more, graph.memory_usage / 1e6, of_graph(graph, rows)
    for database in (vector_databases.lancedb, vector_databases.zvec):
        if database.__name__ in names:
            with database(flat, draw, COUNT) as (built, size, find):
                yield database.__name__, built, math.nan, size, find


def _filled(index: faiss.Index, flat: FlatIndex) -> None:
    index.train(flat.vectors(np.arange(min(flat.size, PART))))
    for at in range(0, flat.size, PART):
        index.add(flat.vectors(np.arange(at, min(flat.size, at + PART))))


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
    parser.add_argument("--engines", nargs="+", default=["scan", "bytes", "clusters"], choices=ENGINES)
    options = parser.parse_args()
    known = real(options.home)
    questions, known = known[:QUESTIONS], known[QUESTIONS:]
    shares = " | ".join(f"{share:.0%} allowed: ms, recall@60, recall@10" for share in SHARES)
    print(f"| rows | engine | {shares} | MB | build, processor s | 1,000 more |")
    print(f"|---|---|{'---|' * len(SHARES)}---|---|---|")
    for rows in options.rows:
        rng = np.random.default_rng(rows)
        draw = rng.random(rows)
        masks = [draw < share for share in SHARES]
        flat, truths = FlatIndex.empty(known.shape[1]), [Truth(questions, allowed) for allowed in masks]
        scan = 0.0
        faiss.omp_set_num_threads(cores())
        for part in multiplied(known, rows, rng):
            scan += timed(partial(flat.add, part))[1]
            for truth in truths:
                truth.see(part)
        for name, built, more, size, find in engines(flat, options.engines, scan, draw):
            # Databases have threads of their own, which work for a question; those of faiss wait busily for the next.
            clock = time.process_time if name in DATABASES else time.thread_time
            told = [
                asked(find, questions, allowed, truth.rows, clock) for allowed, truth in zip(masks, truths, strict=True)
            ]
            print(f"| {rows:,} | {name} | {' | '.join(told)} | {size:.0f} | {built:.1f} | {more:.2f} s |", flush=True)


if __name__ == "__main__":
    main()
