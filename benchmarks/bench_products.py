"""A catalogue of real size: import, copy and index ../shared/data/products, then search it by its own pictures.

    python benchmarks/bench_products.py ../shared/data/products [--limit N]

The pictures are real, the prices and links are made up from the ids. Prints the time and rate of each step, how often a
product's own picture finds it first, and how many of the first ten products for a shirt's picture are shirts.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from mapsi.catalog import open_catalog
from mapsi.catalog.query import Query
from mapsi.imaging import PhotoLimits, decode_photo
from mapsi.infer import Model
from mapsi.pictures.copying import PictureSource, copy_pictures
from mapsi.pictures.store import PictureStore
from mapsi.progress import no_progress
from mapsi.refresh.feeds import import_feed
from mapsi.remote import Fetcher
from mapsi.search.building import Installation, build_index
from mapsi.search.finder import Finder
from mapsi.search.models import ModelStore
from mapsi.search.pair import ServingPair
from mapsi.taxonomy import load_taxonomy

AUDIENCES = {"Men": "male", "Women": "female", "Unisex": "unisex"}
ASKED = 300


def write_feed(products: Path, folder: Path, limit: int) -> tuple[Path, dict[str, str]]:
    """A Merchant TSV beside the pictures (linked in), and each id's article type."""
    (folder / "images").symlink_to((products / "images").resolve())
    kinds: dict[str, str] = {}
    with (products / "products.csv").open(encoding="utf-8") as lines, (folder / "feed.tsv").open("w") as out:
        feed = csv.writer(out, delimiter="\t")
        feed.writerow(["id", "title", "link", "image_link", "price", "availability", "product_type", "gender", "color"])
        for row in csv.DictReader(lines):
            picture = products / "images" / f"{row['id']}.jpg"
            if len(kinds) >= limit or not picture.exists():
                continue
            kinds[row["id"]] = row["articleType"]
            number = int(row["id"])
            category = f"{row['masterCategory']} > {row['subCategory']} > {row['articleType']}"
            feed.writerow([
                number, row["productDisplayName"], f"https://shop.example.com/{number}", f"images/{number}.jpg",
                f"{10_000 + number % 900 * 100} KRW", "in_stock", category, AUDIENCES.get(row["gender"], ""), row["baseColour"],  # noqa: E501
            ])  # fmt: skip
    return folder / "feed.tsv", kinds


def timed(what: str, count: int, work: Callable[[], object]) -> object:
    """Do ``work`` and print how long it took for ``count`` things."""
    start = time.perf_counter()
    result = work()
    seconds = time.perf_counter() - start
    print(f"{what:10} {count:6} in {seconds:7.1f} s   {count / seconds:8.0f} a second")
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("products", type=Path)
    parser.add_argument("--limit", type=int, default=1_000_000)
    options = parser.parse_args()
    taxonomy, model = load_taxonomy(), Model.open()
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        feed, kinds = write_feed(options.products, home, options.limit)
        store = PictureStore(home / "pictures", PhotoLimits())
        catalog = open_catalog(f"sqlite:///{home / 'catalog.db'}")
        catalog.migrate()
        count = len(kinds)
        timed("import", count, lambda: import_feed(catalog, feed, format="merchant", shop="Shop", taxonomy=taxonomy))
        installation = Installation(
            catalog=catalog,
            model=model,
            taxonomy=taxonomy,
            pictures=store,
            source=PictureSource(Fetcher(), 1 << 24, 20),
            index_root=home / "index",
            models=ModelStore(home / "models"),
        )
        timed("copy", count, lambda: copy_pictures(catalog, installation.source, store, no_progress))
        timed("index", count, lambda: build_index(installation, no_progress))
        ask(Finder(catalog, ServingPair(model, installation.index_root), store, taxonomy), options.products, kinds)
        catalog.close()


def ask(finder: Finder, products: Path, kinds: dict[str, str]) -> None:
    """Search by products' own pictures, spread over the catalogue."""
    asked = list(kinds)[:: max(1, len(kinds) // ASKED)]
    first, times, shirts, of_shirts = 0, [], 0, 0
    for name in asked:
        photo = decode_photo((products / "images" / f"{name}.jpg").read_bytes())
        start = time.perf_counter()
        page = finder.by_photo(finder.read(photo), Query(size=10))
        times.append(time.perf_counter() - start)
        links = [product.link.rpartition("/")[2] for product in page.products]
        same = [product.similarity for product in page.products if product.similarity]
        # Some products are in the data twice with the same picture: either is right.
        first += links[0] == name or (name in links and abs(same[links.index(name)] - same[0]) < 0.002)
        if kinds[name] == "Shirts":
            shirts += sum(kinds[link] == "Shirts" for link in links)
            of_shirts += len(links)
    print(f"own picture first: {first} of {len(asked)} ({first / len(asked):.1%})")
    if of_shirts:
        print(f"shirts among the first ten for a shirt: {shirts / of_shirts:.1%}")
    print(f"a search by photo: median {sorted(times)[len(times) // 2] * 1e3:.0f} ms, decoding apart")


if __name__ == "__main__":
    main()
