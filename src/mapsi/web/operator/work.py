"""Work as the operator sees it: jobs that wait or are being done, and who does them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from mapsi.catalog import Catalog
from mapsi.catalog.operations.jobs import WaitingJob
from mapsi.web.request.languages import spoken
from mapsi.web.request.languages import translate as _
from mapsi.web.request.times import TimeView, view_time


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """A job in words. ``worker`` names who is at it; else it waits for ``due``, after ``failures`` in a row."""

    name: str
    about: str
    worker: str
    ready: bool
    due: TimeView
    failures: int
    reason: str

    @property
    def tone(self) -> str:
        """The colour of its mark, as for runs."""
        return "busy" if self.worker else "bad" if self.failures else "quiet"

    @property
    def mark(self) -> str:
        return "turn" if self.worker else "cross" if self.failures else "clock"


@dataclass(frozen=True, slots=True)
class WorkView:
    """The queue, and the workers seen within the last minute."""

    jobs: tuple[JobView, ...]
    workers: tuple[str, ...]


def view_work(catalog: Catalog, now: datetime) -> WorkView:
    """What waits and who works, as seen at ``now``."""
    jobs = tuple(_view_job(one, now) for one in catalog.jobs.all())
    return WorkView(jobs, tuple(catalog.jobs.workers()))


def _view_job(waiting: WaitingJob, now: datetime) -> JobView:
    return JobView(
        name=spoken(_NAMES, waiting.job.kind),
        about=waiting.job.argument,
        worker=waiting.worker,
        ready=waiting.due <= now,
        due=view_time(waiting.due, now),
        failures=waiting.failures,
        reason=waiting.reason,
    )


_NAMES = {
    "refresh": lambda: _("Refresh"),
    "accept": lambda: _("Import the held feed"),
    "index": lambda: _("Pictures and index"),
    "prune": lambda: _("Tidy up"),
    "preview": lambda: _("Dry run"),
    "mail": lambda: _("Emails"),
}
