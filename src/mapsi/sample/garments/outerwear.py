"""Biker, bomber, varsity and denim jackets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mapsi.sample.cloth.curve import Curve, polygon, spline
from mapsi.sample.cloth.fabrics import Fabric
from mapsi.sample.cloth.palette import darker, lighter
from mapsi.sample.cloth.sheet import Part, Sheet
from mapsi.sample.garments.knits import hem_rib, zip_line
from mapsi.sample.garments.lapels import Front, lay_fronts
from mapsi.sample.garments.shirts import cuffs, placket, shirt_collar
from mapsi.sample.garments.tees import neck_band
from mapsi.sample.garments.tops import Block, armhole_seams, back_panel, cut_sleeve, lay_front, lay_sleeves

SHORT = Block(
    top=90,
    shoulder=120,
    chest=120,
    waist=116,
    hem=108,
    length=350,
    armhole=122,
    cuff=28,
    sleeve=272,
    spread=16,
    neck_depth=34,
    neck=44,
)


METAL = "#c3c5c8"


def lay_biker(
    sheet: Sheet,
    fabric: Fabric,
    rng: np.random.Generator,
    *,
    studs: bool = False,
    belt: bool = True,
    metal: str = METAL,
) -> None:
    """A biker jacket: wide lapels, a slanted zip, zipped pockets and cuffs, a buckled belt."""
    block = replace(SHORT, v_neck=True, neck_depth=120.0, length=340.0, waist=106.0, hem=106.0, top=92.0)
    back_panel(sheet, replace(block, v_neck=False, neck_depth=40.0), fabric.plain(darker(fabric.color, 0.4), "satin"))
    lay_front(
        sheet,
        replace(block, v_neck=False, neck_depth=20.0, shoulder=92.0, chest=92.0, waist=88.0, hem=88.0),
        fabric.plain(darker(fabric.color, 0.45), "satin"),
        rng,
        lift=0,
    )
    sleeves = lay_sleeves(sheet, block, fabric, rng)
    for part, side in sleeves:
        _cuff_zip(part, block, side, metal)
    parts = lay_fronts(sheet, block, fabric, Front(overlap=14, round_off=3), rng)
    over = parts[1]
    low = block.top + block.neck_depth
    zip_line(over, -8, low, block.bottom, metal)
    for part, side in zip(parts, (-1.0, 1.0), strict=True):
        _slant_zip(part, side * 48, low + 66, side, metal)
        part.seam(spline((side * block.shoulder, block.underarm[1] - 40), (side * 50, block.underarm[1] - 26)), 2)
    _slant_zip(parts[0], -44, low - 4, -1, metal, 46)
    _wide_lapels(sheet, block, fabric, studs, metal)
    if belt:
        _hem_belt(sheet, block, fabric, metal)


def _cuff_zip(part: Part, block: Block, side: float, metal: str) -> None:
    sleeve = cut_sleeve(block)
    (ox, oy), (ix, iy) = sleeve.outer, sleeve.inner
    x, y = ix + (ox - ix) * 0.55, iy + (oy - iy) * 0.55
    d = f"M{side * x:.1f} {y:.1f}L{side * (x - 16):.1f} {y - 66:.1f}"
    part.trace(d, darker(part.fabric.color, 0.6), 4.4)
    part.ink.append(f'<path d="{d}" stroke="{metal}" stroke-width="2.6" stroke-dasharray="1.5 1.2" fill="none"/>')


def _slant_zip(part: Part, x: float, y: float, side: float, metal: str, length: float = 62) -> None:
    d = f"M{x:.1f} {y + length * 0.5:.1f}L{x + side * length * 0.5:.1f} {y - length * 0.3:.1f}"
    part.seam(d, 6, 0.5).trace(d, darker(part.fabric.color, 0.6), 4.6)
    part.ink.append(f'<path d="{d}" stroke="{metal}" stroke-width="2.8" stroke-dasharray="1.5 1.2" fill="none"/>')
    part.trace(f"M{x:.1f} {y + length * 0.5:.1f}l0 13", metal, 3.4)


def _wide_lapels(sheet: Sheet, block: Block, fabric: Fabric, studs: bool, metal: str) -> None:
    x, y, low = block.neck, block.top, block.top + block.neck_depth
    for side in (-1.0, 1.0):
        lapel = (
            Curve(side * (x - 2), y + 6)
            .line((side * (x + 22), y + 42))
            .line((side * (x + 52), y + 60))
            .bend((side * (x + 40), y + 96), (side * 30, low - 6), (side * -10, low + 14))
        )
        lapel.bend((side * 8, low - 40), (side * x * 0.7, y + 46), (side * (x - 2), y + 6))
        part = sheet.part(lapel.closed, fabric, roll=6, lift=0.6)
        part.stitch(
            Curve(side * (x + 20), y + 48)
            .line((side * (x + 44), y + 63))
            .bend((side * (x + 32), y + 94), (side * 26, low - 8), (side * -4, low + 6))
            .d()
        )
        sheet.button(side * (x + 40), y + 64, 4.2, metal, metal=True)
    for side in (-1.0, 1.0):
        leaf = (
            Curve(0, y - 12)
            .bend((side * x * 0.6, y - 12), (side * (x - 4), y - 12), (side * (x + 4), y - 6))
            .line((side * (x + 36), y + 34))
            .line((side * (x + 16), y + 46))
        )
        leaf.bend((side * (x + 2), y + 26), (side * (x - 4), y + 16), (side * (x - 8), y + 8)).line((0, y + 9))
        sheet.part(leaf.closed, fabric, roll=6, lift=0.5)
        sheet.button(side * (x + 23), y + 33, 3.8, metal, metal=True)
        if studs:
            for row in range(4):
                for column in range(3):
                    sheet.button(
                        side * (64 + column * 12 + row * 3), y + 22 + row * 9 + column * 4, 2.6, metal, metal=True
                    )


def _hem_belt(sheet: Sheet, block: Block, fabric: Fabric, metal: str) -> None:
    x, y = block.hem + 1, block.bottom - 18
    band = polygon((-x, y - 8), (x, y - 8), (x, y + 13), (-x, y + 13))
    sheet.part(band, fabric, roll=5, lift=0.45).stitch(f"M{-x} {y - 4}H{x}").stitch(f"M{-x} {y + 9}H{x}")
    for at in (-80, 74):
        sheet.part(
            polygon((at - 4, y - 12), (at + 4, y - 12), (at + 4, y + 17), (at - 4, y + 17)), fabric, roll=3, lift=0.4
        )
    sheet.part(
        polygon((18, y - 13), (48, y - 13), (48, y + 18), (18, y + 18)), Fabric(metal, "plain"), roll=5, lift=0.5
    ).paint(polygon((23, y - 8), (43, y - 8), (43, y + 13), (23, y + 13)), fabric.color)
    sheet.part(polygon((26, y), (48, y), (48, y + 4), (26, y + 4)), Fabric(metal, "plain"), roll=2, lift=0.3)


def lay_bomber(
    sheet: Sheet,
    fabric: Fabric,
    rng: np.random.Generator,
    *,
    rib: Fabric | None = None,
    sleeves: Fabric | None = None,
    tips: tuple[str, ...] = (),
    snaps: bool = False,
    letter: str = "",
) -> Part:
    """A bomber with a zip; with snaps, other sleeves and a letter it is a varsity jacket."""
    rib = rib or fabric.plain(weave="rib")
    back_panel(sheet, SHORT, fabric)
    for part, side in lay_sleeves(sheet, SHORT, sleeves or fabric, rng):
        if not snaps and side < 0:
            _slant_zip(part, -150, 250, 0.3, METAL, 50)
    front = lay_front(sheet, SHORT, fabric, rng)
    armhole_seams(front, SHORT)
    for side in (-1, 1):
        way = f"M{side * 54} {SHORT.bottom - 70}L{side * 82} {SHORT.bottom - 128}"
        front.seam(way, 8, 0.5).trace(way, darker(fabric.color, 0.3) if not sleeves else sleeves.color, 5)
    if letter:
        _letter(front, 52, SHORT.underarm[1] - 8, letter, (sleeves or rib).color)
    band = hem_rib(sheet, SHORT, rib, 36)
    _tips(band, SHORT, tips)
    cuffs(sheet, SHORT, rib.plain(weave="rib"), height=38, flare=-2)
    if snaps:
        placket(sheet, SHORT, fabric, (sleeves or rib).color, count=6, width=18)
    else:
        strip = sheet.part(f"M-6 {SHORT.top + 34}H6V{SHORT.bottom + 8}H-6Z", fabric, roll=2, lift=0.2)
        zip_line(strip, 0, SHORT.top + 34, SHORT.bottom + 8)
    neck_band(sheet, SHORT, rib, 20)
    return front


def _tips(band: Part, block: Block, tips: tuple[str, ...]) -> None:
    for index, tip in enumerate(tips):
        y = block.bottom - 24 + index * 10
        band.trace(spline((-block.hem, y), (0, y + 6), (block.hem, y)), tip, 4)


def _letter(part: Part, x: float, y: float, color: str, rim: str) -> None:
    d = f"M{x - 18} {y + 22}V{y - 22}L{x} {y + 4}L{x + 18} {y - 22}V{y + 22}"
    part.trace(d, rim, 14).trace(d, color, 9)


def lay_denim_jacket(
    sheet: Sheet, fabric: Fabric, rng: np.random.Generator, *, thread: str = "#c98f4a", button: str = "#a98757"
) -> Part:
    block = replace(SHORT, length=336.0, hem=110.0)
    back_panel(sheet, block, fabric)
    lay_sleeves(sheet, block, fabric, rng)
    front = lay_front(sheet, block, fabric, rng)
    armhole_seams(front, block, stitched=True)
    y = block.underarm[1] - 56
    front.seam(f"M-130 {y}H130", 2).stitch(f"M-130 {y + 4}H130", thread, 1.1)
    for side in (-1, 1):
        for inner, outer in ((24, 12), (72, 44)):
            way = Curve(side * inner, y + 22).line((side * outer, block.bottom - 20)).d()
            front.seam(way, 2).stitch(way, thread, 1.1)
        front.glow(spline((side * 54, y + 40), (side * 44, block.bottom - 40)), 46, lighter(fabric.color, 0.5), 0.25)
    for side in (-1, 1):
        x = side * 55
        flap = polygon((x - 26, y), (x + 26, y), (x + 25, y + 18), (x, y + 29), (x - 25, y + 18))
        sheet.part(flap, fabric, roll=4, lift=0.45).stitch(flap, thread, 1.1)
        sheet.button(x, y + 19, 4, button, metal=True)
    hem_rib(sheet, block, fabric, 24, "denim").stitch(
        spline((-block.hem, block.bottom - 18), (0, block.bottom - 12), (block.hem, block.bottom - 18)), thread, 1.1
    )
    cuffs(sheet, block, fabric, height=26, button=button)
    placket(sheet, block, fabric, button, count=6, width=22)
    shirt_collar(sheet, block, fabric, button, point=66, spread=46)
    return front
