"""Pictures that no offer needs any more: which they are, and how they leave the tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, exists, func, or_, select, true, update

from mapsi.catalog.store.database import Database
from mapsi.catalog.store.tables import OfferRow, Picture, PictureSource, ReadingRow

_BATCH = 500


def count_prunable(database: Database, before: datetime) -> int:
    """How many pictures :func:`prune_pictures` would take out."""
    with database.read() as connection:
        return int(connection.scalar(select(func.count()).select_from(Picture).where(_unneeded(before))) or 0)


def _unneeded(before: datetime) -> ColumnElement[bool]:
    """Shown by no offer that lives or went after ``before``, and not fetched since then."""
    needing = exists().where(
        OfferRow.picture == Picture.digest, or_(OfferRow.gone_at.is_(None), OfferRow.gone_at > before)
    )
    return and_(Picture.fetched_at <= before, ~needing)


def prune_pictures(database: Database, before: datetime) -> int:
    """In batches, each a transaction: a kill leaves whole ones. Their files are the caller's business."""
    removed, last = 0, ""
    query = select(Picture.digest).where(_unneeded(before)).order_by(Picture.digest).limit(_BATCH)
    while True:
        with database.read() as connection:
            batch = list(connection.scalars(query.where(Picture.digest > last)))
        removed += _remove(database, batch, before)
        if len(batch) < _BATCH:
            break
        last = batch[-1]
    _forget_old_failures(database, before)
    return removed


def _remove(database: Database, digests: Sequence[str], before: datetime) -> int:
    with database.write() as connection:
        # Asked again inside: an import may have brought an offer back meanwhile.
        free = list(connection.scalars(select(Picture.digest).where(Picture.digest.in_(digests), _unneeded(before))))
        connection.execute(update(OfferRow).where(OfferRow.picture.in_(free)).values(picture=None))
        for table, column in ((ReadingRow, ReadingRow.picture), (PictureSource, PictureSource.picture)):
            connection.execute(delete(table).where(column.in_(free)))
        connection.execute(delete(Picture).where(Picture.digest.in_(free)))
    return len(free)


def _forget_old_failures(database: Database, before: datetime) -> None:
    """Addresses without a picture that nobody asked since: no living offer names them, or they would have been."""
    forgotten = delete(PictureSource).where(PictureSource.picture.is_(None), PictureSource.checked_at < before)
    with database.write() as connection:
        connection.execute(forgotten)


def kept_under(database: Database, prefix: str, without: datetime | None = None) -> set[str]:
    # A range and no LIKE, which SQLite takes for one without regard to case and answers without the index; no digit of
    # a digest comes after f.
    query = select(Picture.digest).where(
        Picture.digest >= prefix, Picture.digest < f"{prefix}g", Picture.kept == true()
    )
    if without is not None:
        query = query.where(~_unneeded(without))
    with database.read() as connection:
        return set(connection.scalars(query))
