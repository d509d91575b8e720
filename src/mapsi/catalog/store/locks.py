"""Locks between processes that fall open by themselves when their holder is killed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sqlalchemy import Connection, text

from mapsi.artifacts import locked_file
from mapsi.catalog.store.database import Database
from mapsi.errors import BusyError

PATIENCE = 2
"""Seconds to wait for another run of the shop: a look at the lock, or a sweep, is over by then."""

_SWITCH_SECONDS = 3600


@contextmanager
def shop_lock(database: Database, connection: Connection, shop: str, *, seconds: int = 0) -> Iterator[bool]:
    """Hold the lock under which the offers of one shop (its slug) change; returns False where another holds it."""
    with exclusive(database, connection, f"import/{shop}", seconds=seconds) as free:
        yield free


@contextmanager
def switch_lock(database: Database, connection: Connection) -> Iterator[None]:
    """Take turns with the switches of other shops; raises :class:`BusyError` where they do not end.

    SQLite has one writer anyway; on MariaDB it spares deadlocks and lets a switch number its new offers itself.
    """
    with exclusive(database, connection, "switch", seconds=_SWITCH_SECONDS) as free:
        if not free:
            raise BusyError("Another import has been taking over its feed for too long.", "Try again later.")
        yield


@contextmanager
def exclusive(database: Database, connection: Connection, name: str, *, seconds: int = 0) -> Iterator[bool]:
    """Hold the lock ``name`` of this database; returns False where another holds it for longer than ``seconds``.

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
