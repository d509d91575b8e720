"""A shop -> one file, while it is served."""

from __future__ import annotations

import gzip
import json
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO

from mapsi.artifacts import atomic_file, stream_digest
from mapsi.backup.contents import KEPT_FILES, KEPT_FOLDERS, LIST, TABLE_ENDING, TABLES, Contents
from mapsi.catalog import Catalog
from mapsi.catalog.operations.snapshots import CatalogSnapshot
from mapsi.file_names import is_leftover, is_text
from mapsi.progress import Advance, no_advance

_DAY = 86400.0


def take_backup(
    catalog: Catalog, home: Path, target: Path, about: Contents, progress: Advance = no_advance
) -> Contents:
    """Write a backup of the catalogue and of what ``home`` keeps to ``target``, readable by its owner alone, whole or
    not at all; returns what lies in it. ``about`` says where it comes from; its revision and members are filled in.

    The tables are of one moment. Files come after them: a picture that is known was written before its row, and is
    never written again. Raises :class:`CatalogError` where the database does, :class:`OSError` where the disk does.
    """
    with atomic_file(target, mode=0o600) as beside, tarfile.open(beside, "w", format=tarfile.PAX_FORMAT) as archive:
        writer = _Writer(archive, beside.parent, progress)
        with catalog.snapshots.taken() as snapshot:
            for table in snapshot.tables:
                writer.add_table(snapshot, table)
        for file in _kept_files(home):
            writer.add_file(file, file.relative_to(home).as_posix())
        contents = replace(about, revision=snapshot.revision, members=writer.members)
        writer.add_list(contents)
    return contents


def _kept_files(home: Path) -> Iterator[Path]:
    """Whole files; what is just being written has a name that begins with a dot, as leavings of systems do."""
    found = [*(home / name for name in KEPT_FILES)]
    for name in KEPT_FOLDERS:
        found += sorted((home / name).rglob("*"))
    for file in found:
        parts = file.relative_to(home).parts
        if all(is_text(part) and not is_leftover(part) for part in parts) and file.is_file():
            yield file


def clear_unfinished(folder: Path) -> None:
    """Remove what backups under a name by date left in ``folder`` whose process was killed a day ago or longer."""
    for file in folder.glob(".mapsi-????????-??????.tar.*"):
        with suppress(OSError):
            if time.time() - file.stat().st_mtime > _DAY:
                file.unlink()


class _Writer:
    """Adds members and notes their digests."""

    def __init__(self, archive: tarfile.TarFile, scratch: Path, progress: Advance) -> None:
        self._archive = archive
        self._scratch = scratch
        self._progress = progress
        self.members: dict[str, str] = {}

    def add_table(self, snapshot: CatalogSnapshot, table: str) -> None:
        with tempfile.TemporaryFile(dir=self._scratch) as packed:
            with gzip.open(packed, "wt", compresslevel=3, encoding="utf-8") as lines:
                lines.write(json.dumps(snapshot.columns(table)) + "\n")
                for values in snapshot.rows(table):
                    lines.write(json.dumps(values, ensure_ascii=False) + "\n")
            self._add(packed, f"{TABLES}{table}{TABLE_ENDING}")

    def add_file(self, file: Path, name: str) -> None:
        try:
            opened = file.open("rb")
        except FileNotFoundError:  # a picture that was just pruned
            return
        with opened:
            self._add(opened, name)

    def add_list(self, contents: Contents) -> None:
        with tempfile.TemporaryFile(dir=self._scratch) as written:
            written.write(json.dumps(contents.to_json(), ensure_ascii=False, indent=1).encode())
            self._add(written, LIST)

    def _add(self, opened: IO[bytes], name: str) -> None:
        opened.seek(0)
        self.members[name] = stream_digest(opened)
        member = tarfile.TarInfo(name)
        member.size = opened.tell()
        member.mode = 0o600
        opened.seek(0)
        self._archive.addfile(member, opened)
        self._progress(1)
