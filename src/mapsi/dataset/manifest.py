"""The manifest: which photo is learned from, which is measured on and which is left out, as a CSV file.

Columns: ``path, part, source, block, proxy, nothing, unsure`` (axes, blank between them), ``left_out`` (why, in a
sentence), ``product, mask, box`` (four shares, blank between them) and one ``axis:NAME`` for each axis, empty where the
label is missing. Paths are relative to the manifest's
root, by default its own folder, where they lie in it. Parts: ``train``, ``validation`` and ``test``; ``kept`` where
nothing is split yet; ``left-out``. Columns ``source`` to ``box`` may be missing.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from mapsi.artifacts import atomic_file
from mapsi.dataset.photos import Sample
from mapsi.dataset.plan import PhotoFolder, gather
from mapsi.dataset.split import group_samples, hold_out
from mapsi.dataset.twins import near_pairs, perceptual_hashes
from mapsi.errors import ArtifactError
from mapsi.file_names import OnDisk
from mapsi.imaging import Box, PhotoLimits
from mapsi.tables import read_small_table
from mapsi.taxonomy import Taxonomy

ManifestPart = Literal["train", "validation", "test", "kept", "left-out"]
PARTS: tuple[ManifestPart, ...] = get_args(ManifestPart)
LEFT_OUT: ManifestPart = "left-out"
COLUMNS = ("path", "part", "source", "block", "proxy", "nothing", "unsure", "left_out", "product", "mask", "box")
# A twin on two sides is left out of the one that comes first here.
_SIDES: dict[str, int] = {"train": 0, "validation": 1, "test": 2}


@dataclass(frozen=True, slots=True)
class Entry:
    """A sample and the part it belongs to; ``reason`` says why it is left out."""

    sample: Sample
    part: ManifestPart
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Manifest:
    """All entries, those that are left out among them."""

    entries: tuple[Entry, ...]

    @property
    def left_out(self) -> int:
        """How many photos are left out."""
        return len(self.part(LEFT_OUT))

    def part(self, part: ManifestPart) -> list[Sample]:
        return [entry.sample for entry in self.entries if entry.part == part]

    def gone(self) -> list[Path]:
        """The photos in use that are no longer where the manifest says."""
        used = [e.sample for e in self.entries if e.part != LEFT_OUT]
        return [path for s in used for path in (s.path, s.mask) if path is not None and not path.is_file()]

    def classes(self, taxonomy: Taxonomy) -> dict[str, tuple[str, ...]]:
        """The classes of each axis that have a training photo, in the taxonomy's order; axes without any left out."""
        seen = {(axis, slug) for s in self.part("train") for axis, slug in s.labels.items()}
        found = {
            name: tuple(cls.slug for cls in axis.classes if (name, cls.slug) in seen)
            for name, axis in taxonomy.axes.items()
        }
        return {name: slugs for name, slugs in found.items() if len(slugs) >= 2}


def build_manifest(
    plan: Sequence[PhotoFolder],
    taxonomy: Taxonomy,
    share: float,
    rng: np.random.Generator,
    limits: PhotoLimits | None = None,
) -> Manifest:
    """Gather a plan's photos and set ``share`` of the ``split`` folders apart.

    A training photo with a near-twin among the photos measured on is left out, across all folders.
    """
    entries: list[Entry] = []
    hashes: list[npt.NDArray[np.bool_]] = []
    for folder in plan:
        samples = gather(folder, taxonomy)
        hashes.append(perceptual_hashes([s.path for s in samples], limits))
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
    leaks: dict[int, int] = {}
    for a, b in near_pairs(hashes).tolist():
        first, later = sorted((a, b), key=lambda i: _SIDES[entries[i].part])
        if entries[first].part != entries[later].part:
            leaks.setdefault(first, later)
    return Manifest(
        tuple(_leaked(entry, entries[leaks[i]]) if i in leaks else entry for i, entry in enumerate(entries))
    )


def _leaked(entry: Entry, twin: Entry) -> Entry:
    shown = f"{twin.sample.path.parent.name}/{twin.sample.path.name}"
    return Entry(entry.sample, LEFT_OUT, f"Looks like {shown}, which is in the part {twin.part}.")


def write_manifest(file: Path, manifest: Manifest, root: Path | None = None) -> None:
    """Write the manifest, paths relative to ``root`` (by default the file's folder) where they lie in it."""
    base = (file.parent if root is None else root).absolute()
    axes = sorted({axis for entry in manifest.entries for axis in entry.sample.labels})
    with atomic_file(file) as beside, beside.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow([*COLUMNS, *(f"axis:{axis}" for axis in axes)])
        for entry in manifest.entries:
            s = entry.sample
            labels = [s.labels.get(axis, "") for axis in axes]
            flags = [s.source, _shared_block(s), _yes(s.proxy), _yes(s.nothing), " ".join(s.unsure), entry.reason]
            mask = "" if s.mask is None else _written_path(s.mask, base)
            box = "" if s.box is None else " ".join(f"{share:.7f}" for share in s.box)
            writer.writerow([_written_path(s.path, base), entry.part, *flags, s.product, mask, box, *labels])


def _written_path(path: Path, base: Path) -> str:
    full = path.absolute()
    return (full.relative_to(base) if full.is_relative_to(base) else full).as_posix()


def _shared_block(sample: Sample) -> str:
    """A photo that stands for itself is its own block, which need not be written."""
    return "" if sample.block == str(sample.path) else sample.block


def read_manifest(file: Path, root: Path | None = None) -> Manifest:
    """Read what :func:`write_manifest` wrote; raises :class:`ArtifactError` where it does not fit."""
    base = file.parent if root is None else root
    try:
        disk = OnDisk()
        rows = read_small_table(file, COLUMNS)
        manifest = Manifest(tuple(_entry(file, row, base, disk) for _, row in rows))
    except OSError as error:
        raise ArtifactError(f"The manifest {file} cannot be read: {error.strerror}.", "Check the path.") from error
    except (UnicodeError, csv.Error) as error:
        raise ArtifactError(f"The manifest {file} is not a CSV file: {error}.", "Make it again.") from error
    if not manifest.entries:
        raise ArtifactError(f"The manifest {file} names no photos.", "Make it again.")
    return manifest


def _entry(file: Path, values: Mapping[str, str], root: Path, disk: OnDisk) -> Entry:
    part, path = values.get("part", ""), values.get("path", "")
    if part not in PARTS or not path:
        fault = f"has a row with the part {part!r}" if path else "has a row without a path"
        raise ArtifactError(f"The manifest {file} {fault}.", f"A row names a path and a part: {', '.join(PARTS)}.")
    labels = {key.removeprefix("axis:"): slug for key, slug in values.items() if key.startswith("axis:") and slug}
    sample = Sample(
        path=disk.find(root / path),
        labels=labels,
        source=values.get("source", ""),
        block=values.get("block", ""),
        proxy=values.get("proxy") == "yes",
        nothing=values.get("nothing") == "yes",
        unsure=tuple(values.get("unsure", "").split()),
        product=values.get("product", ""),
        mask=disk.find(root / values["mask"]) if values.get("mask") else None,
        box=_box(file, values.get("box", "")),
    )
    return Entry(sample, part, values.get("left_out", ""))


def _box(file: Path, text: str) -> Box | None:
    try:
        x, y, width, height = map(float, text.split()) if text else (0.0, 0.0, 1.0, 1.0)
    except ValueError:
        x = y = width = height = -1.0
    if min(x, y) < 0 or min(width, height) <= 0 or max(x + width, y + height) > 1.001:
        raise ArtifactError(
            f"The manifest {file} has the box {text!r}.", "Write x, y, width and height, shares from 0 to 1."
        )
    return (x, y, width, height) if text else None


def _yes(value: bool) -> str:
    return "yes" if value else "no"
