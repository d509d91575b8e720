"""One labelled photo, and the ways a folder says its labels."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mapsi.errors import ArtifactError
from mapsi.file_names import composed
from mapsi.imaging import Box
from mapsi.tables import read_small_table

LABEL_COLUMNS = ("path", "label", "sender", "source", "source_label", "proxy", "page", "licence")
"""Columns that labels may have; others are kept as they are."""
GROUPS = ("ground", "upper", "outer", "lower", "one-piece", "shoes", "bag", "accessory", "person")
"""What the numbers in a mask stand for."""


@dataclass(frozen=True, slots=True)
class Sample:
    """A photo and what is known of it.

    ``labels`` maps an axis to a class and may lack axes. ``block`` names the photos that must be on one side of a
    split (one contributor, one product). ``proxy`` marks a stand-in for lack of a better photo. A sample with
    ``nothing`` shows no garment: it teaches being unsure. ``unsure`` names the axes on which it has no answer though it
    shows a garment (a hat has none of the styles). Samples of one ``product`` show the very same garment: those of two
    sources (worn, and as the shop shows it) teach likeness. ``mask`` is a picture of the photo's groups by number, 255
    where that is not known. Of a sample with a ``box`` only that part is taken.
    """

    path: Path
    labels: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    block: str = ""
    proxy: bool = False
    nothing: bool = False
    unsure: tuple[str, ...] = ()
    product: str = ""
    mask: Path | None = None
    box: Box | None = None

    @property
    def is_for_its_mask(self) -> bool:
        """Whether this is a whole photo that is kept for its mask alone: a person drew that one. Masks beside labels or
        products are made by machines."""
        return self.mask is not None and not (self.box or self.labels or self.product)

    def has_no_answer(self, axis: str) -> bool:
        """Whether the right answer on ``axis`` is to be unsure."""
        return self.nothing or axis in self.unsure


def read_labels(file: Path) -> dict[str, dict[str, str]]:
    """Rows of a ``labels.csv`` by their ``path`` column, as :func:`row_key` writes it; raises :class:`ArtifactError`
    where there is no such column."""
    return dict(_label_rows(file))


def labelled_twice(file: Path) -> list[str]:
    """The paths that more than one row of a ``labels.csv`` has; of those rows the last one counts."""
    rows = Counter(key for key, _ in _label_rows(file))
    return [key for key, count in rows.items() if count > 1]


def _label_rows(file: Path) -> list[tuple[str, dict[str, str]]]:
    try:
        rows = [dict(row) for _, row in read_small_table(file, LABEL_COLUMNS)]
    except (OSError, UnicodeError, csv.Error) as error:
        raise ArtifactError(
            f"The labels {file} cannot be read: {error}.", "It should be a CSV file in UTF-8."
        ) from error
    if rows and "path" not in rows[0]:
        raise ArtifactError(f"The labels {file} have no column 'path'.", "Name the photo's path in it.")
    return [(key, {**row, "path": key}) for row in rows if (key := _beside(file, row["path"]))]


def _beside(file: Path, path: str) -> str:
    """The key of a path in a table: one that is absolute is taken from the table's folder where it leads into it."""
    key, folder = row_key(path), f"{row_key(file.parent.absolute().as_posix())}/"
    return key.removeprefix(folder)


def row_key(path: str) -> str:
    """A photo's path as tables are searched by it, on whatever system it was written."""
    return composed(path.strip().replace("\\", "/").removeprefix("./"))
