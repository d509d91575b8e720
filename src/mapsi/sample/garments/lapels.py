"""The tailored front: two overlapping fronts, lapels, buttons and pockets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mapsi.sample.cloth.curve import Curve, polygon, spline
from mapsi.sample.cloth.fabrics import Fabric
from mapsi.sample.cloth.sheet import Part, Sheet
from mapsi.sample.garments.tops import Block, cut_sleeve


@dataclass(frozen=True, slots=True)
class Front:
    """How a jacket closes: ``overlap`` of the fronts, ``round_off`` of the lower corner, ``lapel`` width, ``peak`` or
    notch, ``rows`` of buttons (1 or 2), ``count`` buttons per row."""

    overlap: float = 9
    round_off: float = 46
    lapel: float = 42
    peak: bool = False
    rows: int = 1
    count: int = 2
    spacing: float = 52


def front_panel(block: Block, front: Front, side: float) -> str:
    """One front from the neck to the hem, its edge running past the centre."""
    tx, ty = block.tip
    ux, uy = block.underarm
    low = block.top + block.neck_depth
    way = Curve(side * block.neck, block.top).line((side * tx, ty))
    way.bend(
        (side * (tx - 10), ty + block.armhole * 0.4), (side * (ux - 14), uy - block.armhole * 0.22), (side * ux, uy)
    )
    way.smooth((side * block.waist, uy + (block.bottom - uy) * 0.42), (side * block.hem, block.bottom - block.hem_dip))
    way.bend(
        (side * block.hem * 0.7, block.bottom + 2),
        (side * (front.round_off + 14), block.bottom + 4),
        (side * (front.round_off * 0.9), block.bottom + 3),
    )
    way.bend(
        (side * front.round_off * 0.3, block.bottom + 1),
        (side * -front.overlap, block.bottom - front.round_off),
        (side * -front.overlap, block.bottom - front.round_off * 2.2 - 4),
    )
    way.line((side * -front.overlap, low + 2))
    return way.bend(
        (side * block.neck * 0.1, low - 40), (side * block.neck * 0.7, block.top + 40), (side * block.neck, block.top)
    ).closed


def lay_fronts(sheet: Sheet, block: Block, fabric: Fabric, front: Front, rng: np.random.Generator) -> list[Part]:
    """The two fronts, the left of the wearer above, with darts and a drape to the button."""
    parts = []
    for side in (-1.0, 1.0):
        part = sheet.part(
            front_panel(block, front, side), fabric, roll=9, lift=0.4, at=(0, block.top), turn=-side * 1.5
        )
        ux, uy = block.underarm
        low = block.top + block.neck_depth
        part.seam(
            spline(
                (side * (ux - 28), uy + 4),
                (side * (block.waist - 30), low),
                (side * (block.hem - 42), block.bottom - 60),
            ),
            1.3,
            0.4,
        )
        part.fold(spline((side * (ux - 14), uy - 30), (side * 40, low - 30), (side * 6, low + 4)), 20, 0.3)
        for _ in range(3):
            start = (side * (ux - 6), uy + rng.uniform(-16, 20))
            part.fold(
                spline(
                    start,
                    (start[0] - side * 24, start[1] + 16),
                    (start[0] - side * rng.uniform(36, 52), start[1] + rng.uniform(30, 60)),
                ),
                10,
                -0.25,
            )
        for _ in range(2):
            y = low + rng.uniform(-10, 46)
            part.fold(
                spline(
                    (side * 12, y),
                    (side * 40, y + rng.uniform(-4, 8)),
                    (side * (block.waist - 10), y + rng.uniform(-18, 14)),
                ),
                11,
                -0.18,
            )
        x = side * rng.uniform(50, 84)
        part.fold(
            spline((x, low + 40), (x * 1.03, block.bottom - 40), (x * 1.1, block.bottom)), 26, rng.uniform(-0.2, 0.22)
        )
        parts.append(part)
    return parts


def lapels(sheet: Sheet, block: Block, fabric: Fabric, front: Front) -> None:
    """Collar and lapels with their notch."""
    x, y, low = block.neck, block.top, block.top + block.neck_depth
    gorge = y + block.neck_depth * (0.3 if not front.peak else 0.28)
    unit = block.shoulder / 120
    for side in (-1.0, 1.0):
        roll = side * -front.overlap * 0.9
        edge = side * (x + front.lapel + 8 * unit)
        lift = -14 * unit if front.peak else 5 * unit
        lapel = Curve(side * (x - 3), y + 12).line((side * (x + 16 * unit), gorge)).line((edge, gorge + lift))
        lapel.bend(
            (edge - side * 4 * unit, gorge + block.neck_depth * 0.3),
            (roll + side * front.lapel * 0.55, low - block.neck_depth * 0.2),
            (roll, low + 3),
        )
        lapel.bend((side * x * 0.14, low - 44), (side * x * 0.62, y + 54), (side * (x - 3), y + 12))
        part = sheet.part(lapel.closed, fabric, turn=side * 16, roll=5, lift=0.55, at=(edge, gorge))
        if front.peak is False or unit > 0.8:
            part.seam(
                f"M{edge - side * 22 * unit:.1f} {gorge + lift + 15 * unit:.1f}L{edge - side * 8 * unit:.1f} "
                f"{gorge + lift + 9 * unit:.1f}",
                1.4,
                0.5,
            )
    for side in (-1.0, 1.0):
        leaf = Curve(0, y - 15 * unit).bend(
            (side * x * 0.6, y - 15 * unit), (side * (x - 4), y - 14 * unit), (side * (x + 4 * unit), y - 4)
        )
        leaf.bend(
            (side * (x + 22 * unit), y + 14),
            (side * (x + 28 * unit), y + 30 * unit),
            (side * (x + 30 * unit), gorge - 9 * unit),
        )
        leaf.line((side * (x + 14 * unit), gorge + 1)).bend(
            (side * (x + 4), y + 24 * unit), (side * (x - 2), y + 16), (side * (x - 7), y + 5)
        ).bend((side * x * 0.6, y + 5), (side * x * 0.3, y + 6), (0, y + 7))
        sheet.part(leaf.closed, fabric, turn=side * 40, roll=5, lift=0.45)


def jacket_buttons(sheet: Sheet, block: Block, front: Front, color: str) -> None:
    low = block.top + block.neck_depth
    unit = block.shoulder / 120
    for row in range(front.count):
        y = low + 8 + row * front.spacing * unit
        if front.rows == 1:
            sheet.button(0, y, 6.5 * unit, color)
            continue
        for side in (-1, 1):
            sheet.button(side * (front.overlap - 6) + (0 if row else side * 2), y, 6.5 * unit, color)


def flap_pockets(parts: list[Part], block: Block, *, patch: bool = False, welt: bool = True) -> None:
    """Pockets at the hip, flapped or patched, and a welt at the chest."""
    unit = block.shoulder / 120
    y = block.top + block.neck_depth + (block.bottom - block.top - block.neck_depth) * 0.36
    for part, side in zip(parts, (-1.0, 1.0), strict=True):
        left, right = side * 34 * unit, side * 92 * unit
        deep = 84 * unit if patch else 19 * unit
        d = polygon((left, y), (right, y - 5 * unit), (right + side * 2, y + deep - 5 * unit), (left + side, y + deep))
        part.seam(d, 1.8).fold(f"M{left} {y + deep}L{right} {y + deep - 5 * unit}", 6, -0.35)
        part.dim(f"M{left} {y + deep + 1}L{right} {y + deep - 4 * unit}", 5, 0.25)
    if welt:
        x, top = 44 * unit, block.underarm[1] - 14 * unit
        parts[1].seam(polygon((x, top + 3), (x + 40 * unit, top - 4), (x + 41 * unit, top + 6), (x + 1, top + 13)), 1.5)


def sleeve_buttons(sheet: Sheet, block: Block, color: str) -> None:
    sleeve = cut_sleeve(block)
    unit = block.shoulder / 120
    for side in (-1.0, 1.0):
        for row in range(3):
            x = sleeve.inner[0] + (sleeve.outer[0] - sleeve.inner[0]) * 0.16
            sheet.button(side * (x - row * 2.2), sleeve.inner[1] - (13 + row * 11) * unit, 3.6 * unit, color)
