"""One labelled photo, and the ways a folder says its labels."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mapsi.errors import ArtifactError
from mapsi.imaging import SUFFIXES


@dataclass(frozen=True, slots=True)
class Sample:
    """A photo and what is known of it.

    ``labels`` maps an axis to a class and may lack axes. ``block`` names the photos that must stand on one side of a
    split (one contributor, one product). ``proxy`` marks a stand-in for want of a better photo. A sample with
    ``nothing`` shows no garment: it teaches being unsure. ``unsure`` names the axes on which it has no answer though it
    shows a garment (a hat has none of the styles).
    """

    path: Path
    labels: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    block: str = ""
    proxy: bool = False
    nothing: bool = False
    unsure: tuple[str, ...] = ()

    def has_no_answer(self, axis: str) -> bool:
        """Whether the right answer on ``axis`` is to be unsure."""
        return self.nothing or axis in self.unsure


def photo_files(folder: Path) -> list[Path]:
    """The photos directly in ``folder``, sorted by name; raises :class:`ArtifactError` where it cannot be read."""
    try:
        return sorted(p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file())
    except OSError as error:
        raise ArtifactError(
            f"The folder {folder} cannot be read: {error.strerror}.", "It should hold CLASS/*.jpg."
        ) from error


def class_folders(folder: Path) -> list[Path]:
    """The class folders in ``folder``; raises :class:`ArtifactError` where there is none."""
    try:
        found = sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))
    except OSError as error:
        raise ArtifactError(
            f"The folder {folder} cannot be read: {error.strerror}.", "It should hold CLASS/*.jpg."
        ) from error
    if not found:
        raise ArtifactError(f"The folder {folder} has no class folders.", "It should hold CLASS/*.jpg.")
    return found


def scan_classes(folder: Path) -> Iterator[tuple[Path, str]]:
    """Yield (photo, name of its class folder) for ``CLASS/*.jpg``."""
    for class_folder in class_folders(folder):
        for path in photo_files(class_folder):
            yield path, class_folder.name


def read_labels(file: Path) -> dict[str, dict[str, str]]:
    """Rows of a ``labels.csv`` by their ``path`` column; raises :class:`ArtifactError` where there is no such column."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ArtifactError(
            f"The labels {file} cannot be read: {error}.", "It should be a CSV file in UTF-8."
        ) from error
    if rows and "path" not in rows[0]:
        raise ArtifactError(f"The labels {file} have no column 'path'.", "Name the photo's path in it.")
    # A row that is shorter or longer than the head has nothing in the cells that it lacks, and no more cells than these.
    whole = ({name: value or "" for name, value in row.items() if name is not None} for row in rows)
    return {row["path"]: row for row in whole}
