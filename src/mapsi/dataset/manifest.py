"""The manifest: which photo is learned from and which is measured on, as a CSV file with its own digest.

Columns: ``path, part, source, proxy, nothing, unsure`` (axes, blank between them) and one ``axis:NAME`` for each axis, empty where the label is missing.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from mapsi.artifacts import atomic_file
from mapsi.dataset.photos import Sample
from mapsi.dataset.plan import PhotoFolder, gather
from mapsi.dataset.split import group_samples, hold_out
from mapsi.dataset.twins import perceptual_hashes, twin_pairs
from mapsi.errors import ArtifactError
from mapsi.taxonomy import Taxonomy

ManifestPart = Literal["train", "validation"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A sample and the part it belongs to."""

    sample: Sample
    part: ManifestPart


@dataclass(frozen=True, slots=True)
class Manifest:
    """All entries, and how many photos were left out of training because a twin of theirs is measured on."""

    entries: tuple[Entry, ...]
    left_out: int = 0

    def part(self, part: ManifestPart) -> list[Sample]:
        return [entry.sample for entry in self.entries if entry.part == part]

    def classes(self, taxonomy: Taxonomy) -> dict[str, tuple[str, ...]]:
        """The classes of each axis that have a training photo, in the taxonomy's order; axes without any left out."""
        seen = {(axis, slug) for s in self.part("train") for axis, slug in s.labels.items()}
        found = {
            name: tuple(cls.slug for cls in axis.classes if (name, cls.slug) in seen)
            for name, axis in taxonomy.axes.items()
        }
        return {name: slugs for name, slugs in found.items() if len(slugs) >= 2}


def build_manifest(plan: Sequence[PhotoFolder], taxonomy: Taxonomy, share: float, rng: np.random.Generator) -> Manifest:
    """Gather a plan's photos and set ``share`` of the ``split`` folders apart.

    A training photo with a near-twin among the photos measured on is left out, across all folders.
    """
    entries: list[Entry] = []
    hashes: list[npt.NDArray[np.bool_]] = []
    for folder in plan:
        samples = gather(folder, taxonomy)
        hashes.append(perceptual_hashes([s.path for s in samples]))
        if folder.part == "split":
            held = hold_out(samples, group_samples(samples, hashes[-1]), folder.axis, share, rng)
            entries += [
                _held_out(s, folder) if out else Entry(s, "train") for s, out in zip(samples, held, strict=True)
            ]
        else:
            entries += [Entry(s, folder.part) for s in samples]
    return _without_leaks(entries, np.concatenate(hashes))


def _held_out(sample: Sample, folder: PhotoFolder) -> Entry:
    """A held-out photo is measured on its folder's own axis only: what ``also`` tells is good enough to learn from."""
    own = {axis: slug for axis, slug in sample.labels.items() if axis == folder.axis}
    return Entry(replace(sample, labels=own), "validation")


def _without_leaks(entries: Sequence[Entry], hashes: npt.NDArray[np.bool_]) -> Manifest:
    leaks = set()
    for a, b in twin_pairs(hashes):
        parts = (entries[a].part, entries[b].part)
        if parts == ("train", "validation"):
            leaks.add(a)
        elif parts == ("validation", "train"):
            leaks.add(b)
    kept = tuple(entry for i, entry in enumerate(entries) if i not in leaks)
    return Manifest(kept, left_out=len(leaks))


def write_manifest(file: Path, manifest: Manifest, root: Path) -> None:
    """Write the manifest, paths relative to ``root`` where they lie in it."""
    axes = sorted({axis for entry in manifest.entries for axis in entry.sample.labels})
    with atomic_file(file) as beside, beside.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["path", "part", "source", "proxy", "nothing", "unsure", *(f"axis:{axis}" for axis in axes)])
        for entry in manifest.entries:
            s = entry.sample
            path = s.path.relative_to(root) if s.path.is_relative_to(root) else s.path
            labels = [s.labels.get(axis, "") for axis in axes]
            flags = [_yes(s.proxy), _yes(s.nothing), " ".join(s.unsure)]
            writer.writerow([path.as_posix(), entry.part, s.source, *flags, *labels])


def read_manifest(file: Path, root: Path) -> Manifest:
    """Read what :func:`write_manifest` wrote; raises :class:`ArtifactError` where it does not fit."""
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            return Manifest(tuple(_entry(file, row, root) for row in csv.DictReader(lines)))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ArtifactError(f"The manifest {file} cannot be read: {error}.", "Make it again.") from error


def _entry(file: Path, row: dict[str, str], root: Path) -> Entry:
    part = row.get("part")
    if part not in ("train", "validation") or not row.get("path"):
        raise ArtifactError(f"The manifest {file} has a row without a path or a part.", "Make it again.")
    labels = {key.removeprefix("axis:"): slug for key, slug in row.items() if key.startswith("axis:") and slug}
    sample = Sample(
        path=root / row["path"],
        labels=labels,
        source=row.get("source", ""),
        proxy=row.get("proxy") == "yes",
        nothing=row.get("nothing") == "yes",
        unsure=tuple(row.get("unsure", "").split()),
    )
    return Entry(sample, "train" if part == "train" else "validation")


def _yes(value: bool) -> str:
    return "yes" if value else "no"
