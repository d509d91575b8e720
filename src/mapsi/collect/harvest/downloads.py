"""Several downloads at once, never two at one host, and none at a host that asks to be left alone."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from mapsi.collect.pace import Clock, hour_of

PATIENCE = 60
"""Seconds to wait for a host of photos; one that asks for longer is left alone for the rest of the run."""

ASKED_AGAIN = 2
"""How often a host may answer that it is busy before it is left alone."""

Job = TypeVar("Job")
Result = TypeVar("Result")


class HostBusy(Exception):  # noqa: N818 - a host's request, not an error
    """The host asks to come back later: after ``seconds``, where it says when."""

    def __init__(self, seconds: float | None) -> None:
        super().__init__("the host is busy")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Postponed:
    """A job that was not done because its ``host`` wants to be left alone, ``until`` an hour where it says one."""

    host: str
    until: str


@dataclass(slots=True)
class _Host(Generic[Job]):
    waiting: deque[Job] = field(default_factory=deque)
    active: bool = False
    free_at: float = 0.0
    busy_answers: int = 0
    closed: Postponed | None = None


class Downloads(Generic[Job, Result]):
    """Runs ``work`` on jobs in ``threads`` threads. ``host_of`` tells where a job goes; jobs of one host run in turn.

    ``work`` raises :class:`HostBusy` where the host says so: the job waits and is tried again, or comes back as
    :class:`Postponed`, as all later ones of that host do. Any other exception is raised by :meth:`finished`.
    """

    def __init__(
        self, work: Callable[[Job], Result], host_of: Callable[[Job], str], clock: Clock, threads: int = 8
    ) -> None:
        self._work = work
        self._host_of = host_of
        self._clock = clock
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="download")
        self._hosts: dict[str, _Host[Job]] = defaultdict(_Host)
        self._running: dict[Future[Result], Job] = {}
        self._given_up: list[tuple[Job, Postponed]] = []
        self.in_flight = 0

    def add(self, job: Job) -> None:
        """Take on a job; its result comes out of :meth:`finished`."""
        self.in_flight += 1
        host = self._hosts[self._host_of(job)]
        if host.closed is not None:
            self._given_up.append((job, host.closed))
        else:
            host.waiting.append(job)
            self._start_some()

    def finished(self) -> list[tuple[Job, Result | Postponed]]:
        """Wait for at least one job to end, and give all that have; nothing where none is in flight.

        No other job is begun until the next call: what a killed process had not written down is then never more than
        what ``threads`` had in hand.
        """
        self._start_some()
        while self.in_flight:
            done: list[tuple[Job, Result | Postponed]] = [*self._given_up]
            self._given_up.clear()
            done += self._collected() if self._running else []
            if done:
                self.in_flight -= len(done)
                return done
            self._start_some()
            if not self._running and not self._given_up:
                self._clock.sleep(max(0.0, self._next_free() - self._clock.now()))
                self._start_some()
        return []

    def close(self) -> None:
        """Let running downloads end, start no other."""
        self._pool.shutdown(cancel_futures=True)

    def _start_some(self) -> None:
        now = self._clock.now()
        for host in self._hosts.values():
            if len(self._running) >= self._threads:
                return
            if host.waiting and not host.active and host.free_at <= now:
                host.active = True
                job = host.waiting.popleft()
                self._running[self._pool.submit(self._work, job)] = job

    def _collected(self) -> list[tuple[Job, Result | Postponed]]:
        ended, _ = wait(self._running, return_when=FIRST_COMPLETED)
        results: list[tuple[Job, Result | Postponed]] = []
        for future in ended:
            job = self._running.pop(future)
            host = self._hosts[self._host_of(job)]
            host.active = False
            try:
                results.append((job, future.result()))
                host.busy_answers = 0
            except HostBusy as busy:
                self._put_off(job, host, busy)
        return results

    def _put_off(self, job: Job, host: _Host[Job], busy: HostBusy) -> None:
        host.busy_answers += 1
        host.waiting.appendleft(job)
        seconds = busy.seconds if busy.seconds is not None else 5.0 * host.busy_answers
        if seconds <= PATIENCE and host.busy_answers <= ASKED_AGAIN:
            host.free_at = self._clock.now() + seconds
            return
        until = hour_of(self._clock.now() + seconds) if busy.seconds is not None else ""
        host.closed = Postponed(self._host_of(job), until)
        self._given_up += [(left, host.closed) for left in host.waiting]
        host.waiting.clear()

    def _next_free(self) -> float:
        return min(host.free_at for host in self._hosts.values() if host.waiting)
