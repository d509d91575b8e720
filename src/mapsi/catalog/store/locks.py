"""Locks between processes that fall open by themselves when their holder is killed.

A shop's lock is held for as long as a run of it lives, downloads included, and so on a connection of its own on which
nothing else waits; all others are held for a piece of work in the database, on the connection that does it.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from mapsi.artifacts import locked_file
from mapsi.catalog.store.database import Database
from mapsi.catalog.store.refusals import translated
from mapsi.errors import BusyError, CatalogError

PATIENCE = 2
"""Seconds to wait for another run of the shop: a look at the lock, or a sweep, is over by then."""

BEAT = 15.0
"""Seconds between two signs of life of a shop's lock on a server."""

_SWITCH_SECONDS = 3600

_log = logging.getLogger(__name__)


@contextmanager
def shop_lock(database: Database, shop: str, *, seconds: int = 0) -> Iterator[bool]:
    """Hold the lock under which the offers of one shop (its slug) change; returns False where another holds it for
    longer than ``seconds``."""
    name = f"import/{shop}"
    with ExitStack() as held:
        if database.guarding is None:
            yield held.enter_context(locked_file(_lock_file(database.file, name), seconds=seconds))
        else:
            kept = KeptLock(database.guarding, key_of(database, name))
            held.callback(kept.release)
            yield kept.take(seconds)


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
            yield held.enter_context(_named_lock(connection, key_of(database, name), seconds))


def _lock_file(file: Path, name: str) -> Path:
    return file.with_name(f".{file.name}.{_short(name)}.lock")


def _short(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:16]


def key_of(database: Database, name: str) -> str:
    """How a server names the lock ``name`` of this database: its locks are those of all databases."""
    return f"mapsi.{_short(f'{database.engine.url.database}/{name}')}"


@contextmanager
def _named_lock(connection: Connection, key: str, seconds: int) -> Iterator[bool]:
    got = _get(connection, key, seconds)
    try:
        yield got
    finally:
        if got and not connection.closed and not connection.invalidated:
            _let_go(connection, key)


def _get(connection: Connection, key: str, seconds: int) -> bool:
    with connection.begin():
        got = connection.scalar(text("SELECT GET_LOCK(:key, :seconds)"), {"key": key, "seconds": seconds})
    return bool(got)


def _let_go(connection: Connection, key: str) -> None:
    with connection.begin():
        connection.execute(text("SELECT RELEASE_LOCK(:key)"), {"key": key})


class KeptLock:
    """A named lock of a server on a connection of its own, over which a thread gives a sign of life every :data:`BEAT`.

    So nothing on the way that forgets idle connections (a proxy, a firewall, a short ``wait_timeout``) ever meets an
    idle one, a server that hears nothing for a while takes the lock from a machine that vanished, and a lock that went
    with a server that was restarted is taken again, unless somebody else was faster. Who works under it therefore looks
    in the end whether nobody else began (``run_log.note_run``).
    """

    def __init__(self, engine: Engine, key: str) -> None:
        self._engine = engine
        self._key = key
        self._connection: Connection | None = None
        self._turn = threading.Lock()  # one asks over the connection at a time
        self._over = threading.Event()

    def take(self, seconds: int) -> bool:
        """Take it; False where another holds it for longer than ``seconds``. Raises :class:`CatalogError`."""
        got = self._take(seconds)
        if got:
            threading.Thread(target=self._beat, name="shop lock", daemon=True).start()
        return got

    def release(self) -> None:
        """Let go of it, if it is held."""
        self._over.set()
        with self._turn:
            if self._connection is not None:
                with suppress(CatalogError), translated():  # with a server that is gone, it is gone too
                    _let_go(self._connection, self._key)
            self._drop()

    def _beat(self) -> None:
        while not self._over.wait(BEAT):
            with self._turn:
                try:
                    if not self._over.is_set():
                        self._renew()
                except CatalogError as error:  # the next beat may reach the database again
                    _log.warning("The lock of a shop could not be renewed: %s", error)
                    self._drop()

    def _renew(self) -> None:
        held = False
        with suppress(CatalogError):
            held = self._is_held()
        if not held:
            self._drop()
            self._take(0)

    def _take(self, seconds: int) -> bool:
        with translated():
            self._connection = self._engine.connect()
            return _get(self._connection, self._key, seconds)

    def _is_held(self) -> bool:
        if self._connection is None:
            return False
        with translated(), self._connection.begin():
            ours = text("SELECT IS_USED_LOCK(:key) = CONNECTION_ID()")
            return bool(self._connection.scalar(ours, {"key": self._key}))

    def _drop(self) -> None:
        if self._connection is not None:
            with suppress(CatalogError), translated():
                self._connection.close()
            self._connection = None
