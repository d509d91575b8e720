"""What is sought in the index of words, as plain values: no engine's queries. Each engine reads them in its own way.

``All((Has("fact", "kind:shoes"),), liked=(Worth(Has("title", "shoes"), 1),))`` are the products that are shoes; those
with the word in their title earn a point.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NamedTuple


class Every(NamedTuple):
    """All products."""


class Nothing(NamedTuple):
    """No product."""


class Has(NamedTuple):
    """Products with this value in a field."""

    field: str
    value: str


class HasAny(NamedTuple):
    """Products with any of these values in a field."""

    field: str
    values: tuple[int, ...] | tuple[str, ...]


class Begins(NamedTuple):
    """Products with a value that begins so in a field."""

    field: str
    text: str


class SideBySide(NamedTuple):
    """Products in which ``text`` stands inside a value of a field that keeps pairs of letters side by side."""

    field: str
    text: str


class Within(NamedTuple):
    """Products with a number of a field from ``low`` to ``high``, both included."""

    field: str
    low: int
    high: int


class Worth(NamedTuple):
    """The same products; each is worth so many points, whatever is inside."""

    sought: Sought
    points: float


class Any(NamedTuple):
    """Products that any of these finds; the points of all that find them are added up."""

    of: tuple[Sought, ...]


@dataclass(frozen=True, slots=True)
class All:
    """Products that each ``of`` these finds and none of those to do ``without``; what is ``liked`` adds its points."""

    of: tuple[Sought, ...] = ()
    liked: tuple[Sought, ...] = ()
    without: tuple[Sought, ...] = ()

    def __add__(self, other: All) -> All:
        """What both find."""
        return All((*self.of, *other.of), (*self.liked, *other.liked), (*self.without, *other.without))

    def narrowed(self, *more: Sought) -> All:
        """What these find as well."""
        return replace(self, of=(*self.of, *more))


Sought = Every | Nothing | Has | HasAny | Begins | SideBySide | Within | Worth | Any | All


def any_of(field: str, values: tuple[int, ...] | tuple[str, ...]) -> Sought:
    """Products with any of these values; none for no value."""
    return HasAny(field, values) if values else Nothing()
