"""Who is logged in: one row a log-in, so that logging out ends it wherever its cookie has been copied to."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from sqlalchemy import delete, insert, literal, select, update

from mapsi.catalog.people.accounts import Account, account_of
from mapsi.catalog.store.database import Database
from mapsi.catalog.store.people_tables import SessionRow, User
from mapsi.catalog.store.tables import UtcTime

LIFE = timedelta(days=60)
"""After this long without a visit one has to log in again."""

FRESH = timedelta(hours=12)
"""How old the time of the last visit may be before it is written again: no write for every page."""

TOKEN_BYTES = 32


class Sessions:
    """The sessions of one catalogue. A token is kept as its SHA-256 only: a copy of the database logs nobody in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def open(self, account_id: int) -> str:
        """Log an account in; returns the token, 256 bits that nobody can guess."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        now = self._database.now()
        with self._database.write() as connection:
            connection.execute(delete(SessionRow).where(SessionRow.seen_at < now - LIFE))
            # Out of the accounts there are: one that was removed in this moment is logged in nowhere.
            owner = select(literal(_digest(token)), User.id, literal(now, UtcTime)).where(User.id == account_id)
            connection.execute(insert(SessionRow).from_select(["digest", "user_id", "seen_at"], owner))
        return token

    def find(self, token: str) -> Account | None:
        """Whose session it is; ``None`` where it is over."""
        now = self._database.now()
        with self._database.read() as connection:
            query = select(User, SessionRow.seen_at).join(SessionRow, SessionRow.user_id == User.id)
            row = connection.execute(query.where(SessionRow.digest == _digest(token))).one_or_none()
        if row is None or row.seen_at < now - LIFE:
            return None
        if row.seen_at < now - FRESH:
            with self._database.write() as connection:
                connection.execute(update(SessionRow).where(SessionRow.digest == _digest(token)).values(seen_at=now))
        return account_of(row)

    def close(self, token: str) -> None:
        """Log out."""
        with self._database.write() as connection:
            connection.execute(delete(SessionRow).where(SessionRow.digest == _digest(token)))

    def close_others(self, account_id: int, token: str) -> None:
        """Log an account out everywhere but here."""
        with self._database.write() as connection:
            others = (SessionRow.user_id == account_id, SessionRow.digest != _digest(token))
            connection.execute(delete(SessionRow).where(*others))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
