"""Products that a shopper pushed aside ("less like this"): what is like them comes later in an answer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from mapsi.arrays import BoolArray, FloatArray, IntArray
from mapsi.search.snapshot import Snapshot

ON_THE_WHOLE = 240
"""The rows nearest to a photo that stand for the answers on the whole."""
STRENGTH = 1.0
"""How much a likeness to what was pushed aside counts against a likeness to the photo that is as rare."""
_LEAST_SPREAD = 1e-3


@dataclass(frozen=True, slots=True)
class Aside:
    """A product that was pushed aside: its unit ``vector``; the cosine to it, ``start + slope * c``, that is to be
    expected of an answer whose cosine to the photo is ``c``; and what each part above that takes off ``c``."""

    vector: FloatArray
    start: float
    slope: float
    scale: float

    def loss(self, vectors: FloatArray, cosines: FloatArray) -> FloatArray:
        """What rows with these ``vectors``, (rows, width), and ``cosines`` to the photo lose of them, (rows,).

        With ``start`` 0.1, ``slope`` 0.5 and ``scale`` 2, rows at (0.8, 0.8, 0.4) to the photo are expected at
        (0.5, 0.5, 0.3) to the product; those at (0.9, 0.5, 0.4) are nearer by (0.4, 0, 0.1) and lose (0.8, 0, 0.2).
        """
        more = vectors @ self.vector - self.start - self.slope * cosines
        return np.asarray(np.maximum(more, 0) * self.scale, dtype=np.float32)


def push_aside(
    snapshot: Snapshot, photo: FloatArray, allowed: BoolArray, products: Collection[int]
) -> tuple[list[Aside], BoolArray]:
    """The ``products`` of these numbers as they look from a photo's unit vector, and the rows, (rows,), that are left
    without them and their variants; numbers that the index lacks change nothing.

    Only likeness beyond what the photo explains is held against a row. Of a blue shirt as a photo all blue shirts are
    like a blue one that was pushed aside, and that is no fault of theirs: a line through the nearest rows, likeness to
    the one over likeness to the other, tells what is to be expected, and their spread about it what is much.
    """
    columns, index = snapshot.columns, snapshot.index
    if not products:
        return [], allowed
    rows = np.flatnonzero(np.isin(columns.offer, list(products)))
    if not len(rows):
        return [], allowed
    others = ~np.isin(columns.group, columns.group[rows])
    left = allowed & others
    # Among all others, whatever is allowed: a choice of a shop or a price changes nobody's score.
    nearest, cosines = index.nearest(photo, ON_THE_WHOLE, others)
    if not len(nearest):
        return [], left
    answers = index.vectors(nearest)
    return [_seen(vector, answers, cosines) for vector in index.vectors(rows)], left


def _seen(vector: FloatArray, answers: FloatArray, cosines: FloatArray) -> Aside:
    """The line through what ``answers`` (n, width) with these ``cosines`` (n,) to the photo have to a product.

    Answers at (0.8, 0.6, 0.4) to the photo and (0.62, 0.46, 0.42) to the product lie about the line 0.2 + 0.5 c, 0.03
    off, while their cosines spread by 0.16: each part above the line takes off nearly six times itself.
    """
    alike, spread = answers @ vector, float(cosines.std())
    slope = max(0.0, float(np.cov(cosines, alike, bias=True)[0, 1])) / max(spread, _LEAST_SPREAD) ** 2
    start = float(alike.mean() - slope * cosines.mean())
    about = float((alike - start - slope * cosines).std())
    return Aside(vector, start, slope, STRENGTH * spread / max(about, _LEAST_SPREAD))


def losses(snapshot: Snapshot, rows: IntArray, cosines: FloatArray, aside: Sequence[Aside]) -> FloatArray:
    """What each of these rows, (rows,), loses of its cosine to the photo: the most that one of ``aside`` takes."""
    if not aside or not len(rows):
        return np.zeros(len(rows), np.float32)
    vectors = snapshot.index.vectors(rows)
    return np.asarray(np.max([one.loss(vectors, cosines) for one in aside], axis=0), dtype=np.float32)
