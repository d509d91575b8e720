"""The index on disk: vectors and, row by row, what a search narrows down by. Built beside the old one, then switched.

index/current          the name of the folder that serves
index/NAME/vectors.faiss
index/NAME/columns.npz
index/NAME/index.json
"""

from __future__ import annotations

import shutil
import sys
import uuid
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from mapsi.artifacts import atomic_file, locked_file, read_json, write_json
from mapsi.catalog.filters import Filters
from mapsi.catalog.records import IndexRow
from mapsi.errors import ArtifactError
from mapsi.search.index import BoolArray, FlatIndex, IntArray, VectorIndex

FORMAT = 1
CURRENT = "current"
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
        before = current_name(root)
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
    index.write(folder / "vectors.faiss")
    named = {f"class:{axis}": values for axis, values in columns.classes.items()}
    np.savez(
        folder / "columns.npz",
        allow_pickle=False,
        **named,
        **{key: getattr(columns, key) for key in ("offer", "group", "price", "shop", "audience")},
    )
    write_json(folder / "index.json", {"format": FORMAT, "model": model, "generation": generation, "rows": index.size})
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
    """The name of the index that serves, ``None`` where none was built."""
    try:
        return (root / CURRENT).read_text("utf-8").strip() or None
    except FileNotFoundError:
        return None


def built_at(root: Path, name: str) -> datetime | None:
    """When the index of that name was built (UTC); ``None`` where it has been removed since."""
    try:
        return datetime.fromtimestamp((root / name / "index.json").stat().st_mtime, UTC)
    except FileNotFoundError:
        return None


def snapshot_models(root: Path) -> set[str]:
    """Fingerprints of the models that the indexes here were made with: the one that serves and the one before."""
    documents = (read_json(file, "The index of product pictures") for file in root.glob("*/index.json"))
    return {str(document["model"]) for document in documents}


def read_snapshot(root: Path, name: str) -> Snapshot:
    """Read an index; raises :class:`ArtifactError` where it is missing, damaged or of another version."""
    folder = root / name
    if not (folder / "index.json").is_file():
        raise ArtifactError(f"The index of product pictures, {folder}, is missing.", "Run `mapsi index build`.")
    document = read_json(folder / "index.json", "The index of product pictures")
    if document.get("format") != FORMAT:
        raise ArtifactError("The index of product pictures is of another version.", "Run `mapsi index build`.")
    try:
        with np.load(folder / "columns.npz", allow_pickle=False) as stored:
            classes = {key.removeprefix("class:"): stored[key] for key in stored.files if key.startswith("class:")}
            columns = Columns(
                stored["offer"], stored["group"], stored["price"], stored["shop"], stored["audience"], classes
            )
    except (OSError, ValueError, KeyError) as error:
        raise ArtifactError("The index of product pictures is damaged.", "Run `mapsi index build`.") from error
    index = FlatIndex.read(folder / "vectors.faiss")
    if index.size != len(columns.offer):
        raise ArtifactError("The index of product pictures is damaged.", "Run `mapsi index build`.")
    return Snapshot(name, str(document["model"]), int(document["generation"]), index, columns)
