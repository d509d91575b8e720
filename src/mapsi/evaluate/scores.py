"""Accuracy, top-3 and macro precision, recall and F1 of answers, with bootstrap intervals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

FloatArray = npt.NDArray[np.float32]
IntArray = npt.NDArray[np.int64]
Metric = Callable[[IntArray, IntArray], float]


@dataclass(frozen=True, slots=True)
class Scores:
    """Figures in 0..1. ``macro`` and ``classes`` cover the classes that the photos have, whatever was guessed."""

    n: int
    accuracy: float
    top3: float
    macro: dict[str, float]
    classes: dict[str, dict[str, float]]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Interval:
    """The middle 95 % of a figure over bootstrap resamples."""

    low: float
    high: float


def score(truth: Sequence[str], shares: FloatArray, classes: Sequence[str]) -> Scores:
    """Score class probabilities (n, C) against true slugs; a truth that is no column counts as missed.

    Raises :class:`ValueError` where the shapes do not fit or there is no photo.
    """
    if len(truth) == 0 or shares.shape != (len(truth), len(classes)):
        raise ValueError(f"expected shares of shape ({len(truth)}, {len(classes)}) with rows, got {shares.shape}")
    order = np.argsort(-shares, axis=1, kind="stable")
    guesses = [classes[i] for i in order[:, 0]]
    present = sorted(set(truth))
    precision, recall, f1, counts = precision_recall_fscore_support(
        truth, guesses, labels=present, average=None, zero_division=0.0
    )
    top3 = np.mean([t in {classes[i] for i in row[:3]} for t, row in zip(truth, order, strict=True)])
    return Scores(
        n=len(truth),
        accuracy=float(accuracy_score(truth, guesses)),
        top3=float(top3),
        macro={"precision": float(precision.mean()), "recall": float(recall.mean()), "f1": float(f1.mean())},
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


def accuracy(truth: IntArray, guess: IntArray) -> float:
    """Share of right answers."""
    return float(accuracy_score(truth, guess))


def macro_f1(truth: IntArray, guess: IntArray) -> float:
    """Mean F1 of the classes that ``truth`` has."""
    return float(f1_score(truth, guess, labels=np.unique(truth), average="macro", zero_division=0.0))


def bootstrap(
    truth: IntArray, guess: IntArray, metric: Metric, rng: np.random.Generator, *, rounds: int = 500
) -> Interval:
    """The 95 % percentile interval of ``metric`` over resamples of the photos (Efron and Tibshirani, 1993)."""
    picks = rng.integers(0, len(truth), (rounds, len(truth)))
    values = [metric(truth[pick], guess[pick]) for pick in picks]
    low, high = np.percentile(values, [2.5, 97.5])
    return Interval(float(low), float(high))
