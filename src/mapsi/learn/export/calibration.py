"""Temperature and threshold of an axis, set on photos held out."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from sklearn.cluster import KMeans

from mapsi.arrays import FloatArray, IntArray
from mapsi.evaluate.reliability import calibration_error as expected_calibration_error
from mapsi.infer.model import calibrated

# An unsure answer costs a shopper little (the nearest products are shown all the same), a wrong sure one costs trust,
# but a service that is unsure of more than every fourth good photo is no use.
LEAST_COVERAGE = 0.75

# 128 cluster centres tell drawn pictures of nothing from garments as well as 1,500 photos do (area under the curve
# 0.984 and 0.983 on the shipped model's photos), 32 worse (0.976).
CENTROIDS = 128
UNFAMILIAR = 0.05


def fit_temperature(logits: FloatArray, truth: IntArray) -> float:
    """The temperature, 0.05..20, with the least negative log-likelihood (Guo et al., 2017)."""

    def loss(log_temperature: float) -> float:
        shares = calibrated(logits, float(np.exp(log_temperature)))
        return float(-np.log(np.maximum(shares[np.arange(len(truth)), truth], 1e-12)).mean())

    found = minimize_scalar(loss, bounds=(np.log(0.05), np.log(20)), method="bounded")
    return float(np.exp(found.x))


def choose_threshold(logits: FloatArray, truth: IntArray, nothing: FloatArray, temperature: float) -> float:
    """The confidence, 0..1, that best tells right answers from wrong ones and from photos of nothing.

    It maximises the share of right answers kept, less the share of photos of nothing kept, less half the share of wrong
    answers kept (an awkward garment misread is more easily forgiven than a cat called a shirt), among thresholds
    that keep at least ``LEAST_COVERAGE`` of the labelled photos.
    """
    shares = calibrated(logits, temperature)
    confidence, right = shares.max(axis=1), shares.argmax(axis=1) == truth
    strangers = calibrated(nothing, temperature).max(axis=1) if len(nothing) else np.zeros(0, np.float32)
    best, best_value = 0.0, -np.inf
    for threshold in np.linspace(0.05, 0.95, 91):
        if (confidence >= threshold).mean() < LEAST_COVERAGE:
            break
        kept = (confidence[right] >= threshold).mean() if right.any() else 0.0
        wrong = (confidence[~right] >= threshold).mean() if (~right).any() else 0.0
        odd = (strangers >= threshold).mean() if len(strangers) else wrong
        value = kept - wrong / 2 - odd
        if value > best_value:
            best, best_value = float(threshold), value
    return round(best, 3)


def centroids(embeddings: FloatArray, seed: int = 0) -> FloatArray:
    """The centres of clusters of unit embeddings (n, width), scaled to unit length: (k, width), k at most 128
    and n / 8."""
    count = max(1, min(CENTROIDS, len(embeddings) // 8))
    found = KMeans(count, n_init=1, random_state=seed).fit(embeddings).cluster_centers_
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)


def familiarity_threshold(nearest: FloatArray) -> float:
    """The cosine that all but ``UNFAMILIAR`` of the photos held out reach; ``nearest`` holds theirs, (n,)."""
    return float(np.quantile(nearest, UNFAMILIAR))


def calibration_error(logits: FloatArray, truth: IntArray, temperature: float) -> float:
    """Expected calibration error, 0..1, of logits at a temperature."""
    shares = calibrated(logits, temperature)
    return expected_calibration_error(shares.max(axis=1), shares.argmax(axis=1) == truth)
