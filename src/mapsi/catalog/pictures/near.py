"""Which of many points lie near one another, without comparing all with all."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from mapsi.arrays import BoolArray, IntArray

Points = npt.NDArray[np.float16]

_FEW = 48
"""Points that are compared all with all."""
_SAMPLE = 512
_CROWDED = 0.8
"""A part that keeps more than this share of the points is no step forward."""


def near_pairs(points: Points, apart: float, fresh: BoolArray) -> Iterator[IntArray]:
    """Pairs (m, 2), the smaller number first, of points (n, width) that differ by at most ``apart`` in each of their
    numbers, one of them ``fresh`` at least; some more than once. In the order of n log n for points that are spread.

    Points are halved at the middle of one number, those near it on both sides (a spill tree; Liu, Moore, Gray and Yang,
    2004), so that both of a near pair are together on one. A crowd that no number parts is halved all the same: across
    its halves only pairs with its first points are found, which hold it together.
    """
    parts = [np.arange(len(points))]
    while parts:
        part = parts.pop()
        if not fresh[part].any():
            continue
        if len(part) <= _FEW:
            pairs = _between(points, part, part, apart)
        else:
            halves = _halves(points, part, apart)
            crowded = max(map(len, halves)) > _CROWDED * len(part)
            parts.extend((part[: len(part) // 2], part[len(part) // 2 :]) if crowded else halves)
            pairs = _between(points, part[:_FEW], part, apart) if crowded else part[:0].reshape(0, 2)
        pairs = pairs[fresh[pairs].any(1)]
        if len(pairs):
            yield pairs


def _halves(points: Points, part: IntArray, apart: float) -> tuple[IntArray, IntArray]:
    """Parted by the number that leaves the fewest on both sides."""
    sample = points[part[:: -(-len(part) // _SAMPLE)]].astype(np.float32)
    middles = np.median(sample, axis=0)
    under, over = (sample <= middles + apart / 2).mean(0), (sample >= middles - apart / 2).mean(0)
    best = int(np.maximum(under, over).argmin())
    values = points[part, best].astype(np.float32)
    return part[values <= middles[best] + apart / 2], part[values >= middles[best] - apart / 2]


def _between(points: Points, few: IntArray, part: IntArray, apart: float) -> IntArray:
    """The near pairs of one of a ``few`` and one of a part that has these first."""
    values = points[part].astype(np.float32)
    rows = [np.flatnonzero(np.abs(values[at + 1 :] - values[at]).max(1, initial=0) <= apart) for at in range(len(few))]
    pairs = [np.stack([np.full(len(row), few[at]), part[at + 1 + row]], axis=1) for at, row in enumerate(rows)]
    return np.sort(np.concatenate(pairs), axis=1)
