"""What all trousers are cut from: legs, waistband, fly, pockets and turn-ups."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mapsi.sample.cloth.curve import Curve, polygon, spline
from mapsi.sample.cloth.fabrics import Fabric
from mapsi.sample.cloth.palette import darker
from mapsi.sample.cloth.sheet import Part, Sheet


@dataclass(frozen=True, slots=True)
class Leg:
    """Half widths and heights of trousers in frame units. ``gap`` is half the distance between the legs at the hem."""

    top: float = 46
    waist: float = 74
    hip: float = 94
    rise: float = 132
    knee: float = 46
    hem: float = 37
    length: float = 500
    gap: float = 10

    @property
    def crotch(self) -> float:
        return self.top + self.rise

    @property
    def bottom(self) -> float:
        return self.top + self.length


CUTS = {
    "slim": Leg(hem=32, knee=41, hip=90, gap=12),
    "straight": Leg(),
    "tapered": Leg(hem=31, knee=48, hip=98, gap=16),
    "wide": Leg(hem=66, knee=62, hip=98, gap=5, rise=140),
    "flare": Leg(hem=58, knee=42, hip=90, gap=6),
    "jogger": Leg(hem=27, knee=50, hip=100, gap=20, length=486),
    "legging": Leg(waist=62, hip=76, knee=34, hem=21, gap=24, rise=122),
    "shorts": Leg(top=128, waist=98, hip=122, knee=0, hem=64, length=318, gap=9, rise=168),
}


def leg_outline(leg: Leg, side: float) -> str:
    """One leg with its half of the hips."""
    hem_in, hem_out = leg.gap, leg.gap + leg.hem * 2
    way = Curve(0, leg.top)
    way.line((side * leg.waist, leg.top - 2))
    hip_y = leg.top + leg.rise * 0.62
    if leg.knee:
        knee_y = leg.crotch + (leg.bottom - leg.crotch) * 0.45
        mid = (hem_in + hem_out) / 2 * 0.55 + leg.hip * 0.5 * 0.45
        way.bend((side * (leg.waist + 8), leg.top + 34), (side * leg.hip, hip_y - 20), (side * leg.hip, hip_y + 14))
        way.smooth((side * (mid + leg.knee), knee_y), (side * hem_out, leg.bottom))
        way.bend(
            (side * (hem_out * 0.7 + hem_in * 0.3), leg.bottom + 3),
            (side * (hem_out * 0.3 + hem_in * 0.7), leg.bottom + 3),
            (side * hem_in, leg.bottom),
        )
        way.smooth((side * max(mid - leg.knee, 3), knee_y), (side * 2, leg.crotch))
    else:
        way.bend((side * (leg.waist + 10), leg.top + 40), (side * leg.hip, hip_y), (side * hem_out, leg.bottom - 6))
        way.bend(
            (side * hem_out * 0.7, leg.bottom + 5),
            (side * hem_out * 0.35, leg.bottom + 7),
            (side * hem_in, leg.bottom + 6),
        )
        way.smooth((side * 2, leg.crotch))
    return way.line((side * -1.5, leg.crotch - 30)).line((side * -1.5, leg.top)).closed


def lay_legs(sheet: Sheet, leg: Leg, fabric: Fabric, rng: np.random.Generator, *, crease: bool = False) -> list[Part]:
    _inside_waist(sheet, leg, fabric)
    parts = []
    for side in (-1.0, 1.0):
        part = sheet.part(
            leg_outline(leg, side), fabric, roll=13, lift=0.35, at=(side * leg.waist * 0.5, leg.top), turn=-side * 2
        )
        _hang(part, leg, side, rng)
        if crease:
            middle = leg.gap + leg.hem
            way = spline(
                (side * leg.waist * 0.55, leg.top + 26),
                (side * (leg.hip * 0.52), leg.crotch + 40),
                (side * middle, leg.bottom),
            )
            part.fold(way, 7, 0.7).seam(way, 1.1, 0.3)
        parts.append(part)
    return parts


def _inside_waist(sheet: Sheet, leg: Leg, fabric: Fabric) -> None:
    inside = fabric.plain(darker(fabric.color, 0.35), "cotton")
    y, x = leg.top, leg.waist
    sheet.part(
        Curve(-x, y - 6).bend((-x * 0.4, y - 2), (x * 0.4, y - 2), (x, y - 6)).line((x, y + 10), (-x, y + 10)).closed,
        inside,
        roll=4,
        lift=0,
    )


def _hang(part: Part, leg: Leg, side: float, rng: np.random.Generator) -> None:
    cy, bottom = leg.crotch, leg.bottom
    for _ in range(4):
        reach, drop = rng.uniform(24, 62), rng.uniform(-26, 16)
        part.fold(
            spline((side * 3, cy - 2), (side * reach * 0.5, cy + drop * 0.3), (side * reach, cy + drop)),
            rng.uniform(8, 13),
            rng.uniform(-0.36, -0.18),
        )
    if not leg.knee:
        part.fold(spline((side * leg.hip * 0.5, leg.top + 40), (side * leg.hip * 0.62, bottom)), 34, 0.3)
        return
    middle = leg.gap + leg.hem
    part.fold(
        spline((side * leg.hip * 0.5, cy - 20), (side * middle, (cy + bottom) / 2), (side * middle, bottom)),
        leg.hem * 0.9,
        0.3,
    )
    part.dim(spline((side * 2, cy), (side * leg.gap, bottom)), 18, 0.2)
    knee_y = cy + (bottom - cy) * 0.45
    for _ in range(4):
        y, wide = knee_y + rng.uniform(-40, 50), rng.uniform(12, 26)
        start = side * rng.choice([middle - leg.knee * 0.7, middle + leg.knee * 0.7])
        part.fold(
            spline(
                (start, y),
                (start + (side * middle - start) * 0.5, y + rng.uniform(-8, 8)),
                (side * middle + rng.uniform(-wide, wide) * 0.4, y + rng.uniform(-10, 14)),
            ),
            rng.uniform(8, 13),
            rng.uniform(-0.28, -0.12),
        )
    for _ in range(3):
        y = bottom - rng.uniform(8, 52)
        part.fold(
            spline(
                (side * (middle - leg.hem), y),
                (side * middle, y + rng.uniform(2, 10)),
                (side * (middle + leg.hem), y - 4),
            ),
            rng.uniform(7, 11),
            rng.uniform(-0.28, -0.1),
        )


def waistband(
    sheet: Sheet,
    leg: Leg,
    fabric: Fabric,
    *,
    button: str = "",
    loops: bool = True,
    height: float = 21,
    elastic: bool = False,
    cord: str = "",
) -> Part:
    """The band at the waist: flat with loops and a button, or gathered with a drawcord."""
    x, y = leg.waist + (1 if not elastic else 0), leg.top
    slack = 3
    band = Curve(-x, y - 5).bend((-x * 0.4, y + slack), (x * 0.4, y + slack), (x, y - 5)).line((x + 3, y + height - 5))
    band.bend((x * 0.4, y + height + slack), (-x * 0.4, y + height + slack), (-x - 3, y + height - 5))
    part = sheet.part(band.closed, fabric if not elastic else fabric.plain(weave="rib"), roll=5, lift=0.35)
    if elastic:
        part.seam(spline((-x, y + height * 0.5 - 4), (0, y + height * 0.5 + 2), (x, y + height * 0.5 - 4)), 1.4)
    else:
        part.stitch(spline((-x, y - 2), (0, y + 4), (x, y - 2))).stitch(
            spline((-x, y + height - 8), (0, y + height - 1), (x, y + height - 8))
        )
    if loops:
        for at in (-x * 0.72, -x * 0.34, x * 0.34, x * 0.72):
            sheet.part(f"M{at - 3.2} {y - 6}h6.4v{height + 8}h-6.4z", fabric, roll=2.5, lift=0.4)
    if button:
        sheet.button(3, y + height / 2, 5, button, metal=True)
    if cord:
        for side, low in ((-1, 66), (1, 78)):
            tie = sheet.part(_cord(side, y + height * 0.55, low), Fabric(cord, "cotton"), roll=2, lift=0.45)
            tie.trace(f"M{side * 9} {y + low - 6}l{side * 1.4} 9", darker(cord, 0.3), 4)
    return part


def _cord(side: float, y: float, length: float) -> str:
    way = Curve(side * 4, y).bend((side * 7, y + length * 0.3), (side * 5, y + length * 0.6), (side * 8, y + length))
    return (
        way.line((side * 12, y + length - 1))
        .bend((side * 9, y + length * 0.6), (side * 11, y + length * 0.3), (side * 8, y))
        .closed
    )


def fly(part: Part, leg: Leg, *, color: str = "") -> None:
    """Centre seam and the curved stitching beside the zip."""
    y = leg.top + 20
    part.seam(f"M0 {y}V{leg.crotch}", 2.2)
    part.stitch(Curve(17, y).line((17, y + 52)).bend((17, y + 74), (10, y + 82), (1, y + 86)).d(), color)


def slant_pockets(parts: list[Part], leg: Leg, *, color: str = "", jean: bool = False) -> None:
    for part, side in zip(parts, (-1.0, 1.0), strict=True):
        y, x = leg.top + 20, leg.waist
        if jean:
            way = Curve(side * (x * 0.48), y).bend(
                (side * x * 0.52, y + 26), (side * x * 0.76, y + 36), (side * (x + 14), y + 34)
            )
        else:
            way = Curve(side * (x * 0.74), y).line((side * (leg.hip - 1), y + 62))
        part.seam(way.d(), 2.2).fold(way.d(), 6, -0.4).dim(way.d(), 8, 0.18)
        part.stitch(_below(way, side), color)


def _below(way: Curve, side: float) -> str:
    moved = Curve(way.start[0] - side * 4, way.start[1])
    moved.segments = [tuple((x - side * 4, y + 3) for x, y in segment) for segment in way.segments]  # type: ignore[misc]
    return moved.d()


def turn_ups(sheet: Sheet, leg: Leg, fabric: Fabric, height: float, *, weave: str = "", inset: float = -1.5) -> None:
    """A band at each hem: a turned-up cuff, or a ribbed one where ``weave`` says so."""
    for side in (-1.0, 1.0):
        a, b = leg.gap + inset, leg.gap + leg.hem * 2 - inset
        y = leg.bottom
        band = polygon((side * a, y - height + 4), (side * b, y - height + 4), (side * b, y + 6), (side * a, y + 6))
        sheet.part(band, fabric.plain(weave=weave) if weave else fabric, roll=5, lift=0.35)
