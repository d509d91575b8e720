"""Corrections of classes by a person."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, insert, select, tuple_

from mapsi.catalog.operations.jobs import Job, put_job
from mapsi.catalog.store.changes import advance_generation, note_changes
from mapsi.catalog.store.database import Database, begin_write
from mapsi.catalog.store.locks import switch_lock
from mapsi.catalog.store.operator_tables import CorrectionRow
from mapsi.catalog.store.tables import Listing, OfferRow
from mapsi.catalog.text.corrected_classes import apply_corrections
from mapsi.errors import UsageError
from mapsi.taxonomy import Taxonomy


class Corrections:
    """The corrections of one catalogue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def correct(self, offers: Sequence[int], axis: str, slug: str, taxonomy: Taxonomy) -> int:
        """Give the products of these offers, with all their variants and the same products in other shops, a class on
        an axis, or none for an empty ``slug``; returns how many offers that were. It holds over refreshes and models
        until it is corrected again, and queues a build of the index of pictures. Takes its turn with imports. Raises
        :class:`UsageError` for an axis or class that does not exist."""
        if axis not in taxonomy.axes or (slug and slug not in taxonomy.axes[axis].by_slug):
            raise UsageError(f"There is no class {axis}:{slug}.", "Choose one of the taxonomy's.")
        now = self._database.now()
        with (
            self._database.session() as connection,
            switch_lock(self._database, connection),
            begin_write(connection),
        ):
            ids = _variants(connection, offers)
            if not ids:
                return 0
            mine = (CorrectionRow.offer_id.in_(ids), CorrectionRow.axis == axis)
            connection.execute(delete(CorrectionRow).where(*mine))
            rows = [{"offer_id": one, "axis": axis, "slug": slug, "made_at": now} for one in ids]
            connection.execute(insert(CorrectionRow), rows)
            apply_corrections(connection, ids, taxonomy)
            advance_generation(connection)
            note_changes(connection, select(OfferRow.id).where(OfferRow.id.in_(ids)))
            put_job(connection, Job("index"), now)
        return len(ids)

    def count(self) -> int:
        """How many classes of offers people have corrected."""
        with self._database.read() as connection:
            return len(connection.scalars(select(CorrectionRow.offer_id)).all())


def _variants(connection: Connection, offers: Sequence[int]) -> list[int]:
    """The offers of the products that these offers are of, in every shop that has them: what a card on a wall shows."""
    asked = list(offers)
    numbers = connection.scalars(select(Listing.joined).where(Listing.offer_id.in_(asked), Listing.joined.is_not(None)))
    elsewhere = connection.scalars(select(Listing.offer_id).where(Listing.joined.in_(numbers.all()))).all()
    every = OfferRow.id.in_([*asked, *elsewhere])
    groups = connection.execute(select(OfferRow.shop_id, OfferRow.group_key).where(every)).all()
    if not groups:
        return []
    same = tuple_(OfferRow.shop_id, OfferRow.group_key).in_([(row.shop_id, row.group_key) for row in groups])
    return list(connection.scalars(select(OfferRow.id).where(same).order_by(OfferRow.id)))
