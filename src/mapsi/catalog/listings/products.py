"""Listings out of the database, put together to products."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from mapsi.batches import batched
from mapsi.catalog.listings.engines.product_document import ListingRow
from mapsi.catalog.store.tables import Listing, Shop

Product = list[ListingRow]
_BATCH = 5000
_PART = 500
_COLUMNS: tuple[Any, ...] = tuple(getattr(Listing, name) for name in ListingRow._fields)
_APART = Listing.joined.is_(None)
_ALONE = Listing.group_key.startswith("=", autoescape=True)


def read_products(connection: Connection) -> Iterator[Product]:
    """All products, each with its variants, in flat memory: first those that stand alone, by offer, then shop by shop
    those of several variants, then those of several shops."""
    yield from ([row] for row in _by_offer(connection, select(*_COLUMNS).where(_APART, _ALONE)))
    for shop in connection.scalars(select(Shop.id).order_by(Shop.id)).all():
        rows = _by_group(connection, select(*_COLUMNS).where(Listing.shop_id == shop, _APART, ~_ALONE))
        yield from (list(variants) for _, variants in groupby(rows, key=lambda row: row.group_key))
    joined = _by_number(connection, select(*_COLUMNS).where(~_APART))
    yield from (list(variants) for _, variants in groupby(joined, key=lambda row: row.joined))


def read_listings(connection: Connection, offers: Iterable[int]) -> Iterator[ListingRow]:
    """The listings of these offers."""
    for part in batched(sorted(offers), _PART):
        yield from map(ListingRow._make, connection.execute(_of_offers(), {"offers": part}))


@cache
def _of_offers() -> Select[Any]:
    return select(*_COLUMNS).where(Listing.offer_id.in_(bindparam("offers", expanding=True)))


def read_products_of(connection: Connection, offers: Iterable[int]) -> list[Product]:
    """The products that these offers are variants of, each with all of them."""
    found: dict[int, ListingRow] = {}
    for part in batched(sorted(offers), _PART):
        of_these = Listing.offer_id.in_(part)
        groups = select(Listing.shop_id, Listing.group_key).where(of_these, _APART).distinct().subquery()
        same_product = (Listing.shop_id == groups.c.shop_id) & (Listing.group_key == groups.c.group_key)
        numbers = connection.scalars(select(Listing.joined).where(of_these, ~_APART).distinct()).all()
        for query in (
            select(*_COLUMNS).join(groups, same_product),
            *([select(*_COLUMNS).where(Listing.joined.in_(numbers))] if numbers else ()),
        ):
            found |= {row.offer_id: ListingRow._make(row) for row in connection.execute(query)}
    ordered = sorted(found.values(), key=lambda row: (row.product, row.offer_id))
    return [list(variants) for _, variants in groupby(ordered, key=lambda row: row.product)]


def read_joined(connection: Connection, offers: Sequence[int]) -> dict[int, Product]:
    """Those of these offers that stand for a product of several shops, each with all of its variants."""
    numbers: dict[int, int] = {}
    for part in batched(offers, _PART):
        query = select(Listing.offer_id, Listing.joined).where(Listing.offer_id.in_(part), ~_APART)
        numbers |= {row.offer_id: row.joined for row in connection.execute(query)}
    variants: dict[int, Product] = {}
    for part in batched(sorted(set(numbers.values())), _PART):
        for row in connection.execute(select(*_COLUMNS).where(Listing.joined.in_(part))):
            variants.setdefault(row.joined, []).append(ListingRow._make(row))
    return {offer: variants[number] for offer, number in numbers.items()}


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


def _by_number(connection: Connection, query: Select[Any]) -> Iterator[ListingRow]:
    """By the number under which products of several shops are joined, as :func:`_by_group`."""
    query = query.order_by(Listing.joined, Listing.offer_id).limit(_BATCH)
    rest = query
    while batch := connection.execute(rest).all():
        yield from map(ListingRow._make, batch)
        last = batch[-1]
        same = (Listing.joined == last.joined) & (Listing.offer_id > last.offer_id)
        rest = query.where((Listing.joined > last.joined) | same)
