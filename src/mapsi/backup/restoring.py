"""One file -> a shop, in an empty home."""

from __future__ import annotations

import errno
import gzip
import json
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any, Never

from mapsi.artifacts import atomic_file, stream_digest
from mapsi.backup.contents import DERIVED, KEPT_FILES, KEPT_FOLDERS, LIST, TABLE_ENDING, TABLES, Contents, damaged
from mapsi.catalog import Catalog
from mapsi.errors import ArtifactError
from mapsi.progress import Advance, no_advance

_UNREADABLE = (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error, ValueError, RecursionError)
LONGEST_ROW = 64 << 20
"""Letters of a row: more than any database takes at once, so that a packed line without end takes no memory."""


def check_backup(file: Path, progress: Advance = no_advance) -> Contents:
    """Read a backup through to its end and compare every member with the list that lies in it; returns the list.

    Raises :class:`ArtifactError` where anything is missing, more than listed, or not as it was written.
    """
    with _opened(file) as archive:
        found: dict[str, str] = {}
        contents = None
        for member in _members(archive):
            progress(1)
            if contents is not None or member.name in found:
                raise damaged(file, f"{member.name!a} is there twice or behind its list of contents")
            if member.name == LIST:
                contents = Contents.from_json(json.load(_stream(archive, member)), file)
            elif _may_be_written(member.name):
                found[member.name] = stream_digest(_stream(archive, member))
            else:
                raise damaged(file, f"{member.name!a} is not a file of a shop")
    if contents is None:
        raise damaged(file, "its end is missing")
    if found != contents.members:
        wrong = sorted(set(found.items()) ^ set(contents.members.items()))[0][0]
        raise damaged(file, f"{wrong!a} is not what was written")
    return contents


def restore(catalog: Catalog, home: Path, file: Path, contents: Contents, progress: Advance = no_advance) -> int:
    """Fill an empty home and catalogue with a checked backup; returns the number of rows.

    The rows come last and all at once: a restore that is killed is simply run again. What was derived from an earlier
    catalogue in ``home`` is removed. Raises :class:`UsageError` where the catalogue is not empty.
    """
    catalog.snapshots.refuse_unless_empty()
    for name in DERIVED:
        shutil.rmtree(home / name, ignore_errors=True)
    with _opened(file) as archive:
        for member in _members(archive):
            progress(1)
            if member.name != LIST and not member.name.startswith(TABLES):
                _write(archive, member, home)
    with _opened(file) as archive:
        return catalog.snapshots.put_back(contents.revision, _tables(archive))


def _may_be_written(name: str) -> bool:
    parts = PurePosixPath(name).parts
    if not parts or name != "/".join(parts) or any(part.startswith(".") for part in parts):
        return False
    if name.startswith(TABLES):
        return len(parts) == 2 and name.endswith(TABLE_ENDING)
    return name in KEPT_FILES or (parts[0] in KEPT_FOLDERS and len(parts) > 1)


def _members(archive: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
    """The members, one behind the other: a header can say that the next one lies before it, and so on for ever."""
    end = 0
    for member in archive:
        if member.offset < end or member.size < 0:
            raise tarfile.ReadError("its parts lie within each other")
        end = member.offset_data
        yield member


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, home: Path) -> None:
    target = home / member.name
    with atomic_file(target, mode=0o600 if target.parent == home else 0o644) as beside, beside.open("wb") as out:
        shutil.copyfileobj(_stream(archive, member), out)


def _tables(archive: tarfile.TarFile) -> Iterator[tuple[str, list[str], Iterator[list[Any]]]]:
    for member in _members(archive):
        if member.name.startswith(TABLES):
            with gzip.open(_stream(archive, member), "rt", encoding="utf-8") as lines:
                name, rows = member.name.removeprefix(TABLES).removesuffix(TABLE_ENDING), _rows(lines)
                yield name, next(rows, []) or _no_columns(name), rows


def _no_columns(table: str) -> Never:
    raise ValueError(f"the table {table} names no columns")


def _rows(lines: IO[str]) -> Iterator[list[Any]]:
    while line := lines.readline(LONGEST_ROW):
        if len(line) == LONGEST_ROW:
            raise ValueError("a row has no end")
        row = json.loads(line)
        if not isinstance(row, list):
            raise ValueError("a row is none")  # noqa: TRY004 - of a file's content
        yield row


def _stream(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    stream = archive.extractfile(member) if member.isreg() and not member.issparse() else None
    if stream is None:
        raise tarfile.ReadError(f"{member.name!a} is not a file")
    return stream


@contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        if file.exists() and not file.is_file():
            raise FileNotFoundError(errno.ENOENT, "It is no file")
        stream = file.open("rb")
    except OSError as error:
        raise ArtifactError(f"The backup {file} cannot be read: {error.strerror}.", "Check its path.") from error
    with stream:
        try:
            with tarfile.open(fileobj=stream, mode="r:") as archive:
                yield archive
        except _UNREADABLE as error:
            raise damaged(file, f"{error}") from error
