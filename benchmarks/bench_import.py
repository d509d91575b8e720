"""How fast offers are imported, and in how much memory.

    python benchmarks/bench_import.py [--offers 100000] [--database URL]...

Without --database: SQLite in a temporary folder and a MariaDB that is started for the run. Offers are made up. Beside
the rate by the clock stands the rate by processor time, this process's and that of the MariaDB it started taken
together: what a machine gives that does nothing else, on one core.
"""

from __future__ import annotations

import argparse
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

from mapsi.catalog import open_catalog
from mapsi.catalog.offer import Delivery, Offer
from mapsi.taxonomy import load_taxonomy

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from servers import run_mariadb

COLORS = ("블랙", "화이트", "네이비", "베이지", "Blue", "Green", "Red", "Grey")
CUTS = ("오버핏", "슬림", "와이드", "크롭", "롱", "Slim", "Relaxed", "Classic")
KINDS = (
    "린넨 셔츠",
    "원피스",
    "롱코트",
    "니트 가디건",
    "슬랙스",
    "T-shirt",
    "dress",
    "denim jacket",
    "wide pants",
    "hoodie",
)


def made_up_offers(count: int, *, dearer: bool = False) -> Iterator[Offer]:
    for number in range(count):
        color, cut, kind = COLORS[number % 8], CUTS[number // 8 % 8], KINDS[number // 64 % 10]
        yield Offer(
            id=f"sku-{number:07d}",
            title=f"{cut} {color} {kind} No. {number}",
            link=f"https://shop.example.com/products/{number}",
            image=f"https://img.example.com/{number}.jpg",
            price=Decimal(19000 + number % 500 * 100 + (1000 if dearer and number % 10 == 0 else 0)),
            currency="KRW",
            description=f"{color} {kind} for every day. " * 5,
            brand=f"Brand {number % 200}",
            category=f"Women > Clothes > {kind}",
            color=color,
            group=f"group-{number // 3}",
            audience="women",
        )


def processor_seconds() -> float:
    """Processor time of this process and of the servers that it started."""
    tick = os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    stats = (Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split() for child in children)
    return time.process_time() + sum((int(stat[11]) + int(stat[12])) / tick for stat in stats)


def measure(url: str, count: int) -> None:
    taxonomy = load_taxonomy()
    with open_catalog(url) as catalog:
        catalog.migrate()
        for what, dearer in (("first", False), ("unchanged", False), ("every tenth dearer", True)):
            reads: list[float] = []
            began, worked = time.perf_counter(), processor_seconds()
            report = catalog.imports.take(
                Delivery(shop="bench", format="made-up", origin="bench", now=catalog.now()),
                made_up_offers(count, dearer=dearer),
                taxonomy,
                progress=lambda _, reads=reads: reads.append(time.perf_counter()),
            )
            ended, worked = time.perf_counter(), processor_seconds() - worked
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(
                f"  {what:20} {count / (ended - began):8.0f} offers/s ({count / worked:6.0f} by processor time)   "
                f"{ended - began:6.1f} s, of them {ended - reads[-1]:5.1f} s switching   peak {peak:4.0f} MB   "
                f"new {report.new} changed {report.changed} unchanged {report.unchanged}",
                flush=True,
            )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--offers", type=int, default=100_000)
    parser.add_argument("--database", action="append", help="empty database to import into")
    arguments = parser.parse_args()
    with ExitStack() as stack:
        urls = arguments.database
        if urls is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            server = stack.enter_context(run_mariadb(folder))
            urls = [f"sqlite:///{folder / 'bench.sqlite3'}", server.create_database("bench")]
        for url in urls:
            print(url.split(":")[0])
            measure(url, arguments.offers)


if __name__ == "__main__":
    main()
