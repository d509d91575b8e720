"""Connections to a SQLite file, also where its disk is full or may only be read."""

from __future__ import annotations

import logging
import sqlite3
import tempfile
from pathlib import Path
from urllib.parse import quote

_log = logging.getLogger(__name__)
_HOLDS_OTHERS = "SELECT COUNT(*) > 0 AND SUM(name = 'alembic_version') = 0 FROM sqlite_schema"


def connect_sqlite(file: Path, lock_seconds: float) -> sqlite3.Connection:
    """A connection that waits ``lock_seconds`` for another's write lock.

    Readers beside a writer (WAL) need a file beside the database to agree by. Where none can be made, nobody can write
    either: the database is read as it stands, without the changes that a crash may have left beside it.
    """
    try:
        return _prepare(sqlite3.connect(file, timeout=lock_seconds, check_same_thread=False))
    except sqlite3.OperationalError as error:
        if not file.is_file() or not file.stat().st_size or _takes_files(file.parent):
            raise
        _log.warning("%s can only be read: %s.", file, error)
        still = f"file:{quote(str(file.absolute()))}?immutable=1"
        return _prepare(sqlite3.connect(still, uri=True, check_same_thread=False), wal=False)


def _prepare(raw: sqlite3.Connection, *, wal: bool = True) -> sqlite3.Connection:
    raw.isolation_level = None  # Python's own BEGIN comes late and only before writing; ours is said instead.
    try:
        raw.execute("PRAGMA foreign_keys=ON")
        if raw.execute(_HOLDS_OTHERS).fetchone()[0] or not wal:
            return raw  # another program's file keeps its ways, and is refused by the migration
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL"):
            raw.execute(f"PRAGMA {pragma}")
        raw.execute("SELECT COUNT(*) FROM sqlite_schema")
    except sqlite3.Error:
        raw.close()
        raise
    return raw


def _takes_files(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"\0" * 65536)
            probe.flush()
    except OSError:
        return False
    return True
