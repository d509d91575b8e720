"""The photos that are measured on, and what is known of each beside its class."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mapsi.errors import ArtifactError
from mapsi.imaging import Box
from mapsi.photo_folders import scan_classes


@dataclass(frozen=True, slots=True)
class Photo:
    """A photo with its true class. ``name`` is what reports call it. Photos of one ``block`` (one sender, one product)
    look alike and are resampled together; an empty one means that the photo stands for itself. ``marks`` say to which
    groups it belongs: ``{"proxy": "yes", "source": "a shop"}``. Of a photo with a ``box`` only that is asked about."""

    path: Path
    name: str
    label: str
    block: str = ""
    marks: Mapping[str, str] = field(default_factory=dict)
    box: Box | None = None


def labelled_photos(folder: Path) -> list[Photo]:
    """The photos of ``CLASS/*.jpg``, sorted; raises :class:`ArtifactError` where there is none."""
    if not folder.is_dir():
        raise ArtifactError(f"There is no folder {folder}.", "It should hold CLASS/*.jpg.")
    found = [Photo(path, path.relative_to(folder).as_posix(), label) for path, label in scan_classes(folder)]
    if not found:
        raise ArtifactError(f"The folder {folder} has no photos in class folders.", "It should hold CLASS/*.jpg.")
    return found
