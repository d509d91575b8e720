"""The index on disk: vectors and, row by row, what a search narrows down by. Built beside the old one, then switched.

index/current          the name of the folder that serves
index/NAME/vectors.faiss
index/NAME/columns.npz
index/NAME/index.json
"""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

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


def columns_of(offers: Sequence[IndexRow], axes: Iterable[str]) -> Columns:
    """Columns of offers, in their order; classes on other axes than ``axes`` are left out."""
    groups: dict[str, int] = {}
    numbers = [groups.setdefault(o.group, len(groups)) for o in offers]
    return Columns(
        offer=np.array([o.offer_id for o in offers], dtype=np.int64),
        group=np.array(numbers, dtype=np.int64),
        price=np.array([float(o.lowest_price) for o in offers], dtype=np.float64),
        shop=np.array([o.shop for o in offers], dtype=np.str_),
        audience=np.array([o.audience or "" for o in offers], dtype=np.str_),
        classes={axis: np.array([o.classes.get(axis, "") for o in offers], dtype=np.str_) for axis in axes},
    )


def write_snapshot(
    root: Path, offers: Sequence[IndexRow], *, model: str, width: int, generation: int, axes: Iterable[str]
) -> str:
    """Write an index of ``offers`` beside the one that serves and switch to it; returns its name.

    The one before stays until the next switch, for readers that are just opening it. Two processes that write at once
    take turns.
    """
    root.mkdir(parents=True, exist_ok=True)
    with locked_file(root / LOCK, seconds=PATIENCE) as free:
        if not free:
            raise ArtifactError("Another process is writing the index.", "Wait for it, then run `mapsi index build`.")
        name = _write_beside(root, offers, model=model, width=width, generation=generation, axes=axes)
        before = current_name(root)
        with atomic_file(root / CURRENT) as beside:
            beside.write_text(name, "utf-8")
        _remove_others(root, {name, before})
    return name


def _write_beside(
    root: Path, offers: Sequence[IndexRow], *, model: str, width: int, generation: int, axes: Iterable[str]
) -> str:
    name = f"{generation:08d}-{uuid.uuid4().hex[:8]}"
    folder = root / name
    folder.mkdir()
    vectors = np.stack([o.embedding for o in offers]).astype(np.float32) if offers else np.zeros((0, width), np.float32)
    FlatIndex.build(vectors).write(folder / "vectors.faiss")
    columns = columns_of(offers, axes)
    named = {f"class:{axis}": values for axis, values in columns.classes.items()}
    np.savez(
        folder / "columns.npz",
        allow_pickle=False,
        **named,
        **{key: getattr(columns, key) for key in ("offer", "group", "price", "shop", "audience")},
    )
    write_json(folder / "index.json", {"format": FORMAT, "model": model, "generation": generation, "rows": len(offers)})
    return name


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
