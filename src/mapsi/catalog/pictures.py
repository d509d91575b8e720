"""Which pictures are to be fetched, which are stored, which could not be had."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from sqlalchemy import insert, select, update

from mapsi.catalog.database import Database, storable
from mapsi.catalog.tables import OfferRow, Picture
from mapsi.errors import UsageError

_BATCH = 1000


def sources_to_fetch(database: Database) -> Iterator[tuple[int, str]]:
    """(offer id, image source) by offer id, read in short transactions: the caller saves pictures meanwhile."""
    missing = (
        select(OfferRow.id, OfferRow.image_source)
        .where(OfferRow.gone_at.is_(None), OfferRow.picture.is_(None), OfferRow.picture_failure.is_(None))
        .order_by(OfferRow.id)
        .limit(_BATCH)
    )
    last = 0
    while True:
        with database.read() as connection:
            batch = connection.execute(missing.where(OfferRow.id > last)).all()
        yield from ((offer_id, source) for offer_id, source in batch)
        if len(batch) < _BATCH:
            return
        last = batch[-1].id


def save_picture(
    database: Database, offer_ids: Sequence[int], digest: str, width: int, height: int, source: str
) -> None:
    if not digest or len(digest) > 64 or width < 1 or height < 1:
        raise UsageError(f"{digest!r}, {width}x{height}, is no stored picture.", "Give its SHA-256 and its size.")
    with database.write() as connection:
        if connection.scalar(select(Picture.digest).where(Picture.digest == digest)) is None:
            stored = {
                "width": width,
                "height": height,
                "source": storable(source, 16_000),
                "fetched_at": datetime.now(UTC),
            }
            connection.execute(insert(Picture).values(digest=digest, **stored))
        connection.execute(
            update(OfferRow).where(OfferRow.id.in_(list(offer_ids))).values(picture=digest, picture_failure=None)
        )


def stored_pictures(database: Database) -> list[str]:
    with database.read() as connection:
        living = select(OfferRow.picture).where(OfferRow.gone_at.is_(None), OfferRow.picture.is_not(None))
        return [digest for digest in connection.scalars(living.distinct()) if digest is not None]


def forget_picture(database: Database, digest: str) -> None:
    with database.write() as connection:
        connection.execute(update(OfferRow).where(OfferRow.picture == digest).values(picture=None))


def mark_failed(database: Database, offer_ids: Sequence[int], reason: str) -> None:
    with database.write() as connection:
        connection.execute(
            update(OfferRow).where(OfferRow.id.in_(list(offer_ids))).values(picture_failure=storable(reason, 1000))
        )
