"""Whether a product is found by somebody's photo of wearing it, through the whole of the service.

    python benchmarks/bench_pairs.py ../shared/data [--queries 400] [--home FOLDER] [--model FOLDER] [--write]

The 3,000 shop pictures of ``pairs/gallery`` are imported as products of one shop, its category the column ``kind``,
and indexed; worn photos of ``pairs/query`` are read and answered by the finder, as the server does it. Asked are
photos of families that the shipped model did not learn from (``docs/models/clothes.py``), drawn by a fixed seed.
Right is any product of the photo's family: their pictures look alike. Told of each way to ask:

- *whole photo, plain cosine*: the index alone, nothing but the embedding of the whole photo. What the service has to
  beat;
- *whole photo*, *look*: all of a photo's garments in one answer, the API's first;
- *garment*: the garment that is worn where the product is worn (the largest), the whole photo where there is none;
- *shown first*: what the page of a photo leads to, its most prominent garment.

The catalogue, its index and what the model reads stay in ``--home``; the first run takes some minutes, the next ones
seconds. ``--write`` puts the table into docs/relevance.md.
"""

from __future__ import annotations

import argparse
import random
import statistics
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from hashlib import md5
from pathlib import Path
from typing import NamedTuple

from bench_relevance import put_measured
from fit_score import Row, kept, read_rows, slim_look

from mapsi.catalog.offer import Delivery, Offer
from mapsi.catalog.product import Product
from mapsi.catalog.query import Query
from mapsi.cli.opening import bar, open_finder, open_installation
from mapsi.infer import Model, Reading, shipped_model
from mapsi.infer.look import Look
from mapsi.search.building import Installation, build
from mapsi.search.finder import Finder
from mapsi.search.looks import placed
from mapsi.settings import read_settings
from mapsi.taxonomy import Taxonomy

FIRST = 10
PLACES = ("upper", "outer", "one-piece")
"""Where the products of ``pairs`` are worn: tops, which the map tells as coats or dresses too."""
Found = Sequence[str]
"""Families of the first products, in the order shown."""


class Asked(NamedTuple):
    """A worn photo, its product's family, and what the model says of it."""

    photo: str
    family: str
    look: Look


def read_offers(data: Path, rows: Sequence[Row]) -> Iterator[Offer]:
    for number, row in enumerate(rows):
        yield Offer(
            id=row["id"],
            title=row["kind"].capitalize(),
            link=f"https://shop.example/{row['id']}",
            image=str((data / "pairs" / row["gallery"]).resolve()),
            price=Decimal(9000 + number % 90 * 1000),
            currency="KRW",
            category=row["kind"],
            audience="men" if row["kind"].startswith("men") else "women",
        )


def stock(installation: Installation, data: Path, rows: Sequence[Row]) -> None:
    """Import and index the products; what stands already is left as it is."""
    catalog = installation.catalog
    delivery = Delivery(shop="pairs", format="csv", origin="bench", now=catalog.now())
    catalog.imports.take(delivery, read_offers(data, rows), installation.taxonomy)
    build(installation, bar)


def held_out(row: Row) -> bool:
    """Whether a pair's family is one that ``docs/models/clothes.py`` holds out."""
    return int(md5(row["family"].encode(), usedforsecurity=False).hexdigest(), 16) % 5 == 0


def ask_for(data: Path, rows: Sequence[Row], count: int, model: Model, taxonomy: Taxonomy, cache: Path) -> list[Asked]:
    """The photos to ask for, read as :meth:`Finder.look` does."""
    drawn = [row for row in rows if held_out(row)]
    drawn = random.Random(17).sample(drawn, min(count, len(drawn)))
    photos = [data / "pairs" / row["query"] for row in drawn]
    file = cache / f"{model.fingerprint}-{len(drawn)}-looks.pickle"
    looks = kept(file, photos, lambda pictures: [slim_look(model.garments(picture)) for picture in pictures])
    placing = ((row, placed(look, taxonomy)) for row, look in zip(drawn, looks, strict=True))
    return [Asked(row["query"], row["family"], look) for row, look in placing]


def worn_there(look: Look) -> Reading:
    there = [garment.reading for garment in look.garments if garment.group in PLACES]
    return there[0] if there else look.whole


def shown_first(look: Look) -> Reading:
    return look.garments[0].reading if len(look.garments) > 1 else look.whole


def ways(finder: Finder, rows: Sequence[Row]) -> dict[str, Callable[[Look], Found]]:
    """The ways to ask, by name."""
    family = {row["id"]: row["family"] for row in rows}
    query, snapshot = Query(size=FIRST), finder.serving().snapshot
    assert snapshot is not None

    def families(products: Iterable[Product]) -> Found:
        return [family[product.link.rpartition("/")[2]] for product in products]

    def plainly(look: Look) -> Found:
        nearest, _ = snapshot.index.nearest(look.whole.embedding, FIRST)
        return families(finder.catalog.listings.products(snapshot.columns.offer[nearest].tolist()))

    return {
        "whole photo, plain cosine": plainly,
        "whole photo": lambda look: families(finder.by_photo(look.whole, query).products),
        "look": lambda look: families(finder.by_look(look, query).products),
        "garment": lambda look: families(finder.by_photo(worn_there(look), query).products),
        "shown first": lambda look: families(finder.by_photo(shown_first(look), query).products),
    }


def table(asked: Sequence[Asked], answers: Mapping[str, Sequence[Found]]) -> str:
    lines = [f"| {len(asked)} worn photos, asked by | found first | among the first ten |", "|---|---|---|"]
    for way, found in answers.items():
        right = [[family == one.family for family in families] for one, families in zip(asked, found, strict=True)]
        first, ten = (statistics.fmean(any(hits[:count]) for hits in right) for count in (1, FIRST))
        lines.append(f"| {way} | {first:.3f} | {ten:.3f} |")
    return "\n".join(lines)


def tell_lost(asked: Sequence[Asked], answers: Mapping[str, Sequence[Found]], worst: int) -> None:
    """Photos that the plain cosine finds among the first ten and the page does not."""
    plain, shown = (answers[way] for way in ("whole photo, plain cosine", "shown first"))
    lost = [one for one, p, s in zip(asked, plain, shown, strict=True) if one.family in p and one.family not in s]
    print(f"\n{len(lost)} found by plain cosine and lost on the page:")
    for one in lost[:worst]:
        told = ", ".join(f"{part.group} {part.reading.axes['garment'].best.slug}" for part in one.look.garments)
        print(f"    {one.photo}  whole {one.look.whole.axes['garment'].best.slug}; {told}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--queries", type=int, default=400)
    parser.add_argument("--home", type=Path, default=Path("build/pairs"))
    parser.add_argument("--model", type=Path, help="model folder; the shipped one by default")
    parser.add_argument("--worst", type=int, default=10)
    parser.add_argument("--write", action="store_true", help="put the table into docs/relevance.md")
    options = parser.parse_args()
    settings = read_settings({"MAPSI_HOME": str(options.home)})
    installation = open_installation(settings, model_folder=options.model or shipped_model())
    rows = read_rows(options.data / "pairs" / "pairs.csv")
    stock(installation, options.data, rows)
    asked = ask_for(options.data, rows, options.queries, installation.model, installation.taxonomy, options.home)
    answers = {
        way: [ask(one.look) for one in asked] for way, ask in ways(open_finder(settings, installation), rows).items()
    }
    figures = table(asked, answers)
    print(figures)
    tell_lost(asked, answers, options.worst)
    if options.write:
        put_measured("pairs", installation.model, figures)


if __name__ == "__main__":
    main()
