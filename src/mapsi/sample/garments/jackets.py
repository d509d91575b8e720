"""Tailored jackets, coats and suits: two fronts that overlap, lapels, and what is worn under them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mapsi.sample.cloth.curve import Curve, polygon, spline
from mapsi.sample.cloth.fabrics import Fabric
from mapsi.sample.cloth.palette import darker, lighter
from mapsi.sample.cloth.sheet import Part, Sheet
from mapsi.sample.garments.bottoms import lay_trousers
from mapsi.sample.garments.lapels import Front, flap_pockets, jacket_buttons, lapels, lay_fronts, sleeve_buttons
from mapsi.sample.garments.legs import CUTS
from mapsi.sample.garments.shirts import cuffs, shirt_collar
from mapsi.sample.garments.tops import Block, back_panel, lay_front, lay_sleeves

BLAZER = Block(
    top=74,
    neck=40,
    neck_depth=176,
    v_neck=True,
    shoulder=120,
    slope=27,
    chest=115,
    armhole=120,
    waist=101,
    hem=117,
    length=420,
    hem_dip=6,
    sleeve=290,
    spread=13,
    cuff=27,
)


COAT = Block(
    top=48,
    neck=36,
    neck_depth=150,
    v_neck=True,
    shoulder=108,
    slope=24,
    chest=104,
    armhole=112,
    waist=102,
    hem=122,
    length=490,
    hem_dip=6,
    sleeve=268,
    spread=13,
    cuff=27,
)


OUTFIT = Block(
    top=42,
    neck=28,
    neck_depth=106,
    v_neck=True,
    shoulder=91,
    slope=20,
    chest=87,
    armhole=80,
    waist=75,
    hem=87,
    length=258,
    hem_dip=5,
    sleeve=186,
    spread=12,
    cuff=20,
)

SINGLE_BREASTED = Front()
LONG = Front(round_off=6, lapel=46, count=3, spacing=76, overlap=14)
SMALL = Front(lapel=25, overlap=6, round_off=26, spacing=50)


def lay_blazer(
    sheet: Sheet,
    fabric: Fabric,
    rng: np.random.Generator,
    *,
    block: Block = BLAZER,
    front: Front = SINGLE_BREASTED,
    button: str = "#2a2522",
    under: str = "",
    tie: Fabric | None = None,
    shirt: Fabric | None = None,
    patch: bool = False,
    square: str = "",
) -> list[Part]:
    """A jacket with lapels. ``under`` is what shows in the opening: nothing, ``shirt`` (with ``tie``), ``waistcoat`` or
    ``turtle``."""
    inside = fabric.plain(darker(fabric.color, 0.32), "satin")
    back_panel(sheet, replace(block, v_neck=False, neck_depth=30.0), inside)
    shown = replace(
        block,
        v_neck=False,
        neck_depth=14.0,
        length=block.length - 30,
        shoulder=block.shoulder - 26,
        chest=block.chest - 22,
        waist=block.waist - 12,
        hem=block.hem - 18,
    )
    lining = lay_front(sheet, shown, inside, rng, lift=0)
    lining.dim(spline((0, block.top), (0, block.bottom)), 90, 0.3)
    if under:
        _under(sheet, block, under, shirt or Fabric("#f3f1ec", "poplin"), tie, fabric, rng)
    lay_sleeves(sheet, block, fabric, rng)
    parts = lay_fronts(sheet, block, fabric, front, rng)
    flap_pockets(parts, block, patch=patch)
    if square:
        x, y = block.shoulder * 0.5, block.underarm[1] - 14
        parts[1].paint(polygon((x - 12, y - 2), (x - 6, y - 15), (x, y - 6), (x + 7, y - 17), (x + 13, y - 5)), square)
    lapels(sheet, block, fabric, front)
    jacket_buttons(sheet, block, front, button)
    sleeve_buttons(sheet, block, button)
    return parts


def _under(
    sheet: Sheet, block: Block, under: str, shirt: Fabric, tie: Fabric | None, suit: Fabric, rng: np.random.Generator
) -> None:
    unit = block.shoulder / 120
    low = block.top + block.neck_depth
    x, y = block.neck + 26 * unit, block.top
    bib = (
        Curve(-x + 14 * unit, y)
        .line((x - 14 * unit, y))
        .line((x, y + 60), (34 * unit, low + 46 * unit), (-34 * unit, low + 46 * unit), (-x, y + 60))
    )
    cloth = shirt if under != "turtle" else shirt.plain(weave="knit")
    part = sheet.part(bib.closed, cloth, roll=8, lift=0.2)
    part.fold(spline((-20 * unit, y + 30), (-12 * unit, low)), 14, 0.25).fold(
        spline((22 * unit, y + 36), (12 * unit, low)), 14, -0.25
    )
    if under == "turtle":
        tube = (
            Curve(0, y - 34 * unit)
            .bend((block.neck * 0.6, y - 34 * unit), (block.neck * 0.9, y - 36 * unit), (block.neck - 5, y - 38 * unit))
            .line((block.neck, y + 6))
            .bend((block.neck * 0.8, y + 24), (block.neck * 0.4, y + 28), (0, y + 28))
        )
        whole = Curve(*tube.start).then(tube)
        neck = sheet.part(whole.then(tube.mirrored().reversed()).closed, cloth.plain(weave="rib"), roll=8, lift=0.3)
        neck.dim(spline((-block.neck, y - 38 * unit), (0, y - 28 * unit), (block.neck, y - 38 * unit)), 6, 0.3)
        return
    part.seam(f"M0 {y + 20}V{low + 30}", 1.2)
    if tie:
        _tie(sheet, y + 26 * unit, low + 50 * unit, tie, unit)
    else:
        for step in range(4):
            sheet.button(0, y + (52 + step * 34) * unit, 3 * unit, "#e9e6de")
    shirt_collar(
        sheet,
        replace(block, v_neck=False, neck=block.neck - 4 * unit, neck_depth=34 * unit, top=y + 3),
        shirt,
        "",
        point=54 * unit,
        spread=30 * unit,
    )
    if tie:
        knot = polygon(
            (-10 * unit, y + 22 * unit),
            (10 * unit, y + 22 * unit),
            (6.5 * unit, y + 42 * unit),
            (-6.5 * unit, y + 42 * unit),
        )
        sheet.part(knot, tie, turn=20, roll=5, lift=0.45)
    if under == "waistcoat":
        for side in (-1.0, 1.0):
            half = (
                Curve(side * (x + 6), y + 30)
                .bend((side * x * 0.8, y + 80), (side * 20 * unit, low - 60 * unit), (side * -5, low - 40 * unit))
                .line((side * -5, low + 60 * unit))
                .line((side * x, low + 60 * unit))
            )
            sheet.part(half.closed, suit, roll=5, lift=0.4)
        for step in range(3):
            sheet.button(0, low + (-30 + step * 26) * unit, 4.4 * unit, "#2a2522")


def _tie(sheet: Sheet, top: float, bottom: float, tie: Fabric, unit: float) -> None:
    blade = (
        Curve(-5 * unit, top)
        .line((5 * unit, top))
        .line((14 * unit, bottom - 20))
        .line((0, bottom))
        .line((-14 * unit, bottom - 20))
    )
    part = sheet.part(blade.closed, tie, turn=32, roll=6, lift=0.4)
    part.fold(spline((-1, top), (2, (top + bottom) / 2), (0, bottom)), 9 * unit, 0.35)


def lay_coat(
    sheet: Sheet,
    fabric: Fabric,
    rng: np.random.Generator,
    *,
    block: Block = COAT,
    front: Front = LONG,
    button: str = "#3a2f28",
    belt: bool = False,
    under: str = "",
    shirt: Fabric | None = None,
    flaps: bool = False,
) -> list[Part]:
    """A long coat; ``belt`` ties it at the waist, ``flaps`` give it a trench coat's storm flap and shoulder straps."""
    parts = lay_blazer(sheet, fabric, rng, block=block, front=front, button=button, under=under, shirt=shirt)
    if flaps:
        for side in (-1.0, 1.0):
            x, y = block.tip
            strap = polygon(
                (side * (block.neck + 26), block.top + 9),
                (side * (x - 2), y - 4),
                (side * (x - 4), y + 9),
                (side * (block.neck + 24), block.top + 21),
            )
            sheet.part(strap, fabric, roll=4, lift=0.5).stitch(strap)
            sheet.button(side * (block.neck + 32), block.top + 17, 4, button)
    if belt:
        _waist_belt(sheet, block, fabric, button)
    return parts


def _waist_belt(sheet: Sheet, block: Block, fabric: Fabric, buckle: str) -> None:
    y = block.top + block.neck_depth + 44
    x = block.waist + 2
    band = (
        Curve(-x, y - 9)
        .bend((-x * 0.4, y - 4), (x * 0.4, y - 4), (x, y - 9))
        .line((x, y + 11))
        .bend((x * 0.4, y + 16), (-x * 0.4, y + 16), (-x, y + 11))
    )
    sheet.part(band.closed, fabric, roll=4, lift=0.5).stitch(spline((-x, y - 5), (0, y), (x, y - 5)))
    tail = (
        Curve(16, y - 2)
        .line((40, y + 2))
        .bend((44, y + 40), (38, y + 70), (44, y + 104))
        .line((26, y + 108))
        .bend((24, y + 70), (26, y + 40), (16, y + 14))
    )
    sheet.part(tail.closed, fabric, roll=5, lift=0.5)
    sheet.part(
        polygon((-8, y - 10), (22, y - 10), (22, y + 19), (-8, y + 19)),
        Fabric(lighter(buckle, 0.12), "plain"),
        roll=5,
        lift=0.5,
    ).paint(polygon((-2, y - 4), (16, y - 4), (16, y + 13), (-2, y + 13)), fabric.color)


def lay_suit(
    sheet: Sheet,
    fabric: Fabric,
    rng: np.random.Generator,
    *,
    front: Front = SMALL,
    button: str = "#2a2522",
    tie: Fabric | None = None,
    shirt: Fabric | None = None,
    waistcoat: bool = False,
    square: str = "",
) -> list[Part]:
    """A whole suit as it hangs: jacket with shirt and tie, and the trousers below."""
    leg = replace(CUTS["straight"], top=246, waist=64, hip=79, rise=92, knee=35, hem=30, length=330, gap=8)
    lay_trousers(sheet, fabric, rng, leg=leg)
    return lay_blazer(
        sheet,
        fabric,
        rng,
        block=OUTFIT,
        front=front,
        button=button,
        under="waistcoat" if waistcoat else "shirt",
        tie=tie,
        shirt=shirt,
        square=square,
    )


def lay_waistcoat(
    sheet: Sheet,
    fabric: Fabric,
    rng: np.random.Generator,
    *,
    button: str = "#2a2522",
    shirt: Fabric | None = None,
    tie: Fabric | None = None,
) -> list[Part]:
    """A waistcoat over a shirt."""
    cloth = shirt or Fabric("#f3f1ec", "poplin")
    base = Block(
        top=78,
        shoulder=110,
        chest=112,
        waist=108,
        hem=112,
        length=360,
        neck=42,
        neck_depth=44,
        cuff=25,
        sleeve=292,
        spread=14,
    )
    back_panel(sheet, base, cloth)
    lay_sleeves(sheet, base, cloth, rng)
    lay_front(sheet, base, cloth, rng)
    cuffs(sheet, base, cloth, button="#efece4")
    if tie:
        _tie(sheet, base.top + 40, base.top + 250, tie, 1.0)
    vest = replace(
        BLAZER,
        shoulder=86.0,
        neck=48.0,
        chest=116.0,
        waist=104.0,
        hem=110.0,
        length=388.0,
        neck_depth=150.0,
        slope=20.0,
        armhole=132.0,
    )
    parts = lay_fronts(sheet, vest, fabric, Front(overlap=9, round_off=30), rng)
    flap_pockets(parts, vest, welt=False)
    for row in range(5):
        sheet.button(0, vest.top + vest.neck_depth + 8 + row * 36, 5.4, button)
    shirt_collar(sheet, base, cloth, "#efece4", point=62)
    if tie:
        sheet.part(
            polygon((-11, base.top + 36), (11, base.top + 36), (7, base.top + 60), (-7, base.top + 60)),
            tie,
            turn=20,
            roll=5,
            lift=0.45,
        )
    return parts
