"""Classes by the model: where a shop's words left an axis open, and a finer kind of what they said."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, and_, delete, insert, select

from mapsi.catalog.store.changes import advance_generation, note_changes
from mapsi.catalog.store.database import Database, begin_write
from mapsi.catalog.store.locks import switch_lock
from mapsi.catalog.store.tables import OfferClass, OfferRow, ReadingRow
from mapsi.catalog.text.class_words import save_class_words
from mapsi.catalog.text.corrected_classes import load_corrections, person_rows, refresh_listings
from mapsi.catalog.text.offer_classes import OfferClassifier
from mapsi.taxonomy import Taxonomy
from mapsi.taxonomy.categories import KIND_AXIS

_BATCH = 1000


@dataclass
class _Classes:
    """The classes one offer has: by words (axis to slug), by a model (axis to slug and
    confidence), by a person (axis to slug, empty for none)."""

    by_words: dict[str, str] = field(default_factory=dict)
    by_model: dict[str, tuple[str, float]] = field(default_factory=dict)
    by_person: dict[str, str] = field(default_factory=dict)

    @property
    def slugs(self) -> dict[str, str]:
        by_person = {axis: slug for axis, slug in self.by_person.items() if slug}
        return self.by_words | {axis: slug for axis, (slug, _) in self.by_model.items()} | by_person


def classify_by_model(database: Database, model: str, taxonomy: Taxonomy) -> int:
    """In batches, each a transaction that takes its turn with imports: a switch that went on beside it would have its
    new words overwritten by classes that came of the old ones."""
    living = (
        select(OfferRow.id, OfferRow.title, OfferRow.category, OfferRow.google_category, ReadingRow.labels)
        .outerjoin(ReadingRow, and_(ReadingRow.picture == OfferRow.picture, ReadingRow.model == model))
        .where(OfferRow.gone_at.is_(None))
        .order_by(OfferRow.id)
        .limit(_BATCH)
    )
    classifier = OfferClassifier(taxonomy)
    last, changed = 0, 0
    with database.session() as connection:
        with begin_write(connection):
            save_class_words(connection, taxonomy)
        while True:
            with switch_lock(database, connection), begin_write(connection):
                batch = connection.execute(living.where(OfferRow.id > last)).all()
                changed += _classify(connection, batch, classifier, taxonomy)
            if len(batch) < _BATCH:
                return changed
            last = batch[-1].id


def _classify(connection: Connection, offers: Sequence[Any], classifier: OfferClassifier, taxonomy: Taxonomy) -> int:
    has = _load(connection, [offer.id for offer in offers])
    wanted = {offer.id: _wanted(has[offer.id], offer, classifier) for offer in offers}
    changed = [offer.id for offer in offers if wanted[offer.id] != has[offer.id]]
    if not changed:
        return 0
    connection.execute(delete(OfferClass).where(OfferClass.offer_id.in_(changed)))
    rows = [row for offer_id in changed for row in _rows(offer_id, wanted[offer_id])]
    if rows:
        connection.execute(insert(OfferClass), rows)
    refresh_listings(connection, {row: wanted[row].slugs for row in changed}, taxonomy)
    advance_generation(connection)
    note_changes(connection, select(OfferRow.id).where(OfferRow.id.in_(changed)))
    return len(changed)


def _rows(offer_id: int, classes: _Classes) -> Iterator[dict[str, Any]]:
    for axis, slug in classes.by_words.items():
        yield {"offer_id": offer_id, "axis": axis, "slug": slug, "origin": "words", "confidence": 1.0}
    for axis, (slug, confidence) in classes.by_model.items():
        yield {"offer_id": offer_id, "axis": axis, "slug": slug, "origin": "model", "confidence": confidence}
    yield from person_rows(offer_id, classes.by_person)


def _load(connection: Connection, offer_ids: Sequence[int]) -> dict[int, _Classes]:
    corrected = load_corrections(connection, offer_ids)
    has = {offer_id: _Classes(by_person=corrected.get(offer_id, {})) for offer_id in offer_ids}
    for row in connection.execute(select(OfferClass).where(OfferClass.offer_id.in_(offer_ids))):
        if row.origin == "words":
            has[row.offer_id].by_words[row.axis] = row.slug
        elif row.origin == "model":
            has[row.offer_id].by_model[row.axis] = (row.slug, row.confidence)
    return has


def _wanted(has: _Classes, offer: Any, classifier: OfferClassifier) -> _Classes:
    by_words = dict(has.by_words)
    if KIND_AXIS in has.by_model:  # it may have taken the place of what the words said: a row per axis
        kind = classifier.kind(offer.title, offer.category, offer.google_category)
        by_words |= {KIND_AXIS: kind} if kind else {}
    told = json.loads(offer.labels) if offer.labels else {}
    by_model = classifier.by_picture(by_words | has.by_person, told, offer.category, offer.google_category)
    by_model = {axis: found for axis, found in by_model.items() if axis not in has.by_person}
    taken = by_model.keys() | has.by_person.keys()
    return _Classes({axis: slug for axis, slug in by_words.items() if axis not in taken}, by_model, has.by_person)
