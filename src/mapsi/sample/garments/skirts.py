"""Skirts and dresses."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from mapsi.sample.cloth.curve import Curve, polygon, spline
from mapsi.sample.cloth.fabrics import Fabric
from mapsi.sample.cloth.palette import darker
from mapsi.sample.cloth.sheet import Part, Sheet
from mapsi.sample.garments.shirts import NECKS, cuffs, placket, shirt_collar
from mapsi.sample.garments.tees import neck_band
from mapsi.sample.garments.tops import Block, armhole_seams, back_panel, lay_front, lay_sleeves


@dataclass(frozen=True, slots=True)
class Flare:
    """A skirt's half widths and heights in frame units. ``waves`` folds hang to the hem, ``ripple`` units deep."""

    top: float = 70
    waist: float = 72
    hip: float = 100
    hem: float = 150
    length: float = 440
    waves: int = 7
    ripple: float = 7

    @property
    def bottom(self) -> float:
        return self.top + self.length


SKIRTS = {
    "a-line": Flare(hem=152, length=330, top=120, waves=5, ripple=5, waist=84, hip=112),
    "midi": Flare(hem=142, length=460, waves=8, waist=72, hip=98),
    "pencil": Flare(hem=84, hip=104, length=400, top=92, waves=0, ripple=0, waist=78),
    "mini": Flare(hem=142, length=250, top=160, waves=0, ripple=0, waist=96, hip=124),
    "pleated": Flare(hem=168, length=270, top=150, waves=0, ripple=0, waist=92, hip=122),
    "flare-mini": Flare(hem=170, length=250, top=160, waves=7, ripple=8, waist=88, hip=116),
}


def skirt_outline(cut: Flare, top: float | None = None) -> str:
    y = cut.top if top is None else top
    right = Curve(0, y).line((cut.waist, y - 2))
    right.bend(
        (cut.waist + (cut.hip - cut.waist) * 0.55, y + cut.length * 0.07),
        (cut.hip, y + cut.length * 0.14),
        (cut.hip + (cut.hem - cut.hip) * 0.18, y + cut.length * 0.3),
    )
    right.bend(
        (cut.hip + (cut.hem - cut.hip) * 0.5, y + cut.length * 0.55),
        (cut.hem - 3, cut.bottom - 80),
        (cut.hem, cut.bottom - 12),
    )
    for x, dip in _hem_points(cut):
        before = right.end
        right.bend(
            (before[0] - (before[0] - x) * 0.35, before[1] + dip),
            (x + (before[0] - x) * 0.35, cut.bottom + dip * 0.6),
            (x, cut.bottom + _sag(cut, x)),
        )
    whole = Curve(*right.start)
    whole.segments = list(right.segments)
    return whole.then(right.mirrored().reversed()).closed


def _sag(cut: Flare, x: float) -> float:
    return 10 * (1 - (x / cut.hem) ** 2) - 6


def _hem_points(cut: Flare) -> list[tuple[float, float]]:
    if not cut.waves:
        return [(cut.hem * 0.5, 5), (0, 3)]
    xs = np.linspace(cut.hem, 0, cut.waves + 1)[1:]
    return [(float(x), cut.ripple if index % 2 else -cut.ripple * 0.4) for index, x in enumerate(xs)]


def lay_skirt(
    sheet: Sheet,
    fabric: Fabric,
    rng: np.random.Generator,
    *,
    cut: Flare = SKIRTS["a-line"],
    pleats: int = 0,
    buttons: str = "",
    denim: bool = False,
    slit: bool = False,
    elastic: bool = False,
) -> Part:
    """A skirt; ``pleats`` knife pleats, ``buttons`` a row down the front."""
    inside = fabric.plain(darker(fabric.color, 0.35), "cotton")
    sheet.part(
        polygon(
            (-cut.waist, cut.top - 6), (cut.waist, cut.top - 6), (cut.waist, cut.top + 8), (-cut.waist, cut.top + 8)
        ),
        inside,
        roll=3,
        lift=0,
    )
    part = sheet.part(skirt_outline(cut), fabric, roll=14, at=(0, cut.top))
    hang_folds(part, cut, rng)
    if pleats:
        knife_pleats(part, cut, pleats)
    else:
        _skirt_hem(part, cut)
    if slit:
        part.paint(
            polygon((30, cut.bottom - 120), (33, cut.bottom - 120), (46, cut.bottom + 20), (26, cut.bottom + 20)),
            darker(fabric.color, 0.55),
        )
    if denim:
        part.glow(spline((0, cut.top + 50), (0, cut.bottom - 30)), cut.hip, "#dfe8f2", 0.3)
        for side in (-1, 1):
            way = Curve(side * cut.waist * 0.5, cut.top + 20).bend(
                (side * cut.waist * 0.55, cut.top + 48),
                (side * cut.waist * 0.9, cut.top + 58),
                (side * (cut.hip - 2), cut.top + 54),
            )
            part.seam(way.d(), 2).stitch(way.d(), "#c98f4a", 1.1)
        part.stitch(f"M14 {cut.top + 20}V{cut.top + 92}L0 {cut.top + 104}", "#c98f4a", 1.1).seam(
            f"M0 {cut.top + 20}V{cut.bottom}", 2
        )
    _skirt_band(sheet, cut, fabric, elastic)
    if buttons:
        strip = sheet.part(f"M-10 {cut.top + 18}H10V{cut.bottom + 12}H-10Z", fabric, roll=3, lift=0.35, at=(0, cut.top))
        strip.stitch(f"M-7 {cut.top}V{cut.bottom + 10}M7 {cut.top}V{cut.bottom + 10}")
        for y in np.linspace(cut.top + 34, cut.bottom - 24, 6):
            sheet.button(0, float(y), 5.4, buttons)
    return part


def hang_folds(part: Part, cut: Flare, rng: np.random.Generator) -> None:
    """Folds from the waist that widen to the hem."""
    if not cut.waves:
        for side in (-1, 1):
            part.fold(spline((side * cut.waist * 0.55, cut.top + 30), (side * cut.hip * 0.6, cut.bottom)), 34, 0.2)
        return
    for index, share in enumerate(np.linspace(-0.92, 0.92, cut.waves * 2 + 1)):
        start = (share * cut.waist * 0.92 + rng.uniform(-3, 3), cut.top + rng.uniform(16, 70))
        end = (share * cut.hem + rng.uniform(-5, 5), cut.bottom + 30)
        middle = ((start[0] * 0.5 + end[0] * 0.5) * 0.94, (start[1] + end[1]) / 2)
        part.fold(
            spline(start, middle, end),
            rng.uniform(16, 26),
            rng.uniform(0.4, 0.6) if index % 2 else -rng.uniform(0.4, 0.6),
        )


def knife_pleats(part: Part, cut: Flare, count: int) -> None:
    """Pressed pleats: each a sharp edge with a shadow beside it."""
    for share in np.linspace(-1, 1, count + 2)[1:-1]:
        top, bottom = (share * cut.waist, cut.top + 14), (share * cut.hem * 1.0, cut.bottom + 14)
        middle = (share * (cut.hip + (cut.hem - cut.hip) * 0.32), cut.top + cut.length * 0.42)
        way = Curve(*top).smooth(middle, bottom).d()
        beside = Curve(top[0] + 4, top[1]).smooth((middle[0] + 6, middle[1]), (bottom[0] + 8, bottom[1])).d()
        part.seam(way, 1.4, 0.6)
        part.form.append(f'<path d="{beside}" stroke="#000" stroke-opacity=".3" stroke-width="10" fill="none"/>')
        part.dim(beside, 11, 0.34)


def _skirt_hem(part: Part, cut: Flare) -> None:
    y = cut.bottom - 10
    part.stitch(spline((-cut.hem, y - 10), (-cut.hem * 0.5, y), (0, y + 4), (cut.hem * 0.5, y), (cut.hem, y - 10)))


def _skirt_band(sheet: Sheet, cut: Flare, fabric: Fabric, elastic: bool) -> None:
    x, y = cut.waist + 1, cut.top
    band = Curve(-x, y - 5).bend((-x * 0.4, y + 2), (x * 0.4, y + 2), (x, y - 5)).line((x + 4, y + 18))
    band.bend((x * 0.4, y + 25), (-x * 0.4, y + 25), (-x - 4, y + 18))
    part = sheet.part(band.closed, fabric.plain(weave="rib") if elastic else fabric, roll=5, lift=0.3)
    if not elastic:
        part.stitch(spline((-x, y + 14), (0, y + 20), (x, y + 14)))


GOWN = Block(
    top=46,
    neck=42,
    neck_depth=44,
    shoulder=84,
    slope=20,
    chest=80,
    armhole=92,
    waist=66,
    hem=64,
    length=196,
    hem_dip=2,
    sleeve=210,
    spread=17,
    cuff=21,
)


def lay_dress(
    sheet: Sheet,
    fabric: Fabric,
    rng: np.random.Generator,
    *,
    block: Block = GOWN,
    hem: float = 142,
    length: float = 330,
    waves: int = 8,
    neck: str = "round",
    sleeve: str = "short",
    belt: str = "",
    buttons: str = "",
    tiers: int = 0,
    trim: Fabric | None = None,
) -> Part:
    """A dress: a bodice and a skirt. ``neck``: ``round``, ``v``, ``bow``, ``peter-pan``, ``shirt``, ``slip``;
    ``sleeve``: ``none``, ``short``, ``puff``, ``long``."""
    shape = _bodice(block, neck, sleeve)
    if neck == "slip":
        _straps(sheet, shape, fabric)
    else:
        back_panel(sheet, shape, fabric)
    if sleeve != "none":
        lay_sleeves(sheet, shape, fabric, rng)
    cut = Flare(
        top=shape.bottom - 4,
        waist=shape.hem + 1,
        hip=shape.hem + 32,
        hem=hem,
        length=length,
        waves=waves,
        ripple=6 if waves else 0,
    )
    skirt = sheet.part(skirt_outline(cut), fabric, roll=14, at=(0, cut.top))
    hang_folds(skirt, cut, rng)
    _skirt_hem(skirt, cut)
    for tier in range(1, tiers):
        _tier(skirt, cut, cut.top + cut.length * tier / tiers, rng)
    front = lay_front(sheet, shape, fabric, rng, lift=0.15) if neck != "slip" else _slip_front(sheet, shape, fabric)
    if neck != "slip":
        armhole_seams(front, shape)
    _dress_neck(sheet, shape, fabric, trim or fabric, neck, buttons, cut)
    if sleeve == "long":
        cuffs(sheet, shape, trim or fabric, height=20, button=buttons)
    elif sleeve == "puff":
        cuffs(sheet, replace(shape, cuff=shape.cuff - 7), trim or fabric, height=14)
    _belt(sheet, shape, fabric, belt)
    return skirt


def _bodice(block: Block, neck: str, sleeve: str) -> Block:
    if neck == "v":
        block = replace(block, v_neck=True, neck_depth=96.0)
    if sleeve == "none":
        return replace(block, shoulder=64.0, neck=38.0, slope=12.0, armhole=108.0, chest=76.0)
    if sleeve == "short":
        return replace(block, sleeve=48.0, spread=42.0, cuff=33.0)
    if sleeve == "puff":
        return replace(block, sleeve=66.0, spread=38.0, cuff=41.0)
    return block


def _dress_neck(sheet: Sheet, shape: Block, fabric: Fabric, trim: Fabric, neck: str, buttons: str, cut: Flare) -> None:
    if neck == "round":
        neck_band(sheet, shape, fabric, 6)
    elif neck in ("bow", "peter-pan"):
        NECKS[neck](sheet, shape, trim, buttons or "#f4f1e8")
    elif neck == "shirt":
        placket(sheet, shape, fabric, buttons or "#f4f1e8", count=9, width=17, bottom=cut.bottom + 8)
        shirt_collar(sheet, shape, trim, buttons, point=58, spread=34)
    if buttons and neck in ("v", "round"):
        placket(sheet, shape, fabric, buttons, count=8, width=15, bottom=cut.bottom + 8)


def _belt(sheet: Sheet, shape: Block, fabric: Fabric, color: str) -> None:
    x, y = shape.hem + 3, shape.bottom - 4
    cloth = fabric if not color else Fabric(color, "leather" if color != fabric.color else fabric.weave)
    height = 15 if color else 7
    band = (
        Curve(-x, y - height / 2 - 2)
        .bend((-x * 0.4, y - height / 2 + 3), (x * 0.4, y - height / 2 + 3), (x, y - height / 2 - 2))
        .line((x, y + height / 2 - 2))
    )
    band.bend((x * 0.4, y + height / 2 + 3), (-x * 0.4, y + height / 2 + 3), (-x, y + height / 2 - 2))
    sheet.part(band.closed, cloth, roll=4, lift=0.3)
    if color:
        sheet.part(f"M-11 {y - 9}h22v20h-22z", Fabric(darker(color, 0.25), "plain"), roll=5, lift=0.4).paint(
            f"M-7 {y - 5}h14v12h-14z", color
        )


def _tier(part: Part, cut: Flare, y: float, rng: np.random.Generator) -> None:
    wide = cut.hem
    way = spline((-wide, y - 8), (0, y + 5), (wide, y - 8))
    part.seam(way, 2.4).dim(way, 9, 0.25)
    for x in np.linspace(-wide, wide, 26):
        part.fold(f"M{x:.1f} {y - 2}L{x * 1.03 + rng.uniform(-2, 2):.1f} {y + rng.uniform(24, 46):.1f}", 6, -0.4)


def _straps(sheet: Sheet, shape: Block, fabric: Fabric) -> None:
    for side in (-1, 1):
        sheet.part(
            polygon((side * 36, 52), (side * 40, 52), (side * 48, 142), (side * 43, 142)),
            fabric.plain(),
            roll=2,
            lift=0.2,
        )
    inner = Curve(-48, 142).bend((-20, 132), (20, 132), (48, 142)).line((40, 190), (-40, 190))
    sheet.part(inner.closed, fabric.plain(darker(fabric.color, 0.3)), roll=4, lift=0)


def _slip_front(sheet: Sheet, shape: Block, fabric: Fabric) -> Part:
    half = Curve(0, 162).bend((18, 166), (32, 142), (46, 138)).bend((60, 144), (70, 158), (78, 168))
    half.smooth((shape.waist + 3, 206), (shape.hem, shape.bottom)).line((0, shape.bottom + 2))
    whole = Curve(*half.start)
    whole.segments = list(half.segments)
    part = sheet.part(whole.then(half.mirrored().reversed()).closed, fabric, roll=10, lift=0.1)
    for side in (-1, 1):
        part.fold(spline((side * 46, 150), (side * 40, 184), (side * 26, shape.bottom)), 16, 0.3)
    return part.stitch(Curve(0, 167).bend((18, 171), (32, 147), (46, 143)).d())
