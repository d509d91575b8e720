"""What an engine of words answers: one state of an index, whatever engine holds it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from mapsi.catalog.listings.engines.sought import Sought

Order = Literal["points", "newest", "price-up", "price-down"]
"""By points, among equals the newest; the newest; by each product's lowest price, among equals by offer."""


class Hit(NamedTuple):
    """A product found: the offer to show of one that stands ``alone``, and its ``place`` in the index."""

    offer: int
    alone: bool
    place: Any


class Found(NamedTuple):
    """Products in their order, and how many there are in all."""

    hits: list[Hit]
    total: int


class Prices(NamedTuple):
    """The ``least`` and the ``most`` price of what was found, as the catalogue orders them (``None`` of nothing), the
    prices below which so many hundredths of it lie, and whether any is ``uneven``, with a part of a whole unit."""

    least: int | None
    most: int | None
    shares: Sequence[float]
    uneven: bool


class View(Protocol):
    """One state of an index; any number of threads may ask. It shows the ``generation`` of the catalogue, -1 where
    nothing was written yet, and holds so many products, its ``size``."""

    @property
    def generation(self) -> int: ...

    @property
    def size(self) -> int: ...

    @property
    def scores_dearly(self) -> bool:
        """Whether giving points to many products takes so long that they are better asked for by their points."""

    def look(self, sought: Sought, size: int, *, offset: int = 0, order: Order = "points") -> Found:
        """``size`` products from ``offset`` on."""

    def count(self, sought: Sought) -> int:
        """How many products are found."""

    def variants(self, hit: Hit) -> list[int]:
        """The offers of a product that was found."""

    def values(self, sought: Sought, *fields: str) -> dict[str, dict[Any, int]]:
        """Of each field, how many of the products found have a value, by value."""

    def prices(self, sought: Sought, percents: Sequence[float]) -> Prices:
        """The prices of what is found, with those below which each of ``percents`` of them lie."""

    def holds(self, tokens: Collection[tuple[str, str]]) -> bool:
        """Whether any product has any of these values, each with the field that it stands in."""

    def frequencies(self, field: str, tokens: Collection[str]) -> Mapping[str, int]:
        """How many products have each of these in a field; those that none has may be left out."""

    def beginning_with(self, field: str, beginning: str, most: int) -> list[tuple[str, int]]:
        """At most ``most`` values of a field that begin so, the most frequent first, with about how many products
        have them."""

    def products_of(self, offers: Collection[int]) -> tuple[set[int], set[int]]:
        """The numbers of the products that have any of these offers, and all offers of theirs."""
