"""Technical shells and anoraks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mapsi.sample.cloth.curve import Curve, circle, polygon, spline
from mapsi.sample.cloth.fabrics import Fabric
from mapsi.sample.cloth.palette import darker, lighter
from mapsi.sample.cloth.sheet import Part, Sheet
from mapsi.sample.garments.knits import hem_rib
from mapsi.sample.garments.outerwear import SHORT
from mapsi.sample.garments.shirts import cuffs
from mapsi.sample.garments.tops import Block, armhole_seams, cut_sleeve, lay_front, lay_sleeves


def lay_shell(
    sheet: Sheet,
    fabric: Fabric,
    rng: np.random.Generator,
    *,
    tape: str = "#17181a",
    accent: str = "#d9743a",
    straps: bool = True,
    anorak: bool = False,
) -> Part:
    """A technical shell: hood, taped seams, covered zip, chest and hand pockets, a strap."""
    block = replace(SHORT, top=112.0, length=384.0, hem=120.0, waist=120.0, chest=122.0, shoulder=118.0)
    _shell_hood(sheet, block, fabric)
    for part, side in lay_sleeves(sheet, block, fabric, rng):
        _sleeve_tape(part, block, side, tape, accent)
    front = lay_front(sheet, block, fabric, rng)
    armhole_seams(front, block)
    y = block.underarm[1] - 62
    for side in (-1, 1):
        way = spline((side * 130, y - 10), (side * 70, y + 4), (0, y + 10))
        front.trace(way, tape, 6).seam(way, 6.4, 0.3)
        hand = f"M{side * 44} {block.bottom - 62}L{side * 74} {block.bottom - 142}"
        front.trace(hand, tape, 7).trace(hand, accent, 1.6).seam(hand, 7, 0.4)
    front.paint(polygon((30, y + 30), (84, y + 26), (86, y + 88), (31, y + 92)), lighter(fabric.color, 0.07)).seam(
        polygon((30, y + 30), (84, y + 26), (86, y + 88), (31, y + 92)), 1.8
    )
    front.trace(f"M34 {y + 42}L82 {y + 38}", tape, 4).trace(f"M34 {y + 42}L82 {y + 38}", accent, 1.2)
    hem_rib(sheet, block, fabric, 20, "nylon")
    cuffs(sheet, block, fabric, height=26, flare=-2)
    end = block.top + 210 if anorak else block.bottom + 8
    strip = sheet.part(f"M-9 {block.top - 16}H9V{end}H-9Z", fabric, roll=3, lift=0.4)
    strip.trace(f"M0 {block.top - 16}V{end}", tape, 5).trace(f"M0 {block.top - 16}V{end}", accent, 1.3)
    if anorak:
        _pouch(sheet, block, fabric, tape)
    _shell_collar(sheet, block, fabric, tape)
    if straps:
        _straps(sheet, block, tape)
    return front


def _shell_hood(sheet: Sheet, block: Block, fabric: Fabric) -> None:
    y = block.top
    hood = (
        Curve(-74, y + 16)
        .bend((-84, y - 40), (-54, y - 84), (0, y - 84))
        .bend((54, y - 84), (84, y - 40), (74, y + 16))
    )
    part = sheet.part(hood.closed, fabric, roll=14, lift=0.2)
    part.seam(spline((-34, y - 80), (-26, y - 50)), 1.8).seam(spline((34, y - 80), (26, y - 50)), 1.8)
    mouth = (
        Curve(-48, y + 16)
        .bend((-54, y - 30), (-34, y - 58), (0, y - 58))
        .bend((34, y - 58), (54, y - 30), (48, y + 16))
    )
    sheet.part(mouth.closed, fabric.plain(darker(fabric.color, 0.5)), roll=10, lift=0).paint(
        f"M-9 {y - 20}h18v10h-18z", "#d8d8d8"
    )


def _shell_collar(sheet: Sheet, block: Block, fabric: Fabric, tape: str) -> None:
    y = block.top
    for side in (-1.0, 1.0):
        wing = (
            Curve(side * 2, y + 42)
            .bend((side * 30, y + 38), (side * 54, y + 30), (side * 62, y + 14))
            .bend((side * 62, y - 10), (side * 58, y - 30), (side * 52, y - 44))
            .bend((side * 44, y - 20), (side * 22, y - 4), (side * 2, y + 2))
        )
        part = sheet.part(wing.closed, fabric, roll=8, lift=0.45)
        part.stitch(Curve(side * 8, y + 4).bend((side * 24, y), (side * 44, y - 14), (side * 52, y - 34)).d())
        sheet.part(
            polygon((side * 30, y + 12), (side * 33, y + 12), (side * 35, y + 74), (side * 32, y + 74)),
            Fabric(tape, "plain"),
            roll=1,
            lift=0.4,
        )
        sheet.part(circle(side * 33.5, y + 56, 5), Fabric(tape, "plain"), roll=4, lift=0.4)


def _sleeve_tape(part: Part, block: Block, side: float, tape: str, accent: str) -> None:
    sleeve = cut_sleeve(block)
    tx, ty = block.tip
    x, y = sleeve.outer
    part.trace(
        spline((side * (tx + 6), ty + 10), (side * ((tx + x) / 2 + 6), (ty + y) / 2 + 8), (side * (x - 14), y)), tape, 5
    )
    if side > 0:
        part.paint(
            polygon((tx + 26, ty + 92), (tx + 44, ty + 86), (tx + 48, ty + 104), (tx + 30, ty + 110)), accent, 0.9
        )


def _straps(sheet: Sheet, block: Block, tape: str) -> None:
    y = block.underarm[1] + 46
    strap = polygon((-124, y + 26), (124, y - 2), (124, y + 10), (-124, y + 38))
    sheet.part(strap, Fabric(tape, "canvas"), roll=3, lift=0.5)
    sheet.part(
        polygon((-62, y + 13), (-30, y + 9), (-28, y + 31), (-60, y + 35)),
        Fabric(darker(tape, 0.3), "plain"),
        roll=5,
        lift=0.5,
    )


def _pouch(sheet: Sheet, block: Block, fabric: Fabric, tape: str) -> None:
    y = block.bottom - 150
    pouch = polygon((-76, y), (76, y), (84, y + 104), (-84, y + 104))
    sheet.part(pouch, fabric, roll=8, lift=0.45).stitch(pouch)
    flap = polygon((-79, y - 8), (79, y - 8), (81, y + 26), (-81, y + 26))
    sheet.part(flap, fabric, roll=6, lift=0.45).stitch(flap)
    for x in (-50, 50):
        sheet.button(x, y + 15, 5, tape, metal=True)
