"""A training photo as it might have been taken: cropped, mirrored, turned, in another light, with a part of it hidden.

On 8-bit pictures, by Pillow: ten times as fast as on float tensors, on two cores on which the network
learns too (benchmarks/bench_training.py).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from mapsi.arrays import UInt8Array

UNKNOWN = 255
"""Where a mask does not say what is there."""
MAP_STRIDE = 4

# Weights of red, green and blue in what the eye takes for light (ITU-R BT.601).
_LIGHT = np.array([0.299, 0.587, 0.114])
# From RGB to light and two differences of colour (YIQ), in which a hue is an angle.
_YIQ = np.array([_LIGHT, [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]])


def crop_and_flip(
    photo: Image.Image, groups: Image.Image | None, size: int, rng: np.random.Generator, least: float
) -> tuple[Image.Image, Image.Image | None]:
    """A random crop of ``least`` to all of the area of a photo, mirrored at random, as a square of ``size``; and the
    same crop of its mask, which may be of another size, as a square of ``size`` / 4."""
    width, height = photo.size
    area = rng.uniform(least, 1.0) * height * width
    ratio = np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3)))
    h, w = min(height, round(np.sqrt(area / ratio))), min(width, round(np.sqrt(area * ratio)))
    top, left = int(rng.integers(0, height - h + 1)), int(rng.integers(0, width - w + 1))
    box = (left, top, left + w, top + h)
    photo = photo.resize((size, size), Image.Resampling.BILINEAR, box=box)
    if groups is not None:
        across, down = groups.width / width, groups.height / height
        part = (box[0] * across, box[1] * down, box[2] * across, box[3] * down)
        groups = groups.resize((size // MAP_STRIDE, size // MAP_STRIDE), Image.Resampling.NEAREST, box=part)
    if rng.random() < 0.5:
        mirrored = Image.Transpose.FLIP_LEFT_RIGHT
        return photo.transpose(mirrored), None if groups is None else groups.transpose(mirrored)
    return photo, groups


def augment(
    photo: Image.Image, groups: Image.Image | None, size: int, rng: np.random.Generator, *, gentle: bool = False
) -> tuple[Image.Image, Image.Image | None]:
    """A random crop, flip, small rotation, light and colour of a photo, and a part of it hidden: a square of ``size``;
    and the same of its mask, a square of ``size`` / 4. A ``gentle`` one keeps most of its area and, within two fifths
    of that range, its colours."""
    photo, groups = crop_and_flip(photo, groups, size, rng, 0.6 if gentle else 0.35)
    if rng.random() < 0.3:
        angle = float(rng.uniform(-15, 15))
        photo = photo.rotate(angle, Image.Resampling.BILINEAR)
        groups = None if groups is None else groups.rotate(angle, Image.Resampling.NEAREST, fillcolor=UNKNOWN)
    if rng.random() < 0.8:
        photo = recolour(photo, _draw_colours(rng, gentle=gentle))
    if rng.random() < 0.25:
        photo = _erase(photo, rng)
    return photo, groups


def _draw_colours(rng: np.random.Generator, *, gentle: bool) -> npt.NDArray[np.float64]:
    strength = 0.4 if gentle else 1.0
    brightness = 1 + strength * rng.uniform(-0.35, 0.35)
    contrast = 1 + strength * rng.uniform(-0.3, 0.35)
    saturation = 1 + strength * rng.uniform(-0.4, 0.4)
    turn = rng.uniform(-0.08, 0.08) if not gentle and rng.random() < 0.3 else 0.0
    return colour_matrix(brightness, contrast, saturation, turn)


def colour_matrix(brightness: float, contrast: float, saturation: float, turn: float) -> npt.NDArray[np.float64]:
    """Factors of brightness, contrast (about the middle, 128) and saturation, and a ``turn`` of all hues (shares of the
    circle), as one (3, 4) matrix on (red, green, blue, 1): one pass over the pixels instead of four."""
    c, s = np.cos(2 * np.pi * turn), np.sin(2 * np.pi * turn)
    # Light stays; the two differences of colour turn and grow: (y, i, q) -> (y, k (c i - s q), k (s i + c q)).
    turned = np.array([[1, 0, 0], [0, saturation * c, -saturation * s], [0, saturation * s, saturation * c]])
    matrix = brightness * contrast * np.linalg.inv(_YIQ) @ turned @ _YIQ
    return np.hstack([matrix, np.full((3, 1), 128 * (1 - contrast))])


def recolour(photo: Image.Image, matrix: npt.NDArray[np.float64]) -> Image.Image:
    """``matrix`` (3, 4) applied to each pixel's (red, green, blue, 1), within 0 to 255."""
    return photo.convert("RGB", tuple(matrix.ravel().tolist()))


def _erase(photo: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A rectangle of noise over 2 to 20 % of the area (random erasing, Zhong et al., 2020)."""
    size = photo.width
    h, w = (max(1, int(size * np.sqrt(rng.uniform(0.02, 0.2)))) for _ in range(2))
    top, left = int(rng.integers(0, size - h + 1)), int(rng.integers(0, size - w + 1))
    noise: UInt8Array = rng.integers(0, 256, (h, w, 3), dtype=np.uint8)
    photo.paste(Image.fromarray(noise), (left, top))
    return photo
