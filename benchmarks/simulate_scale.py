"""A hundred million products and a thousand searches by photo a second: machines, reckoned and then simulated.

    python benchmarks/simulate_scale.py [--products 100] [--rate 1000] [--write]
    python benchmarks/simulate_scale.py --measure

Fed with what was measured: the processor time of an answer (``serving.json``, by ``make bench``), and of a million rows
(``scale.json``; ``--measure`` measures there what ranking does besides the search itself), ten times for a shard.
simpy lets visitors come at random, photos be read, and all shards be asked; ``--write`` puts the outcome into
docs/scale.md.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import simpy
from figures import put_figures

HERE = Path(__file__).parent
PAGE = HERE.parent / "docs" / "scale.md"
CORES, FULL = 16, 0.6
"""Cores of a machine, and how far they are used: what is left is for the machines that fail, and for peaks."""
MIX = {"0.3 MP JPEG, 8 clients": 0.7, "3 MP JPEG, 8 clients": 0.2, "12 MP JPEG, 8 clients": 0.1}
"""How many of the photos are how large: assumed. Pages send them scaled down, programs as they are."""
STEADY = 16
"""Shape of the gamma distribution of service times: they differ by a quarter of their mean."""
CORE_HOUR = 0.04
"""Assumed price of a core with 4 GB for an hour, in dollars."""
Steps = Generator[simpy.Event, Any, None]


@dataclass(frozen=True)
class Plan:
    """Machines of 16 cores that read photos, and such that hold a shard each: ``copies`` of every one of ``shards``.
    Seconds of processor time: ``read_s`` a photo, its page included, and ``shard_s`` a question to a shard."""

    name: str
    rate: float
    read_s: float
    shard_s: float
    shards: int
    readers: int
    copies: int

    @property
    def machines(self) -> int:
        return self.readers + self.shards * self.copies


def planned(name: str, rate: float, shards: int, read_s: float, shard_s: float) -> Plan:
    """As many machines as keep all cores busy by :data:`FULL`, at least two of each."""
    readers, copies = (max(2, math.ceil(rate * each / (CORES * FULL))) for each in (read_s, shard_s))
    return Plan(name, rate, read_s, shard_s, shards, readers, copies)


class Station:
    """Machines that do the same work, asked in turn."""

    def __init__(self, env: simpy.Environment, machines: int, cores: int) -> None:
        self._machines = [simpy.Resource(env, cores) for _ in range(machines)]
        self._env, self._next, self.busy = env, 0, 0.0

    def work(self, seconds: float) -> Steps:
        """Wait for a core and hold it for so long."""
        machine = self._machines[self._next]
        self._next = (self._next + 1) % len(self._machines)
        with machine.request() as core:
            yield core
            yield self._env.timeout(seconds)
        self.busy += seconds


def simulate(plan: Plan, seconds: float, rng: np.random.Generator) -> list[float]:
    """Seconds that each search took of those that came after a fifth of the time, which fills the site."""
    env, took = simpy.Environment(), list[float]()
    readers = Station(env, plan.readers, CORES)
    shards = [Station(env, plan.copies, CORES) for _ in range(plan.shards)]

    def search() -> Steps:
        begun = env.now
        yield from readers.work(_steady(plan.read_s, rng))
        yield simpy.AllOf(env, [env.process(shard.work(_steady(plan.shard_s, rng))) for shard in shards])
        if begun > seconds / 5:
            took.append(env.now - begun)

    def visitors() -> Steps:
        while True:
            yield env.timeout(rng.exponential(1 / plan.rate))
            env.process(search())

    env.process(visitors())
    env.run(until=seconds)
    return took


def _steady(mean: float, rng: np.random.Generator) -> float:
    return float(rng.gamma(STEADY, mean / STEADY))


def closed(clients: int, cores: int, mean: float, seconds: float, rng: np.random.Generator) -> tuple[float, float]:
    """Answers a second and p95 of so many clients that ask again at once, as in ``make bench``."""
    env, took = simpy.Environment(), list[float]()
    machine = Station(env, 1, cores)

    def client() -> Steps:
        while True:
            begun = env.now
            yield from machine.work(_steady(mean, rng))
            took.append(env.now - begun)

    for _ in range(clients):
        env.process(client())
    env.run(until=seconds)
    return len(took) / seconds, float(np.quantile(took, 0.95))


def reading_seconds(serving: Mapping[str, Any]) -> float:
    """Processor time of a photo of the mix, page included, on MariaDB."""
    cases = serving["cases"]
    return sum(share * _middle(cases[case]["mapsi, MariaDB"], "cpu_ms") for case, share in MIX.items()) / 1000


def _middle(rounds: Sequence[Mapping[str, float]], key: str) -> float:
    return statistics.median(each[key] for each in rounds)


def plans(products: float, rate: float, serving: Mapping[str, Any], measured: Mapping[str, Any]) -> list[Plan]:
    """For so many million products: as it is, where each question goes over all rows of a shard, and with what is
    allowed looked up for the hits alone."""
    shards, read_s = math.ceil(1e6 * products / shard_rows(measured)), reading_seconds(serving)
    as_it_is, hits_alone = (
        measured["parts"] * (measured["engine_ms"] + measured[key]) / 1000 for key in ("rows_ms", "hits_ms")
    )
    return [
        planned("as it is", rate, shards, read_s, as_it_is),
        planned("filters looked up for hits alone", rate, shards, read_s, hits_alone),
    ]


def shard_rows(measured: Mapping[str, Any]) -> int:
    return int(measured["parts"] * measured["part_rows"])


def told(found: Sequence[Plan], measured: Mapping[str, Any], rng: np.random.Generator) -> str:
    lines = [
        "| | photo, ms | shard, ms | machines that read | copies of each shard | cores | GB of index | dollars a month "
        "| p50, p95 | with a machine of each kind lost |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for plan in found:
        fewer = replace(plan, readers=plan.readers - 1, copies=plan.copies - 1)
        times = " | ".join(_times(simulate(each, 10, rng)) for each in (plan, fewer))
        memory = plan.shards * plan.copies * shard_rows(measured) * measured["bytes_a_row"] / 1e9
        lines.append(
            f"| {plan.name} | {1000 * plan.read_s:.0f} | {1000 * plan.shard_s:.0f} | {plan.readers} "
            f"| {plan.copies} of {plan.shards} | {CORES * plan.machines:,} | {memory:,.0f} "
            f"| {plan.machines * CORES * CORE_HOUR * 730:,.0f} | {times} |"
        )
    return "\n".join([*lines, ""])


def _times(took: Sequence[float]) -> str:
    return f"{np.median(took):.2f} s, {np.quantile(took, 0.95):.2f} s"


def checked(serving: Mapping[str, Any], rng: np.random.Generator) -> str:
    """The simulation beside what ``make bench`` measured on two cores, where the load generator takes its part."""
    lines = ["| photo | simulated: requests/s, p95 | measured |", "|---|---|---|"]
    for case in MIX:
        rounds = serving["cases"][case]["mapsi, SQLite"]
        rate, p95 = closed(8, 2, _middle(rounds, "cpu_ms") / 1000, 60, rng)
        measured = f"{_middle(rounds, 'rate'):.1f}, {_middle(rounds, 'p95'):.2f} s"
        lines.append(f"| {case} | {rate:.1f}, {p95:.2f} s | {measured} |")
    return "\n".join([*lines, ""])


def measure(measured: dict[str, Any]) -> None:
    """What ranking takes besides the search itself: over all rows of a part, and over so few that only hits count."""
    from ranked_rows import ranking_ms

    measured["rows_ms"] = ranking_ms(measured["part_rows"])
    measured["hits_ms"] = ranking_ms(10_000)
    measured["when"] = time.strftime("%Y-%m-%d")
    (HERE / "scale.json").write_text(json.dumps(measured, indent=1) + "\n", "utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--products", type=float, default=100, help="in millions")
    parser.add_argument("--rate", type=float, default=1000, help="searches by photo a second")
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    serving, measured = (json.loads((HERE / name).read_text("utf-8")) for name in ("serving.json", "scale.json"))
    if options.measure:
        measure(measured)
    table = told(plans(options.products, options.rate, serving, measured), measured, np.random.default_rng(0))
    check = checked(serving, np.random.default_rng(0))
    print(table, check, sep="\n")
    if options.write:
        put_figures(PAGE, "plans", table)
        put_figures(PAGE, "checked", check)


if __name__ == "__main__":
    main()
