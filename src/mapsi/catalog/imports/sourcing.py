"""Sources as other rooms see them: where offers come from, their runs, what is kept between two of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from operator import itemgetter

from mapsi.catalog.imports.preview import preview_delivery
from mapsi.catalog.imports.previews import KeptPreview, find_preview, keep_preview
from mapsi.catalog.imports.query_answers import (
    QueryAnswer,
    calls_used,
    exhaust_calls,
    load_answer,
    load_answers,
    save_answer,
    spend_call,
)
from mapsi.catalog.imports.run import Row, Run, open_run
from mapsi.catalog.imports.run_log import (
    RUNS_KEPT,
    last_runs,
    load_provenance,
    load_run,
    load_runs,
    mark_killed,
    prune_runs,
)
from mapsi.catalog.imports.sources import (
    NewSource,
    add_source,
    change_source,
    find_source,
    load_sources,
    recall_feed,
    remove_source,
)
from mapsi.catalog.imports.staging import way_of_reading
from mapsi.catalog.imports.switching import Delivery
from mapsi.catalog.offer import Offer
from mapsi.catalog.records import Preview, Provenance, RunRecord, SourceRecord
from mapsi.catalog.store.database import Database
from mapsi.catalog.store.expiry import sweep
from mapsi.errors import NotFoundError
from mapsi.progress import Advance, no_advance
from mapsi.taxonomy import Taxonomy


class Sources:
    """The sources of one catalogue. Safe to share between threads; every call but :meth:`run` is a transaction of its
    own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, new: NewSource) -> SourceRecord:
        """Add a source and, where there is none yet, its shop; raises :class:`UsageError` where the shop has one."""
        return add_source(self._database, new)

    def change(self, new: NewSource) -> SourceRecord:
        """Change the terms of the source of that name; times to live hold from the next refresh on. Raises
        :class:`NotFoundError`."""
        return change_source(self._database, new)

    def keep_preview(self, source: SourceRecord, previews: Sequence[Preview]) -> None:
        """Keep a dry run for the operator, in the place of the one before."""
        keep_preview(self._database, source.id, previews)

    def kept_preview(self, source: SourceRecord) -> KeptPreview | None:
        """The latest dry run that was kept."""
        return find_preview(self._database, source.id)

    def remove(self, name: str) -> tuple[SourceRecord, int]:
        """Remove a source; its offers are gone at once. Gives what it was and how many offers lived. The book of its
        runs and the history of its prices stay.

        Raises :class:`NotFoundError`, and :class:`BusyError` while one of its runs goes on."""
        return remove_source(self._database, name)

    def find(self, name: str) -> SourceRecord:
        """The source of that name, or of the shop with that slug; raises :class:`NotFoundError`."""
        return find_source(self._database, name)

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

    def runs(self, name: str | None = None, limit: int = 20) -> list[RunRecord]:
        """The latest runs, of the source (or of a shop by its slug) or of all, the newest first."""
        shop = None if name is None else next((one.shop for one in self.all() if one.name == name), name)
        with self._database.read() as connection:
            return load_runs(connection, shop, limit)

    def find_run(self, run_id: int) -> RunRecord:
        """A run by its number; raises :class:`NotFoundError`."""
        with self._database.read() as connection:
            found = load_run(connection, run_id)
        if found is None:
            raise NotFoundError(f"There is no run {run_id}.", "Look at the source's runs.")
        return found

    def provenance(self, offer_id: int) -> Provenance:
        """Where an offer comes from; raises :class:`NotFoundError` for one that never was."""
        with self._database.read() as connection:
            found = load_provenance(connection, offer_id)
        if found is None:
            raise NotFoundError(f"There is no offer {offer_id}.", "Check the number.")
        return found

    def run(self, source: SourceRecord, taxonomy: Taxonomy) -> AbstractContextManager[Run]:
        """Begin a run: its shop is locked, its book open, and an error that ends the block is booked.

        Raises :class:`BusyError` where another run of the shop goes on."""
        return open_run(self._database, _delivery(source, self._database.now()), taxonomy)

    def preview(
        self,
        source: SourceRecord,
        rows: Iterable[Row],
        taxonomy: Taxonomy,
        *,
        whole: bool = True,
        progress: Advance = no_advance,
    ) -> Preview:
        """What taking over ``rows`` would change; changes nothing."""
        return preview_delivery(
            self._database, source.shop, rows, taxonomy, whole=whole, shrink=source.shrink, progress=progress
        )

    def recall(self, source: SourceRecord, taxonomy: Taxonomy) -> Mapping[str, str]:
        """What was remembered when the source was last taken over; nothing where it was read with other classes or
        colours, or where its offers expired since: it has to be read again then."""
        with self._database.read() as connection:
            return recall_feed(connection, source.id, way_of_reading(taxonomy))

    def answers(self, source: SourceRecord) -> list[QueryAnswer]:
        """The queries of the source that were answered since all of them were, the oldest answer first."""
        with self._database.read() as connection:
            return load_answers(connection, source.id)

    def answer(self, source: SourceRecord, query: str) -> list[Offer]:
        """The offers that a query brought."""
        with self._database.read() as connection:
            return load_answer(connection, source.id, query)

    def save_answer(self, source: SourceRecord, query: str, offers: Sequence[Offer]) -> None:
        """Keep what a query brought until all queries of the source are answered."""
        with self._database.write() as connection:
            save_answer(connection, source.id, query, offers, self._database.now())

    def spend_call(self, account: str, day: str, limit: int) -> bool:
        """Count one call of an account on a day; False, and nothing counted, where ``limit`` is reached."""
        return spend_call(self._database, account, day, limit)

    def exhaust_calls(self, account: str, day: str, limit: int) -> None:
        """Take the account's calls of that day for used up."""
        exhaust_calls(self._database, account, day, limit)

    def calls_used(self, account: str, day: str) -> int:
        """How many calls of the account were counted on that day."""
        with self._database.read() as connection:
            return calls_used(connection, account, day)

    def sweep(self) -> int:
        """Take offers past their time to live for gone; gives how many. They are hidden without it as well, at a price
        for every search. Runs whose process was killed are noted as such."""
        mark_killed(self._database)
        return sweep(self._database, self._database.now())

    def prune_runs(self, keep: int = RUNS_KEPT) -> int:
        """Take the runs of each shop but its latest ``keep`` (and those that offers come from) out of the book; gives
        how many."""
        return prune_runs(self._database, keep)

    def now(self) -> datetime:
        """The time by the catalogue's clock."""
        return self._database.now()


def _delivery(source: SourceRecord, now: datetime) -> Delivery:
    seconds = None if source.time_to_live is None else round(source.time_to_live.total_seconds())
    return Delivery(
        shop=source.shop,
        shop_name=None,
        format=source.format,
        origin=source.address,
        now=now,
        time_to_live=seconds,
        copies=source.copies,
    )


def next_time(source: SourceRecord, last: RunRecord | None) -> datetime | None:
    """When a source is due again after its ``last`` run; ``None`` for one that is refreshed by hand."""
    if source.every is None:
        return None
    return source.added_at if last is None else last.started + source.every


def _ready(
    times: Iterable[tuple[datetime | None, SourceRecord]], now: datetime
) -> Iterable[tuple[datetime, SourceRecord]]:
    return ((at, source) for at, source in times if at is not None and at <= now)
