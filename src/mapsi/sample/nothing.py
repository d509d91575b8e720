"""Pictures that show no garment: noise, gradients, shapes, scribbles and tiles, to learn being unsure from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SIDE = 256
Rng = np.random.Generator


def draw_nothing(rng: Rng) -> Image.Image:
    """A random picture without a garment, 256 x 256 px."""
    kind = KINDS[int(rng.integers(len(KINDS)))]
    return kind(rng)


def write_nothing(folder: Path, count: int, seed: int) -> None:
    """Write ``count`` pictures to ``folder`` as JPEG; the same seed gives the same pictures."""
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        draw_nothing(np.random.default_rng((seed, i))).save(folder / f"{i:04}.jpg", quality=90)


def _colour(rng: Rng) -> tuple[int, int, int]:
    red, green, blue = (int(v) for v in rng.integers(0, 256, 3))
    return red, green, blue


def _noise(rng: Rng) -> Image.Image:
    side = int(rng.choice([4, 16, 64, SIDE]))
    pixels = rng.integers(0, 256, (side, side, 3), dtype=np.uint8)
    return Image.fromarray(pixels).resize((SIDE, SIDE), Image.Resampling.BICUBIC)


def _gradient(rng: Rng) -> Image.Image:
    corners = rng.integers(0, 256, (2, 2, 3), dtype=np.uint8)
    return Image.fromarray(corners).resize((SIDE, SIDE), Image.Resampling.BILINEAR)


def _plain(rng: Rng) -> Image.Image:
    return Image.new("RGB", (SIDE, SIDE), _colour(rng))


def _shapes(rng: Rng) -> Image.Image:
    photo = _gradient(rng)
    pen = ImageDraw.Draw(photo)
    for _ in range(int(rng.integers(1, 12))):
        x, y = (int(v) for v in rng.integers(-30, SIDE, 2))
        w, h = (int(v) for v in rng.integers(10, 160, 2))
        draw = pen.ellipse if rng.random() < 0.5 else pen.rectangle
        draw((x, y, x + w, y + h), fill=_colour(rng))
    return photo


def _scribble(rng: Rng) -> Image.Image:
    photo = Image.new("RGB", (SIDE, SIDE), "white" if rng.random() < 0.5 else _colour(rng))
    pen = ImageDraw.Draw(photo)
    for _ in range(int(rng.integers(2, 20))):
        points = [tuple(map(int, p)) for p in rng.integers(0, SIDE, (int(rng.integers(2, 8)), 2))]
        pen.line(points, fill=_colour(rng), width=int(rng.integers(1, 9)), joint="curve")
    return photo


def _tiles(rng: Rng) -> Image.Image:
    step = int(rng.integers(4, 64))
    y, x = np.mgrid[0:SIDE, 0:SIDE] // step
    turn = (x + y) % 2 if rng.random() < 0.5 else (x if rng.random() < 0.5 else y) % 2
    colours = np.array([_colour(rng), _colour(rng)], dtype=np.uint8)
    return Image.fromarray(colours[turn])


def _text(rng: Rng) -> Image.Image:
    photo = Image.new("RGB", (SIDE, SIDE), "white")
    pen = ImageDraw.Draw(photo)
    letters = np.array(list("abcdefghijklmnopqrstuvwxyz      "))
    for line in range(int(rng.integers(3, 20))):
        pen.text((10, 8 + 12 * line), "".join(rng.choice(letters, int(rng.integers(8, 38)))), fill=(30, 30, 30))
    return photo


def _blobs(rng: Rng) -> Image.Image:
    return _shapes(rng).filter(ImageFilter.GaussianBlur(float(rng.uniform(4, 24))))


KINDS: tuple[Callable[[Rng], Image.Image], ...] = (
    _noise, _gradient, _plain, _shapes, _scribble, _tiles, _text, _blobs,
)  # fmt: skip
