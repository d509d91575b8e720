"""How fast feeds are read, and how much memory that takes: `python benchmarks/bench_providers.py [ROWS] [ROUNDS]`.

Prints, for each format, the median rate over the rounds and by how much the peak of the resident memory grew.
"""

from __future__ import annotations

import json
import multiprocessing
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from xml.sax.saxutils import escape

from mapsi.catalog.offer import BrokenRow
from mapsi.providers import FORMATS
from mapsi.providers.naver_ep import CATEGORIES

NAMES = (
    "id", "title", "description", "link", "image_link", "availability", "price", "sale_price", "brand", "color",
    "gender", "age_group", "item_group_id", "product_type",
)  # fmt: skip


def rows(count: int) -> Iterator[list[str]]:
    for n in range(count):
        yield [
            f"SKU-{n:07d}",
            f"린넨 오버핏 셔츠 {n} / Linen oversized shirt",
            f"<p>가볍고 시원한 <b>린넨</b> 셔츠 &amp; 소매는 넉넉하게. Airy linen, relaxed sleeves, number {n}.</p>"
            * 2,
            f"https://shop.example.com/products/{n}?utm_source=feed&variant={n % 5}",
            f"https://img.example.com/p/{n}.jpg",
            "in stock" if n % 9 else "out of stock",
            f"{10_000 + n % 700 * 100} KRW",
            f"{9_000 + n % 700 * 100} KRW" if n % 3 else "",
            "맵시",
            "ivory/white",
            ("female", "male", "unisex")[n % 3],
            "adult",
            f"G{n // 5}",
            "여성 > 상의 > 셔츠",
        ]


def write_table(file: Path, count: int, delimiter: str) -> None:
    with file.open("w", encoding="utf-8") as out:
        out.write(delimiter.join(NAMES) + "\n")
        for values in rows(count):
            out.write(delimiter.join(f'"{value}"' if delimiter in value else value for value in values) + "\n")


def write_rss(file: Path, count: int) -> None:
    with file.open("w", encoding="utf-8") as out:
        out.write('<?xml version="1.0"?>\n<rss version="2.0" xmlns:g="http://base.google.com/ns/1.0"><channel>\n')
        for values in rows(count):
            fields = "\n".join(
                f"  <g:{name}>{escape(value)}</g:{name}>" for name, value in zip(NAMES, values, strict=True)
            )
            out.write(f"<item>\n{fields}\n</item>\n")
        out.write("</channel></rss>\n")


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def measure(name: str, format: str, file: Path, count: int, rounds: int) -> None:
    before = peak_bytes()
    rates = []
    for _ in range(rounds):
        begun = time.process_time()
        found = sum(1 for row in FORMATS[format].read(file) if not isinstance(row, BrokenRow))
        rates.append(found / (time.process_time() - begun))
        assert found == count
    grown = (peak_bytes() - before) / 1e6
    print(f"{name:10} {statistics.median(rates):9,.0f} rows/s of processor time, peak memory +{grown:.1f} MB")


def write_ep(file: Path, count: int, *, changes: bool) -> None:
    """Naver's full feed, or a summary of as many changes, each tenth of them a deletion."""
    names = ("id", "title", "price_pc", "normal_price", "link", "image_link", *CATEGORIES, "brand", "shipping")
    with file.open("w", encoding="utf-8") as out:
        out.write("\t".join((*names, "class", "update_time") if changes else names) + "\n")
        for n, (id_, title, _, link, image, _, _, price, *_) in enumerate(rows(count)):
            values = [id_, title, f"{10_000 + n % 700 * 100:,}", price.removesuffix(" KRW"), link, image]
            values += ["패션의류", "여성의류", "셔츠/블라우스", "", "맵시", "3000"]
            values += ["D" if n % 10 == 0 else "U", f"2026-11-22 {n // 3600 % 24:02}:{n // 60 % 60:02}:{n % 60:02}"]
            out.write("\t".join(values if changes else values[:-2]) + "\n")


def write_answers(file: Path, count: int) -> None:
    """Answers of shop.json, a hundred items each, one a line."""
    items = [
        {"title": title.replace("셔츠", "<b>셔츠</b>"), "link": link, "image": image, "lprice": price.split()[0], "hprice": "",  # noqa: E501
         "mallName": "맵시", "productId": id_, "productType": "2", "brand": "", "maker": brand,
         "category1": "패션의류", "category2": "여성의류", "category3": "셔츠", "category4": ""}
        for id_, title, _, link, image, _, price, _, brand, *_ in rows(100)
    ]  # fmt: skip
    with file.open("w", encoding="utf-8") as out:
        for at in range(0, count, 100):
            page = [{**item, "productId": str(at + n)} for n, item in enumerate(items)]
            out.write(json.dumps({"total": count, "start": 1, "items": page}, ensure_ascii=False) + "\n")


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    writers: dict[str, tuple[str, Callable[[Path], None]]] = {
        "rss": ("merchant", lambda file: write_rss(file, count)),
        "tsv": ("merchant", lambda file: write_table(file, count, "\t")),
        "csv": ("csv", lambda file: write_table(file, count, ",")),
        "ep": ("naver-ep", lambda file: write_ep(file, count, changes=False)),
        "ep changes": ("naver-ep", lambda file: write_ep(file, count, changes=True)),
        "shop.json": ("shop-json", lambda file: write_answers(file, count)),
    }
    spawn = multiprocessing.get_context("spawn")  # a process each: the peak of one would hide the next one's
    with tempfile.TemporaryDirectory() as folder:
        for name, (format, write) in writers.items():
            file = Path(folder) / f"feed.{name}"
            write(file)
            process = spawn.Process(target=measure, args=(name, format, file, count, rounds))
            process.start()
            process.join()


if __name__ == "__main__":
    main()
