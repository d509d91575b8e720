"""A person's look at the photos of each class: the doubtful first, decisions in a journal, then carried out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from mapsi.collect.review.journal import Journal

INNER = ".review"
"""Folder of what a review keeps for speed; it may be deleted at any time."""


def reviewed_labels(folder: Path) -> Mapping[str, str | None]:
    """What the journal says of each photo that was decided on and not yet moved: path -> class, ``None`` if dropped.

    Paths are relative to ``folder``. Raises :class:`~mapsi.errors.ArtifactError` where the journal cannot be read.
    """
    return {path: decision.cls for path, decision in Journal.read(folder).decisions().items()}
