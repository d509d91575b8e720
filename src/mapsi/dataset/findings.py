"""What a check finds in a data set: each finding names a photo, says why, and whether the photo is left out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

Kind = Literal["unreadable", "tiny", "copy", "twin", "copy-across", "twin-across", "label", "alike"]
KINDS: tuple[Kind, ...] = get_args(Kind)
MEANINGS: Mapping[Kind, str] = {
    "unreadable": "cannot be read",
    "tiny": "too small",
    "copy": "the same file twice in a class",
    "twin": "the same picture twice in a class",
    "copy-across": "the same file in two classes",
    "twin-across": "the same picture in two classes",
    "label": "probably in the wrong class",
    "alike": "looks like another photo",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing about one photo.

    ``path`` and ``other`` are relative to the folder that was checked. ``other`` is the photo that it is like;
    ``likely`` the class it looks like, ``share`` (0..1) how much, and ``given_share`` how much it looks like its own.
    """

    kind: Kind
    path: str
    label: str
    reason: str
    left_out: bool
    other: str = ""
    other_label: str = ""
    likely: str = ""
    share: float | None = None
    given_share: float | None = None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class ClassRow:
    """How many photos of a class there are, how many are kept, and what is to be said of it, in sentences."""

    label: str
    photos: int
    kept: int
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckReport:
    """All findings in the order of :data:`KINDS`, a row per class, and remarks on the whole. ``kept`` + ``left_out``
    are all photos. Without a model labels are not checked, and none in doubt means nothing."""

    folder: Path
    axis: str
    findings: tuple[Finding, ...]
    classes: tuple[ClassRow, ...]
    remarks: tuple[str, ...]
    labels_checked: bool = True

    @property
    def photos(self) -> int:
        return sum(row.photos for row in self.classes)

    @property
    def kept(self) -> int:
        return sum(row.kept for row in self.classes)

    @property
    def left_out(self) -> int:
        return self.photos - self.kept

    def of_kind(self, kind: Kind) -> list[Finding]:
        return [finding for finding in self.findings if finding.kind == kind]

    def counts(self, *, left_out: bool = False) -> Counter[Kind]:
        """Findings a kind; with ``left_out`` only those whose photo is left out."""
        return Counter(finding.kind for finding in self.findings if finding.left_out or not left_out)

    def to_json(self) -> dict[str, Any]:
        found, gone = self.counts(), self.counts(left_out=True)
        return {
            "folder": str(self.folder),
            "axis": self.axis,
            "photos": self.photos,
            "kept": self.kept,
            "left_out": self.left_out,
            "labels_checked": self.labels_checked,
            "kinds": {kind: {"found": found[kind], "left_out": gone[kind]} for kind in KINDS},
            "classes": [asdict(row) for row in self.classes],
            "remarks": list(self.remarks),
            "findings": [finding.to_json() for finding in self.findings],
        }
