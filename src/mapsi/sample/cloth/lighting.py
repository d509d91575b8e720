"""Light on a sheet: the four layers become a picture of cloth on a pale ground, seen from above."""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageFilter

from mapsi.errors import ExtraMissingError
from mapsi.sample.cloth.fabrics import Weave
from mapsi.sample.cloth.palette import rgb
from mapsi.sample.cloth.sheet import Sheet

Floats = npt.NDArray[np.float32]

WIDTH, HEIGHT = 480, 600


@dataclass(frozen=True, slots=True)
class Scene:
    """What lies around the garment. ``background`` is ``#rrggbb``, ``turn`` in degrees, ``zoom`` 1 for the frame's
    size, ``shift`` in frame units, ``light`` the angle in degrees from which the light comes (0 = right, 90 = top)."""

    background: str = "#f4f1ec"
    turn: float = 0.0
    zoom: float = 1.0
    shift: tuple[float, float] = (0.0, 0.0)
    light: float = 125.0


def illuminate(sheet: Sheet, weave: Weave, scene: Scene, rng: np.random.Generator, width: int) -> Image.Image:
    """An RGB picture ``width`` pixels wide and a quarter higher; ``rng`` decides the wrinkles and the grain."""
    scale = width / WIDTH
    flow = _flow(rng, width, scale)
    ink = _warp(_raster(sheet.layer("ink", ""), width, "RGBA"), flow)
    form, shade = (_coarse(sheet.layer(name, _GROUNDS[name]), width) for name in ("form", "shade"))
    relief = _raster(sheet.layer("relief", _GROUNDS["relief"]), width, "L")
    form, shade, relief = np.moveaxis(_warp(np.dstack([form, shade, relief]), flow), -1, 0)
    mask = ink[..., 3]
    height = _height(form, relief, mask, weave, rng, scale)
    shading = _shading(height, shade, scene, scale)[..., None]
    lit = _cloth(ink[..., :3], weave, rng, scale) * shading + np.float32(0.115) * (shading - 0.93)
    lit += _highlight(height, weave, scene, scale)[..., None] * mask[..., None]
    return _compose(np.clip(lit, 0, 1), mask, scene, rng, scale)


_GROUNDS = {"form": "#000000", "shade": "#ffffff", "relief": "#808080"}


def _raster(svg: str, width: int, mode: str) -> Floats:
    try:
        import resvg_py
    except ImportError as error:
        raise ExtraMissingError(
            "Drawing needs the library resvg_py.", "Install it: pip install 'mapsi[draw]'"
        ) from error
    data = resvg_py.svg_to_bytes(svg_string=svg, width=width, skip_system_fonts=True)
    return np.asarray(Image.open(io.BytesIO(bytes(data))).convert(mode), dtype=np.float32) / np.float32(255)


def _coarse(svg: str, width: int) -> Floats:
    """A layer that is blurred afterwards anyway, computed at half the size: a quarter of the time."""
    small = Image.fromarray(_raster(svg, width // 2, "L"))
    large = small.resize((width, width * HEIGHT // WIDTH), Image.Resampling.BICUBIC)
    return np.asarray(large, dtype=np.float32)


def _noise(rng: np.random.Generator, shape: tuple[int, int], cell_x: float, cell_y: float) -> Floats:
    """Smooth noise of about unit spread; its features ``cell_x`` by ``cell_y`` pixels."""
    rows, columns = max(int(shape[0] / cell_y) + 3, 4), max(int(shape[1] / cell_x) + 3, 4)
    coarse = Image.fromarray(rng.standard_normal((rows, columns)).astype(np.float32))
    box = (1.0, 1.0, 1.0 + shape[1] / cell_x, 1.0 + shape[0] / cell_y)
    box = (1.0, 1.0, min(box[2], columns - 1), min(box[3], rows - 1))
    fine = coarse.resize((shape[1], shape[0]), Image.Resampling.BICUBIC, box=box)
    return np.asarray(fine, dtype=np.float32)


def _blur(values: Floats, radius: float) -> Floats:
    """A Gaussian by three box means along each side, on floats so that no step of 1/255 shows as a contour."""
    size = max(int(radius * 1.8) | 1, 1)
    if size < 3:
        return values
    for _ in range(2):
        for axis in (0, 1):
            values = _box(values, size, axis)
    return values


def _box(values: Floats, size: int, axis: int) -> Floats:
    """The mean of ``size`` neighbours along an axis, the edge repeated: (0, 3, 6) by three is (1, 3, 5)."""
    half = size // 2
    padding = [(0, 0), (0, 0)]
    padding[axis] = (half + 1, half)
    total = np.cumsum(np.pad(values, padding, mode="edge"), axis=axis, dtype=np.float64)
    high = np.take(total, range(size, total.shape[axis]), axis=axis)
    low = np.take(total, range(total.shape[axis] - size), axis=axis)
    return ((high - low) / size).astype(np.float32)


def _flow(rng: np.random.Generator, width: int, scale: float) -> tuple[Floats, Floats]:
    """Displacements in pixels that make straight outlines and patterns lie as cloth does."""
    shape = (width * HEIGHT // WIDTH, width)
    large = [_noise(rng, shape, 95 * scale, 95 * scale) * 1.5 for _ in range(2)]
    small = [_noise(rng, shape, 26 * scale, 30 * scale) * 0.45 for _ in range(2)]
    return (large[0] + small[0]) * np.float32(scale), (large[1] + small[1]) * np.float32(scale)


def _warp(image: Floats, flow: tuple[Floats, Floats]) -> Floats:
    """``image`` (h, w) or (h, w, channels), each pixel taken from where ``flow`` (right, down) points: by (0.25, 0.5)
    it is three quarters its own column's and half its own row's."""
    height, width = image.shape[:2]
    x = np.clip(np.arange(width, dtype=np.float32)[None, :] + flow[0], 0, width - 1.001)
    y = np.clip(np.arange(height, dtype=np.float32)[:, None] + flow[1], 0, height - 1.001)
    left, top = x.astype(np.int32), y.astype(np.int32)
    fx, fy = (x - left)[..., None], (y - top)[..., None]
    flat, index = image.reshape(height * width, -1), top * width + left
    upper = flat[index] * (1 - fx) + flat[index + 1] * fx
    lower = flat[index + width] * (1 - fx) + flat[index + width + 1] * fx
    mixed: Floats = upper * (1 - fy) + lower * fy
    return mixed


def _height(form: Floats, relief: Floats, mask: Floats, weave: Weave, rng: np.random.Generator, scale: float) -> Floats:
    """The cloth's height in frame units: form, creases and texture."""
    shape = form.shape
    body = _blur(form, 3.2 * scale) * 16
    inner = np.clip(_blur(mask, 7 * scale) * 2 - 1, 0, 1)
    long_folds = np.abs(_noise(rng, shape, 42 * scale, 110 * scale)) + _noise(rng, shape, 60 * scale, 60 * scale)
    creases = _blur(1 - np.abs(_noise(rng, shape, 30 * scale, 44 * scale)), 4.5 * scale)
    long_folds = _blur(long_folds, 9 * scale) * np.float32(1.35)
    wrinkles = (long_folds * 1.25 + creases * 0.8) * inner * np.float32(weave.wrinkle)
    grain = rng.standard_normal(shape).astype(np.float32) * np.float32(weave.grain * 1.2)
    texture = (relief - 0.5) * np.float32(2.1)
    total: Floats = ((body + wrinkles) + texture + grain) * np.float32(scale)
    return total


def _slopes(height: Floats) -> tuple[Floats, Floats]:
    down, right = np.gradient(height)
    return np.asarray(right, dtype=np.float32), np.asarray(down, dtype=np.float32)


def _shading(height: Floats, shade: Floats, scene: Scene, scale: float) -> Floats:
    dx, dy = _slopes(height)
    angle = np.deg2rad(scene.light)
    facing = -dx * np.float32(np.cos(angle)) + dy * np.float32(np.sin(angle))
    light = 1 + 0.36 * np.tanh(facing * 0.95) - 0.05 * np.tanh(np.hypot(dx, dy) * 0.6)
    rows = np.linspace(1.035, 0.955, height.shape[0], dtype=np.float32)[:, None]
    soft = _blur(shade, 1.6 * scale)
    result: Floats = light * rows * (0.3 + 0.7 * soft)
    return result


def _highlight(height: Floats, weave: Weave, scene: Scene, scale: float) -> Floats:
    if not weave.gloss:
        return np.zeros_like(height)
    dx, dy = _slopes(_blur(height, 1.2 * scale))
    angle = np.deg2rad(scene.light)
    tilt_x, tilt_y = -dx - 0.45 * np.float32(np.cos(angle)), -dy + 0.45 * np.float32(np.sin(angle))
    gleam: Floats = np.exp(-(tilt_x**2 + tilt_y**2) * np.float32(7)) * np.float32(weave.gloss * 0.62)
    return gleam


def _cloth(color: Floats, weave: Weave, rng: np.random.Generator, scale: float) -> Floats:
    """The colour with the unevenness of yarn and dye."""
    shape = (color.shape[0], color.shape[1])
    uneven = _noise(rng, shape, 70 * scale, 70 * scale) * np.float32(0.012)
    uneven += rng.standard_normal(shape).astype(np.float32) * np.float32(weave.grain * 0.8)
    if weave.slub:
        across = _noise(rng, shape, 26 * scale, 1.6 * scale) + _noise(rng, shape, 1.6 * scale, 30 * scale)
        uneven += across * np.float32(weave.slub * 0.55)
    result: Floats = color * (1 + uneven[..., None])
    return result


def _compose(lit: Floats, mask: Floats, scene: Scene, rng: np.random.Generator, scale: float) -> Image.Image:
    height, width = mask.shape
    rgba = np.dstack([lit, mask])
    garment = Image.fromarray((np.clip(rgba, 0, 1) * 255).astype(np.uint8), "RGBA")
    garment = _placed(garment, scene, scale)
    alpha = np.asarray(garment.getchannel("A"), dtype=np.float32) / np.float32(255)
    ground = _ground(scene, (height, width), rng, scale) * _cast(alpha, scene, scale)[..., None]
    over = np.asarray(garment.convert("RGB"), dtype=np.float32) / np.float32(255)
    mixed = ground * (1 - alpha[..., None]) + over * alpha[..., None]
    return Image.fromarray((np.clip(mixed, 0, 1) * 255 + 0.5).astype(np.uint8))


def _placed(garment: Image.Image, scene: Scene, scale: float) -> Image.Image:
    if not scene.turn and scene.zoom == 1 and scene.shift == (0.0, 0.0):
        return garment
    turn = np.deg2rad(scene.turn)
    cos, sin = np.cos(turn) / scene.zoom, np.sin(turn) / scene.zoom
    cx, cy = garment.width / 2, garment.height / 2
    x0, y0 = cx + scene.shift[0] * scale, cy + scene.shift[1] * scale
    steps = (cos, sin, cx - cos * x0 - sin * y0, -sin, cos, cy + sin * x0 - cos * y0)
    return garment.transform(garment.size, Image.Transform.AFFINE, steps, Image.Resampling.BICUBIC)


def _ground(scene: Scene, shape: tuple[int, int], rng: np.random.Generator, scale: float) -> Floats:
    color = np.asarray(rgb(scene.background), dtype=np.float32) / np.float32(255)
    y = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None]
    x = np.linspace(-1, 1, shape[1], dtype=np.float32)[None, :]
    away = (x + np.float32(0.25)) ** 2 + (y + np.float32(0.35)) ** 2
    grain = rng.standard_normal(shape).astype(np.float32) * np.float32(0.004)
    result: Floats = color * (np.float32(1.015) - np.float32(0.027) * away + grain)[..., None]
    return result


def _cast(alpha: Floats, scene: Scene, scale: float) -> Floats:
    """How much light is left on the ground: a close, dark contact shadow and a wide, faint one."""
    angle = np.deg2rad(scene.light)
    away = np.array([-np.cos(angle), np.sin(angle)])
    near = _shifted(alpha, away * 3 * scale, 2.6 * scale)
    far = _shifted(alpha, away * 9 * scale, 10 * scale)
    left: Floats = (1 - 0.22 * near) * (1 - 0.17 * far)
    return left


def _shifted(alpha: Floats, by: npt.NDArray[np.float64], radius: float) -> Floats:
    grey = Image.fromarray((alpha * 255).astype(np.uint8))
    grey = grey.transform(grey.size, Image.Transform.AFFINE, (1, 0, -by[0], 0, 1, -by[1]), Image.Resampling.BILINEAR)
    return np.asarray(grey.filter(ImageFilter.GaussianBlur(radius)), dtype=np.float32) / np.float32(255)
