"""What photo answers are narrowed and ordered by: a few numbers of each offer that is shown, in memory, 40 bytes each.

The index of words counts products; here it is single offers, whose pictures a photo is compared with. They are read
with the first photo, not with the first word, and follow the change log.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_CEILING, ROUND_FLOOR
from threading import Lock
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection, select

from mapsi.arrays import BoolArray, IntArray
from mapsi.batches import batched
from mapsi.catalog.filters import Filters, Sort
from mapsi.catalog.store.changes import changes_since
from mapsi.catalog.store.expiry import Expired
from mapsi.catalog.store.money import to_order
from mapsi.catalog.store.tables import Listing, Shop
from mapsi.errors import NotBuiltYetError

PATIENCE = 10.0
"""Seconds that a question waits for another thread which reads the first columns."""
_PART = 500
_FIELDS = ("offer_id", "shop_id", "price_order", "joined", "audience", "classes", "colors")
_NONE = 0


@dataclass(frozen=True, slots=True)
class OfferColumns:
    """One entry an offer, by rising ``offer``: its ``price`` in ten-thousandths of a unit, its shop's number, the
    number under which its product is ``joined`` with those of other shops, 0 where it is not, and codes of audience,
    classes and colours, whose values are texts in ``values``. ``shops`` gives the number of a slug."""

    generation: int
    offer: IntArray
    price: IntArray
    shop: IntArray
    joined: IntArray
    codes: Mapping[str, npt.NDArray[np.int32]]
    values: Mapping[str, Sequence[str]]
    shops: Mapping[str, int]
    placed: list[tuple[IntArray, IntArray, BoolArray]] = field(default_factory=list, repr=False, compare=False)

    def places_in(self, index: IntArray) -> tuple[IntArray, BoolArray]:
        """:meth:`places` of the offers of a whole ``index``, which every answer asks about: remembered for the last
        one. Nobody may write into it."""
        for known, at, here in self.placed:
            if known is index:
                return at, here
        at, here = self.places(index)
        self.placed[:] = [(index, at, here)]
        return at, here

    def places(self, offers: IntArray) -> tuple[IntArray, BoolArray]:
        """Where each of ``offers`` stands, and whether it does: of (5, 8, 9) among (3, 5, 9) here, (1, 2, 2), where
        (5, 9, 9) stand; 8 is not here. There has to be any."""
        at = np.minimum(np.searchsorted(self.offer, offers), len(self.offer) - 1)
        return at, self.offer[at] == offers

    def masks(self, at: IntArray, filters: Filters) -> Iterable[BoolArray]:
        """Which of the entries ``at`` pass, filter by filter."""
        price = self.price[at]
        if filters.min_price is not None:
            yield price >= int(to_order(filters.min_price).to_integral_value(ROUND_CEILING))
        if filters.max_price is not None:
            yield price <= int(to_order(filters.max_price).to_integral_value(ROUND_FLOOR))
        if filters.shops:
            yield np.isin(self.shop[at], [self.shops[slug] for slug in filters.shops if slug in self.shops])
        if filters.audiences:
            yield self._holding("audience", at, filters.admitted_audiences)
        if filters.colors:
            yield self._holding("colors", at, filters.colors)
        for axis, slugs in filters.classes.items():
            if slugs:
                yield self._holding("classes", at, [f"{axis}:{slug}" for slug in slugs])

    def _holding(self, name: str, at: IntArray, wanted: Iterable[str]) -> BoolArray:
        """Where a value, a text of words, has one that is wanted."""
        known = set(wanted)
        lets = np.array([not known.isdisjoint(value.split()) for value in self.values[name]], np.bool_)
        return np.asarray(lets[self.codes[name][at]])


@dataclass(frozen=True, slots=True)
class Shown:
    """What is shown at one moment: ``columns``, but for what has ``expired``."""

    columns: OfferColumns
    expired: Expired

    def narrow(self, offers: IntArray, filters: Filters) -> BoolArray:
        """Which of an index's ``offers``, shape (n,), are shown and pass the filters."""
        columns, expired = self.columns, self.expired
        if not len(columns.offer):
            return np.zeros(len(offers), np.bool_)
        at, here = columns.places_in(offers)
        keep = here.copy()
        for mask in columns.masks(at, filters):
            keep &= mask
        if expired:
            keep &= ~np.isin(columns.shop[at], list(expired.shops)) & ~np.isin(offers, list(expired.offers))
        return keep

    def joined(self, offers: Sequence[int]) -> list[int]:
        """Those of ``offers`` that other shops have as well."""
        if not len(self.columns.offer):
            return []
        at, here = self.columns.places(np.array(offers, np.int64))
        return [
            offer for offer, is_one in zip(offers, here & (self.columns.joined[at] != _NONE), strict=True) if is_one
        ]

    def by_price(self, offers: Sequence[int], sort: Sort) -> list[int]:
        """Those of ``offers`` that are listed, by their lowest price; equal ones in the order given."""
        if not len(self.columns.offer):
            return []
        at, here = self.columns.places(np.array(offers, np.int64))
        prices = self.columns.price[at]
        order = np.argsort(-prices if sort == "price-down" else prices, kind="stable")
        return [offers[k] for k in order if here[k]]


class ColumnsKeeper:
    """Hands out the columns of the generation that a transaction sees. Safe to share between threads."""

    def __init__(self) -> None:
        self._kept: OfferColumns | None = None
        self._lock = Lock()

    def at(self, connection: Connection, generation: int) -> OfferColumns | None:
        """The columns of the ``generation`` that a transaction sees, or of one before it while another thread reads
        what changed since; ``None`` where a later one has moved them on. Raises :class:`NotBuiltYetError` where the
        first ones take longer than a question may wait."""
        kept = self._kept
        if kept is None or kept.generation < generation:
            kept = self._follow(connection, generation)
        return None if kept.generation > generation else kept

    def _follow(self, connection: Connection, generation: int) -> OfferColumns:
        # A million offers are read anew in about ten seconds: not every thread of a server is to stand behind it.
        if not self._lock.acquire(timeout=PATIENCE if self._kept is None else 0):
            if self._kept is None:
                raise NotBuiltYetError("The prices of all products are being read.", "Try again in a minute.")
            return self._kept
        try:
            if self._kept is None or self._kept.generation < generation:
                self._kept = _catch_up(connection, self._kept, generation)
            return self._kept
        finally:
            self._lock.release()


def _shop_numbers(connection: Connection) -> dict[str, int]:
    """The number of each shop by its slug."""
    return {row.slug: row.id for row in connection.execute(select(Shop.slug, Shop.id))}


def _catch_up(connection: Connection, before: OfferColumns | None, generation: int) -> OfferColumns:
    query = select(*(getattr(Listing, name) for name in _FIELDS)).order_by(Listing.offer_id)
    changed = None if before is None else changes_since(connection, before.generation)
    if before is None or changed is None:
        return _columns(generation, connection.execute(query), _shop_numbers(connection))
    rows = [
        row for part in batched(changed, _PART) for row in connection.execute(query.where(Listing.offer_id.in_(part)))
    ]
    return _joined(before, np.array(changed, np.int64), _columns(generation, rows, _shop_numbers(connection)))


def _columns(generation: int, rows: Iterable[Any], shops: Mapping[str, int]) -> OfferColumns:
    known: dict[str, dict[str, int]] = {name: {} for name in ("audience", "classes", "colors")}

    def code(name: str, text: str | None) -> int:
        return known[name].setdefault(text or "", len(known[name]))

    numbers = [
        (
            row.offer_id,
            row.shop_id,
            row.price_order,
            row.joined or _NONE,
            *(code(name, getattr(row, name)) for name in known),
        )
        for row in rows
    ]
    table = np.array(numbers, np.int64).reshape(-1, 7)
    codes = {name: table[:, 4 + at].astype(np.int32) for at, name in enumerate(known)}
    values = {name: tuple(texts) for name, texts in known.items()}
    offer, shop, price, joined = (np.ascontiguousarray(table[:, at]) for at in range(4))
    return OfferColumns(generation, offer, price, shop, joined, codes, values, shops)


def _joined(before: OfferColumns, changed: IntArray, fresh: OfferColumns) -> OfferColumns:
    """The columns before without what ``changed``, and the ``fresh`` ones of that.

    Offers (3, 5, 9) of which (5, 9) changed, 5 to nothing, and a fresh 9: 3 is kept, the offers are (3, 9). Where the
    values were ("knit", "coat") and the fresh ones are ("coat",), they become ("knit", "coat", "coat"), and the fresh
    code 0 becomes 2.
    """
    kept = ~np.isin(before.offer, changed)
    offer = np.concatenate((before.offer[kept], fresh.offer))
    order = np.argsort(offer, kind="stable")

    def join(one: Callable[[OfferColumns], npt.NDArray[Any]]) -> npt.NDArray[Any]:
        return np.concatenate((one(before)[kept], one(fresh)))[order]

    values = {name: (*before.values[name], *fresh.values[name]) for name in before.values}
    codes = {
        name: np.concatenate((before.codes[name][kept], fresh.codes[name] + len(before.values[name])))[order]
        for name in before.codes
    }
    price, shop, joined = join(lambda c: c.price), join(lambda c: c.shop), join(lambda c: c.joined)
    return OfferColumns(fresh.generation, offer[order], price, shop, joined, codes, values, fresh.shops)
