"""How right the answers are: judged words asked of a catalogue of real products.

    python benchmarks/bench_relevance.py ../shared/data [--judged FILE.csv]... [--worst 10] [--database URL]

DATA has ``products/products.csv`` (id, gender, masterCategory, subCategory, articleType, baseColour,
productDisplayName) and ``relevance/words.csv`` (query, lang, exact, near); ``benchmarks/judged_words.csv`` holds sixty
more of our own, of which the half ``tune`` was looked at while the rules were written and the half ``held`` was not. A
product counts 1 where it fits a query exactly, 0.5 where nearly. Precision at 8 is the mean over the first eight
places; an answer that ends sooner is divided by eight all the same, unless no more products fit. Without --database:
SQLite in a temporary folder.
"""

from __future__ import annotations

import argparse
import csv
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from mapsi.catalog import Catalog, open_catalog
from mapsi.catalog.offer import Offer
from mapsi.catalog.query import Query
from mapsi.taxonomy import load_taxonomy

FIRST = 8
AUDIENCES: dict[str, Any] = {"Men": "men", "Women": "women", "Boys": "kids", "Girls": "kids"}
OWN = Path(__file__).parent / "judged_words.csv"
Row = Mapping[str, str]


class Judged(NamedTuple):
    """A query, and the rules of what fits it exactly and nearly: ``field=value|value;name~part|part``."""

    text: str
    group: str
    exact: str
    near: str


class Answer(NamedTuple):
    """What came of a query: its precision, and what each of the first places counts."""

    query: Judged
    precision: float
    gains: list[float]


def read_rows(file: Path) -> list[Row]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def read_offers(rows: Sequence[Row]) -> Iterator[Offer]:
    for row in rows:
        yield Offer(
            id=row["id"],
            title=row["productDisplayName"],
            link=f"https://shop.example/{row['id']}",
            image=f"{row['id']}.webp",
            price=Decimal(9000 + int(row["id"]) % 90 * 1000),
            currency="KRW",
            category=f"{row['masterCategory']} > {row['subCategory']} > {row['articleType']}",
            color=row["baseColour"],
            audience=AUDIENCES.get(row["gender"], "unisex"),
        )


def fits(rule: str, row: Row) -> bool:
    """Whether a product fits a rule; an empty one fits nothing."""
    return bool(rule) and all(_fits_part(part, row) for part in rule.split(";"))


def _fits_part(part: str, row: Row) -> bool:
    if "~" in part:
        return any(text in row["productDisplayName"].lower() for text in part.split("~")[1].split("|"))
    field, values = part.split("=")
    return row[field] in values.split("|")


def gain(query: Judged, row: Row) -> float:
    return 1.0 if fits(query.exact, row) else 0.5 if fits(query.near, row) else 0.0


def ask(catalog: Catalog, query: Judged, rows: Mapping[str, Row]) -> Answer:
    found = catalog.listings.search(Query(words=query.text, size=FIRST)).products
    gains = [gain(query, rows[product.link.rpartition("/")[2]]) for product in found]
    possible = min(FIRST, sum(gain(query, row) for row in rows.values()))
    return Answer(query, sum(gains) / max(1.0, possible), gains)


def show(name: str, answers: Sequence[Answer], worst: int) -> None:
    precision = statistics.fmean(answer.precision for answer in answers)
    first = statistics.fmean(answer.gains[:1] == [1.0] for answer in answers)
    nothing = statistics.fmean(not answer.gains for answer in answers)
    print(
        f"{name:24} {len(answers):3} queries   precision at 8 {precision:.3f}   first right {first:.3f}   "
        f"nothing {nothing:.3f}"
    )
    for answer in sorted(answers, key=lambda answer: answer.precision)[:worst]:
        if answer.precision < 1:
            print(f"    {answer.precision:.2f}  {answer.query.text}  {answer.gains}")


def read_judged(file: Path) -> list[Judged]:
    return [Judged(row["query"], row.get("part", row["lang"]), row["exact"], row["near"]) for row in read_rows(file)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--judged", type=Path, action="append", help="further judged words")
    parser.add_argument("--worst", type=int, default=10)
    parser.add_argument("--database", help="an empty database to use instead of SQLite")
    arguments = parser.parse_args()
    rows = read_rows(arguments.data / "products" / "products.csv")
    by_id = {row["id"]: row for row in rows}
    with tempfile.TemporaryDirectory() as folder:
        url = arguments.database or f"sqlite:///{Path(folder) / 'catalog.db'}"
        with open_catalog(url, words=Path(folder) / "words") as catalog:
            catalog.migrate()
            catalog.import_offers("shop", read_offers(rows), format="csv", origin="bench", taxonomy=load_taxonomy())
            began = time.perf_counter()
            catalog.listings.search(Query(words="a", size=1))
            print(f"{len(rows)} products, indexed in {time.perf_counter() - began:.1f} s")
            for file in [arguments.data / "relevance" / "words.csv", OWN, *(arguments.judged or [])]:
                answers = [ask(catalog, query, by_id) for query in read_judged(file)]
                for group in dict.fromkeys(answer.query.group for answer in answers):
                    show(f"{file.stem} {group}", [a for a in answers if a.query.group == group], arguments.worst)


if __name__ == "__main__":
    main()
