"""Jobs that wait for a worker: a queue in the catalogue's own database, which survives whatever is killed."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from mapsi.catalog.store.database import Database, storable
from mapsi.catalog.store.tables import JobRow, WorkerRow

JobKind = Literal["refresh", "accept", "index", "prune", "mail", "preview"]

LEASE = timedelta(seconds=60)
"""How long a job belongs to a worker that says nothing more of it."""

PAUSES = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30), timedelta(hours=3))
"""How long a job waits after each failure in a row; after one more it is given up until it is wanted again."""


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done: ``refresh`` the source named ``argument``, ``accept`` the feed of it that was held back,
    bring the ``index`` up to date, ``prune``, send the emails that wait (``mail``), find out what a refresh would
    change (``preview``)."""

    kind: JobKind
    argument: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueuedJob:
    """A job in the queue: who is at it, and how often in a row it went wrong."""

    job: Job
    worker: str
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingJob(QueuedJob):
    """A job as the operator sees it; ``worker`` is empty where it waits for its time ``due``."""

    due: datetime
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim(QueuedJob):
    """A job that a worker took. ``wanted`` is how often it had been asked for by then; ``abandoned`` says that a worker
    had it before and said nothing more."""

    wanted: int
    abandoned: bool = False


def put_job(connection: Connection, job: Job, now: datetime) -> bool:
    """:meth:`Jobs.put` in the transaction of what makes the job wanted: neither stands without the other."""
    again = update(JobRow).where(*_is(job)).values(wanted=JobRow.wanted + 1, failures=0, reason="")
    if connection.execute(again).rowcount:
        connection.execute(update(JobRow).where(*_is(job), JobRow.due_at > now).values(due_at=now))
        return False
    fresh = {"wanted": 1, "due_at": now, "leased_until": None, "worker": "", "failures": 0, "reason": ""}
    try:
        with connection.begin_nested():
            connection.execute(insert(JobRow).values(kind=job.kind, argument=job.argument, **fresh))
    except IntegrityError:
        connection.execute(again)
        return False
    return True


class Jobs:
    """The queue of one catalogue. Safe to share between threads, processes and machines."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, job: Job) -> bool:
        """Want a job done now. False where it waited already; one that is being done will be done once more."""
        with self._database.write() as connection:
            return put_job(connection, job, self._database.now())

    def claim(self, worker: str, job: Job | None = None, *, but: Collection[JobKind] = ()) -> Claim | None:
        """Take ``job``, or the one that is due the longest and not of the kinds ``but``, for ``LEASE``; ``None`` where
        there is none to be had."""
        with self._database.write() as connection:
            now = self._database.now()
            free = (
                JobRow.due_at <= now,
                or_(JobRow.leased_until.is_(None), JobRow.leased_until < now),
                JobRow.kind.not_in(but),
            )
            chosen = select(JobRow).where(*free).order_by(JobRow.due_at, JobRow.kind, JobRow.argument).limit(1)
            row = connection.execute(chosen if job is None else chosen.where(*_is(job))).one_or_none()
            if row is None:
                return None
            found = Job(row.kind, row.argument)
            # Two workers may have seen the same row: the one whose update finds it free has it.
            taken = update(JobRow).where(*_is(found), *free).values(leased_until=now + LEASE, worker=worker)
            if not connection.execute(taken).rowcount:
                return None
            abandoned = row.leased_until is not None
            return Claim(job=found, worker=worker, wanted=row.wanted, failures=row.failures, abandoned=abandoned)

    def renew(self, claim: Claim) -> bool:
        """Say that the work is still going on; False where the job is another worker's by now."""
        with self._database.write() as connection:
            later = update(JobRow).where(*_held(claim)).values(leased_until=self._database.now() + LEASE)
            return bool(connection.execute(later).rowcount)

    def finish(self, claim: Claim) -> None:
        """The job is done; where it was wanted again meanwhile, it waits again."""
        with self._database.write() as connection:
            done = delete(JobRow).where(*_held(claim), JobRow.wanted == claim.wanted)
            if not connection.execute(done).rowcount:
                self._give_back(connection, claim, failures=0, reason="")

    def fail(self, claim: Claim, reason: str) -> bool:
        """The job went wrong: it is tried again after a pause. False where it is given up after too many times."""
        with self._database.write() as connection:
            if claim.failures >= len(PAUSES):
                connection.execute(delete(JobRow).where(*_held(claim)))
                return False
            due = self._database.now() + PAUSES[claim.failures]
            self._give_back(connection, claim, failures=claim.failures + 1, reason=storable(reason, 1000), due_at=due)
            return True

    def release(self, claim: Claim) -> None:
        """Give a job back undone, for another worker to take at once."""
        with self._database.write() as connection:
            self._give_back(connection, claim)

    def _give_back(self, connection: Connection, claim: Claim, **values: Any) -> None:
        connection.execute(update(JobRow).where(*_held(claim)).values(leased_until=None, worker="", **values))

    def due(self) -> list[Job]:
        """The jobs that a worker could take now, the longest due first."""
        with self._database.read() as connection:
            now = self._database.now()
            free = (JobRow.due_at <= now, or_(JobRow.leased_until.is_(None), JobRow.leased_until < now))
            return [
                Job(row.kind, row.argument)
                for row in connection.execute(select(JobRow).where(*free).order_by(JobRow.due_at))
            ]

    def all(self) -> list[WaitingJob]:
        """All jobs, those that are being done included, by the time they are due."""
        with self._database.read() as connection:
            now = self._database.now()
            rows = connection.execute(select(JobRow).order_by(JobRow.due_at, JobRow.kind, JobRow.argument)).all()
            return [
                WaitingJob(
                    job=Job(row.kind, row.argument),
                    due=row.due_at,
                    worker=row.worker if row.leased_until is not None and row.leased_until >= now else "",
                    failures=row.failures,
                    reason=row.reason,
                )
                for row in rows
            ]

    def note_worker(self, name: str) -> None:
        """Say that a worker is there."""
        now = self._database.now()
        with self._database.write() as connection:
            if not connection.execute(update(WorkerRow).where(WorkerRow.name == name).values(seen_at=now)).rowcount:
                connection.execute(delete(WorkerRow).where(WorkerRow.seen_at < now - timedelta(days=1)))
                connection.execute(insert(WorkerRow).values(name=name, seen_at=now))

    def workers(self, within: timedelta = LEASE) -> list[str]:
        """The workers seen lately, by name."""
        with self._database.read() as connection:
            since = self._database.now() - within
            return list(
                connection.scalars(select(WorkerRow.name).where(WorkerRow.seen_at >= since).order_by(WorkerRow.name))
            )


def _is(job: Job) -> tuple[ColumnElement[bool], ...]:
    return JobRow.kind == job.kind, JobRow.argument == job.argument


def _held(claim: Claim) -> tuple[ColumnElement[bool], ...]:
    return *_is(claim.job), JobRow.worker == claim.worker
