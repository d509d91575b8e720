"""Searches that people keep, and, only for those who switched it on, which words they searched for when."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, func, insert, literal, select

from mapsi.catalog.store.database import Database, storable
from mapsi.catalog.store.people_tables import HistoryRow, KeptSearchRow, User
from mapsi.catalog.store.tables import UtcTime
from mapsi.errors import UsageError

MOST = 100
"""How many searches one account may keep."""

LONGEST = 1000
"""Characters of an address that is kept."""

HISTORY = timedelta(days=90)
"""How long a history goes back."""

AGAIN = timedelta(minutes=30)
"""How long words that are searched for again count as the same search."""

MOST_REMEMBERED = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSearch:
    """``query`` is the part of its address behind the ``?``, ``name`` what its person sees."""

    id: int
    name: str
    query: str
    made_at: datetime


@dataclass(frozen=True, slots=True)
class PastSearch:
    """Words that somebody searched for at a time (UTC)."""

    words: str
    at: datetime


class PeoplesSearches:
    """The kept searches and histories of one catalogue's accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, account_id: int, name: str, query: str) -> None:
        """Keep a search; one that is kept already stays. Raises :class:`UsageError` where it is too long, or where the
        account has no room."""
        if len(query) > LONGEST:
            raise UsageError(f"The search has {len(query):,} characters.", "Save one with fewer filters.")
        mine = KeptSearchRow.user_id == account_id
        with self._database.write() as connection:
            kept = list(connection.scalars(select(KeptSearchRow.query).where(mine)))
            if query in kept:
                return
            if len(kept) >= MOST:
                raise UsageError(f"{MOST} searches are already saved.", "Remove one first.")
            # Out of the accounts there are: one that was removed in this moment keeps nothing.
            now = literal(self._database.now(), UtcTime)
            row = select(User.id, literal(storable(name, 200)), literal(query), now).where(User.id == account_id)
            connection.execute(insert(KeptSearchRow).from_select(["user_id", "name", "query", "made_at"], row))

    def of(self, account_id: int) -> list[KeptSearch]:
        """What an account keeps, the latest first."""
        mine = select(KeptSearchRow).where(KeptSearchRow.user_id == account_id)
        with self._database.read() as connection:
            return [
                KeptSearch(id=row.id, name=row.name, query=row.query, made_at=row.made_at)
                for row in connection.execute(mine.order_by(KeptSearchRow.made_at.desc(), KeptSearchRow.id.desc()))
            ]

    def drop(self, account_id: int, search_id: int) -> None:
        """Stop keeping a search; another account's stays."""
        mine = (KeptSearchRow.user_id == account_id, KeptSearchRow.id == search_id)
        with self._database.write() as connection:
            connection.execute(delete(KeptSearchRow).where(*mine))

    def remember(self, account_id: int, text: str) -> None:
        """Note the words of a search in the history of an account that has one; in no other's. Words that were searched
        for within ``AGAIN`` are moved up: a page that is loaded again, with a filter or without, is the same search."""
        words, now = storable(" ".join(text.split()), 256), self._database.now()
        mine = HistoryRow.user_id == account_id
        with self._database.write() as connection:
            wanted = select(User.id, literal(words), literal(now, UtcTime)).where(
                User.id == account_id, User.keeps_history
            )
            again = (HistoryRow.words == words, HistoryRow.searched_at >= now - AGAIN)
            connection.execute(delete(HistoryRow).where(mine, *again))
            connection.execute(insert(HistoryRow).from_select(["user_id", "words", "searched_at"], wanted))
            connection.execute(delete(HistoryRow).where(mine, HistoryRow.searched_at < now - HISTORY))
            count = connection.scalar(select(func.count()).select_from(HistoryRow).where(mine)) or 0
            if count > MOST_REMEMBERED:
                oldest = select(HistoryRow.id).where(mine).order_by(HistoryRow.id).limit(count - MOST_REMEMBERED)
                gone = list(connection.scalars(oldest))
                connection.execute(delete(HistoryRow).where(HistoryRow.id.in_(gone)))

    def history(self, account_id: int) -> list[PastSearch]:
        """An account's history of the last ``HISTORY``, the latest first."""
        mine = (HistoryRow.user_id == account_id, HistoryRow.searched_at >= self._database.now() - HISTORY)
        with self._database.read() as connection:
            rows = connection.execute(select(HistoryRow).where(*mine).order_by(HistoryRow.id.desc()))
            return [PastSearch(row.words, row.searched_at) for row in rows]

    def forget(self, account_id: int) -> None:
        """Empty an account's history."""
        with self._database.write() as connection:
            connection.execute(delete(HistoryRow).where(HistoryRow.user_id == account_id))

    def forget_old(self) -> None:
        """Drop what every history has from before ``HISTORY``, also of people who search no more."""
        with self._database.write() as connection:
            connection.execute(delete(HistoryRow).where(HistoryRow.searched_at < self._database.now() - HISTORY))
