"""Many small pieces of work in threads, with few of them waiting: memory stays flat, and a stop is a stop."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

PARKED = 20_000
"""Items that wait for their lane at most; then no more are drawn, whatever the other lanes could do."""


def in_threads(
    work: Callable[[Item], Result],
    items: Iterable[Item],
    threads: int,
    *,
    lane: Callable[[Item], str] = lambda item: "",
    width: Callable[[str], int] = lambda lane: 1 << 30,
) -> Iterator[Result]:
    """What ``work`` gives for each item, as it comes: one slow item holds up no other.

    Of the items of one ``lane`` no more than its ``width`` are worked on at once, and the others of it take no thread
    while they wait. ``items`` are drawn in the caller's thread, at most two a thread ahead and :data:`PARKED`. What
    ``work`` raises is raised here; then, and where the caller stops listening, items not begun are left alone.
    """
    pool = ThreadPoolExecutor(threads)
    lanes = _Lanes(lambda item: pool.submit(work, item), lane, width)
    try:
        for item in items:
            lanes.take(item)
            while len(lanes.running) >= 2 * threads or lanes.parked >= PARKED:
                yield from lanes.finished()
        while lanes.running:
            yield from lanes.finished()
    finally:
        pool.shutdown(cancel_futures=True)


class _Lanes(Generic[Item, Result]):
    """Items on their way: running, or parked until an item of their lane has ended."""

    def __init__(
        self, submit: Callable[[Item], Future[Result]], lane: Callable[[Item], str], width: Callable[[str], int]
    ) -> None:
        self.running: dict[Future[Result], str] = {}
        self.parked = 0
        self._submit, self._lane, self._width = submit, lane, width
        self._busy: Counter[str] = Counter()
        self._queues: dict[str, deque[Item]] = {}

    def take(self, item: Item) -> None:
        name = self._lane(item)
        self._queues.setdefault(name, deque()).append(item)
        self.parked += 1
        self._start(name)

    def finished(self) -> Iterator[Result]:
        """Wait for one item at least, and give what has ended."""
        done, _ = wait(self.running, return_when=FIRST_COMPLETED)
        for future in done:
            name = self.running.pop(future)
            self._busy[name] -= 1
            self._start(name)
            yield future.result()

    def _start(self, name: str) -> None:
        queue = self._queues.get(name, deque())
        while queue and (not self._busy[name] or self._busy[name] < self._width(name)):
            self.running[self._submit(queue.popleft())] = name
            self._busy[name] += 1
            self.parked -= 1
        if not queue:
            self._queues.pop(name, None)
