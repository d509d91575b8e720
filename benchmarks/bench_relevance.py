"""How right the answers are: judged photos, outfits and words asked of a catalogue of real products.

    python benchmarks/bench_relevance.py ../shared/data [--only words] [--judged FILE.csv]... [--worst 10] [--write]

DATA has ``products/`` (products.csv and pictures), and in ``relevance/`` the judged photos of single garments, outfits
and words; ``benchmarks/judged_words.csv`` holds more words of our own, of which the part ``tune`` was looked at while
the rules were written; the others were first measured, then looked at (docs/relevance.md has both figures). A product
counts 1 where it fits a query exactly, 0.5 where nearly. Precision at 8 is the mean over the first eight places; an
answer that ends sooner is divided by eight all the same, unless no more products fit.

Photos are answered by the functions that serve (see ``fit_score.py``), by the shipped model or by ``--model``; what it
reads of the 8,861 pictures is kept in the cache, the first time takes some minutes. ``--write`` puts the table into
docs/relevance.md. Without ``--database``, words are asked of SQLite in a temporary folder.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from bench_words import patient_milvus
from figures import put_figures
from fit_score import fits, measure, open_bench, read_rows

from mapsi.catalog import Catalog, open_catalog
from mapsi.catalog.offer import Delivery, Offer
from mapsi.catalog.query import Query
from mapsi.catalog.records import WordsServer
from mapsi.infer import Model
from mapsi.search.score import load_weights
from mapsi.taxonomy import load_taxonomy

SETS = ("photos", "outfits", "words")
PAGE = Path(__file__).parents[1] / "docs" / "relevance.md"
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
    """What came of a query of a ``group``: its precision, and what each of the first places counts."""

    group: str
    query: str
    precision: float
    gains: tuple[float, ...]
    found: tuple[str, ...] = ()


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


def gain(query: Judged, row: Row) -> float:
    return 1.0 if fits(query.exact, row) else 0.5 if fits(query.near, row) else 0.0


def ask(catalog: Catalog, group: str, query: Judged, rows: Mapping[str, Row]) -> Answer:
    found = catalog.listings.search(Query(words=query.text, size=FIRST)).products
    numbers = tuple(product.link.rpartition("/")[2] for product in found)
    gains = tuple(gain(query, rows[number]) for number in numbers)
    possible = min(FIRST, sum(gain(query, row) for row in rows.values()))
    return Answer(f"{group} {query.group}", query.text, sum(gains) / max(1.0, possible), gains, numbers)


def tell_agreement(answers: Sequence[Answer], others: Sequence[Answer]) -> None:
    """How far two engines give the same first products to the same queries."""
    pairs = list(zip(answers, others, strict=True))
    same = sum(one.found == other.found for one, other in pairs)
    shared = statistics.fmean(len({*one.found} & {*other.found}) / max(1, len(one.found)) for one, other in pairs)
    print(f"\n{same} of {len(pairs)} queries have the same first {FIRST} in the same order")
    print(f"of the first {FIRST}, {shared:.3f} are among the other engine's")
    for one, other in pairs:
        if one.found != other.found:
            print(f"    {one.query}: {' '.join(one.found)}, in Milvus {' '.join(other.found)}")


def read_judged(file: Path) -> list[Judged]:
    return [Judged(row["query"], row.get("part", row["lang"]), row["exact"], row["near"]) for row in read_rows(file)]


def ask_words(data: Path, files: Sequence[Path], database: str | None, milvus: bool) -> Iterator[Answer]:
    """The answers to all judged words, of a catalogue that is made for them; of a Milvus Lite that is started where
    ``milvus`` says so."""
    rows = read_rows(data / "products" / "products.csv")
    by_id = {row["id"]: row for row in rows}
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        url = database or f"sqlite:///{Path(folder) / 'catalog.db'}"
        server = WordsServer(stack.enter_context(patient_milvus(Path(folder) / "milvus")), 0) if milvus else None
        with open_catalog(url, words=Path(folder) / "words", words_server=server) as catalog:
            catalog.migrate()
            delivery = Delivery(shop="shop", format="csv", origin="bench", now=catalog.now())
            catalog.imports.take(delivery, read_offers(rows), load_taxonomy())
            for file in files:
                yield from (ask(catalog, file.stem, query, by_id) for query in read_judged(file))


def ask_photos(data: Path, sets: Sequence[str], model: Model, cache: Path) -> Iterator[Answer]:
    """The answers to the judged photos of these sets, with the weights that serve."""
    bench = open_bench(data, model, cache)
    asked = [query for query in bench.queries if query.set in sets]
    for query, precision, gains in measure(bench, asked, load_weights()):
        yield Answer(query.set, f"{query.photo} ({query.label})", precision, gains)


def table(answers: Sequence[Answer]) -> str:
    lines = ["| queries | | precision at 8 | first right | nothing |", "|---|---|---|---|---|"]
    for group in dict.fromkeys(answer.group for answer in answers):
        of = [answer for answer in answers if answer.group == group]
        precision = statistics.fmean(answer.precision for answer in of)
        first = statistics.fmean(answer.gains[:1] == (1.0,) for answer in of)
        nothing = statistics.fmean(not answer.gains for answer in of)
        lines.append(f"| {group} | {len(of)} | {precision:.3f} | {first:.3f} | {nothing:.3f} |")
    return "\n".join(lines)


def tell_worst(answers: Sequence[Answer], worst: int) -> None:
    for group in dict.fromkeys(answer.group for answer in answers):
        wrong = [answer for answer in answers if answer.group == group and answer.precision < 1]
        print(f"\n{group}, the worst:")
        for answer in sorted(wrong, key=lambda answer: answer.precision)[:worst]:
            print(f"    {answer.precision:.2f}  {answer.query}  {' '.join(f'{each:g}' for each in answer.gains)}")


def put_measured(mark: str, model: Model, figures: str) -> None:
    """Put what was measured of a model where docs/relevance.md has the ``mark``."""
    put_figures(PAGE, mark, f"Model {model.fingerprint}, {datetime.now(UTC):%Y-%m-%d}.\n\n{figures}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--only", choices=SETS, action="append", help="one set of queries; all by default")
    parser.add_argument("--judged", type=Path, action="append", default=[], help="further judged words")
    parser.add_argument("--worst", type=int, default=10)
    parser.add_argument("--database", help="an empty database to use instead of SQLite")
    parser.add_argument("--model", type=Path, help="model folder; the shipped one by default")
    parser.add_argument("--cache", type=Path, default=Path("build/fit-score"))
    parser.add_argument("--milvus", action="store_true", help="ask a Milvus Lite for words as well, and compare")
    parser.add_argument("--write", action="store_true", help="put the table into docs/relevance.md")
    options = parser.parse_args()
    sets, model = options.only or SETS, Model.open(options.model)
    answers: list[Answer] = []
    if set(sets) - {"words"}:
        answers += ask_photos(options.data, sets, model, options.cache)
    if "words" in sets:
        files = [options.data / "relevance" / "words.csv", OWN, *options.judged]
        embedded = list(ask_words(options.data, files, options.database, milvus=False))
        answers += embedded
        if options.milvus:
            there = list(ask_words(options.data, files, None, milvus=True))
            print(table(there))
            tell_agreement(embedded, there)
    figures = table(answers)
    print(figures)
    tell_worst(answers, options.worst)
    if options.write:
        put_measured("figures", model, figures)


if __name__ == "__main__":
    main()
