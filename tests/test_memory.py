"""Memory that is free goes back to the system: what came and went leaves nothing behind."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
from flask import Flask

from mapsi.web.server.bounds import Bounds
from mapsi.web.server.gate import WORTH_GIVING_BACK, Gate

_HOLES = """
import os
from mapsi.memory import give_back_now

def resident():
    return int(open("/proc/self/statm").read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

before = resident()
parts = [b"x" * 60_000 for _ in range(3000)]  # as bodies arrive; all but one in fifty go again
kept = parts[::50]
full = resident()
del parts
give_back_now()
print(before, full, resident())
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's")
def test_what_is_free_between_what_is_kept_is_given_back() -> None:
    run = subprocess.run([sys.executable, "-c", _HOLES], capture_output=True, text=True, check=True)
    before, full, after = map(int, run.stdout.split())
    assert full - before > 150e6
    assert after - before < 0.2 * (full - before)


@pytest.mark.parametrize(
    ("held", "times"),
    [
        ([WORTH_GIVING_BACK - 1, -WORTH_GIVING_BACK + 1], 0),
        ([WORTH_GIVING_BACK + 1], 0),
        ([WORTH_GIVING_BACK + 1, -WORTH_GIVING_BACK // 2], 0),
        ([WORTH_GIVING_BACK + 1, -WORTH_GIVING_BACK - 1], 1),
        ([WORTH_GIVING_BACK, WORTH_GIVING_BACK, *[-WORTH_GIVING_BACK // 4] * 8], 1),
        ([WORTH_GIVING_BACK + 1, -WORTH_GIVING_BACK - 1] * 3, 3),
    ],
)
def test_many_bodies_at_once_are_given_back_when_most_of_them_are_gone(
    held: list[int], times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    given, gate = list[str](), Gate(Flask("a").wsgi_app, Bounds(threads=1, largest=1))
    monkeypatch.setattr("mapsi.web.server.gate.give_back_now", lambda: given.append(threading.current_thread().name))
    for count in held:
        gate.hold(count)
    for thread in threading.enumerate():
        if thread.name == "mapsi-memory":
            thread.join()
    assert given == ["mapsi-memory"] * times
    gate.close()
