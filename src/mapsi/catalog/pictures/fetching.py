"""Which pictures are to be fetched or asked about again, and which could not be had."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, delete, func, insert, or_, select, update

from mapsi.batches import batched
from mapsi.catalog.records import PictureCopy
from mapsi.catalog.store.database import Database, storable
from mapsi.catalog.store.tables import OfferRow, PictureRow, PictureSourceRow, Shop
from mapsi.errors import UsageError

_BATCH = 500
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
"""The time noted for an address that is to be asked again at once."""
_IDS = 10_000  # of 32,766 parameters that a statement may have in SQLite


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureTask:
    """An address (or path) to ask for its picture, for the offers that have none yet, or, with ``picture`` the digest
    of what it gave before, for whether it changed: ``etag`` and ``last_modified`` came with that. ``keep`` says whether
    the terms allow a copy. ``failures`` counts those in a row."""

    image: str
    offer_ids: tuple[int, ...] = ()
    keep: bool = True
    picture: str = ""
    etag: str = ""
    last_modified: str = ""
    failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchedPicture:
    """What an address gave: our copy of it, whether that is kept, and the validators that came along."""

    copy: PictureCopy
    kept: bool = True
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureFault:
    """An address that gave no picture ``failures`` times in a row: why, and when it is asked again (UTC)."""

    image: str
    reason: str
    failures: int
    due: datetime


def _load_sources(connection: Connection, images: Iterable[str]) -> dict[str, Any]:
    columns = (PictureSourceRow.address, PictureSourceRow.picture, PictureSourceRow.due_at, PictureSourceRow.failures)
    query = (
        select(*columns, PictureSourceRow.reason, PictureRow.kept)
        .outerjoin(PictureRow, PictureRow.digest == PictureSourceRow.picture)
        .where(PictureSourceRow.digest.in_([_key(image) for image in images]))
    )
    return {row.address: row for row in connection.execute(query)}


def _key(image: str) -> str:
    return hashlib.sha256(image.encode()).hexdigest()


def _shown(connection: Connection, pictures: Iterable[str]) -> dict[tuple[str, str], bool]:
    """(picture, address) that living offers show, and whether any of their shops allows a copy."""
    query = (
        select(OfferRow.picture, OfferRow.image_source, func.max(Shop.copies))
        .join(Shop, Shop.id == OfferRow.shop_id)
        .where(OfferRow.gone_at.is_(None), OfferRow.picture.in_(list(pictures)))
        .group_by(OfferRow.picture, OfferRow.image_source)
    )
    return {(picture or "", image): bool(copies) for picture, image, copies in connection.execute(query)}


def _task(row: Any, keep: bool) -> PictureTask:
    validators = {"etag": row.etag, "last_modified": row.last_modified}
    return PictureTask(image=row.address, keep=keep, picture=row.picture, failures=row.failures, **validators)


def _save_picture(connection: Connection, found: FetchedPicture, image: str, now: datetime) -> None:
    copy = found.copy
    kept = connection.scalar(select(PictureRow.kept).where(PictureRow.digest == copy.digest))
    own = {"width": copy.width, "height": copy.height, "thumbprint": copy.thumbprint}
    if kept is None:
        values = {**own, "digest": copy.digest, "source": image, "fetched_at": now, "kept": found.kept}
        connection.execute(insert(PictureRow).values(values))
    elif found.kept:
        connection.execute(
            update(PictureRow).where(PictureRow.digest == copy.digest).values(kept=True, same_as=None, **own)
        )


def _save_source(connection: Connection, image: str, **values: Any) -> None:
    key = _key(image)
    connection.execute(delete(PictureSourceRow).where(PictureSourceRow.digest == key))
    connection.execute(insert(PictureSourceRow).values(digest=key, address=image, **values))


def _give(connection: Connection, offer_ids: Sequence[int], image: str, **values: Any) -> None:
    """Note what ``image`` gave for those of the offers that still name it: an import may have come in between."""
    for part in batched(offer_ids, _IDS):
        naming = update(OfferRow).where(OfferRow.id.in_(part), OfferRow.image_source == image)
        connection.execute(naming.values(values))


def _named_by_living(connection: Connection, failing: Sequence[Any]) -> set[str]:
    """Addresses that living offers have their picture from, or are still to get it from."""
    pictures = [row.picture for row in failing if row.picture]
    named: set[str] = set()
    for part in batched(pictures, _IDS):
        named.update(image for _, image in _shown(connection, part))
    if len(pictures) < len(failing):
        # No index knows addresses, so one look at all offers without a picture.
        missing = select(OfferRow.image_source).where(OfferRow.gone_at.is_(None), OfferRow.picture.is_(None))
        named.update(connection.scalars(missing.distinct()))
    return named


class Pictures:
    """Where the pictures of one catalogue come from, and what is to be fetched; every call is a transaction of its own,
    or several short ones."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def to_fetch(self, now: datetime) -> Iterator[PictureTask]:
        """What to ask for pictures: first the addresses of living offers without one (the same address again only for
        an offer further on), then those whose time to be asked about has come. Addresses that failed lately rest. The
        results may be saved while this is being read."""
        yield from self._without_picture(now)
        yield from self._due(now, now + timedelta(days=7))

    def _without_picture(self, now: datetime) -> Iterator[PictureTask]:
        """In short transactions: the caller saves pictures meanwhile."""
        missing = (
            select(OfferRow.id, OfferRow.image_source, Shop.copies)
            .join(Shop, Shop.id == OfferRow.shop_id)
            .where(OfferRow.gone_at.is_(None), OfferRow.picture.is_(None), OfferRow.image_source != "")
            .order_by(OfferRow.id)
            .limit(_BATCH)
        )
        last = 0
        while True:
            with self._database.read() as connection:
                batch = connection.execute(missing.where(OfferRow.id > last)).all()
            wanted: dict[tuple[str, bool], list[int]] = defaultdict(list)
            for offer_id, image, copies in batch:
                wanted[image, copies].append(offer_id)
            yield from self._settled(wanted, now)
            if len(batch) < _BATCH:
                return
            last = batch[-1].id

    def _settled(self, wanted: dict[tuple[str, bool], list[int]], now: datetime) -> Iterator[PictureTask]:
        """Give offers what their address gave others, leave those whose address is to rest, and hand out the rest."""
        with self._database.write() as connection:
            known = _load_sources(connection, {image for image, _ in wanted})
            tasks = []
            for (image, keep), offer_ids in wanted.items():
                source = known.get(image)
                if source is not None and source.picture and (source.kept or not keep):
                    _give(connection, offer_ids, image, picture=source.picture, picture_failure=None)
                elif source is not None and not source.picture and source.due_at > now:
                    _give(connection, offer_ids, image, picture_failure=source.reason)
                else:
                    failures = source.failures if source is not None else 0
                    tasks.append(PictureTask(image=image, offer_ids=tuple(offer_ids), keep=keep, failures=failures))
        yield from tasks

    def _due(self, now: datetime, rest: datetime) -> Iterator[PictureTask]:
        """Pictures whose time to be asked about has come; those that no living offer shows rest until ``rest``."""
        due = (
            select(PictureSourceRow.__table__)
            .where(PictureSourceRow.due_at <= now, PictureSourceRow.picture.is_not(None))
            .order_by(PictureSourceRow.due_at, PictureSourceRow.digest)
            .limit(_BATCH)
        )
        at: Any = PictureSourceRow.due_at
        last: Any = None
        while True:
            after = (
                due
                if last is None
                else due.where(or_(at > last.due_at, and_(at == last.due_at, PictureSourceRow.digest > last.digest)))
            )
            with self._database.read() as connection:
                rows = connection.execute(after).all()
                shown = _shown(connection, {row.picture for row in rows})
            idle = [row.digest for row in rows if (row.picture, row.address) not in shown]
            with self._database.write() as connection:
                connection.execute(
                    update(PictureSourceRow).where(PictureSourceRow.digest.in_(idle)).values(due_at=rest)
                )
            yield from (_task(row, shown[row.picture, row.address]) for row in rows if row.digest not in set(idle))
            if len(rows) < _BATCH:
                return
            last = rows[-1]

    def count_to_fetch(self, now: datetime) -> int:
        """At most as many tasks as :meth:`to_fetch` gives, offers that share an address counted each."""
        missing = select(func.count()).where(
            OfferRow.gone_at.is_(None), OfferRow.picture.is_(None), OfferRow.image_source != ""
        )
        due = select(func.count()).where(PictureSourceRow.due_at <= now, PictureSourceRow.picture.is_not(None))
        with self._database.read() as connection:
            return int(connection.scalar(missing) or 0) + int(connection.scalar(due) or 0)

    def save(self, task: PictureTask, found: FetchedPicture, now: datetime, due: datetime) -> None:
        """Note what the task brought, for its offers and for all that show what the address gave before; the address
        is asked again from ``due`` on."""
        copy = found.copy
        if not copy.digest or len(copy.digest) > 64 or copy.width < 1 or copy.height < 1:
            raise UsageError(
                f"{copy.digest!r}, {copy.width}x{copy.height}, is not a stored picture.",
                "Give its SHA-256 and its size.",
            )
        image = storable(task.image, 16_000)
        with self._database.write() as connection:
            _save_picture(connection, found, image, now)
            _give(connection, task.offer_ids, image, picture=copy.digest, picture_failure=None)
            if task.picture and task.picture != copy.digest:
                replaced = update(OfferRow).where(OfferRow.picture == task.picture, OfferRow.image_source == image)
                connection.execute(replaced.values(picture=copy.digest))
            texts = {"etag": found.etag[:500], "last_modified": found.last_modified[:100], "reason": ""}
            _save_source(connection, image, picture=copy.digest, checked_at=now, due_at=due, failures=0, **texts)

    def confirm(self, task: PictureTask, now: datetime, due: datetime) -> None:
        """Note that the address still gives the same picture."""
        values = {"checked_at": now, "due_at": due, "failures": 0, "reason": ""}
        with self._database.write() as connection:
            connection.execute(
                update(PictureSourceRow).where(PictureSourceRow.digest == _key(task.image)).values(values)
            )

    def mark_failed(self, task: PictureTask, reason: str, now: datetime, due: datetime, *, counts: bool = True) -> None:
        """Note why the task brought nothing, a sentence for the operator; ``counts`` is false where the host only asked
        to wait. What the address gave before is kept."""
        failures, reason = task.failures + counts, storable(reason, 1000)
        values = {"due_at": due, "checked_at": now, "failures": failures, "reason": reason}
        image = storable(task.image, 16_000)
        with self._database.write() as connection:
            _give(connection, task.offer_ids, image, picture_failure=reason)
            noted = update(PictureSourceRow).where(PictureSourceRow.digest == _key(image)).values(values)
            if not connection.execute(noted).rowcount:
                _save_source(connection, image, picture=None, etag="", last_modified="", **values)

    def recheck(self) -> None:
        """Make all addresses due, also those that rest after failures."""
        with self._database.write() as connection:
            connection.execute(update(PictureSourceRow).values(due_at=LONG_AGO))

    def faults(self, limit: int) -> tuple[int, list[PictureFault]]:
        """How many addresses that living offers name gave no picture when last asked, and the latest ``limit`` of
        them."""
        columns = (
            PictureSourceRow.address,
            PictureSourceRow.picture,
            PictureSourceRow.reason,
            PictureSourceRow.failures,
        )
        query = select(*columns, PictureSourceRow.due_at).where(PictureSourceRow.failures > 0)
        with self._database.read() as connection:
            failing = connection.execute(
                query.order_by(PictureSourceRow.checked_at.desc(), PictureSourceRow.digest)
            ).all()
            named = _named_by_living(connection, failing)
        rows = [row for row in failing if row.address in named]
        return len(rows), [
            PictureFault(image=row.address, reason=row.reason, failures=row.failures, due=row.due_at)
            for row in rows[:limit]
        ]
