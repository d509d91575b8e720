"""The sample shop: its products, in an order that never changes, and the shop written as a feed with pictures."""

from __future__ import annotations

import tomllib
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from mapsi.imaging import encode_webp
from mapsi.progress import Advance, no_advance
from mapsi.sample.cloth.fabrics import Fabric
from mapsi.sample.cloth.lighting import Scene
from mapsi.sample.cloth.palette import BACKGROUNDS, COLORS, brightness
from mapsi.sample.drawing import Spec, draw
from mapsi.sample.feed import write_feed
from mapsi.sample.product import SampleProduct
from mapsi.sample.wardrobe import color, options

PICTURE_WIDTH = 480
"""Pixels; a picture is a quarter higher than wide."""

CATEGORIES = {
    "dress": "원피스",
    "hat": "모자",
    "longsleeve": "긴팔·니트",
    "outwear": "아우터",
    "pants": "바지",
    "shirt": "셔츠·블라우스",
    "shoes": "신발",
    "shorts": "반바지",
    "skirt": "스커트",
    "t-shirt": "티셔츠",
}
AUDIENCES = {"female": "여성", "male": "남성", "unisex": "공용"}


@dataclass(frozen=True, slots=True)
class ProductLine:
    """One product line of ``lines.toml``: all its colours share everything but the colour."""

    number: int
    style: str
    garment: str
    gender: str
    price: int
    ko: str
    en: str
    cut: str
    weave: str
    pattern: str
    colors: tuple[str, ...]
    options: Mapping[str, Any]


def load_lines() -> list[ProductLine]:
    """The lines of the shop in the order of the file."""
    text = (files("mapsi.sample") / "lines.toml").read_text("utf-8")
    return [_line(number, table) for number, table in enumerate(tomllib.loads(text)["line"], start=1)]


def _line(number: int, table: Mapping[str, Any]) -> ProductLine:
    style, garment, gender, price = table["of"].split()
    cut, weave, *pattern = table["cloth"].split()
    return ProductLine(
        number,
        "" if style == "-" else style,
        garment,
        gender,
        int(price),
        table["ko"],
        table["en"],
        cut,
        weave,
        pattern[0] if pattern else "",
        tuple(table["colors"]),
        options(table.get("options", {})),
    )


def products() -> Iterator[tuple[SampleProduct, Spec]]:
    """Every product of the shop with the specification of its picture."""
    for line in load_lines():
        grounds = [names.split()[0] for names in line.colors]
        for names in line.colors:
            ground, *accents = names.split()
            # Two with the same ground colour are named by the first colour of their pattern.
            second = accents[:1] if grounds.count(ground) > 1 else []
            yield _product(line, [ground, *second]), _spec(line, ground, accents)


def _product(line: ProductLine, colors: list[str]) -> SampleProduct:
    ko, en = "·".join(COLORS[name].ko for name in colors), " and ".join(COLORS[name].en for name in colors)
    # Every seventh line is on sale, at four fifths, down to a full hundred won.
    sale = Decimal(line.price * 8 // 1000 * 100) if line.number % 7 == 0 else None
    return SampleProduct(
        id=f"m{line.number:03d}-{'-'.join(colors)}",
        title=f"{line.ko} · {ko} / {line.en}, {en}",
        description=(
            f"맵시 샘플 상품입니다. 실제로 판매하지 않으며 사진은 프로그램이 그린 그림입니다. {line.ko}, {ko}. "
            f"A sample of mapsi: not for sale, its picture is drawn by a program. {line.en}, {en}."
        ),
        price=Decimal(line.price),
        sale_price=sale,
        product_type=f"{AUDIENCES[line.gender]} > {CATEGORIES[line.garment]}",
        color=f"{ko} / {en}",
        gender=line.gender,
        group=f"m{line.number:03d}" if len(line.colors) > 1 else "",
        style=line.style,
        garment=line.garment,
    )


def _spec(line: ProductLine, ground: str, accents: list[str]) -> Spec:
    seed = zlib.crc32(f"{line.number}-{ground}".encode())
    fabric = Fabric(color(ground), line.weave, line.pattern, tuple(color(name) for name in accents))
    return Spec(line.cut, fabric, line.options, _scene(fabric, seed), seed)


def _scene(fabric: Fabric, seed: int) -> Scene:
    """A pale ground against which the cloth stands out, and a camera that is never quite straight."""
    rng = np.random.default_rng(seed + 1)
    light = brightness(fabric.color)
    fitting = [
        ground for ground in BACKGROUNDS if brightness(ground) - light > 0.09 or light - brightness(ground) > 0.02
    ]
    ground = (fitting or list(BACKGROUNDS))[int(rng.integers(len(fitting or BACKGROUNDS)))]
    return Scene(ground, float(rng.uniform(-1.2, 1.2)), float(rng.uniform(1.0, 1.05)))


def write_shop(folder: Path, progress: Advance = no_advance) -> int:
    """Write ``feed.xml`` and ``pictures/*.webp`` into ``folder``; returns how many products they hold.

    ``progress`` is told of each picture. Raises :class:`mapsi.errors.ExtraMissingError` where the
    drawing library is not installed.
    """
    pictures = folder / "pictures"
    pictures.mkdir(parents=True, exist_ok=True)
    stock = list(products())
    for product, spec in stock:
        (folder / product.image).write_bytes(picture_of(spec))
        progress(1)
    write_feed(folder / "feed.xml", [product for product, _ in stock])
    return len(stock)


def picture_of(spec: Spec) -> bytes:
    """A product picture as WebP."""
    return encode_webp(draw(spec, width=PICTURE_WIDTH), max_side=PICTURE_WIDTH * 5 // 4, quality=80)


def shipped_feed() -> Path:
    """The feed inside the package; its pictures lie beside it."""
    return Path(str(files("mapsi.sample") / "shop" / "feed.xml"))
