"""Words that found nothing: what shoppers want and no shop has, or calls otherwise. Nothing of who asked is kept."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from mapsi.catalog.store.database import Database, storable
from mapsi.catalog.store.tables import Unanswered

KEPT = 1000
"""So many queries are kept, the latest: strangers can type forever."""


@dataclass(frozen=True, slots=True)
class UnansweredQuery:
    """``words`` in small letters with single spaces, how often they found nothing, and when last (UTC)."""

    words: str
    times: int
    last: datetime


class UnansweredQueries:
    """The book of queries that found nothing."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def note(self, text: str) -> None:
        """Note that ``text`` found nothing."""
        words = storable(" ".join(text.lower().split()), 256)
        if not words:
            return
        now = self._database.now()
        again = update(Unanswered).where(Unanswered.words == words).values(times=Unanswered.times + 1, last_at=now)
        with self._database.write() as connection:
            if connection.execute(again).rowcount:
                return
            try:
                with connection.begin_nested():
                    connection.execute(insert(Unanswered).values(words=words, times=1, last_at=now))
            except IntegrityError:
                connection.execute(again)
            newest = select(Unanswered.last_at).order_by(Unanswered.last_at.desc()).offset(KEPT - 1).limit(1)
            oldest = connection.scalar(newest)
            if oldest is not None:
                connection.execute(delete(Unanswered).where(Unanswered.last_at < oldest))

    def latest(self, count: int = 50) -> list[UnansweredQuery]:
        """The queries that found nothing most often, of equals the latest first."""
        often = select(Unanswered).order_by(Unanswered.times.desc(), Unanswered.last_at.desc()).limit(count)
        with self._database.read() as connection:
            return [UnansweredQuery(row.words, row.times, row.last_at) for row in connection.execute(often)]
