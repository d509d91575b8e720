"""How fast products are found by words, and how that grows.

    python benchmarks/bench_words.py names.csv [--offers 10000 --offers 100000 --offers 1000000] [--queries 300]
        [--database URL]... [--milvus]

The CSV has the columns productDisplayName, articleType, baseColour and gender. Its names are drawn at random until
there are enough: from the second round on brand and colour are drawn anew, each as often as it is among the names, and
every third offer gets a model number of its own, so that frequent words stay frequent and the vocabulary keeps growing.
Every fifth product comes in three variants. Without --database: SQLite in a temporary folder and a MariaDB that is
started for the run; a database that holds the offers already is used as it is. With --milvus the index of words is in a
Milvus Lite that is started for the run: a development engine, which goes over all products for each filter.
"""

from __future__ import annotations

import argparse
import csv
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from decimal import Decimal
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from mapsi.catalog import Catalog, open_catalog
from mapsi.catalog.filters import Filters
from mapsi.catalog.offer import Delivery, Offer
from mapsi.catalog.query import Query
from mapsi.catalog.records import WordsServer
from mapsi.taxonomy import load_taxonomy

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from servers import run_mariadb, run_milvus

KOREAN = {"Shirts": "셔츠", "Tshirts": "반팔티셔츠", "Jeans": "데님팬츠", "Dresses": "롱원피스", "Handbags": "핸드백"}
AUDIENCES: dict[str, Any] = {"Men": "men", "Women": "women", "Unisex": "unisex", "Boys": "kids", "Girls": "kids"}
SHOPS = 10
POOL = "512M"  # what holds the rows of a million offers; with 64 MB every page comes from the disk, 80 ms a search
TAXONOMY = load_taxonomy()


def read_names(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return [row for row in csv.DictReader(opened) if row["productDisplayName"]]


def named_offers(rows: list[dict[str, str]], numbers: range) -> Iterator[Offer]:
    chance = random.Random(numbers.start)
    for number in numbers:
        row = rows[number % len(rows)]
        title, color = row["productDisplayName"], row["baseColour"]
        brand = title.split()[0]
        if number >= len(rows):
            brand, before = chance.choice(rows)["productDisplayName"].split()[0], brand
            color, shade = chance.choice(rows)["baseColour"], color
            title = title.replace(before, brand, 1).replace(shade, color)
        if number % 3 == 0:
            title += f" {chance.choice('ABCDEFGH')}{chance.choice('KLMNPRST')}{number}"
        yield Offer(
            id=str(number),
            title=f"{title} {KOREAN.get(row['articleType'], '')}".strip(),
            link=f"https://shop.example.com/{number}",
            image=f"https://img.example.com/{number}.jpg",
            price=Decimal(chance.choice((9, 19, 29, 39, 59, 89, 129, 199)) * 1000 + number % 10 * 100),
            currency="KRW",
            brand=brand,
            category=f"{row['gender']} > {row['articleType']}",
            color=color,
            audience=AUDIENCES.get(row["gender"]),
            group=f"g{number // 15}" if number % 15 < 3 else "",
        )


def make_queries(rows: list[dict[str, str]], count: int) -> dict[str, list[str]]:
    """Queries as people type them: words of the names, so frequent words are asked for more often."""
    chance = random.Random(5)
    names = [row["productDisplayName"].split() for row in chance.choices(rows, k=count)]
    queries = {
        "one word": [chance.choice(name) for name in names],
        "two words": [" ".join(chance.sample(name, min(2, len(name)))) for name in names],
        "three words": [" ".join(chance.sample(name, min(3, len(name)))) for name in names],
        "beginning of a word": [chance.choice(name)[:4] for name in names],
        "Korean": [chance.choice(["셔츠", "티셔츠", "팬츠", "원피스", "롱원피스 blue", "핸드백", "옷"]) for _ in names],
        "with synonyms": [chance.choice(["검정 바지", "청바지", "빨간 원피스", "운동화", "black bag"]) for _ in names],
        "one slip": [_slip(chance, chance.choice(name)) for name in names],
    }
    return {kind: [text for text in texts if any(map(str.isalnum, text))] for kind, texts in queries.items()}


def _slip(chance: random.Random, word: str) -> str:
    at = chance.randrange(len(word))
    return word[:at] + chance.choice("abcdefghijklmnopqrstuvwxyz") + word[at + 1 :]


def milliseconds(action: Callable[[], Any]) -> tuple[float, Any]:
    began = time.perf_counter()
    result = action()
    return (time.perf_counter() - began) * 1000, result


def show(kind: str, taken: list[float], more: str = "") -> None:
    median, p95 = statistics.median(taken), statistics.quantiles(taken, n=20)[-1]
    print(f"  {kind:28} median {median:7.1f} ms   p95 {p95:7.1f} ms   {more}", flush=True)


@contextmanager
def patient_milvus(folder: Path) -> Iterator[str]:
    """The address of a Milvus Lite, for whose answers this process waits as long as they take."""
    be_patient()
    folder.mkdir()
    with run_milvus(folder) as running:
        yield running.url


def be_patient() -> None:
    from mapsi import milvus
    from mapsi.catalog.listings.engines import milvus_index, milvus_view

    milvus.SECONDS = milvus_view.SECONDS = milvus_index.WRITE_SECONDS = 600.0


def measure_alone(url: str, words: Path, server: WordsServer | None, queries: dict[str, list[str]]) -> None:
    """In a process of its own, which has imported nothing."""
    if server:
        be_patient()
    with open_catalog(url, words=words, words_server=server) as catalog:
        catalog.generation()
        before = peak()
        first, page = milliseconds(lambda: catalog.listings.search(Query(words="shirt")))
        print(f"  first answer after a start in {first:.0f} ms, {page.total} products", flush=True)
        measure(catalog, queries)
        print(f"  memory: {peak() - before:.0f} MB on top of the {before:.0f} before the first question", flush=True)


def peak() -> float:
    """The most memory that this process has had, in MB. What getrusage says begins with the parent's."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) / 1024


def measure(catalog: Catalog, queries: dict[str, list[str]]) -> None:
    for kind, texts in queries.items():
        timed = [milliseconds(lambda text=text: catalog.listings.search(Query(words=text))) for text in texts]
        found = [page.total for _, page in timed]
        show(kind, [taken for taken, _ in timed], f"products: median {statistics.median(found):.0f}, most {max(found)}")
    cheap = Filters(max_price=Decimal(50000), audiences=("women",), colors=("black", "white"))
    words = queries["one word"]
    asked = [Query(words=text, filters=cheap) for text in words]
    by_price = [replace(query, sort="price-up") for query in asked]
    show("one word, filters, by price", [milliseconds(lambda q=q: catalog.listings.search(q))[0] for q in by_price])
    show("counts of the filters", [milliseconds(lambda q=q: catalog.listings.facets(q))[0] for q in asked])
    typed = [text[: 1 + n % 5] for n, text in enumerate(words)] + ["ㅅ", "ㅅㅊ", "셔", "블", "와", "롱", "롱원", "팬ㅊ"]
    show("suggestions", [milliseconds(lambda t=t: catalog.listings.suggest(t, TAXONOMY))[0] for t in typed])
    show("all products", [milliseconds(lambda: catalog.listings.search(Query()))[0] for _ in range(20)])


def take(catalog: Catalog, shop: str, offers: Iterable[Offer]) -> None:
    catalog.imports.take(Delivery(shop=shop, format="csv", origin="bench", now=catalog.now()), offers, TAXONOMY)


def fill(catalog: Catalog, rows: list[dict[str, str]], count: int) -> None:
    began, share = time.perf_counter(), count // SHOPS
    for shop in range(SHOPS):
        offers = named_offers(rows, range(shop * share, (shop + 1) * share))
        take(catalog, f"shop-{shop}", offers)
    print(f"  imported, {count / (time.perf_counter() - began):.0f} offers/s", flush=True)
    first = named_offers(rows, range(1000))
    took, _ = milliseconds(catalog.listings.rebuild)
    print(f"  index of words built in {took / 1000:.1f} s", flush=True)
    take(catalog, "one-more", first)
    took, _ = milliseconds(lambda: catalog.listings.search(Query()))
    print(f"  first answer after an import of 1000 offers: {took:.0f} ms", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", type=Path)
    parser.add_argument("--offers", type=int, action="append", help="names in the catalogue; may be repeated")
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--database", action="append", help="database to use, and to fill where it is empty")
    parser.add_argument("--milvus", action="store_true", help="keep the index of words in a Milvus Lite")
    parser.add_argument("--words", type=Path, help="folder of the indexes of words of a --database that is filled")
    arguments = parser.parse_args()
    rows = read_names(arguments.names)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = None if arguments.database else stack.enter_context(run_mariadb(folder, buffer_pool=POOL))
        milvus = stack.enter_context(patient_milvus(folder / "milvus")) if arguments.milvus else ""
        words_server = WordsServer(milvus, 0) if milvus else None
        for count in arguments.offers or [100_000]:
            made = (
                [f"sqlite:///{folder / f'bench{count}.sqlite3'}", server.create_database(f"bench{count}")]
                if server
                else []
            )
            for url in arguments.database or made:
                print(f"{count} names, {url.split(':')[0]}", flush=True)
                words = (arguments.words or folder) / f"{count}-{url.split(':')[0]}"
                with open_catalog(url, words=words, words_server=words_server) as catalog:
                    catalog.migrate()
                    if not catalog.status().living:
                        fill(catalog, rows, count)
                    catalog.listings.search(Query())
                told = f"{sum(file.stat().st_size for file in words.rglob('*') if file.is_file()) / 1e6:.0f} MB"
                print(f"  {told} on disk", flush=True)
                queries = make_queries(rows, arguments.queries)
                alone = get_context("spawn").Process(target=measure_alone, args=(url, words, words_server, queries))
                alone.start()
                alone.join()


if __name__ == "__main__":
    main()
