"""Which variant of a product is shown: of those that pass the filters the best hit, of equals the cheapest."""

from __future__ import annotations

from collections.abc import Sequence

from mapsi.catalog.filters import Expired, Filters
from mapsi.catalog.listings.word_index import ListingRow
from mapsi.catalog.store.money import to_order
from mapsi.catalog.text.asked import Asked
from mapsi.catalog.text.facts import ListingReader


def best_variant(
    variants: Sequence[ListingRow], asked: Asked, filters: Filters, expired: Expired, reader: ListingReader
) -> int | None:
    """The offer to show; ``None`` where none is shown any more. Where no variant passes all filters (the white one is
    dearer than asked for, and white was asked for), it is the one that passes most."""
    shown = [row for row in variants if row.shop_id not in expired.shops and row.offer_id not in expired.offers]
    if not shown:
        return None

    def fit(row: ListingRow) -> tuple[int, int, int, int]:
        return (-passed(row, filters), -asked.points(reader.read(row.text)), row.price_order, row.offer_id)

    return min(shown, key=fit).offer_id


def passed(row: ListingRow, filters: Filters) -> int:
    """How many kinds of filters a variant passes."""
    classes = row.classes.split()
    tests = [
        filters.min_price is None or row.price_order >= to_order(filters.min_price),
        filters.max_price is None or row.price_order <= to_order(filters.max_price),
        not filters.audiences or row.audience in filters.admitted_audiences,
        not filters.colors or not set(filters.colors).isdisjoint(row.colors.split()),
        *(not slugs or any(f"{axis}:{slug}" in classes for slug in slugs) for axis, slugs in filters.classes.items()),
    ]
    return sum(tests)
