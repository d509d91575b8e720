"""Does a confidence of 80 % mean right in 80 of 100? Reliability by bins, calibration error and Brier score."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest
from sklearn.metrics import brier_score_loss

from mapsi.arrays import BoolArray, FloatArray
from mapsi.evaluate.answers import Answers

BINS = 15


@dataclass(frozen=True, slots=True)
class Bin:
    """The photos whose confidence lies in one of 15 equal steps of 0..1: how many, their mean confidence, how many of
    them are right, and the 95 % Wilson interval of that share."""

    n: int
    confidence: float
    accuracy: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Reliability:
    """``error`` is the expected calibration error (Naeini et al., 2015), 0..1; ``brier`` the mean squared error of the
    probabilities over all classes, 0..2 (Brier, 1950), of the photos whose class the model knows."""

    error: float
    brier: float | None
    bins: tuple[Bin, ...]


def measure_reliability(answers: Answers) -> Reliability:
    """The reliability of the confidences of ``answers``."""
    return Reliability(
        calibration_error(answers.confidence, answers.right),
        _brier(answers),
        reliability_bins(answers.confidence, answers.right),
    )


def calibration_error(confidence: FloatArray, right: BoolArray, bins: int = BINS) -> float:
    """Expected calibration error, 0..1, of confidences (n,) over equal-width bins.

    Of confidences (0.9, 0.9, 0.4) the first alone is right: two photos are off by 0.4 and one by 0.4, which is 0.4.
    """
    found = reliability_bins(confidence, right, bins)
    return sum(b.n * abs(b.accuracy - b.confidence) for b in found) / len(right)


def reliability_bins(confidence: FloatArray, right: BoolArray, bins: int = BINS) -> tuple[Bin, ...]:
    """The bins that hold a photo, from the least confidence up."""
    place = np.minimum((confidence * bins).astype(int), bins - 1)
    return tuple(_bin(confidence[place == k], right[place == k]) for k in np.unique(place))


def _bin(confidence: FloatArray, right: BoolArray) -> Bin:
    share = binomtest(int(right.sum()), len(right)).proportion_ci(0.95, method="wilson")
    mean = float(confidence.astype(np.float64).mean())
    return Bin(len(right), mean, float(right.mean()), float(share.low), float(share.high))


def _brier(answers: Answers) -> float | None:
    known = np.isin(np.array(answers.truth), np.array(answers.classes))
    if not known.any():
        return None
    shares = answers.shares[known].astype(np.float64)
    column = {slug: i for i, slug in enumerate(answers.classes)}
    truth = np.eye(len(answers.classes))[[column[slug] for slug in np.array(answers.truth)[known]]]
    # One row of 0 and 1 a photo takes the classes as columns, whatever their names sort to; two columns count as many.
    scaled = brier_score_loss(truth, shares / shares.sum(axis=1, keepdims=True), scale_by_half=False)
    return float(scaled)
