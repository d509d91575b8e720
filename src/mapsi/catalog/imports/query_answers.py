"""What the queries of a source brought so far, and the calls that they cost: both outlive a run that ends early."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from mapsi.catalog.offer import Offer
from mapsi.catalog.records import SourceRecord
from mapsi.catalog.store.database import Database
from mapsi.catalog.store.tables import AnswerRow, QuotaRow, SourceRow


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """When a query was answered; ``taken`` says whether its offers were taken over already, by a run that could not ask
    all queries."""

    query: str
    answered_at: datetime
    taken: bool


def mark_answers_taken(connection: Connection, shop_id: int) -> None:
    """Note that what the queries of the shop's source brought was taken over."""
    source = select(SourceRow.id).where(SourceRow.shop_id == shop_id).scalar_subquery()
    connection.execute(update(AnswerRow).where(AnswerRow.source_id == source).values(taken=True))


def _offer(values: Mapping[str, Any]) -> Offer:
    prices = {name: None if values[name] is None else Decimal(values[name]) for name in ("price", "sale_price")}
    return Offer(**{**values, **prices})


class QueryAnswers:
    """What the queries of sources brought until all queries of the source are answered."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, source: SourceRecord) -> list[QueryAnswer]:
        """The queries of the source that were answered since all of them were, the oldest answer first."""
        columns = (AnswerRow.query, AnswerRow.answered_at, AnswerRow.taken)
        query = (
            select(*columns).where(AnswerRow.source_id == source.id).order_by(AnswerRow.answered_at, AnswerRow.query)
        )
        with self._database.read() as connection:
            return [QueryAnswer(*row) for row in connection.execute(query)]

    def offers(self, source: SourceRecord, query: str) -> list[Offer]:
        """The offers that a query brought."""
        kept = select(AnswerRow.offers).where(AnswerRow.source_id == source.id, AnswerRow.query == query)
        with self._database.read() as connection:
            return [_offer(values) for values in json.loads(connection.execute(kept).scalar_one())]

    def save(self, source: SourceRecord, query: str, offers: Sequence[Offer]) -> None:
        """Keep what a query brought, in place of what it brought before."""
        told = json.dumps([asdict(offer) for offer in offers], ensure_ascii=False, default=str)
        row = {"answered_at": self._database.now(), "taken": False, "offers": told}
        with self._database.write() as connection:
            connection.execute(delete(AnswerRow).where(AnswerRow.source_id == source.id, AnswerRow.query == query))
            connection.execute(insert(AnswerRow).values(source_id=source.id, query=query, **row))


class Calls:
    """How many calls each account spent on each day, of those that it has a day."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def spend(self, account: str, day: str, limit: int) -> bool:
        """Count one call of an account on a day; False, and nothing counted, where ``limit`` is reached."""
        with self._database.write() as connection:
            _open_day(connection, account, day)
            mine = (QuotaRow.account == account, QuotaRow.day == day)
            counted = update(QuotaRow).where(*mine, QuotaRow.used < limit).values(used=QuotaRow.used + 1)
            return connection.execute(counted).rowcount == 1

    def exhaust(self, account: str, day: str, limit: int) -> None:
        """Treat the account's calls of that day as used up."""
        with self._database.write() as connection:
            _open_day(connection, account, day)
            mine = (QuotaRow.account == account, QuotaRow.day == day)
            connection.execute(update(QuotaRow).where(*mine).values(used=limit))

    def used(self, account: str, day: str) -> int:
        """How many calls of the account were counted on that day."""
        with self._database.read() as connection:
            return connection.scalar(select(QuotaRow.used).where(QuotaRow.account == account, QuotaRow.day == day)) or 0


def _open_day(connection: Connection, account: str, day: str) -> None:
    row = insert(QuotaRow).values(account=account, day=day, used=0).prefix_with("OR IGNORE", dialect="sqlite")
    for server in ("mysql", "mariadb"):
        row = row.prefix_with("IGNORE", dialect=server)
    connection.execute(row)
