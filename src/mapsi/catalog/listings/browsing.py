"""Products by their ids."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any, cast

from sqlalchemy import Connection, select

from mapsi.catalog.filters import Expired, Sort
from mapsi.catalog.product import Product
from mapsi.catalog.records import PricePoint
from mapsi.catalog.store.money import LARGEST, from_minor
from mapsi.catalog.store.tables import Listing, OfferClass, OfferRow, Picture, Price, Shop
from mapsi.taxonomy.categories import OTHER

_SHOWN = (
    *(
        "id",
        "shop_id",
        "title",
        "link",
        "picture",
        "image_source",
        "price",
        "lowest_price",
        "currency",
        "brand",
        "category",
        "audience",
    ),
    "seller",
)


def load_products(connection: Connection, ids: Sequence[int], expired: Expired) -> list[Product]:
    """Products in the order of ``ids``, without those that are not shown."""
    shown = shown_among(connection, ids, expired)
    shops = _count_shops(connection, shown, expired)
    found = load_offers(connection, [number for number in ids if number in shown])
    return [replace(product, shops=shops[product.id]) if product.id in shops else product for product in found]


def _count_shops(connection: Connection, ids: Collection[int], expired: Expired) -> dict[int, int]:
    """How many shops have the products of these offers, of those that several have."""
    query = select(Listing.offer_id, Listing.joined).where(Listing.offer_id.in_(ids), Listing.joined.is_not(None))
    numbers = {row.offer_id: row.joined for row in connection.execute(query)} if ids else {}
    if not numbers:
        return {}
    sold = select(Listing.joined, Listing.shop_id, Listing.group_key).where(
        Listing.joined.in_(set(numbers.values())),
        Listing.shop_id.not_in(expired.shops),
        Listing.offer_id.not_in(expired.offers),
    )
    counts = Counter(row.joined for row in connection.execute(sold.distinct()))
    return {offer: counts[number] for offer, number in numbers.items()}


def load_offers(connection: Connection, ids: Sequence[int]) -> list[Product]:
    """Products in the order of ``ids`` as they last were, shown or not; numbers of no offer are left out."""
    wanted = _numbers(ids)
    if not wanted:
        return []
    copy = (Picture.width, Picture.height, Picture.kept)
    query = (
        select(*(getattr(OfferRow, name) for name in _SHOWN), *copy)
        .outerjoin_from(OfferRow, Picture, Picture.digest == OfferRow.picture)
        .where(OfferRow.id.in_(wanted))
    )
    rows = connection.execute(query).all()
    # Shops are not joined: with the statistics of a table that has just been filled, MariaDB begins with the few shops
    # and walks all of their offers, 80 ms at a million instead of one.
    shops = _load_shops(connection, {row.shop_id for row in rows})
    classes = _load_classes(connection, wanted)
    found = {row.id: _product(row, shops[row.shop_id], classes[row.id]) for row in rows}
    return [found[number] for number in ids if number in found]


def shown_among(connection: Connection, ids: Sequence[int], expired: Expired) -> set[int]:
    """Which of these offers are shown."""
    wanted = [number for number in _numbers(ids) if number not in expired.offers]
    query = select(Listing.offer_id).where(Listing.offer_id.in_(wanted), Listing.shop_id.not_in(expired.shops))
    return set(connection.scalars(query)) if wanted else set()


def _numbers(ids: Sequence[int]) -> list[int]:
    return sorted({number for number in ids if 0 < number <= LARGEST})


def _load_shops(connection: Connection, ids: Collection[int]) -> dict[int, Any]:
    query = select(Shop.id, Shop.slug, Shop.name, Shop.sample, Shop.copies).where(Shop.id.in_(sorted(ids)))
    return {row.id: row for row in connection.execute(query)}


def in_order_of_price(connection: Connection, offer_ids: Sequence[int], sort: Sort) -> list[int]:
    query = select(Listing.offer_id, Listing.price_order).where(Listing.offer_id.in_(offer_ids))
    prices = {row.offer_id: row.price_order for row in connection.execute(query)}
    known = [offer_id for offer_id in offer_ids if offer_id in prices]
    return sorted(known, key=lambda offer_id: prices[offer_id], reverse=sort == "price-down")


def load_price_history(connection: Connection, offer_id: int) -> list[PricePoint]:
    query = select(Price.seen_at, Price.lowest_price, Price.currency).where(Price.offer_id == offer_id)
    return [
        PricePoint(seen_at=seen_at, lowest_price=from_minor(price, currency), currency=currency)
        for seen_at, price, currency in connection.execute(query.order_by(Price.seen_at))
    ]


def _load_classes(connection: Connection, ids: Sequence[int]) -> defaultdict[int, list[tuple[str, str]]]:
    query = select(OfferClass.offer_id, OfferClass.axis, OfferClass.slug).where(
        OfferClass.offer_id.in_(ids), OfferClass.slug != OTHER
    )
    classes: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    for offer_id, axis, slug in connection.execute(query.order_by(OfferClass.offer_id, OfferClass.axis)):
        classes[offer_id].append((axis, slug))
    return classes


def _product(row: Any, shop: Any, classes: Sequence[tuple[str, str]]) -> Product:
    return Product(
        id=row.id,
        name=row.title,
        shop=shop.slug,
        shop_name=row.seller or shop.name,
        link=row.link,
        picture=row.picture if shop.copies and row.kept else "",
        picture_size=(row.width or 0, row.height or 0),
        linked_picture="" if shop.copies else row.image_source,
        lowest_price=from_minor(row.lowest_price, row.currency),
        regular_price=from_minor(row.price, row.currency),
        currency=row.currency,
        brand=row.brand,
        category=row.category,
        audience=cast(Any, row.audience),
        sample=shop.sample,
        classes=tuple(classes),
    )
