"""What the offers shown can be narrowed down to."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, cast

from sqlalchemy import Connection, func, select

from mapsi.catalog.money import from_order
from mapsi.catalog.records import Facets, ShopCount
from mapsi.catalog.tables import Listing, OfferClass, Shop


def count_facets(connection: Connection) -> Facets:
    """Count the whole shop window; the caller remembers the answer."""
    lowest, highest, offers = connection.execute(
        select(func.min(Listing.price_order), func.max(Listing.price_order), func.count())
    ).one()
    return Facets(
        shops=_count_shops(connection),
        classes=_count_classes(connection),
        audiences=_count_audiences(connection),
        price_min=None if lowest is None else from_order(lowest),
        price_max=None if highest is None else from_order(highest),
        offers=offers,
    )


def _count_shops(connection: Connection) -> tuple[ShopCount, ...]:
    counts = select(Listing.shop_id, func.count().label("count")).group_by(Listing.shop_id).subquery()
    query = select(Shop.slug, Shop.name, counts.c.count).join(counts, counts.c.shop_id == Shop.id)
    rows = connection.execute(query.order_by(counts.c.count.desc(), Shop.slug))
    return tuple(ShopCount(slug=row.slug, name=row.name, count=row[2]) for row in rows)


def _count_classes(connection: Connection) -> dict[str, tuple[tuple[str, int], ...]]:
    query = (
        select(OfferClass.axis, OfferClass.slug, func.count())
        .join(Listing, Listing.offer_id == OfferClass.offer_id)
        .group_by(OfferClass.axis, OfferClass.slug)
        .order_by(OfferClass.axis, func.count().desc(), OfferClass.slug)
    )
    classes: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    for axis, slug, count in connection.execute(query):
        classes[axis].append((slug, count))
    return {axis: tuple(counts) for axis, counts in classes.items()}


def _count_audiences(connection: Connection) -> tuple[tuple[Any, int], ...]:
    query = select(Listing.audience, func.count()).where(Listing.audience.is_not(None)).group_by(Listing.audience)
    rows = connection.execute(query.order_by(func.count().desc(), Listing.audience))
    return tuple((cast(Any, audience), count) for audience, count in rows)
