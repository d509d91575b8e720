"""Offers past their time to live: hidden from that moment on, and marked as gone by the next sweep.

A shop's row says when its first and its last offer expires, so that a read costs one look at a few rows, and a feed
that has not changed renews all its offers by writing one of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, or_, select, update

from mapsi.catalog.store.changes import advance_generation, note_changes
from mapsi.catalog.store.database import Database, begin_write
from mapsi.catalog.store.locks import shop_lock, switch_lock
from mapsi.catalog.store.tables import Listing, OfferRow, Shop, SourceRow, State
from mapsi.catalog.store.turns import ended_by_date, take_turns, turned_shops


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """Offers past their time that no sweep has removed yet, ``at`` a moment: those of whole ``shops``, and single
    ``offers``; by their numbers. What had expired is the same at many moments."""

    shops: frozenset[int] = frozenset()
    offers: frozenset[int] = frozenset()
    at: datetime = field(compare=False)

    def __bool__(self) -> bool:
        return bool(self.shops or self.offers)


@dataclass(frozen=True, slots=True)
class Validity:
    """When offers were seen, and for how many seconds that holds; ``None`` for without end."""

    seen_at: datetime
    seconds: int | None

    @property
    def until(self) -> datetime | None:
        return None if self.seconds is None else self.seen_at + timedelta(seconds=self.seconds)


def in_seconds(duration: timedelta | None) -> int | None:
    """A duration in whole seconds, as tables and documents have it."""
    return None if duration is None else round(duration.total_seconds())


def read_expired(connection: Connection, now: datetime) -> Expired:
    """What has expired at ``now`` and was not swept yet."""
    return _expired_of(connection, *_expired_shops(connection, now), turned_shops(connection, now), now)


def read_moment(connection: Connection, now: datetime) -> tuple[int, Expired]:
    """The catalogue's generation and what has expired at ``now``, in one question where no shop's offers have expired
    in part."""
    rows = connection.execute(_moment(), {"now": now}).all()
    shops = _apart([row[1:4] for row in rows if row.first_expiry is not None and row.first_expiry <= now], now)
    turned = [row.id for row in rows if row.first_turn is not None and row.first_turn <= now]
    return int(rows[0].generation), _expired_of(connection, *shops, turned, now)


@cache
def _moment() -> Select[int, int, datetime | None, int | None, datetime | None, datetime | None]:
    some = (Shop.id, Shop.last_expiry, Shop.time_to_live, Shop.first_expiry, Shop.first_turn)
    due = or_(Shop.first_expiry <= bindparam("now"), Shop.first_turn <= bindparam("now"))
    return select(State.generation, *some).outerjoin_from(State, Shop, due).order_by(Shop.id)


def _expired_of(
    connection: Connection, wholly: list[int], partly: dict[int, datetime], turned: list[int], now: datetime
) -> Expired:
    offers = ended_by_date(connection, turned, now)
    for shop_id, seen_after in partly.items():
        old = (OfferRow.shop_id == shop_id, OfferRow.gone_at.is_(None), OfferRow.last_seen <= seen_after)
        offers.update(connection.scalars(select(OfferRow.id).where(*old)))
    return Expired(shops=frozenset(wholly), offers=frozenset(offers), at=now)


def _expired_shops(connection: Connection, now: datetime) -> tuple[list[int], dict[int, datetime]]:
    """The shops all of whose offers have expired, and those of which some have: what was last seen then, or before."""
    return _apart(connection.execute(_expiring(), {"now": now}), now)


@cache
def _expiring() -> Select[int, datetime | None, int | None]:
    query = select(Shop.id, Shop.last_expiry, Shop.time_to_live)
    return query.where(Shop.first_expiry <= bindparam("now")).order_by(Shop.id)


def _apart(shops: Iterable[Any], now: datetime) -> tuple[list[int], dict[int, datetime]]:
    wholly: list[int] = []
    partly: dict[int, datetime] = {}
    for shop_id, last, seconds in shops:
        if last is None or seconds is None or last <= now:
            wholly.append(shop_id)
        else:
            partly[shop_id] = now - timedelta(seconds=seconds)
    return wholly, partly


def renew_all(connection: Connection, shop_id: int, validity: Validity) -> None:
    """Note that all living offers of the shop were seen."""
    times = {"first_expiry": validity.until, "last_expiry": validity.until, "time_to_live": validity.seconds}
    connection.execute(update(Shop).where(Shop.id == shop_id).values(times))


def renew_some(connection: Connection, shop_id: int, validity: Validity) -> None:
    """Note that some offers of the shop were seen; the others keep the time they had."""
    first = func.coalesce(Shop.first_expiry, validity.until)
    times = {"first_expiry": first, "last_expiry": validity.until, "time_to_live": validity.seconds}
    connection.execute(update(Shop).where(Shop.id == shop_id).values(times))


def sweep(database: Database, now: datetime) -> int:
    """Mark all expired offers as gone, and take over the prices that sales have by now; returns how many there were. A
    shop whose import runs is left to the next sweep: the import knows these offers and may just be renewing them."""
    with database.read() as connection:
        wholly, partly = _expired_shops(connection, now)
        shops = dict.fromkeys((*wholly, *partly, *turned_shops(connection, now)))
    return sum(_sweep_shop(database, shop_id, now) for shop_id in shops)


def _sweep_shop(database: Database, shop_id: int, now: datetime) -> int:
    with database.read() as connection:
        slug = connection.scalar(select(Shop.slug).where(Shop.id == shop_id))
    with shop_lock(database, str(slug)) as free:
        if not free:
            return 0
        with database.session() as connection, switch_lock(database, connection), begin_write(connection):
            # Asked again under the lock: an import may have renewed the shop meanwhile.
            wholly, partly = _expired_shops(connection, now)
            seen_after = now if shop_id in wholly else partly.get(shop_id)
            gone = 0 if seen_after is None else _take_for_gone(connection, shop_id, seen_after, now)
            return gone + (take_turns(connection, shop_id, now) if shop_id in turned_shops(connection, now) else 0)


def _take_for_gone(connection: Connection, shop_id: int, seen_after: datetime, now: datetime) -> int:
    old = (OfferRow.shop_id == shop_id, OfferRow.gone_at.is_(None), OfferRow.last_seen <= seen_after)
    advance_generation(connection)
    note_changes(connection, select(OfferRow.id).where(*old))
    gone = connection.execute(update(OfferRow).where(*old).values(gone_at=now)).rowcount
    living = select(OfferRow.id).where(OfferRow.shop_id == shop_id, OfferRow.gone_at.is_(None))
    connection.execute(delete(Listing).where(Listing.shop_id == shop_id, Listing.offer_id.not_in(living)))
    first = select(func.min(OfferRow.last_seen)).where(OfferRow.shop_id == shop_id, OfferRow.gone_at.is_(None))
    oldest = connection.scalar(first)
    shop = connection.execute(select(Shop.time_to_live, Shop.last_expiry).where(Shop.id == shop_id)).one()
    times = {
        "first_expiry": None if oldest is None else Validity(oldest, shop.time_to_live).until,
        "last_expiry": None if oldest is None else shop.last_expiry,
    }
    connection.execute(update(Shop).where(Shop.id == shop_id).values(times))
    # Should the feed come back as it was, it has to be read again.
    connection.execute(update(SourceRow).where(SourceRow.shop_id == shop_id).values(remembered="{}"))
    return gone
