"""How fast products are found by words.

    python benchmarks/bench_words.py names.csv [--offers 100000] [--queries 300] [--database URL]...

The CSV has the columns productDisplayName, articleType, baseColour and gender. Its names are repeated with numbers until
there are enough. Without --database: SQLite in a temporary folder and a MariaDB that is started for the run.
"""

from __future__ import annotations

import argparse
import csv
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from decimal import Decimal
from pathlib import Path

from mapsi.catalog import Catalog, open_catalog
from mapsi.catalog.filters import Filters
from mapsi.catalog.offer import Offer
from mapsi.taxonomy import load_taxonomy

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from servers import run_mariadb

KOREAN = {"Shirts": "셔츠", "Tshirts": "반팔티셔츠", "Jeans": "데님팬츠", "Dresses": "롱원피스", "Handbags": "핸드백"}


def read_names(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return [row for row in csv.DictReader(opened) if row["productDisplayName"]]


def named_offers(rows: list[dict[str, str]], count: int) -> Iterator[Offer]:
    for number in range(count):
        row = rows[number % len(rows)]
        korean = KOREAN.get(row["articleType"], "")
        yield Offer(
            id=str(number),
            title=f"{row['productDisplayName']} {korean} {number // len(rows) or ''}".strip(),
            link=f"https://shop.example.com/{number}",
            image=f"https://img.example.com/{number}.jpg",
            price=Decimal(1000 + number % 977 * 100),
            currency="KRW",
            category=f"{row['gender']} > {row['articleType']}",
            color=row["baseColour"],
        )


def make_queries(rows: list[dict[str, str]], count: int) -> dict[str, list[str]]:
    """Queries as people type them: words of the names, so frequent words are asked for more often."""
    chance = random.Random(5)
    names = [row["productDisplayName"].split() for row in chance.choices(rows, k=count)]
    return {
        "one word": [chance.choice(name) for name in names],
        "two words": [" ".join(chance.sample(name, min(2, len(name)))) for name in names],
        "three words": [" ".join(chance.sample(name, min(3, len(name)))) for name in names],
        "beginning of a word": [chance.choice(name)[:4] for name in names],
        "Korean": [chance.choice(["셔츠", "티셔츠", "팬츠", "원피스", "롱원피스 blue", "핸드백", "옷"]) for _ in names],
    }


def milliseconds(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return (time.perf_counter() - began) * 1000


def time_search(catalog: Catalog, text: str) -> tuple[float, int]:
    """Milliseconds taken, products found."""
    began = time.perf_counter()
    page = catalog.search_words(text, Filters(), "likeness", 1, 24)
    return (time.perf_counter() - began) * 1000, page.total


def measure(catalog: Catalog, queries: dict[str, list[str]]) -> None:
    for kind, texts in queries.items():
        asked = [text for text in texts if any(map(str.isalnum, text))]
        timed = [time_search(catalog, text) for text in asked]
        taken, found = [each[0] for each in timed], [each[1] for each in timed]
        print(
            f"  {kind:20} median {statistics.median(taken):7.1f} ms   p95 {statistics.quantiles(taken, n=20)[-1]:7.1f} ms"
            f"   products found: median {statistics.median(found):.0f}, most {max(found)}",
            flush=True,
        )
    print(f"  {'browse, first':20} {milliseconds(lambda: catalog.browse(Filters(), 'likeness', 1, 24)):7.1f} ms")
    again = statistics.median(milliseconds(lambda: catalog.browse(Filters(), "likeness", 1, 24)) for _ in range(20))
    print(f"  {'browse, again':20} {again:7.1f} ms")
    print(f"  {'facets, first':20} {milliseconds(catalog.facets):7.1f} ms", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", type=Path)
    parser.add_argument("--offers", type=int, default=100_000)
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--database", action="append", help="empty database to import into")
    arguments = parser.parse_args()
    rows = read_names(arguments.names)
    with ExitStack() as stack:
        urls = arguments.database
        if urls is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            server = stack.enter_context(run_mariadb(folder))
            urls = [f"sqlite:///{folder / 'bench.sqlite3'}", server.create_database("bench")]
        for url in urls:
            print(url.split(":")[0])
            with open_catalog(url) as catalog:
                catalog.migrate()
                offers = named_offers(rows, arguments.offers)
                catalog.import_offers("bench", offers, format="csv", origin="bench", taxonomy=load_taxonomy())
                measure(catalog, make_queries(rows, arguments.queries))


if __name__ == "__main__":
    main()
