"""Quilted down jackets and vests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mapsi.sample.cloth.curve import Curve, spline
from mapsi.sample.cloth.fabrics import Fabric
from mapsi.sample.cloth.palette import darker
from mapsi.sample.cloth.sheet import Part, Sheet
from mapsi.sample.garments.knits import hem_rib, zip_line
from mapsi.sample.garments.outerwear import SHORT
from mapsi.sample.garments.shirts import cuffs
from mapsi.sample.garments.tops import Block, armhole_seams, back_panel, cut_sleeve, lay_front, lay_sleeves


def lay_puffer(
    sheet: Sheet,
    fabric: Fabric,
    rng: np.random.Generator,
    *,
    vest: bool = False,
    hood: bool = False,
    step: float = 44,
    length: float = 372,
) -> Part:
    """A quilted down jacket, or a vest."""
    block = replace(
        SHORT, shoulder=124.0, chest=132.0, waist=134.0, hem=126.0, length=length, cuff=36.0, armhole=128.0, top=98.0
    )
    if vest:
        block = replace(block, shoulder=98.0)
    back_panel(sheet, block, fabric)
    if not vest:
        for part, side in lay_sleeves(sheet, block, fabric, rng):
            _quilt_sleeve(part, block, side, step, rng)
    front = lay_front(sheet, block, fabric, rng)
    for y in np.arange(block.top + 40, block.bottom - 12, step):
        _quilt(front, spline((-150, y), (-60, y + 6), (0, y + 4), (60, y + 6), (150, y)), step, rng, block.chest)
    armhole_seams(front, block)
    hem_rib(sheet, block, fabric, 16, "nylon")
    if not vest:
        cuffs(sheet, block, fabric, height=18, flare=-5)
    collar = (
        Curve(0, block.top - 34)
        .bend((30, block.top - 34), (44, block.top - 36), (50, block.top - 38))
        .bend((58, block.top - 16), (56, block.top + 10), (60, block.top + 18))
        .bend((40, block.top + 44), (20, block.top + 46), (0, block.top + 46))
    )
    whole = Curve(*collar.start).then(collar).then(collar.mirrored().reversed())
    part = sheet.part(whole.closed, fabric, roll=13, lift=0.5)
    _quilt(part, spline((-60, block.top - 2), (0, block.top + 14), (60, block.top - 2)), 22, rng, 40)
    strip = sheet.part(f"M-7 {block.top - 32}H7V{block.bottom + 6}H-7Z", fabric, roll=3, lift=0.35)
    zip_line(strip, 0, block.top - 32, block.bottom + 6, darker(fabric.color, 0.2))
    return front


def _quilt(part: Part, way: str, step: float, rng: np.random.Generator, half: float) -> None:
    """A quilting line: the filling rises on both sides and puckers along it."""
    part.form.append(f'<path d="{way}" stroke="#000" stroke-opacity=".3" stroke-width="{step * 0.52}" fill="none"/>')
    part.form.append(f'<path d="{way}" stroke="#000" stroke-opacity=".35" stroke-width="{step * 0.28}" fill="none"/>')
    part.form.append(f'<path d="{way}" stroke="#000" stroke-opacity=".4" stroke-width="{step * 0.12}" fill="none"/>')
    part.seam(way, 1.8).dim(way, step * 0.3, 0.25)
    start = float(way.partition(" ")[2].partition("C")[0])
    for x in rng.uniform(-half, half, 11):
        part.fold(
            f"M{x:.1f} {start - 3:.1f}L{x + rng.uniform(-4, 4):.1f} "
            f"{start + rng.choice((-1, 1)) * step * rng.uniform(0.26, 0.42):.1f}",
            7,
            -0.35,
        )


def _quilt_sleeve(part: Part, block: Block, side: float, step: float, rng: np.random.Generator) -> None:
    sleeve = cut_sleeve(block)
    (ox, oy), (ix, iy) = sleeve.outer, sleeve.inner
    tx, ty = block.tip
    ux, uy = block.underarm
    for share in np.arange(0.14, 0.98, step / block.sleeve):
        a = (side * (tx + 26 + (ox - tx - 26) * share + 8), ty + (oy - ty) * share)
        b = (side * (ux + (ix - ux) * share - 8), uy - 30 + (iy - uy + 30) * share)
        way = spline(a, ((a[0] + b[0]) / 2, (a[1] + b[1]) / 2 + 5), b)
        part.form.append(
            f'<path d="{way}" stroke="#000" stroke-opacity=".32" stroke-width="{step * 0.5}" fill="none"/>'
        )
        part.form.append(
            f'<path d="{way}" stroke="#000" stroke-opacity=".4" stroke-width="{step * 0.22}" fill="none"/>'
        )
        part.seam(way, 1.8).dim(way, step * 0.3, 0.25)
