"""What jobs do, handed in by the edge, and one job done under its lease."""

from __future__ import annotations

import logging
import os
import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from threading import Event, Thread

from mapsi.catalog import Catalog
from mapsi.catalog.operations.jobs import LEASE, Claim, Job
from mapsi.errors import MapsiError, NotFoundError

Say = Callable[[str], object]

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class JobActions:
    """How each kind of job is done. ``refresh`` and ``accept`` (a refresh that takes a feed though much of the shop
    goes) are given a source's name and tell whether offers changed; each raises a ``MapsiError`` where it goes
    wrong."""

    refresh: Callable[[str], bool]
    accept: Callable[[str], bool]
    index: Callable[[], object]
    prune: Callable[[], object]
    mail: Callable[[], object]
    preview: Callable[[str], object]


def worker_name() -> str:
    """A name that no other worker has: the machine, the process, and a few random letters."""
    return f"{socket.gethostname()[:60]}-{os.getpid()}-{secrets.token_hex(3)}"


def perform(catalog: Catalog, claim: Claim, actions: JobActions, say: Say) -> None:
    """Do a job that was claimed, and record how it went. A job that goes wrong is tried again later, also by a fault of
    ours, which is logged whole: it must neither end the worker nor be taken again at once by the next one. A job that
    is interrupted is given back at once.

    Raises a ``CatalogError`` where the database is gone: the job is free again when its lease has run out."""
    jobs = catalog.jobs
    try:
        with _kept(catalog, claim):
            _do(catalog, claim, actions)
    except NotFoundError as error:
        say(f"{describe_job(claim.job)}: {error}")
        jobs.finish(claim)
    except MapsiError as error:
        again = jobs.fail(claim, error.message)
        say(f"{describe_job(claim.job)}: {error} {_describe_next(again)}")
    except Exception:  # noqa: BLE001 - logged whole, recorded and told; the other jobs continue
        _log.exception("%s went wrong", describe_job(claim.job))
        again = jobs.fail(claim, "An internal error; see the log of the worker.")
        say(f"{describe_job(claim.job)}: an internal error; see the log. {_describe_next(again)}")
    except BaseException:  # Ctrl-C or SIGTERM: whoever comes next may take the job without waiting for the lease.
        with suppress(MapsiError):  # the interruption is what is to be told
            jobs.release(claim)
        raise
    else:
        jobs.finish(claim)
        say(f"{describe_job(claim.job)}: done")


def _describe_next(again: bool) -> str:
    return "It is tried again later." if again else "It is given up for now."


def describe_job(job: Job) -> str:
    """A job in words."""
    return f"{job.kind} {job.argument}".strip()


def _do(catalog: Catalog, claim: Claim, actions: JobActions) -> None:
    job = claim.job
    match job.kind:
        case "refresh" | "accept":
            take = actions.refresh if job.kind == "refresh" else actions.accept
            # Who was at it before may have been killed when the offers had changed and the index was not yet wanted.
            if take(job.argument) or claim.abandoned:
                catalog.jobs.put(Job("index"))
                if catalog.accounts.wanting_mail():
                    catalog.jobs.put(Job("mail"))
        case "index":
            actions.index()
        case "prune":
            actions.prune()
        case "mail":
            actions.mail()
        case "preview":
            actions.preview(job.argument)


@contextmanager
def _kept(catalog: Catalog, claim: Claim) -> Iterator[None]:
    """Renew the lease, from a thread beside, for as long as the work lasts."""
    over = Event()

    def renew() -> None:
        while not over.wait(LEASE.total_seconds() / 4):
            try:
                catalog.jobs.note_worker(claim.worker)
                catalog.jobs.renew(claim)
            except MapsiError as error:  # the next quarter may reach the database again
                _log.warning("The lease of %s could not be renewed: %s", describe_job(claim.job), error)

    beside = Thread(target=renew, name="lease", daemon=True)
    beside.start()
    try:
        yield
    finally:
        over.set()
        beside.join()
