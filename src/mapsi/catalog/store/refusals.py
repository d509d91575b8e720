"""What a database and its driver raise -> a sentence that says what to do."""

from __future__ import annotations

import socket
import sqlite3
import ssl
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DatabaseError, DataError, IntegrityError, InterfaceError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from mapsi.errors import CatalogAwayError, CatalogError

_REFUSALS = (DatabaseError, InterfaceError, PoolTimeoutError)
_MISTAKES = (IntegrityError, DataError)

SILENT = (
    "The database server does not answer.",
    "Check that it is running, and the host and port in MAPSI_DATABASE_URL.",
)
UNKNOWN_HOST = (
    "Nobody knows the name of the database's host.",
    "Check the host in MAPSI_DATABASE_URL, and whether this machine can look up names.",
)
_NO_SOCKET = (
    "There is no socket of the database.",
    "Check that the server is running, and the path after unix_socket= in MAPSI_DATABASE_URL.",
)
_SHUT_SOCKET = (
    "The socket of the database may not be opened.",
    "Check the path after unix_socket= in MAPSI_DATABASE_URL, and who may open it.",
)
_UNTRUSTED = (
    "The database's certificate is not trusted.",
    "Check that ssl_ca in MAPSI_DATABASE_URL is the authority that signed it, and that it names the host.",
)
_NO_TLS = ("The database and this machine cannot agree on TLS.", "Check ssl_mode and ssl_ca in MAPSI_DATABASE_URL.")
_FULL = ("The disk of the database is full.", "Make room and try again.")
_READ_ONLY = ("The database is read-only.", "Start it without its read-only option.")
_NOT_ADMITTED = (
    "The database refused the user or the password.",
    "Check both in MAPSI_DATABASE_URL; a user who may come over TLS only needs ssl_mode=required.",
)
_NOT_ALLOWED = ("The user lacks a permission on the database.", "Grant it all rights on the database.")
_EXPIRED = ("The password of the database's user has expired.", "Set a new one: ALTER USER name IDENTIFIED BY ...")
_LOCKED = ("The account of the database's user is locked.", "Unlock it: ALTER USER name ACCOUNT UNLOCK.")
_SPENT = (
    "The database's user has come or asked too often.",
    "Raise its limits on the server: ALTER USER name WITH ...",
)
_TOO_LONG = ("A question took the database too long.", "Try again; if it keeps happening, see what else it works on.")
_SCHEMA = ("The catalogue's schema is missing or wrong.", "Run `mapsi catalog migrate`.")
_BUSY = ("The database was busy for too long.", "Try again in a moment.")
_CROWDED = ("The database has no connection left.", "Raise its max_connections, or lower MAPSI_THREADS.")
_NOT_READY = (
    "The database is not ready for questions.",
    "Wait until it has joined its cluster, or left its offline mode.",
)
_CUT = ("The database ended the connection.", "Try again; if it keeps happening, see its log and its time limits.")

_BY_MYSQL_CODE = {
    1021: _FULL,
    1040: _CROWDED,
    1044: ("The user has no access to this database.", "Grant it all rights on the database."),
    1045: _NOT_ADMITTED,
    1046: ("The address names no database on the server.", "Write its name at the end of MAPSI_DATABASE_URL."),
    1047: _NOT_READY,
    1049: ("There is no such database on the server.", "Create it: CREATE DATABASE name CHARACTER SET utf8mb4."),
    1053: SILENT,
    1054: _SCHEMA,
    1114: _FULL,
    1129: ("The database has shut this machine out after many failed tries.", "Run there: FLUSH HOSTS."),
    1130: (
        "The database accepts no connections from this machine.",
        "Allow the user from here: CREATE USER name@host.",
    ),
    1142: _NOT_ALLOWED,
    1143: _NOT_ALLOWED,
    1146: _SCHEMA,
    1153: ("The database takes no packets as large as ours.", "Raise its max_allowed_packet to 16M."),
    1203: _SPENT,
    1205: _BUSY,
    1213: _BUSY,
    1226: _SPENT,
    1227: _NOT_ALLOWED,
    1290: _READ_ONLY,
    1698: _NOT_ADMITTED,
    1792: _READ_ONLY,
    1820: _EXPIRED,
    1836: _READ_ONLY,
    1862: _EXPIRED,
    1927: _CUT,
    1969: _TOO_LONG,
    2003: SILENT,
    2006: _CUT,
    2013: SILENT,
    2026: _NO_TLS,
    3024: _TOO_LONG,
    3032: _NOT_READY,
    3118: _LOCKED,
    3159: ("The database takes connections over TLS only.", "Write ssl_mode=required in MAPSI_DATABASE_URL."),
    3168: _NOT_READY,
    4031: _CUT,
    4151: _LOCKED,
}

_PASSING = (SILENT, UNKNOWN_HOST, _NO_SOCKET, _CROWDED, _NOT_READY, _CUT)
"""What waiting may mend: a server that starts, the name of a container that is yet to come."""

_OF_THE_ENGINE = 1030

_BY_SQLITE_TEXT = {
    "no such table": _SCHEMA,
    "no such column": _SCHEMA,
    "locked": _BUSY,
    "unable to open": ("The catalogue's file cannot be opened.", "Check the path and its permissions."),
    "readonly": (
        "The catalogue's file can only be read.",
        "Check whether its disk is full, and the permissions of the file and its folder.",
    ),
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
def translated_connecting() -> Iterator[None]:
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
    return CatalogAwayError(*found) if found in _PASSING else CatalogError(*found)


def is_silence(error: CatalogError) -> bool:
    """Whether the server was waited for in vain, or the answer to where it is."""
    return error.message in (SILENT[0], UNKNOWN_HOST[0])


def _known(cause: BaseException) -> tuple[str, str] | None:
    if isinstance(cause, sqlite3.Error):
        return next((said for text, said in _BY_SQLITE_TEXT.items() if text in str(cause)), None)
    unreached = getattr(cause, "original_exception", cause)  # PyMySQL puts one code on whatever kept it from a server
    if isinstance(unreached, OSError):
        return _why_unreached(unreached)
    code = cause.args[0] if cause.args else None
    if code == _OF_THE_ENGINE and "No space left" in str(cause):
        return _FULL
    return _BY_MYSQL_CODE.get(code) if isinstance(code, int) else None


def _why_unreached(error: OSError) -> tuple[str, str]:
    if isinstance(error, socket.gaierror):
        return UNKNOWN_HOST
    if isinstance(error, ssl.SSLError):
        return _UNTRUSTED if isinstance(error, ssl.SSLCertVerificationError) else _NO_TLS
    if isinstance(error, PermissionError):
        return _SHUT_SOCKET
    return _NO_SOCKET if isinstance(error, FileNotFoundError) else SILENT
