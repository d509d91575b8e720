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
from mapsi.catalog.store.database import Database
from mapsi.catalog.store.tables import Answer, Quota, Source


@dataclass(frozen=True, slots=True)
class QueryAnswer:
    """When a query was answered; ``taken`` says whether its offers were taken over already, by a run that could not ask
    all queries."""

    query: str
    answered_at: datetime
    taken: bool


def load_answers(connection: Connection, source_id: int) -> list[QueryAnswer]:
    """The answers that are kept, the oldest first."""
    query = select(Answer.query, Answer.answered_at, Answer.taken).where(Answer.source_id == source_id)
    return [QueryAnswer(*row) for row in connection.execute(query.order_by(Answer.answered_at, Answer.query))]


def load_answer(connection: Connection, source_id: int, query: str) -> list[Offer]:
    """The offers of one answer."""
    kept = select(Answer.offers).where(Answer.source_id == source_id, Answer.query == query)
    return [_offer(values) for values in json.loads(connection.execute(kept).scalar_one())]


def save_answer(connection: Connection, source_id: int, query: str, offers: Sequence[Offer], now: datetime) -> None:
    """Keep what a query brought, in the place of what it brought before."""
    connection.execute(delete(Answer).where(Answer.source_id == source_id, Answer.query == query))
    told = json.dumps([asdict(offer) for offer in offers], ensure_ascii=False, default=str)
    row = {"source_id": source_id, "query": query, "answered_at": now, "taken": False, "offers": told}
    connection.execute(insert(Answer).values(row))


def mark_answers_taken(connection: Connection, shop_id: int) -> None:
    """Note that what the queries of the shop's source brought was taken over."""
    source = select(Source.id).where(Source.shop_id == shop_id).scalar_subquery()
    connection.execute(update(Answer).where(Answer.source_id == source).values(taken=True))


def _offer(values: Mapping[str, Any]) -> Offer:
    prices = {name: None if values[name] is None else Decimal(values[name]) for name in ("price", "sale_price")}
    return Offer(**{**values, **prices})


def spend_call(database: Database, account: str, day: str, limit: int) -> bool:
    """Count one call of the account; gives False, and counts nothing, where the day's ``limit`` is reached."""
    with database.write() as connection:
        _open_day(connection, account, day)
        mine = (Quota.account == account, Quota.day == day)
        counted = update(Quota).where(*mine, Quota.used < limit).values(used=Quota.used + 1)
        return connection.execute(counted).rowcount == 1


def _open_day(connection: Connection, account: str, day: str) -> None:
    row = insert(Quota).values(account=account, day=day, used=0).prefix_with("OR IGNORE", dialect="sqlite")
    for server in ("mysql", "mariadb"):
        row = row.prefix_with("IGNORE", dialect=server)
    connection.execute(row)


def exhaust_calls(database: Database, account: str, day: str, limit: int) -> None:
    """Take the day's calls for used up."""
    with database.write() as connection:
        _open_day(connection, account, day)
        mine = (Quota.account == account, Quota.day == day)
        connection.execute(update(Quota).where(*mine).values(used=limit))


def calls_used(connection: Connection, account: str, day: str) -> int:
    """How many calls of the day were counted."""
    return connection.scalar(select(Quota.used).where(Quota.account == account, Quota.day == day)) or 0
