"""Emails that wait to be sent: an outbox in the catalogue, so that none is lost while the mail server is down."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from sqlalchemy import delete, func, insert, select, update

from mapsi.catalog.store.database import Database
from mapsi.catalog.store.people_tables import EmailRow

EmailKind = Literal["password", "drops"]

PAUSES: Mapping[EmailKind, timedelta] = {"password": timedelta(minutes=10), "drops": timedelta(hours=20)}
"""One email of a kind to one address in this time: no stranger who types somebody's address floods their inbox, and
prices are told once a day."""

LIFE = timedelta(days=3)
"""An email that could not be sent for so long is given up: what it says is no longer true."""

MOST = 5000
"""How many emails may wait; more are dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """What is to be said to whom. Links in it are made when it is sent, so that none lies in the database. ``about`` is
    what JSON can hold."""

    id: int
    kind: EmailKind
    address: str
    language: str
    about: Mapping[str, Any]
    asked_at: datetime


class Emails:
    """The outbox of one catalogue."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, kind: EmailKind, address: str, language: str, about: Mapping[str, Any] | None = None) -> bool:
        """Have an email written; False where one of this kind was asked for within its ``PAUSES``, or too many wait."""
        now = self._database.now()
        with self._database.write() as connection:
            connection.execute(delete(EmailRow).where(EmailRow.asked_at < now - LIFE))
            same = (EmailRow.kind == kind, EmailRow.address == address, EmailRow.asked_at > now - PAUSES[kind])
            lately = connection.scalar(select(func.count()).select_from(EmailRow).where(*same))
            waiting = connection.scalar(select(func.count()).select_from(EmailRow).where(EmailRow.sent_at.is_(None)))
            if lately or (waiting or 0) >= MOST:
                return False
            text = json.dumps(about or {}, ensure_ascii=False)
            values = {"kind": kind, "address": address, "language": language, "about": text, "asked_at": now}
            connection.execute(insert(EmailRow).values(**values))
            return True

    def waiting(self, limit: int = 100) -> list[Email]:
        """The emails that wait, the oldest first."""
        oldest = select(EmailRow).where(EmailRow.sent_at.is_(None)).order_by(EmailRow.asked_at, EmailRow.id)
        with self._database.read() as connection:
            return [
                Email(
                    id=row.id,
                    kind=row.kind,
                    address=row.address,
                    language=row.language,
                    about=json.loads(row.about),
                    asked_at=row.asked_at,
                )
                for row in connection.execute(oldest.limit(limit))
            ]

    def sent(self, email: Email) -> None:
        """The email is out; that it was is remembered for as long as another one would be too soon."""
        with self._database.write() as connection:
            now = self._database.now()
            connection.execute(update(EmailRow).where(EmailRow.id == email.id).values(sent_at=now, about="{}"))
