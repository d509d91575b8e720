"""How often one client may search, counted by many threads at once."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Timer

from mapsi.web.request.limits import Counts


class SlowCounts(Counts):
    """Counts whose timer is looked at slowly, so that threads that count at once come between each other."""

    STORAGE_SCHEME = ["slow-counts"]  # noqa: RUF012 - as the library has it

    @property
    def timer(self) -> Timer:
        time.sleep(0.005)
        return self._timer

    @timer.setter
    def timer(self, timer: Timer) -> None:
        self._timer = timer


def test_threads_that_count_at_once_are_all_counted_and_none_fails() -> None:
    counts, together = SlowCounts(), Barrier(4)

    def count(_: int) -> None:
        for _ in range(5):
            together.wait(60)
            counts.incr("somebody", 60)
            time.sleep(0.03)  # the timer has ended

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count, range(4)))
    assert counts.get("somebody") == 20
