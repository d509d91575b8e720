"""LanceDB and zvec for ``bench_index.py``: embedded databases of vectors, which mapsi does not use.

    pip install lancedb zvec

They know no mask of rows, so what is allowed is a number in each row, drawn at random, and a filter on it: the best
case for them, where a filter is known when the index is built.
"""

from __future__ import annotations

import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from mapsi.arrays import BoolArray, FloatArray, IntArray
from mapsi.search.index import FlatIndex

Find = Callable[[FloatArray, BoolArray], IntArray]
PART = 1000
EF = 200


@contextmanager
def lancedb(flat: FlatIndex, draw: FloatArray, count: int) -> Iterator[tuple[float, float, Find]]:
    """Seconds to build, megabytes on disk, and how it is asked: inverted lists with graphs of bytes in them."""
    import lancedb as engine
    import pyarrow as pa
    from lancedb.index import BTree, HnswSq

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(action="ignore"):
        begun = time.process_time()
        vectors = flat.vectors(np.arange(flat.size)).astype(np.float16).ravel()
        columns = {
            "row": pa.array(np.arange(flat.size)),
            "draw": pa.array(draw),
            "vector": pa.FixedSizeListArray.from_arrays(pa.array(vectors), flat.width),
        }
        table = engine.connect(folder).create_table("rows", pa.table(columns))
        table.create_index("vector", config=HnswSq(distance_type="dot"))
        table.create_index("draw", config=BTree())

        def find(question: FloatArray, allowed: BoolArray) -> IntArray:
            asked = table.search(question, vector_column_name="vector").distance_type("dot").limit(count)
            if not allowed.all():
                asked = asked.where(f"draw < {_share(allowed)}", prefilter=True)
            return np.asarray(asked.select(["row", "_distance"]).to_arrow()["row"], np.int64)

        yield time.process_time() - begun, _megabytes(folder), find


@contextmanager
def zvec(flat: FlatIndex, draw: FloatArray, count: int) -> Iterator[tuple[float, float, Find]]:
    """As :func:`lancedb`; a graph of half-precision numbers."""
    import zvec as engine

    folder = tempfile.mkdtemp()
    begun = time.process_time()
    number = engine.FieldSchema("draw", engine.DataType.DOUBLE, nullable=False, index_param=engine.InvertIndexParam())
    graph = engine.HnswIndexParam(metric_type=engine.MetricType.IP, m=16, ef_construction=EF)
    vector = engine.VectorSchema("vector", engine.DataType.VECTOR_FP16, flat.width, index_param=graph)
    schema = engine.CollectionSchema(name="rows", fields=[number], vectors=vector)
    rows = engine.create_and_open(path=str(Path(folder) / "rows"), schema=schema)
    for at in range(0, flat.size, PART):
        part = np.arange(at, min(flat.size, at + PART))
        vectors = flat.vectors(part).astype(np.float16)
        rows.insert(
            [
                engine.Doc(id=str(row), vectors={"vector": one}, fields={"draw": float(draw[row])})
                for row, one in zip(part, vectors, strict=True)
            ]
        )
    rows.optimize()

    def find(question: FloatArray, allowed: BoolArray) -> IntArray:
        asked = engine.Query(
            field_name="vector", vector=question.astype(np.float16), param=engine.HnswQueryParam(ef=EF)
        )
        narrowed = {} if allowed.all() else {"filter": f"draw < {_share(allowed)}"}
        return np.array([int(hit.id) for hit in rows.query(asked, topk=count, **narrowed)], np.int64)

    try:
        yield time.process_time() - begun, _megabytes(folder), find
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _share(allowed: BoolArray) -> float:
    return round(float(allowed.mean()), 2)


def _megabytes(folder: str) -> float:
    return sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file()) / 1e6
