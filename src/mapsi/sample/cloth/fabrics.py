"""Fabrics: a colour, a printed or woven pattern, and a weave that decides how the cloth takes the light."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from mapsi.sample.cloth.palette import mix


@dataclass(frozen=True, slots=True)
class Weave:
    """How a cloth takes the light. ``wrinkle`` and ``coarse`` scale folds and fine grain, ``gloss`` the highlight
    (0..1), ``relief`` names a raised texture that follows the cut (ribs, stitches)."""

    wrinkle: float = 1.0
    grain: float = 0.02
    slub: float = 0.0
    gloss: float = 0.0
    relief: str = ""


WEAVES = {
    "cotton": Weave(1.0, 0.018),
    "jersey": Weave(0.8, 0.02),
    "poplin": Weave(0.9, 0.012),
    "linen": Weave(1.5, 0.03, slub=0.05),
    "denim": Weave(0.9, 0.05, slub=0.02, relief="twill"),
    "leather": Weave(1.5, 0.03, gloss=0.55),
    "wool": Weave(0.55, 0.06),
    "suiting": Weave(0.6, 0.025),
    "satin": Weave(1.2, 0.008, gloss=0.4),
    "nylon": Weave(1.3, 0.012, gloss=0.25),
    "fleece": Weave(0.7, 0.045),
    "knit": Weave(0.5, 0.03, relief="knit"),
    "cable": Weave(0.4, 0.03, relief="cable"),
    "rib": Weave(0.4, 0.02, relief="rib"),
    "waffle": Weave(0.5, 0.02, relief="waffle"),
    "corduroy": Weave(0.6, 0.03, relief="cord"),
    "chiffon": Weave(1.1, 0.008, gloss=0.1),
    "tweed": Weave(0.5, 0.13),
    "canvas": Weave(0.5, 0.03, slub=0.03),
    "plain": Weave(0.3, 0.01),
}


@dataclass(frozen=True, slots=True)
class Fabric:
    """What a part is cut from. ``accents`` are the pattern's further colours, ``scale`` its size (1 = as designed)."""

    color: str
    weave: str = "cotton"
    pattern: str = ""
    accents: tuple[str, ...] = ()
    scale: float = 1.0

    @property
    def feel(self) -> Weave:
        return WEAVES[self.weave]

    def plain(self, color: str | None = None, weave: str | None = None) -> Fabric:
        """The same cloth without its pattern, for collars, ribs and bands."""
        return Fabric(color or self.color, weave or self.weave)

    def scaled(self, factor: float) -> Fabric:
        return replace(self, scale=self.scale * factor)

    def accent(self, index: int) -> str:
        """The colour number ``index`` of the pattern; made from the ground where the cloth names fewer."""
        if index < len(self.accents):
            return self.accents[index]
        return mix(self.color, "#ffffff" if index % 2 else "#1c1c22", 0.35 + 0.15 * index)


Tile = tuple[float, float, str]


def _rect(x: float, y: float, w: float, h: float, fill: str, opacity: float = 1) -> str:
    return (
        f'<rect x="{x:.2f}" y="{y:.2f}" width="{w:.2f}" height="{h:.2f}" fill="{fill}" fill-opacity="{opacity:.2f}"/>'
    )


def _gingham(f: Fabric) -> Tile:
    c = f.accent(0)
    return 16, 16, _rect(0, 0, 8, 16, c, 0.5) + _rect(0, 0, 16, 8, c, 0.5)


def _tartan(f: Fabric) -> Tile:
    a, b, c = f.accent(0), f.accent(1), f.accent(2)
    bars = [(0, 20, a, 0.55), (26, 3, b, 0.8), (34, 12, c, 0.5), (50, 2, b, 0.7)]
    body = "".join(_rect(x, 0, w, 56, k, o) + _rect(0, x, 56, w, k, o * 0.85) for x, w, k, o in bars)
    return 56, 56, body


def _buffalo(f: Fabric) -> Tile:
    c = f.accent(0)
    return 44, 44, _rect(0, 0, 22, 44, c, 0.6) + _rect(0, 0, 44, 22, c, 0.6)


def _windowpane(f: Fabric) -> Tile:
    c = f.accent(0)
    return 34, 38, _rect(0, 0, 1.4, 38, c, 0.75) + _rect(0, 0, 34, 1.4, c, 0.75)


def _tattersall(f: Fabric) -> Tile:
    a, b = f.accent(0), f.accent(1)
    body = _rect(0, 0, 1.6, 24, a, 0.8) + _rect(0, 0, 24, 1.6, a, 0.8)
    return 24, 24, body + _rect(12, 0, 1.6, 24, b, 0.8) + _rect(0, 12, 24, 1.6, b, 0.8)


def _glen(f: Fabric) -> Tile:
    c, d = f.accent(0), f.accent(1)
    fine = "".join(_rect(i * 2.5, 0, 1.1, 40, c, 0.32) + _rect(0, i * 2.5, 40, 1.1, c, 0.32) for i in range(8))
    return 40, 40, fine + _rect(30, 0, 0.9, 40, d, 0.7) + _rect(0, 30, 40, 0.9, d, 0.7)


def _houndstooth(f: Fabric) -> Tile:
    c = f.accent(0)
    d = "M0 0h6v3l3-3h3v3l-3 3h3v6h-6v-3l-3 3h-3v-3l3-3h-3z"
    return 12, 12, f'<path d="{d}" fill="{c}" fill-opacity=".85"/>'


def _stripes(f: Fabric) -> Tile:
    return 10, 20, _rect(0, 0, 2.6, 20, f.accent(0), 0.85)


def _wide_stripes(f: Fabric) -> Tile:
    return 26, 20, _rect(0, 0, 10, 20, f.accent(0), 0.9) + _rect(16, 0, 1.6, 20, f.accent(0), 0.7)


def _pinstripe(f: Fabric) -> Tile:
    return 14, 20, _rect(0, 0, 0.9, 20, f.accent(0), 0.55)


def _breton(f: Fabric) -> Tile:
    return 20, 19, _rect(0, 0, 20, 6.5, f.accent(0), 0.95)


def _block(f: Fabric) -> Tile:
    return 20, 108, _rect(0, 0, 20, 54, f.accent(0), 1)


def _dots(f: Fabric) -> Tile:
    c = f.accent(0)
    dots = [(6, 6), (18, 18)]
    return 24, 24, "".join(f'<circle cx="{x}" cy="{y}" r="2.9" fill="{c}"/>' for x, y in dots)


def _argyle(f: Fabric) -> Tile:
    a, b, c = f.accent(0), f.accent(1), f.accent(2)
    body = f'<path d="M24 0L48 40L24 80L0 40Z" fill="{a}" fill-opacity=".9"/>'
    body += f'<path d="M0 0L24 -40L48 0L24 40ZM0 80L24 40L48 80L24 120Z" fill="{b}" fill-opacity=".35"/>'
    dash = f'stroke="{c}" stroke-width="1.3" stroke-dasharray="3.2 2" fill="none"'
    return 48, 80, body + f'<path d="M0 0L48 80M48 0L0 80" {dash}/>'


def _petals(x: float, y: float, r: float, petal: str, heart: str) -> str:
    ring = "".join(
        f'<ellipse cx="{x}" cy="{y - r * 0.62}" rx="{r * 0.36}" ry="{r * 0.52}" fill="{petal}" '
        f'transform="rotate({k * 72 + x:.0f} {x} {y})"/>'
        for k in range(5)
    )
    return ring + f'<circle cx="{x}" cy="{y}" r="{r * 0.24}" fill="{heart}"/>'


def _leaf(x: float, y: float, turn: float, size: float, color: str) -> str:
    d = (
        f"M0 0C{size * 0.3} {-size * 0.45} {size * 0.8} {-size * 0.4} {size} 0C{size * 0.7} {size * 0.3} "
        f"{size * 0.3} {size * 0.3} 0 0Z"
    )
    return f'<path d="{d}" fill="{color}" transform="translate({x} {y}) rotate({turn})"/>'


def _floral(f: Fabric) -> Tile:
    a, b, leaf = f.accent(0), f.accent(1), f.accent(2)
    heart = mix(a, "#f2c14e", 0.7)
    body = _petals(15, 16, 11, a, heart) + _petals(46, 40, 9, b, heart) + _petals(20, 54, 7, a, heart)
    body += _petals(52, 10, 5, b, heart) + _petals(38, 62, 4.5, b, heart)
    body += _leaf(24, 23, 35, 13, leaf) + _leaf(36, 36, 200, 12, leaf) + _leaf(30, 52, -10, 9, leaf)
    return 66, 72, body + _leaf(5, 36, 60, 10, leaf) + _leaf(56, 56, -60, 9, leaf)


def _ditsy(f: Fabric) -> Tile:
    a, b, leaf = f.accent(0), f.accent(1), f.accent(2)
    heart = mix(a, "#fff3c9", 0.8)
    body = _petals(7, 7, 4.6, a, heart) + _petals(23, 14, 4, b, heart) + _petals(13, 25, 4.2, a, heart)
    return 32, 34, body + _leaf(12, 9, 30, 6, leaf) + _leaf(25, 20, 100, 6, leaf) + _leaf(4, 22, -40, 5, leaf)


def _camo(f: Fabric) -> Tile:
    a, b = f.accent(0), f.accent(1)
    body = f'<path d="M5 8C20 -4 34 12 50 6C60 20 44 28 30 24C18 34 0 24 5 8Z" fill="{a}"/>'
    body += f'<path d="M40 44C56 34 74 44 70 58C58 70 44 56 34 62C26 54 30 46 40 44Z" fill="{b}"/>'
    return (
        80,
        76,
        body
        + f'<path d="M4 46C14 40 22 50 18 60C8 66 0 56 4 46ZM58 16C70 10 78 22 70 30C60 32 54 24 58 16Z" fill="{a}"/>',
    )


def _brush(f: Fabric) -> Tile:
    a, b = f.accent(0), f.accent(1)
    pen = 'fill="none" stroke-linecap="round"'
    body = f'<path d="M8 14C16 6 26 20 34 10" stroke="{a}" stroke-width="4" {pen}/>'
    body += f'<path d="M44 34C50 26 58 40 66 32" stroke="{b}" stroke-width="3.4" {pen}/>'
    return 76, 62, body + f'<path d="M12 48C18 42 26 54 32 46" stroke="{b}" stroke-width="3" {pen}/>'


PATTERNS: dict[str, Callable[[Fabric], Tile]] = {
    "gingham": _gingham,
    "tartan": _tartan,
    "buffalo": _buffalo,
    "windowpane": _windowpane,
    "tattersall": _tattersall,
    "glen": _glen,
    "houndstooth": _houndstooth,
    "stripes": _stripes,
    "wide-stripes": _wide_stripes,
    "pinstripe": _pinstripe,
    "breton": _breton,
    "block": _block,
    "dots": _dots,
    "argyle": _argyle,
    "floral": _floral,
    "ditsy": _ditsy,
    "camo": _camo,
    "brush": _brush,
}


def _rib(step: float, depth: float) -> Tile:
    body = _rect(0, 0, step * 0.45, 8, "#000", depth) + _rect(step * 0.55, 0, step * 0.35, 8, "#fff", depth)
    return step, 8, body


def _knit_stitch() -> Tile:
    pen = 'fill="none" stroke-linecap="round" stroke-width="1.9"'
    body = _rect(0, 0, 6, 5, "#000", 0.22)
    return 6, 5, body + f'<path d="M.6 0L3 3.2L5.4 0M.6 5L3 8.2L5.4 5" stroke="#fff" stroke-opacity=".5" {pen}/>'


def _cable_stitch() -> Tile:
    pen = 'fill="none" stroke-linecap="round"'
    body = _rect(0, 0, 7, 40, "#000", 0.3) + _rect(37, 0, 3, 40, "#000", 0.25)
    rope = "M12 -4C12 12 32 8 32 24M32 -4C32 12 12 8 12 24M12 16C12 32 32 28 32 44M32 16C32 32 12 28 12 44"
    body += f'<path d="{rope}" stroke="#000" stroke-opacity=".35" stroke-width="9" {pen}/>'
    return 40, 40, body + f'<path d="{rope}" stroke="#fff" stroke-opacity=".55" stroke-width="5" {pen}/>'


def _twill() -> Tile:
    return 2.4, 8, _rect(0, 0, 1.1, 8, "#000", 0.25)


def _waffle() -> Tile:
    return 7, 7, _rect(0, 0, 7, 1.8, "#fff", 0.4) + _rect(0, 0, 1.8, 7, "#fff", 0.4) + _rect(3, 3, 3, 3, "#000", 0.3)


RELIEFS: dict[str, tuple[Tile, float]] = {
    "rib": (_rib(5, 0.38), 0),
    "cord": (_rib(6.5, 0.45), 0),
    "knit": (_knit_stitch(), 0),
    "cable": (_cable_stitch(), 0),
    "twill": (_twill(), 32),
    "waffle": (_waffle(), 0),
}
"""Raised textures as grey tiles (dark = low) and how many degrees they are turned against the cut."""
