"""What the clock changes of offers between two refreshes: sales begin and end, offers expire by their own dates.

Pages name the price of the very moment and leave out what has expired (``browsing.py``, ``expiry.py``); by which price
products are ordered and narrowed down follows with the next sweep.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, update

from mapsi.batches import batched
from mapsi.catalog.store.changes import advance_generation, note_changes
from mapsi.catalog.store.money import minor_to_order
from mapsi.catalog.store.sale_prices import first_after, price_at
from mapsi.catalog.store.tables import Listing, OfferRow, Price, Shop

_DATES = ("id", "price", "sale_price", "sale_from", "sale_until", "expires_at", "lowest_price", "currency", "turns_at")


def turned_shops(connection: Connection, now: datetime) -> list[int]:
    """Shops that have an offer whose dates say something else by ``now``."""
    return list(connection.scalars(_turned(), {"now": now}))


@cache
def _turned() -> Select[Any]:
    return select(Shop.id).where(Shop.first_turn <= bindparam("now")).order_by(Shop.id)


def ended_by_date(connection: Connection, shops: Sequence[int], now: datetime) -> set[int]:
    """Living offers of these shops that have expired by their own dates."""
    ended = (OfferRow.expires_at <= now, OfferRow.gone_at.is_(None))
    return set(connection.scalars(select(OfferRow.id).where(*_due(shops, now), *ended))) if shops else set()


def note_first_turn(connection: Connection, shop_id: int) -> None:
    """Note from when on an offer of the shop costs something else or has ended."""
    first = select(func.min(OfferRow.turns_at)).where(OfferRow.shop_id == shop_id, OfferRow.turns_at.is_not(None))
    connection.execute(update(Shop).where(Shop.id == shop_id).values(first_turn=connection.scalar(first)))


def take_turns(connection: Connection, shop_id: int, now: datetime) -> int:
    """Take over what the dates of a shop's offers say at ``now``, in the caller's transaction; returns how many are
    gone by it."""
    columns = (getattr(OfferRow, name) for name in (*_DATES, "gone_at"))
    rows = connection.execute(select(*columns).where(*_due([shop_id], now)).order_by(OfferRow.id)).all()
    living = [row for row in rows if row.gone_at is None]
    ended = [row for row in living if row.expires_at is not None and row.expires_at <= now]
    gone = {row.id for row in ended}
    repriced = [row for row in living if row.id not in gone and price_at(row, now) != row.lowest_price]
    _write(connection, rows, now)
    _note_prices(connection, repriced, now)
    _end(connection, ended, now)
    advance_generation(connection)
    touched = [row.id for row in (*ended, *repriced)]
    for part in batched(touched, _AT_ONCE):
        note_changes(connection, select(OfferRow.id).where(OfferRow.id.in_(part)))
    note_first_turn(connection, shop_id)
    return len(ended)


_AT_ONCE = 5000


def _due(shops: Sequence[int], now: datetime) -> tuple[Any, Any]:
    return OfferRow.shop_id.in_(shops), OfferRow.turns_at <= now


def _write(connection: Connection, rows: Sequence[Any], now: datetime) -> None:
    values = [
        {
            "offer": row.id,
            "lowest_price": price_at(row, now) if row.gone_at is None else row.lowest_price,
            "turns_at": first_after(now, row.sale_from, row.sale_until, row.expires_at),
        }
        for row in rows
    ]
    if values:
        connection.execute(update(OfferRow).where(OfferRow.id == bindparam("offer")), values)


def _note_prices(connection: Connection, repriced: Sequence[Any], now: datetime) -> None:
    if not repriced:
        return
    orders = [{"offer": row.id, "price_order": minor_to_order(price_at(row, now), row.currency)} for row in repriced]
    connection.execute(update(Listing).where(Listing.offer_id == bindparam("offer")), orders)
    points = [
        {"offer_id": row.id, "seen_at": row.turns_at, "lowest_price": price_at(row, now), "currency": row.currency}
        for row in repriced
    ]
    connection.execute(
        delete(Price).where(Price.offer_id == bindparam("offer"), Price.seen_at == bindparam("at")),
        [{"offer": point["offer_id"], "at": point["seen_at"]} for point in points],
    )
    connection.execute(insert(Price), points)


def _end(connection: Connection, ended: Sequence[Any], now: datetime) -> None:
    ids = [{"offer": row.id} for row in ended]
    if ids:
        connection.execute(update(OfferRow).where(OfferRow.id == bindparam("offer")).values(gone_at=now), ids)
        connection.execute(delete(Listing).where(Listing.offer_id == bindparam("offer")), ids)
