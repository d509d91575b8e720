"""The frame that shoes are drawn in, and the sole they stand on."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from mapsi.sample.cloth.curve import Curve, Point
from mapsi.sample.cloth.fabrics import Fabric
from mapsi.sample.cloth.sheet import Part, Sheet

Place = Callable[[float, float], Point]
"""Where a point of the shoe's own frame (toe to the right, 0..300 by 0..200, sole at the bottom) lies on the sheet."""


def place(dx: float, dy: float, size: float = 1.12) -> Place:
    return lambda x, y: (dx + (x - 150) * size, dy + (y - 100) * size)


def way_through(at: Place, *points: Point) -> Curve:
    placed = [at(*point) for point in points]
    return Curve(*placed[0]).smooth(*placed[1:])


def bends(at: Place, start: Point, *triples: tuple[Point, Point, Point]) -> Curve:
    way = Curve(*at(*start))
    for first, second, end in triples:
        way.bend(at(*first), at(*second), at(*end))
    return way


def straight(at: Place, *points: Point) -> str:
    return Curve(*at(*points[0])).line(*[at(*point) for point in points[1:]]).d()


Maker = Callable[[Sheet, Place, Fabric, Fabric, np.random.Generator], None]


def lay_sole(sheet: Sheet, at: Place, color: str, height: float = 26, heel: float = 0) -> Part:
    top = 172 - height * 0.2
    sole = bends(
        at,
        (4, top),
        ((60, top + 12), (200, top + 12), (292, top - 4)),
        ((300, top + 4), (300, top + height * 0.7), (286, top + height)),
        ((200, top + height + 3), (80, top + height + 3), (12, top + height + heel)),
        ((2, top + height), (0, top + 10), (4, top)),
    )
    return sheet.part(sole.closed, Fabric(color, "plain"), roll=7)
