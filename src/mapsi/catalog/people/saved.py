"""Products that people save: what each costs now and cost then, and whether it is still on offer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from mapsi.catalog.listings.browsing import load_offers, shown_among
from mapsi.catalog.product import Product
from mapsi.catalog.store.database import Database
from mapsi.catalog.store.expiry import read_expired
from mapsi.catalog.store.money import from_minor, to_minor
from mapsi.catalog.store.people_tables import SavedRow, User
from mapsi.catalog.store.tables import Price

Saved = Mapping[int, datetime]
"""Offers by number, and when each was saved (UTC)."""

MOST = 1000
"""How many products an account may save."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedProduct:
    """``product`` as it is, or last was where it is no longer ``shown``. ``price_then`` is the lowest price at the
    moment of saving, ``None`` where it was in another currency."""

    product: Product
    saved_at: datetime
    price_then: Decimal | None
    shown: bool

    @property
    def drop(self) -> Decimal:
        """How much less it costs than when it was saved; 0 where it does not, or is gone."""
        if not self.shown or self.price_then is None:
            return Decimal(0)
        return max(Decimal(0), self.price_then - self.product.lowest_price)


class SavedProducts:
    """What is known of the products that somebody saved."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def look_up(self, saved: Saved) -> list[SavedProduct]:
        """The products, the latest saved first; numbers of no offer are left out."""
        ids = sorted(saved, key=lambda number: (saved[number], number), reverse=True)
        with self._database.read() as connection:
            shown = shown_among(connection, ids, read_expired(connection, self._database.now()))
            products = load_offers(connection, ids, self._database.now())
            then = _prices_then(connection, {product.id: saved[product.id] for product in products})
        return [
            SavedProduct(
                product=product,
                saved_at=saved[product.id],
                price_then=_price(then.get(product.id), product.currency),
                shown=product.id in shown,
            )
            for product in products
        ]

    def of(self, account_id: int) -> dict[int, datetime]:
        """What an account saved."""
        mine = select(SavedRow.offer_id, SavedRow.saved_at).where(SavedRow.user_id == account_id)
        with self._database.read() as connection:
            return {row.offer_id: row.saved_at for row in connection.execute(mine)}

    def add(self, account_id: int, saved: Saved) -> dict[int, datetime]:
        """Save these for an account, but those that it has already and those that no shop ever had; returns what there
        was no room for. An account that was removed meanwhile saves nothing."""
        try:
            return self._add(account_id, saved)
        except IntegrityError:  # the same product, saved by another request in the same moment
            return self._add(account_id, saved)

    def _add(self, account_id: int, saved: Saved) -> dict[int, datetime]:
        with self._database.write() as connection:
            if connection.scalar(select(User.id).where(User.id == account_id)) is None:
                return {}
            mine = set(connection.scalars(select(SavedRow.offer_id).where(SavedRow.user_id == account_id)))
            real = [product.id for product in load_offers(connection, [one for one in saved if one not in mine])]
            room = max(0, MOST - len(mine))
            rows = [{"user_id": account_id, "offer_id": one, "saved_at": saved[one]} for one in real[:room]]
            if rows:
                connection.execute(insert(SavedRow), rows)
        return {one: saved[one] for one in real[room:]}

    def remove(self, account_id: int, offer_id: int) -> None:
        """Take a product off an account's list."""
        with self._database.write() as connection:
            mine = (SavedRow.user_id == account_id, SavedRow.offer_id == offer_id)
            connection.execute(delete(SavedRow).where(*mine))

    def fallen(self, account_id: int) -> list[SavedProduct]:
        """What an account saved that costs less than when it was saved, and less than the last email told."""
        told = select(SavedRow.offer_id, SavedRow.told_price).where(SavedRow.user_id == account_id)
        with self._database.read() as connection:
            prices = {row.offer_id: row.told_price for row in connection.execute(told)}
        cheaper = [one for one in self.look_up(self.of(account_id)) if one.drop]
        return [one for one in cheaper if _is_news(one, prices.get(one.product.id))]

    def told(self, account_id: int, fallen: Sequence[SavedProduct]) -> None:
        """Note that an email told of these prices."""
        with self._database.write() as connection:
            for one in fallen:
                mine = (SavedRow.user_id == account_id, SavedRow.offer_id == one.product.id)
                connection.execute(update(SavedRow).where(*mine).values(told_price=_minor(one)))

    def known(self, offer_id: int) -> bool:
        """Whether there is or was such an offer."""
        with self._database.read() as connection:
            return bool(load_offers(connection, [offer_id]))


def _minor(one: SavedProduct) -> int:
    return to_minor(one.product.lowest_price, one.product.currency)


def _is_news(one: SavedProduct, told: int | None) -> bool:
    return told is None or _minor(one) < told


def _price(then: tuple[int, str] | None, currency: str) -> Decimal | None:
    return from_minor(then[0], currency) if then is not None and then[1] == currency else None


def _prices_then(connection: Connection, saved: Saved) -> dict[int, tuple[int, str]]:
    """The lowest price of each offer, in minor units, and its currency, from the history at the moment it was saved;
    for a moment before the history begins, its first."""
    query = select(Price.offer_id, Price.seen_at, Price.lowest_price, Price.currency).where(Price.offer_id.in_(saved))
    then: dict[int, tuple[int, str]] = {}
    for offer, seen_at, price, currency in connection.execute(query.order_by(Price.offer_id, Price.seen_at)):
        if offer not in then or seen_at <= saved[offer]:
            then[offer] = (price, currency)
    return then
