"""What a model says of each photo of a folder, kept beside the photos so that a second look opens at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

import numpy as np

from mapsi.arrays import FloatArray
from mapsi.artifacts import atomic_file
from mapsi.batches import batched
from mapsi.errors import PhotoError
from mapsi.imaging import READ_SIDE, PhotoLimits, read_photo
from mapsi.progress import Advance, no_advance

if TYPE_CHECKING:
    from mapsi.infer import Model

BATCH = 16
BATCHES_A_SAVE = 16


@dataclass(frozen=True, slots=True)
class PhotoReading:
    """A photo's embedding (width,), of unit length, and its share (C,) for each class of the model on the axis."""

    embedding: FloatArray
    shares: FloatArray


def read_photos(
    folder: Path,
    paths: Sequence[str],
    model: Model,
    axis: str,
    cache: Path,
    *,
    limits: PhotoLimits | None = None,
    progress: Advance = no_advance,
) -> dict[str, PhotoReading]:
    """Read the photos ``paths`` of ``folder``, those that ``cache`` does not hold already; unreadable ones are left
    out.

    ``progress`` is told how many more have been read. What was read is kept every few hundred photos, so that little is
    lost where this is stopped.
    """
    keys = {path: _key(folder / path) for path in paths}
    known = _load(cache, f"{model.fingerprint} {axis}")
    missing = [path for path in paths if keys[path] not in known]
    progress(len(paths) - len(missing))
    batches = list(batched(missing, BATCH))
    for number, batch in enumerate(batches, start=1):
        for path, reading in _read_batch(folder, batch, model, axis, limits or PhotoLimits()).items():
            known[keys[path]] = reading
        progress(len(batch))
        if known and (number % BATCHES_A_SAVE == 0 or number == len(batches)):
            _save(cache, f"{model.fingerprint} {axis}", known)
    return {path: known[key] for path, key in keys.items() if key in known}


def _key(file: Path) -> str:
    """A photo's name and time: it keeps both when it is moved to another class."""
    stat = file.stat()
    return f"{file.name} {stat.st_size} {stat.st_mtime_ns}"


def _read_batch(
    folder: Path, batch: Sequence[str], model: Model, axis: str, limits: PhotoLimits
) -> dict[str, PhotoReading]:
    photos: dict[str, Any] = {}
    for path in batch:
        try:
            photos[path] = read_photo(folder / path, limits, at_least=READ_SIDE)
        except PhotoError:
            continue  # stays out, and is shown first in the review
    readings = model.read_many(list(photos.values()))
    classes = next((labels.classes for labels in model.axes if labels.axis == axis), ())
    found = {}
    for path, reading in zip(photos, readings, strict=True):
        guesses = {guess.slug: guess.confidence for guess in reading.axes[axis].top} if classes else {}
        shares = np.array([guesses[slug] for slug in classes], dtype=np.float32)
        found[path] = PhotoReading(reading.embedding, shares)
    return found


def _save(cache: Path, model: str, readings: Mapping[str, PhotoReading]) -> None:
    with atomic_file(cache) as beside, beside.open("wb") as out:
        np.savez(
            out,
            model=np.array(model),
            keys=np.array(list(readings)),
            embeddings=np.stack([reading.embedding for reading in readings.values()]),
            shares=np.stack([reading.shares for reading in readings.values()]),
        )


def _load(cache: Path, model: str) -> dict[str, PhotoReading]:
    """What ``cache`` holds of this model; nothing where it is missing, damaged or another model's: it is made again."""
    try:
        with cache.open("rb") as opened, np.load(opened, allow_pickle=False) as kept:
            if str(kept["model"]) != model:
                return {}
            rows = zip(kept["keys"], kept["embeddings"], kept["shares"], strict=True)
            return {str(key): PhotoReading(embedding, shares) for key, embedding, shares in rows}
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return {}
