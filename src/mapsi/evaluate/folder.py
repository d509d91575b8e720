"""Answering every photo of a labelled folder, ``CLASS/*.jpg``, and scoring the answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mapsi.errors import ArtifactError, PhotoError
from mapsi.evaluate.scores import FloatArray, Scores, score
from mapsi.imaging import SUFFIXES, decode_photo

Predict = Callable[[Sequence[Image.Image]], FloatArray]
"""Pictures -> class probabilities (n, C)."""

BATCH = 16


@dataclass(frozen=True, slots=True)
class FolderReport:
    """Scores, and what could not be scored: photos that cannot be read, folders that are none of the model's classes
    (their photos count as missed)."""

    axis: str
    scores: Scores
    unreadable: tuple[str, ...]
    unknown_classes: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "axis": self.axis,
            **self.scores.to_json(),
            "unreadable": list(self.unreadable),
            "unknown_classes": list(self.unknown_classes),
        }


def labelled_photos(folder: Path) -> list[tuple[Path, str]]:
    """(photo, class) of ``CLASS/*.jpg``, sorted; raises :class:`ArtifactError` where there is none."""
    if not folder.is_dir():
        raise ArtifactError(f"There is no folder {folder}.", "It should hold CLASS/*.jpg.")
    found = sorted(p for p in folder.glob("*/*") if p.suffix.lower() in SUFFIXES and p.is_file())
    if not found:
        raise ArtifactError(f"The folder {folder} has no photos in class folders.", "It should hold CLASS/*.jpg.")
    return [(path, path.parent.name) for path in found]


def evaluate_folder(
    predict: Predict,
    classes: Sequence[str],
    folder: Path,
    axis: str,
    progress: Callable[[int], object] = lambda _: None,
) -> FolderReport:
    """Answer every photo, unsure or not, and score the answers; ``progress`` is told how many more are done."""
    truth: list[str] = []
    shares: list[FloatArray] = []
    unreadable: list[str] = []
    for batch in _batches(labelled_photos(folder)):
        photos, labels = [], []
        for path, label in batch:
            try:
                photos.append(decode_photo(path.read_bytes()))
                labels.append(label)
            except PhotoError:
                unreadable.append(path.relative_to(folder).as_posix())
        if photos:
            truth += labels
            shares.append(predict(photos))
        progress(len(batch))
    if not truth:
        raise ArtifactError(f"No photo in {folder} can be read.", "Check the files.")
    unknown = tuple(sorted(set(truth) - set(classes)))
    return FolderReport(axis, score(truth, np.concatenate(shares), classes), tuple(unreadable), unknown)


def _batches(photos: Sequence[tuple[Path, str]]) -> Iterator[Sequence[tuple[Path, str]]]:
    for start in range(0, len(photos), BATCH):
        yield photos[start : start + BATCH]
