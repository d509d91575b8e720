"""What changed: the catalogue's generation, one number by which caches and indexes know that they are stale, and the
log of listings that changed, by which indexes of listings catch up without reading all of them again."""

from __future__ import annotations

from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, delete, func, insert, literal, select, update

from mapsi.catalog.store.tables import ListingChange, State

MOST = 50_000
"""Beyond this many noted changes an index is as quickly read again, and the log need not grow."""
EVERYTHING = 0


def advance_generation(connection: Connection) -> None:
    """Count one up, in the transaction that changes an answer."""
    connection.execute(update(State).values(generation=State.generation + 1))


def read_generation(connection: Connection) -> int:
    return int(connection.execute(_generation()).scalar_one())


@cache
def _generation() -> Select[Any]:
    return select(State.generation)


def note_changes(connection: Connection, *offers: Select[Any]) -> None:
    """Note the offers that these queries give (ids, one column) as changed with the current generation.

    To be called after :func:`advance_generation`, in the same transaction: that holds
    the generation's row, so that no other writer commits changes under the same number or an earlier one later.
    """
    generation = literal(read_generation(connection), ListingChange.__table__.c.generation.type)
    many = sum(int(connection.scalar(select(func.count()).select_from(query.subquery())) or 0) for query in offers)
    noted = int(connection.scalar(select(func.count()).select_from(ListingChange)) or 0)
    if noted + many > MOST:
        connection.execute(delete(ListingChange))
        connection.execute(insert(ListingChange).values(generation=generation, offer_id=EVERYTHING))
        return
    for query in offers:
        ids = query.subquery()
        rows = select(generation, ids.c[0])
        connection.execute(insert(ListingChange).from_select(["generation", "offer_id"], rows))


def changes_since(connection: Connection, generation: int) -> list[int] | None:
    """Offers whose listings changed after ``generation``, each once; ``None`` where all may have."""
    query = select(ListingChange.offer_id).where(ListingChange.generation > generation).distinct()
    changed = sorted(connection.scalars(query))
    return None if EVERYTHING in changed else changed
