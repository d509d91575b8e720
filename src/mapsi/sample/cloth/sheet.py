"""A sheet on which a garment is laid out, part over part, in four layers of SVG.

``ink`` holds the colours, ``form`` the smooth height of the cloth (folds, rounded edges), ``shade`` the shadows that
parts cast on each other and ``relief`` the fine height (seams, ribs, stitches). Height is grey: white is up, black is
down. The light falls on the four layers in :mod:`mapsi.sample.cloth.lighting`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from mapsi.sample.cloth.curve import circle
from mapsi.sample.cloth.fabrics import PATTERNS, RELIEFS, Fabric, Tile
from mapsi.sample.cloth.palette import brightness, contrast, darker, lighter

FRAME = 'xmlns="http://www.w3.org/2000/svg" viewBox="-240 0 480 600"'
_STEPS = 5
_ROLL_STEPS = 13


@dataclass
class Part:
    """One piece of cloth: everything drawn on it is cut off at its outline."""

    name: str
    outline: str
    fabric: Fabric
    lift: float = 0.0
    ink: list[str] = field(default_factory=list)
    form: list[str] = field(default_factory=list)
    shade: list[str] = field(default_factory=list)
    relief: list[str] = field(default_factory=list)

    def fold(self, d: str, width: float, depth: float) -> Part:
        """A ridge (``depth`` > 0) or a valley (< 0) along ``d``; ``depth`` 1 is the whole height of the form layer."""
        self.form.append(_tapered(d, width * 1.35, "#fff" if depth > 0 else "#000", abs(depth)))
        return self

    def dim(self, d: str, width: float, opacity: float) -> Part:
        """A soft shadow along ``d``."""
        self.shade.append(_soft_stroke(d, width, "#000", opacity))
        return self

    def seam(self, d: str, width: float = 1.6, depth: float = 0.75) -> Part:
        """A sewn line: a narrow groove."""
        pen = f'fill="none" stroke-width="{width}" stroke-linecap="round"'
        self.relief.append(f'<path d="{d}" stroke="#000" stroke-opacity="{depth}" {pen}/>')
        self.shade.append(f'<path d="{d}" stroke="#000" stroke-opacity="{depth * 0.3:.2f}" {pen}/>')
        return self

    def stitch(self, d: str, color: str = "", width: float = 0.9) -> Part:
        """A row of stitches; the thread is a tone of the cloth unless ``color`` is given."""
        thread = color or contrast(self.fabric.color, 0.16)
        pen = f'fill="none" stroke-width="{width}" stroke-dasharray="3 1.7"'
        self.ink.append(f'<path d="{d}" stroke="{thread}" stroke-opacity=".85" {pen}/>')
        self.relief.append(f'<path d="{d}" stroke="#fff" stroke-opacity=".4" {pen}/>')
        return self

    def paint(self, d: str, color: str, opacity: float = 1.0) -> Part:
        """An area in a flat colour."""
        self.ink.append(f'<path d="{d}" fill="{color}" fill-opacity="{opacity:.2f}"/>')
        return self

    def trace(self, d: str, color: str, width: float, opacity: float = 1.0) -> Part:
        """A line in a flat colour."""
        pen = f'fill="none" stroke-width="{width}" stroke-linecap="round" stroke-linejoin="round"'
        self.ink.append(f'<path d="{d}" stroke="{color}" stroke-opacity="{opacity:.2f}" {pen}/>')
        return self

    def glow(self, d: str, width: float, color: str, opacity: float) -> Part:
        """A soft coloured stroke, for washes and fades."""
        self.ink.append(_soft_stroke(d, width, color, opacity))
        return self


class Sheet:
    """The layers of one picture, filled from the bottom part to the topmost."""

    def __init__(self) -> None:
        self._defs: list[str] = []
        self._patterns: dict[tuple[object, ...], str] = {}
        self._parts: list[Part] = []

    def part(
        self,
        outline: str,
        fabric: Fabric,
        *,
        turn: float = 0.0,
        roll: float = 10.0,
        lift: float = 0.3,
        at: tuple[float, float] = (0.0, 0.0),
        relief: bool = True,
    ) -> Part:
        """Lay a part on top. ``turn`` is the grain's direction in degrees, ``roll`` how far from the edge the cloth
        falls away, ``lift`` how strong a shadow it casts on the parts below (0..1), ``at`` where its pattern starts."""
        part = Part(f"p{len(self._parts)}", outline, fabric, lift)
        self._defs.append(f'<clipPath id="{part.name}"><path d="{outline}"/></clipPath>')
        part.ink.append(f'<path d="{outline}" fill="{fabric.color}"/>')
        if fabric.pattern:
            tile = PATTERNS[fabric.pattern](fabric)
            part.ink.append(self._filled(outline, tile, fabric.scale, turn, at))
        part.form += [
            f'<path d="{outline}" fill="#999"/>',
            _rolled(outline, roll * (3 if roll > 8 else 2), min(0.2 + roll * 0.045, 0.72)),
        ]
        part.shade += [f'<path d="{outline}" fill="#fff"/>', _soft_stroke(outline, min(roll, 7), "#000", 0.22)]
        part.relief.append(f'<path d="{outline}" fill="#808080"/>')
        if relief and fabric.feel.relief:
            raised, extra = RELIEFS[fabric.feel.relief]
            part.relief.append(self._filled(outline, raised, 1.0, turn + extra, at))
        self._parts.append(part)
        return part

    def button(self, x: float, y: float, r: float, color: str, *, metal: bool = False) -> None:
        """A round button with four holes, or a domed metal one."""
        disc = self.part(circle(x, y, r), Fabric(color, "plain"), roll=1.4 if not metal else r * 0.6, lift=0.4)
        rim = lighter(color, 0.25) if brightness(color) < 0.6 else darker(color, 0.15)
        disc.trace(circle(x, y, r * 0.72), rim, 0.6, 0.7)
        if metal:
            disc.glow(circle(x - r * 0.25, y - r * 0.3, r * 0.2), r * 0.7, "#ffffff", 0.5)
            return
        for dx, dy in ((-1, -1), (1, -1), (-1, 1), (1, 1)):
            disc.paint(circle(x + dx * r * 0.24, y + dy * r * 0.24, r * 0.12), darker(color, 0.6))

    def layer(self, name: str, ground: str) -> str:
        """One layer as an SVG document on ``ground`` (a colour, or nothing for a transparent one)."""
        back = f'<rect x="-240" y="0" width="480" height="600" fill="{ground}"/>' if ground else ""
        drawn = "".join(_one_layer(part, name) for part in self._parts)
        return f"<svg {FRAME}><defs>{''.join(self._defs)}</defs>{back}{drawn}</svg>"

    def _filled(self, outline: str, tile: Tile, scale: float, turn: float, at: tuple[float, float]) -> str:
        key = (tile, scale, turn, at)
        if key not in self._patterns:
            self._patterns[key] = name = f"t{len(self._patterns)}"
            width, height, body = tile
            move = f"translate({at[0]:.1f} {at[1]:.1f}) rotate({turn:.1f}) scale({scale:.3f})"
            self._defs.append(
                f'<pattern id="{name}" width="{width}" height="{height}" patternUnits="userSpaceOnUse" '
                f'patternTransform="{move}">{body}</pattern>'
            )
        return f'<path d="{outline}" fill="url(#{self._patterns[key]})"/>'


def _one_layer(part: Part, name: str) -> str:
    drawn: list[str] = getattr(part, name)
    below = _soft_outline(part.outline, 7, part.lift) if name == "shade" else ""
    return f'{below}<g clip-path="url(#{part.name})">{"".join(drawn)}</g>'


def _tapered(d: str, width: float, color: str, opacity: float) -> str:
    """A soft stroke that thins out to both ends, as a crease in cloth does."""
    way = _sampled(d)
    run = np.gradient(way, axis=0)
    across = np.stack([-run[:, 1], run[:, 0]], axis=1) / (np.hypot(run[:, 0], run[:, 1])[:, None] + 1e-9)
    swell = np.sin(np.linspace(0, np.pi, len(way)))[:, None] ** 0.8 * width / 2
    each = 1 - (1 - min(opacity, 0.97)) ** (1 / _STEPS)
    shapes = []
    for step in range(_STEPS):
        reach = across * swell * ((step + 1) / _STEPS)
        ring = np.concatenate([way + reach, (way - reach)[::-1]])
        shapes.append('<path d="M' + "L".join(f"{x:.1f} {y:.1f}" for x, y in ring) + 'Z"/>')
    return f'<g fill="{color}" fill-opacity="{each:.3f}">{"".join(shapes)}</g>'


def _sampled(d: str, each: int = 8) -> npt.NDArray[np.float64]:
    """Points along a path of lines and cubics as this package writes them (absolute M, L, C, H, V)."""
    here, points = np.zeros(2), []
    for kind, text in re.findall(r"([MLCHV])([^MLCHVZ]*)", d):
        numbers = [float(number) for number in re.findall(r"-?\d+\.?\d*", text)]
        if kind in "HV":
            there = np.array([numbers[0], here[1]] if kind == "H" else [here[0], numbers[0]])
        else:
            there = np.array(numbers[-2:])
        if kind != "M":
            share = np.linspace(0, 1, each)[:, None]
            a, b = (np.array(numbers[0:2]), np.array(numbers[2:4])) if kind == "C" else (here, there)
            points.append(
                (1 - share) ** 3 * here
                + 3 * (1 - share) ** 2 * share * a
                + 3 * (1 - share) * share**2 * b
                + share**3 * there
            )
        here = there
    return np.concatenate(points)


def _rolled(outline: str, width: float, opacity: float) -> str:
    """The fall of a part's edge: steep outside and levelling off inwards."""
    each = 1 - (1 - opacity) ** (1 / _ROLL_STEPS)
    strokes = "".join(
        f'<path d="{outline}" stroke-width="{width * ((step + 1) / _ROLL_STEPS) ** 1.6:.2f}"/>'
        for step in range(_ROLL_STEPS)
    )
    return f'<g stroke="#000" stroke-opacity="{each:.3f}" fill="none" stroke-linejoin="round">{strokes}</g>'


def _soft_stroke(d: str, width: float, color: str, opacity: float) -> str:
    """A stroke that fades to its sides: strokes of falling width over each other, far cheaper than a blur filter."""
    each = 1 - (1 - min(opacity, 0.97)) ** (1 / _STEPS)
    strokes = "".join(f'<path d="{d}" stroke-width="{width * (step + 1) / _STEPS:.2f}"/>' for step in range(_STEPS))
    pen = 'fill="none" stroke-linecap="round" stroke-linejoin="round"'
    return f'<g stroke="{color}" stroke-opacity="{each:.3f}" {pen}>{strokes}</g>'


def _soft_outline(outline: str, width: float, opacity: float) -> str:
    return (
        f'<g transform="translate(1.5 3.5)">{_soft_stroke(outline, width * 2, "#000", opacity)}</g>' if opacity else ""
    )
