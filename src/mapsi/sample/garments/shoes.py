"""Shoes as a pair: sneakers, loafers, boots, heels and sandals, from the side."""

from __future__ import annotations

import numpy as np

from mapsi.sample.cloth.curve import Curve, circle
from mapsi.sample.cloth.fabrics import Fabric
from mapsi.sample.cloth.palette import darker, lighter
from mapsi.sample.cloth.sheet import Sheet
from mapsi.sample.garments.boots import lay_boot, lay_chelsea
from mapsi.sample.garments.lasts import Maker, Place, bends, lay_sole, place, way_through


def lay_pair(
    sheet: Sheet, fabric: Fabric, rng: np.random.Generator, *, kind: str = "sneaker", second: Fabric | None = None
) -> None:
    """Two shoes, the farther one above and a little behind."""
    maker = SHOES[kind]
    tall = kind in ("boot", "chelsea", "canvas")
    size = 1.12 if tall else 1.24
    for at in (place(-24, 232 + 26 * tall, size), place(22, 386 + 26 * tall, size)):
        maker(sheet, at, fabric, second or fabric.plain(lighter(fabric.color, 0.4)), rng)


def _sneaker(sheet: Sheet, at: Place, fabric: Fabric, second: Fabric, rng: np.random.Generator) -> None:
    sole = lay_sole(sheet, at, "#efece5", 30)
    sole.seam(way_through(at, (6, 186), (150, 194), (292, 182)).d(), 1.6)
    inside = bends(at, (14, 62), ((40, 50), (90, 60), (124, 84)), ((100, 96), (50, 96), (14, 62)))
    sheet.part(inside.closed, fabric.plain(darker(fabric.color, 0.4)), roll=5, lift=0)
    upper = bends(
        at,
        (12, 60),
        ((34, 84), (88, 92), (118, 72)),
        ((150, 92), (190, 118), (236, 126)),
        ((280, 128), (304, 146), (298, 174)),
        ((200, 184), (80, 184), (8, 174)),
        ((2, 140), (4, 96), (12, 60)),
    )
    body = sheet.part(upper.closed, fabric, roll=18, lift=0.3)
    body.fold(way_through(at, (206, 126), (216, 146), (222, 168)).d(), 12, -0.3)
    toe = bends(
        at,
        (236, 126),
        ((280, 128), (304, 146), (298, 176)),
        ((270, 180), (240, 180), (216, 178)),
        ((222, 156), (224, 138), (236, 126)),
    )
    sheet.part(toe.closed, second if second.color != fabric.color else fabric, roll=9, lift=0.25).stitch(
        way_through(at, (234, 132), (224, 152), (221, 174)).d()
    )
    heel = bends(
        at,
        (12, 60),
        ((24, 72), (34, 78), (46, 82)),
        ((44, 116), (46, 150), (52, 180)),
        ((36, 180), (20, 178), (8, 174)),
        ((2, 140), (4, 96), (12, 60)),
    )
    sheet.part(heel.closed, second, roll=8, lift=0.25).stitch(way_through(at, (42, 84), (41, 130), (47, 176)).d())
    eyelets = bends(
        at,
        (112, 76),
        ((146, 94), (180, 112), (216, 122)),
        ((214, 134), (204, 142), (196, 146)),
        ((160, 136), (126, 116), (100, 96)),
        ((104, 88), (108, 80), (112, 76)),
    )
    stay = sheet.part(eyelets.closed, second, roll=6, lift=0.3)
    stay.stitch(way_through(at, (106, 92), (150, 124), (196, 140)).d())
    side = bends(
        at,
        (92, 172),
        ((110, 150), (130, 130), (150, 128)),
        ((160, 128), (166, 132), (170, 136)),
        ((150, 148), (130, 160), (118, 178)),
    )
    sheet.part(side.closed, second, roll=4, lift=0.2)
    for step in range(5):
        x, y = 122 + step * 18, 84 + step * 9.4
        lace = Curve(*at(x - 6, y + 14)).line(at(x + 12, y - 4)).line(at(x + 18, y)).line(at(x, y + 19))
        sheet.part(lace.closed, Fabric("#f4f2ec", "cotton"), roll=3, lift=0.45)
    tongue = bends(
        at,
        (98, 66),
        ((104, 48), (122, 46), (134, 58)),
        ((136, 72), (130, 80), (124, 82)),
        ((112, 78), (104, 72), (98, 66)),
    )
    sheet.part(tongue.closed, fabric, roll=7, lift=0.35)


def _canvas(sheet: Sheet, at: Place, fabric: Fabric, second: Fabric, rng: np.random.Generator) -> None:
    """A high canvas shoe with a rubber toe cap."""
    upper = bends(
        at,
        (16, 4),
        ((50, 8), (86, 4), (112, 0)),
        ((122, 50), (150, 92), (214, 116)),
        ((276, 124), (302, 146), (296, 176)),
        ((200, 182), (80, 182), (10, 174)),
        ((20, 120), (10, 60), (16, 4)),
    )
    part = sheet.part(upper.closed, fabric, roll=18, lift=0.3)
    part.stitch(way_through(at, (88, 6), (104, 66), (150, 112), (196, 132)).d(), "#f1eee6").stitch(
        way_through(at, (34, 6), (32, 90), (34, 176)).d(), "#f1eee6"
    )
    for way in (
        way_through(at, (40, 96), (70, 110), (110, 106)),
        way_through(at, (34, 70), (60, 80), (96, 76)),
        way_through(at, (180, 130), (186, 150), (200, 168)),
    ):
        part.fold(way.d(), 10, -0.35)
    cap = bends(
        at,
        (232, 120),
        ((276, 128), (300, 150), (296, 178)),
        ((270, 184), (236, 184), (214, 182)),
        ((214, 156), (220, 136), (232, 120)),
    )
    sheet.part(cap.closed, Fabric("#f1eee6", "plain"), roll=13, lift=0.35)
    sole = lay_sole(sheet, at, "#f1eee6", 26)
    sole.trace(way_through(at, (4, 178), (150, 186), (296, 174)).d(), second.color, 2.2)
    for step in range(7):
        x, y = 92 + step * 13 + step * step * 0.9, 12 + step * 17.4
        lace = Curve(*at(x - 4, y + 8)).line(at(x + 20, y - 6)).line(at(x + 24, y)).line(at(x, y + 15))
        sheet.part(lace.closed, Fabric("#f6f4ee", "cotton"), roll=3, lift=0.45)
        part.paint(circle(*at(x - 8, y + 13), 2.8), "#cfd1d3")


def _low_heel(sheet: Sheet, at: Place, fabric: Fabric) -> None:
    heel = Curve(*at(6, 178)).line(at(74, 182), at(70, 206), at(10, 206))
    sheet.part(heel.closed, Fabric(darker(fabric.color, 0.55), "plain"), roll=4)


def _loafer(sheet: Sheet, at: Place, fabric: Fabric, second: Fabric, rng: np.random.Generator) -> None:
    lay_sole(sheet, at, darker(fabric.color, 0.5), 13)
    _low_heel(sheet, at, fabric)
    inside = bends(at, (14, 92), ((50, 84), (110, 90), (150, 112)), ((110, 122), (50, 118), (14, 92)))
    sheet.part(inside.closed, Fabric("#b8966b", "plain"), roll=6, lift=0)
    upper = bends(
        at,
        (10, 90),
        ((40, 114), (90, 120), (132, 104)),
        ((158, 96), (176, 104), (190, 116)),
        ((246, 118), (306, 136), (298, 176)),
        ((200, 182), (80, 182), (8, 174)),
        ((2, 146), (4, 116), (10, 90)),
    )
    part = sheet.part(upper.closed, fabric, roll=18, lift=0.35)
    part.seam(way_through(at, (190, 118), (236, 134), (272, 156)).d(), 3).stitch(
        way_through(at, (190, 123), (234, 139), (268, 160)).d()
    )
    part.seam(way_through(at, (10, 96), (30, 130), (30, 174)).d(), 2)
    strap = bends(
        at,
        (118, 110),
        ((140, 96), (166, 98), (190, 114)),
        ((182, 136), (172, 156), (160, 178)),
        ((134, 178), (118, 176), (104, 174)),
        ((112, 150), (116, 130), (118, 110)),
    )
    band = sheet.part(strap.closed, fabric, roll=9, lift=0.4)
    band.stitch(way_through(at, (122, 114), (120, 140), (110, 172)).d()).stitch(
        way_through(at, (184, 118), (176, 142), (158, 174)).d()
    )
    sheet.part(
        bends(
            at,
            (134, 118),
            ((146, 112), (158, 112), (168, 120)),
            ((166, 126), (162, 130), (160, 132)),
            ((150, 126), (142, 126), (134, 130)),
            ((133, 126), (133, 122), (134, 118)),
        ).closed,
        Fabric(darker(fabric.color, 0.35), "plain"),
        roll=4,
        lift=0.3,
    )


def _oxford(sheet: Sheet, at: Place, fabric: Fabric, second: Fabric, rng: np.random.Generator) -> None:
    lay_sole(sheet, at, darker(fabric.color, 0.5), 12)
    _low_heel(sheet, at, fabric)
    upper = bends(
        at,
        (12, 72),
        ((40, 92), (84, 96), (112, 78)),
        ((150, 104), (180, 122), (220, 130)),
        ((280, 132), (306, 148), (298, 176)),
        ((200, 182), (80, 182), (8, 174)),
        ((0, 140), (4, 100), (12, 72)),
    )
    part = sheet.part(upper.closed, fabric, roll=18, lift=0.35)
    for way in (
        way_through(at, (226, 132), (214, 152), (218, 178)),
        way_through(at, (112, 84), (120, 130), (92, 176)),
        way_through(at, (14, 84), (34, 130), (34, 176)),
    ):
        part.seam(way.d(), 2).stitch(Curve(*way.start).then(way).d())
    stay = bends(
        at,
        (108, 82),
        ((136, 102), (164, 116), (192, 124)),
        ((190, 140), (180, 150), (172, 152)),
        ((144, 142), (116, 124), (96, 104)),
        ((100, 96), (104, 88), (108, 82)),
    )
    sheet.part(stay.closed, fabric, roll=7, lift=0.35)
    for step in range(4):
        x, y = 120 + step * 17, 92 + step * 8.4
        sheet.part(
            Curve(*at(x - 4, y + 14)).line(at(x + 10, y), at(x + 14, y + 4), at(x, y + 18)).closed,
            Fabric(darker(fabric.color, 0.5), "plain"),
            roll=2,
            lift=0.4,
        )


def _heel(sheet: Sheet, at: Place, fabric: Fabric, second: Fabric, rng: np.random.Generator) -> None:
    spike = bends(
        at,
        (6, 96),
        ((20, 120), (22, 160), (18, 200)),
        ((22, 201), (28, 201), (32, 200)),
        ((36, 160), (48, 130), (70, 118)),
    )
    sheet.part(spike.closed, fabric, roll=6)
    sole = bends(
        at,
        (30, 112),
        ((110, 130), (160, 186), (220, 196)),
        ((260, 199), (290, 196), (298, 188)),
        ((296, 180), (280, 176), (262, 174)),
        ((180, 170), (110, 110), (30, 100)),
    )
    sheet.part(sole.closed, Fabric(darker(fabric.color, 0.5), "plain"), roll=3)
    inside = bends(at, (10, 60), ((60, 90), (140, 130), (206, 146)), ((180, 166), (80, 120), (10, 60)))
    sheet.part(inside.closed, Fabric("#d8bf9e", "plain"), roll=5, lift=0)
    upper = bends(
        at,
        (8, 48),
        ((34, 96), (110, 150), (180, 160)),
        ((196, 156), (206, 150), (212, 144)),
        ((252, 150), (288, 168), (302, 188)),
        ((270, 194), (220, 194), (190, 184)),
        ((140, 168), (90, 124), (10, 112)),
        ((0, 90), (0, 64), (8, 48)),
    )
    part = sheet.part(upper.closed, fabric, roll=14, lift=0.35)
    part.fold(way_through(at, (220, 156), (250, 170), (276, 184)).d(), 16, 0.4)


def _slide(sheet: Sheet, at: Place, fabric: Fabric, second: Fabric, rng: np.random.Generator) -> None:
    """A slide: a footbed under one wide strap with two buckles."""
    lay_sole(sheet, at, "#6b5138", 26)
    bed = bends(
        at,
        (4, 156),
        ((40, 148), (90, 168), (150, 168)),
        ((210, 168), (262, 166), (296, 152)),
        ((299, 164), (298, 170), (292, 176)),
        ((200, 186), (80, 184), (6, 176)),
    )
    sheet.part(bed.closed, Fabric("#c8a77c", "wool"), roll=6)
    inside = bends(at, (140, 164), ((150, 120), (164, 96), (184, 92)), ((214, 96), (230, 128), (236, 160)))
    sheet.part(inside.closed, fabric.plain(darker(fabric.color, 0.45)), roll=6, lift=0)
    for left, high in ((118, 92), (186, 100)):
        strap = bends(
            at,
            (left, 182),
            ((left + 2, high + 46), (left + 14, high + 6), (left + 38, high - 4)),
            ((left + 54, high - 4), (left + 66, high + 2), (left + 74, high + 10)),
            ((left + 68, high + 40), (left + 70, high + 66), (left + 72, 182)),
        )
        part = sheet.part(strap.closed, fabric, roll=12, lift=0.45)
        part.stitch(way_through(at, (left + 7, 178), (left + 12, high + 40), (left + 38, high + 4)).d())
        buckle = bends(
            at,
            (left + 24, high + 38),
            ((left + 34, high + 34), (left + 46, high + 36), (left + 54, high + 40)),
            ((left + 54, high + 48), (left + 53, high + 56), (left + 52, high + 62)),
            ((left + 42, high + 60), (left + 34, high + 60), (left + 24, high + 60)),
        )
        sheet.part(buckle.closed, Fabric("#c9a45f", "plain"), roll=4, lift=0.4)
        part.stitch(way_through(at, (left + 62, high + 12), (left + 60, high + 60), (left + 62, 178)).d())


SHOES: dict[str, Maker] = {
    "sneaker": _sneaker,
    "canvas": _canvas,
    "loafer": _loafer,
    "oxford": _oxford,
    "boot": lay_boot,
    "chelsea": lay_chelsea,
    "heel": _heel,
    "slide": _slide,
}
