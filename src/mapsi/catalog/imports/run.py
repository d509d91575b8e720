"""A run from its first row to its last: locked, recorded whatever happens, each delivery staged and then switched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import Connection, func, select

from mapsi.batches import batched
from mapsi.catalog.imports.query_answers import mark_answers_taken
from mapsi.catalog.imports.run_log import COUNTS, note_run, open_entry, recording_failure
from mapsi.catalog.imports.sources import remember_feed
from mapsi.catalog.imports.staging import Stage, create_stage
from mapsi.catalog.imports.switching import Scope, switch, validity_of
from mapsi.catalog.offer import BrokenRow, Delivery, Offer, Withdrawal
from mapsi.catalog.records import ImportReport, RunState
from mapsi.catalog.store.database import Database, begin_write
from mapsi.catalog.store.expiry import renew_all
from mapsi.catalog.store.locks import PATIENCE, shop_lock, switch_lock
from mapsi.catalog.store.tables import OfferRow, Shop
from mapsi.catalog.text.class_words import save_class_words
from mapsi.errors import BusyError, FeedError
from mapsi.progress import Advance, no_advance
from mapsi.taxonomy import Taxonomy

Row = Offer | BrokenRow | Withdrawal
_BATCH = 1000
_BROKEN_KEPT = 1000


@contextmanager
def open_run(database: Database, delivery: Delivery, taxonomy: Taxonomy) -> Iterator[Run]:
    """Lock the shop and open its log entry; an error that ends the block is recorded.

    Raises :class:`BusyError` where another run of the shop is in progress."""
    with shop_lock(database, delivery.shop, seconds=PATIENCE) as free:
        if not free:
            raise BusyError(
                f"Another import of the shop {delivery.shop} is running.", "Wait until it has ended, then start again."
            )
        run_id = open_entry(database, delivery.shop, delivery.format, delivery.origin)
        with recording_failure(database, run_id):
            yield Run(database, delivery, taxonomy, run_id)


class Run:
    """A run of one shop, whose lock is held and whose entry in the log is open. It takes over one delivery or several,
    each of them whole or not at all; its counts add up. It has a connection only while it does: a shop that takes its
    time to send its feed keeps none."""

    def __init__(self, database: Database, delivery: Delivery, taxonomy: Taxonomy, run_id: int) -> None:
        self.id = run_id
        self._database = database
        self._delivery = delivery
        self._taxonomy = taxonomy
        self._counts = dict.fromkeys(COUNTS, 0)
        self._broken = Broken()

    def take(
        self,
        rows: Iterable[Row],
        *,
        whole: bool = True,
        shrink: float | None = None,
        accept: bool = False,
        seen_at: datetime | None = None,
        remember: Mapping[str, str] | None = None,
        progress: Advance = no_advance,
    ) -> ImportReport:
        """Take over all of the shop's offers, or changes to them where not ``whole``.

        Where more than the share ``shrink`` of the living offers would go, or all of them, nothing is taken and the
        report says ``held``, unless a person said ``accept``. Without ``shrink`` any share may go, and a feed without
        an offer is an error. ``remember`` is kept together with the offers, to know the feed again by.
        """
        with self._staged(rows, progress) as stage:
            living = _count_living(stage) if whole and shrink is not None else 0
            _refuse_none_good(stage, self._broken, may_be_empty=not whole or living > 0)
            if living and shrink is not None and not accept:
                reason = reason_to_hold(living, stage.counts.kept, shrink)
                if reason:
                    return self.end("held", f"{reason} The feed is held back; nothing was changed.")
            scope = Scope.EVERYTHING if whole else Scope.CHANGES
            delivery = replace(self._delivery, seen_at=seen_at)
            return self._switch(stage, delivery, scope, "done", "", remember or {})

    def take_part(
        self, rows: Iterable[Row], reason: str, *, seen_at: datetime | None = None, progress: Advance = no_advance
    ) -> ImportReport:
        """Take over some of the shop's offers while others are still to come, for a ``reason`` in a sentence: those
        keep the time they had."""
        delivery = replace(self._delivery, seen_at=seen_at)
        with self._staged(rows, progress) as stage:
            return self._switch(stage, delivery, Scope.PART, "partial", reason, {})

    def renew(self) -> ImportReport:
        """End with everything as it was: the source still has it, so it is good for another time to live."""
        with self._database.write() as connection:
            shop_id = connection.scalar(select(Shop.id).where(Shop.slug == self._delivery.shop))
            if shop_id is not None:
                renew_all(connection, shop_id, validity_of(self._delivery))
                self._counts["unchanged"] = count_living(connection, shop_id)
            self._note(connection, "unchanged", "")
        return self._report("unchanged", "")

    def end(self, state: RunState, reason: str = "") -> ImportReport:
        """End without taking anything (more) over."""
        with self._database.write() as connection:
            self._note(connection, state, reason)
        return self._report(state, reason)

    @contextmanager
    def _staged(self, rows: Iterable[Row], progress: Advance) -> Iterator[Stage]:
        with self._database.session() as connection:
            create_stage(connection)
            with connection.begin():
                shop_id = connection.scalar(select(Shop.id).where(Shop.slug == self._delivery.shop))
            stage = Stage(connection, shop_id, self._taxonomy, self._delivery.now)
            fill(stage, rows, self._broken, progress)
            yield stage

    def _switch(
        self,
        stage: Stage,
        delivery: Delivery,
        scope: Scope,
        state: RunState,
        reason: str,
        remember: Mapping[str, str],
    ) -> ImportReport:
        connection = stage.connection
        with switch_lock(self._database, connection), begin_write(connection):
            shop_id, gone = switch(connection, delivery, self.id, scope, self._taxonomy)
            save_class_words(connection, self._taxonomy)
            counts = stage.counts
            for name, count in zip(
                COUNTS, (counts.new, counts.changed, counts.same + counts.spared, gone), strict=True
            ):
                self._counts[name] += count
            if scope is Scope.PART:
                mark_answers_taken(connection, shop_id)
            else:
                remember_feed(connection, shop_id, remember, stage.reading)
            self._note(connection, state, reason)
        return self._report(state, reason)

    def _note(self, connection: Connection, state: RunState, reason: str) -> None:
        broken, now = self._broken, self._database.now()
        note_run(connection, self.id, state, now, reason, self._counts, broken.told, broken.count)

    def _report(self, state: RunState, reason: str) -> ImportReport:
        return ImportReport(
            import_id=self.id,
            state=state,
            reason=reason,
            broken=self._broken.told,
            broken_count=self._broken.count,
            **self._counts,
        )


@dataclass
class Broken:
    """Broken rows: the first ones that were skipped, the first whose offers were taken in part, how many were skipped,
    and the ids of those that could be read so far."""

    first: list[BrokenRow] = field(default_factory=list)
    taken: list[BrokenRow] = field(default_factory=list)
    count: int = 0
    ids: list[str] = field(default_factory=list)

    @property
    def told(self) -> tuple[BrokenRow, ...]:
        """As many as are kept: those that were skipped, then those whose offers were taken in part."""
        return tuple((self.first + self.taken)[:_BROKEN_KEPT])

    def add(self, rows: Iterable[BrokenRow]) -> None:
        for row in rows:
            self.count += not row.taken
            kept = self.taken if row.taken else self.first
            if len(kept) < _BROKEN_KEPT:
                kept.append(row)
            if row.id:
                self.ids.append(row.id)

    def spare(self, stage: Stage) -> None:
        """Keep the living offers of broken rows as they are, and say so."""
        spared: set[str] = set()
        for ids in batched(self.ids, _BATCH):
            spared |= stage.spare(ids)
        self.first = [
            replace(row, reason=f"{row.reason} Its offer stays as it was.") if row.id in spared else row
            for row in self.first
        ]
        self.ids.clear()


def fill(stage: Stage, rows: Iterable[Row], broken: Broken, progress: Advance) -> None:
    """Stage all rows, batch by batch."""
    for batch in batched(rows, _BATCH):
        broken.add(row for row in batch if isinstance(row, BrokenRow))
        broken.add(stage.put([row for row in batch if isinstance(row, Offer)]))
        stage.withdraw([row for row in batch if isinstance(row, Withdrawal)])
        progress(len(batch))
    broken.spare(stage)


def reason_to_hold(living: int, kept: int, shrink: float) -> str:
    """Why a whole feed that keeps ``kept`` of ``living`` offers waits for a person, or nothing."""
    gone = living - kept
    if not gone or (kept and gone <= shrink * living):
        return ""
    if not kept:
        return f"All {living:,} offers would be gone."
    return (
        f"{gone:,} of {living:,} offers would be gone, more than the {shrink:.0%} that may disappear without "
        "a person looking."
    )


def count_living(connection: Connection, shop_id: int | None) -> int:
    """How many offers of the shop live, in the caller's transaction."""
    living = select(func.count()).where(OfferRow.shop_id == shop_id, OfferRow.gone_at.is_(None))
    return int(connection.scalar(living) or 0)


def _count_living(stage: Stage) -> int:
    with stage.connection.begin():
        return count_living(stage.connection, stage.shop_id)


def _refuse_none_good(stage: Stage, broken: Broken, *, may_be_empty: bool) -> None:
    if stage.counts.good or stage.counts.withdrawn or stage.counts.missing:
        return
    if broken.count:
        first = broken.first[0]
        raise FeedError(
            f"None of the feed's {broken.count} rows can be used; the first, in line {first.line}: {first.reason}",
            "Fix the feed; nothing was changed.",
        )
    if not may_be_empty:
        raise FeedError("The feed has no offers.", "Check that it is the right file; nothing was changed.")
