"""Ways to shops: how many clicks led to each shop on each day, and to which classes. Nothing of who clicked is kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from mapsi.catalog.product import Product
from mapsi.catalog.store.database import Database
from mapsi.catalog.store.operator_tables import ClickRow

KEPT = timedelta(days=400)
"""A year to compare with, and a little more."""

ALL = ("", "")
"""The axis and class under which every click of a shop is counted once."""


@dataclass(frozen=True, slots=True)
class ClickCount:
    """``name`` is a day (``2026-03-01``), the slug of a shop, or a class as ``axis:slug``."""

    name: str
    times: int


class Clicks:
    """The counts of one catalogue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, product: Product) -> None:
        """Count a click through to the product's shop."""
        day = f"{self._database.now():%Y-%m-%d}"
        with self._database.write() as connection:
            for axis, slug in (ALL, *product.classes):
                _count(connection, {"day": day, "shop": product.shop, "axis": axis, "slug": slug})
            oldest = f"{self._database.now() - KEPT:%Y-%m-%d}"
            connection.execute(delete(ClickRow).where(ClickRow.day < oldest))

    def by_day(self, days: int = 14) -> list[ClickCount]:
        """Clicks on each of the latest days, the latest first; days without any are left out."""
        return self._summed(ClickRow.day, days, _of_class(ALL), order=[ClickRow.day.desc()])

    def by_shop(self, days: int = 14) -> list[ClickCount]:
        """Clicks to each shop in the last ``days`` days, the most first."""
        return self._summed(ClickRow.shop, days, _of_class(ALL))

    def by_class(self, days: int = 14) -> list[ClickCount]:
        """Clicks to each class in the last ``days`` days, the most first; a product counts for each of its classes."""
        return self._summed(ClickRow.axis + ":" + ClickRow.slug, days, [ClickRow.axis != ""])

    def _summed(
        self, name: Any, days: int, conditions: Iterable[ColumnElement[bool]], order: list[Any] | None = None
    ) -> list[ClickCount]:
        since = f"{self._database.now() - timedelta(days=days - 1):%Y-%m-%d}"
        times = func.sum(ClickRow.times)
        query = select(name, times).where(ClickRow.day >= since, *conditions).group_by(name)
        with self._database.read() as connection:
            rows = connection.execute(query.order_by(*(order or [times.desc(), name])))
            return [ClickCount(said, int(number)) for said, number in rows]


def _of_class(of: tuple[str, str]) -> list[ColumnElement[bool]]:
    return [ClickRow.axis == of[0], ClickRow.slug == of[1]]


def _count(connection: Connection, key: dict[str, str]) -> None:
    same = [getattr(ClickRow, name) == value for name, value in key.items()]
    again = update(ClickRow).where(*same).values(times=ClickRow.times + 1)
    if connection.execute(again).rowcount:
        return
    try:
        with connection.begin_nested():
            connection.execute(insert(ClickRow).values(times=1, **key))
    except IntegrityError:
        connection.execute(again)
