"""Shirts and blouses: collars, plackets, cuffs, pockets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mapsi.sample.cloth.curve import Curve, Point, polygon, spline
from mapsi.sample.cloth.fabrics import Fabric
from mapsi.sample.cloth.palette import darker, lighter
from mapsi.sample.cloth.sheet import Part, Sheet
from mapsi.sample.garments.tees import chest_pocket
from mapsi.sample.garments.tops import (
    Block,
    Sleeve,
    armhole_seams,
    back_panel,
    cut_sleeve,
    hem_line,
    lay_front,
    lay_sleeves,
)

SHIRT = Block(
    top=74,
    shoulder=122,
    chest=122,
    waist=117,
    hem=121,
    hem_dip=34,
    length=436,
    neck=44,
    neck_depth=46,
    cuff=24,
    sleeve=296,
    spread=14,
)
BLOUSE = Block(
    shoulder=104,
    chest=104,
    waist=98,
    hem=112,
    length=390,
    neck=40,
    neck_depth=46,
    sleeve=262,
    spread=17,
    cuff=25,
    hem_dip=6,
)


def cuffs(
    sheet: Sheet, block: Block, fabric: Fabric, *, height: float = 30, flare: float = 1.5, button: str = ""
) -> None:
    """A band at the end of each sleeve."""
    sleeve = cut_sleeve(block)
    for side in (-1.0, 1.0):
        corners = cuff_corners(sleeve, height, flare)
        outline = polygon(*[(side * x, y) for x, y in corners])
        part = sheet.part(outline, fabric, turn=-side * block.spread, roll=6, lift=0.3)
        edges = [
            spline(*(((side * corners[a][0], corners[a][1])), (side * corners[b][0], corners[b][1])))
            for a, b in ((0, 1), (2, 3))
        ]
        if not fabric.feel.relief:
            part.stitch(_nudged(corners, side, 0.12)).stitch(_nudged(corners, side, 0.88))
        part.seam(edges[0], 2.4)
        if button:
            x, y = (corners[0][0] * 0.22 + corners[1][0] * 0.78), (corners[0][1] + corners[2][1]) / 2 + 3
            sheet.button(side * x, y, 3.6, button)


def cuff_corners(sleeve: Sleeve, height: float, flare: float) -> list[Point]:
    """Upper inner, upper outer, lower outer, lower inner corner of a right cuff."""
    (ox, oy), (ix, iy) = sleeve.outer, sleeve.inner
    width = ((ox - ix) ** 2 + (oy - iy) ** 2) ** 0.5
    ax, ay = (ox - ix) / width, (oy - iy) / width
    dx, dy = -ay * height, ax * height
    upper = [
        (ix - ax * flare - dx * 0.75, iy - ay * flare - dy * 0.75),
        (ox + ax * flare - dx * 0.75, oy + ay * flare - dy * 0.75),
    ]
    return [*upper, (upper[1][0] + dx, upper[1][1] + dy), (upper[0][0] + dx, upper[0][1] + dy)]


def _nudged(corners: list[Point], side: float, share: float) -> str:
    first = [corners[0][k] + (corners[3][k] - corners[0][k]) * share for k in (0, 1)]
    last = [corners[1][k] + (corners[2][k] - corners[1][k]) * share for k in (0, 1)]
    return Curve(side * first[0], first[1]).line((side * last[0], last[1])).d()


def placket(
    sheet: Sheet,
    block: Block,
    fabric: Fabric,
    button: str,
    *,
    count: int = 6,
    width: float = 20,
    bottom: float | None = None,
) -> None:
    """The buttoned strip down the front."""
    top, end = block.top + block.neck_depth - 4, block.bottom + 3 if bottom is None else bottom
    strip = sheet.part(
        f"M{-width / 2} {top}H{width / 2}V{end}H{-width / 2}Z", fabric, roll=3, lift=0.3, at=(0, block.top)
    )
    for x in (-width / 2 + 3, width / 2 - 3):
        strip.stitch(f"M{x} {top}V{end}")
    for y in np.linspace(top + 28, end - (62 if bottom is None else 16), count):
        strip.seam(f"M-4 {y}H4", 0.9, 0.5)
        sheet.button(0, float(y), 4.1, button)


def shirt_collar(
    sheet: Sheet,
    block: Block,
    fabric: Fabric,
    button: str = "",
    *,
    point: float = 68,
    spread: float = 40,
    button_down: bool = False,
) -> None:
    """A stand and two leaves, closed at the neck. ``point`` is the leaf's length, ``spread`` how far its tip stands
    out."""
    x, y, low = block.neck, block.top, block.top + block.neck_depth
    stand = Curve(0, y - 4).bend((x * 0.6, y - 5), (x * 0.9, y - 9), (x - 2, y - 12))
    stand.line((x + 1, y + 8)).bend((x * 0.8, low - 16), (x * 0.5, low - 3), (7, low + 3)).line((0, low + 4))
    whole = stand.d()
    inside = fabric.plain(darker(fabric.color, 0.16), fabric.weave)
    back = Curve(0, y - 16).bend((x * 0.6, y - 16), (x * 0.92, y - 14), (x - 3, y - 10))
    back.bend((x * 0.9, y + 16), (x * 0.5, low - 8), (0, low + 2))
    sheet.part(_closed(back), inside, roll=5, lift=0.0).dim(whole, 14, 0.35).paint(
        f"M-10 {y + 4}h20v10h-20z", "#f5f2ea"
    )
    sheet.part(polygon((-9, low - 9), (9, low - 12), (9, low + 8), (-9, low + 8)), fabric, roll=3)
    if button:
        sheet.button(0, low, 3.8, button)
    for side in (-1.0, 1.0):
        leaf = Curve(side * (x - 4), y - 13).bend(
            (side * (x + 8), y - 6), (side * (x + 12), y + 6), (side * (x + 11), y + 14)
        )
        tip = (side * (spread + 6), low - 26 + point)
        leaf.smooth(tip).smooth((side * 2.5, low - 4))
        leaf.bend((side * x * 0.5, low - 18), (side * x * 0.84, y + 18), (side * (x - 4), y - 13))
        part = sheet.part(leaf.closed, fabric, turn=side * 38, roll=5, lift=0.5)
        part.stitch(Curve(side * (x + 7), y + 14).line((tip[0] * 0.97, tip[1] - 6), (side * 6, low - 1)).d())
        if button_down:
            sheet.button(tip[0] * 0.93, tip[1] - 10, 2.9, button)


def _closed(half: Curve) -> str:
    whole = Curve(*half.start)
    whole.segments = list(half.segments)
    return whole.then(half.mirrored().reversed()).closed


def band_collar(sheet: Sheet, block: Block, fabric: Fabric, button: str, height: float = 17) -> None:
    """A narrow standing collar without leaves."""
    x, y, low = block.neck, block.top, block.top + block.neck_depth
    inside = fabric.plain(darker(fabric.color, 0.2), fabric.weave)
    back = Curve(0, y - 9).bend((x * 0.6, y - 9), (x * 0.9, y - 10), (x - 3, y - 8)).line((x, y + 8)).line((0, low))
    sheet.part(_closed(back), inside, roll=4, lift=0).paint(f"M-9 {y + 4}h18v9h-18z", "#f5f2ea")
    for side in (1.0, -1.0):
        band = Curve(side * (x - 4), y - 9).bend(
            (side * (x - 1), y + 12), (side * x * 0.62, low - 10), (side * -4, low - height * 0.62)
        )
        band.line((side * -4, low + 5)).bend(
            (side * x * 0.7, low + 2), (side * (x + 3), y + 22), (side * (x + 3), y - 2)
        )
        sheet.part(band.closed, fabric, roll=4, lift=0.35)
    sheet.button(0, low - 2, 3.6, button)


def lay_shirt(
    sheet: Sheet,
    fabric: Fabric,
    rng: np.random.Generator,
    *,
    block: Block = SHIRT,
    collar: str = "point",
    button: str = "#f4f1e8",
    pockets: int = 1,
    flaps: bool = False,
    trim: Fabric | None = None,
) -> Part:
    """A shirt. ``collar`` is ``point``, ``button-down``, ``band`` or ``camp``; ``trim`` cuts collar and cuffs from
    another cloth."""
    short = block.sleeve < 150
    back_panel(sheet, block, fabric)
    lay_sleeves(sheet, block, fabric, rng)
    front = lay_front(sheet, block, fabric, rng)
    armhole_seams(front, block, stitched=True)
    hem_line(front, block, 7)
    _yoke(front, block)
    for side in (-1, 1) if pockets == 2 else (1,) if pockets else ():
        _pocket(front, side * 56, block.underarm[1] - 42, flaps)
    if not short:
        cuffs(sheet, block, trim or fabric, button=button)
    else:
        cuffs(sheet, block, fabric, height=16, flare=0.5)
    placket(sheet, block, fabric, button, count=6)
    if collar == "band":
        band_collar(sheet, block, fabric, button)
    else:
        shirt_collar(
            sheet,
            block,
            trim or fabric,
            button,
            button_down=collar == "button-down",
            spread=52 if collar == "camp" else 40,
            point=56 if collar == "camp" else 68,
        )
    return front


def _yoke(part: Part, block: Block) -> None:
    for side in (-1.0, 1.0):
        way = Curve(side * block.neck, block.top + 16).line((side * (block.shoulder - 2), block.top + block.slope + 12))
        part.seam(way.d(), 1.3, 0.55)


def _pocket(part: Part, x: float, y: float, flap: bool) -> None:
    chest_pocket(part, x, y, 50, 56)
    if flap:
        part.paint(
            polygon((x - 26, y - 4), (x + 26, y - 4), (x + 26, y + 12), (x, y + 20), (x - 26, y + 12)),
            lighter(part.fabric.color, 0.03),
            0.25,
        )
        part.seam(f"M{x - 26} {y - 4}H{x + 26}V{y + 12}L{x} {y + 20}L{x - 26} {y + 12}Z", 1.8)


def lay_blouse(
    sheet: Sheet,
    fabric: Fabric,
    rng: np.random.Generator,
    *,
    block: Block = BLOUSE,
    neck: str = "bow",
    puff: float = 0.0,
    trim: Fabric | None = None,
    button: str = "#f6f3ec",
) -> Part:
    """A blouse. ``neck`` is ``bow``, ``ruffle``, ``peter-pan`` or ``v``."""
    shape = replace(block, v_neck=neck == "v", neck_depth=86.0 if neck == "v" else block.neck_depth)
    back_panel(sheet, shape, fabric)
    full = replace(shape, cuff=shape.cuff + puff)
    lay_sleeves(sheet, full, fabric, rng)
    front = lay_front(sheet, shape, fabric, rng)
    armhole_seams(front, shape)
    hem_line(front, shape, 6)
    _gathers(front, shape)
    if shape.sleeve > 150:
        cuffs(sheet, shape, trim or fabric, height=26, button=button)
    NECKS[neck](sheet, shape, trim or fabric, button)
    return front


def _gathers(part: Part, block: Block) -> None:
    for side in (-1.0, 1.0):
        for x in (26, 40, 54, 70, 84):
            way = spline(
                (side * x, block.top + 46), (side * (x + 1), block.top + 100), (side * (x - 4), block.top + 170)
            )
            part.fold(way, 6, -0.22)


def _bow(sheet: Sheet, block: Block, fabric: Fabric, button: str) -> None:
    placket(sheet, block, fabric, button, count=6, width=16)
    band_collar(sheet, block, fabric, button, 22)
    y = block.top + block.neck_depth + 2
    for side, length in ((-1.0, 118.0), (1.0, 138.0)):
        tail = Curve(side * 2, y).bend((side * 14, y + 30), (side * 12, y + 70), (side * 26, y + length))
        tail.line((side * 50, y + length - 12)).bend((side * 36, y + 70), (side * 30, y + 26), (side * 8, y - 4))
        part = sheet.part(tail.closed, fabric, turn=-side * 14, roll=6, lift=0.45)
        part.fold(spline((side * 6, y + 6), (side * 22, y + 60), (side * 37, y + length)), 7, -0.4)
    for side in (-1.0, 1.0):
        loop = Curve(side * 2, y - 5).bend((side * 22, y - 36), (side * 66, y - 30), (side * 64, y - 2))
        loop.bend((side * 64, y + 26), (side * 26, y + 22), (side * 2, y + 6))
        part = sheet.part(loop.closed, fabric, turn=side * 60, roll=8, lift=0.5)
        part.fold(spline((side * 6, y), (side * 28, y - 6), (side * 52, y - 8)), 7, -0.5).dim(
            spline((side * 4, y), (side * 26, y)), 12, 0.4
        )
    sheet.part(
        f"M-8 {y - 9}C-4 {y - 12} 4 {y - 12} 8 {y - 9}L9 {y + 9}C4 {y + 12} -4 {y + 12} -9 {y + 9}Z",
        fabric,
        roll=5,
        lift=0.5,
    )


def _ruffle(sheet: Sheet, block: Block, fabric: Fabric, button: str) -> None:
    low = block.top + block.neck_depth
    for side in (-1.0, 1.0):
        frill = Curve(side * 6, low)
        for step in range(9):
            y = low + step * 22
            frill.bend((side * 34, y - 4), (side * (40 - step), y + 14), (side * (24 - step), y + 21))
        frill.line((side * 6, low + 9 * 22))
        part = sheet.part(frill.closed, fabric, turn=side * 10, roll=6, lift=0.45)
        for step in range(9):
            y = low + step * 22
            part.fold(spline((side * 7, y + 8), (side * 20, y + 6), (side * 33, y + 10)), 7, -0.45)
    placket(sheet, block, fabric, button, count=7, width=13)
    band_collar(sheet, block, fabric, button, 20)


def _peter_pan(sheet: Sheet, block: Block, fabric: Fabric, button: str) -> None:
    placket(sheet, block, fabric, button, count=6, width=15)
    x, y, low = block.neck, block.top, block.top + block.neck_depth
    for side in (-1.0, 1.0):
        leaf = Curve(side * (x - 5), y - 6).bend(
            (side * (x + 26), y + 4), (side * (x + 34), y + 40), (side * (x + 6), low + 22)
        )
        leaf.bend((side * (x - 18), low + 36), (side * 10, low + 30), (side * 2, low - 2))
        leaf.bend((side * x * 0.6, low - 8), (side * (x - 6), y + 18), (side * (x - 5), y - 6))
        part = sheet.part(leaf.closed, fabric, roll=5, lift=0.5)
        part.stitch(
            Curve(side * (x + 20), y + 8)
            .bend((side * (x + 27), y + 36), (side * (x + 6), low + 20), (side * 16, low + 24))
            .d()
        )


def _v(sheet: Sheet, block: Block, fabric: Fabric, button: str) -> None:
    placket(sheet, block, fabric, button, count=5, width=14)


NECKS = {"bow": _bow, "ruffle": _ruffle, "peter-pan": _peter_pan, "v": _v}
