"""What a database and its driver raise -> a sentence that says what to do."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from mapsi.errors import CatalogError

_REFUSALS = (DatabaseError, InterfaceError, PoolTimeoutError)
_MISTAKES = (IntegrityError, DataError)

SILENT = (
    "The database server does not answer.",
    "Check that it is running, and the host and port in MAPSI_DATABASE_URL.",
)
_SCHEMA = ("The catalogue's schema is missing or wrong.", "Run `mapsi catalog migrate`.")
_BUSY = ("The database was busy for too long.", "Try again in a moment.")
_CUT = ("The database ended the connection.", "Try again; if it keeps happening, see its log and its time limits.")

_BY_MYSQL_CODE = {
    1021: ("The disk of the database is full.", "Make room and try again."),
    1040: ("The database has no connection left.", "Raise its max_connections, or lower MAPSI_THREADS."),
    1044: ("The user has no access to this database.", "Grant it all rights on the database."),
    1045: ("The database refused the user or the password.", "Check both in MAPSI_DATABASE_URL."),
    1046: ("The address names no database on the server.", "Write its name at the end of MAPSI_DATABASE_URL."),
    1049: ("There is no such database on the server.", "Create it: CREATE DATABASE name CHARACTER SET utf8mb4."),
    1054: _SCHEMA,
    1114: ("The disk of the database is full.", "Make room and try again."),
    1130: (
        "The database accepts no connections from this machine.",
        "Allow the user from here: CREATE USER name@host.",
    ),
    1142: ("The user lacks a permission on the database.", "Grant it all rights on the database."),
    1146: _SCHEMA,
    1205: _BUSY,
    1213: _BUSY,
    1290: ("The database is read-only.", "Start it without its read-only option."),
    1836: ("The database is read-only.", "Start it without its read-only option."),
    2003: SILENT,
    2006: _CUT,
    2013: SILENT,
    2026: ("The database and this machine cannot agree on TLS.", "Check ssl_mode and ssl_ca in MAPSI_DATABASE_URL."),
    4031: _CUT,
}

_BY_SQLITE_TEXT = {
    "no such table": _SCHEMA,
    "no such column": _SCHEMA,
    "locked": _BUSY,
    "unable to open": ("The catalogue's file cannot be opened.", "Check the path and its permissions."),
    "readonly": ("The catalogue's file is read-only.", "Check the permissions of the file and its folder."),
    "not a database": ("The catalogue's file is not an SQLite database.", "Name another file."),
    "malformed": ("The catalogue's file is damaged.", "Restore a copy, or import the feeds into a new file."),
    "full": ("The disk is full.", "Make room and try again."),
    "disk I/O error": ("The catalogue's file cannot be read or written.", "Check its disk, and whether it is full."),
}


@contextmanager
def translated() -> Iterator[None]:
    """Turn a database that refuses into a :class:`CatalogError`; mistakes in what was written stay what they are."""
    try:
        yield
    except _MISTAKES:
        raise
    except _REFUSALS as error:
        raise explain(error) from error


@contextmanager
def translated_at_the_door() -> Iterator[None]:
    """The same while a connection is made: there, whatever the driver raises has to do with the address or the server.
    It raises bare classes for some, ``RuntimeError`` for a missing library, ``ValueError`` for a damaged key."""
    try:
        with translated():
            yield
    except CatalogError:
        raise
    except Exception as error:
        raise explain(error) from error


def explain(error: Exception) -> CatalogError:
    """The sentence for what a driver raised; where there is none, its own words."""
    cause = getattr(error, "orig", None) or error
    found = _known(cause)
    if found is None:
        found = ("The catalogue's database cannot be used.", f"It says: {str(cause)[:300]}")
    return CatalogError(*found)


def is_silence(error: CatalogError) -> bool:
    """Whether the server was waited for in vain."""
    return error.message == SILENT[0]


def _known(cause: BaseException) -> tuple[str, str] | None:
    if isinstance(cause, sqlite3.Error):
        return next((said for text, said in _BY_SQLITE_TEXT.items() if text in str(cause)), None)
    if isinstance(cause, OSError):
        return SILENT
    code = cause.args[0] if cause.args else None
    return _BY_MYSQL_CODE.get(code) if isinstance(code, int) else None
