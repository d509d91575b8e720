"""Slacks, jeans, joggers and shorts."""

from __future__ import annotations

import numpy as np

from mapsi.sample.cloth.curve import Curve, polygon, spline
from mapsi.sample.cloth.fabrics import Fabric
from mapsi.sample.cloth.palette import darker, lighter
from mapsi.sample.cloth.sheet import Part, Sheet
from mapsi.sample.garments.legs import CUTS, Leg, fly, lay_legs, slant_pockets, turn_ups, waistband


def lay_trousers(
    sheet: Sheet,
    fabric: Fabric,
    rng: np.random.Generator,
    *,
    leg: Leg = CUTS["straight"],
    pleats: bool = False,
    turn_up: bool = False,
    crease: bool = True,
    button: str = "#4b4038",
) -> list[Part]:
    """Slacks: a pressed crease, slanted pockets, a hooked band."""
    parts = lay_legs(sheet, leg, fabric, rng, crease=crease)
    slant_pockets(parts, leg)
    fly(parts[1], leg)
    if pleats:
        for part, side in zip(parts, (-1.0, 1.0), strict=True):
            for x in (0.42, 0.62):
                way = spline(
                    (side * leg.waist * x, leg.top + 18),
                    (side * leg.waist * (x + 0.04), leg.top + 62),
                    (side * leg.waist * (x + 0.03), leg.top + 110),
                )
                part.fold(way, 9, -0.6).seam(
                    spline((side * leg.waist * x, leg.top + 18), (side * leg.waist * (x + 0.03), leg.top + 48)), 1.8
                )
    if turn_up:
        turn_ups(sheet, leg, fabric, 22)
    waistband(sheet, leg, fabric, button=button)
    return parts


def lay_jeans(
    sheet: Sheet,
    fabric: Fabric,
    rng: np.random.Generator,
    *,
    leg: Leg = CUTS["straight"],
    ripped: bool = False,
    thread: str = "#c98f4a",
    wash: float = 0.3,
) -> list[Part]:
    """Five-pocket jeans with a wash; ``ripped`` tears the knees open."""
    parts = lay_legs(sheet, leg, fabric, rng)
    middle = leg.gap + leg.hem
    for part, side in zip(parts, (-1.0, 1.0), strict=True):
        if leg.knee:
            part.glow(
                spline((side * leg.hip * 0.52, leg.crotch - 30), (side * middle, (leg.crotch + leg.bottom) / 2)),
                leg.hem * 1.1,
                lighter(fabric.color, 0.55),
                wash,
            )
            part.glow(
                spline((side * middle, leg.bottom - 150), (side * middle, leg.bottom)),
                leg.hem * 0.7,
                lighter(fabric.color, 0.4),
                wash * 0.5,
            )
        part.stitch(f"M{side * (leg.gap + 1)} {leg.bottom - 9}H{side * (leg.gap + leg.hem * 2)}", thread, 1.1)
        if ripped:
            _rips(part, side * middle, leg, rng)
    slant_pockets(parts, leg, color=thread, jean=True)
    fly(parts[1], leg, color=thread)
    waistband(sheet, leg, fabric, button="#b08a56")
    return parts


def _rips(part: Part, x: float, leg: Leg, rng: np.random.Generator) -> None:
    knee = leg.crotch + (leg.bottom - leg.crotch) * 0.42
    for y in (knee - 6, knee + 30, knee + 120):
        wide = rng.uniform(15, 24)
        tear = Curve(x - wide, y).smooth(
            (x, y - rng.uniform(5, 8)), (x + wide, y + 2), (x, y + rng.uniform(7, 11)), (x - wide, y)
        )
        part.paint(tear.closed, mixed_skin(part.fabric.color)).dim(tear.d(), 4, 0.5)
        for step in np.linspace(-wide * 0.8, wide * 0.8, 9):
            part.trace(f"M{x + step:.1f} {y - 7}l{rng.uniform(-2, 2):.1f} 16", "#e9e6df", 0.8, 0.8)


def mixed_skin(color: str) -> str:
    """What shows through a tear: the cloth's inside, pale and shaded."""
    return lighter(color, 0.5)


def lay_joggers(
    sheet: Sheet,
    fabric: Fabric,
    rng: np.random.Generator,
    *,
    leg: Leg = CUTS["jogger"],
    side_stripes: tuple[str, ...] = (),
    cargo: bool = False,
    straps: bool = False,
    cuffed: bool = True,
    cord: str = "#f1eee8",
) -> list[Part]:
    """Drawcord trousers, with side stripes, cargo pockets or straps."""
    parts = lay_legs(sheet, leg, fabric, rng)
    for part, side in zip(parts, (-1.0, 1.0), strict=True):
        _side_stripes(part, leg, side, side_stripes)
        part.seam(spline((side * leg.waist * 0.8, leg.top + 22), (side * (leg.hip - 3), leg.top + 84)), 2.4)
    parts[1].seam(f"M0 {leg.top + 20}V{leg.crotch}", 2)
    if cuffed:
        turn_ups(sheet, leg, fabric, 30, weave="rib", inset=2)
    if cargo:
        _cargo_pockets(sheet, leg, fabric, straps)
    waistband(sheet, leg, fabric, elastic=True, loops=False, cord=cord, height=25)
    return parts


def _side_stripes(part: Part, leg: Leg, side: float, stripes: tuple[str, ...]) -> None:
    knee_y = leg.crotch + (leg.bottom - leg.crotch) * 0.45
    mid = (leg.gap + leg.hem) * 0.55 + leg.hip * 0.5 * 0.45
    for index, color in enumerate(stripes):
        inset = 7 + index * 8
        way = Curve(side * (leg.waist - inset + 3), leg.top).smooth(
            (side * (leg.hip - inset), leg.top + leg.rise * 0.7),
            (side * (mid + leg.knee - inset), knee_y),
            (side * (leg.gap + leg.hem * 2 - inset), leg.bottom),
        )
        part.trace(way.d(), color, 5).seam(way.d(), 0.6, 0.2)


def _cargo_pockets(sheet: Sheet, leg: Leg, fabric: Fabric, straps: bool) -> None:
    for side in (-1.0, 1.0):
        y = leg.crotch + 34
        x = leg.hip * 0.97 - 14
        pocket = polygon(
            (side * (x - 36), y), (side * (x + 17), y + 4), (side * (x + 12), y + 82), (side * (x - 38), y + 80)
        )
        sheet.part(pocket, fabric, roll=6, lift=0.5).stitch(pocket)
        flap = polygon(
            (side * (x - 39), y - 8), (side * (x + 19), y - 4), (side * (x + 18), y + 22), (side * (x - 39), y + 19)
        )
        sheet.part(flap, fabric, roll=4, lift=0.5).stitch(flap)
        if straps:
            strap = polygon(
                (side * (x - 20), y + 12),
                (side * (x - 13), y + 12),
                (side * (x - 14), y + 112),
                (side * (x - 21), y + 112),
            )
            sheet.part(strap, fabric.plain(darker(fabric.color, 0.4), "canvas"), roll=2, lift=0.5)
            sheet.part(
                polygon(
                    (side * (x - 25), y + 40),
                    (side * (x - 8), y + 40),
                    (side * (x - 8), y + 54),
                    (side * (x - 25), y + 54),
                ),
                Fabric("#1a1a1d", "plain"),
                roll=4,
                lift=0.4,
            )


def lay_shorts(
    sheet: Sheet,
    fabric: Fabric,
    rng: np.random.Generator,
    *,
    leg: Leg = CUTS["shorts"],
    kind: str = "chino",
    stripe: tuple[str, ...] = (),
) -> list[Part]:
    """Shorts: ``chino``, ``jean``, ``sport`` (drawcord) or ``pleated``."""
    parts = lay_legs(sheet, leg, fabric, rng)
    thread = "#c98f4a" if kind == "jean" else ""
    for part, side in zip(parts, (-1.0, 1.0), strict=True):
        edge = spline(
            (side * leg.gap, leg.bottom - 6),
            (side * (leg.gap + leg.hem), leg.bottom - 6),
            (side * (leg.gap + leg.hem * 2), leg.bottom - 18),
        )
        part.stitch(edge, thread).fold(edge, 4, -0.3)
        for index, color in enumerate(stripe):
            inset = 8 + index * 9
            part.trace(
                Curve(side * (leg.waist - inset), leg.top)
                .bend(
                    (side * (leg.waist - inset + 12), leg.top + 50),
                    (side * (leg.hip - inset), leg.crotch - 60),
                    (side * (leg.gap + leg.hem * 2 - inset), leg.bottom),
                )
                .d(),
                color,
                5,
            )
        if kind == "jean":
            part.glow(
                spline((side * leg.hip * 0.5, leg.top + 70), (side * leg.hip * 0.62, leg.bottom - 20)),
                60,
                lighter(fabric.color, 0.5),
                0.35,
            )
        if kind == "pleated":
            part.fold(spline((side * leg.waist * 0.5, leg.top + 18), (side * leg.waist * 0.6, leg.bottom)), 10, -0.6)
    if kind == "sport":
        parts[1].seam(f"M0 {leg.top + 20}V{leg.crotch}", 2)
        waistband(sheet, leg, fabric, elastic=True, loops=False, cord="#f1eee8", height=26)
        return parts
    slant_pockets(parts, leg, color=thread, jean=kind == "jean")
    fly(parts[1], leg, color=thread)
    waistband(sheet, leg, fabric, button="#b08a56" if kind == "jean" else "#5a4a3c", height=24)
    return parts
