"""The shelf of the front page: a little of everything, put together again when the catalogue changes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import TYPE_CHECKING

from mapsi.catalog.filters import Filters
from mapsi.catalog.product import Product, ProductPage
from mapsi.catalog.query import Query

if TYPE_CHECKING:
    from mapsi.catalog import Catalog
    from mapsi.catalog.records import Facets

SIZE = 12
"""Whole rows of two, three and four products."""


TRIED = 4
"""Products of a class among which one with a picture is looked for."""


class Shelf:
    """The newest product with a picture of each class, the fullest classes first, then the newest of all.

    One small search per class is too slow for every visit; the catalogue gives the same facets until it changes,
    and the shelf stays as long. Any number of threads may ask at once.
    """

    def __init__(self, catalog: Catalog) -> None:
        self._listings = catalog.listings
        self._kept: tuple[Facets, ProductPage] | None = None

    def page(self) -> ProductPage:
        """At most :data:`SIZE` products, no two the same; the total is that of all products."""
        facets, kept = self._listings.facets(), self._kept
        if kept is None or kept[0] is not facets:
            kept = self._kept = (facets, self._fill(facets))
        return kept[1]

    def _fill(self, facets: Facets) -> ProductPage:
        newest = self._listings.search(Query(size=SIZE))
        chosen: dict[int, Product] = {}
        for product in chain(self._one_of_each(facets), newest.products):
            chosen.setdefault(product.id, product)
            if len(chosen) == SIZE:
                break
        return replace(newest, products=tuple(chosen.values()))

    def _one_of_each(self, facets: Facets) -> Iterator[Product]:
        for axis, classes in facets.classes.items():
            for slug, _count in classes:
                asked = Query(filters=Filters(classes={axis: (slug,)}), size=TRIED)
                newest = self._listings.search(asked).products
                yield from [product for product in newest if product.picture][:1]
