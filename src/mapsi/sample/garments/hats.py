"""Hats: cap, beanie, bucket hat, fedora, straw hat and beret."""

from __future__ import annotations

import numpy as np

from mapsi.sample.cloth.curve import Curve, blob, circle, spline, symmetric
from mapsi.sample.cloth.fabrics import Fabric
from mapsi.sample.cloth.palette import contrast, darker
from mapsi.sample.cloth.sheet import Sheet


def lay_cap(
    sheet: Sheet,
    fabric: Fabric,
    rng: np.random.Generator,
    *,
    brim: Fabric | None = None,
    badge: str = "",
    mark: str = "bar",
) -> None:
    """A baseball cap, seen from the front and a little from the side."""
    brim = brim or fabric
    crown = (
        Curve(-148, 366)
        .bend((-156, 250), (-104, 168), (2, 166))
        .bend((102, 166), (148, 236), (150, 352))
        .bend((80, 318), (-70, 322), (-148, 366))
    )
    part = sheet.part(crown.closed, fabric, roll=24)
    for way in (
        spline((2, 166), (-44, 230), (-62, 332)),
        spline((2, 166), (70, 220), (92, 330)),
        spline((2, 166), (-112, 230), (-136, 352)),
    ):
        part.seam(way, 2)
        part.stitch(way)
    part.fold(spline((-100, 250), (-84, 300), (-86, 340)), 26, 0.3).fold(
        spline((30, 200), (30, 260), (24, 320)), 50, 0.35
    )
    for x, y in ((-34, 232), (60, 226), (-104, 262)):
        part.paint(circle(x, y, 4), darker(fabric.color, 0.55)).trace(
            circle(x, y, 5.4), contrast(fabric.color, 0.2), 1.6
        )
    _badge(sheet, badge, mark)
    under = (
        Curve(-140, 352)
        .bend((-60, 318), (90, 314), (152, 346))
        .bend((186, 388), (176, 434), (120, 440))
        .bend((30, 446), (-60, 420), (-140, 352))
    )
    sheet.part(under.closed, brim.plain(darker(brim.color, 0.35)), roll=10, lift=0.2)
    visor = (
        Curve(-150, 360)
        .bend((-66, 312), (92, 306), (154, 344))
        .bend((182, 376), (172, 416), (112, 424))
        .bend((20, 432), (-80, 408), (-150, 360))
    )
    part = sheet.part(visor.closed, brim, roll=16, lift=0.55)
    for inset in (8, 18, 28, 38):
        row = (
            Curve(-132 + inset * 0.4, 362 + inset * 0.1)
            .bend((-60, 404 - inset), (30, 424 - inset), (106, 416 - inset))
            .bend((152, 410 - inset), (164, 386 - inset * 0.4), (150 - inset * 0.6, 358))
        )
        part.stitch(row.d())
    sheet.button(2, 167, 8, fabric.color, metal=True)


def _badge(sheet: Sheet, badge: str, mark: str) -> None:
    if not badge:
        return
    if mark == "bar":
        sheet.part("M-26 268H62V284H-26Z", Fabric(badge, "canvas"), roll=3, lift=0.25)
    elif mark == "letter":
        part = sheet.part(blob((-16, 244), (52, 242), (54, 306), (-14, 308)), Fabric(badge, "fleece"), roll=4, lift=0.3)
        part.trace("M0 296V256L19 282L38 256V296", darker(badge, 0.6), 6)
    else:
        sheet.part(circle(18, 272, 27), Fabric(badge, "canvas"), roll=4, lift=0.3).trace(
            "M2 280L14 262L22 274L28 266L36 280", darker(badge, 0.55), 3
        )


def lay_beanie(
    sheet: Sheet,
    fabric: Fabric,
    rng: np.random.Generator,
    *,
    pompom: bool = False,
    cuff: float = 84,
    label: str = "#a5764a",
) -> None:
    """A knitted cap with a turned-up rib."""
    if pompom:
        ball = sheet.part(circle(0, 132, 44), fabric.plain(weave="tweed"), roll=26)
        for angle in np.linspace(0, 2 * np.pi, 34):
            x, y = np.cos(angle), np.sin(angle)
            ball.fold(
                f"M{x * 12:.1f} {132 + y * 12:.1f}L{x * 46:.1f} {132 + y * 46:.1f}", 7, float(rng.choice((-0.5, 0.5)))
            )
    half = Curve(0, 152).bend((70, 150), (124, 204), (136, 320)).line((140, 420)).line((0, 440))
    part = sheet.part(symmetric(half), fabric.plain(weave="rib") if fabric.weave != "cable" else fabric, roll=26)
    for share in np.linspace(-0.85, 0.85, 9):
        part.fold(spline((share * 18, 156), (share * 92, 230), (share * 138, 380)), 15, -0.35)
    band = (
        Curve(-146, 404 - cuff * 0.3)
        .bend((-80, 424 - cuff * 0.3), (80, 424 - cuff * 0.3), (146, 404 - cuff * 0.3))
        .line((147, 404 + cuff * 0.7))
    )
    band.bend((80, 428 + cuff * 0.7), (-80, 428 + cuff * 0.7), (-147, 404 + cuff * 0.7))
    fold = sheet.part(band.closed, fabric.plain(weave="rib"), roll=16, lift=0.5)
    if label:
        fold.paint("M24 424h40v30h-40z", label).stitch("M24 424h40v30h-40z").trace("M32 439h24", darker(label, 0.5), 2)


def lay_bucket(sheet: Sheet, fabric: Fabric, rng: np.random.Generator, *, band: str = "") -> None:
    """A bucket hat with rows of stitching round its brim."""
    inner = Curve(-118, 352).bend((-70, 392), (70, 392), (118, 352)).line((100, 400), (-100, 400))
    brim = (
        Curve(-112, 320)
        .bend((-40, 346), (40, 346), (112, 320))
        .bend((146, 352), (176, 384), (192, 414))
        .bend((110, 474), (-110, 474), (-192, 414))
        .bend((-176, 384), (-146, 352), (-112, 320))
    )
    sheet.part(inner.closed, fabric.plain(darker(fabric.color, 0.4)), roll=6, lift=0)
    part = sheet.part(brim.closed, fabric, roll=14)
    for row in range(6):
        y = 340 + row * 17
        x = 122 + row * 13
        part.stitch(Curve(-x, y).bend((-x * 0.5, y + 44), (x * 0.5, y + 44), (x, y)).d())
    part.fold(spline((-60, 366), (-84, 410), (-100, 446)), 34, 0.3).fold(
        spline((70, 366), (88, 410), (96, 446)), 36, -0.25
    )
    crown = (
        Curve(-116, 338)
        .bend((-112, 270), (-100, 218), (-84, 190))
        .bend((-50, 168), (50, 168), (84, 190))
        .bend((100, 218), (112, 270), (116, 338))
        .bend((50, 366), (-50, 366), (-116, 338))
    )
    top = sheet.part(crown.closed, fabric, roll=20, lift=0.5)
    rim = Curve(-84, 192).bend((-50, 216), (50, 216), (84, 192)).d()
    top.seam(rim, 2.4).stitch(Curve(-87, 199).bend((-50, 223), (50, 223), (87, 199)).d())
    top.seam(spline((98, 206), (104, 262), (108, 340)), 1.8).fold(spline((-30, 230), (-36, 290), (-30, 340)), 40, 0.3)
    if band:
        top.paint(
            Curve(-115, 312)
            .bend((-50, 342), (50, 342), (115, 312))
            .line((117, 340))
            .bend((50, 368), (-50, 368), (-117, 340))
            .closed,
            band,
        )


def lay_brimmed(
    sheet: Sheet,
    fabric: Fabric,
    rng: np.random.Generator,
    *,
    band: str = "#26262a",
    straw: bool = False,
    wide: float = 206,
) -> None:
    """A fedora, or a straw hat."""
    under = blob(
        (-wide, 378),
        (-wide * 0.6, 340),
        (0, 330),
        (wide * 0.6, 340),
        (wide, 372),
        (wide * 0.7, 424),
        (0, 446),
        (-wide * 0.7, 428),
    )
    part = sheet.part(under, fabric, roll=12)
    part.dim(spline((-110, 366), (0, 398), (110, 366)), 44, 0.35)
    rings = 8 if straw else 1
    for ring in range(rings):
        inset = ring * 9
        part.stitch(
            Curve(-wide + 8 + inset, 382)
            .bend((-wide * 0.5, 446 - inset * 0.6), (wide * 0.5, 446 - inset * 0.6), (wide - 8 - inset, 378))
            .d()
        )
    crown = (
        Curve(-112, 366)
        .bend((-116, 300), (-106, 226), (-84, 190))
        .bend((-62, 162), (-30, 176), (0, 186))
        .bend((34, 174), (64, 160), (84, 190))
        .bend((106, 226), (116, 300), (112, 366))
        .bend((50, 396), (-50, 396), (-112, 366))
    )
    top = sheet.part(crown.closed, fabric, roll=22, lift=0.5)
    top.fold(spline((0, 188), (-4, 226), (-12, 262)), 40, -0.5).fold(
        spline((-58, 196), (-70, 236), (-62, 280)), 26, -0.4
    ).fold(spline((62, 192), (72, 236), (62, 280)), 26, -0.4)
    if straw:
        for row in range(9):
            y = 214 + row * 15
            top.seam(Curve(-116, y - 12).bend((-50, y + 18), (50, y + 18), (116, y - 12)).d(), 1.6, 0.35)
    ribbon = (
        Curve(-113, 322)
        .bend((-50, 354), (50, 354), (113, 322))
        .line((113, 366))
        .bend((50, 398), (-50, 398), (-113, 366))
    )
    strip = sheet.part(ribbon.closed, Fabric(band, "rib"), roll=5, lift=0.3, turn=90)
    strip.seam("M84 332V386", 2)


def lay_beret(sheet: Sheet, fabric: Fabric, rng: np.random.Generator) -> None:
    shape = blob(
        (-176, 330), (-150, 256), (-60, 206), (50, 208), (140, 262), (166, 322), (104, 376), (0, 396), (-110, 386)
    )
    part = sheet.part(shape, fabric, roll=30)
    for way in (
        spline((10, 214), (-70, 250), (-140, 330)),
        spline((30, 214), (80, 260), (120, 340)),
        spline((-60, 380), (-20, 350), (40, 352)),
    ):
        part.fold(way, 36, 0.3)
    band = (
        Curve(-118, 362)
        .bend((-60, 392), (50, 396), (104, 364))
        .line((100, 392))
        .bend((50, 420), (-60, 418), (-114, 388))
    )
    sheet.part(band.closed, fabric.plain(darker(fabric.color, 0.1), "leather"), roll=6, lift=0.4).stitch(
        spline((-112, 376), (0, 404), (100, 378))
    )
    stalk = sheet.part("M8 216C6 206 8 198 12 190L18 192C16 200 16 208 18 216Z", fabric, roll=3)
    stalk.fold("M12 214L14 192", 3, 0.3)
