"""The moment of an import that readers see: staged offers take the place of the shop's last feed, in one
transaction."""

from __future__ import annotations

from datetime import datetime
from enum import Enum
from typing import Any

from sqlalchemy import Connection, case, delete, func, insert, literal, null, select, update

from mapsi.catalog.imports.run_log import new_id
from mapsi.catalog.imports.staging import CHANGED, CONTENT, GONE, NEW, SAME, WORDS, index_stage, staged, staged_classes
from mapsi.catalog.listings.joining import join_changed, touched_by
from mapsi.catalog.offer import Delivery
from mapsi.catalog.store.changes import advance_generation, note_changes
from mapsi.catalog.store.database import storable
from mapsi.catalog.store.expiry import Validity, in_seconds, renew_all, renew_some
from mapsi.catalog.store.tables import Listing, OfferClass, OfferRow, Price, Shop
from mapsi.catalog.store.turns import note_first_turn
from mapsi.catalog.text.corrected_classes import apply_corrections, pass_on_corrections
from mapsi.taxonomy import Taxonomy


class Scope(Enum):
    """What a delivery says of the shop's offers that it does not hold: that they are gone (``EVERYTHING``), that they
    are as they were (``CHANGES``), or nothing yet (``PART``)."""

    EVERYTHING = "everything"
    CHANGES = "changes"
    PART = "part"


def validity_of(delivery: Delivery) -> Validity:
    """From when on and for how many seconds its offers are shown."""
    return Validity(delivery.shown_from, in_seconds(delivery.time_to_live))


def switch(
    connection: Connection, delivery: Delivery, import_id: int, scope: Scope, taxonomy: Taxonomy
) -> tuple[int, int]:
    """Take over what is staged, in the caller's transaction; returns the shop's id and the number of offers that are
    gone."""
    shop_id = _save_shop(connection, delivery)
    _number_new(connection)
    index_stage(connection)
    _update_changed(connection)
    _insert_new(connection, shop_id, import_id, delivery)
    gone = _mark_gone(connection, shop_id, delivery.now, scope)
    _touch_seen(connection, shop_id, import_id, delivery, scope)
    _note_prices(connection, delivery.now)
    _replace_classes(connection)
    touched = _replace_listings(connection, shop_id, scope)
    staged_now = select(staged.c.offer_id).where(staged.c.kind.in_((NEW, CHANGED)))
    pass_on_corrections(connection, staged_now, delivery.now)
    apply_corrections(connection, staged_now, taxonomy)
    _note_changes(connection, shop_id, delivery.now)
    join_changed(connection, select(staged.c.offer_id).where(staged.c.kind != SAME), touched)
    note_first_turn(connection, shop_id)
    renew = renew_some if scope is Scope.PART else renew_all
    renew(connection, shop_id, validity_of(delivery))
    return shop_id, gone


def _save_shop(connection: Connection, delivery: Delivery) -> int:
    own: dict[str, Any] = {"sample": delivery.sample, "copies": delivery.copies}
    shop = connection.execute(select(Shop.id, Shop.name).where(Shop.slug == delivery.shop)).one_or_none()
    if shop is None:
        name = delivery.shop_name or delivery.shop
        values = {"slug": delivery.shop, "name": storable(name, 200)} | own
        return new_id(connection.execute(insert(Shop).values(values)))
    values = {"name": storable(delivery.shop_name or shop.name, 200)} | own
    connection.execute(update(Shop).where(Shop.id == shop.id).values(values))
    return int(shop.id)


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


def _insert_new(connection: Connection, shop_id: int, import_id: int, delivery: Delivery) -> None:
    own = {
        "shop_id": shop_id,
        "import_id": import_id,
        "first_seen": delivery.now,
        "last_seen": delivery.shown_from,
    }
    columns = [literal(value, OfferRow.__table__.c[name].type) for name, value in own.items()]
    rows = select(staged.c.offer_id, *columns, *(staged.c[name] for name in CONTENT))
    rows = rows.where(staged.c.kind == NEW).order_by(staged.c.offer_id)
    connection.execute(insert(OfferRow).from_select(["id", *own, *CONTENT], rows, include_defaults=False))


def _mark_gone(connection: Connection, shop_id: int, now: datetime, scope: Scope) -> int:
    if scope is Scope.EVERYTHING:
        missing = OfferRow.id.not_in(select(staged.c.offer_id).where(staged.c.kind != GONE))
    else:
        missing = OfferRow.id.in_(select(staged.c.offer_id).where(staged.c.kind == GONE))
    living = (OfferRow.shop_id == shop_id, OfferRow.gone_at.is_(None))
    return connection.execute(update(OfferRow).where(*living, missing).values(gone_at=now)).rowcount


def _touch_seen(connection: Connection, shop_id: int, import_id: int, delivery: Delivery, scope: Scope) -> None:
    """Of a whole feed, what now lives is what it holds. A picture that failed is tried again."""
    statement = (
        update(OfferRow)
        .where(OfferRow.shop_id == shop_id, OfferRow.gone_at.is_(None))
        .values(import_id=import_id, last_seen=delivery.shown_from, picture_failure=None)
    )
    if scope is not Scope.EVERYTHING:
        statement = statement.where(OfferRow.id.in_(select(staged.c.offer_id)))
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


def _replace_listings(connection: Connection, shop_id: int, scope: Scope) -> set[int]:
    """Gives other listings that what went may have been joined with."""
    if scope is Scope.EVERYTHING:
        outdated = Listing.offer_id.not_in(select(staged.c.offer_id).where(staged.c.kind == SAME))
    else:
        outdated = Listing.offer_id.in_(select(staged.c.offer_id).where(staged.c.kind != SAME))
    touched = touched_by(connection, select(Listing.offer_id).where(Listing.shop_id == shop_id, outdated))
    connection.execute(delete(Listing).where(Listing.shop_id == shop_id, outdated))
    words = [staged.c[f"listing_{name}"] for name in WORDS]
    rows = select(staged.c.offer_id, literal(shop_id), staged.c.group_key, staged.c.audience, *words)
    rows = rows.where(staged.c.kind != SAME, staged.c.shown).order_by(staged.c.offer_id)
    columns = ["offer_id", "shop_id", "group_key", "audience", *WORDS]
    connection.execute(insert(Listing).from_select(columns, rows))
    return touched


def _note_changes(connection: Connection, shop_id: int, now: datetime) -> None:
    advance_generation(connection)
    note_changes(
        connection,
        select(staged.c.offer_id).where(staged.c.kind != SAME),
        select(OfferRow.id).where(OfferRow.shop_id == shop_id, OfferRow.gone_at == now),
    )
