"""One database, SQLite or MariaDB/MySQL, with the same behaviour: transactions, snapshots and errors in sentences."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DataError, IntegrityError, InterfaceError, NoSuchModuleError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from mapsi.errors import CatalogError

Kind = Literal["sqlite", "mariadb"]
Clock = Callable[[], datetime]
"""Gives aware times."""
_REFUSALS = (DatabaseError, InterfaceError, PoolTimeoutError)
_MISTAKES = (IntegrityError, DataError)
_BUSY_MS = 30_000
_AS_MANY_AS_ASKED = -1  # a thread of the server never waits for a connection; MAPSI_THREADS bounds them


def storable(text: str, limit: int) -> str:
    """A text cut to ``limit`` characters, without what not every database takes: NUL and half surrogates (they come
    from file names and damaged feeds)."""
    cut = text[:limit]
    return cut if cut.isascii() and "\x00" not in cut else cut.replace("\x00", "").encode("utf-8", "replace").decode()


def utc_now() -> datetime:
    """The clock of everybody who is handed no other."""
    return datetime.now(UTC)


class Database:
    """An engine that hands out transactions. ``kind`` names the dialect of SQL to write, ``now`` is the clock that says
    what has expired."""

    def __init__(self, engine: Engine, kind: Kind) -> None:
        self.engine = engine
        self.kind = kind
        self.now: Clock = utc_now

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one moment of the database."""
        with translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection whose changes are taken over together when the block ends well, or not at all."""
        with translated(), self.engine.connect() as connection, begin_write(connection):
            yield connection

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """A connection of one's own that is closed for good: its temporary tables and named locks go with it."""
        with translated(), self.engine.connect() as connection:
            connection.detach()
            yield connection

    @property
    def file(self) -> Path:
        """The file of a SQLite database."""
        return Path(self.engine.url.database or "")


@contextmanager
def begin_write(connection: Connection) -> Iterator[None]:
    """A writing transaction on a connection that is in none.

    SQLite takes its one write lock at once: a reader that turns writer later is refused without waiting. MariaDB reads
    committed rows, so that a large INSERT ... SELECT locks no gap that another shop's import needs.
    """
    connection.execution_options(mapsi_writes=True)
    try:
        with connection.begin():
            yield
    finally:
        connection.execution_options(mapsi_writes=False)


def open_database(url: str, now: Clock = utc_now) -> Database:
    """Open and reach the database at ``url``; raises :class:`CatalogError`."""
    address = _parse(url)
    database = _open_sqlite(address) if address.get_backend_name() == "sqlite" else _open_mariadb(address)
    database.now = now
    with database.read():
        pass
    return database


def _parse(url: str) -> URL:
    try:
        address = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise CatalogError(
            "The address of the catalogue's database cannot be read.",
            "Write sqlite:////folder/catalog.sqlite3 or mariadb://user:password@host/database.",
        ) from error
    match address.drivername:
        case "sqlite" | "sqlite+pysqlite" if address.database and address.database != ":memory:":
            return address
        case "sqlite" | "sqlite+pysqlite":
            raise CatalogError(
                "A catalogue in memory would be lost.", "Name a file: sqlite:////folder/catalog.sqlite3."
            )
        case "mysql" | "mariadb" | "mysql+pymysql" | "mariadb+pymysql":
            return address.set(drivername=f"{address.get_backend_name()}+pymysql")
    raise CatalogError(
        f"The catalogue cannot be kept in a database of the kind {address.drivername}.",
        "SQLite, MariaDB and MySQL (by PyMySQL) are the ones it knows.",
    )


def _open_sqlite(address: URL) -> Database:
    file = Path(address.database or "")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CatalogError(
            f"The folder of the catalogue cannot be made: {error.strerror}.", "Check the address of the database."
        ) from error
    engine = create_engine(address, connect_args={"timeout": _BUSY_MS / 1000}, max_overflow=_AS_MANY_AS_ASKED)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return Database(engine, "sqlite")


def _prepare_sqlite(raw: Any, record: object) -> None:
    raw.isolation_level = None  # Python's own BEGIN comes late and only before writing; _begin_sqlite says it instead.
    cursor = raw.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={_BUSY_MS}"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _writes(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("mapsi_writes"))


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if _writes(connection) else "BEGIN")


def _begin_mariadb(connection: Connection) -> None:
    if _writes(connection):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")


def _open_mariadb(address: URL) -> Database:
    try:
        engine = create_engine(
            address.update_query_dict({"charset": "utf8mb4"}),
            pool_pre_ping=True,
            max_overflow=_AS_MANY_AS_ASKED,
            pool_recycle=3600,
            # Strict mode: a value that does not fit is an error, never a silently shortened one.
            connect_args={"init_command": "SET SESSION sql_mode = 'TRADITIONAL', SESSION time_zone = '+00:00'"},
        )
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise CatalogError(
            "The driver for MariaDB and MySQL is not installed.", "Install it: pip install 'mapsi[mysql]'."
        ) from error
    event.listen(engine, "begin", _begin_mariadb)
    return Database(engine, "mariadb")


@contextmanager
def translated() -> Iterator[None]:
    """Turn a database that refuses into a :class:`CatalogError`; mistakes in what was written stay what they are."""
    try:
        yield
    except _MISTAKES:
        raise
    except _REFUSALS as error:
        raise _explain(error) from error


_BY_MYSQL_CODE = {
    1044: ("The user may not use this database.", "Grant it all rights on the database."),
    1045: ("The database refused the user or the password.", "Check both in MAPSI_DATABASE_URL."),
    1049: ("There is no such database on the server.", "Create it: CREATE DATABASE name CHARACTER SET utf8mb4."),
    1146: ("The catalogue's schema is missing or another one.", "Run `mapsi catalog migrate`."),
    1054: ("The catalogue's schema is missing or another one.", "Run `mapsi catalog migrate`."),
    2003: ("The database server does not answer.", "Check that it runs, and host and port in MAPSI_DATABASE_URL."),
    1205: ("The database was busy for too long.", "Try again in a moment."),
    1213: ("The database was busy for too long.", "Try again in a moment."),
}

_BY_SQLITE_TEXT = {
    "no such table": _BY_MYSQL_CODE[1146],
    "no such column": _BY_MYSQL_CODE[1146],
    "locked": _BY_MYSQL_CODE[1205],
    "unable to open": ("The catalogue's file cannot be opened.", "Check the path and its rights."),
    "readonly": ("The catalogue's file may only be read.", "Check the rights of the file and its folder."),
    "not a database": ("The catalogue's file is no SQLite database.", "Name another file."),
    "malformed": ("The catalogue's file is damaged.", "Restore a copy, or import the feeds into a new file."),
    "full": ("The disk is full.", "Make room and try again."),
}


def _explain(error: Exception) -> CatalogError:
    cause = getattr(error, "orig", None)
    if isinstance(cause, sqlite3.Error):
        found = next((said for text, said in _BY_SQLITE_TEXT.items() if text in str(cause)), None)
    else:
        code = cause.args[0] if cause is not None and cause.args else None
        found = _BY_MYSQL_CODE.get(code) if isinstance(code, int) else None
    return CatalogError(*(found or ("The catalogue's database cannot be used.", "See the log for its own words.")))
