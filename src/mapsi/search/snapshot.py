"""The index on disk: vectors and, row by row, what a search narrows down by. Built beside the old one, then switched.

index/current          the name of the folder that serves
index/NAME/vectors.faiss
index/NAME/columns.npz
index/NAME/index.json      what it was made with, and the digests of the two files beside it
"""

from __future__ import annotations

import re
import shutil
import sys
import uuid
import zipfile
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from mapsi.artifacts import atomic_file, file_digest, locked_file, read_json, write_json
from mapsi.catalog.filters import Filters
from mapsi.catalog.records import IndexRow
from mapsi.errors import ArtifactError
from mapsi.search.index import BoolArray, FlatIndex, IntArray, VectorIndex

FORMAT = 2
CURRENT = "current"
VECTORS, COLUMNS, DOCUMENT = "vectors.faiss", "columns.npz", "index.json"
_NAME = re.compile(r"[0-9]{8,20}-[0-9a-f]{8}")
_MEND = "Run `mapsi index build`."
LOCK = "lock"
PATIENCE = 600.0
_BATCH = 2000
TextArray = npt.NDArray[np.str_]


@dataclass(frozen=True, slots=True)
class Columns:
    """One entry a row of the index: the offer, its group (equal numbers are variants of one product), price, shop,
    audience, and its class by axis (empty text where it has none)."""

    offer: IntArray
    group: IntArray
    price: npt.NDArray[np.float64]
    shop: TextArray
    audience: TextArray
    classes: dict[str, TextArray]

    def allowed(self, filters: Filters) -> BoolArray | None:
        """Which rows meet ``filters``; ``None`` where there is nothing to narrow."""
        if not filters.narrows:
            return None
        keep = np.ones(len(self.offer), dtype=np.bool_)
        if filters.min_price is not None:
            keep &= self.price >= float(filters.min_price)
        if filters.max_price is not None:
            keep &= self.price <= float(filters.max_price)
        if filters.shops:
            keep &= np.isin(self.shop, filters.shops)
        if filters.audiences:
            keep &= np.isin(self.audience, filters.admitted_audiences)
        for axis, slugs in filters.classes.items():
            if slugs:
                keep &= np.isin(self.classes[axis], slugs) if axis in self.classes else False
        return keep


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An index that serves. ``generation`` is the catalogue's when it was built."""

    name: str
    model: str
    generation: int
    index: VectorIndex
    columns: Columns


class ColumnsBuilder:
    """Takes offers one after the other and keeps numbers and texts that many of them share; classes on other axes than
    ``axes`` are left out."""

    def __init__(self, axes: Iterable[str]) -> None:
        self._offer, self._group, self._price = array("q"), array("q"), array("d")
        self._groups: dict[str, int] = {}
        self._shop, self._audience = list[str](), list[str]()
        self._classes: dict[str, list[str]] = {axis: [] for axis in axes}

    def add(self, offer: IndexRow) -> None:
        self._offer.append(offer.offer_id)
        self._group.append(self._groups.setdefault(offer.group, len(self._groups)))
        self._price.append(float(offer.lowest_price))
        self._shop.append(sys.intern(offer.shop))
        self._audience.append(sys.intern(offer.audience or ""))
        for axis, slugs in self._classes.items():
            slugs.append(sys.intern(offer.classes.get(axis, "")))

    def build(self) -> Columns:
        return Columns(
            offer=np.array(self._offer, dtype=np.int64),
            group=np.array(self._group, dtype=np.int64),
            price=np.array(self._price, dtype=np.float64),
            shop=np.array(self._shop, dtype=np.str_),
            audience=np.array(self._audience, dtype=np.str_),
            classes={axis: np.array(slugs, dtype=np.str_) for axis, slugs in self._classes.items()},
        )


class Written(NamedTuple):
    """An index's name, and how many ``rows`` it has."""

    name: str
    rows: int


def write_snapshot(
    root: Path, offers: Iterable[IndexRow], *, model: str, width: int, generation: int, axes: Iterable[str]
) -> Written:
    """Write an index of ``offers`` beside the one that serves and switch to it.

    ``offers`` are taken as they come: beside the index itself (2 bytes a number of a vector) about 200 bytes a row stay
    in memory. The index before stays until the next switch, for readers that are just opening it. Two processes that
    write at once take turns.
    """
    root.mkdir(parents=True, exist_ok=True)
    with locked_file(root / LOCK, seconds=PATIENCE) as free:
        if not free:
            raise ArtifactError("Another process is writing the index.", "Wait for it, then run `mapsi index build`.")
        written = _write_beside(root, offers, model=model, width=width, generation=generation, axes=axes)
        before = _name_before(root)
        with atomic_file(root / CURRENT) as beside:
            beside.write_text(written.name, "utf-8")
        _remove_others(root, {written.name, before})
    return written


def _write_beside(
    root: Path, offers: Iterable[IndexRow], *, model: str, width: int, generation: int, axes: Iterable[str]
) -> Written:
    name = f"{generation:08d}-{uuid.uuid4().hex[:8]}"
    folder = root / name
    folder.mkdir()
    index, columns = gather(offers, width, axes)
    index.write(folder / VECTORS)
    named = {f"class:{axis}": values for axis, values in columns.classes.items()}
    np.savez(
        folder / COLUMNS,
        allow_pickle=False,
        **named,
        **{key: getattr(columns, key) for key in ("offer", "group", "price", "shop", "audience")},
    )
    document = {"format": FORMAT, "model": model, "generation": generation, "rows": index.size}
    write_json(folder / DOCUMENT, document | {"sha256": _digests(folder)})
    return Written(name, index.size)


def gather(offers: Iterable[IndexRow], width: int, axes: Iterable[str]) -> tuple[FlatIndex, Columns]:
    """Index and columns of ``offers``, which are let go batch by batch; ``width`` is their vectors'."""
    index, columns, stream = FlatIndex.empty(width), ColumnsBuilder(axes), iter(offers)
    while batch := list(islice(stream, _BATCH)):
        index.add(np.stack([offer.embedding for offer in batch]).astype(np.float32))
        for offer in batch:
            columns.add(offer)
    return index, columns.build()


def _remove_others(root: Path, keep: set[str | None]) -> None:
    for folder in root.iterdir():
        if folder.is_dir() and folder.name not in keep:
            shutil.rmtree(folder, ignore_errors=True)


def current_name(root: Path) -> str | None:
    """The name of the index that serves, ``None`` where none was built; raises :class:`ArtifactError` where what stands
    there is no name."""
    try:
        name = (root / CURRENT).read_text("utf-8").strip()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise _damaged(f"{root / CURRENT} cannot be read") from error
    if name and not _NAME.fullmatch(name):
        raise _damaged(f"{root / CURRENT} holds no name")
    return name or None


def _name_before(root: Path) -> str | None:
    """The name that is about to be replaced, whatever became of it; a folder in its place is removed."""
    try:
        return current_name(root)
    except ArtifactError:
        if (root / CURRENT).is_dir():
            shutil.rmtree(root / CURRENT)
        return None


def built_at(root: Path, name: str) -> datetime | None:
    """When the index of that name was built (UTC); ``None`` where it has been removed since."""
    try:
        return datetime.fromtimestamp((root / name / DOCUMENT).stat().st_mtime, UTC)
    except OSError:
        return None


def snapshot_models(root: Path) -> set[str]:
    """Fingerprints of the models that the indexes here were made with: the one that serves and the one before. A damaged
    one serves no more and names none."""
    found = set()
    for folder in root.iterdir():
        try:
            found.add(str(_read_document(folder)["model"]))
        except ArtifactError:
            continue
    return found


def read_snapshot(root: Path, name: str) -> Snapshot:
    """Read an index; raises :class:`ArtifactError` where it is missing, damaged or of another version."""
    folder = root / name
    document = _read_document(folder)
    try:
        if _digests(folder) != document["sha256"]:
            raise _damaged(f"a file in {folder} is not the one that was written")
        columns = _read_columns(folder / COLUMNS)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise _damaged(str(folder)) from error
    index = FlatIndex.read(folder / VECTORS)
    if index.size != len(columns.offer):
        raise _damaged(f"{folder} holds {index.size} vectors for {len(columns.offer)} offers")
    return Snapshot(name, str(document["model"]), int(document["generation"]), index, columns)


def _read_document(folder: Path) -> dict[str, Any]:
    if not (folder / DOCUMENT).is_file():
        raise ArtifactError(f"The index of product pictures, {folder}, is missing.", _MEND)
    try:
        document = read_json(folder / DOCUMENT, "The index of product pictures")
    except ArtifactError as error:
        raise _damaged(str(folder / DOCUMENT)) from error
    if not isinstance(document, dict) or not isinstance(document.get("format"), int):
        raise _damaged(f"{folder / DOCUMENT} says nothing of an index")
    if document["format"] != FORMAT:
        raise ArtifactError("The index of product pictures is of another version.", _MEND)
    if not (isinstance(document.get("model"), str) and isinstance(document.get("generation"), int)):
        raise _damaged(f"{folder / DOCUMENT} lacks an entry")
    return document


def _read_columns(file: Path) -> Columns:
    with np.load(file, allow_pickle=False) as stored:
        classes = {key.removeprefix("class:"): stored[key] for key in stored.files if key.startswith("class:")}
        return Columns(stored["offer"], stored["group"], stored["price"], stored["shop"], stored["audience"], classes)


def _digests(folder: Path) -> dict[str, str]:
    """Half a second for a gigabyte, once an index: a flipped bit in a vector or a price would be seen by nothing else."""
    return {name: file_digest(folder / name) for name in (VECTORS, COLUMNS)}


def _damaged(what: str) -> ArtifactError:
    return ArtifactError(f"The index of product pictures is damaged: {what}.", _MEND)
