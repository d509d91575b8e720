"""The order of products for a photo: the very picture, then those that agree with its label, then by likeness."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mapsi.catalog.filters import Sort
from mapsi.infer.reading import Reading
from mapsi.search.index import BoolArray, FloatArray, IntArray
from mapsi.search.snapshot import Columns, Snapshot

POOL = 240
"""An answer to a photo holds at most this many products (ten pages): the most alike, whatever the order shown."""


SAME_PICTURE = 0.985
"""From this cosine on, two pictures are copies of one another (re-encoded, scaled): the product itself was photographed,
and it comes first whatever its label."""

MOST_COPIES = 32


@dataclass(frozen=True, slots=True)
class Ranked:
    """Rows of the index in the order to show, with their cosines."""

    rows: IntArray
    similarities: FloatArray


def agreement(columns: Columns, reading: Reading) -> npt.NDArray[np.int64]:
    """On how many known axes each row's class is the photo's, (rows,). An unsure axis asks for nothing."""
    count = np.zeros(len(columns.offer), dtype=np.int64)
    for axis, answer in reading.axes.items():
        if answer.known and axis in columns.classes:
            count += columns.classes[axis] == answer.best.slug
    return count


def rank(snapshot: Snapshot, reading: Reading, allowed: BoolArray | None, sort: Sort, pool: int = POOL) -> Ranked:
    """The ``pool`` best products for a reading among the ``allowed`` rows, shape (rows,) (``None`` for all), one row a
    product (its most alike variant)."""
    columns = snapshot.columns
    agrees = agreement(columns, reading)
    copies = _copies(snapshot, reading.embedding, allowed)
    agrees[copies] = agrees.max(initial=0) + 1
    rows: list[IntArray] = []
    similarities: list[FloatArray] = []
    seen: set[int] = set()
    for level in range(int(agrees.max(initial=0)), -1, -1):
        here = agrees == level
        part = _distinct(
            snapshot, reading.embedding, here if allowed is None else here & allowed, pool - len(seen), seen
        )
        rows.append(part.rows)
        similarities.append(part.similarities)
        if len(seen) >= pool:
            break
    ranked = Ranked(np.concatenate(rows), np.concatenate(similarities))
    return _sorted(ranked, columns, sort)


def _copies(snapshot: Snapshot, vector: FloatArray, allowed: BoolArray | None) -> IntArray:
    rows, similarities = snapshot.index.nearest(vector, MOST_COPIES, allowed)
    return rows[similarities >= SAME_PICTURE]


def _distinct(snapshot: Snapshot, vector: FloatArray, allowed: BoolArray, wanted: int, seen: set[int]) -> Ranked:
    """The ``wanted`` nearest allowed rows of groups not in ``seen``, which is added to.

    Variants of one product stand close together, so more rows than wanted are asked for, and twice as many again until
    there are enough products or no more rows.
    """
    available = int(allowed.sum())
    count = min(available, 2 * wanted)
    while True:
        rows, similarities = snapshot.index.nearest(vector, count, allowed)
        _, first = np.unique(snapshot.columns.group[rows], return_index=True)
        firsts = [int(i) for i in np.sort(first) if int(snapshot.columns.group[rows[i]]) not in seen]
        if len(firsts) >= wanted or count >= available:
            break
        count = min(available, 2 * count)
    keep = np.array(firsts[:wanted], dtype=np.int64)
    seen.update(int(group) for group in snapshot.columns.group[rows[keep]])
    return Ranked(rows[keep], similarities[keep])


def _sorted(ranked: Ranked, columns: Columns, sort: Sort) -> Ranked:
    if sort == "likeness":
        return ranked
    prices = columns.price[ranked.rows]
    order = np.argsort(prices if sort == "price-up" else -prices, kind="stable")
    return Ranked(ranked.rows[order], ranked.similarities[order])
