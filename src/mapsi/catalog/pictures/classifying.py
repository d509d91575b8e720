"""Classes by the model where a shop's words left an axis open."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, and_, bindparam, delete, insert, select, update

from mapsi.catalog.store.changes import note_changes
from mapsi.catalog.store.database import Database, begin_write
from mapsi.catalog.store.generation import advance_generation
from mapsi.catalog.store.locks import switch_lock
from mapsi.catalog.store.tables import Listing, OfferClass, OfferRow, ReadingRow
from mapsi.catalog.text.class_words import save_class_words
from mapsi.catalog.text.tokens import class_keys
from mapsi.taxonomy import Taxonomy

_BATCH = 1000


@dataclass
class _Classes:
    """The classes one offer has: by words (axis to slug), by a model (axis to slug and confidence)."""

    by_words: dict[str, str] = field(default_factory=dict)
    by_model: dict[str, tuple[str, float]] = field(default_factory=dict)


def classify_by_model(database: Database, model: str, taxonomy: Taxonomy) -> int:
    """In batches, each a transaction that takes its turn with imports: a switch that went on beside it would have its new
    words overwritten by classes that came of the old ones."""
    living = (
        select(OfferRow.id, ReadingRow.labels)
        .outerjoin(ReadingRow, and_(ReadingRow.picture == OfferRow.picture, ReadingRow.model == model))
        .where(OfferRow.gone_at.is_(None))
        .order_by(OfferRow.id)
        .limit(_BATCH)
    )
    last, changed = 0, 0
    with database.session() as connection:
        with begin_write(connection):
            save_class_words(connection, taxonomy)
        while True:
            with switch_lock(database, connection), begin_write(connection):
                batch = connection.execute(living.where(OfferRow.id > last)).all()
                labels = {row.id: json.loads(row.labels) if row.labels else {} for row in batch}
                changed += _classify(connection, labels, taxonomy)
            if len(batch) < _BATCH:
                return changed
            last = batch[-1].id


def _classify(connection: Connection, labels: Mapping[int, Mapping[str, Any]], taxonomy: Taxonomy) -> int:
    has = _load(connection, list(labels))
    wanted = {offer_id: _wanted(has[offer_id], told, taxonomy) for offer_id, told in labels.items()}
    changed = [offer_id for offer_id in labels if wanted[offer_id] != has[offer_id].by_model]
    if not changed:
        return 0
    connection.execute(delete(OfferClass).where(OfferClass.offer_id.in_(changed), OfferClass.origin == "model"))
    rows = [
        {"offer_id": offer_id, "axis": axis, "slug": slug, "origin": "model", "confidence": confidence}
        for offer_id in changed
        for axis, (slug, confidence) in wanted[offer_id].items()
    ]
    if rows:
        connection.execute(insert(OfferClass), rows)
    slugs = {
        offer_id: has[offer_id].by_words | {axis: slug for axis, (slug, _) in wanted[offer_id].items()}
        for offer_id in changed
    }
    _refresh_words(connection, slugs)
    advance_generation(connection)
    note_changes(connection, select(OfferRow.id).where(OfferRow.id.in_(changed)))
    return len(changed)


def _load(connection: Connection, offer_ids: Sequence[int]) -> dict[int, _Classes]:
    has = {offer_id: _Classes() for offer_id in offer_ids}
    for row in connection.execute(select(OfferClass).where(OfferClass.offer_id.in_(offer_ids))):
        if row.origin == "words":
            has[row.offer_id].by_words[row.axis] = row.slug
        else:
            has[row.offer_id].by_model[row.axis] = (row.slug, row.confidence)
    return has


def _wanted(has: _Classes, told: Mapping[str, Any], taxonomy: Taxonomy) -> dict[str, tuple[str, float]]:
    """What the model knows on axes that the words left open, of classes that this installation has."""
    return {
        axis: (label["slug"], float(label["confidence"]))
        for axis, label in told.items()
        if label["known"]
        and axis not in has.by_words
        and axis in taxonomy.listed
        and label["slug"] in taxonomy.listed[axis].by_slug
    }


def _refresh_words(connection: Connection, classes: Mapping[int, Mapping[str, str]]) -> None:
    shown = set(connection.scalars(select(Listing.offer_id).where(Listing.offer_id.in_(list(classes)))))
    rows = [{"at": offer_id, "classes": class_keys(classes[offer_id])} for offer_id in sorted(shown)]
    if rows:
        # The plain table: an ORM update by values would look for primary keys.
        table: Any = Listing.__table__
        connection.execute(update(table).where(table.c.offer_id == bindparam("at")), rows)
