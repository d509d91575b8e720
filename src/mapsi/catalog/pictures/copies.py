"""Our copies of pictures: which are kept, which no offer needs any more, and how these leave the tables."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, exists, false, func, or_, select, true, update

from mapsi.catalog.pictures.fetching import LONG_AGO
from mapsi.catalog.records import PictureCopy
from mapsi.catalog.store.changes import advance_generation
from mapsi.catalog.store.database import Database
from mapsi.catalog.store.tables import OfferRow, PictureRow, PictureSourceRow, ReadingRow, Shop

_BATCH = 500


def _unneeded(before: datetime) -> ColumnElement[bool]:
    """Shown by no offer that lives or went after ``before``, and not fetched since then."""
    needing = exists().where(
        OfferRow.picture == PictureRow.digest, or_(OfferRow.gone_at.is_(None), OfferRow.gone_at > before)
    )
    return and_(PictureRow.fetched_at <= before, ~needing)


class Copies:
    """Which copies of the pictures of one catalogue are kept, and which nobody needs any more; every call is a
    transaction of its own, or several short ones."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def kept(self) -> list[PictureCopy]:
        """The copies that living offers are noted to have."""
        query = (
            select(PictureRow.digest, PictureRow.width, PictureRow.height)
            .join(OfferRow, OfferRow.picture == PictureRow.digest)
            .join(Shop, Shop.id == OfferRow.shop_id)
            .where(OfferRow.gone_at.is_(None), Shop.copies == true())
            .distinct()
        )
        with self._database.read() as connection:
            return [PictureCopy(row.digest, row.width, row.height) for row in connection.execute(query)]

    def kept_under(self, prefix: str, without: datetime | None = None) -> set[str]:
        """Digests, beginning with ``prefix``, of all pictures noted as kept, those of gone offers too; but for those
        that :meth:`prune` would take out for the moment ``without``."""
        # A range and no LIKE, which SQLite takes for one without regard to case and answers without the index; no
        # digit of a digest comes after f.
        query = select(PictureRow.digest).where(
            PictureRow.digest >= prefix, PictureRow.digest < f"{prefix}g", PictureRow.kept == true()
        )
        if without is not None:
            query = query.where(~_unneeded(without))
        with self._database.read() as connection:
            return set(connection.scalars(query))

    def forget(self, digest: str) -> None:
        """Note that the stored picture is lost: its offers need it again."""
        with self._database.write() as connection:
            connection.execute(update(OfferRow).where(OfferRow.picture == digest).values(picture=None))
            # Without its validators: an answer that nothing changed would bring no picture.
            lost = {"picture": None, "etag": "", "last_modified": "", "failures": 0, "due_at": LONG_AGO}
            connection.execute(update(PictureSourceRow).where(PictureSourceRow.picture == digest).values(lost))

    def no_longer_allowed(self) -> list[str]:
        """Digests of kept copies that only such shops show as do not allow a copy."""
        allowed = (
            select(OfferRow.id)
            .join(Shop, Shop.id == OfferRow.shop_id)
            .where(OfferRow.picture == PictureRow.digest, Shop.copies == true())
        )
        linked = (
            select(OfferRow.id)
            .join(Shop, Shop.id == OfferRow.shop_id)
            .where(OfferRow.picture == PictureRow.digest, Shop.copies == false())
        )
        with self._database.read() as connection:
            if connection.scalar(select(Shop.id).where(Shop.copies == false()).limit(1)) is None:
                return []
            query = select(PictureRow.digest).where(PictureRow.kept == true(), linked.exists(), ~allowed.exists())
            return list(connection.scalars(query))

    def note_dropped(self, digest: str) -> None:
        """Note that no copy is kept any more, nor a thumbprint, and that pages are to link to the shop's."""
        with self._database.write() as connection:
            dropped = {"kept": False, "thumbprint": b"", "same_as": None}
            connection.execute(update(PictureRow).where(PictureRow.digest == digest).values(dropped))

    def count_prunable(self, before: datetime) -> int:
        """How many pictures :meth:`prune` would take out."""
        with self._database.read() as connection:
            return int(connection.scalar(select(func.count()).select_from(PictureRow).where(_unneeded(before))) or 0)

    def prune(self, before: datetime) -> int:
        """Take out the pictures, with their readings, that no offer shows which lives or went after ``before``; their
        files are the caller's business. Returns how many."""
        removed, last = 0, ""
        query = select(PictureRow.digest).where(_unneeded(before)).order_by(PictureRow.digest).limit(_BATCH)
        while True:
            with self._database.read() as connection:
                batch = list(connection.scalars(query.where(PictureRow.digest > last)))
            removed += self._remove(batch, before)
            if len(batch) < _BATCH:
                break
            last = batch[-1]
        self._forget_old_failures(before)
        return removed

    def _remove(self, digests: Sequence[str], before: datetime) -> int:
        with self._database.write() as connection:
            # Asked again inside: an import may have brought an offer back meanwhile.
            free = list(
                connection.scalars(select(PictureRow.digest).where(PictureRow.digest.in_(digests), _unneeded(before)))
            )
            connection.execute(update(OfferRow).where(OfferRow.picture.in_(free)).values(picture=None))
            for table, column in ((ReadingRow, ReadingRow.picture), (PictureSourceRow, PictureSourceRow.picture)):
                connection.execute(delete(table).where(column.in_(free)))
            connection.execute(delete(PictureRow).where(PictureRow.digest.in_(free)))
        return len(free)

    def _forget_old_failures(self, before: datetime) -> None:
        """Addresses without a picture that nobody asked since: no living offer names them, or they would have been."""
        forgotten = delete(PictureSourceRow).where(
            PictureSourceRow.picture.is_(None), PictureSourceRow.checked_at < before
        )
        with self._database.write() as connection:
            connection.execute(forgotten)

    def note_change(self) -> None:
        """Move the generation on, so that what caches remember of pictures is counted again."""
        with self._database.write() as connection:
            advance_generation(connection)
