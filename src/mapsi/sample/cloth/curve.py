"""Smooth outlines: cubic curves that are drawn through points, mirrored and joined into closed paths.

All garments are drawn in one frame: x from -240 to 240 with 0 on the garment's own centre line, y from 0 (top) to 600.
"""

from __future__ import annotations

import math
from typing import Self

Point = tuple[float, float]
_Cubic = tuple[Point, Point, Point]


class Curve:
    """A chain of cubic Bezier segments from a starting point."""

    def __init__(self, x: float, y: float) -> None:
        self.start: Point = (x, y)
        self.segments: list[_Cubic] = []

    @property
    def end(self) -> Point:
        return self.segments[-1][2] if self.segments else self.start

    def line(self, *points: Point) -> Self:
        """Straight on through ``points``."""
        for x, y in points:
            x0, y0 = self.end
            third = ((x - x0) / 3, (y - y0) / 3)
            self.segments.append(((x0 + third[0], y0 + third[1]), (x - third[0], y - third[1]), (x, y)))
        return self

    def bend(self, first: Point, second: Point, end: Point) -> Self:
        """One cubic segment with its two control points."""
        self.segments.append((first, second, end))
        return self

    def smooth(self, *points: Point) -> Self:
        """Continue through ``points`` by a Catmull-Rom spline, so that none of them is a corner."""
        way = [self.end, *points]
        for index in range(len(way) - 1):
            before, here = way[max(index - 1, 0)], way[index]
            there, after = way[index + 1], way[min(index + 2, len(way) - 1)]
            self.segments.append((_towards(here, before, there), _towards(there, after, here), there))
        return self

    def mirrored(self) -> Curve:
        other = Curve(-self.start[0], self.start[1])
        other.segments = [((-a[0], a[1]), (-b[0], b[1]), (-c[0], c[1])) for a, b, c in self.segments]
        return other

    def reversed(self) -> Curve:
        starts = [self.start, *(segment[2] for segment in self.segments)]
        other = Curve(*self.end)
        pairs = list(zip(starts, self.segments, strict=False))
        other.segments = [(b, a, start) for start, (a, b, _) in reversed(pairs)]
        return other

    def then(self, other: Curve) -> Self:
        """Append ``other``, with a straight line where it starts elsewhere."""
        if math.dist(self.end, other.start) > 1e-6:
            self.line(other.start)
        self.segments.extend(other.segments)
        return self

    def d(self, *, close: bool = False) -> str:
        """The ``d`` of an SVG path."""
        parts = [f"M{self.start[0]:.1f} {self.start[1]:.1f}"]
        parts += [f"C{a[0]:.1f} {a[1]:.1f} {b[0]:.1f} {b[1]:.1f} {c[0]:.1f} {c[1]:.1f}" for a, b, c in self.segments]
        return "".join(parts) + ("Z" if close else "")

    @property
    def closed(self) -> str:
        return self.d(close=True)


def _towards(here: Point, before: Point, there: Point) -> Point:
    return here[0] + (there[0] - before[0]) / 6, here[1] + (there[1] - before[1]) / 6


def symmetric(half: Curve) -> str:
    """A closed path of the right ``half`` (top centre to bottom centre) and its mirror image."""
    return _whole(half).closed


def _whole(half: Curve) -> Curve:
    whole = Curve(*half.start)
    whole.segments = list(half.segments)
    return whole.then(half.mirrored().reversed())


def line(*points: Point) -> str:
    """An open path of straight lines."""
    return Curve(*points[0]).line(*points[1:]).d()


def spline(*points: Point) -> str:
    """An open smooth path through points."""
    return Curve(*points[0]).smooth(*points[1:]).d()


def polygon(*points: Point) -> str:
    """A closed path with straight sides."""
    return Curve(*points[0]).line(*points[1:]).closed


def blob(*points: Point) -> str:
    """A closed smooth path through points."""
    way = [*points, points[0]]
    count = len(points)
    outline = Curve(*points[0])
    for index in range(count):
        before, here = points[index - 1], points[index]
        there, after = way[index + 1], points[(index + 2) % count]
        outline.bend(_towards(here, before, there), _towards(there, after, here), there)
    return outline.closed


def circle(x: float, y: float, r: float) -> str:
    k = 0.5523 * r
    ring = Curve(x + r, y).bend((x + r, y + k), (x + k, y + r), (x, y + r))
    ring.bend((x - k, y + r), (x - r, y + k), (x - r, y)).bend((x - r, y - k), (x - k, y - r), (x, y - r))
    return ring.bend((x + k, y - r), (x + r, y - k), (x + r, y)).closed
