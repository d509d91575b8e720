"""Many small pieces of work in threads, with few of them waiting: memory stays flat, and a stop is a stop."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_threads(work: Callable[[Item], Result], items: Iterable[Item], threads: int) -> Iterator[Result]:
    """What ``work`` gives for each item, as it comes: one slow item holds up no other.

    ``items`` are drawn in the caller's thread, at most two a thread ahead. What ``work`` raises is raised here; then,
    and where the caller stops listening, items not begun are left alone.
    """
    pool = ThreadPoolExecutor(threads)
    waiting: set[Future[Result]] = set()
    try:
        for item in items:
            waiting.add(pool.submit(work, item))
            if len(waiting) >= 2 * threads:
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)
    finally:
        pool.shutdown(cancel_futures=True)
