"""What comes due by itself: refreshes of sources by their own times, pictures and pruning once a day."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from mapsi.catalog import Catalog
from mapsi.catalog.operations.jobs import Job

DAILY = timedelta(days=1)


@dataclass(slots=True)
class Schedule:
    """Asks for what is due. Any number of workers may ask: a job that is already waiting is not queued twice.

    ``daily`` holds when this process last asked for the daily jobs; the first time is its start, so that a worker that
    is restarted catches up.
    """

    catalog: Catalog
    daily: datetime | None = None

    def due(self, now: datetime) -> list[Job]:
        """The jobs whose time has come at ``now``, not yet asked for."""
        found = [Job("refresh", source.name) for source in self.catalog.sources.due(now)]
        if self._is_new_day(now):
            # Pictures are asked for changes by their own times, a share of them every day.
            found += [Job("index"), Job("prune")]
            # Emails ask for their job when they are put; one that was given up is tried once a day.
            found += [Job("mail")] if self.catalog.emails.waiting(1) or self.catalog.accounts.wanting_mail() else []
        return found

    def _is_new_day(self, now: datetime) -> bool:
        return self.daily is None or now - self.daily >= DAILY

    def ask(self, now: datetime) -> list[Job]:
        """Put what is due into the queue; returns the jobs that were not already waiting there."""
        self.catalog.sweep()
        waiting = {one.job for one in self.catalog.jobs.all()}
        asked = [job for job in _once(self.due(now)) if job not in waiting and self.catalog.jobs.put(job)]
        if self._is_new_day(now):
            self.catalog.peoples_searches.forget_old()
            self.daily = now  # only now: a database that was gone in between is asked again
        return asked


def _once(jobs: Iterable[Job]) -> list[Job]:
    return list(dict.fromkeys(jobs))
