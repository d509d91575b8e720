"""The catalogue's generation: one number by which caches and indexes know that they are stale."""

from __future__ import annotations

from sqlalchemy import Connection, select, update

from mapsi.catalog.store.tables import State


def advance_generation(connection: Connection) -> None:
    """Count one up, in the transaction that changes an answer."""
    connection.execute(update(State).values(generation=State.generation + 1))


def read_generation(connection: Connection) -> int:
    return int(connection.execute(select(State.generation)).scalar_one())
