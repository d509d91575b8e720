"""Photos that you already have: a folder ``CLASS/*.jpg`` (``folder:PATH``), a list of addresses
(``addresses:FILE``)."""

from __future__ import annotations

import csv
import difflib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mapsi.collect.source import Found, Query
from mapsi.collect.sources.entries import address_of, plain_text
from mapsi.collect.sources.parts import SourceParts
from mapsi.dataset.photos import labelled_twice, read_labels, row_key
from mapsi.encodings import decode
from mapsi.errors import ArtifactError, UsageError
from mapsi.file_names import OnDisk, composed
from mapsi.photo_folders import class_folders, passed_over, photo_files
from mapsi.tables import DELIMITERS, column_names, read_small_table
from mapsi.taxonomy import Axis

_COLUMNS = ("class", "address")
_HINT = "A line is CLASS and ADDRESS with a space between, or the file is CSV with the columns class and address."


class OwnFolder:
    """Photos in ``folder/CLASS``, by name. ``labels.csv`` beside the classes may tell ``sender``, ``page`` and
    ``licence`` by ``path``."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder).expanduser()
        if not folder or not self._folder.is_dir():
            raise UsageError(
                f"The source folder:{folder} is not a folder.", "Write folder:PATH; it should hold CLASS/*.jpg."
            )
        labels = self._folder / "labels.csv"
        self._rows = read_labels(labels) if labels.exists() else {}
        self._twice = labelled_twice(labels) if labels.exists() else []

    @property
    def name(self) -> str:
        return "folder"

    def search(self, query: Query) -> Iterator[Found]:
        """All photos of the query's class; its words do not matter."""
        of_class = OnDisk().find(self._folder / query.cls.slug)
        files = photo_files(of_class) if of_class.is_dir() else []
        for rank, file in enumerate(files, start=1):
            row = self._rows.get(row_key(f"{query.cls.slug}/{file.name}"), {})
            yield Found(
                address=str(file.resolve()),
                rank=rank,
                page=address_of(row.get("page")),
                creator=plain_text(row.get("sender")),
                licence=plain_text(row.get("licence")),
                local=True,
            )

    def remarks(self, axis: Axis) -> list[str]:
        """Sentences on what lies in the folder and belongs to no class of the axis."""
        names = (composed(folder.name) for folder in class_folders(self._folder))
        unknown = [f"The folder {_unknown(name, axis)}" for name in names if name not in axis.by_slug]
        twice = [f"labels.csv has several rows for {path}; the last one counts." for path in self._twice]
        return unknown + twice + passed_over(self._folder)


class AddressList:
    """Photos at addresses that a file lists by class.

    CSV with a header line (``class``, ``address``; ``page``, ``title``, ``creator``, ``licence``, ``licence_address``
    where known), or plain lines ``CLASS ADDRESS``; empty lines and lines that begin with ``#`` are skipped.
    """

    def __init__(self, file: str) -> None:
        self._by_class = _read_list(OnDisk().find(Path(file).expanduser()))

    @property
    def name(self) -> str:
        return "addresses"

    def search(self, query: Query) -> Iterator[Found]:
        """All photos of the query's class; its words do not matter."""
        for rank, row in enumerate(self._by_class.get(query.cls.slug, []), start=1):
            yield Found(
                address=row["address"],
                rank=rank,
                page=address_of(row.get("page")),
                title=plain_text(row.get("title")),
                creator=plain_text(row.get("creator")),
                licence=plain_text(row.get("licence")),
                licence_address=address_of(row.get("licence_address")),
            )

    def remarks(self, axis: Axis) -> list[str]:
        """Sentences on the lines that no class of the axis asks for."""
        return [
            f"{len(rows)} {'line' if len(rows) == 1 else 'lines'} skipped: {_unknown(name, axis)}"
            for name, rows in self._by_class.items()
            if name not in axis.by_slug
        ]


def _read_list(file: Path) -> Mapping[str, list[Mapping[str, str]]]:
    try:
        lines = decode(file.read_bytes()).splitlines()
        head = {name for mark in DELIMITERS for line in lines[:2] for name in column_names(line, mark)}
        rows = read_small_table(file, _COLUMNS) if head.issuperset(_COLUMNS) else _plain_rows(lines)
        by_class: dict[str, list[Mapping[str, str]]] = defaultdict(list)
        for number, row in rows:
            if not row["class"] or not row["address"]:
                raise ArtifactError(
                    f"The list of addresses {file}, line {number}, names no class or no address.", _HINT
                )
            by_class[row["class"]].append(row)
    except (OSError, UnicodeError, csv.Error) as error:
        raise ArtifactError(f"The list of addresses {file} cannot be read: {error}.", _HINT) from error
    return by_class


def _plain_rows(lines: list[str]) -> Iterable[tuple[int, Mapping[str, str]]]:
    """(line number, fields) of the lines that say something."""
    for number, line in enumerate(lines, start=1):
        if line.strip("\ufeff \t") and not line.lstrip("\ufeff \t").startswith("#"):
            slug, _, address = line.strip("\ufeff \t").partition(" ")
            yield number, {"class": slug, "address": address.strip()}


def _unknown(name: str, axis: Axis) -> str:
    """That an axis has no such class, and which one may be meant."""
    meant = difflib.get_close_matches(name.casefold(), axis.by_slug, n=1, cutoff=0.7)
    return f"{name} is not a class of {axis.slug}" + (f"; is {meant[0]} meant?" if meant else ".")


def build_folder(folder: str, _: SourceParts) -> OwnFolder:
    """The source ``folder:PATH``."""
    return OwnFolder(folder)


def build_addresses(file: str, _: SourceParts) -> AddressList:
    """The source ``addresses:FILE``."""
    return AddressList(file)
