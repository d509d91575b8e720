"""The run log: what each import and each refresh did, and how it ended."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, CursorResult, delete, func, insert, select, update

from mapsi.batches import batched
from mapsi.catalog.offer import BrokenRow
from mapsi.catalog.records import RunRecord, RunState
from mapsi.catalog.store.database import Database, storable
from mapsi.catalog.store.locks import shop_lock
from mapsi.catalog.store.tables import Import, ImportFault, OfferRow, Shop, SourceRow
from mapsi.errors import BusyError, CatalogError, MapsiError, NotFoundError

FAULTS_KEPT = 100
"""Broken rows of a run that are kept with line and reason; the others are counted."""

RUNS_KEPT = 200
"""The latest runs of each shop that are kept: weeks of a source that is refreshed every few hours."""

_BATCH = 20  # each costs SQLite a look at all offers, for none of them may name it

COUNTS = ("new", "changed", "unchanged", "gone")
_KILLED = "The process ended before it was done."


def new_id(result: CursorResult[Any]) -> int:
    """The number that the database gave to one inserted row."""
    key = result.inserted_primary_key
    return int(key[0]) if key else 0


def open_entry(database: Database, shop: str, format: str, origin: str) -> int:
    """Note that a run began. One still running under this shop's lock was killed."""
    killed, now = update(Import).where(Import.shop == shop, Import.state == "running"), database.now()
    with database.write() as connection:
        connection.execute(killed.values(state="killed", finished=now, reason=_KILLED))
        entry = insert(Import).values(
            shop=shop,
            format=storable(format, 50),
            origin=storable(origin, 10_000),
            started=now,
            state="running",
            reason="",
        )
        return new_id(connection.execute(entry))


def note_run(
    connection: Connection,
    run_id: int,
    state: RunState,
    now: datetime,
    reason: str = "",
    counts: Mapping[str, int] | None = None,
    broken: Sequence[BrokenRow] = (),
    broken_count: int = 0,
) -> None:
    """Write down how a run ended, in the caller's transaction; ``counts`` by the names in :data:`COUNTS`.

    Raises :class:`BusyError` where somebody else took it for dead meanwhile: all that it did in this transaction must
    then not be."""
    entry = update(Import).where(Import.id == run_id, Import.state != "killed")
    values = {"state": state, "finished": now, "reason": storable(reason, 10_000), "broken": broken_count}
    if not connection.execute(entry.values(values | dict(counts or {}))).rowcount:
        raise BusyError("The database was out of reach, and this run was taken for dead meanwhile.", "Refresh again.")
    rows = [
        {"import_id": run_id, "number": number, "line": row.line, "reason": storable(row.reason, 1000)}
        for number, row in enumerate(broken[:FAULTS_KEPT])
    ]
    if rows:
        connection.execute(delete(ImportFault).where(ImportFault.import_id == run_id))
        connection.execute(insert(ImportFault), rows)


@contextmanager
def recording_failure(database: Database, run_id: int) -> Iterator[None]:
    """Note a run that an error ends, and pass the error on."""
    try:
        yield
    except BaseException as error:
        reason = str(error) if isinstance(error, MapsiError) else f"It was interrupted ({type(error).__name__})."
        # Where even this cannot be written, the first error is the one to tell; the next run closes the entry.
        with suppress(CatalogError, BusyError), database.write() as connection:
            note_run(connection, run_id, "failed", database.now(), reason)
        raise


def last_runs(connection: Connection) -> dict[str, RunRecord]:
    """The last run of each shop, by its slug."""
    last = select(func.max(Import.id)).group_by(Import.shop)
    return {run.shop: run for run in _load(connection, select(Import).where(Import.id.in_(last)))}


def _load(connection: Connection, query: Any) -> list[RunRecord]:
    rows = connection.execute(query).all()
    faults: dict[int, list[BrokenRow]] = {row.id: [] for row in rows}
    told = select(ImportFault).where(ImportFault.import_id.in_(list(faults)))
    for fault in connection.execute(told.order_by(ImportFault.import_id, ImportFault.number)):
        faults[fault.import_id].append(BrokenRow(fault.line, fault.reason))
    return [RunRecord(**row._asdict(), faults=tuple(faults[row.id])) for row in rows]


class Runs:
    """The log of one catalogue's runs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def latest(self, name: str | None = None, limit: int = 20) -> list[RunRecord]:
        """The latest runs, of a source (by its name or its shop's slug) or of all, the newest first."""
        query = select(Import).order_by(Import.id.desc()).limit(limit)
        with self._database.read() as connection:
            if name is not None:
                shop = select(Shop.slug).join(SourceRow, SourceRow.shop_id == Shop.id).where(SourceRow.name == name)
                query = query.where(Import.shop == (connection.scalar(shop) or name))
            return _load(connection, query)

    def find(self, run_id: int) -> RunRecord:
        """A run by its number; raises :class:`NotFoundError`."""
        with self._database.read() as connection:
            found = _load(connection, select(Import).where(Import.id == run_id))
        if not found:
            raise NotFoundError(f"There is no run {run_id}.", "Look at the source's runs.")
        return found[0]

    def mark_killed(self) -> None:
        """Note runs that stand as running though nobody holds their shop's lock: their process was killed."""
        running = select(Import.id, Import.shop).where(Import.state == "running")
        with self._database.read() as connection:
            runs = connection.execute(running).all()
        for run_id, shop in runs:
            with shop_lock(self._database, shop) as free:
                if free:
                    killed = update(Import).where(Import.id == run_id, Import.state == "running")
                    with self._database.write() as connection:
                        connection.execute(killed.values(state="killed", finished=self._database.now(), reason=_KILLED))

    def prune(self, keep: int = RUNS_KEPT) -> int:
        """Take the runs of each shop but its latest ``keep`` from the log; returns how many. Those that offers come
        from stay."""
        with self._database.read() as connection:
            named = set(connection.scalars(select(OfferRow.import_id).distinct()))
            shops = list(connection.scalars(select(Import.shop).distinct()))
            old: list[int] = []
            for shop in shops:
                ended = select(Import.id).where(Import.shop == shop, Import.state != "running")
                latest_first = ended.order_by(Import.id.desc())
                # LIMIT is there because no database here takes an OFFSET without one.
                old += [run for run in connection.scalars(latest_first.offset(keep).limit(10_000)) if run not in named]
        for part in batched(old, _BATCH):
            with self._database.write() as connection:
                connection.execute(delete(ImportFault).where(ImportFault.import_id.in_(part)))
                connection.execute(delete(Import).where(Import.id.in_(part)))
        return len(old)
