"""A training plan: which folders teach what, as a TOML file that a person can read and change.

[[photos]]
folder = "clothing/train"        # holds CLASS/*.jpg, relative to the plan's root
axis = "garment"                 # the axis that the class folders label
part = "train"                   # train, validation, test, or split (a hold-out is set apart)
labels = "clothing/labels.csv"   # optional: path, sender or source, source_label, proxy
classes = ["dress", "hat"]       # optional: only these folders
also = { one-piece = "garment:dress" }   # optional: a class that tells another axis too
nothing = true                   # optional: these photos show no garment
unsure = { hat = "style" }       # optional: a class that has no answer on another axis
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, cast, get_args

from mapsi.artifacts import read_toml
from mapsi.dataset.photos import Sample, read_labels, row_key
from mapsi.errors import ArtifactError
from mapsi.file_names import OnDisk
from mapsi.photo_folders import scan_classes
from mapsi.taxonomy import Taxonomy

Part = Literal["train", "validation", "test", "split"]
_KEYS = {"folder", "axis", "part", "labels", "classes", "also", "nothing", "unsure"}
# A source label shared by more photos than this names a kind of garment, not one product or one person.
MAX_BLOCK = 24
SENDER = "sender "


@dataclass(frozen=True, slots=True)
class PhotoFolder:
    """One entry of a plan."""

    folder: Path
    axis: str
    part: Part
    labels: Path | None = None
    classes: tuple[str, ...] = ()
    also: dict[str, tuple[str, str]] = field(default_factory=dict)
    nothing: bool = False
    unsure: dict[str, str] = field(default_factory=dict)


def read_plan(file: Path, root: Path | None = None) -> list[PhotoFolder]:
    """Read a plan; its folders are relative to ``root`` (by default the plan's own folder)."""
    document = read_toml(file, "The plan")
    entries = document.get("photos")
    if not isinstance(entries, list) or not entries:
        raise ArtifactError(f"The plan {file} has no [[photos]] entry.", "See docs/train.md.")
    base, disk = root if root is not None else file.parent, OnDisk()
    return [_parse_entry(file, base, disk, number, entry) for number, entry in enumerate(entries, start=1)]


def _check_entry(where: str, entry: object) -> None:
    if not isinstance(entry, dict):
        raise ArtifactError(f"{where} is not a table.", "Write [[photos]] and keys below it.")
    unknown = sorted(set(entry) - _KEYS)
    if unknown:
        raise ArtifactError(f"{where}: there is no key {unknown[0]!r}.", f"There are: {', '.join(sorted(_KEYS))}.")
    kinds: dict[str, type] = {"classes": list, "also": dict, "unsure": dict, "nothing": bool}
    for key, value in entry.items():
        inner = [*value, *(value.values() if isinstance(value, dict) else ())] if isinstance(value, list | dict) else []
        if not isinstance(value, kinds.get(key, str)) or not all(isinstance(text, str) for text in inner):
            raise ArtifactError(f"{where}: {key} is {value!r}.", "See docs/train.md for how it is written.")


def _parse_entry(file: Path, base: Path, disk: OnDisk, number: int, entry: dict[str, Any]) -> PhotoFolder:
    where = f"The plan {file}, entry {number}"
    _check_entry(where, entry)
    part = entry.get("part", "split")
    if part not in get_args(Part):
        raise ArtifactError(f"{where}: part is {part!r}.", "It is train, validation, test or split.")
    if "folder" not in entry:
        raise ArtifactError(f"{where} names no folder.", 'Write folder = "...".')
    nothing = bool(entry.get("nothing", False))
    if not nothing and "axis" not in entry:
        raise ArtifactError(f"{where} names no axis.", 'Write axis = "...", or nothing = true.')
    also = {name: _axis_and_class(where, text) for name, text in entry.get("also", {}).items()}
    labels = disk.find(base / entry["labels"]) if "labels" in entry else None
    return PhotoFolder(
        folder=disk.find(base / entry["folder"]),
        axis=entry.get("axis", ""),
        part=cast(Part, part),
        labels=labels,
        classes=tuple(entry.get("classes", ())),
        also=also,
        nothing=nothing,
        unsure=dict(entry.get("unsure", {})),
    )


def _axis_and_class(where: str, text: str) -> tuple[str, str]:
    axis, colon, slug = text.partition(":")
    if not (axis and colon and slug):
        raise ArtifactError(f"{where}: also has {text!r}.", 'Write also = { CLASS = "AXIS:CLASS" }.')
    return axis, slug


def gather(entry: PhotoFolder, taxonomy: Taxonomy) -> list[Sample]:
    """The samples of one entry, in the order of their paths.

    Raises :class:`ArtifactError` where a folder is missing or a class folder is none of the axis's classes.
    """
    rows = read_labels(entry.labels) if entry.labels is not None else {}
    samples = []
    for path, folder_class in scan_classes(entry.folder):
        if entry.classes and folder_class not in entry.classes:
            continue
        row = rows.get(_row_key(path, entry), {})
        samples.append(_sample(entry, taxonomy, path, folder_class, row))
    if not samples:
        raise ArtifactError(f"The folder {entry.folder} holds no photos.", "It should hold CLASS/*.jpg.")
    if rows and not any(_row_key(sample.path, entry) in rows for sample in samples):
        raise ArtifactError(
            f"The labels {entry.labels} match none of the photos in {entry.folder}.",
            "Their paths are relative to the labels' own folder.",
        )
    return _with_blocks(samples, rows, entry)


def rows_without_photo(entry: PhotoFolder, samples: Sequence[Sample]) -> list[str]:
    """Paths in an entry's labels that no photo in its folder has; labels of several folders name others' too."""
    if entry.labels is None:
        return []
    base = entry.labels.parent
    within = row_key(entry.folder.relative_to(base).as_posix()) if entry.folder.is_relative_to(base) else "."
    there = {_row_key(sample.path, entry) for sample in samples}
    own = (path for path in read_labels(entry.labels) if within == "." or path.startswith(f"{within}/"))
    return [path for path in own if path not in there and not (base / path).is_file()]


def _row_key(path: Path, entry: PhotoFolder) -> str:
    base = entry.labels.parent if entry.labels is not None else entry.folder
    return row_key(path.relative_to(base).as_posix() if path.is_relative_to(base) else path.name)


def _sample(entry: PhotoFolder, taxonomy: Taxonomy, path: Path, folder_class: str, row: dict[str, str]) -> Sample:
    if entry.nothing:
        return Sample(path, {}, row.get("source", ""), nothing=True)
    axis = taxonomy.find(entry.axis)
    if folder_class not in axis.by_slug:
        raise ArtifactError(
            f"The folder {path.parent} is not a class of the axis {axis.slug}.",
            f"Add {folder_class!r} to the taxonomy, rename the folder, or list `classes` in the plan.",
        )
    labels = {entry.axis: folder_class}
    if folder_class in entry.also:
        other_axis, slug = entry.also[folder_class]
        labels[other_axis] = taxonomy.find(other_axis).find(slug).slug
    unsure = (taxonomy.find(entry.unsure[folder_class]).slug,) if folder_class in entry.unsure else ()
    return Sample(path, labels, row.get("source", ""), proxy=row.get("proxy", "no") == "yes", unsure=unsure)


def _with_blocks(samples: Sequence[Sample], rows: dict[str, dict[str, str]], entry: PhotoFolder) -> list[Sample]:
    """Give each sample its block: its sender, or its source's own label where that names few photos."""
    keys = [_block_key(rows.get(_row_key(s.path, entry), {}), s) for s in samples]
    counts = Counter(keys)
    return [
        replace(s, block=key if key.startswith(SENDER) or counts[key] <= MAX_BLOCK else str(s.path))
        for s, key in zip(samples, keys, strict=True)
    ]


def _block_key(row: dict[str, str], sample: Sample) -> str:
    if row.get("sender"):
        return f"{SENDER}{row['sender']}"
    if row.get("source_label"):
        return f"{row.get('source', '')} {row['source_label']}"
    return str(sample.path)
