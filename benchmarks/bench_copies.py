"""Whether copies of a product picture are known as such, and nothing else is taken for one.

    python benchmarks/bench_copies.py ../shared/data [--pictures 2000] [--points 1000000] [--sheet FILE] [--write]

Of ``--pictures`` pictures of ``products``, drawn by a fixed seed, copies are made as shops make them when they host a
picture again: recompressed, resized, with a white border. *Found* is the share that its thumbprint knows. Then all
pictures of ``products`` and all of ``pairs/gallery`` (tops of a few cuts photographed alike, many of them white on
white) are compared with all: ``--sheet`` draws the pairs taken for copies that are not the same cell by cell, and the
nearest hundred that are not taken for any, to be looked at. ``--points`` made-up pictures, each fourth with a copy,
tell how long it takes to find the pairs that have to be compared, all new and one in a thousand new.

``--write`` puts the table into docs/decisions/0016-one-product-of-several-shops.md.
"""

from __future__ import annotations

import argparse
import csv
import io
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from figures import put_figures
from PIL import Image, ImageDraw, ImageOps

from mapsi.arrays import IntArray, UInt8Array
from mapsi.catalog.pictures.near import near_pairs
from mapsi.pictures.store import thumbprint_of
from mapsi.thumbprints import BLOCK_APART, apart, block_means, stacked

DECISION = Path(__file__).parents[1] / "docs" / "decisions" / "0016-one-product-of-several-shops.md"
WHITE = (255, 255, 255)


def saved(photo: Image.Image, form: str, quality: int) -> Image.Image:
    file = io.BytesIO()
    photo.save(file, form, quality=quality)
    return Image.open(file).convert("RGB")


def scaled(photo: Image.Image, by: float) -> Image.Image:
    width, height = (max(1, round(side * by)) for side in photo.size)
    return photo.resize((width, height), Image.Resampling.LANCZOS)


WAYS: Mapping[str, Callable[[Image.Image], Image.Image]] = {
    "JPEG, quality 60": lambda photo: saved(photo, "JPEG", 60),
    "JPEG, quality 95": lambda photo: saved(photo, "JPEG", 95),
    "WebP, quality 75": lambda photo: saved(photo, "WEBP", 75),
    "half the size, JPEG 85": lambda photo: saved(scaled(photo, 0.5), "JPEG", 85),
    "0.7 of the size, WebP 80": lambda photo: saved(scaled(photo, 0.7), "WEBP", 80),
    "twice the size, JPEG 75": lambda photo: saved(scaled(photo, 2), "JPEG", 75),
    "6 white pixels around, JPEG 85": lambda photo: saved(ImageOps.expand(photo, 6, WHITE), "JPEG", 85),
    "1.5 of the size, 12 white pixels, JPEG 70": lambda photo: saved(
        ImageOps.expand(scaled(photo, 1.5), 12, WHITE), "JPEG", 70
    ),
}


def open_picture(file: Path) -> Image.Image:
    return Image.open(file).convert("RGB")


def found_share(files: list[Path]) -> dict[str, float]:
    """For each way the share of copies that are known."""
    known = dict.fromkeys(WAYS, 0)
    for file in files:
        photo = open_picture(file)
        own = thumbprint_of(photo)
        for way, make in WAYS.items():
            other = thumbprint_of(make(photo))
            known[way] += bool(own and other and apart(stacked([own]), stacked([other]))[0] <= 1)
    return {way: count / len(files) for way, count in known.items()}


def ranked_pairs(prints: UInt8Array, reach: float) -> tuple[IntArray, np.ndarray]:
    """The pairs whose blocks are within ``reach`` times what copies have, the nearest first, with how far apart."""
    points = block_means(prints).astype(np.float16)
    found = list(near_pairs(points, BLOCK_APART * reach, np.ones(len(points), dtype=np.bool_)))
    pairs = np.unique(np.concatenate(found), axis=0)
    far = np.concatenate([apart(prints[part[:, 0]], prints[part[:, 1]]) for part in np.array_split(pairs, 100)])
    order = np.argsort(far, kind="stable")
    return pairs[order], far[order]


class Shown(NamedTuple):
    """A product's picture, and its brand: the first word of its name, of brands with several words a wider one."""

    file: Path
    brand: str


def shop_pictures(data: Path) -> list[Shown]:
    rows = csv.DictReader((data / "products" / "products.csv").read_text("utf-8").splitlines())
    named = ((row["id"], row["productDisplayName"].split(maxsplit=1)[0].lower()) for row in rows)
    return [Shown(data / "products" / "images" / f"{number}.webp", brand) for number, brand in named]


def tops(data: Path) -> list[Shown]:
    """Without brands: as if all were of one."""
    return [Shown(file, "") for file in sorted((data / "pairs" / "gallery").glob("*.webp"))]


def draw_sheet(file: Path, pairs: list[tuple[Path, Path, float]]) -> None:
    across, width, height = 5, 184, 258
    sheet = Image.new("RGB", (across * (2 * width + 12), -(-len(pairs) // across) * height), WHITE)
    pen = ImageDraw.Draw(sheet)
    for number, (one, other, far) in enumerate(pairs):
        x, y = number % across * (2 * width + 12), number // across * height
        for side, each in enumerate((one, other)):
            sheet.paste(open_picture(each).resize((180, 240)), (x + side * width, y + 14))
        pen.text((x, y + 1), f"{one.stem} {other.stem} {far:.2f}", fill="red")
    sheet.save(file)


def compare_all(what: str, pictures: list[Shown], sheet: Path | None) -> Iterator[str]:
    told = [(each, thumbprint_of(open_picture(each.file))) for each in pictures]
    known = [each for each, its in told if its]
    pairs, far = ranked_pairs(stacked([its for _, its in told if its]), 5)
    own = np.array([known[one].brand == known[other].brand for one, other in pairs])
    copies, equal = far <= 1, far == 0
    of_brand = sum(count * (count - 1) // 2 for count in Counter(each.brand for each in pictures).values())
    near = ", ".join(f"{each:.2f}" for each in far[~copies & own][:5].tolist())
    yield f"- {what}: of {len(pictures):,} pictures ({of_brand:,} pairs of one brand) {(copies & own).sum()} pairs of"
    yield f"  one brand are taken for copies, {(copies & ~equal & own).sum()} of which differ in any cell, and"
    yield f"  {(copies & ~own).sum()} of two brands. The nearest that are not: {near} times what copies may differ by."
    if sheet:
        shown = [*np.flatnonzero(copies & ~equal), *np.flatnonzero(~copies)[:100]]
        draw_sheet(sheet, [(known[a].file, known[b].file, float(far[at])) for at in shown for a, b in [pairs[at]]])


def made_up_points(count: int) -> np.ndarray:
    """Like those of real pictures: most blocks even, a few numbers behind the others; each fourth with a copy."""
    chance = np.random.default_rng(1)
    causes = chance.standard_normal((count, 12)).astype(np.float32)
    mixed = causes @ chance.standard_normal((12, 49)).astype(np.float32) * 18
    points = np.clip(mixed + 190, 0, 255)
    copied = np.arange(0, count, 4)
    noise = chance.standard_normal((len(copied), 49)).astype(np.float32) * 0.4
    points[np.minimum(copied + 1, count - 1)] = points[copied] + noise
    return points.astype(np.float16)


def time_pairs(count: int) -> Iterator[str]:
    points = made_up_points(count)
    for what, fresh in (
        ("all of them new", np.ones(count, dtype=np.bool_)),
        ("one in a thousand new", np.arange(count) % 1000 == 0),
    ):
        began = time.process_time()
        found = sum(len(pairs) for pairs in near_pairs(points, BLOCK_APART, fresh))
        took = time.process_time() - began
        yield f"- Of {count:,} made-up pictures, {what}, {found:,} pairs to compare are found in {took:.1f} s."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--pictures", type=int, default=2000)
    parser.add_argument("--points", type=int, default=1_000_000)
    parser.add_argument("--sheet", type=Path)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    pictures = shop_pictures(options.data)
    files = [each.file for each in pictures]
    drawn = random.Random(1).sample(files, min(options.pictures, len(files)))
    shares = found_share(drawn)
    lines = [f"| made of {len(drawn):,} pictures | found |", "|---|---|"]
    lines += [f"| {way} | {share:.3f} |" for way, share in shares.items()]
    lines += [f"| all | {sum(shares.values()) / len(shares):.3f} |", ""]
    for what, every in (("products", pictures), ("pairs/gallery", tops(options.data))):
        own = options.sheet and options.sheet.with_stem(f"{options.sheet.stem}-{what.partition('/')[0]}")
        lines += compare_all(f"`{what}`", every, own)
    lines += time_pairs(options.points)
    told = "\n".join(lines) + "\n"
    print(told)
    if options.write:
        put_figures(DECISION, "copies", told)


if __name__ == "__main__":
    main()
