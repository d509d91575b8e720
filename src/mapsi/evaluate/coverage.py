"""What being unsure is worth: the risk among the photos answered, against the share of them that is answered."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mapsi.arrays import BoolArray, FloatArray
from mapsi.evaluate.answers import Answers

Values = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RiskCoverage:
    """Each point answers the photos of at least some trust: ``coverage`` (m,) is their share of all, ``risk`` (m,) the
    share of wrong answers among them. ``area`` under the curve, 0..1, is less the better trust tells right from wrong
    (Geifman and El-Yaniv, 2017); ``least_area`` is that of a trust that puts every wrong answer last."""

    coverage: Values
    risk: Values
    area: float
    least_area: float


@dataclass(frozen=True, slots=True)
class Sure:
    """What the model's own threshold makes of the photos: the ``share`` that gets a sure answer, how right these are
    (None where there is none), and how right the unsure first guesses would have been."""

    threshold: float
    share: float
    accuracy: float | None
    unsure_accuracy: float | None


def risk_coverage(trust: FloatArray, right: BoolArray) -> RiskCoverage:
    """The curve of answers with ``trust`` (n,), 0..1; photos of equal trust are answered together."""
    coverage, risk, area = _curve(trust, right)
    _, _, least = _curve(-np.arange(len(right), dtype=np.float32), np.sort(right)[::-1])
    return RiskCoverage(coverage, risk, area, least)


def _curve(trust: FloatArray, right: BoolArray) -> tuple[Values, Values, float]:
    """Coverage, risk and the area under the curve.

    Trust (0.9, 0.5, 0.5, 0.2), of which the second is wrong: three points, coverage (0.25, 0.75, 1), risk (0, 1/3, 1/4)
    and the area 0.5 x 1/3 + 0.25 x 1/4 = 0.23.
    """
    order = np.argsort(-trust, kind="stable")
    wrong = np.cumsum(~right[order])
    # A threshold cannot part photos of equal trust: a point comes after the last of them.
    last = np.append(np.flatnonzero(np.diff(trust[order])), len(right) - 1)
    coverage, risk = (last + 1) / len(right), wrong[last] / (last + 1)
    area = float((np.diff(coverage, prepend=0) * risk).sum())
    return coverage, risk, area


def measure_sure(answers: Answers, threshold: float) -> Sure:
    """What ``threshold`` makes of ``answers``."""
    sure = answers.familiar & (answers.confidence >= threshold)
    return Sure(threshold, float(sure.mean()), _accuracy(answers.right[sure]), _accuracy(answers.right[~sure]))


def _accuracy(right: BoolArray) -> float | None:
    return float(right.mean()) if len(right) else None
