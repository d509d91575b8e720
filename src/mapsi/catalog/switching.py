"""The moment of an import that readers see: staged offers take the place of the shop's last feed, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, CursorResult, case, delete, func, insert, literal, null, select, update

from mapsi.catalog.database import storable
from mapsi.catalog.staging import CHANGED, CONTENT, NEW, SAME, WORDS, index_stage, staged, staged_classes
from mapsi.catalog.tables import Listing, OfferClass, OfferRow, Price, Shop


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Where a feed comes from. ``shop`` is a slug; ``shop_name`` is ``None`` where a known shop keeps its name."""

    shop: str
    shop_name: str | None
    format: str
    origin: str
    sample: bool
    now: datetime


def switch(connection: Connection, delivery: Delivery, import_id: int) -> int:
    """Take over what is staged, in the caller's transaction; gives the number of offers that are gone."""
    shop_id = _save_shop(connection, delivery)
    _number_new(connection)
    index_stage(connection)
    _update_changed(connection)
    _insert_new(connection, shop_id, import_id, delivery.now)
    gone = _mark_gone(connection, shop_id, delivery.now)
    _touch_living(connection, shop_id, import_id, delivery.now)
    _note_prices(connection, delivery.now)
    _replace_classes(connection)
    _replace_listings(connection, shop_id)
    return gone


def _save_shop(connection: Connection, delivery: Delivery) -> int:
    shop = connection.execute(select(Shop.id, Shop.name).where(Shop.slug == delivery.shop)).one_or_none()
    if shop is None:
        name = delivery.shop_name or delivery.shop
        values = {"slug": delivery.shop, "name": storable(name, 200), "sample": delivery.sample}
        return new_id(connection.execute(insert(Shop).values(values)))
    values = {"name": storable(delivery.shop_name or shop.name, 200), "sample": delivery.sample}
    connection.execute(update(Shop).where(Shop.id == shop.id).values(values))
    return int(shop.id)


def new_id(result: CursorResult[Any]) -> int:
    """The number that the database gave to one inserted row."""
    key = result.inserted_primary_key
    return int(key[0]) if key else 0


def _number_new(connection: Connection) -> None:
    # By hand and in the feed's order, since MariaDB's AUTO_INCREMENT leaves gaps after INSERT ... SELECT: both
    # databases number the same offers alike. Nobody else inserts offers meanwhile (see importing.py).
    highest = connection.scalar(select(func.coalesce(func.max(OfferRow.id), 0)))
    connection.execute(update(staged).where(staged.c.kind == NEW).values(offer_id=staged.c.offer_id + literal(highest)))


def _update_changed(connection: Connection) -> None:
    content = {name: staged.c[name] for name in CONTENT}
    picture = case((staged.c.new_image, null()), else_=OfferRow.picture)
    statement = (
        update(OfferRow)
        .where(OfferRow.id == staged.c.offer_id, staged.c.kind == CHANGED)
        .values({**content, "gone_at": None, "picture": picture})
    )
    connection.execute(statement)


def _insert_new(connection: Connection, shop_id: int, import_id: int, now: datetime) -> None:
    own = {"shop_id": shop_id, "import_id": import_id, "first_seen": now, "last_seen": now}
    columns = [literal(value, OfferRow.__table__.c[name].type) for name, value in own.items()]
    rows = select(staged.c.offer_id, *columns, *(staged.c[name] for name in CONTENT))
    rows = rows.where(staged.c.kind == NEW).order_by(staged.c.offer_id)
    connection.execute(insert(OfferRow).from_select(["id", *own, *CONTENT], rows, include_defaults=False))


def _mark_gone(connection: Connection, shop_id: int, now: datetime) -> int:
    statement = (
        update(OfferRow)
        .where(OfferRow.shop_id == shop_id, OfferRow.gone_at.is_(None), OfferRow.id.not_in(select(staged.c.offer_id)))
        .values(gone_at=now)
    )
    return connection.execute(statement).rowcount


def _touch_living(connection: Connection, shop_id: int, import_id: int, now: datetime) -> None:
    """What now lives is what the feed holds. A picture that failed is tried again."""
    statement = (
        update(OfferRow)
        .where(OfferRow.shop_id == shop_id, OfferRow.gone_at.is_(None))
        .values(import_id=import_id, last_seen=now, picture_failure=None)
    )
    connection.execute(statement)


def _note_prices(connection: Connection, now: datetime) -> None:
    repriced = select(staged.c.offer_id).where(staged.c.repriced)
    connection.execute(delete(Price).where(Price.seen_at == now, Price.offer_id.in_(repriced)))
    rows = repriced.add_columns(literal(now, Price.__table__.c.seen_at.type), staged.c.lowest_price, staged.c.currency)
    connection.execute(insert(Price).from_select(["offer_id", "seen_at", "lowest_price", "currency"], rows))


def _replace_classes(connection: Connection) -> None:
    changed = select(staged.c.offer_id).where(staged.c.kind == CHANGED)
    connection.execute(delete(OfferClass).where(OfferClass.offer_id.in_(changed)))
    rows = select(
        staged.c.offer_id, staged_classes.c.axis, staged_classes.c.slug, literal("words"), literal(1.0)
    ).join_from(staged_classes, staged, staged.c.shop_offer_id == staged_classes.c.shop_offer_id)
    connection.execute(insert(OfferClass).from_select(["offer_id", "axis", "slug", "origin", "confidence"], rows))


def _replace_listings(connection: Connection, shop_id: int) -> None:
    kept = select(staged.c.offer_id).where(staged.c.kind == SAME)
    connection.execute(delete(Listing).where(Listing.shop_id == shop_id, Listing.offer_id.not_in(kept)))
    words = [staged.c[f"listing_{name}"] for name in WORDS]
    rows = select(staged.c.offer_id, literal(shop_id), staged.c.group_key, staged.c.audience, *words)
    rows = rows.where(staged.c.kind != SAME, staged.c.shown).order_by(staged.c.offer_id)
    columns = ["offer_id", "shop_id", "group_key", "audience", *WORDS]
    connection.execute(insert(Listing).from_select(columns, rows))
