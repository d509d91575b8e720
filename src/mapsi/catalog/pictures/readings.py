"""What models read off pictures: embeddings and labels, kept under the model's fingerprint."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sqlalchemy import Select, and_, delete, func, insert, select

from mapsi.arrays import FloatArray
from mapsi.batches import batched
from mapsi.catalog.records import IndexRow, Label, PictureCopy
from mapsi.catalog.store.database import Database
from mapsi.catalog.store.tables import Listing, OfferClass, OfferRow, PictureRow, ReadingRow, Shop
from mapsi.errors import UsageError
from mapsi.taxonomy.categories import AUDIENCE_AXIS, COLOR_AXIS, KIND_AXIS

ReadingEntry = tuple[str, FloatArray, Mapping[str, Label]]
_WRITE_BATCH = 500
_READ_BATCH = 2000
_STORED = np.dtype("<f2")


@dataclass(frozen=True, slots=True)
class UnreadPicture(PictureCopy):
    """A picture that a model has not read: stored here where ``kept``, else to be had from ``source`` alone."""

    source: str
    kept: bool


def _living_pictures(*columns: Any) -> Select[Any]:
    living = select(OfferRow.id).where(OfferRow.gone_at.is_(None), OfferRow.picture == PictureRow.digest)
    return select(*columns).where(living.exists())


def _read_by(model: str) -> Select[Any]:
    return select(ReadingRow.picture).where(ReadingRow.model == model)


class Readings:
    """What models read off the pictures of one catalogue. Models go by their fingerprints."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def count(self, model: str) -> int:
        """How many of the living offers' pictures the model has read."""
        query = _living_pictures(func.count(PictureRow.digest)).where(PictureRow.digest.in_(_read_by(model)))
        with self._database.read() as connection:
            return int(connection.scalar(query) or 0)

    def missing(self, model: str) -> list[UnreadPicture]:
        """The living offers' pictures that the model has not read, by digest."""
        columns = (PictureRow.digest, PictureRow.source, PictureRow.kept, PictureRow.width, PictureRow.height)
        query = _living_pictures(*columns).where(PictureRow.digest.not_in(_read_by(model))).order_by(PictureRow.digest)
        with self._database.read() as connection:
            return [UnreadPicture(**row._asdict()) for row in connection.execute(query)]

    def save(self, model: str, rows: Iterable[ReadingEntry]) -> int:
        """Keep what a model read: (picture digest, embedding of shape (width,), one label per axis). Embeddings are
        kept as float16. An existing reading is replaced. Written in batches; returns how many."""
        if not 0 < len(model) <= 64:
            raise UsageError("A model's fingerprint has 1 to 64 characters.", "Give the model folder's own.")
        saved = 0
        for batch in batched(rows, _WRITE_BATCH):
            latest = {entry["picture"]: entry for entry in (_entry(model, *row) for row in batch)}
            with self._database.write() as connection:
                connection.execute(
                    delete(ReadingRow).where(ReadingRow.model == model, ReadingRow.picture.in_(list(latest)))
                )
                # The generation stays: no answer changes before the classes and the index do.
                connection.execute(insert(ReadingRow), list(latest.values()))
            saved += len(batch)
        return saved

    def index_rows(self, model: str) -> Iterator[IndexRow]:
        """All shown offers with a reading by this model, by offer id, from one moment, in flat memory."""
        query = (
            select(Listing.offer_id, Listing.joined, Shop.slug, OfferRow.group_key, OfferRow.audience, Listing.colors)
            .add_columns(OfferClass.slug.label("kind"), ReadingRow.embedding, ReadingRow.labels)
            .join_from(Listing, OfferRow, OfferRow.id == Listing.offer_id)
            .join(Shop, Shop.id == Listing.shop_id)
            .join(ReadingRow, ReadingRow.picture == OfferRow.picture)
            .outerjoin(OfferClass, and_(OfferClass.offer_id == Listing.offer_id, OfferClass.axis == KIND_AXIS))
            .where(ReadingRow.model == model)
            .order_by(Listing.offer_id)
            .limit(_READ_BATCH)
        )
        last = 0
        with self._database.read() as connection:  # one transaction for all: rows of one moment
            while batch := connection.execute(query.where(Listing.offer_id > last)).all():
                yield from map(_index_row, batch)
                last = batch[-1].offer_id

    def prune(self, keep: Collection[str]) -> int:
        """Take out the readings of models other than ``keep``; returns how many."""
        other = ReadingRow.model.not_in(list(keep))
        query = select(ReadingRow.picture).where(other).distinct().limit(_WRITE_BATCH)
        removed = 0
        while True:
            with self._database.write() as connection:
                batch = list(connection.scalars(query))
                removed += connection.execute(delete(ReadingRow).where(ReadingRow.picture.in_(batch), other)).rowcount
            if len(batch) < _WRITE_BATCH:
                return removed


def _entry(model: str, digest: str, embedding: FloatArray, labels: Mapping[str, Label]) -> dict[str, Any]:
    if embedding.ndim != 1 or not np.isfinite(embedding).all():
        raise UsageError(f"Expected finite numbers of shape (width,), got {embedding.shape}.", "Check the model.")
    told = json.dumps({axis: dict(label) for axis, label in sorted(labels.items())}, ensure_ascii=False)
    return {"picture": digest, "model": model, "embedding": embedding.astype(_STORED).tobytes(), "labels": told}


def _index_row(row: Any) -> IndexRow:
    """What the shop says of colour and audience, and what the model is sure of where it says nothing."""
    colors = row.colors.split()
    labels = {} if colors and row.audience else json.loads(row.labels)
    return IndexRow(
        offer_id=row.offer_id,
        group=f"{row.slug}/{row.group_key}" if row.joined is None else f"/{row.joined}",
        kind=row.kind or "",
        color=colors[0] if colors else _known(labels, COLOR_AXIS),
        audience=row.audience or _known(labels, AUDIENCE_AXIS) or None,
        embedding=np.frombuffer(row.embedding, dtype=_STORED),
    )


def _known(labels: Mapping[str, Label], axis: str) -> Any:
    label = labels.get(axis)
    return label["slug"] if label is not None and label["known"] else ""
