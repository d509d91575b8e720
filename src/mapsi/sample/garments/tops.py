"""The blocks that all tops are cut from: back, sleeves and front, as a pattern cutter's block is."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mapsi.sample.cloth.curve import Curve, Point, spline, symmetric
from mapsi.sample.cloth.fabrics import Fabric
from mapsi.sample.cloth.palette import darker
from mapsi.sample.cloth.sheet import Part, Sheet


@dataclass(frozen=True, slots=True)
class Block:
    """Half widths and heights of a top in frame units. ``sleeve`` is the length from shoulder to cuff, ``spread`` the
    sleeve's angle from straight down in degrees, ``cuff`` its half width at the end, ``slope`` how far the shoulder
    drops."""

    top: float = 78
    neck: float = 45
    neck_depth: float = 40
    shoulder: float = 118
    slope: float = 30
    chest: float = 116
    armhole: float = 118
    waist: float = 111
    hem: float = 116
    length: float = 430
    hem_dip: float = 8
    sleeve: float = 290
    spread: float = 15
    cuff: float = 25
    v_neck: bool = False

    @property
    def underarm(self) -> Point:
        return self.chest, self.top + self.slope + self.armhole

    @property
    def tip(self) -> Point:
        """The shoulder point."""
        return self.shoulder, self.top + self.slope

    @property
    def bottom(self) -> float:
        return self.top + self.length


def neckline(block: Block, side: float = 1.0, drop: float = 0.0, widen: float = 0.0) -> Curve:
    """The front neckline from its lowest point to the shoulder, on the right (``side`` 1) or left (-1)."""
    x, y, depth = block.neck + widen, block.top, block.neck_depth + drop
    way = Curve(0, y + depth)
    if block.v_neck:
        way.bend((x * 0.3 * side, y + depth * 0.72), (x * 0.86 * side, y + depth * 0.3), (x * side, y))
    else:
        way.bend((x * 0.62 * side, y + depth), (x * 0.92 * side, y + depth * 0.55), (x * side, y))
    return way


def front_half(block: Block) -> Curve:
    """The right half of the front, from the neck's lowest point to the middle of the hem."""
    half = neckline(block)
    tx, ty = block.tip
    ux, uy = block.underarm
    half.bend(
        (block.neck + (tx - block.neck) * 0.35, block.top + block.slope * 0.28),
        (block.neck + (tx - block.neck) * 0.7, block.top + block.slope * 0.62),
        (tx, ty),
    )
    half.bend((tx - 10, ty + block.armhole * 0.4), (ux - 14, uy - block.armhole * 0.22), (ux, uy))
    mid = uy + (block.bottom - uy) * 0.48
    half.smooth((block.waist, mid), (block.hem, block.bottom - block.hem_dip))
    return half.bend(
        (block.hem * 0.7, block.bottom),
        (block.hem * 0.3, block.bottom + block.hem_dip * 0.3),
        (0, block.bottom + block.hem_dip * 0.3),
    )


def body_outline(block: Block) -> str:
    return symmetric(front_half(block))


def back_panel(sheet: Sheet, block: Block, fabric: Fabric, label: str = "#f5f2ea") -> Part:
    """The inside of the back that shows at the neck, with its label."""
    x, y = block.neck, block.top
    half = Curve(0, y + 9).bend((x * 0.5, y + 9), (x * 0.85, y + 5), (x + 3, y - 1))
    half.line((x + 5, y + block.neck_depth * 0.4)).line((0, y + block.neck_depth + 14))
    inside = fabric.plain(darker(fabric.color, 0.3), fabric.weave)
    part = sheet.part(symmetric(half), inside, roll=6, lift=0, relief=False)
    part.dim(spline((-x, y), (0, y + 11), (x, y)), 16, 0.4)
    part.paint(f"M-9 {y + 13}h18v9h-18z", label, 0.95)
    return part


@dataclass(frozen=True, slots=True)
class Sleeve:
    """Where a right sleeve runs: its outline and the two ends of its cuff, outer and inner."""

    outline: Curve
    outer: Point
    inner: Point
    angle: float


def cut_sleeve(block: Block) -> Sleeve:
    """The right sleeve; its length is counted from the middle of the armhole."""
    tx, ty = block.tip
    ux, uy = block.underarm
    reach, angle = block.sleeve, math.radians(block.spread)
    along, across = (math.sin(angle), math.cos(angle)), (math.cos(angle), -math.sin(angle))
    middle = ((tx + ux) / 2 + along[0] * reach, (ty + uy) / 2 + along[1] * reach)
    outer = (middle[0] + across[0] * block.cuff, middle[1] + across[1] * block.cuff)
    inner = (middle[0] - across[0] * block.cuff, middle[1] - across[1] * block.cuff)
    round_off = math.dist((tx, ty), outer)
    out = Curve(block.neck + (tx - block.neck) * 0.6, block.top + block.slope * 0.5)
    out.line((tx - 8, ty - 2.5))
    out.bend(
        (tx + min(24, round_off * 0.2), ty + min(7, round_off * 0.07)),
        (outer[0] - along[0] * round_off * 0.62, outer[1] - along[1] * round_off * 0.62),
        outer,
    )
    out.bend(
        (outer[0] * 0.7 + inner[0] * 0.3 + along[0] * 3, outer[1] * 0.7 + inner[1] * 0.3 + along[1] * 3),
        (outer[0] * 0.3 + inner[0] * 0.7 + along[0] * 3, outer[1] * 0.3 + inner[1] * 0.7 + along[1] * 3),
        inner,
    )
    back = math.dist(inner, (ux, uy))
    out.bend(
        (inner[0] - along[0] * back * 0.4, inner[1] - along[1] * back * 0.4),
        (ux + along[0] * back * 0.25, uy + along[1] * back * 0.2),
        (ux - 2, uy - 3),
    )
    return Sleeve(out.line((tx - 40, uy - 24)), outer, inner, block.spread)


def lay_sleeves(sheet: Sheet, block: Block, fabric: Fabric, rng: np.random.Generator) -> list[tuple[Part, float]]:
    """Both sleeves with their creases; each with its side, 1 for the right of the picture."""
    sleeve = cut_sleeve(block)
    laid = []
    for side in (-1.0, 1.0):
        outline = sleeve.outline if side > 0 else sleeve.outline.mirrored()
        turn = -side * block.spread * 0.95
        part = sheet.part(outline.closed, fabric, turn=turn, roll=13, lift=0.25, at=(side * block.shoulder, block.top))
        _crease_sleeve(part, block, sleeve, side, rng)
        laid.append((part, side))
    return laid


def _crease_sleeve(part: Part, block: Block, sleeve: Sleeve, side: float, rng: np.random.Generator) -> None:
    tx, ty = block.tip
    ux, uy = block.underarm
    cx, cy = (sleeve.outer[0] + sleeve.inner[0]) / 2, (sleeve.outer[1] + sleeve.inner[1]) / 2
    part.dim(
        spline((side * (ux - 6), uy - 40), (side * (ux + 4), uy), (side * sleeve.inner[0], sleeve.inner[1])), 22, 0.25
    )
    part.fold(
        spline((side * (tx + 12), ty + 24), (side * ((tx + cx) / 2 + 6), (ty + cy) / 2), (side * cx, cy)), 26, 0.28
    )
    if block.sleeve < 150:
        part.fold(spline((side * (ux + 2), uy - 8), (side * (tx + 10), uy - 40)), 12, -0.3)
        return
    for share in np.sort(rng.uniform(0.3, 0.95, 5)):
        x, y = ux + (cx - ux) * share, uy + (cy - uy) * share
        reach, rise = rng.uniform(14, 28), rng.uniform(-16, 10)
        way = spline(
            (side * (x - 8), y + rise), (side * (x + reach * 0.5), y - 2), (side * (x + reach), y - rise * 0.6)
        )
        part.fold(way, rng.uniform(7, 12), rng.uniform(-0.42, -0.2))


def lay_front(sheet: Sheet, block: Block, fabric: Fabric, rng: np.random.Generator, *, lift: float = 0.35) -> Part:
    """The front with the folds that hang from the armholes and chest."""
    part = sheet.part(body_outline(block), fabric, roll=12, lift=lift, at=(0, block.top))
    ux, uy = block.underarm
    for side in (-1.0, 1.0):
        for _ in range(3):
            drop, run = rng.uniform(10, 60), rng.uniform(26, 60)
            start = (side * (ux - rng.uniform(2, 8)), uy - rng.uniform(-6, 22))
            way = spline(start, (side * (ux - run * 0.6), uy + drop * 0.4), (side * (ux - run), uy + drop))
            part.fold(way, rng.uniform(8, 15), rng.uniform(-0.34, -0.16))
        x = side * rng.uniform(38, 68)
        way = spline((x, uy + 40), (x + rng.uniform(-9, 9), uy + 130), (x + rng.uniform(-16, 16), block.bottom))
        part.fold(way, rng.uniform(18, 34), rng.uniform(-0.22, 0.25))
        for _ in range(2):
            y = uy + (block.bottom - uy) * rng.uniform(0.4, 0.9)
            way = spline(
                (side * block.waist, y), (side * (block.waist - 30), y + 9), (side * (block.waist - 62), y + 4)
            )
            part.fold(way, rng.uniform(9, 14), rng.uniform(-0.25, -0.12))
    return part


def armhole_seams(part: Part, block: Block, *, stitched: bool = False) -> None:
    """The line where the sleeve is set in, just inside the front's edge."""
    tx, ty = block.tip
    ux, uy = block.underarm
    for side in (-1.0, 1.0):
        way = Curve(side * (tx - 2), ty + 1).bend(
            (side * (tx - 10), ty + block.armhole * 0.4),
            (side * (ux - 13), uy - block.armhole * 0.22),
            (side * (ux - 2), uy),
        )
        part.seam(way.d(), 2.0, 0.6)
        if stitched:
            inner = Curve(side * (tx - 6), ty + 1).bend(
                (side * (tx - 14), ty + block.armhole * 0.4),
                (side * (ux - 17), uy - block.armhole * 0.22),
                (side * (ux - 6), uy),
            )
            part.stitch(inner.d())


def hem_line(part: Part, block: Block, rise: float = 8) -> None:
    """The stitched hem, ``rise`` above the edge."""
    y = block.bottom - rise
    way = spline((-block.hem, y - block.hem_dip), (0, y + block.hem_dip * 0.3), (block.hem, y - block.hem_dip))
    part.stitch(way).fold(way, 3, -0.25)
