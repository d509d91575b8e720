"""The simulation behind docs/scale.md, beside closed forms of queues and the figures on the page."""

from __future__ import annotations

import importlib
import json
import math
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import simpy

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def scale() -> Iterator[ModuleType]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "benchmarks"))
        yield importlib.import_module("simulate_scale")


def erlang_c(servers: int, load: float) -> float:
    """The share of visitors who wait, of a queue M/M/c: Erlang's second formula (1917)."""
    last = load**servers / math.factorial(servers) * servers / (servers - load)
    return last / (sum(load**k / math.factorial(k) for k in range(servers)) + last)


@pytest.mark.parametrize(("servers", "load"), [(1, 0.6), (4, 3.0), (16, 12.0)])
def test_visitors_wait_as_long_as_in_the_closed_form(scale: ModuleType, servers: int, load: float) -> None:
    rng, env, waited = np.random.default_rng(1), simpy.Environment(), list[float]()
    station = scale.Station(env, 1, servers)

    def visit(seconds: float) -> Iterator[simpy.Event]:
        begun = env.now
        yield from station.work(seconds)
        waited.append(env.now - begun - seconds)

    def visitors() -> Iterator[simpy.Event]:
        for _ in range(30_000):
            yield env.timeout(rng.exponential(1 / load))
            env.process(visit(rng.exponential(1)))

    env.process(visitors())
    env.run()
    expected = erlang_c(servers, load) / (servers - load)
    assert np.mean(waited) == pytest.approx(expected, rel=0.15)
    assert station.busy == pytest.approx(30_000, rel=0.02)


def test_clients_that_ask_again_at_once_get_what_the_cores_give(scale: ModuleType) -> None:
    rate, p95 = scale.closed(8, 2, 0.05, 60, np.random.default_rng(0))
    assert rate == pytest.approx(2 / 0.05, rel=0.02)
    assert 8 / rate < p95 < 1.5 * 8 / rate


def test_a_search_waits_for_the_slowest_of_its_shards(scale: ModuleType) -> None:
    def middle(shards: int, copies: int = 4) -> float:
        plan = scale.Plan("some", 140, 0.01, 0.1, shards, 2, copies)
        return float(np.median(scale.simulate(plan, 10, np.random.default_rng(0))))

    one, many = middle(1), middle(30)
    assert one == pytest.approx(0.11, rel=0.05)
    assert 1.4 * 0.1 < many < 1.8 * 0.1
    assert middle(30, copies=1) > many


def test_a_plan_keeps_a_third_of_its_cores_for_machines_that_fail(scale: ModuleType) -> None:
    plan = scale.planned("some", 1000, 10, 0.06, 0.09)
    for machines, seconds in ((plan.readers, plan.read_s), (plan.copies, plan.shard_s)):
        assert 1000 * seconds / (machines * scale.CORES) <= scale.FULL
        assert 1000 * seconds / ((machines - 1) * scale.CORES) < 1
    assert plan.machines == plan.readers + 10 * plan.copies


def test_the_page_shows_the_plans_for_what_was_measured(scale: ModuleType) -> None:
    page = (ROOT / "docs" / "scale.md").read_text("utf-8")
    serving, measured = (
        json.loads((ROOT / "benchmarks" / name).read_text("utf-8")) for name in ("serving.json", "scale.json")
    )
    for plan in scale.plans(100, 1000, serving, measured):
        row = f"| {plan.name} | {1000 * plan.read_s:.0f} | {1000 * plan.shard_s:.0f} | {plan.readers} | {plan.copies} of 10 "
        assert row in page, "run `python benchmarks/simulate_scale.py --write`"
