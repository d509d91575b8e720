"""The jobs of one worker: one is worked on, and those that wait for shops' servers stand aside."""

from __future__ import annotations

from contextlib import suppress

from mapsi.catalog import Catalog
from mapsi.catalog.operations.jobs import Claim, JobKind
from mapsi.errors import MapsiError
from mapsi.work.performing import JobActions, Say, perform
from mapsi.work.turns import Turns, Visit

VISITING: frozenset[JobKind] = frozenset({"refresh", "accept", "preview"})
"""Jobs that may wait for a shop's server."""


class Crew:
    """Does jobs that were claimed, for a worker of one thread."""

    def __init__(self, catalog: Catalog, actions: JobActions, say: Say) -> None:
        self._catalog = catalog
        self._hands = actions
        self._say = say
        self._turns = Turns()
        self._visits: dict[Visit, Claim] = {}

    def do(self, claim: Claim) -> None:
        """Do a job, until it is done or waits for a server; it goes on by itself then."""
        if claim.job.kind in VISITING:
            self._visits = {visit: claim for visit, claim in self._visits.items() if visit.is_alive()}
            self._visits[self._turns.start(lambda: self._perform(claim))] = claim
        else:
            with self._turns.turn:
                perform(self._catalog, claim, self._hands, self._say)

    def _perform(self, claim: Claim) -> None:
        try:
            perform(self._catalog, claim, self._hands, self._say)
        except MapsiError as error:  # the database is gone; the job is free again when its lease has run out
            self._say(str(error))

    @property
    def not_now(self) -> frozenset[JobKind]:
        """What it should not be given now."""
        return VISITING if self._turns.are_many_aside else frozenset()

    def wait(self, seconds: float) -> bool:
        """Wait for a job that stands aside, for some seconds at most; False where there is none."""
        return self._turns.wait(seconds)

    def close(self) -> None:
        """Finish the job at hand, and give back those that stand aside: nothing of them is lost but the wait."""
        self._turns.close()
        for visit, claim in self._visits.items():
            if visit.is_alive():
                with suppress(MapsiError):  # free when its lease has run out
                    self._catalog.jobs.release(claim)
