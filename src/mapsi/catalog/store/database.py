"""One database, SQLite or MariaDB/MySQL, with the same behaviour: transactions, snapshots and errors in sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import URL, Connection, Engine, NullPool, Pool, QueuePool, create_engine, event
from sqlalchemy.exc import NoSuchModuleError

from mapsi.catalog.store.address import DatabaseAddress, read_address
from mapsi.catalog.store.refusals import translated, translated_connecting
from mapsi.catalog.store.silence import Silence
from mapsi.catalog.store.sqlite import connect_sqlite
from mapsi.errors import CatalogError

Kind = Literal["sqlite", "mariadb"]
Clock = Callable[[], datetime]
"""Gives aware times."""
_AS_MANY_AS_ASKED = -1  # a thread of the server never waits for a connection; MAPSI_THREADS bounds them

_SETTINGS = {
    "sql_mode": "'TRADITIONAL'",  # a value that does not fit is an error, never a silently shortened one
    "time_zone": "'+00:00'",
    "foreign_key_checks": 1,
    "sql_auto_is_null": 0,
    "sql_quote_show_create": 1,  # else names that are words of SQL too cannot be read back
    "sql_safe_updates": 0,
    "sql_select_limit": 2**64 - 1,
}
"""What questions rely on and a server's own configuration may have otherwise."""

IDLE = 24 * 3600
"""Seconds that a connection of a pool, or one that writes a backup, may lie idle, whatever the server's own limit."""

IDLE_RUN = 600
"""The same for the connection of a run, which never waits for anybody but the database: a machine that vanished, its
network with it, holds up the imports of the others for no longer."""

IDLE_LOCK = 120
"""The same for a connection that does nothing but hold a lock and say so now and then (:mod:`.locks`)."""


def storable(text: str, limit: int) -> str:
    """A text cut to ``limit`` characters, without what not every database takes: NUL and lone surrogates (they come
    from file names and damaged feeds)."""
    cut = text[:limit]
    return cut if cut.isascii() and "\x00" not in cut else cut.replace("\x00", "").encode("utf-8", "replace").decode()


def utc_now() -> datetime:
    """The clock of everybody who is handed no other."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class DatabaseTimeouts:
    """Whole seconds to wait for the database: to ``connect``, for an ``answer`` to begin, for somebody else's ``lock``.
    SQLite knows the last only."""

    connect: int
    answer: int
    lock: int


AT_WORK = DatabaseTimeouts(connect=10, answer=600, lock=30)
"""Of commands and the worker, whose questions may take minutes."""

ON_PAGES = DatabaseTimeouts(connect=3, answer=8, lock=2)
"""Where a visitor waits: better an error than a thread that hangs."""

OF_A_RUN = DatabaseTimeouts(connect=10, answer=7200, lock=600)
"""Of an import, which takes its turn with others for up to an hour."""

OF_A_LOCK = DatabaseTimeouts(connect=10, answer=20, lock=10)
"""Of a lock that is held beside a run."""


class Database:
    """Engines that hand out transactions: ``engine`` for questions, ``patient`` for the work of a run; ``guarding`` is
    for locks of a server, and ``None`` on SQLite, which locks files. ``kind`` names the dialect of SQL to write,
    ``now`` is the clock that says what has expired."""

    def __init__(self, engine: Engine, patient: Engine, kind: Kind, guarding: Engine | None = None) -> None:
        self.engine = engine
        self.patient = patient
        self.guarding = guarding
        self.kind = kind
        self.now: Clock = utc_now
        self._silence = Silence()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one moment of the database."""
        with self._silence.broken_by_one(), translated(), self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A connection whose changes are taken over together when the block ends well, or not at all."""
        with self._silence.broken_by_one(), translated(), self.engine.connect() as connection, begin_write(connection):
            yield connection

    @contextmanager
    def session(self) -> Iterator[Connection]:
        """A connection of one's own that is closed for good: its temporary tables and named locks go with it. Nobody
        waits for a network with one in hand: see :data:`IDLE_RUN`."""
        with translated(), self.patient.connect() as connection:
            yield connection

    @property
    def file(self) -> Path:
        """The file of a SQLite database."""
        return Path(self.engine.url.database or "")

    def close(self) -> None:
        """Give back all connections."""
        for engine in (self.engine, self.patient, self.guarding):
            if engine is not None:
                engine.dispose()


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


def open_database(address: str | Path, now: Clock = utc_now, timeouts: DatabaseTimeouts = AT_WORK) -> Database:
    """Open and reach the database at ``address``, a path for SQLite; raises :class:`CatalogError`."""
    read = read_address(address)
    database = _open_sqlite(read.url, timeouts) if read.is_sqlite else _open_mariadb(read, timeouts)
    database.now = now
    with translated_connecting(), database.read():
        pass
    return database


def _open_sqlite(url: URL, timeouts: DatabaseTimeouts) -> Database:
    file = Path(url.database or "")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.exists():
            file.touch(mode=0o600)  # what SQLite puts beside it has the same rights
    except OSError as error:
        raise CatalogError(
            f"The folder of the catalogue cannot be made: {error.strerror}.", "Check the address of the database."
        ) from error

    def engine_of(seconds: float, pool: type[Pool]) -> Engine:
        made = create_engine(url, creator=lambda: connect_sqlite(file, seconds), poolclass=pool, **_room(pool))
        event.listen(made, "begin", _begin_sqlite)
        return made

    return Database(engine_of(timeouts.lock, QueuePool), engine_of(AT_WORK.lock, NullPool), "sqlite")


def _room(pool: type[Pool]) -> dict[str, Any]:
    return {"max_overflow": _AS_MANY_AS_ASKED} if pool is QueuePool else {}


def _writes(connection: Connection) -> bool:
    return bool(connection.get_execution_options().get("mapsi_writes"))


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if _writes(connection) else "BEGIN")


def _begin_mariadb(connection: Connection) -> None:
    if _writes(connection):
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")


def _open_mariadb(address: DatabaseAddress, timeouts: DatabaseTimeouts) -> Database:
    try:
        quick = _mariadb_engine(address, timeouts, QueuePool, IDLE)
        patient = _mariadb_engine(address, OF_A_RUN, NullPool, IDLE_RUN)
        guarding = _mariadb_engine(address, OF_A_LOCK, NullPool, IDLE_LOCK)
    except (ModuleNotFoundError, NoSuchModuleError) as error:
        raise CatalogError(
            "The driver for MariaDB and MySQL is not installed.", "Install it: pip install 'mapsi[mysql]'."
        ) from error
    return Database(quick, patient, "mariadb", guarding)


def _mariadb_engine(address: DatabaseAddress, timeouts: DatabaseTimeouts, pool: type[Pool], idle: int) -> Engine:
    from mapsi.catalog.store.mariadb import connect_mariadb, spare_a_silent_server

    settings = {
        **_SETTINGS,
        "wait_timeout": idle,
        "innodb_lock_wait_timeout": timeouts.lock,
        "lock_wait_timeout": timeouts.lock,
    }
    said = ", ".join(f"SESSION {name} = {value}" for name, value in settings.items())
    arguments = {
        **address.arguments,
        "charset": "utf8mb4",
        # A question that nobody waits for any longer is not worked on either; MySQL takes that for a remark.
        "init_command": f"SET {said} /*M!, SESSION max_statement_time = {timeouts.answer} */",
        "connect_timeout": timeouts.connect,
        "read_timeout": timeouts.answer,
        "write_timeout": timeouts.answer,
    }
    engine = create_engine(
        address.url,
        poolclass=pool,
        pool_pre_ping=True,
        pool_recycle=3600,
        isolation_level="REPEATABLE READ",
        connect_args=arguments,
        **_room(pool),
    )
    event.listen(engine, "do_connect", connect_mariadb)
    event.listen(engine, "handle_error", spare_a_silent_server)
    event.listen(engine, "begin", _begin_mariadb)
    return engine
