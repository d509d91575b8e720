"""What jobs do, handed in by the edge, and one job done under its lease."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Event, Thread

from mapsi.catalog import Catalog
from mapsi.catalog.jobs import LEASE, Claim, Job
from mapsi.errors import BusyError, MapsiError, NotFoundError

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True)
class Hands:
    """How each kind of job is done. ``refresh`` and ``accept`` (a refresh that takes a feed though much of the shop goes) are
    given a source's name and tell whether offers changed; each raises a ``MapsiError`` where it goes wrong."""

    refresh: Callable[[str], bool]
    accept: Callable[[str], bool]
    index: Callable[[], object]
    prune: Callable[[], object]


def worker_name() -> str:
    """A name that no other worker has: the machine, the process, and a few random letters."""
    return f"{socket.gethostname()[:60]}-{os.getpid()}-{secrets.token_hex(3)}"


def perform(catalog: Catalog, claim: Claim, hands: Hands, say: Say) -> None:
    """Do a job that was claimed, and book how it went. A job that goes wrong is tried again later; one that is
    interrupted is given back at once."""
    jobs = catalog.jobs
    try:
        with _kept(catalog, claim):
            _do(catalog, claim.job, hands)
    except BusyError as error:
        say(f"{told(claim.job)}: {error}")
        jobs.fail(claim, error.message)
    except NotFoundError as error:
        say(f"{told(claim.job)}: {error}")
        jobs.finish(claim)
    except MapsiError as error:
        again = jobs.fail(claim, error.message)
        say(f"{told(claim.job)}: {error} {'It is tried again later.' if again else 'It is given up for now.'}")
    except BaseException:
        # Ctrl-C, SIGTERM or a fault of ours: whoever comes next may take the job without waiting for the lease.
        jobs.release(claim)
        raise
    else:
        jobs.finish(claim)
        say(f"{told(claim.job)}: done")


def told(job: Job) -> str:
    """A job in words."""
    return f"{job.kind} {job.argument}".strip()


def _do(catalog: Catalog, job: Job, hands: Hands) -> None:
    match job.kind:
        case "refresh" | "accept":
            take = hands.refresh if job.kind == "refresh" else hands.accept
            if take(job.argument):
                catalog.jobs.put(Job("index"))
        case "index":
            hands.index()
        case "prune":
            hands.prune()


@contextmanager
def _kept(catalog: Catalog, claim: Claim) -> Iterator[None]:
    """Renew the lease, from a thread beside, for as long as the work goes on."""
    over = Event()

    def renew() -> None:
        while not over.wait(LEASE.total_seconds() / 4):
            catalog.jobs.note_worker(claim.worker)
            catalog.jobs.renew(claim)

    beside = Thread(target=renew, name="lease", daemon=True)
    beside.start()
    try:
        yield
    finally:
        over.set()
        beside.join()
