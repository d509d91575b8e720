"""Sources: where shops' offers are fetched from again and again, and what the last refresh remembered of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import itemgetter
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from mapsi.catalog.imports.run_log import last_runs, new_id
from mapsi.catalog.imports.shop_slugs import refuse_namesake, shop_slug
from mapsi.catalog.imports.staging import reading_digest
from mapsi.catalog.records import RunRecord, SourceRecord, SourceTerms
from mapsi.catalog.store.changes import advance_generation, note_changes
from mapsi.catalog.store.database import Database, begin_write
from mapsi.catalog.store.expiry import in_seconds
from mapsi.catalog.store.locks import PATIENCE, shop_lock, switch_lock
from mapsi.catalog.store.operator_tables import PreviewRow
from mapsi.catalog.store.tables import AnswerRow, JobRow, Listing, OfferRow, Shop, SourceRow
from mapsi.errors import BusyError, NotFoundError, UsageError
from mapsi.taxonomy import Taxonomy

LONGEST_NAME = 100
LONGEST_TIME = timedelta(days=3650)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSource(SourceTerms):
    """A source that is to be added; without a ``shop_name``, shoppers see its ``name``. Raises :class:`UsageError`
    where the terms make no sense."""

    def __post_init__(self) -> None:
        if not (self.name.strip() and len(self.name) <= LONGEST_NAME and self.name.isprintable()):
            raise UsageError(
                f"{self.name[:40]!r} is not a name for a source.",
                f"Give 1 to {LONGEST_NAME} characters that can be printed.",
            )
        if len(self.shop_name) > LONGEST_NAME or not self.shop_name.isprintable():
            raise UsageError(
                f"{self.shop_name[:40]!r} is not a name for a shop.",
                f"Give at most {LONGEST_NAME} characters that can be printed.",
            )
        if max(self.every or timedelta(0), self.time_to_live or timedelta(0)) > LONGEST_TIME:
            raise UsageError(f"A time is longer than {LONGEST_TIME.days} days.", "Give a shorter one, or leave it out.")
        if not 0 <= self.shrink <= 1:
            raise UsageError(f"A shop cannot shrink by {self.shrink}.", "Give a share from 0 to 1, such as 0.5.")
        if self.every is not None and self.every < timedelta(minutes=1):
            raise UsageError("A source is refreshed once a minute at most.", "Give a longer time, such as 6h.")
        if self.time_to_live is not None and self.time_to_live <= (self.every or timedelta(0)):
            raise UsageError(
                "The offers would be past their time to live before the next refresh is done.",
                "Refresh more often, or let them live longer.",
            )


def _save_shop(connection: Connection, slug: str, new: NewSource) -> int:
    values: dict[str, Any] = {"copies": new.copies, "time_to_live": in_seconds(new.time_to_live)}
    shop_id = connection.scalar(select(Shop.id).where(Shop.slug == slug))
    if shop_id is None:
        name = new.shop_name.strip() or new.name.strip()
        return new_id(connection.execute(insert(Shop).values(slug=slug, name=name, sample=False, **values)))
    if new.shop_name.strip():
        values["name"] = new.shop_name.strip()
    connection.execute(update(Shop).where(Shop.id == shop_id).values(values))
    return shop_id


def _close_shop(connection: Connection, shop_id: int, now: datetime) -> int:
    living = (OfferRow.shop_id == shop_id, OfferRow.gone_at.is_(None))
    advance_generation(connection)
    note_changes(connection, select(OfferRow.id).where(*living))
    connection.execute(delete(Listing).where(Listing.shop_id == shop_id))
    gone = connection.execute(update(OfferRow).where(*living).values(gone_at=now)).rowcount
    times = {"first_expiry": None, "last_expiry": None, "time_to_live": None}
    connection.execute(update(Shop).where(Shop.id == shop_id).values(times))
    return gone


def remember_feed(connection: Connection, shop_id: int, remembered: Mapping[str, str], reading: str) -> None:
    """Note what the shop's source is to be known again by, in the transaction that takes its offers over. All its
    queries are answered with that."""
    source = select(SourceRow.id).where(SourceRow.shop_id == shop_id).scalar_subquery()
    connection.execute(delete(AnswerRow).where(AnswerRow.source_id == source))
    values = {"remembered": json.dumps(dict(remembered)), "taxonomy": reading}
    connection.execute(update(SourceRow).where(SourceRow.shop_id == shop_id).values(values))


def _sources() -> Any:
    columns = (
        SourceRow.id,
        SourceRow.name,
        SourceRow.format,
        SourceRow.address,
        SourceRow.every,
        SourceRow.shrink,
        SourceRow.added_at,
    )
    shop = (Shop.slug.label("shop"), Shop.name.label("shop_name"), Shop.time_to_live, Shop.copies)
    return select(*columns, *shop).join(Shop, Shop.id == SourceRow.shop_id).order_by(SourceRow.name)


def _record(row: Any) -> SourceRecord:
    values = row._asdict()
    for name in ("every", "time_to_live"):
        values[name] = _duration(values[name])
    return SourceRecord(**values)


def _duration(seconds: int | None) -> timedelta | None:
    return None if seconds is None else timedelta(seconds=seconds)


class Sources:
    """The sources of one catalogue. Safe to share between threads; every call but :meth:`run` is a transaction of its
    own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, new: NewSource) -> SourceRecord:
        """Add a source and, where there is none yet, its shop; raises :class:`UsageError` where the shop has one."""
        slug = shop_slug(new.name)
        with self._database.write() as connection:
            known = connection.execute(_sources().where(Shop.slug == slug)).one_or_none()
            if known is not None:
                raise UsageError(
                    f"There is already a source {known.name!r}; it is fetched from {known.address}.",
                    f"Give another name, or remove it first: mapsi catalog sources remove {slug}",
                )
            if new.name.strip() != slug:
                refuse_namesake(connection, slug, new.name.strip(), new.shop_name.strip())
            shop_id = _save_shop(connection, slug, new)
            source = insert(SourceRow).values(
                shop_id=shop_id,
                name=new.name.strip(),
                format=new.format,
                address=new.address,
                every=in_seconds(new.every),
                shrink=new.shrink,
                added_at=self._database.now(),
                remembered="{}",
                taxonomy="",
            )
            source_id = new_id(connection.execute(source))
            return _record(connection.execute(_sources().where(SourceRow.id == source_id)).one())

    def change(self, new: NewSource) -> SourceRecord:
        """Change the terms of the source called ``new.name``. What is remembered of its feed goes where it lies
        elsewhere or is of another format; times to live hold from the next refresh on. Raises
        :class:`NotFoundError`."""
        known = self.find(new.name)
        values: dict[str, Any] = {"format": new.format, "address": new.address, "every": in_seconds(new.every)}
        with self._database.write() as connection:
            if (known.format, known.address) != (new.format, new.address):
                values["remembered"] = "{}"
                connection.execute(delete(AnswerRow).where(AnswerRow.source_id == known.id))
            connection.execute(update(SourceRow).where(SourceRow.id == known.id).values(shrink=new.shrink, **values))
            _save_shop(connection, known.shop, new)
            return _record(connection.execute(_sources().where(SourceRow.id == known.id)).one())

    def remove(self, name: str) -> tuple[SourceRecord, int]:
        """Remove a source; its offers are gone at once, and what was to be done about it is no longer. Returns what it
        was and how many offers lived. The log of its runs and the history of its prices stay.

        Raises :class:`NotFoundError`, and :class:`BusyError` while one of its runs is in progress."""
        source = self.find(name)
        with shop_lock(self._database, source.shop, seconds=PATIENCE) as free:
            if not free:
                raise BusyError(f"The source {source.name} is being refreshed.", "Wait until that has ended.")
            with (
                self._database.session() as connection,
                switch_lock(self._database, connection),
                begin_write(connection),
            ):
                shop_id = connection.scalar(select(SourceRow.shop_id).where(SourceRow.id == source.id)) or 0
                for table in (AnswerRow, PreviewRow):
                    connection.execute(delete(table).where(table.source_id == source.id))
                connection.execute(delete(JobRow).where(JobRow.argument == source.name))
                connection.execute(delete(SourceRow).where(SourceRow.id == source.id))
                gone = _close_shop(connection, shop_id, self._database.now())
        return source, gone

    def find(self, name: str) -> SourceRecord:
        """The source of that name (or its shop's slug); raises :class:`NotFoundError`."""
        with self._database.read() as connection:
            rows = connection.execute(_sources()).all()
        for row in rows:
            if name.strip() in (row.name, row.shop):
                return _record(row)
        known = ", ".join(row.name for row in rows)
        raise NotFoundError(
            f"There is no source {name!r}.",
            f"There are: {known}." if known else "There is none yet; add one: mapsi catalog sources add.",
        )

    def all(self) -> list[SourceRecord]:
        """All sources, by name."""
        with self._database.read() as connection:
            return load_sources(connection)

    def due(self, now: datetime) -> list[SourceRecord]:
        """The sources whose time for another refresh has come, the longest due first. One that failed, or whose process
        was killed, waits for its next time as well: a shop that is down is not asked again and again."""
        with self._database.read() as connection:
            sources, last = load_sources(connection), last_runs(connection)
        times = [(next_time(source, last.get(source.shop)), source) for source in sources]
        return [source for at, source in sorted(_ready(times, now), key=itemgetter(0))]

    def recall(self, source: SourceRecord, taxonomy: Taxonomy) -> Mapping[str, str]:
        """What was remembered when the source was last taken over; nothing where it was read with other classes or
        colours, or where its offers expired since: it has to be read again then."""
        with self._database.read() as connection:
            row = connection.execute(
                select(SourceRow.remembered, SourceRow.taxonomy).where(SourceRow.id == source.id)
            ).one()
        remembered: dict[str, str] = json.loads(row.remembered) if row.taxonomy == reading_digest(taxonomy) else {}
        return remembered


def load_sources(connection: Connection) -> list[SourceRecord]:
    """All sources, by name."""
    return [_record(row) for row in connection.execute(_sources())]


def next_time(source: SourceRecord, last: RunRecord | None) -> datetime | None:
    """When a source is due again after its ``last`` run; ``None`` for one that is refreshed by hand."""
    if source.every is None:
        return None
    return source.added_at if last is None else last.started + source.every


def _ready(
    times: Iterable[tuple[datetime | None, SourceRecord]], now: datetime
) -> Iterable[tuple[datetime, SourceRecord]]:
    return ((at, source) for at, source in times if at is not None and at <= now)
