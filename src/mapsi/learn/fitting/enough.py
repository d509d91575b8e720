"""Whether a manifest has enough to learn from and to measure on, told before anything is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from mapsi.dataset.check import MIN_PHOTOS
from mapsi.dataset.manifest import Manifest
from mapsi.errors import ArtifactError, UsageError
from mapsi.learn.recipe import Recipe

FEW = MIN_PHOTOS // 4
"""Photos of a class below which a warning is given: a network learns them by heart rather than what they have in
common."""


def check_enough(manifest: Manifest, classes: Mapping[str, Sequence[str]], recipe: Recipe) -> None:
    """Raises :class:`UsageError` where there are too few photos to learn from or to measure on."""
    count = len(manifest.part("train"))
    if count < recipe.batch:
        raise UsageError(
            f"There are {count} photos to learn from, less than one batch of {recipe.batch}.",
            "Add photos, or give a smaller --batch.",
        )
    for axis, slugs in classes.items():
        if not any(s.labels.get(axis) in slugs for s in manifest.part("validation")):
            raise UsageError(f"No photo of the axis {axis} is held out for measuring.", "Add photos of its classes.")


def check_there(manifest: Manifest) -> None:
    """Raises :class:`ArtifactError` where photos that the manifest names are gone."""
    gone = manifest.gone()
    if gone:
        raise ArtifactError(
            f"{len(gone)} of the manifest's {len(manifest.entries)} photos are gone, {gone[0]} first.",
            "Put them back, give their folder with --root, or make the manifest again.",
        )


def shortages(manifest: Manifest, classes: Mapping[str, Sequence[str]]) -> list[str]:
    """A sentence for each class that has few photos to learn from, none to measure on, or is not learned at all."""
    learned, held = (_count(manifest, part) for part in ("train", "validation"))
    told = []
    for axis, slug in sorted({*learned, *held}):
        few, where = learned[axis, slug], f"{axis}: {slug}"
        if slug not in classes.get(axis, ()):
            why = (
                "no second class has photos, or the taxonomy does not know it"
                if few
                else "it has no photo to learn from"
            )
            told.append(f"{where} is not learned: {why}.")
            continue
        if few < FEW:
            photos = "only 1 photo" if few == 1 else f"only {few} photos"
            told.append(f"{where} has {photos} to learn from; do not expect it to be recognised well.")
        if not held[axis, slug]:
            told.append(f"{where} has no photo held out, so it is not measured.")
    return told


def _count(manifest: Manifest, part: str) -> Counter[tuple[str, str]]:
    return Counter(label for e in manifest.entries if e.part == part for label in e.sample.labels.items())
