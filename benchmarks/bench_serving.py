"""Searches by photo side by side: the paper's design, mapsi on SQLite and on MariaDB, and the bare network as the
limit; what happens at twice the capacity; and how soon a server answers after its start.

    make bench                                     the short form: 8 clients, JPEG; about five minutes
    make bench ARGS=--full                         1, 8, 32, 128 clients; JPEG, PNG, WebP; about an hour
    make bench ARGS="--full --keep build/cases"    the same; a run that was ended goes on where it was

All targets hold the same catalogue: the sample shop's products, repeated. Each round asks every target in turn, so that
a noisy machine is noisy for all; the table has medians of the rounds and ratios within them. wrk (Debian) posts one
photo, again and again. With --write it writes docs/performance.md, benchmarks/serving.json and, where py-spy is
installed, benchmarks/flames/.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import signal
import statistics
import sys
import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from serving_load import KINDS, SIZES, Case, alone, ask, flood, sampled, write_photo
from serving_page import BARE, MARIADB, PAPER, SQLITE, page
from serving_targets import Shop, Target, paper, write_feed

from mapsi.artifacts import write_json
from mapsi.cores import cores
from mapsi.infer import Model

ROOT = Path(__file__).parents[1]
PAGE, FIGURES = ROOT / "docs" / "performance.md", ROOT / "benchmarks" / "serving.json"
FLAMES = ROOT / "benchmarks" / "flames"
LONGER = {"0.3": 1, "3": 1.25, "12": 2.5}
"""How many times the seconds of a round a photo of so many megapixels is asked for: the slowest target answers some."""
AT_ONCE, MOST_LONGER = 16, 4
"""Clients beyond which it is longer still: of a hundred that are worked on at once, none is answered for a while."""
SHORT = [Case(size, "jpeg", 8) for size in SIZES]
FULL = [Case(size, kind, clients) for kind in KINDS for clients in (1, 8, 32, 128) for size in SIZES]
Figures = dict[str, float]


def run(cases: list[Case], rounds: int, seconds: float, products: int, kept: Path | None) -> dict[str, Any]:
    """Everything measured, as benchmarks/serving.json keeps it; each case as soon as it is measured in the file
    ``kept``, from which those are taken that are there."""
    sys.path.insert(0, str(ROOT / "tests"))
    from servers import run_mariadb

    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="mapsi-bench-")))
        (folder / "mariadb").mkdir()
        database = held.enter_context(run_mariadb(folder / "mariadb", buffer_pool="256M")).create_database("bench")
        feed = write_feed(folder, products)
        shops = Shop(folder, "sqlite"), Shop(folder, "mariadb-home", database)
        for shop in shops:
            shop.stock(feed)
        photo = write_photo(folder, SHORT[0]).read_bytes()
        starts = [shops[0].first_answer(photo) for _ in range(rounds)]
        targets = {
            SQLITE: held.enter_context(shops[0].served()),
            MARIADB: held.enter_context(shops[1].served()),
            PAPER: held.enter_context(paper(folder, shops[1].home, database)),
        }
        found = dict[str, Any]() if kept is None or not kept.exists() else json.loads(kept.read_text("utf-8"))
        for case in cases:
            if str(case) not in found:
                found[str(case)] = measure(case, targets, folder, rounds, seconds)
                if kept is not None:
                    write_json(kept, found)
        best = statistics.median(each["rate"] for each in found[str(SHORT[0])][SQLITE])
        over = [overload(targets[SQLITE], photo, best, folder, seconds) for _ in range(rounds)]
        sample(targets[SQLITE], folder)
        return {
            "load": os.getloadavg()[0],
            "machine": f"{cores()} cores of {_processor()}, {platform.system()}, Python {platform.python_version()}",
            "when": datetime.now(UTC).date().isoformat(),
            "products": products,
            "rounds": rounds,
            "seconds": seconds,
            "resident_mb": {name: target.resident for name, target in targets.items()},
            "first_answer": starts,
            "overload": over,
            "cases": {str(case): found[str(case)] for case in cases},
        }


def measure(
    case: Case, targets: dict[str, Target], folder: Path, rounds: int, seconds: float
) -> dict[str, list[Figures]]:
    """The figures of each round of a case by target."""
    body, model = write_photo(folder, case), Model.open(threads=cores())
    asked = {name: partial(ask, target, body, case.clients, folder=folder) for name, target in targets.items()}
    found: dict[str, list[Figures]] = {name: [] for name in (*asked, BARE)}
    for target in (*targets.values(), *targets.values()):
        target.post(body.read_bytes())  # warm
    for _ in range(rounds):
        for name, asker in asked.items():
            found[name].append(asker(seconds=seconds * longer(case)))
        found[BARE].append(alone(model, case.clients, seconds))
    print(
        case, {name: round(statistics.median(e["rate"] for e in each), 1) for name, each in found.items()}, flush=True
    )
    return found


def longer(case: Case) -> float:
    """How many times as long as the least a case is measured."""
    return LONGER[case.megapixels] * min(MOST_LONGER, max(1, case.clients / AT_ONCE))


def overload(target: Target, photo: bytes, best: float, folder: Path, seconds: float) -> Figures:
    """What comes of twice as many requests as are served at best, which is measured again right before."""
    body = write_photo(folder, SHORT[0])
    now = ask(target, body, 8, seconds, folder)["rate"]
    rate = max(best, now)
    flooded = asyncio.run(flood(target, photo, 2 * rate, 2 * seconds))
    after = ask(target, body, 8, seconds, folder)["rate"]
    return flooded.figures() | {"best": statistics.mean((now, after))}


def sample(target: Target, folder: Path) -> None:
    """Flame graphs as text, under the load of eight clients."""
    for case in (SHORT[0], SHORT[-1]):
        with sampled(target, 4, FLAMES / f"{case.megapixels}-{case.kind}.txt"):
            ask(target, write_photo(folder, case), case.clients, 5, folder)


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="of cases measured, to go on with after an end")
    parser.add_argument("--note", default="", help="a sentence for the page on how it was measured")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--write", action="store_true", help="write docs/performance.md and benchmarks/serving.json")
    parser.add_argument("--page", action="store_true", help="write docs/performance.md out of benchmarks/serving.json")
    asked = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers are ended too
    if asked.page:
        figures = json.loads(FIGURES.read_text("utf-8"))
    else:
        figures = run(FULL if asked.full else SHORT, asked.rounds, asked.seconds, asked.products, asked.keep)
        figures["note"] = asked.note
        figures["command"] = "make bench" + (" ARGS=--full" if asked.full else "")
    print(page(figures))
    if asked.write:
        FIGURES.write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
    if asked.write or asked.page:
        PAGE.write_text(page(figures), "utf-8")


if __name__ == "__main__":
    main()
