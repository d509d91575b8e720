"""What shoppers search for by words: how often, and whether it finds anything. Nothing of who asked is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from mapsi.catalog.store.database import Database, storable
from mapsi.catalog.store.operator_tables import SearchRow

KEPT = 1000
"""How many searches that find something are kept, and how many that find nothing, the latest of each: strangers can
type forever."""


@dataclass(frozen=True, slots=True)
class Search:
    """``words`` in lower case with single spaces, how often they were searched for, how many products they found
    last, and when that was (UTC)."""

    words: str
    times: int
    found: int
    last: datetime


class Searches:
    """The record of searches in one catalogue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, text: str, found: int) -> None:
        """Note how many products ``text`` found."""
        words = storable(" ".join(text.lower().split()), 256)
        if not words:
            return
        now = self._database.now()
        values = {"found": found, "last_at": now}
        again = update(SearchRow).where(SearchRow.words == words).values(times=SearchRow.times + 1, **values)
        with self._database.write() as connection:
            if connection.execute(again).rowcount:
                return
            try:
                with connection.begin_nested():
                    connection.execute(insert(SearchRow).values(words=words, times=1, **values))
            except IntegrityError:
                connection.execute(again)
            alike = SearchRow.found > 0 if found else SearchRow.found == 0
            newest = select(SearchRow.last_at).where(alike).order_by(SearchRow.last_at.desc()).offset(KEPT - 1).limit(1)
            oldest = connection.scalar(newest)
            if oldest is not None:
                connection.execute(delete(SearchRow).where(alike, SearchRow.last_at < oldest))

    def top(self, count: int = 50) -> list[Search]:
        """The searches that were made most often and found something."""
        return self._often(count, found=True)

    def unanswered(self, count: int = 50) -> list[Search]:
        """The searches that found nothing most often, among equals the latest first."""
        return self._often(count, found=False)

    def _often(self, count: int, *, found: bool) -> list[Search]:
        alike = SearchRow.found > 0 if found else SearchRow.found == 0
        often = select(SearchRow).where(alike).order_by(SearchRow.times.desc(), SearchRow.last_at.desc()).limit(count)
        with self._database.read() as connection:
            return [Search(row.words, row.times, row.found, row.last_at) for row in connection.execute(often)]
