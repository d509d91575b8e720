"""Listings out of the database, put together to products."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Select, select

from mapsi.catalog.listings.word_index import ListingRow
from mapsi.catalog.store.tables import Listing, Shop

Product = list[ListingRow]
_BATCH = 5000
_PART = 500
_COLUMNS: tuple[Any, ...] = tuple(getattr(Listing, name) for name in ListingRow._fields)
_ALONE = Listing.group_key.startswith("=", autoescape=True)


def read_products(connection: Connection) -> Iterator[Product]:
    """All products, each with its variants, in flat memory: first those that stand alone, by offer, then shop by shop
    those of several variants."""
    yield from ([row] for row in _by_offer(connection, select(*_COLUMNS).where(_ALONE)))
    for shop in connection.scalars(select(Shop.id).order_by(Shop.id)).all():
        rows = _by_group(connection, select(*_COLUMNS).where(Listing.shop_id == shop, ~_ALONE))
        yield from (list(variants) for _, variants in groupby(rows, key=lambda row: row.group_key))


def read_listings(connection: Connection, offers: Iterable[int]) -> Iterator[ListingRow]:
    """The listings of these offers."""
    for part in _parts(sorted(offers)):
        yield from map(ListingRow._make, connection.execute(select(*_COLUMNS).where(Listing.offer_id.in_(part))))


def read_products_of(connection: Connection, offers: Iterable[int]) -> list[Product]:
    """The products that these offers are variants of, each with all of them."""
    found: dict[int, ListingRow] = {}
    for part in _parts(sorted(offers)):
        groups = select(Listing.shop_id, Listing.group_key).where(Listing.offer_id.in_(part)).distinct().subquery()
        same_product = (Listing.shop_id == groups.c.shop_id) & (Listing.group_key == groups.c.group_key)
        rows = connection.execute(select(*_COLUMNS).join(groups, same_product))
        found |= {row.offer_id: ListingRow._make(row) for row in rows}
    ordered = sorted(found.values(), key=lambda row: (row.product, row.offer_id))
    return [list(variants) for _, variants in groupby(ordered, key=lambda row: row.product)]


def _parts(offers: Sequence[int]) -> Iterator[Sequence[int]]:
    return (offers[at : at + _PART] for at in range(0, len(offers), _PART))


def _by_offer(connection: Connection, query: Select[Any]) -> Iterator[ListingRow]:
    query, last = query.order_by(Listing.offer_id).limit(_BATCH), 0
    while batch := connection.execute(query.where(Listing.offer_id > last)).all():
        yield from map(ListingRow._make, batch)
        last = batch[-1].offer_id


def _by_group(connection: Connection, query: Select[Any]) -> Iterator[ListingRow]:
    """By group, by the index on shop and group: each batch begins where the one before ended, in the middle of a
    group."""
    query = query.order_by(Listing.group_key, Listing.price_order, Listing.offer_id)
    last: Any = None
    while True:
        rest = query
        if last is not None:
            rest = query.where(
                (Listing.group_key > last.group_key)
                | (
                    (Listing.group_key == last.group_key)
                    & (
                        (Listing.price_order > last.price_order)
                        | ((Listing.price_order == last.price_order) & (Listing.offer_id > last.offer_id))
                    )
                )
            )
        batch = connection.execute(rest.limit(_BATCH)).all()
        if not batch:
            return
        yield from map(ListingRow._make, batch)
        last = batch[-1]
