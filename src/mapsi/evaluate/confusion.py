"""Which class is mistaken for which, and on which photos."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.metrics import confusion_matrix

from mapsi.evaluate.answers import Answers
from mapsi.evaluate.photos import Photo

PAIRS = 8
EXAMPLES = 4


@dataclass(frozen=True, slots=True)
class Confusion:
    """``counts[i, j]``: photos of the true class ``rows[i]`` that were read as ``columns[j]``."""

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Example:
    """A photo that was misread, and with what confidence."""

    photo: Photo
    confidence: float


@dataclass(frozen=True, slots=True)
class ConfusedPair:
    """``n`` of the ``of`` photos of the class ``truth`` were told to be ``told``; the surest of them are
    ``examples``."""

    truth: str
    told: str
    n: int
    of: int
    examples: tuple[Example, ...]


def count_confusion(answers: Answers) -> Confusion:
    """Rows for the classes that have photos, in the model's order and then those it does not know; columns for all that
    it knows."""
    present, known = set(answers.truth), set(answers.classes)
    rows = (*(slug for slug in answers.classes if slug in present), *sorted(present - known))
    labels = [*answers.classes, *sorted(present - known)]
    counts = confusion_matrix(answers.truth, answers.guesses, labels=labels)
    return Confusion(rows, answers.classes, counts[[labels.index(slug) for slug in rows], : len(answers.classes)])


def most_confused(answers: Answers, *, pairs: int = PAIRS, examples: int = EXAMPLES) -> tuple[ConfusedPair, ...]:
    """The pairs of classes with the most wrong answers, in order; of equals, the one that takes more of its class."""
    wrong: dict[tuple[str, str], list[Example]] = defaultdict(list)
    for photo, told, confidence in zip(answers.photos, answers.guesses, answers.confidence, strict=True):
        if photo.label != told:
            wrong[photo.label, told].append(Example(photo, float(confidence)))
    found = [
        ConfusedPair(truth, told, len(rows), answers.truth.count(truth), _surest(rows, examples))
        for (truth, told), rows in wrong.items()
    ]
    return tuple(sorted(found, key=lambda pair: (-pair.n, pair.of, pair.truth, pair.told))[:pairs])


def _surest(rows: list[Example], count: int) -> tuple[Example, ...]:
    return tuple(sorted(rows, key=lambda example: (-example.confidence, example.photo.name))[:count])
