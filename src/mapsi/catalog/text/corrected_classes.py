"""Classes that a person gave: they stand above what the words and the model say, and outlive every refresh."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update
from sqlalchemy.orm import aliased

from mapsi.catalog.store.operator_tables import CorrectionRow
from mapsi.catalog.store.tables import Listing, OfferClass, OfferRow
from mapsi.catalog.text.class_words import class_keys
from mapsi.taxonomy import Taxonomy


def load_corrections(connection: Connection, offers: Any) -> dict[int, dict[str, str]]:
    """Of those of these offers (numbers, or a query of them) that were corrected: axis to class slug, empty for
    none."""
    found: defaultdict[int, dict[str, str]] = defaultdict(dict)
    for row in connection.execute(select(CorrectionRow).where(CorrectionRow.offer_id.in_(offers))):
        found[row.offer_id][row.axis] = row.slug
    return dict(found)


def apply_corrections(connection: Connection, offers: Any, taxonomy: Taxonomy) -> None:
    """Put the classes that a person gave in place of all others, of these offers and in their listings."""
    corrected = load_corrections(connection, offers)
    for offer_id, classes in corrected.items():
        mine = (OfferClass.offer_id == offer_id, OfferClass.axis.in_(list(classes)))
        connection.execute(delete(OfferClass).where(*mine))
    rows = [row for offer_id, classes in corrected.items() for row in person_rows(offer_id, classes)]
    if rows:
        connection.execute(insert(OfferClass), rows)
    if corrected:
        refresh_listings(connection, _load_slugs(connection, list(corrected)), taxonomy)


def pass_on_corrections(connection: Connection, offers: Any, now: datetime) -> None:
    """Correct these offers (numbers, or a query of them) as variants of theirs were before they came: on an axis the
    latest correction counts, and one of their own before it."""
    if connection.scalar(select(CorrectionRow.offer_id).limit(1)) is None:
        return
    late, early = aliased(OfferRow), aliased(OfferRow)
    told = (
        select(late.id, CorrectionRow.axis, CorrectionRow.slug)
        .join(early, (early.shop_id == late.shop_id) & (early.group_key == late.group_key) & (early.id != late.id))
        .join(CorrectionRow, CorrectionRow.offer_id == early.id)
        .where(late.id.in_(offers))
        .order_by(CorrectionRow.made_at)
    )
    passed = {(row.id, row.axis): row.slug for row in connection.execute(told)}
    own = load_corrections(connection, sorted({offer_id for offer_id, _axis in passed}))
    rows = [
        {"offer_id": offer_id, "axis": axis, "slug": slug, "made_at": now}
        for (offer_id, axis), slug in passed.items()
        if axis not in own.get(offer_id, {})
    ]
    if rows:
        connection.execute(insert(CorrectionRow), rows)


def person_rows(offer_id: int, classes: Mapping[str, str]) -> Iterable[dict[str, Any]]:
    """The rows of ``offer_classes`` for what a person gave."""
    for axis, slug in classes.items():
        if slug:
            yield {"offer_id": offer_id, "axis": axis, "slug": slug, "origin": "person", "confidence": 1.0}


def refresh_listings(connection: Connection, classes: Mapping[int, Mapping[str, str]], taxonomy: Taxonomy) -> None:
    """Write the classes of these offers (axis to slug) into their listings, where they are shown."""
    shown = set(connection.scalars(select(Listing.offer_id).where(Listing.offer_id.in_(list(classes)))))
    rows = [{"at": offer_id, "classes": class_keys(classes[offer_id], taxonomy)} for offer_id in sorted(shown)]
    if rows:
        # The plain table: an ORM update by values would look for primary keys.
        table: Any = Listing.__table__
        connection.execute(update(table).where(table.c.offer_id == bindparam("at")), rows)


def _load_slugs(connection: Connection, offers: Sequence[int]) -> dict[int, dict[str, str]]:
    slugs: dict[int, dict[str, str]] = {offer_id: {} for offer_id in offers}
    for row in connection.execute(select(OfferClass).where(OfferClass.offer_id.in_(offers))):
        slugs[row.offer_id][row.axis] = row.slug
    return slugs
