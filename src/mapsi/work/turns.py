"""Work in turn: one works at a time, and who waits for a stranger's server lets the next one go on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

MOST = 32
"""How many should stand aside: on a server database each keeps a connection, of 151 that a MariaDB gives out by
itself."""


class GivenUp(BaseException):
    """Raised in work that waited for a server while everything came to its end. Like ``KeyboardInterrupt`` no fault,
    so that nobody takes it for one of the work's own."""


@contextmanager
def stepping_aside() -> Iterator[None]:
    """In the block this thread waits for somebody's server: let others work meanwhile. Nothing outside of a
    :class:`Visit`."""
    thread = threading.current_thread()
    if isinstance(thread, Visit):
        with thread.aside():
            yield
    else:
        yield


class Visit(threading.Thread):
    """A piece of work that may wait for a server, in a thread of its own; it works while it has ``turn``."""

    def __init__(self, work: Callable[[], object], turn: threading.Lock, over: threading.Event) -> None:
        super().__init__(name="visit", daemon=True)  # one that a server keeps waiting keeps no process from its end
        self.left = threading.Event()
        self._work = work
        self._turn = turn
        self._over = over

    def run(self) -> None:
        try:
            with self._turn:
                self._work()
        except GivenUp:
            return
        finally:
            self.left.set()

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Give the turn back for the length of the block. Raises :class:`GivenUp` after it where all is over."""
        self._turn.release()
        self.left.set()
        try:
            yield
        finally:
            self._turn.acquire()
        if self._over.is_set():
            raise GivenUp


class Turns:
    """Whose turn it is to work. Only the thread that made it starts and ends anything."""

    def __init__(self) -> None:
        self.turn = threading.Lock()
        self._over = threading.Event()
        self._visits: list[Visit] = []

    def start(self, work: Callable[[], object]) -> Visit:
        """Do ``work``, and come back when it is done or steps aside."""
        visit = Visit(work, self.turn, self._over)
        self._visits = [*self.aside, visit]
        visit.start()
        visit.left.wait()
        return visit

    @property
    def aside(self) -> list[Visit]:
        """What is not done yet."""
        return [visit for visit in self._visits if visit.is_alive()]

    @property
    def are_many_aside(self) -> bool:
        """Whether one should end before another begins."""
        return len(self.aside) >= MOST

    def wait(self, seconds: float) -> bool:
        """Wait for one of those aside to end, for some seconds at most; False where there is none."""
        for visit in self.aside:
            visit.join(seconds)
            return True
        return False

    def close(self) -> None:
        """The end: who works comes to an end or steps aside, who is aside never works again."""
        with self.turn:
            self._over.set()
