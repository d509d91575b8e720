"""What is kept of people for a while only goes when its time is over, also where nothing else happens."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, and_, delete, or_, select

from mapsi.catalog.people.emails import LIFE, PAUSES
from mapsi.catalog.people.sessions import LIFE as LOGGED_IN
from mapsi.catalog.store.database import Database
from mapsi.catalog.store.people_tables import EmailRow, SessionRow, TraceRow


def forget_people(database: Database, now: datetime) -> None:
    """Delete emails that were given up or that are out and too old to hold another one back, log-ins that are over, and
    the traces of removed accounts that no link is left from. Writes nothing where there are none."""
    over = (
        (EmailRow, _is_over(now)),
        (SessionRow, SessionRow.seen_at < now - LOGGED_IN),
        (TraceRow, TraceRow.until < now),
    )
    with database.read() as connection:
        found = [(table, where) for table, where in over if connection.scalar(select(1).where(where).limit(1))]
    if found:
        with database.write() as connection:
            for table, where in found:
                connection.execute(delete(table).where(where))


def _is_over(now: datetime) -> ColumnElement[bool]:
    """Of the emails: those that wait in vain, and those of each kind that are out and past its pause."""
    out = EmailRow.sent_at.is_not(None)
    paused = [and_(EmailRow.kind == kind, out, EmailRow.asked_at < now - pause) for kind, pause in PAUSES.items()]
    return or_(EmailRow.asked_at < now - LIFE, *paused)
