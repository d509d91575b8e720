"""The bootstrap, all rounds at once: a resample is how often it holds each kind of photo, and figures follow from that.

Photos of the same true class and the same answers are of one kind. There are few kinds, so that 2,000 resamples cost
some small matrix products instead of 2,000 rounds through every photo (Efron and Tibshirani, 1993; percentile
intervals). Where photos come in blocks that look alike (one sender's), whole blocks are drawn: photos of one block are
not independent evidence, and drawing them one by one gives intervals that are too narrow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from mapsi.arrays import IntArray
from mapsi.evaluate.answers import Answers
from mapsi.evaluate.scores import Interval, among_first

Values = npt.NDArray[np.float64]

ROUNDS = 2000
_CELLS_AT_ONCE = 4_000_000
_TRUTH, _GUESS, _TOP = range(3)


@dataclass(frozen=True)
class Resamples:
    """``counts`` (rounds, K): how many photos of each kind each resample holds; ``kinds`` (K, columns) describes the
    kinds by what was in the columns given to :func:`draw`.

    Three photos with the truths (0, 0, 1) and the guesses (0, 0, 0) are of two kinds, (0, 0) and (1, 0). A resample
    that drew the first photo twice and the third once has the counts (2, 1): its accuracy is 2 / 3, its F1 (0.8, 0).
    """

    counts: Values
    kinds: IntArray

    @cached_property
    def sizes(self) -> Values:
        """Photos in each resample, (rounds,): the same for all unless blocks of different sizes are drawn."""
        return np.asarray(self.counts.sum(axis=1))

    def share(self, column: int) -> Values:
        """The share of photos whose ``column`` is not 0, (rounds,)."""
        return np.asarray(self.counts @ (self.kinds[:, column] != 0) / self.sizes)

    def accuracy(self, truth: int, guess: int) -> Values:
        """The share of photos on which two columns agree, (rounds,)."""
        return np.asarray(self.counts @ (self.kinds[:, truth] == self.kinds[:, guess]) / self.sizes)

    def f1(self, truth: int, guess: int) -> Values:
        """F1 of the classes 0..P-1 in the column ``truth``, (rounds, P); NaN where a resample has none."""
        classes = np.arange(self.kinds[:, truth].max() + 1)
        true = self.kinds[:, truth, None] == classes
        told = self.kinds[:, guess, None] == classes
        support = self.counts @ true
        with np.errstate(invalid="ignore", divide="ignore"):
            f1 = 2 * (self.counts @ (true & told)) / (support + self.counts @ told)
        return np.where(support > 0, f1, np.nan)

    def macro_f1(self, truth: int, guess: int) -> Values:
        """Mean F1 of the classes that each resample has, (rounds,)."""
        return np.asarray(np.nanmean(self.f1(truth, guess), axis=1))


def draw(
    columns: Sequence[IntArray], blocks: Sequence[str], rng: np.random.Generator, *, rounds: int = ROUNDS
) -> Resamples:
    """Resample photos told by ``columns``, each (n,); photos of the same non-empty block are drawn together."""
    kinds, kind_of = np.unique(np.stack(columns, axis=1), axis=0, return_inverse=True)
    block_of = block_numbers(blocks)
    if block_of.max() + 1 == len(blocks):
        frequency = np.bincount(kind_of) / len(kind_of)
        return Resamples(rng.multinomial(len(kind_of), frequency, rounds).astype(np.float64), kinds)
    members = np.zeros((block_of.max() + 1, len(kinds)))
    np.add.at(members, (block_of, kind_of), 1)
    return Resamples(_draw_blocks(members, rng, rounds), kinds)


def _draw_blocks(members: Values, rng: np.random.Generator, rounds: int) -> Values:
    step = max(1, _CELLS_AT_ONCE // len(members))
    sizes = [min(step, rounds - start) for start in range(0, rounds, step)]
    return np.concatenate([_picks(len(members), rng, size) @ members for size in sizes])


def draw_photos(blocks: Sequence[str], rng: np.random.Generator) -> Values:
    """How often each photo is in each resample of whole blocks, (rounds, n)."""
    block_of = block_numbers(blocks)
    return _picks(int(block_of.max()) + 1, rng, ROUNDS)[:, block_of]


def _picks(count: int, rng: np.random.Generator, rounds: int) -> Values:
    """How often each of ``count`` blocks is drawn in each round, (rounds, count)."""
    return rng.multinomial(count, np.full(count, 1 / count), rounds).astype(np.float64)


def block_numbers(blocks: Sequence[str]) -> IntArray:
    """A number from 0 for each block, (n,); a photo without a block is one of its own."""
    number_of: dict[str | int, int] = {}
    return np.array([number_of.setdefault(block or i, len(number_of)) for i, block in enumerate(blocks)])


def class_numbers(truth: Sequence[str], *guesses: Sequence[str]) -> tuple[list[str], list[IntArray]]:
    """The classes of ``truth``, sorted, and truth and guesses as numbers: its classes first, then what else is told."""
    present = sorted(set(truth))
    others = sorted({slug for told in guesses for slug in told} - set(present))
    number = {slug: i for i, slug in enumerate([*present, *others])}
    return present, [np.array([number[slug] for slug in column]) for column in (truth, *guesses)]


def interval(values: Values) -> Interval:
    """The middle 95 % of a figure's resamples, those left out in which it has no value."""
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return Interval(float(low), float(high))


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
    f1 = drawn.f1(_TRUTH, _GUESS)
    return Intervals(
        interval(drawn.accuracy(_TRUTH, _GUESS)),
        interval(drawn.share(_TOP)),
        interval(drawn.macro_f1(_TRUTH, _GUESS)),
        {slug: interval(f1[:, i]) for i, slug in enumerate(present)},
    )
