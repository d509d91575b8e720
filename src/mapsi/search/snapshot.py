"""The index on disk: vectors and, row by row, what a search narrows down by. Built beside the old one, then switched.

index/current          the name of the folder that serves
index/NAME/vectors.faiss
index/NAME/columns.npz
index/NAME/index.json      what it was made with, and the digests of the files beside it

Where a database keeps the vectors, no file does.
"""

from __future__ import annotations

import re
import shutil
import uuid
import zipfile
from array import array
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mapsi.arrays import FloatArray, IntArray
from mapsi.artifacts import atomic_file, clear_place, file_digest, locked_file, read_json, read_short, write_json
from mapsi.batches import batched
from mapsi.catalog.records import IndexRow
from mapsi.errors import ArtifactError
from mapsi.search.cells import Cells, CodeArray, number
from mapsi.search.index import Batch, ClusteredIndex, FlatIndex, VectorDatabase, VectorIndex, engine_for, read_index

FORMAT = 2
CURRENT = "current"
VECTORS, COLUMNS, DOCUMENT = "vectors.faiss", "columns.npz", "index.json"
_NAME = re.compile(r"[0-9]{8,20}-[0-9a-f]{8}")
_MEND = "Run `mapsi index build`."
LOCK = "lock"
PATIENCE = 600.0
_BATCH = 2000
CODED = ("kind", "color", "audience")


@dataclass(frozen=True, slots=True)
class Coded:
    """A text a row, by number: row ``i`` holds ``values[codes[i]]``, an empty one where nothing is known."""

    codes: CodeArray
    values: tuple[str, ...]


@dataclass(frozen=True)
class IndexColumns:
    """One entry a row of the index: the offer, its group (equal numbers are variants of one product), and the kind, the
    colour family and the audience that its score looks at."""

    offer: IntArray
    group: IntArray
    kind: Coded
    color: Coded
    audience: Coded

    @cached_property
    def cells(self) -> Cells:
        """The rows by kind, colour and audience together."""
        return Cells.of(self.kind.codes, self.color.codes, self.audience.codes)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An index that serves. ``generation`` is the catalogue's when it was built."""

    name: str
    model: str
    generation: int
    index: VectorIndex
    columns: IndexColumns


class _Coding:
    """Numbers texts as they come."""

    def __init__(self) -> None:
        self._codes, self._numbers = array("h"), dict[str, int]()

    def add(self, text: str) -> None:
        self._codes.append(self._numbers.setdefault(text, len(self._numbers)))

    def last(self, count: int) -> array[int]:
        return self._codes[len(self._codes) - count :]

    def build(self) -> Coded:
        return Coded(np.array(self._codes, dtype=np.int16), tuple(self._numbers))


class ColumnsBuilder:
    """Takes offers one after the other and keeps numbers, and texts that many of them share."""

    def __init__(self) -> None:
        self._offer, self._group = array("q"), array("q")
        self._groups: dict[str, int] = {}
        self._kind, self._color, self._audience = _Coding(), _Coding(), _Coding()

    def add(self, offer: IndexRow) -> None:
        self._offer.append(offer.offer_id)
        self._group.append(self._groups.setdefault(offer.group, len(self._groups)))
        self._kind.add(offer.kind)
        self._color.add(offer.color)
        self._audience.add(offer.audience or "")

    def last_cells(self, count: int) -> IntArray:
        """The numbers of the cells of the offers that came last."""
        return number(*(coding.last(count) for coding in (self._kind, self._color, self._audience)))

    def build(self) -> IndexColumns:
        return IndexColumns(
            offer=np.array(self._offer, dtype=np.int64),
            group=np.array(self._group, dtype=np.int64),
            kind=self._kind.build(),
            color=self._color.build(),
            audience=self._audience.build(),
        )


class Written(NamedTuple):
    """An index's name, and how many ``rows`` it has."""

    name: str
    rows: int


def write_snapshot(
    root: Path,
    offers: Iterable[IndexRow],
    *,
    model: str,
    width: int,
    generation: int,
    database: VectorDatabase | None = None,
) -> Written:
    """Write an index of ``offers`` beside the one that serves and switch to it; its vectors go into the ``database``
    where there is one.

    ``offers`` are taken as they come: beside the index itself (2 bytes a number of a vector, unless a database takes
    them) about 200 bytes a row stay in memory. The index before stays until the next switch, for readers that are just
    opening it. Two processes that write at once take turns.
    """
    clear_place(root / LOCK)
    root.mkdir(parents=True, exist_ok=True)
    with locked_file(root / LOCK, seconds=PATIENCE) as free:
        if not free:
            raise ArtifactError("Another process is writing the index.", "Wait for it, then run `mapsi index build`.")
        about = {"model": model, "generation": generation, "width": width}
        written = _write_beside(root, offers, about, database)
        before = _name_before(root)
        if database is not None:
            database.lead_to(written.name)
        with atomic_file(root / CURRENT) as beside:
            beside.write_text(written.name, "utf-8")
        _remove_others(root, {written.name, before})
        if database is not None:
            database.drop_others({name for name in (written.name, before) if name is not None})
    return written


def _write_beside(
    root: Path, offers: Iterable[IndexRow], about: dict[str, Any], database: VectorDatabase | None
) -> Written:
    name = f"{about['generation']:08d}-{uuid.uuid4().hex[:8]}"
    folder = root / name
    folder.mkdir()
    if database is None:
        index, columns = gather(offers, about["width"])
        index.write(folder / VECTORS)
    else:
        builder = ColumnsBuilder()
        database.write(name, about["width"], _batches(offers, builder))
        columns = builder.build()
    coded = {name: getattr(columns, name) for name in CODED}
    codes = {name: column.codes for name, column in coded.items()}
    np.savez(folder / COLUMNS, allow_pickle=False, offer=columns.offer, group=columns.group, **codes)
    values = {name: list(column.values) for name, column in coded.items()}
    document = {"format": FORMAT, **about, "rows": len(columns.offer), "values": values}
    write_json(folder / DOCUMENT, document | {"sha256": _digests(folder)})
    return Written(name, len(columns.offer))


def gather(offers: Iterable[IndexRow], width: int) -> tuple[FlatIndex | ClusteredIndex, IndexColumns]:
    """Index and columns of ``offers``, which are let go batch by batch; ``width`` is their vectors'."""
    index, columns = FlatIndex.empty(width), ColumnsBuilder()
    for batch in _batches(offers, columns):
        index.add(batch.vectors)
    return engine_for(index), columns.build()


def _batches(offers: Iterable[IndexRow], columns: ColumnsBuilder) -> Iterator[Batch]:
    """The vectors of ``offers``, whose columns are gathered on the way."""
    for batch in batched(offers, _BATCH):
        for offer in batch:
            columns.add(offer)
        vectors: FloatArray = np.stack([offer.embedding for offer in batch]).astype(np.float32)
        yield Batch(vectors, columns.last_cells(len(batch)))


def _remove_others(root: Path, keep: set[str | None]) -> None:
    for folder in root.iterdir():
        if folder.is_dir() and folder.name not in keep:
            shutil.rmtree(folder, ignore_errors=True)


def current_name(root: Path) -> str | None:
    """The name of the index that serves, ``None`` where none was built; raises :class:`ArtifactError` where what is
    there is no name."""
    try:
        name = read_short(root / CURRENT).strip()
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
    """Fingerprints of the models that the indexes here were made with: the one that serves and the one before. A
    damaged one serves no more and names none."""
    found = set()
    for folder in root.iterdir():
        try:
            found.add(str(_read_document(folder)["model"]))
        except ArtifactError:
            continue
    return found


def read_snapshot(root: Path, name: str, database: VectorDatabase | None = None) -> Snapshot:
    """Read an index; raises :class:`ArtifactError` where it is missing, damaged or of another version. Of one whose
    vectors a database keeps, only the ``database`` knows whether they are there."""
    folder = root / name
    document = _read_document(folder)
    try:
        if _digests(folder) != document["sha256"]:
            raise _damaged(f"a file in {folder} is not the one that was written")
        columns = _read_columns(folder / COLUMNS, document["values"])
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        raise _damaged(str(folder)) from error
    index = _open_vectors(folder, document, columns, database)
    if index.size != len(columns.offer):
        raise _damaged(f"{folder} holds {index.size} vectors for {len(columns.offer)} offers")
    return Snapshot(name, str(document["model"]), int(document["generation"]), index, columns)


def _open_vectors(
    folder: Path, document: Mapping[str, Any], columns: IndexColumns, database: VectorDatabase | None
) -> VectorIndex:
    if VECTORS in document["sha256"]:
        return read_index(folder / VECTORS)
    if database is None:
        raise ArtifactError(
            "The vectors of the index of product pictures lie in a database that is not set.",
            f"Set MAPSI_INDEX_URL, or keep them in files: {_MEND.lower()}",
        )
    return database.open(folder.name, int(document["width"]), columns.cells)


def _read_document(folder: Path) -> dict[str, Any]:
    if not (folder / DOCUMENT).is_file():
        raise ArtifactError(f"The index of product pictures, {folder}, is missing.", _MEND)
    try:
        document = read_json(folder / DOCUMENT, "The index of product pictures")
    except ArtifactError as error:
        raise _damaged(str(folder / DOCUMENT)) from error
    if not isinstance(document, dict) or not isinstance(document.get("format"), int):
        raise _damaged(f"{folder / DOCUMENT} says nothing about an index")
    if document["format"] != FORMAT:
        raise ArtifactError("The index of product pictures is of another version.", _MEND)
    if not (isinstance(document.get("model"), str) and isinstance(document.get("generation"), int)):
        raise _damaged(f"{folder / DOCUMENT} lacks an entry")
    return document


def _read_columns(file: Path, values: Mapping[str, Iterable[str]]) -> IndexColumns:
    with np.load(file, allow_pickle=False) as stored:
        coded = {key: _coded(stored[key], values[key]) for key in CODED}
        return IndexColumns(offer=stored["offer"], group=stored["group"], **coded)


def _coded(codes: CodeArray, values: Iterable[str]) -> Coded:
    column = Coded(codes, tuple(map(str, values)))
    if len(codes) and not 0 <= int(codes.min()) <= int(codes.max()) < len(column.values):
        raise ValueError("a code without a value")
    return column


def _digests(folder: Path) -> dict[str, str]:
    """Half a second for a gigabyte, once an index: a flipped bit in a vector or a code would be seen by nothing
    else."""
    return {name: file_digest(folder / name) for name in (VECTORS, COLUMNS) if (folder / name).exists()}


def _damaged(what: str) -> ArtifactError:
    return ArtifactError(f"The index of product pictures is damaged: {what}.", _MEND)
