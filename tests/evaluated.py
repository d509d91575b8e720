"""Answers of made-up models to photos that need not exist, for tests of what is measured on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from mapsi.arrays import IntArray
from mapsi.evaluate import Answers, Candidate, Interval, Photo

CLASSES = ("dress", "hat", "pants", "shirt")


def answers_of(
    truth: Sequence[str],
    shares: npt.NDArray[np.float32],
    classes: Sequence[str] = CLASSES,
    *,
    blocks: Sequence[str] = (),
    marks: Sequence[Mapping[str, str]] = (),
    familiar: Sequence[bool] = (),
    folder: Path = Path("photos"),
) -> Answers:
    """Answers with probabilities ``shares`` (n, C) to photos of the classes ``truth``."""
    photos = [
        Photo(
            folder / f"{label}/{i}.jpg",
            f"{label}/{i}.jpg",
            label,
            blocks[i] if blocks else "",
            marks[i] if marks else {},
        )
        for i, label in enumerate(truth)
    ]
    known = np.array(familiar) if familiar else np.ones(len(truth), dtype=np.bool_)
    return Answers(tuple(photos), tuple(classes), shares, known)


def told(guesses: Sequence[str], classes: Sequence[str] = CLASSES, confidence: float = 0.7) -> npt.NDArray[np.float32]:
    """Probabilities (n, C) whose largest is that of each guess."""
    rest = (1 - confidence) / (len(classes) - 1)
    shares = np.full((len(guesses), len(classes)), rest, dtype=np.float32)
    shares[np.arange(len(guesses)), [list(classes).index(guess) for guess in guesses]] = confidence
    return shares


def random_answers(
    count: int, rng: np.random.Generator, *, skill: float = 2.0, classes: Sequence[str] = CLASSES
) -> Answers:
    """A model that is right the more often, and knows it, the larger its ``skill``."""
    column = rng.integers(0, len(classes), count)
    logits = rng.normal(0, 1, (count, len(classes)))
    logits[np.arange(count), column] += skill
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return answers_of([classes[i] for i in column], shares.astype(np.float32), classes)


def candidate(classes: Sequence[str] = CLASSES, *, name: str = "a model", threshold: float = 0.5) -> Candidate:
    """A model that is not to be asked any more."""

    def ask(photos: Sequence[Image.Image]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        raise AssertionError("it has answered already")

    return Candidate(name, "0123456789abcdef", tuple(classes), threshold, ask)


def slow_bootstrap(
    answers: Answers, metric: Callable[[IntArray, IntArray], float], rng: np.random.Generator, *, rounds: int
) -> Interval:
    """The 95 % percentile interval of a metric, round by round, whole blocks drawn: the slow and obvious way."""
    columns = [np.array([CLASSES.index(slug) for slug in told]) for told in (answers.truth, answers.guesses)]
    members: dict[str | int, list[int]] = {}
    for row, photo in enumerate(answers.photos):
        members.setdefault(photo.block or row, []).append(row)
    blocks = list(members.values())
    values = []
    for _ in range(rounds):
        rows = [row for at in rng.integers(0, len(blocks), len(blocks)) for row in blocks[at]]
        values.append(metric(columns[0][rows], columns[1][rows]))
    low, high = np.percentile(values, [2.5, 97.5])
    return Interval(float(low), float(high))
