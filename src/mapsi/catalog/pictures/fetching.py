"""Which pictures are to be fetched or asked about again, which are kept, which could not be had."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, and_, delete, false, func, insert, or_, select, true, update

from mapsi.catalog.records import PictureCopy
from mapsi.catalog.store.database import Database, storable
from mapsi.catalog.store.tables import OfferRow, Picture, PictureSource, Shop
from mapsi.errors import UsageError

_BATCH = 500
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
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


def tasks_without_picture(database: Database, now: datetime) -> Iterator[PictureTask]:
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
        with database.read() as connection:
            batch = connection.execute(missing.where(OfferRow.id > last)).all()
        wanted: dict[tuple[str, bool], list[int]] = defaultdict(list)
        for offer_id, image, copies in batch:
            wanted[image, copies].append(offer_id)
        yield from _settled(database, wanted, now)
        if len(batch) < _BATCH:
            return
        last = batch[-1].id


def _settled(database: Database, wanted: dict[tuple[str, bool], list[int]], now: datetime) -> Iterator[PictureTask]:
    """Give offers what their address gave others, leave those whose address is to rest, and hand out the rest."""
    with database.write() as connection:
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


def _load_sources(connection: Connection, images: Iterable[str]) -> dict[str, Any]:
    columns = (PictureSource.address, PictureSource.picture, PictureSource.due_at, PictureSource.failures)
    query = (
        select(*columns, PictureSource.reason, Picture.kept)
        .outerjoin(Picture, Picture.digest == PictureSource.picture)
        .where(PictureSource.digest.in_([_key(image) for image in images]))
    )
    return {row.address: row for row in connection.execute(query)}


def _key(image: str) -> str:
    return hashlib.sha256(image.encode()).hexdigest()


def tasks_due(database: Database, now: datetime, rest: datetime) -> Iterator[PictureTask]:
    """Pictures whose time to be asked about has come; those that no living offer shows rest until ``rest``."""
    due = (
        select(PictureSource.__table__)
        .where(PictureSource.due_at <= now, PictureSource.picture.is_not(None))
        .order_by(PictureSource.due_at, PictureSource.digest)
        .limit(_BATCH)
    )
    at: Any = PictureSource.due_at
    last: Any = None
    while True:
        after = (
            due
            if last is None
            else due.where(or_(at > last.due_at, and_(at == last.due_at, PictureSource.digest > last.digest)))
        )
        with database.read() as connection:
            rows = connection.execute(after).all()
            shown = _shown(connection, {row.picture for row in rows})
        idle = [row.digest for row in rows if (row.picture, row.address) not in shown]
        with database.write() as connection:
            connection.execute(update(PictureSource).where(PictureSource.digest.in_(idle)).values(due_at=rest))
        yield from (_task(row, shown[row.picture, row.address]) for row in rows if row.digest not in set(idle))
        if len(rows) < _BATCH:
            return
        last = rows[-1]


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


def count_tasks(database: Database, now: datetime) -> int:
    """At most as many tasks, for a progress bar: offers that share an address count once each."""
    missing = select(func.count()).where(
        OfferRow.gone_at.is_(None), OfferRow.picture.is_(None), OfferRow.image_source != ""
    )
    due = select(func.count()).where(PictureSource.due_at <= now, PictureSource.picture.is_not(None))
    with database.read() as connection:
        return int(connection.scalar(missing) or 0) + int(connection.scalar(due) or 0)


def save_fetched(database: Database, task: PictureTask, found: FetchedPicture, now: datetime, due: datetime) -> None:
    """Note what ``task`` brought, for its offers and for all that show what the address gave before."""
    copy = found.copy
    if not copy.digest or len(copy.digest) > 64 or copy.width < 1 or copy.height < 1:
        raise UsageError(
            f"{copy.digest!r}, {copy.width}x{copy.height}, is no stored picture.", "Give its SHA-256 and its size."
        )
    image = storable(task.image, 16_000)
    with database.write() as connection:
        _save_picture(connection, found, image, now)
        _give(connection, task.offer_ids, image, picture=copy.digest, picture_failure=None)
        if task.picture and task.picture != copy.digest:
            replaced = update(OfferRow).where(OfferRow.picture == task.picture, OfferRow.image_source == image)
            connection.execute(replaced.values(picture=copy.digest))
        texts = {"etag": found.etag[:500], "last_modified": found.last_modified[:100], "reason": ""}
        _save_source(connection, image, picture=copy.digest, checked_at=now, due_at=due, failures=0, **texts)


def _save_picture(connection: Connection, found: FetchedPicture, image: str, now: datetime) -> None:
    copy = found.copy
    kept = connection.scalar(select(Picture.kept).where(Picture.digest == copy.digest))
    size = {"width": copy.width, "height": copy.height}
    if kept is None:
        values = {**size, "digest": copy.digest, "source": image, "fetched_at": now, "kept": found.kept}
        connection.execute(insert(Picture).values(values))
    elif found.kept:
        connection.execute(update(Picture).where(Picture.digest == copy.digest).values(kept=True, **size))


def _save_source(connection: Connection, image: str, **values: Any) -> None:
    key = _key(image)
    connection.execute(delete(PictureSource).where(PictureSource.digest == key))
    connection.execute(insert(PictureSource).values(digest=key, address=image, **values))


def _give(connection: Connection, offer_ids: Sequence[int], image: str, **values: Any) -> None:
    """Note what ``image`` gave for those of the offers that still name it: an import may have come in between."""
    for start in range(0, len(offer_ids), _IDS):
        part = list(offer_ids[start : start + _IDS])
        naming = update(OfferRow).where(OfferRow.id.in_(part), OfferRow.image_source == image)
        connection.execute(naming.values(values))


def confirm_source(database: Database, task: PictureTask, now: datetime, due: datetime) -> None:
    """Note that the address still gives the same picture."""
    values = {"checked_at": now, "due_at": due, "failures": 0, "reason": ""}
    with database.write() as connection:
        connection.execute(update(PictureSource).where(PictureSource.digest == _key(task.image)).values(values))


def save_failure(
    database: Database, task: PictureTask, reason: str, now: datetime, due: datetime, *, counts: bool = True
) -> None:
    """Note why ``task`` brought nothing. What the address gave before is kept."""
    values = {"due_at": due, "checked_at": now, "failures": task.failures + counts, "reason": storable(reason, 1000)}
    image = storable(task.image, 16_000)
    with database.write() as connection:
        _give(connection, task.offer_ids, image, picture_failure=values["reason"])
        noted = update(PictureSource).where(PictureSource.digest == _key(image)).values(values)
        if not connection.execute(noted).rowcount:
            _save_source(connection, image, picture=None, etag="", last_modified="", **values)


def make_all_due(database: Database) -> None:
    with database.write() as connection:
        connection.execute(update(PictureSource).values(due_at=_LONG_AGO))


def kept_pictures(database: Database) -> list[PictureCopy]:
    """The copies that living offers are noted to have."""
    query = (
        select(Picture.digest, Picture.width, Picture.height)
        .join(OfferRow, OfferRow.picture == Picture.digest)
        .join(Shop, Shop.id == OfferRow.shop_id)
        .where(OfferRow.gone_at.is_(None), Shop.copies == true())
        .distinct()
    )
    with database.read() as connection:
        return [PictureCopy(row.digest, row.width, row.height) for row in connection.execute(query)]


def forget_picture(database: Database, digest: str) -> None:
    with database.write() as connection:
        connection.execute(update(OfferRow).where(OfferRow.picture == digest).values(picture=None))
        # Without its validators: an answer that nothing changed would bring no picture.
        lost = {"picture": None, "etag": "", "last_modified": "", "failures": 0, "due_at": _LONG_AGO}
        connection.execute(update(PictureSource).where(PictureSource.picture == digest).values(lost))


def pictures_no_longer_allowed(database: Database) -> list[str]:
    """Digests of kept copies that only shops show whose terms do not (any more) allow a copy."""
    allowed = (
        select(OfferRow.id)
        .join(Shop, Shop.id == OfferRow.shop_id)
        .where(OfferRow.picture == Picture.digest, Shop.copies == true())
    )
    linked = (
        select(OfferRow.id)
        .join(Shop, Shop.id == OfferRow.shop_id)
        .where(OfferRow.picture == Picture.digest, Shop.copies == false())
    )
    with database.read() as connection:
        if connection.scalar(select(Shop.id).where(Shop.copies == false()).limit(1)) is None:
            return []
        query = select(Picture.digest).where(Picture.kept == true(), linked.exists(), ~allowed.exists())
        return list(connection.scalars(query))


def note_dropped(database: Database, digest: str) -> None:
    """Note that no copy is kept any more."""
    with database.write() as connection:
        connection.execute(update(Picture).where(Picture.digest == digest).values(kept=False))


def load_faults(database: Database, limit: int) -> tuple[int, list[PictureFault]]:
    """How many addresses that living offers name failed when last asked, and the latest ``limit`` of them."""
    columns = (PictureSource.address, PictureSource.picture, PictureSource.reason, PictureSource.failures)
    query = select(*columns, PictureSource.due_at).where(PictureSource.failures > 0)
    with database.read() as connection:
        failing = connection.execute(query.order_by(PictureSource.checked_at.desc(), PictureSource.digest)).all()
        named = _named_by_living(connection, failing)
    rows = [row for row in failing if row.address in named]
    return len(rows), [
        PictureFault(image=row.address, reason=row.reason, failures=row.failures, due=row.due_at)
        for row in rows[:limit]
    ]


def _named_by_living(connection: Connection, failing: Sequence[Any]) -> set[str]:
    """Addresses that living offers have their picture from, or are still to get it from."""
    pictures = [row.picture for row in failing if row.picture]
    named: set[str] = set()
    for start in range(0, len(pictures), _IDS):
        named.update(image for _, image in _shown(connection, pictures[start : start + _IDS]))
    if len(pictures) < len(failing):
        # No index knows addresses, so one look at all offers without a picture.
        missing = select(OfferRow.image_source).where(OfferRow.gone_at.is_(None), OfferRow.picture.is_(None))
        named.update(connection.scalars(missing.distinct()))
    return named
