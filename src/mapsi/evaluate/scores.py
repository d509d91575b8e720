"""Accuracy, top-3, and precision, recall and F1 by class and on average; scikit-learn's figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

from mapsi.arrays import BoolArray, FloatArray, IntArray

TOP = 3


@dataclass(frozen=True, slots=True)
class Scores:
    """Figures in 0..1. ``macro`` (each class counts alike), ``weighted`` (each photo counts alike) and ``classes``
    cover the classes that the photos have, whatever was guessed."""

    n: int
    accuracy: float
    top3: float
    macro: dict[str, float]
    weighted: dict[str, float]
    classes: dict[str, dict[str, float]]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Interval:
    """The middle 95 % of a figure over bootstrap resamples."""

    low: float
    high: float


def score(truth: Sequence[str], shares: FloatArray, classes: Sequence[str]) -> Scores:
    """Score class probabilities (n, C) against true slugs; a truth that has no column counts as missed.

    Raises :class:`ValueError` where the shapes do not fit or there is no photo.
    """
    if len(truth) == 0 or shares.shape != (len(truth), len(classes)):
        raise ValueError(f"expected shares of shape ({len(truth)}, {len(classes)}) with rows, got {shares.shape}")
    order = ranked(shares)
    guesses = [classes[i] for i in order[:, 0]]
    present = sorted(set(truth))
    precision, recall, f1, counts = precision_recall_fscore_support(truth, guesses, labels=present, zero_division=0.0)
    return Scores(
        n=len(truth),
        accuracy=float(accuracy_score(truth, guesses)),
        top3=float(among_first(truth, order, classes).mean()),
        macro=_average(truth, guesses, present, "macro"),
        weighted=_average(truth, guesses, present, "weighted"),
        classes={
            slug: {
                "n": int(counts[i]),
                "precision": float(precision[i]),
                "recall": float(recall[i]),
                "f1": float(f1[i]),
            }
            for i, slug in enumerate(present)
        },
    )


def _average(truth: Sequence[str], guesses: Sequence[str], present: Sequence[str], kind: str) -> dict[str, float]:
    figures = precision_recall_fscore_support(truth, guesses, labels=present, average=kind, zero_division=0.0)
    return dict(zip(("precision", "recall", "f1"), map(float, figures[:3]), strict=True))


def ranked(shares: FloatArray) -> IntArray:
    """Columns of ``shares`` (n, C), the likeliest first; of equals, the first column first, as serving does."""
    return np.argsort(-shares, axis=1, kind="stable")


def among_first(truth: Sequence[str], order: IntArray, classes: Sequence[str]) -> BoolArray:
    """Whether the true class is among the first three of ``order`` (n, C): (n,)."""
    column = {slug: i for i, slug in enumerate(classes)}
    true_columns = np.array([column.get(slug, -1) for slug in truth])
    return np.asarray((order[:, :TOP] == true_columns[:, None]).any(axis=1))


def accuracy(truth: IntArray, guess: IntArray) -> float:
    """Share of right answers."""
    return float(accuracy_score(truth, guess))


def macro_f1(truth: IntArray, guess: IntArray) -> float:
    """Mean F1 of the classes that ``truth`` has."""
    return float(f1_score(truth, guess, labels=np.unique(truth), average="macro", zero_division=0.0))
