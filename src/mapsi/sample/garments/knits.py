"""Sweaters, sweatshirts, hoodies and cardigans."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mapsi.sample.cloth.curve import Curve, spline, symmetric
from mapsi.sample.cloth.fabrics import Fabric
from mapsi.sample.cloth.palette import darker, lighter
from mapsi.sample.cloth.sheet import Part, Sheet
from mapsi.sample.garments.shirts import cuffs
from mapsi.sample.garments.tees import MOTIFS, chest_pocket, neck_band
from mapsi.sample.garments.tops import Block, armhole_seams, back_panel, cut_sleeve, lay_front, lay_sleeves, neckline

SWEATER = Block(
    top=92,
    shoulder=122,
    chest=124,
    waist=124,
    hem=116,
    length=372,
    armhole=122,
    cuff=28,
    sleeve=268,
    spread=17,
    neck_depth=36,
)
CARDIGAN = Block(
    top=84,
    shoulder=116,
    chest=117,
    waist=116,
    hem=114,
    length=402,
    v_neck=True,
    neck_depth=168,
    cuff=27,
    sleeve=278,
    spread=15,
    neck=42,
)


def hem_rib(sheet: Sheet, block: Block, fabric: Fabric, height: float = 34, weave: str = "rib") -> Part:
    """The ribbed welt at the waist, drawn in a little."""
    x, y = block.hem, block.bottom
    band = Curve(-x - 1, y - height).bend((-x * 0.5, y - height + 7), (x * 0.5, y - height + 7), (x + 1, y - height))
    band.line((x - 6, y + 5)).bend((x * 0.5, y + 11), (-x * 0.5, y + 11), (-x + 6, y + 5))
    part = sheet.part(band.closed, fabric.plain(weave=weave), roll=7, lift=0.2)
    part.seam(spline((-x, y - height + 1), (0, y - height + 6), (x, y - height + 1)), 2.4)
    return part


def lay_sweater(
    sheet: Sheet,
    fabric: Fabric,
    rng: np.random.Generator,
    *,
    block: Block = SWEATER,
    neck: str = "crew",
    rib: Fabric | None = None,
    motif: str = "",
    inks: tuple[str, ...] = (),
    tips: tuple[str, ...] = (),
) -> Part:
    """A pulled-on top. ``neck`` is ``crew``, ``v``, ``turtle``, ``mock`` or ``half-zip``; ``tips`` are stripes in the
    ribs."""
    rib = rib or fabric.plain()
    shape = replace(block, v_neck=True, neck_depth=104.0) if neck == "v" else block
    back_panel(sheet, shape, fabric)
    lay_sleeves(sheet, shape, fabric, rng)
    front = lay_front(sheet, shape, fabric, rng)
    armhole_seams(front, shape)
    if motif:
        MOTIFS[motif](front, shape, inks)
    band = hem_rib(sheet, shape, rib)
    for index, tip in enumerate(tips):
        y = shape.bottom - 24 + index * 9
        band.trace(spline((-shape.hem, y), (0, y + 6), (shape.hem, y)), tip, 4)
    cuffs(sheet, shape, rib.plain(weave="rib"), height=36, flare=-1.5)
    KNIT_NECKS[neck](sheet, shape, rib, tips)
    return front


def _crew(sheet: Sheet, block: Block, rib: Fabric, tips: tuple[str, ...]) -> None:
    neck_band(sheet, block, rib, 15)


def v_band(sheet: Sheet, block: Block, rib: Fabric, width: float = 13, tips: tuple[str, ...] = ()) -> None:
    """A ribbed band along a V neckline."""
    for side in (-1.0, 1.0):
        inner = neckline(block, side)
        outer = neckline(block, side, drop=width * 1.5, widen=width * 0.8)
        outer.segments[-1] = (*outer.segments[-1][:2], (side * (block.neck + width * 0.8), block.top + 3))
        band = Curve(*inner.start).then(inner).then(outer.reversed())
        part = sheet.part(band.closed, rib.plain(weave="rib"), turn=-side * 20, roll=4, lift=0.25)
        for index, tip in enumerate(tips):
            part.trace(
                neckline(block, side, drop=width * (0.5 + index * 0.55), widen=width * (0.25 + index * 0.3)).d(),
                tip,
                3.2,
            )


def _v(sheet: Sheet, block: Block, rib: Fabric, tips: tuple[str, ...]) -> None:
    v_band(sheet, block, rib, 14, tips)


def _turtle(sheet: Sheet, block: Block, rib: Fabric, tips: tuple[str, ...], height: float = 50.0) -> None:
    x, y, low = block.neck, block.top, block.top + block.neck_depth * 0.55
    tube = Curve(0, y - height + 12).bend(
        (x * 0.6, y - height + 12), (x * 0.9, y - height + 6), (x - 3, y - height + 2)
    )
    tube.bend((x + 3, y - height + 14), (x - 1, y - 14), (x + 5, y + 4)).bend(
        (x * 0.86, low - 2), (x * 0.5, low + 8), (0, low + 8)
    )
    part = sheet.part(symmetric(tube), rib.plain(weave="rib"), roll=10, lift=0.4)
    if height > 40:
        part.fold(spline((-x, y - 8), (0, y + 6), (x, y - 8)), 10, -0.5).dim(
            spline((-x, y - 6), (0, y + 8), (x, y - 6)), 8, 0.3
        )
    part.dim(spline((-x, y - height), (0, y - height + 13), (x, y - height)), 7, 0.25)


def _mock(sheet: Sheet, block: Block, rib: Fabric, tips: tuple[str, ...]) -> None:
    _turtle(sheet, block, rib, tips, 32)


def _half_zip(sheet: Sheet, block: Block, rib: Fabric, tips: tuple[str, ...]) -> None:
    y = block.top + block.neck_depth * 0.5
    strip = sheet.part(f"M-7 {y}H7V{y + 108}H-7Z", rib.plain(lighter(rib.color, 0.06), "plain"), roll=2, lift=0.25)
    zip_line(strip, 0, y, y + 104)
    _turtle(sheet, block, rib, tips, 38)
    collar = sheet.part(
        f"M-3 {block.top - 26}H3V{y + 12}H-3Z", Fabric(darker(rib.color, 0.3), "plain"), roll=2, lift=0.1
    )
    zip_line(collar, 0, block.top - 26, y + 12)
    sheet.part(f"M-3 {y + 2}h6v16h-6z", Fabric("#b9bcc0", "plain"), roll=2.5, lift=0.5)


def zip_line(part: Part, x: float, top: float, bottom: float, metal: str = "#c4c6c9") -> None:
    """A zip's teeth."""
    part.trace(f"M{x} {top}V{bottom}", darker(part.fabric.color, 0.5), 4.6)
    pen = f'stroke="{metal}" stroke-width="3.2" stroke-dasharray="1.5 1.3" fill="none"'
    part.ink.append(f'<path d="M{x} {top}V{bottom}" {pen}/>')
    part.seam(f"M{x} {top}V{bottom}", 0.8)


KNIT_NECKS = {"crew": _crew, "v": _v, "turtle": _turtle, "mock": _mock, "half-zip": _half_zip}


def lay_hoodie(
    sheet: Sheet,
    fabric: Fabric,
    rng: np.random.Generator,
    *,
    block: Block = SWEATER,
    zipped: bool = False,
    cord: str = "#f3f1ec",
    motif: str = "",
    inks: tuple[str, ...] = (),
) -> Part:
    shape = replace(block, top=block.top + 18, length=block.length - 6, neck_depth=58.0)
    _hood_back(sheet, shape, fabric)
    lay_sleeves(sheet, shape, fabric, rng)
    front = lay_front(sheet, shape, fabric, rng)
    armhole_seams(front, shape, stitched=True)
    if motif:
        MOTIFS[motif](front, replace(shape, top=shape.top + 16), inks)
    _kangaroo_pocket(sheet, shape, fabric, zipped)
    hem_rib(sheet, shape, fabric)
    cuffs(sheet, shape, fabric.plain(weave="rib"), height=36, flare=-1.5)
    if zipped:
        strip = sheet.part(f"M-6 {shape.top + 50}H6V{shape.bottom + 8}H-6Z", fabric, roll=2, lift=0.2)
        zip_line(strip, 0, shape.top + 50, shape.bottom + 8)
    _hood_front(sheet, shape, fabric)
    _hood_cords(sheet, shape, cord)
    return front


def _hood_back(sheet: Sheet, block: Block, fabric: Fabric) -> None:
    x, y = block.neck, block.top
    hood = (
        Curve(0, y - 62)
        .bend((x * 0.9, y - 64), (x * 1.62, y - 40), (x * 1.5, y + 8))
        .line((x, y + 30))
        .line((0, y + 66))
    )
    part = sheet.part(symmetric(hood), fabric, roll=14, lift=0.2)
    part.seam(f"M0 {y - 62}V{y - 30}", 2)
    inner = Curve(0, y - 38).bend((x * 0.7, y - 38), (x * 1.14, y - 16), (x * 1.02, y + 18)).line((0, y + 64))
    inside = sheet.part(symmetric(inner), fabric.plain(darker(fabric.color, 0.28)), roll=8, lift=0)
    inside.dim(symmetric(inner), 26, 0.35).paint(f"M-9 {y - 2}h18v10h-18z", "#f5f2ea")


def _hood_front(sheet: Sheet, block: Block, fabric: Fabric) -> None:
    x, y, low = block.neck, block.top, block.top + block.neck_depth
    for side in (-1.0, 1.0):
        flap = Curve(side * x * 1.3, y - 26).bend(
            (side * x * 1.62, y - 4), (side * x * 1.6, y + 16), (side * x * 1.34, y + 26)
        )
        flap.bend((side * x, low - 4), (side * x * 0.4, low + 12), (side * -4, low + 16))
        flap.bend((side * x * 0.2, low - 4), (side * x * 0.98, y + 26), (side * x * 1.02, y - 2))
        part = sheet.part(flap.closed, fabric, turn=side * 25, roll=8, lift=0.4)
        part.stitch(
            Curve(side * 2, low + 6).bend((side * x * 0.3, low - 8), (side * x * 1.04, y + 30), (side * x * 1.1, y)).d()
        )


def _hood_cords(sheet: Sheet, block: Block, color: str) -> None:
    low = block.top + block.neck_depth
    for side, length in ((-1.0, 92.0), (1.0, 80.0)):
        x = side * 20
        way = Curve(x - 2.2, low - 4).bend((x - 4, low + 30), (x + 2, low + 60), (x - 2, low + length))
        way.line((x + 2.4, low + length)).bend((x + 6, low + 60), (x, low + 30), (x + 2.2, low - 4))
        sheet.part(way.closed, Fabric(color, "cotton"), roll=2, lift=0.5).trace(
            f"M{x} {low + length - 8}v9", darker(color, 0.3), 5
        )


def _kangaroo_pocket(sheet: Sheet, block: Block, fabric: Fabric, zipped: bool) -> None:
    y = block.bottom - 118
    for side in (-1.0, 1.0) if zipped else (0.0,):
        if zipped:
            pocket = (
                Curve(side * 7, y)
                .line((side * 54, y))
                .bend((side * 60, y + 30), (side * 80, y + 44), (side * 84, y + 52))
                .line((side * 84, y + 90), (side * 7, y + 90))
            )
        else:
            pocket = (
                Curve(-54, y)
                .line((54, y))
                .bend((60, y + 30), (78, y + 46), (86, y + 54))
                .line((84, y + 90), (-84, y + 90), (-86, y + 54))
            )
            pocket.bend((-78, y + 46), (-60, y + 30), (-54, y))
        sheet.part(pocket.closed, fabric, roll=6, lift=0.35).stitch(pocket.closed)


def cardigan_fronts(sheet: Sheet, block: Block, fabric: Fabric, rng: np.random.Generator) -> Part:
    front = lay_front(sheet, block, fabric, rng)
    armhole_seams(front, block)
    return front


def lay_cardigan(
    sheet: Sheet,
    fabric: Fabric,
    rng: np.random.Generator,
    *,
    block: Block = CARDIGAN,
    rib: Fabric | None = None,
    button: str = "#5b4636",
    count: int = 5,
    pockets: bool = True,
    tips: tuple[str, ...] = (),
    arm_bands: bool = False,
    crest: str = "",
) -> Part:
    """A buttoned cardigan; with a V neck or, where the block has none, a round one."""
    rib = rib or fabric.plain()
    back_panel(sheet, block, fabric)
    for part, side in lay_sleeves(sheet, block, fabric, rng):
        if arm_bands and side < 0:
            _arm_bands(part, block, tips or (rib.color,))
    front = cardigan_fronts(sheet, block, fabric, rng)
    if pockets:
        for side in (-1, 1):
            chest_pocket(front, side * 62, block.bottom - 132, 58, 66)
            front.paint(f"M{side * 62 - 29} {block.bottom - 132}h58v11h-58z", rib.color)
    if crest:
        _crest(front, 60, block.underarm[1] + 8, crest, rib.color)
    band = hem_rib(sheet, block, rib, 30)
    for index, tip in enumerate(tips):
        y = block.bottom - 20 + index * 9
        band.trace(spline((-block.hem, y), (0, y + 6), (block.hem, y)), tip, 4)
    cuffs(sheet, block, rib.plain(weave="rib"), height=32, flare=-1.5)
    if block.v_neck:
        v_band(sheet, block, rib, 15, tips)
    else:
        neck_band(sheet, block, rib, 14)
    button_band(sheet, block, rib, button, count)
    return front


def button_band(sheet: Sheet, block: Block, rib: Fabric, button: str, count: int) -> None:
    top = block.top + block.neck_depth + (4 if block.v_neck else 0)
    strip = sheet.part(
        f"M-11 {top}L0 {top - 6}L11 {top}V{block.bottom + 10}H-11Z", rib.plain(weave="rib"), roll=4, lift=0.4, turn=90
    )
    strip.seam(f"M-11 {top}V{block.bottom + 10}", 1.5)
    for y in np.linspace(top + 14, block.bottom - 8, count):
        sheet.button(0, float(y), 6, button)


def _arm_bands(part: Part, block: Block, tips: tuple[str, ...]) -> None:
    sleeve = cut_sleeve(block)
    for index in range(2):
        tip = tips[index % len(tips)]
        x, y = block.chest + 4 + index * 4, block.underarm[1] - 14 + index * 20
        part.trace(Curve(-x + 30, y + 8).line((-(sleeve.outer[0] + 8), y - 26)).d(), tip, 11)


def _crest(part: Part, x: float, y: float, color: str, rim: str) -> None:
    shield = (
        Curve(x - 15, y - 18)
        .line((x + 15, y - 18))
        .bend((x + 16, y + 4), (x + 10, y + 14), (x, y + 20))
        .bend((x - 10, y + 14), (x - 16, y + 4), (x - 15, y - 18))
    )
    part.paint(shield.closed, color).trace(shield.closed, rim, 2.2).trace(
        f"M{x - 14} {y - 4}H{x + 14}M{x} {y - 18}V{y + 18}", rim, 1.6
    )
