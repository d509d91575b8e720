"""Products by their ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, cast

from sqlalchemy import Connection, Select, bindparam, select

from mapsi.catalog.product import Product
from mapsi.catalog.records import PricePoint
from mapsi.catalog.store.expiry import Expired
from mapsi.catalog.store.money import LARGEST, from_minor
from mapsi.catalog.store.sale_prices import price_at
from mapsi.catalog.store.tables import Listing, OfferClass, OfferRow, PictureRow, Price, Shop
from mapsi.catalog.text.class_words import classes_of
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
        "sale_price",
        "sale_from",
        "sale_until",
        "currency",
        "brand",
        "category",
        "audience",
    ),
    "seller",
)


def load_products(connection: Connection, ids: Sequence[int], expired: Expired) -> list[Product]:
    """Products in the order of ``ids``, without those that are not shown: one question, and one more where several
    shops have any of them."""
    shown = {row.id: row for row in _load(connection, ids) if _is_shown(row, expired)}
    shops = _count_shops(connection, {row.id: row.joined for row in shown.values() if row.joined is not None}, expired)
    found = (shown[number] for number in ids if number in shown)
    return [_product(row, classes_of(row.class_keys), expired.at, shops.get(row.id, 1)) for row in found]


def _is_shown(row: Any, expired: Expired) -> bool:
    return row.class_keys is not None and row.shop_id not in expired.shops and row.id not in expired.offers


def _count_shops(connection: Connection, joined: Mapping[int, int], expired: Expired) -> dict[int, int]:
    """How many shops have the products of these offers, ``joined`` under a number each."""
    if not joined:
        return {}
    sold = select(Listing.joined, Listing.shop_id, Listing.group_key).where(
        Listing.joined.in_(set(joined.values())),
        Listing.shop_id.not_in(expired.shops),
        Listing.offer_id.not_in(expired.offers),
    )
    counts = Counter(row.joined for row in connection.execute(sold.distinct()))
    return {offer: counts[number] for offer, number in joined.items()}


def load_offers(connection: Connection, ids: Sequence[int], at: datetime | None = None) -> list[Product]:
    """Products in the order of ``ids`` as they last were, shown or not, at the prices that they have ``at`` a moment;
    numbers of no offer are left out."""
    rows = {row.id: row for row in _load(connection, ids)}
    classes = {row.id: classes_of(row.class_keys) for row in rows.values() if row.class_keys is not None}
    classes |= _load_classes(connection, [number for number in rows if number not in classes])
    return [_product(rows[number], classes[number], at) for number in ids if number in rows]


def _load(connection: Connection, ids: Sequence[int]) -> Sequence[Any]:
    """Offers with their shops, copies and listings; the ``class_keys`` of a listing are ``None`` without one."""
    wanted = _numbers(ids)
    return connection.execute(_with_shops(), {"ids": wanted}).all() if wanted else []


# Written once: making a query anew, and matching its columns to those of the like before it, takes longer than a page's
# rows do, a third of a search by words.
@cache
def _with_shops() -> Select[Any]:
    """Offers by ``ids`` with what :func:`_product` takes of them.

    Joined outward, from the offers on: with the statistics of a table that has just been filled, MariaDB would begin an
    inner join with the few shops and walk all of their offers, 80 ms at a million instead of one.
    """
    return (
        select(
            *(getattr(OfferRow, name) for name in _SHOWN),
            *(PictureRow.width, PictureRow.height, PictureRow.kept),
            *(Shop.slug, Shop.name, Shop.sample, Shop.copies),
            *(Listing.classes.label("class_keys"), Listing.joined),
        )
        .outerjoin_from(OfferRow, Listing, Listing.offer_id == OfferRow.id)
        .outerjoin(PictureRow, PictureRow.digest == OfferRow.picture)
        .outerjoin(Shop, Shop.id == OfferRow.shop_id)
        .where(OfferRow.id.in_(bindparam("ids", expanding=True)))
    )


def shown_among(connection: Connection, ids: Sequence[int], expired: Expired) -> set[int]:
    """Which of these offers are shown."""
    wanted = [number for number in _numbers(ids) if number not in expired.offers]
    query = select(Listing.offer_id).where(Listing.offer_id.in_(wanted), Listing.shop_id.not_in(expired.shops))
    return set(connection.scalars(query)) if wanted else set()


def _numbers(ids: Sequence[int]) -> list[int]:
    return sorted({number for number in ids if 0 < number <= LARGEST})


def load_price_history(connection: Connection, offer_id: int) -> list[PricePoint]:
    query = select(Price.seen_at, Price.lowest_price, Price.currency).where(Price.offer_id == offer_id)
    return [
        PricePoint(seen_at=seen_at, lowest_price=from_minor(price, currency), currency=currency)
        for seen_at, price, currency in connection.execute(query.order_by(Price.seen_at))
    ]


def _load_classes(connection: Connection, ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """The classes of offers that are not listed, as listings have them."""
    classes: dict[int, dict[str, str]] = {number: {} for number in ids}
    query = select(OfferClass.offer_id, OfferClass.axis, OfferClass.slug).where(OfferClass.offer_id.in_(ids))
    for offer_id, axis, slug in connection.execute(query.order_by(OfferClass.axis)) if ids else ():
        if slug != OTHER:
            classes[offer_id][axis] = slug
    return classes


def _product(row: Any, classes: Mapping[str, str], at: datetime | None, shops: int = 1) -> Product:
    lowest = row.lowest_price if at is None else price_at(row, at)
    return Product(
        id=row.id,
        name=row.title,
        shop=row.slug,
        shop_name=row.seller or row.name,
        link=row.link,
        picture=row.picture if row.copies and row.kept else "",
        picture_size=(row.width or 0, row.height or 0),
        linked_picture="" if row.copies else row.image_source,
        lowest_price=from_minor(lowest, row.currency),
        regular_price=from_minor(row.price, row.currency),
        currency=row.currency,
        brand=row.brand,
        category=row.category,
        audience=cast(Any, row.audience),
        sample=row.sample,
        classes=tuple(classes.items()),
        shops=shops,
    )
