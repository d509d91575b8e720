"""The model folder: all that is needed to answer, in one place, with its own preprocessing, labels and thresholds.

model.onnx     the network; input ``photos`` (B, 3, size, size); outputs ``embedding`` (B, width) of unit length and,
               for each axis, ``logits:AXIS`` (B, classes) and ``focus:AXIS`` (B, classes, h, w); where the document has
               groups, ``map`` (B, groups, h, w), the logits of what is where
model.json     this module's document
familiar.npy   float16 (k, width): the centroids of what it learned from, to tell photos of something else by
metrics.json   figures with their intervals
card.md        what it is, what it learned from, how good it is, where it ends
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from mapsi.artifacts import file_digest, read_json
from mapsi.errors import ArtifactError
from mapsi.imaging import Preprocessing
from mapsi.infer.look import GROUND, PERSON

FORMAT = 2
NETWORK = "model.onnx"
DOCUMENT = "model.json"
CARD = "card.md"
FAMILIAR = "familiar.npy"
METRICS = "metrics.json"
STRIDE = 32
"""A network with a map halves a side five times, each time without a rest."""


@dataclass(frozen=True, slots=True)
class AxisLabels:
    """One head: its classes in the order of the logits, the temperature that calibrates it (Guo et al., 2017), and the
    confidence, 0..1, from which its first guess counts as known. An ``attribute`` (a colour) is told of what some other
    axis knows, and is not known where none does: a wall has a colour too."""

    axis: str
    classes: tuple[str, ...]
    temperature: float
    threshold: float
    attribute: bool = False

    def to_json(self) -> dict[str, Any]:
        table = {
            "axis": self.axis,
            "classes": list(self.classes),
            "temperature": self.temperature,
            "threshold": self.threshold,
        }
        return table | ({"attribute": True} if self.attribute else {})


@dataclass(frozen=True, slots=True)
class Familiarity:
    """From which cosine, -1..1, to the nearest row of ``familiar.npy`` on a photo counts as one of something that the
    model learned; below it no axis is known. ``digest`` is that of the file."""

    threshold: float
    digest: str

    def to_json(self) -> dict[str, Any]:
        return {"threshold": self.threshold, "sha256": self.digest}


@dataclass(frozen=True, slots=True)
class ModelDocument:
    """What ``model.json`` says. ``groups`` are those of the map, in the order of its channels; empty for no map. For
    the map a photo is read at ``map_size`` pixels, where what is small in it is seen; 0 for the size of everything
    else."""

    name: str
    created: str
    width: int
    preprocessing: Preprocessing
    axes: tuple[AxisLabels, ...]
    digest: str
    familiarity: Familiarity | None = None
    groups: tuple[str, ...] = ()
    map_size: int = 0

    @property
    def fingerprint(self) -> str:
        """Names what this folder answers: another network, preprocessing or threshold gives another fingerprint."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()[:16]

    def to_json(self) -> dict[str, Any]:
        table = {
            "format": FORMAT,
            "name": self.name,
            "created": self.created,
            "width": self.width,
            "preprocessing": self.preprocessing.to_json(),
            "axes": [labels.to_json() for labels in self.axes],
            "sha256": self.digest,
            "familiarity": None if self.familiarity is None else self.familiarity.to_json(),
        }
        return (
            table
            | ({"groups": list(self.groups)} if self.groups else {})
            | ({"map_size": self.map_size} if self.map_size else {})
        )

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Read what :meth:`to_json` wrote; raises :class:`ArtifactError` where it does not fit."""
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            found = document.get("format") if isinstance(document, dict) else None
            raise ArtifactError(
                f"The model folder has format {found!r}; this version reads {FORMAT}.", "Export the model again."
            )
        try:
            return cls(
                str(document["name"]),
                str(document["created"]),
                int(document["width"]),
                Preprocessing.from_json(document["preprocessing"]),
                tuple(_axis_labels(entry) for entry in document["axes"]),
                str(document["sha256"]),
                _familiarity(document.get("familiarity")),
                _groups(document.get("groups", [])),
                _map_size(document.get("map_size", 0)),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(
                f"The model folder's {DOCUMENT} lacks an entry: {error}.", "Export the model again."
            ) from error


def _familiarity(entry: dict[str, Any] | None) -> Familiarity | None:
    return None if entry is None else Familiarity(float(entry["threshold"]), str(entry["sha256"]))


def _groups(names: Any) -> tuple[str, ...]:
    groups = tuple(map(str, names))
    if groups and not {GROUND, PERSON} <= set(groups):
        raise ValueError(f"groups without {GROUND} and {PERSON}")
    return groups


def _map_size(side: Any) -> int:
    size = int(side)
    if size % STRIDE or not 0 <= size <= 1024:
        raise ValueError(f"map_size {size}, which is not a multiple of {STRIDE} up to 1024")
    return size


def _axis_labels(entry: dict[str, Any]) -> AxisLabels:
    labels = AxisLabels(
        str(entry["axis"]),
        tuple(map(str, entry["classes"])),
        float(entry["temperature"]),
        float(entry["threshold"]),
        bool(entry.get("attribute", False)),
    )
    if len(labels.classes) < 2 or labels.temperature <= 0 or not 0 <= labels.threshold <= 1:
        raise ValueError(f"axis {labels.axis}")
    return labels


def read_document(folder: Path) -> ModelDocument:
    """Read ``model.json`` and check that ``model.onnx`` is the file it speaks of.

    Raises :class:`ArtifactError` where the folder is missing, damaged or of another version.
    """
    if not folder.is_dir():
        raise ArtifactError(f"There is no model folder at {folder}.", "Check MAPSI_MODEL or --model.")
    document = ModelDocument.from_json(read_json(folder / DOCUMENT, "The model folder"))
    network = folder / NETWORK
    if not network.is_file():
        raise ArtifactError(f"The model folder {folder} has no {NETWORK}.", "Copy the whole folder, or export again.")
    _check_digest(network, document.digest)
    if document.familiarity is not None:
        _check_digest(folder / FAMILIAR, document.familiarity.digest)
    return document


def _check_digest(file: Path, digest: str) -> None:
    if not file.is_file() or file_digest(file) != digest:
        raise ArtifactError(
            f"The file {file.name} in {file.parent} is missing or damaged.", "Copy the folder again, or export again."
        )
