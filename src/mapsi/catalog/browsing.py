"""Products by their ids, and all products page by page."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import Connection, and_, exists, func, or_, select
from sqlalchemy.orm import aliased

from mapsi.catalog.filters import Filters, Sort
from mapsi.catalog.money import LARGEST, from_minor
from mapsi.catalog.narrowing import Window, conditions, order
from mapsi.catalog.product import Product
from mapsi.catalog.records import PricePoint
from mapsi.catalog.tables import Listing, OfferClass, OfferRow, Price, Shop


def find_page(connection: Connection, filters: Filters, sort: Sort, window: Window) -> list[int]:
    """Offer ids of one page, one a product: the cheapest variant that passes.

    No window function: an offer is asked for cheaper siblings as it comes along the index of the order, so that a page
    costs its own rows and not the catalogue's.
    """
    sibling = aliased(Listing)
    cheaper = or_(
        sibling.price_order < Listing.price_order,
        and_(sibling.price_order == Listing.price_order, sibling.offer_id < Listing.offer_id),
    )
    same_product = [sibling.shop_id == Listing.shop_id, sibling.group_key == Listing.group_key]
    statement = (
        select(Listing.offer_id)
        .where(*conditions(filters), ~exists().where(*same_product, cheaper, *conditions(filters, sibling)))
        .order_by(*order(sort, [Listing.offer_id.desc()], Listing.price_order, Listing.offer_id))
    )
    return list(connection.scalars(statement.limit(window.size).offset(window.offset)))


def count_products(connection: Connection, filters: Filters) -> int:
    """How many products pass, variants counted once."""
    products = select(Listing.shop_id, Listing.group_key).where(*conditions(filters)).distinct()
    return int(connection.scalar(select(func.count()).select_from(products.subquery())) or 0)


def load_products(connection: Connection, ids: Sequence[int]) -> list[Product]:
    """Products in the order of ``ids``, without those that are not shown."""
    wanted = sorted({number for number in ids if 0 < number <= LARGEST})
    if not wanted:
        return []
    columns = ("id", "title", "link", "picture", "lowest_price", "currency", "brand", "category", "audience")
    query = (
        select(*(getattr(OfferRow, name) for name in columns), Shop.slug, Shop.name.label("shop_name"), Shop.sample)
        .join_from(OfferRow, Listing, Listing.offer_id == OfferRow.id)
        .join(Shop, Shop.id == OfferRow.shop_id)
        .where(OfferRow.id.in_(wanted))
    )
    classes = _load_classes(connection, wanted)
    found = {row.id: _product(row, classes[row.id]) for row in connection.execute(query)}
    return [found[number] for number in ids if number in found]


def load_price_history(connection: Connection, offer_id: int) -> list[PricePoint]:
    query = select(Price.seen_at, Price.lowest_price, Price.currency).where(Price.offer_id == offer_id)
    return [
        PricePoint(seen_at=seen_at, lowest_price=from_minor(price, currency), currency=currency)
        for seen_at, price, currency in connection.execute(query.order_by(Price.seen_at))
    ]


def _load_classes(connection: Connection, ids: Sequence[int]) -> defaultdict[int, list[tuple[str, str]]]:
    query = select(OfferClass.offer_id, OfferClass.axis, OfferClass.slug).where(OfferClass.offer_id.in_(ids))
    classes: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)
    for offer_id, axis, slug in connection.execute(query.order_by(OfferClass.offer_id, OfferClass.axis)):
        classes[offer_id].append((axis, slug))
    return classes


def _product(row: Any, classes: Sequence[tuple[str, str]]) -> Product:
    return Product(
        id=row.id,
        name=row.title,
        shop=row.slug,
        shop_name=row.shop_name,
        link=row.link,
        picture=row.picture or "",
        lowest_price=from_minor(row.lowest_price, row.currency),
        currency=row.currency,
        brand=row.brand,
        category=row.category,
        audience=cast(Any, row.audience),
        sample=row.sample,
        classes=tuple(classes),
    )
