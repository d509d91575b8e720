"""The 95 % intervals of a model's figures."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mapsi.evaluate.answers import Answers
from mapsi.evaluate.resampling import ROUNDS, class_numbers, draw, interval
from mapsi.evaluate.scores import Interval, among_first

TRUTH, GUESS, TOP = range(3)


@dataclass(frozen=True, slots=True)
class Intervals:
    """Intervals of accuracy, top-3 accuracy, macro F1, and of the F1 of each class that has photos."""

    accuracy: Interval
    top3: Interval
    macro_f1: Interval
    classes: dict[str, Interval]


def measure_intervals(answers: Answers, rng: np.random.Generator, *, rounds: int = ROUNDS) -> Intervals:
    """Intervals over resamples of the photos, blocks drawn whole."""
    present, (truth, guess) = class_numbers(answers.truth, answers.guesses)
    top = among_first(answers.truth, answers.order, answers.classes).astype(np.int64)
    drawn = draw([truth, guess, top], [photo.block for photo in answers.photos], rng, rounds=rounds)
    f1 = drawn.f1(TRUTH, GUESS)
    return Intervals(
        interval(drawn.accuracy(TRUTH, GUESS)),
        interval(drawn.share(TOP)),
        interval(drawn.macro_f1(TRUTH, GUESS)),
        {slug: interval(f1[:, i]) for i, slug in enumerate(present)},
    )
