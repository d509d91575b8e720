"""Likeness on photos of which one knows that they show the same garment: is its own product found first, among the
first ten, and how far up are all that are right?"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mapsi.arrays import BoolArray, FloatArray, IntArray
from mapsi.errors import ArtifactError
from mapsi.evaluate.resampling import draw_photos, interval
from mapsi.evaluate.scores import Interval
from mapsi.file_names import OnDisk
from mapsi.photo_folders import SUFFIXES
from mapsi.tables import read_small_table

Embed = Callable[[Path], FloatArray]
"""A photo file -> its embedding (width,) of unit length."""

TRAIN = "train"
COLUMNS = ("query", "gallery", "family", "part")


@dataclass(frozen=True, slots=True)
class PhotoPair:
    """A photo of a garment (``query``) and the shop's picture of the same (``gallery``). Pictures of one ``family``
    look so much alike that each is right; a pair that was learned from is only sought among, never asked for."""

    query: Path
    gallery: Path
    family: str
    learned: bool


@dataclass(frozen=True)
class Retrieval:
    """What was found: ``ranks`` (n,) of each query's first right picture, from 0, and ``precisions`` (n,), the average
    precision over all its right ones; ``families`` (n,) are resampled whole."""

    ranks: IntArray
    precisions: npt.NDArray[np.float64]
    families: tuple[str, ...]
    gallery: int

    def figures(self, rng: np.random.Generator) -> dict[str, dict[str, float]]:
        """R@1, R@10 and mean average precision, each with its 95 % interval."""
        told = {
            "r_at_1": (self.ranks < 1).astype(np.float64),
            "r_at_10": (self.ranks < 10).astype(np.float64),
            "map": self.precisions,
        }
        drawn = draw_photos(self.families, rng)
        found = {name: (float(values.mean()), _interval(values, drawn)) for name, values in told.items()}
        return {name: {"value": value, **asdict(bounds)} for name, (value, bounds) in found.items()}

    def to_json(self, rng: np.random.Generator) -> dict[str, Any]:
        return {"queries": len(self.ranks), "gallery": self.gallery, **self.figures(rng)}


def _interval(values: npt.NDArray[np.float64], drawn: npt.NDArray[np.float64]) -> Interval:
    return interval(drawn @ values / drawn.sum(axis=1))


def read_pairs(file: Path) -> list[PhotoPair]:
    """The pairs of a CSV file with the columns ``query`` and ``gallery`` (paths relative to it), and optional
    ``family`` and ``part`` (``train`` for those that were learned from).

    Raises :class:`ArtifactError` for a file that cannot be read, lacks a column, or names a picture that is gone.
    """
    try:
        rows = [row for _, row in read_small_table(file, COLUMNS)]
    except (OSError, UnicodeError, csv.Error) as error:
        raise ArtifactError(f"The pairs {file} cannot be read: {error}.", "It is a CSV file.") from error
    if not rows or not {"query", "gallery"} <= set(rows[0]):
        raise ArtifactError(f"The pairs {file} have no columns query and gallery.", "Name the two photos of each pair.")
    disk = OnDisk()
    pairs = [
        PhotoPair(
            disk.find(file.parent / row["query"]),
            disk.find(file.parent / row["gallery"]),
            row.get("family") or f"pair {number}",
            row.get("part") == TRAIN,
        )
        for number, row in enumerate(rows)
    ]
    gone = next((path for pair in pairs for path in (pair.query, pair.gallery) if not path.is_file()), None)
    if gone is not None:
        raise ArtifactError(f"The picture {gone} of the pairs {file} is gone.", "Put it back, or remove its row.")
    if all(pair.learned for pair in pairs):
        raise ArtifactError(
            f"All pairs of {file} were learned from.",
            "Leave some of them out of training, that is, out of the part train.",
        )
    return pairs


def distractors(folder: Path) -> list[Path]:
    """The pictures in a folder, sorted; raises :class:`ArtifactError` where there is none."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES) if folder.is_dir() else []
    if not found:
        raise ArtifactError(f"There are no pictures in {folder}.", "Name a folder of pictures of other products.")
    return found


def measure_pairs(pairs: Sequence[PhotoPair], others: Iterable[Path], query: Embed, gallery: Embed) -> Retrieval:
    """Seek each pair's garment, by ``query``, among all the pairs' pictures and ``others``, by ``gallery``."""
    asked = [pair for pair in pairs if not pair.learned]
    sought = np.stack([query(pair.query) for pair in asked])
    shown = np.stack([gallery(path) for path in (*(pair.gallery for pair in pairs), *others)])
    families = np.array([pair.family for pair in pairs] + [""] * (len(shown) - len(pairs)))
    return rank(sought @ shown.T, np.array([pair.family for pair in asked])[:, None] == families[None], asked)


def rank(cosines: FloatArray, right: BoolArray, asked: Sequence[PhotoPair]) -> Retrieval:
    """The ranks in each row of ``cosines`` (n, m) of what is ``right`` (n, m); among equals the wrong ones come first.

    Cosines (0.9, 0.7, 0.8), of which the second and the third are right, are ordered (wrong, right, right): the rank is
    1, and the precisions where something is right, 1 / 2 and 2 / 3, average to 0.58.
    """
    order = np.lexsort((right, -cosines), axis=1)
    sorted_right = np.take_along_axis(right, order, axis=1)
    places = np.arange(1, right.shape[1] + 1)
    precision = np.cumsum(sorted_right, axis=1) / places
    average = (precision * sorted_right).sum(axis=1) / sorted_right.sum(axis=1)
    return Retrieval(sorted_right.argmax(axis=1), average, tuple(pair.family for pair in asked), right.shape[1])
