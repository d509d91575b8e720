"""A worker in the process: nothing to install, nothing else to run; several may work on one catalogue."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from threading import Event

from mapsi.catalog import Catalog
from mapsi.errors import MapsiError
from mapsi.work.hands import Hands, Say, perform, worker_name
from mapsi.work.schedule import Schedule

TICK = 5.0
"""Seconds between two looks at the queue."""


def _clock() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Worker:
    """Asks for what is due and does what waits, one job after the other, until :attr:`stop` is set."""

    catalog: Catalog
    hands: Hands
    say: Say
    now: Callable[[], datetime] = _clock
    name: str = field(default_factory=worker_name)
    stop: Event = field(default_factory=Event)

    def run(self) -> None:
        """Work until stopped; a job that is in progress when ``stop`` is set is finished. A database that is gone for a
        while is reported once and waited for."""
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
        while not self.stop.is_set() and self.step():
            done += 1
        return done

    def step(self) -> bool:
        """Do one job; False where none can be had."""
        claim = self.catalog.jobs.claim(self.name)
        if claim is None:
            return False
        perform(self.catalog, claim, self.hands, self.say)
        return True
