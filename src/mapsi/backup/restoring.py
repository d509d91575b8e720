"""One file -> a shop, in an empty home."""

from __future__ import annotations

import gzip
import json
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, Any

from mapsi.artifacts import atomic_file, stream_digest
from mapsi.backup.contents import DERIVED, KEPT, LIST, TABLE_ENDING, TABLES, Contents, damaged
from mapsi.catalog import Catalog
from mapsi.errors import ArtifactError
from mapsi.progress import Advance, no_advance

_UNREADABLE = (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error, ValueError)


def check_backup(file: Path, progress: Advance = no_advance) -> Contents:
    """Read a backup through to its end and compare every member with the list that lies in it; returns the list.

    Raises :class:`ArtifactError` where anything is missing, more than listed, or not as it was written.
    """
    with _opened(file) as archive:
        found = {}
        for member in archive:
            progress(1)
            if member.name == LIST:
                contents = Contents.from_json(json.load(_stream(archive, member)), file)
                break
            found[member.name] = stream_digest(_stream(archive, member))
        else:
            raise damaged(file, "its end is missing")
    if found != contents.members:
        wrong = sorted(set(found.items()) ^ set(contents.members.items()))[0][0]
        raise damaged(file, f"{wrong} is not what was written")
    strange = [name for name in found if not _may_be_written(name)]
    if strange:
        raise damaged(file, f"{strange[0]!r} is not a file of a shop")
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
        for member in archive:
            progress(1)
            if member.name != LIST and not member.name.startswith(TABLES):
                _write(archive, member, home)
    with _opened(file) as archive:
        return catalog.snapshots.put_back(contents.revision, _tables(archive))


def _may_be_written(name: str) -> bool:
    path = PurePosixPath(name)
    return ".." not in path.parts and (path.parts[0] in KEPT or name.startswith(TABLES))


def _write(archive: tarfile.TarFile, member: tarfile.TarInfo, home: Path) -> None:
    target = home / member.name
    with atomic_file(target, mode=0o600 if target.parent == home else 0o644) as beside, beside.open("wb") as out:
        shutil.copyfileobj(_stream(archive, member), out)


def _tables(archive: tarfile.TarFile) -> Iterator[tuple[str, list[str], Iterator[list[Any]]]]:
    for member in archive:
        if member.name.startswith(TABLES):
            with gzip.open(_stream(archive, member), "rt", encoding="utf-8") as lines:
                name = member.name.removeprefix(TABLES).removesuffix(TABLE_ENDING)
                yield name, json.loads(next(lines)), (json.loads(line) for line in lines)


def _stream(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    stream = archive.extractfile(member) if member.isfile() else None
    if stream is None:
        raise tarfile.ReadError(f"{member.name} is not a file")
    return stream


@contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        stream = file.open("rb")
    except OSError as error:
        raise ArtifactError(f"The backup {file} cannot be read: {error.strerror}.", "Check its path.") from error
    with stream:
        try:
            with tarfile.open(fileobj=stream, mode="r:") as archive:
                yield archive
        except _UNREADABLE as error:
            raise damaged(file, f"{error}") from error
