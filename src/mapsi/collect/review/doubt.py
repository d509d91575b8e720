"""Which photos of a class to look at first: those that the model takes for something else, and those unlike the
rest."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]

ROUNDS = 3
ENOUGH = 4
"""Photos from which a nearer half can be told."""

DECIMALS = 6
"""Digits of a distance that are more than the order of a sum."""


def doubts(shares: Floats | None, embeddings: Floats) -> Floats:
    """How doubtful each photo of one class is, (n,), 0..1.

    ``shares`` (n,), 0..1, are the model's for the class, ``None`` where it does not know the class; ``embeddings``
    (n, width) have unit length. Both say how many of the class's photos are less doubtful, which makes a probability
    and a distance comparable without a weight to choose; the doubt is the mean of the two.
    """
    apart = percentile_rank(distances(embeddings))
    return apart if shares is None else (percentile_rank(-shares) + apart) / 2


def distances(embeddings: Floats) -> Floats:
    """Cosine distance of each unit embedding (n, width) from the class's middle: (n,), 0..2."""
    if not len(embeddings):
        return np.zeros(0)
    middle = middle_of(embeddings)
    return np.round(1 - embeddings @ middle, DECIMALS)


def middle_of(embeddings: Floats) -> Floats:
    """The direction (width,) that the nearer half of the photos has in common.

    The plain mean would be drawn towards the very photos that do not belong there.
    """
    near = embeddings
    for _ in range(ROUNDS if len(embeddings) >= ENOUGH else 0):
        middle = _unit(near.mean(axis=0))
        order = np.argsort(-(embeddings @ middle), kind="stable")
        near = embeddings[order[: (len(order) + 1) // 2]]
    return _unit(near.mean(axis=0))


def _unit(vector: Floats) -> Floats:
    length = np.linalg.norm(vector)
    return np.asarray(vector / length if length > 0 else vector)


def percentile_rank(values: Floats) -> Floats:
    """The share of the other values that each value is above, equal ones counted half: (n,), 0..1. Of (3, 1, 3, 7):
    (0.5, 0, 0.5, 1)."""
    if len(values) < 2:
        return np.zeros(len(values))
    ordered = np.sort(values)
    below, upto = np.searchsorted(ordered, values, "left"), np.searchsorted(ordered, values, "right")
    return np.asarray((below + (upto - below - 1) / 2) / (len(values) - 1))
