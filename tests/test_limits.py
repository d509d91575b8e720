"""How often one client may search, counted by many threads at once and held for as long as it counts."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from mapsi.web.request.limits import Counts


def test_threads_that_count_at_once_are_all_counted() -> None:
    counts, together = Counts(), Barrier(4)

    def count(_: int) -> None:
        together.wait(60)
        for _ in range(500):
            counts.incr("somebody", 60)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(count, range(4)))
    assert counts.get("somebody") == 2000


def test_a_count_ends_so_long_after_its_first_call() -> None:
    counts = Counts()
    begun = time.time()
    assert [counts.incr("somebody", 0.3), counts.incr("somebody", 60, 4)] == [1, 5]
    assert counts.get_expiry("somebody") == pytest.approx(begun + 0.3, abs=0.1)
    time.sleep(0.35)
    assert counts.get("somebody") == 0
    assert counts.incr("somebody", 60) == 1


def test_each_client_is_counted_alone_and_can_begin_anew() -> None:
    counts = Counts()
    for _ in range(3):
        counts.incr("one", 60)
    counts.incr("other", 60)
    counts.clear("one")
    assert (counts.get("one"), counts.get("other"), counts.check()) == (0, 1, True)
    assert (counts.reset(), counts.get("other")) == (1, 0)


def test_clients_beyond_what_is_held_push_out_those_that_asked_least_lately(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mapsi.web.request.limits.MOST_COUNTED", 2)
    counts = Counts()
    for client in ("one", "other", "one", "third"):
        counts.incr(client, 60)
    assert [counts.get(client) for client in ("one", "other", "third")] == [2, 0, 1]
