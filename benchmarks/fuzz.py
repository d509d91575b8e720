"""Feed mutated bytes to what reads strangers' files, led by the lines that they reach (atheris).

    python benchmarks/fuzz.py photos|feeds [--seconds 600] [--seed 20]

``photos`` are decoded as ``imaging.py`` does, every format in this process; ``feeds`` are read in the format that the
first byte picks. A finding is an error that is not one of mapsi's, a crash of the process, an input that takes more
than 60 seconds, or 2 GB of memory: the command then ends with another code than 0, and the input lies in the current
folder. ``make fuzz`` installs atheris and runs both.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import atheris

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
with atheris.instrument_imports(include=["mapsi"]):
    from mapsi.errors import FeedError, PhotoError
    from mapsi.imaging import PhotoLimits, decode_here
    from mapsi.pixel_budget import PixelBudget
    from mapsi.providers import EXPORTS, FORMATS, ShopFacts

from hostile import HEIC
from test_imaging_attacks import damaged
from written_feeds import DRESS, SHIRT, atom, naver, rss, table

LIMITS, BUDGET = PhotoLimits(max_pixels=500_000), PixelBudget(500_000)
SHOP = ShopFacts("https://shop.example/", "USD")
CHANGES = (
    "id\ttitle\tprice_pc\tlink\timage_link\tcategory_name1\tshipping\tclass\tupdate_time\n"
    "A1\t셔츠\t29,000\thttps://a.example/1\thttps://a.example/1.jpg\t패션의류\t0\tU\t2026-11-22 10:00:00\n"
)
ITEMS = """{"total": 1, "start": 1, "display": 1, "items": [{"productId": "1", "title": "<b>a</b>", "lprice": "1",
"link": "https://a.example", "image": "https://a.example/1.jpg", "mallName": "b", "productType": "1"}]}"""


def try_photo(data: bytes) -> None:
    with suppress(PhotoError), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert decode_here(data, LIMITS, 0, BUDGET.lend).mode == "RGB"


def try_feed(data: bytes, file: Path) -> None:
    kinds = [*FORMATS, *EXPORTS]
    kind = kinds[data[0] % len(kinds)] if data else "merchant"
    file.write_bytes(data[1:])
    with suppress(FeedError):
        if kind in EXPORTS:
            for _ in EXPORTS[kind].read(file, SHOP, None):
                pass
            return
        provider = FORMATS[kind]
        provider.partial(file)
        for _ in provider.read(file, "https://shop.example/"):
            pass


def seeds(kind: str) -> list[bytes]:
    """Sound inputs to begin with."""
    if kind == "photos":
        return [*damaged(), HEIC]
    rows = [SHIRT, DRESS]
    merchant = [rss(rows), atom(rows), table(rows, "\t")]
    written = {"merchant": merchant, "naver-ep": [naver(rows), CHANGES], "shop-json": [ITEMS], "csv": [table(rows)]}
    return [bytes([number]) + text.encode() for number, name in enumerate(FORMATS) for text in written[name]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("photos", "feeds"))
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--seed", type=int, default=20)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        file, corpus = Path(folder) / "feed", Path(folder) / "corpus"
        corpus.mkdir()
        for number, data in enumerate(seeds(arguments.kind)):
            (corpus / str(number)).write_bytes(data)
        tried: Callable[[bytes], None] = try_photo if arguments.kind == "photos" else lambda data: try_feed(data, file)
        bounds = ("-timeout=60", "-rss_limit_mb=2048", "-max_len=20000", "-print_final_stats=1")
        led = (f"-max_total_time={arguments.seconds}", f"-seed={arguments.seed}", str(corpus))
        atheris.Setup([sys.argv[0], *bounds, *led], tried)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
