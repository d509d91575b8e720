"""All rows of one moment out of the catalogue, and into an empty one, whichever database keeps either."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Column, Connection, LargeBinary, Table, delete, exists, insert, select, update
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

from mapsi.batches import batched
from mapsi.catalog.store.database import Database
from mapsi.catalog.store.migrations import current_revision
from mapsi.catalog.store.people_tables import SessionRow
from mapsi.catalog.store.tables import State, UtcTime, WorkerRow
from mapsi.catalog.store.tables import Table as Tables
from mapsi.errors import CatalogError, UsageError

Values = list[Any]
"""One row as JSON has it: times in ISO 8601, bytes in Base64."""

LEFT_OUT = frozenset({SessionRow.__tablename__, WorkerRow.__tablename__})
"""Log-ins, so that one ended since does not come back to life, and workers that are not there."""

_BATCH = 1000


class CatalogSnapshot:
    """One moment of the catalogue, for as long as its block lasts. ``revision`` names the schema."""

    def __init__(self, connection: Connection, revision: str) -> None:
        self._connection = connection
        self.revision = revision
        self.tables = tuple(table.name for table in Tables.metadata.sorted_tables if table.name not in LEFT_OUT)

    def columns(self, table: str) -> list[str]:
        return [column.name for column in Tables.metadata.tables[table].columns]

    def rows(self, table: str) -> Iterator[Values]:
        """The rows of a table, their values in the order of :meth:`columns`, in flat memory."""
        query = select(Tables.metadata.tables[table]).execution_options(yield_per=_BATCH)
        for row in self._connection.execute(query):
            yield [_told(value) for value in row]


class Snapshots:
    """The catalogue as a whole, read and written."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextmanager
    def taken(self) -> Iterator[CatalogSnapshot]:
        """A snapshot, while others keep writing. Raises :class:`CatalogError` where there are no tables."""
        with self._database.read() as connection:
            yield CatalogSnapshot(connection, current_revision(connection))

    def is_empty(self) -> bool:
        """Whether the catalogue holds nothing at all."""
        with self._database.read() as connection:
            return _is_empty(connection)

    def refuse_unless_empty(self) -> None:
        """Raises :class:`UsageError` where the catalogue holds anything."""
        with self._database.read() as connection:
            _refuse_rows(connection)

    def put_back(self, revision: str, tables: Iterable[tuple[str, list[str], Iterable[Values]]]) -> int:
        """Fill the empty catalogue with (table, columns, rows), in the order in which a snapshot names tables, all or
        nothing; returns the number of rows.

        The catalogue gets a new mark: what was derived from the one that was copied is not taken for its own. Raises
        :class:`UsageError` where it is not empty, :class:`CatalogError` where its schema is not ``revision``,
        :class:`ValueError` where a row is none of its table, or the state is missing, without which nothing can change.
        """
        count = 0
        with self._database.write() as connection:
            _refuse_rows(connection)
            if current_revision(connection) != revision:
                raise CatalogError(
                    "The copy has the schema of another version of mapsi.",
                    "Restore it with the version that made it, then update that.",
                )
            connection.execute(delete(State))
            for name, columns, rows in tables:
                count += _fill(connection, name, columns, rows)
            if connection.execute(update(State).values(mark=uuid4().hex)).rowcount != 1:
                raise ValueError("the table state has not its one row")
        return count


def _is_empty(connection: Connection) -> bool:
    filled = (table for table in Tables.metadata.sorted_tables if table.name != State.__tablename__)
    return not any(connection.scalar(select(exists(select(1).select_from(table)))) for table in filled)


def _refuse_rows(connection: Connection) -> None:
    if not _is_empty(connection):
        raise UsageError(
            "The catalogue to restore into is not empty.",
            "Set MAPSI_HOME to a new folder, and MAPSI_DATABASE_URL to an empty database where that is used.",
        )


def _fill(connection: Connection, name: str, columns: list[str], rows: Iterable[Values]) -> int:
    table, count = Tables.metadata.tables.get(name), 0
    if table is None or name in LEFT_OUT or not set(map(str, columns)) <= set(table.columns.keys()):
        raise ValueError(f"{name!a} is no table of a shop")
    for batch in batched(rows, _BATCH):
        try:
            _insert(connection, table, columns, batch)
        except (TypeError, ValueError, StatementError) as error:
            if isinstance(error, DBAPIError) and not isinstance(error, IntegrityError | DataError):
                raise  # the database is at fault, not the row
            raise ValueError(f"the table {name} has a row that does not fit") from error
        count += len(batch)
    return count


def _insert(connection: Connection, table: Table, columns: list[str], rows: Iterable[Values]) -> None:
    meant = [table.columns[name] for name in columns]
    connection.execute(insert(table), [_row(meant, values) for values in rows])


def _row(columns: list[Column[Any]], values: Values) -> dict[str, Any]:
    return {column.name: _meant(column, value) for column, value in zip(columns, values, strict=True)}


def _told(value: Any) -> Any:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value.isoformat() if isinstance(value, datetime) else value


def _meant(column: Column[Any], value: Any) -> Any:
    if value is None:
        return None
    if isinstance(column.type, LargeBinary):
        return base64.b64decode(value)
    return datetime.fromisoformat(value) if isinstance(column.type, UtcTime) else value
