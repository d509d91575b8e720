"""Which offer stands for a product: of those that pass the filters the best hit, and of its colour the cheapest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence

from mapsi.catalog.filters import Filters
from mapsi.catalog.listings.engines.product_document import ListingRow
from mapsi.catalog.store.expiry import Expired
from mapsi.catalog.store.money import to_order
from mapsi.catalog.text.asked import Asked
from mapsi.catalog.text.facts import ListingReader


class Chooser:
    """Chooses among the variants of a product, by ``filters``, of which ``shops`` are the numbers of the shops asked
    for, and by what has not ``expired``."""

    def __init__(self, filters: Filters, shops: Collection[int], expired: Expired) -> None:
        self._filters = filters
        self._shops = shops
        self._expired = expired

    def best(self, variants: Sequence[ListingRow], asked: Asked, reader: ListingReader) -> int | None:
        """The offer to show; ``None`` where none is shown any more. Where no variant passes all filters (the white one
        is dearer than asked for, and white was asked for), it is one that passes most. Titles of two shops never make
        the dearer one the better hit: of the best one's colour it is the cheapest."""
        shown = self._shown(variants)
        if not shown:
            return None

        def fit(row: ListingRow) -> tuple[int, int, int, int]:
            return (-self._passed(row), -asked.points(reader.read(row.text)), row.price_order, row.offer_id)

        return self.cheapest_like(min(shown, key=fit), shown)

    def cheapest_like(self, row: ListingRow, variants: Sequence[ListingRow]) -> int:
        """The cheapest offer that other shops have of the same product, or this one: of no other colour, and passing as
        many filters."""
        passed, colors = self._passed(row), set(row.colors.split())

        def is_alike(other: ListingRow) -> bool:
            elsewhere = (other.shop_id, other.group_key) != (row.shop_id, row.group_key)
            same_color = not colors or not other.colors or not colors.isdisjoint(other.colors.split())
            return elsewhere and same_color and self._passed(other) >= passed

        alike = filter(is_alike, self._shown(variants))
        return min((row, *alike), key=lambda other: (other.price_order, other.offer_id)).offer_id

    def of_each_seller(self, row: ListingRow, variants: Sequence[ListingRow]) -> list[int]:
        """One offer of each shop that has the product, the cheapest first: that of the same colour where it has one."""
        apart: defaultdict[tuple[int, str], list[ListingRow]] = defaultdict(list)
        for other in self._shown(variants):
            apart[other.shop_id, other.group_key].append(other)
        colors = set(row.colors.split())

        def fit(other: ListingRow) -> tuple[bool, int, int]:
            return (other is not row and colors.isdisjoint(other.colors.split()), other.price_order, other.offer_id)

        chosen = [min(rows, key=fit) for rows in apart.values()]
        return [other.offer_id for other in sorted(chosen, key=lambda other: (other.price_order, other.offer_id))]

    def _shown(self, variants: Sequence[ListingRow]) -> list[ListingRow]:
        expired = self._expired
        return [row for row in variants if row.shop_id not in expired.shops and row.offer_id not in expired.offers]

    def _passed(self, row: ListingRow) -> int:
        """How many kinds of filters a variant passes."""
        filters, classes = self._filters, row.classes.split()
        tests = [
            filters.min_price is None or row.price_order >= to_order(filters.min_price),
            filters.max_price is None or row.price_order <= to_order(filters.max_price),
            not filters.shops or row.shop_id in self._shops,
            not filters.audiences or row.audience in filters.admitted_audiences,
            not filters.colors or not set(filters.colors).isdisjoint(row.colors.split()),
            *(
                not slugs or any(f"{axis}:{slug}" in classes for slug in slugs)
                for axis, slugs in filters.classes.items()
            ),
        ]
        return sum(tests)
