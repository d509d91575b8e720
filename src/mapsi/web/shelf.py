"""The shelf of the front page: a little of everything, put together anew when the catalogue changes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mapsi.catalog.filters import Filters
from mapsi.catalog.product import Product

if TYPE_CHECKING:
    from mapsi.catalog.records import Facets
    from mapsi.search.finder import Finder

SIZE = 12
"""Whole rows of two, three and four products."""


TRIED = 4
"""Products of a class among which one with a picture is looked for."""


class Shelf:
    """The newest product with a picture of each class, the fullest classes first, then the newest of all.

    One small search a class is too slow for every visit; the finder gives the same facets until the catalogue changes,
    and as long stays the shelf. Any number of threads may ask at once.
    """

    def __init__(self, finder: Finder) -> None:
        self._finder = finder
        self._kept: tuple[Facets, tuple[Product, ...]] | None = None

    def products(self) -> tuple[Product, ...]:
        """At most :data:`SIZE` products, no two the same."""
        facets, kept = self._finder.facets(), self._kept
        if kept is None or kept[0] is not facets:
            kept = self._kept = (facets, self._fill(facets))
        return kept[1]

    def _fill(self, facets: Facets) -> tuple[Product, ...]:
        chosen: dict[int, Product] = {}
        for product in self._candidates(facets):
            chosen.setdefault(product.id, product)
            if len(chosen) == SIZE:
                break
        return tuple(chosen.values())

    def _candidates(self, facets: Facets) -> Iterator[Product]:
        for axis, classes in facets.classes.items():
            for slug, _count in classes:
                newest = self._finder.browse(Filters(classes={axis: (slug,)}), "likeness", 1, TRIED).products
                yield from [product for product in newest if product.picture][:1]
        yield from self._finder.browse(Filters(), "likeness", 1, SIZE).products
