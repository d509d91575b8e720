"""Separate figures for groups of photos, and how far the source alone gives the class away."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mapsi.evaluate.answers import Answers
from mapsi.evaluate.photos import Photo
from mapsi.evaluate.resampling import measure_intervals
from mapsi.evaluate.scores import Interval, score

SOURCE = "source"
LEAST = 10
"""Photos from which on a group stands for itself: resamples of fewer say next to nothing."""


@dataclass(frozen=True, slots=True)
class Group:
    """Figures of the photos with one mark; ``macro_f1`` is over the ``classes`` that these photos have."""

    value: str
    n: int
    classes: int
    accuracy: float
    accuracy_interval: Interval
    macro_f1: float
    macro_f1_interval: Interval


@dataclass(frozen=True, slots=True)
class SourceBaseline:
    """How right one is, 0..1, on the ``n`` photos of known source without looking at them: by telling the commonest
    class of the photo's source (``accuracy``), or the commonest class of all (``largest_class``); ``model`` is how
    right the model is on the same photos. ``learned_from`` photos of known source were counted beforehand; where it is
    0, each photo is guessed from all the others that are measured on."""

    n: int
    accuracy: float
    largest_class: float
    model: float
    learned_from: int


def measure_groups(answers: Answers, rng: np.random.Generator) -> dict[str, tuple[Group, ...]]:
    """Figures by mark and value, the largest group first, those of fewer than ten photos taken together at the end.

    A mark that has one value only tells nothing and is left out.
    """
    values: dict[str, Counter[str]] = defaultdict(Counter)
    for photo in answers.photos:
        for mark, value in photo.marks.items():
            values[mark][value] += 1
    return {mark: tuple(_groups(answers, mark, found, rng)) for mark, found in values.items() if len(found) > 1}


def _groups(answers: Answers, mark: str, values: Counter[str], rng: np.random.Generator) -> Iterator[Group]:
    large = sorted((value for value in values if values[value] >= LEAST), key=lambda value: (-values[value], value))
    for value in large:
        yield _group(answers, mark, {value}, value, rng)
    if small := set(values) - set(large):
        yield _group(answers, mark, small, f"others, fewer than {LEAST} photos each", rng)


def _group(answers: Answers, mark: str, values: set[str], name: str, rng: np.random.Generator) -> Group:
    part = answers.of(np.array([photo.marks.get(mark) in values for photo in answers.photos]))
    scores, intervals = score(part.truth, part.shares, part.classes), measure_intervals(part, rng)
    return Group(
        name,
        scores.n,
        len(scores.classes),
        scores.accuracy,
        intervals.accuracy,
        scores.macro["f1"],
        intervals.macro_f1,
    )


def source_baseline(answers: Answers, elsewhere: Sequence[Photo] = ()) -> SourceBaseline | None:
    """What guessing from the source alone reaches, learned from the photos ``elsewhere`` (those the model learned from)
    where their sources are known, else from all the other photos measured on; None where no two sources are known."""
    photos = [photo for photo in answers.photos if SOURCE in photo.marks]
    if len({photo.marks[SOURCE] for photo in photos}) < 2:
        return None
    learned = [photo for photo in elsewhere if SOURCE in photo.marks]
    counted = _count(learned or photos)
    everything: Counter[str] = sum(counted.values(), Counter())
    by_source, by_size = [], []
    for photo in photos:
        own = Counter() if learned else Counter([photo.label])
        rest = everything - own
        by_size.append(_commonest(rest) == photo.label)
        by_source.append((_commonest(counted[photo.marks[SOURCE]] - own) or _commonest(rest)) == photo.label)
    known = np.array([SOURCE in photo.marks for photo in answers.photos])
    return SourceBaseline(
        len(photos),
        float(np.mean(by_source)),
        float(np.mean(by_size)),
        float(answers.right[known].mean()),
        len(learned),
    )


def _count(photos: Sequence[Photo]) -> Mapping[str, Counter[str]]:
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for photo in photos:
        counted[photo.marks[SOURCE]][photo.label] += 1
    return counted


def _commonest(counts: Counter[str]) -> str | None:
    """The class counted most, among equals the first by name; None where there is none."""
    return min(counts, key=lambda slug: (-counts[slug], slug), default=None)
