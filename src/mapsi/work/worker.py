"""A worker in the process: nothing to install, nothing else to run; several may work on one catalogue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event

from mapsi.catalog import Catalog
from mapsi.errors import MapsiError
from mapsi.work.crew import Crew
from mapsi.work.performing import JobActions, Say, worker_name
from mapsi.work.schedule import Schedule

TICK = 5.0
"""Seconds between two looks at the queue."""


def _clock() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Worker:
    """Asks for what is due and does what waits, one job after the other, until :attr:`stop` is set. A job that waits
    for a shop's server steps aside for the next one."""

    catalog: Catalog
    actions: JobActions
    say: Say
    now: Callable[[], datetime] = _clock
    name: str = field(default_factory=worker_name)
    stop: Event = field(default_factory=Event)
    _crew: Crew = field(init=False)

    def __post_init__(self) -> None:
        self._crew = Crew(self.catalog, self.actions, self.say)

    def run(self) -> None:
        """Work until stopped; a job that is in progress when ``stop`` is set is finished, one that waits for a server
        is given back. A database that is gone for a while is reported once and waited for."""
        try:
            self._run()
        finally:
            self._crew.close()

    def _run(self) -> None:
        schedule, told = Schedule(self.catalog), ""
        while not self.stop.is_set():
            try:
                self.catalog.jobs.note_worker(self.name)
                schedule.ask(self.now())
                busy, told = self.step(), ""
            except MapsiError as error:
                busy = False
                if str(error) != told:
                    told = str(error)
                    self.say(told)
            if not busy:
                self.stop.wait(TICK)

    def run_once(self) -> int:
        """Ask for what is due, do everything that can be done now, and end; how many jobs that were."""
        Schedule(self.catalog).ask(self.now())
        done = 0
        try:
            while not self.stop.is_set():
                if self.step():
                    done += 1
                elif not self._crew.wait(TICK):
                    break
        finally:
            self._crew.close()
        return done

    def step(self) -> bool:
        """Do one job, until it is done or waits for a server; False where none can be had."""
        claim = self.catalog.jobs.claim(self.name, but=self._crew.not_now)
        if claim is None:
            return False
        self._crew.do(claim)
        return True
