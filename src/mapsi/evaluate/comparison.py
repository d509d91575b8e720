"""Is one model better than another, or is it chance? Both answer the same photos, and are resampled together."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import binomtest

from mapsi.arrays import BoolArray
from mapsi.errors import UsageError
from mapsi.evaluate.answers import Answers
from mapsi.evaluate.resampling import ROUNDS, Values, class_numbers, draw, interval
from mapsi.evaluate.scores import Interval, accuracy, macro_f1

LEVEL = 0.05
"""The p from which on a difference counts as chance; the same as of the 95 % intervals."""

TRUTH, OURS, THEIRS = range(3)


@dataclass(frozen=True, slots=True)
class Difference:
    """Our figure less theirs, -1..1, with its 95 % interval; ``other_sign`` is the share of resamples, 0..1, in which
    the difference points the other way or is none."""

    ours: float
    theirs: float
    difference: float
    interval: Interval
    other_sign: float

    @property
    def interval_excludes_none(self) -> bool:
        return self.interval.low > 0 or self.interval.high < 0


@dataclass(frozen=True, slots=True)
class Comparison:
    """A model against ``other`` on the same ``n`` photos.

    ``classes`` are those compared on; where the models' lists differ, they are the shared ones, both models choose
    among these only, and the ``left_out`` photos of other classes do not count. ``only_ours`` and ``only_theirs`` count
    photos that one model alone got right; ``mcnemar`` is the exact p of such a split by chance (McNemar, 1947).
    """

    other: str
    other_fingerprint: str
    classes: tuple[str, ...]
    same_classes: bool
    n: int
    left_out: int
    accuracy: Difference
    macro_f1: Difference
    only_ours: int
    only_theirs: int
    mcnemar: float

    @property
    def accuracy_differs(self) -> bool:
        """Whether the difference in accuracy is more than chance: the interval and McNemar's test must both say so."""
        return self.accuracy.interval_excludes_none and self.mcnemar < LEVEL

    @property
    def macro_f1_differs(self) -> bool:
        return self.macro_f1.interval_excludes_none

    @property
    def sentences(self) -> tuple[str, str]:
        """The verdict on accuracy and on macro F1, for a person."""
        return (
            verdict("Accuracy", self.accuracy, self.accuracy_differs),
            verdict("Macro F1", self.macro_f1, self.macro_f1_differs),
        )


def check_shared(ours: Sequence[str], theirs: Sequence[str], truth: Iterable[str]) -> tuple[str, ...]:
    """The classes that both models know, in the order of ours.

    Raises :class:`UsageError` where these are too few to compare by: two at least, one of them among ``truth``.
    """
    shared = tuple(slug for slug in ours if slug in theirs)
    if len(shared) < 2 or set(shared).isdisjoint(truth):
        raise UsageError(
            f"The two models share {len(shared)} classes, none of them with photos here: too few to compare.",
            "Compare models of the same classes.",
        )
    return shared


def compare(
    ours: Answers, theirs: Answers, other: str, fingerprint: str, rng: np.random.Generator, *, rounds: int = ROUNDS
) -> Comparison:
    """Compare two models' answers to the same photos by a paired bootstrap.

    Raises :class:`ValueError` where the photos are not the same, :class:`UsageError` as :func:`check_shared` does.
    """
    if ours.photos != theirs.photos:
        raise ValueError("expected answers to the same photos")
    classes = check_shared(ours.classes, theirs.classes, ours.truth)
    same = set(ours.classes) == set(theirs.classes)
    rows = np.array([same or label in classes for label in ours.truth])
    ours, theirs = ours.of(rows).over(classes), theirs.of(rows).over(classes)
    _, columns = class_numbers(ours.truth, ours.guesses, theirs.guesses)
    drawn = draw(columns, [photo.block for photo in ours.photos], rng, rounds=rounds)
    only_ours, only_theirs, p = mcnemar(ours.right, theirs.right)
    figures = {
        "accuracy": (accuracy, drawn.accuracy),
        "macro_f1": (macro_f1, drawn.macro_f1),
    }
    differences = {
        name: difference(
            figure(columns[TRUTH], columns[OURS]),
            figure(columns[TRUTH], columns[THEIRS]),
            resampled(TRUTH, OURS) - resampled(TRUTH, THEIRS),
        )
        for name, (figure, resampled) in figures.items()
    }
    return Comparison(
        other=other,
        other_fingerprint=fingerprint,
        classes=classes,
        same_classes=same,
        n=len(ours.photos),
        left_out=int((~rows).sum()),
        **differences,
        only_ours=only_ours,
        only_theirs=only_theirs,
        mcnemar=p,
    )


def difference(ours: float, theirs: float, resampled: Values) -> Difference:
    """The difference of two figures, given its resamples (rounds,)."""
    value = ours - theirs
    other_sign = float((resampled * np.sign(value) <= 0).mean())
    return Difference(ours, theirs, value, interval(resampled), other_sign)


def mcnemar(ours: BoolArray, theirs: BoolArray) -> tuple[int, int, float]:
    """Photos that only ours, only theirs got right, and the exact two-sided p of a split as uneven by chance."""
    only_ours, only_theirs = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
    odd = only_ours + only_theirs
    return only_ours, only_theirs, float(binomtest(only_ours, odd).pvalue) if odd else 1.0


def verdict(figure: str, found: Difference, differs: bool) -> str:
    """One sentence, in percentage points: how much better or worse, from what to what, chance or not."""
    if not differs:
        value, low, high = (_points(x, sign=True) for x in (found.difference, found.interval.low, found.interval.high))
        return f"{figure}: {value} points ({low} to {high}): the difference could be chance."
    ends = (found.interval.low, found.interval.high)
    word, (low_end, high_end) = ("better", ends) if found.difference > 0 else ("worse", (-ends[1], -ends[0]))
    value, low, high = _points(abs(found.difference)), _points(low_end), _points(high_end)
    return f"{figure}: {word} by {value} points ({low} to {high}): more than chance."


def _points(value: float, *, sign: bool = False) -> str:
    """A share as percentage points; a second digit where the first would hide that it is not 0."""
    points = 100 * value
    digits = 2 if 0 < abs(points) < 0.05 else 1
    shown = f"{points:{'+' if sign else ''}.{digits}f}"
    return shown if float(shown) else f"{0:.{digits}f}"
