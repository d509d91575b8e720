"""Locks between processes that fall open by themselves when their holder is killed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import Connection, text

from mapsi.artifacts import locked_file
from mapsi.catalog.database import Database


@contextmanager
def exclusive(database: Database, connection: Connection, name: str, *, seconds: int = 0) -> Iterator[bool]:
    """Hold the lock ``name`` of this database; gives False where another holds it for longer than ``seconds``.

    On MariaDB the lock belongs to ``connection``, on SQLite to an open file beside the database: the operating system
    lets go of either when the process ends, however it ends.
    """
    with ExitStack() as held:
        if database.kind == "sqlite":
            yield held.enter_context(locked_file(_lock_file(database.file, name), seconds=seconds))
        else:
            yield held.enter_context(_named_lock(connection, f"{database.engine.url.database}/{name}", seconds))


def _lock_file(file: Path, name: str) -> Path:
    return file.with_name(f".{file.name}.{_short(name)}.lock")


def _short(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


@contextmanager
def _named_lock(connection: Connection, name: str, seconds: int) -> Iterator[bool]:
    key = f"mapsi.{_short(name)}"
    with connection.begin():
        got = connection.scalar(text("SELECT GET_LOCK(:key, :seconds)"), {"key": key, "seconds": seconds}) == 1
    try:
        yield got
    finally:
        if got and not connection.closed and not connection.invalidated:
            with connection.begin():
                connection.execute(text("SELECT RELEASE_LOCK(:key)"), {"key": key})
