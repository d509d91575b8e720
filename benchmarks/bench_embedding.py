"""How much of what the model alone does is left when pictures are opened, decoded, read and saved: the cost of the way.

    python benchmarks/bench_embedding.py ../shared/data/products/images [--pictures 512] [--rounds 5]

Model alone: prepared inputs, the same threads, the best of several batch sizes. Whole way: :func:`embed_pictures` over
a store and a SQLite catalogue, from open files to saved readings. Two kinds of pictures: small ones from the folder,
and the drawn ones of the sample shop. Runs are interleaved, so that other load meets both; ratios are of medians.
Beside the rate stands the processor time of a picture, of which other load takes nothing: where the machine is busy,
that ratio is the one to look at.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sqlalchemy import text

from mapsi.catalog import Catalog, open_catalog
from mapsi.catalog.offer import Delivery, Offer
from mapsi.catalog.store.database import open_database
from mapsi.cores import cores
from mapsi.imaging import PhotoLimits, decode_photo, to_input
from mapsi.infer import Model
from mapsi.pictures.copying import PictureSource, copy_pictures
from mapsi.pictures.embedding import EmbeddingReport, embed_pictures
from mapsi.pictures.store import PictureStore
from mapsi.progress import no_progress
from mapsi.remote import Fetcher
from mapsi.sample.shop import shipped_feed
from mapsi.taxonomy import load_taxonomy

BATCHES = (1, 16, 32)

Cost = tuple[float, float]
"""Pictures a second, and milliseconds of processor time a picture."""


def offers(files: list[Path]) -> Iterator[Offer]:
    """One offer a picture."""
    for number, file in enumerate(files):
        link = f"https://shop.example.com/{number}"
        yield Offer(
            id=str(number), title="셔츠", link=link, image=str(file.resolve()), price=Decimal(1000), currency="KRW"
        )


@contextmanager
def stocked(files: list[Path]) -> Iterator[tuple[Catalog, PictureStore, str]]:
    """A catalogue with these pictures copied, and the address of its database."""
    with tempfile.TemporaryDirectory() as scratch:
        url = f"sqlite:///{scratch}/catalog.db"
        store = PictureStore(Path(scratch) / "pictures", PhotoLimits())
        with open_catalog(url) as catalog:
            catalog.migrate()
            taxonomy = load_taxonomy()
            delivery = Delivery(shop="shop", format="bench", origin="bench", now=catalog.now())
            catalog.imports.take(delivery, offers(files), taxonomy)
            copy_pictures(catalog, PictureSource(Fetcher(), 1 << 24, 20), store, no_progress)
            yield catalog, store, url


def forget_readings(url: str) -> None:
    """Make all pictures new to the model again."""
    database = open_database(url)
    with database.write() as connection:
        connection.execute(text("DELETE FROM readings"))
    database.close()


def cost(count: int, work: Callable[[], object]) -> Cost:
    """What ``work`` on so many pictures takes, of all threads."""
    start, busy = time.perf_counter(), time.process_time()
    work()
    return count / (time.perf_counter() - start), (time.process_time() - busy) * 1e3 / count


def model_alone(model: Model, inputs: npt.NDArray[np.float32], batch: int, threads: int) -> Cost:
    """Of prepared inputs."""
    parts = [inputs[i : i + batch] for i in range(0, len(inputs), batch)]
    with ThreadPoolExecutor(threads) as pool:
        return cost(len(inputs), lambda: list(pool.map(model.answer, parts)))


def whole_way(catalog: Catalog, model: Model, store: PictureStore, url: str, threads: int, count: int) -> Cost:
    """From files to saved readings."""
    forget_readings(url)
    reports: list[EmbeddingReport] = []
    spent = cost(count, lambda: reports.append(embed_pictures(catalog, model, store, no_progress, threads=threads)))
    assert reports[0].read == count
    return spent


def compare(what: str, files: list[Path], rounds: int, threads: int) -> None:
    """Measure both on these pictures and print medians and their ratio."""
    model = Model.open(threads=1)
    photos = [decode_photo(file.read_bytes()) for file in files]
    inputs = np.stack([to_input(photo, model.document.preprocessing) for photo in photos])
    alone: dict[int, list[Cost]] = {batch: [] for batch in BATCHES}
    whole: list[Cost] = []
    with stocked(files) as (catalog, store, url):
        for _ in range(rounds):
            for batch in BATCHES:
                alone[batch].append(model_alone(model, inputs, batch, threads))
            whole.append(whole_way(catalog, model, store, url, threads, len(set(picture_digests(catalog)))))
    medians = {batch: median(costs) for batch, costs in alone.items()}
    rate, busy = max(r for r, _ in medians.values()), min(b for _, b in medians.values())
    reached, spent = median(whole)
    print(f"{what}: {len(files)} pictures of {photos[0].width}x{photos[0].height}, {threads} threads")
    for batch, (r, b) in medians.items():
        print(f"  model alone, by {batch:2}: {r:4.0f} a second, {b:5.2f} ms of processor time each")
    print(f"  whole way         : {reached:4.0f} a second, {spent:5.2f} ms of processor time each")
    print(f"  of the best of the model alone: {reached / rate:.0%} of its rate, {busy / spent:.0%} by processor time")


def median(costs: list[Cost]) -> Cost:
    """Of rates and of processor times, each for itself."""
    return statistics.median(rate for rate, _ in costs), statistics.median(busy for _, busy in costs)


def picture_digests(catalog: Catalog) -> list[str]:
    """Of the copies there are."""
    return [copy.digest for copy in catalog.copies.kept()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="Pictures of products, WebP.")
    parser.add_argument("--pictures", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=cores())
    options = parser.parse_args()
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC")
    files = sorted(options.folder.glob("*.webp"))[: options.pictures]
    compare("shop pictures", files, options.rounds, options.threads)
    drawn = sorted((shipped_feed().parent / "pictures").glob("*.webp"))[: options.pictures]
    compare("drawn pictures", drawn, options.rounds, options.threads)


if __name__ == "__main__":
    main()
