"""Sets of things that are put together step by step (union-find: Galler and Fischer, 1964)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from _typeshed import SupportsRichComparison

T = TypeVar("T", bound="SupportsRichComparison")


class DisjointSets(Generic[T]):
    """The least of those that are together stands for them: after 4 with 3 and 3 with 1 it is 1 for all three."""

    def __init__(self) -> None:
        self._above: dict[T, T] = {}

    def join(self, one: T, other: T) -> None:
        """Put two things together, with all that each is together with."""
        first, last = sorted((self.first(one), self.first(other)))
        self._above[first] = self._above[last] = first

    def first(self, thing: T) -> T:
        """What stands for a thing; one that was not put together with anything stands for itself."""
        while (above := self._above.get(thing, thing)) != thing:
            self._above[thing] = self._above[above]
            thing = above
        return thing

    def firsts(self) -> dict[T, T]:
        """Each thing that was put together with another one, with what stands for it."""
        return {thing: self.first(thing) for thing in list(self._above)}
