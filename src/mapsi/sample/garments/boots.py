"""Boots, from the side."""

from __future__ import annotations

import numpy as np

from mapsi.sample.cloth.curve import Curve, circle
from mapsi.sample.cloth.fabrics import Fabric
from mapsi.sample.cloth.palette import contrast, darker
from mapsi.sample.cloth.sheet import Sheet
from mapsi.sample.garments.lasts import Place, bends, lay_sole, straight, way_through


def lay_boot(sheet: Sheet, at: Place, fabric: Fabric, second: Fabric, rng: np.random.Generator) -> None:
    sole = lay_sole(sheet, at, "#26241f", 26, 6)
    for x in range(14, 290, 20):
        sole.seam(straight(at, (x, 188), (x, 204)), 3)
    shaft = _shaft(at)
    part = sheet.part(shaft.closed, fabric, roll=18, lift=0.35)
    for way in (
        way_through(at, (40, 112), (66, 124), (104, 118)),
        way_through(at, (36, 90), (62, 98), (98, 92)),
        way_through(at, (186, 132), (196, 150), (200, 170)),
    ):
        part.fold(way.d(), 12, -0.4)
    part.seam(way_through(at, (222, 126), (208, 150), (214, 180)).d(), 2.2).seam(
        way_through(at, (22, 110), (60, 130), (70, 178)).d(), 2
    )
    collar = bends(
        at,
        (14, -48),
        ((50, -40), (90, -42), (112, -50)),
        ((113, -40), (113, -34), (114, -28)),
        ((84, -22), (44, -22), (16, -28)),
        ((15, -34), (14, -42), (14, -48)),
    )
    sheet.part(collar.closed, fabric.plain(darker(fabric.color, 0.12)), roll=6, lift=0.3)
    for step in range(8):
        x, y = 97 + max(step - 5, 0) * 17, -18 + step * 17
        sheet.part(
            Curve(*at(x - 6, y + 12)).line(at(x + 13, y - 4), at(x + 16, y + 1), at(x - 2, y + 17)).closed,
            Fabric(contrast(fabric.color, 0.35), "cotton"),
            roll=2,
            lift=0.4,
        )
        part.paint(circle(*at(x - 9, y + 15), 3), "#c9a45f")


def _shaft(at: Place) -> Curve:
    return bends(
        at,
        (14, -46),
        ((50, -38), (90, -40), (112, -48)),
        ((114, 20), (116, 66), (136, 96)),
        ((160, 112), (204, 108), (240, 120)),
        ((284, 124), (308, 148), (299, 178)),
        ((200, 184), (80, 184), (8, 176)),
        ((14, 120), (18, 30), (14, -46)),
    )


def lay_chelsea(sheet: Sheet, at: Place, fabric: Fabric, second: Fabric, rng: np.random.Generator) -> None:
    lay_sole(sheet, at, darker(fabric.color, 0.55), 14)
    sheet.part(
        Curve(*at(6, 178)).line(at(78, 182), at(72, 208), at(10, 208)).closed,
        Fabric(darker(fabric.color, 0.6), "plain"),
        roll=4,
    )
    part = sheet.part(_shaft(at).closed, fabric, roll=18, lift=0.35)
    gore = bends(
        at,
        (44, -42),
        ((56, -40), (70, -40), (84, -44)),
        ((84, 10), (82, 60), (68, 98)),
        ((52, 70), (46, 10), (44, -42)),
    )
    sheet.part(gore.closed, Fabric(darker(fabric.color, 0.45), "rib"), roll=4, lift=0.1, turn=90)
    for way in (
        way_through(at, (126, 100), (150, 116), (156, 130)),
        way_through(at, (190, 122), (196, 144), (200, 168)),
    ):
        part.fold(way.d(), 12, -0.4)
    part.seam(way_through(at, (68, 100), (66, 140), (74, 178)).d(), 2)
