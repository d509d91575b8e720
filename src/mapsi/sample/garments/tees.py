"""T-shirts."""

from __future__ import annotations

import numpy as np

from mapsi.sample.cloth.curve import Curve, circle, polygon, spline
from mapsi.sample.cloth.fabrics import Fabric
from mapsi.sample.cloth.sheet import Part, Sheet
from mapsi.sample.garments.tops import (
    Block,
    armhole_seams,
    back_panel,
    cut_sleeve,
    hem_line,
    lay_front,
    lay_sleeves,
    neckline,
)

TEE = Block(
    top=92, shoulder=126, chest=126, waist=122, hem=126, sleeve=64, spread=42, cuff=41, length=408, neck_depth=40
)


def neck_band(sheet: Sheet, block: Block, fabric: Fabric, width: float = 10) -> None:
    """A ribbed band round the neckline."""
    inner, outer = neckline(block), neckline(block, drop=width, widen=width * 0.75)
    outer.segments[-1] = (*outer.segments[-1][:2], (block.neck + width * 0.75, block.top + 3))
    ring = Curve(*outer.reversed().start)
    ring.segments = list(outer.reversed().segments)
    ring.then(outer.mirrored()).then(inner.mirrored().reversed()).then(inner)
    band = sheet.part(ring.closed, fabric.plain(weave="rib"), roll=4, lift=0.18)
    band.stitch(_whole(outer))


def _whole(half: Curve) -> str:
    left = half.mirrored().reversed()
    return left.then(half).d()


def lay_tee(
    sheet: Sheet,
    fabric: Fabric,
    rng: np.random.Generator,
    *,
    block: Block = TEE,
    band: Fabric | None = None,
    motif: str = "",
    inks: tuple[str, ...] = (),
    pocket: bool = False,
) -> Part:
    back_panel(sheet, block, fabric)
    sleeve = cut_sleeve(block)
    for part, side in lay_sleeves(sheet, block, fabric, rng):
        _sleeve_hem(part, sleeve.outer, sleeve.inner, side)
    front = lay_front(sheet, block, fabric, rng)
    armhole_seams(front, block)
    hem_line(front, block)
    if motif:
        MOTIFS[motif](front, block, inks)
    if pocket:
        chest_pocket(front, 46, block.underarm[1] - 46)
    neck_band(sheet, block, (band or fabric))
    return front


def chest_pocket(part: Part, x: float, y: float, width: float = 44, height: float = 50) -> None:
    """A patch pocket with its corner at ``x``, ``y`` (upper left is ``x - width / 2``)."""
    left, right = x - width / 2, x + width / 2
    d = f"M{left} {y}L{left + 1} {y + height - 9}L{x} {y + height}L{right - 1} {y + height - 9}L{right} {y}"
    part.seam(d + "Z", 1.8).stitch(f"M{left} {y + 8}H{right}").fold(f"M{left} {y + 1}H{right}", 5, -0.5)


def _sleeve_hem(part: Part, outer: tuple[float, float], inner: tuple[float, float], side: float) -> None:
    run = (outer[0] - inner[0], outer[1] - inner[1])
    size = (run[0] ** 2 + run[1] ** 2) ** 0.5
    up = (run[1] / size * 8, -run[0] / size * 8)
    start, end = (side * (inner[0] + up[0]), inner[1] + up[1]), (side * (outer[0] + up[0]), outer[1] + up[1])
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 + 2)
    part.stitch(spline(start, middle, end)).fold(spline(start, middle, end), 3, -0.25)


def _stripe_motif(part: Part, block: Block, inks: tuple[str, ...]) -> None:
    y = block.underarm[1] - 12
    for index, ink in enumerate(inks):
        part.trace(spline((-58, y + index * 11), (0, y + index * 11 + 2), (58, y + index * 11)), ink, 7, 0.95)


def _sun_motif(part: Part, block: Block, inks: tuple[str, ...]) -> None:
    y = block.underarm[1]
    part.paint(circle(0, y, 42), inks[0], 0.95)
    for index, ink in enumerate((inks * 3)[1:4]):
        top = y + 4 + index * 16
        part.paint(
            Curve(-62, top + 12)
            .smooth((-30, top - 4), (0, top + 10), (30, top), (62, top + 12))
            .line((62, top + 22), (-62, top + 22))
            .closed,
            ink,
            0.95,
        )


def _bolt_motif(part: Part, block: Block, inks: tuple[str, ...]) -> None:
    y = block.underarm[1] - 46
    part.trace(circle(0, y + 54, 56), inks[-1], 3.4, 0.9).trace(circle(0, y + 54, 50), inks[-1], 1.2, 0.9)
    part.paint(polygon((12, y), (-30, y + 62), (-4, y + 62), (-16, y + 112), (32, y + 40), (5, y + 40)), inks[0], 0.95)
    for x in (-66, 66):
        part.paint(polygon((x, y + 40), (x + 6, y + 54), (x, y + 68), (x - 6, y + 54)), inks[0], 0.9)


def _arches_motif(part: Part, block: Block, inks: tuple[str, ...]) -> None:
    y = block.underarm[1] + 34
    for index, ink in enumerate(inks):
        r = 50 - index * 14
        part.trace(f"M{-r} {y}C{-r} {y - r * 1.5} {r} {y - r * 1.5} {r} {y}", ink, 9, 0.95)


MOTIFS = {"stripes": _stripe_motif, "sun": _sun_motif, "bolt": _bolt_motif, "arches": _arches_motif}
