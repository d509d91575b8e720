"""Photos that one has already: a folder ``CLASS/*.jpg`` (``folder:PATH``), a list of addresses (``addresses:FILE``)."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from mapsi.collect.entries import address_of, plain_text
from mapsi.collect.source import Found, Query
from mapsi.collect.workshop import Workshop
from mapsi.dataset.photos import photo_files, read_labels
from mapsi.errors import ArtifactError, UsageError

_COLUMNS = ("class", "address")
_HINT = "A line is CLASS and ADDRESS with a blank between, or the file is CSV with the columns class and address."


class OwnFolder:
    """Photos in ``folder/CLASS``, by name. ``labels.csv`` beside the classes may tell ``sender``, ``page`` and ``licence``
    by ``path``."""

    def __init__(self, folder: str) -> None:
        self._folder = Path(folder).expanduser()
        if not folder or not self._folder.is_dir():
            raise UsageError(
                f"The source folder:{folder} is no folder.", "Write folder:PATH; it should hold CLASS/*.jpg."
            )
        labels = self._folder / "labels.csv"
        self._rows = read_labels(labels) if labels.exists() else {}

    @property
    def name(self) -> str:
        return "folder"

    def search(self, query: Query) -> Iterator[Found]:
        """All photos of the query's class; its words do not matter."""
        of_class = self._folder / query.cls.slug
        files = photo_files(of_class) if of_class.is_dir() else []
        for rank, file in enumerate(files, start=1):
            row = self._rows.get(f"{query.cls.slug}/{file.name}", {})
            yield Found(
                address=str(file.resolve()),
                rank=rank,
                page=address_of(row.get("page")),
                creator=plain_text(row.get("sender")),
                licence=plain_text(row.get("licence")),
                local=True,
            )


class AddressList:
    """Photos at addresses that a file lists by class.

    CSV with a head line (``class``, ``address``; ``page``, ``title``, ``creator``, ``licence``, ``licence_address`` where
    known), or plain lines ``CLASS ADDRESS``; empty lines and lines that begin with ``#`` are passed over.
    """

    def __init__(self, file: str) -> None:
        self._by_class = _read_list(Path(file).expanduser())

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


def _read_list(file: Path) -> Mapping[str, list[Mapping[str, str]]]:
    try:
        lines = file.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ArtifactError(f"The list of addresses {file} cannot be read: {error}.", _HINT) from error
    head = next(csv.reader(lines[:1]), [])
    by_class: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    for number, row in _rows(lines, csv_head=set(_COLUMNS) <= set(head)):
        if not row["class"] or not row["address"]:
            raise ArtifactError(f"The list of addresses {file}, line {number}, names no class or no address.", _HINT)
        by_class[row["class"]].append(row)
    return by_class


def _rows(lines: list[str], *, csv_head: bool) -> Iterable[tuple[int, dict[str, str]]]:
    """(line number, fields) of the lines that say something."""
    if csv_head:
        reader = csv.DictReader(lines, restval="")
        for row in reader:
            yield reader.line_num, {name: text.strip() for name, text in row.items() if name and isinstance(text, str)}
        return
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            slug, _, address = line.strip().partition(" ")
            yield number, {"class": slug, "address": address.strip()}


def build_folder(folder: str, _: Workshop) -> OwnFolder:
    """The source ``folder:PATH``."""
    return OwnFolder(folder)


def build_addresses(file: str, _: Workshop) -> AddressList:
    """The source ``addresses:FILE``."""
    return AddressList(file)
