"""Probable label errors by confident learning (Northcutt, Jiang and Chuang, 2021), found with cleanlab."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from cleanlab.filter import find_label_issues
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold

from mapsi.progress import Advance, no_advance

FOLDS = 5
# Embeddings have unit length. Of 5 % labels swapped on purpose among 3,068 photos the search finds 93 %, and of what it
# names 81 % were swapped (61 % with the labels of a noisier set); stronger or weaker regularisation finds no more.
PENALTY = 1.0
ITERATIONS = 1000


@dataclass(frozen=True, slots=True)
class Doubt:
    """Photo number ``photo`` looks like ``likely`` (``share``, 0..1), and like its own class by ``given_share``."""

    photo: int
    likely: str
    share: float
    given_share: float


@dataclass(frozen=True, slots=True)
class LabelCheck:
    """The doubts, first those that speak the most for another class, and the classes whose labels could not be checked,
    with the reason."""

    doubts: tuple[Doubt, ...]
    unchecked: dict[str, str]


def find_label_errors(
    embeddings: npt.NDArray[np.float32],
    labels: Sequence[str],
    groups: Sequence[int],
    seed: int = 0,
    progress: Advance = no_advance,
) -> LabelCheck:
    """Check labels by a logistic regression that never learned from the photo it judges, nor from one of its group.

    ``embeddings`` (n, width) of unit length; ``groups`` say which photos belong together (near-twins, one sender). A
    class needs photos of five groups, one for each fold; others are told in ``unchecked``. ``progress`` hears of each
    of the five folds.
    """
    unchecked = _too_few(labels, groups)
    rows = np.array([i for i, label in enumerate(labels) if label not in unchecked], dtype=np.int64)
    names, given = np.unique([labels[i] for i in rows], return_inverse=True)
    if len(names) < 2:
        alone = "No second class has enough photos to tell it from."
        return LabelCheck((), {**unchecked, **{str(name): alone for name in names}})
    shares = out_of_fold(embeddings[rows], given, np.asarray(groups)[rows], seed, progress)
    suspects = np.flatnonzero(find_label_issues(given, shares, filter_by="low_self_confidence", n_jobs=1))
    doubts = []
    for i in suspects:
        likely = int(shares[i].argmax())
        pair = float(shares[i, likely]), float(shares[i, given[i]])
        if pair[0] > pair[1]:
            doubts.append(Doubt(int(rows[i]), str(names[likely]), *pair))
    doubts.sort(key=lambda doubt: doubt.given_share - doubt.share)
    return LabelCheck(tuple(doubts), unchecked)


def _too_few(labels: Sequence[str], groups: Sequence[int]) -> dict[str, str]:
    apart: dict[str, set[int]] = defaultdict(set)
    for label, group in zip(labels, groups, strict=True):
        apart[label].add(group)
    return {
        label: f"Its labels were not checked: {FOLDS} photos that do not belong together are needed, and it has "
        f"{len(found)}."
        for label, found in apart.items()
        if len(found) < FOLDS
    }


def out_of_fold(
    embeddings: npt.NDArray[np.float32],
    given: npt.NDArray[np.int64],
    groups: npt.NDArray[np.int64],
    seed: int,
    progress: Advance = no_advance,
) -> npt.NDArray[np.float64]:
    """Class shares (n, classes) of each photo by a model that learned from other folds only; groups are never torn."""
    # Where a fold leaves nothing to learn a photo's class from, its row stays even: no opinion.
    classes = int(given.max()) + 1
    shares = np.full((len(given), classes), 1 / classes)
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed)
    for learn, judge in folds.split(embeddings, given, groups):
        known = np.unique(given[learn])
        judged = judge[np.isin(given[judge], known)]
        if len(known) > 1 and len(judged):
            model = LogisticRegression(C=PENALTY, max_iter=ITERATIONS).fit(embeddings[learn], given[learn])
            shares[judged] = 0.0
            shares[np.ix_(judged, known)] = model.predict_proba(embeddings[judged])
        progress(1)
    return shares
