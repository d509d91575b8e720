"""Thumbprints: what tells a copy of a picture (recompressed, resized, on more white) from any other picture.

A thumbprint is the picture at 24 x 24 cells, its colours at 12 x 12, of the window in which its thing stands: what is
even around it (a studio's ground, a border that a shop added) counts for nothing. Between copies the cells hardly
differ; two garments photographed alike, and one garment in two colours, do (docs/decisions/0016 has the figures).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mapsi.arrays import FloatArray, UInt8Array

SQUARE = 128
"""Side in pixels of the square to which a picture is stretched first."""

_SIDE, _COLOUR_SIDE = 24, 12
_CELLS, _COLOUR_CELLS = _SIDE**2, _COLOUR_SIDE**2
SIZE = _CELLS + 2 * _COLOUR_CELLS + 2
"""Bytes of a thumbprint: brightness, two of colour, and the logarithm of the window's sides to each other."""
_BLOCKS = 4
"""Blocks a side whose means stand for the whole while copies are looked for."""

# What copies differ by at most, of 255. In 19 of 20 copies at half the size, the worst that were measured, a cell
# differs by 7, a cell of colour by 4, a block's mean by 1.6. The nearest that are none: 33, 7 and 3.1 (two striped
# shirts), 12, 8 and 4.8 (one belt in two browns).
_CELL_APART, _COLOUR_APART, BLOCK_APART = 14.0, 8.0, 2.4
_CONTRAST_APART = 0.12
"""What the cells of copies differ by at most (root mean square) as a share of the picture's own contrast: two white
tops on white differ by little, and by half of all there is to see (0.22 at least)."""
_SIDES_APART = 40.0
_SIDES_UNIT = 1000.0

_EVEN = 14.0
"""Within this of the ground a pixel is ground; the noise of JPEG stays below."""
_GROUND_SHARE = 0.6
_EDGE_SHARE = 0.9
"""Of each side. Of all four together a boxy top has 0.8, a little more or less by the compression."""
_REACH = 2.1
"""Standard deviations from the thing's middle to the window's edge; one of even weight ends at 1.7."""
_SOFTNESS = 0.6

# BT.601, as JPEG has it.
_COLOURS = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], dtype=np.float32)


class _Box(NamedTuple):
    """A part of the square, in pixels; ends are beyond the last."""

    left: float
    top: float
    right: float
    bottom: float

    def of(self, pixels: FloatArray) -> FloatArray:
        return pixels[int(self.top) : int(self.bottom), int(self.left) : int(self.right)]


def thumbprint(square: UInt8Array, width: int, height: int) -> bytes:
    """The thumbprint of a picture of ``width`` x ``height`` pixels, which is given stretched to (SQUARE, SQUARE, 3),
    RGB; empty for one of which too little stands out from its ground to know it again."""
    pixels = square.astype(np.float32)
    box = _Box(0, 0, SQUARE, SQUARE)
    ground = _ground(pixels)
    if ground is not None:
        thing = _thing(pixels, ground)
        if thing is None:
            return b""
        if _is_pasted(pixels, ground, thing):
            box = _inside(thing)
            ground = _ground(box.of(pixels))
    window = box if ground is None else _window(pixels, box, ground)
    if window is None:
        return b""
    sides = (window.right - window.left) * width / ((window.bottom - window.top) * height)
    told = np.clip(np.round(_SIDES_UNIT * np.log(sides)), -30_000, 30_000).astype("<i2")
    return _cells(pixels, box, window, ground) + bytes(told.tobytes())


def stacked(prints: Sequence[bytes]) -> UInt8Array:
    """Thumbprints as one array (n, SIZE)."""
    return np.frombuffer(b"".join(prints), dtype=np.uint8).reshape(-1, SIZE)


def block_means(prints: UInt8Array) -> FloatArray:
    """Of thumbprints (n, SIZE) what no two copies differ in by more than :data:`BLOCK_APART`: (n, 49)."""
    brightness, colours, sides = _parts(prints)
    wide, narrow = _SIDE // _BLOCKS, _COLOUR_SIDE // _BLOCKS
    bright = brightness.reshape(-1, _BLOCKS, wide, _BLOCKS, wide).mean((2, 4))
    tints = colours.reshape(-1, 2, _BLOCKS, narrow, _BLOCKS, narrow).mean((3, 5))
    shape = sides * (BLOCK_APART / _SIDES_APART)
    return np.concatenate([bright.reshape(-1, _BLOCKS**2), tints.reshape(-1, 2 * _BLOCKS**2), shape], axis=1)


def apart(one: UInt8Array, other: UInt8Array) -> FloatArray:
    """How far the pictures of two stacks of thumbprints (n, SIZE) are from being copies: (n,), at most 1 where they
    are."""
    (bright, tints, _), (other_bright, other_tints, _) = _parts(one), _parts(other)
    furthest = (
        np.abs(bright - other_bright).max(1) / _CELL_APART,
        np.abs(tints - other_tints).max(1) / _COLOUR_APART,
        np.abs(block_means(one) - block_means(other)).max(1) / BLOCK_APART,
    )
    difference = np.concatenate([bright - other_bright, tints - other_tints], axis=1)
    contrast = np.sqrt(_contrast(bright, tints) * _contrast(other_bright, other_tints))
    share = np.sqrt((difference**2).mean(1) / np.maximum(contrast, 1e-6))
    return np.asarray(np.maximum.reduce([*furthest, share / _CONTRAST_APART]), dtype=np.float32)


def _contrast(brightness: FloatArray, colours: FloatArray) -> FloatArray:
    """The variance of all cells about the mean of their channel: (n,)."""
    channels = (brightness, colours[:, :_COLOUR_CELLS], colours[:, _COLOUR_CELLS:])
    squares = [(each - each.mean(1, keepdims=True)) ** 2 for each in channels]
    return np.asarray(np.concatenate(squares, axis=1).mean(1), dtype=np.float32)


def _parts(prints: UInt8Array) -> tuple[FloatArray, FloatArray, FloatArray]:
    brightness = prints[:, :_CELLS].astype(np.float32)
    colours = prints[:, _CELLS:-2].astype(np.float32)
    sides = np.ascontiguousarray(prints[:, -2:]).view("<i2").astype(np.float32)
    return brightness, colours, sides


def _ground(pixels: FloatArray) -> FloatArray | None:
    """The colour at the edge, ``None`` where it is not even enough to be a ground."""
    sides = (pixels[:2], pixels[-2:], pixels[:, :2], pixels[:, -2:])
    edge = np.concatenate([side.reshape(-1, 3) for side in sides])
    colour = np.median(edge, axis=0).astype(np.float32)
    share = (np.abs(edge - colour).max(1) <= _EVEN).mean()
    return colour if share >= _GROUND_SHARE else None


def _thing(pixels: FloatArray, ground: FloatArray) -> _Box | None:
    """Around all that stands out from the ground, ``None`` where next to nothing does."""
    stands_out = np.abs(pixels - ground).max(2) > _EVEN
    rows, columns = (np.flatnonzero(stands_out.sum(axis) >= 2) for axis in (1, 0))
    if len(rows) < 8 or len(columns) < 8:
        return None
    return _Box(columns[0], rows[0], columns[-1] + 1, rows[-1] + 1)


def _is_pasted(pixels: FloatArray, ground: FloatArray, thing: _Box) -> bool:
    """Whether a whole photo stands on the ground: one with its own edges, all around."""
    stands_out = np.abs(thing.of(pixels) - ground).max(2) > _EVEN
    sides = (stands_out[1], stands_out[-2], stands_out[:, 1], stands_out[:, -2])
    return bool(min(side.mean() for side in sides) > _EDGE_SHARE)


def _inside(box: _Box) -> _Box:
    """Without the outermost pixels, which mix with what is beside, but for the square's own edges."""
    left, top, right, bottom = box
    return _Box(left + (left > 0), top + (top > 0), right - (right < SQUARE), bottom - (bottom < SQUARE))


def _window(pixels: FloatArray, box: _Box, ground: FloatArray) -> _Box | None:
    """Where the thing stands, by the mean and the spread of all that is not ground: unlike its outermost pixels,
    these are the same at any size and compression."""
    weight = np.maximum(np.abs(box.of(pixels) - ground).max(2) - _EVEN, 0)
    whole = float(weight.sum())
    if whole <= 0:
        return None
    left, right = _span(weight.sum(0) / whole)
    top, bottom = _span(weight.sum(1) / whole)
    return _Box(box.left + left, box.top + top, box.left + right, box.top + bottom)


def _span(share: FloatArray) -> tuple[float, float]:
    at = np.arange(len(share)) + 0.5
    middle = float((share * at).sum())
    reach = _REACH * max(float(np.sqrt((share * (at - middle) ** 2).sum())), 1.0)
    return middle - reach, middle + reach


def _cells(pixels: FloatArray, box: _Box, window: _Box, ground: FloatArray | None) -> bytes:
    """The window's cells. Beyond the box is ground, or, where there is none, the mean colour."""
    beyond = box.of(pixels).mean((0, 1)) if ground is None else ground
    inside = np.zeros_like(pixels)
    box.of(inside)[...] = box.of(pixels) - beyond
    across, down = _weights(window.left, window.right), _weights(window.top, window.bottom)
    cells = np.tensordot(across, np.tensordot(down, inside, axes=(1, 0)), axes=(1, 1)).swapaxes(0, 1) + beyond
    brightness, *colours = np.moveaxis(cells @ _COLOURS.T, 2, 0)
    tints = [each.reshape(_COLOUR_SIDE, 2, _COLOUR_SIDE, 2).mean((1, 3)) + 128 for each in colours]
    told = np.concatenate([part.ravel() for part in (brightness, *tints)])
    return bytes(np.clip(np.round(told), 0, 255).astype(np.uint8).tobytes())


def _weights(start: float, end: float) -> FloatArray:
    """What each pixel of a line counts for each of the cells between two points: (cells, pixels)."""
    step = (end - start) / _SIDE
    cells = start + step * (np.arange(_SIDE) + 0.5)
    spread = max(step * _SOFTNESS, _SOFTNESS)
    distance = (np.arange(SQUARE) + 0.5 - cells[:, None]) / spread
    return np.asarray(np.exp(-0.5 * distance**2) / (spread * np.sqrt(2 * np.pi)), dtype=np.float32)
