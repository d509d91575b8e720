"""Accounts: people known by an email address, some of them operators. Passwords come in hashed."""

from __future__ import annotations

import re
import secrets
import unicodedata
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from mapsi.catalog.store.database import Database
from mapsi.catalog.store.people_tables import (
    EmailRow,
    HistoryRow,
    KeptSearchRow,
    SavedRow,
    SessionRow,
    ShareRow,
    TraceRow,
    User,
)
from mapsi.errors import NotFoundError, UsageError

_ADDRESS = re.compile(r"""[^@\s,;:<>()\[\]"\\]+@[^@\s,;:<>()\[\]"\\]+""")
"""Without the letters that would make two addresses of one, or a name, where mail is written."""

LONGEST_ADDRESS = 254
"""RFC 5321, 4.5.3.1.3, less its angle brackets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Known by its email address in lower case; ``created_at`` is UTC, ``language`` the one that emails are written
    in. ``wants_mail`` says whether prices that fell are told by mail, ``keeps_history`` whether its searches are
    remembered."""

    id: int
    email: str
    password_hash: str = field(repr=False)
    language: str
    created_at: datetime
    is_operator: bool
    wants_mail: bool
    keeps_history: bool


@dataclass(frozen=True, slots=True)
class Trace:
    """What stays of a removed account until ``until``: that there was one, under a ``digest`` of its address whose key
    is not in the database."""

    digest: str
    until: datetime


class Accounts:
    """The accounts of one catalogue. Safe to share between threads; every call is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def check_new_operator(self, email: str) -> str:
        """The address as it is kept; raises :class:`UsageError` for what is none, or that of an operator."""
        address = checked_address(email)
        known = self.find(address)
        if known is not None and known.is_operator:
            raise UsageError(
                f"{address} is already an operator.", f"Set a new password: mapsi operator password {address}"
            )
        return address

    def add_operator(self, email: str, password_hash: str) -> Account:
        """Make somebody an operator, by a new account or the one they have; raises like :meth:`check_new_operator`."""
        return self._put(self.check_new_operator(email), password_hash, is_operator=True)

    def open(self, email: str, password_hash: str, language: str) -> Account:
        """Open an account, or give the one of this address another password; whoever is logged in to it is logged out.
        Raises :class:`UsageError` for what is not an email address."""
        return self._put(checked_address(email), password_hash, language=language)

    def _put(self, address: str, password_hash: str, **values: Any) -> Account:
        try:
            return self._written(address, password_hash, **values)
        except IntegrityError:  # opened by another request in the same moment
            return self._written(address, password_hash, **values)

    def _written(self, address: str, password_hash: str, *, language: str = "", **values: Any) -> Account:
        with self._database.write() as connection:
            change = update(User).where(User.email == address).values(password_hash=password_hash, **values)
            if connection.execute(change).rowcount:
                _end_sessions(connection, address)
            else:
                fresh = {"is_operator": False, "wants_mail": False, "keeps_history": False, **values}
                facts = {"email": address, "language": language, "password_hash": password_hash}
                connection.execute(insert(User).values(created_at=self._database.now(), **facts, **fresh))
            return _found(connection, User.email == address)

    def change_password(self, email: str, password_hash: str) -> Account:
        """Give an account another password, and end all its sessions; raises :class:`NotFoundError`."""
        address = typed_address(email)
        with self._database.write() as connection:
            connection.execute(update(User).where(User.email == address).values(password_hash=password_hash))
            _end_sessions(connection, address)
            return _found(connection, User.email == address)

    def want_mail(self, account_id: int, *, wanted: bool) -> None:
        """Whether prices that fell are told by mail. Where they are no longer wanted, those that wait are dropped."""
        with self._database.write() as connection:
            connection.execute(update(User).where(User.id == account_id).values(wants_mail=wanted))
            if not wanted:
                waiting = (EmailRow.kind == "drops", EmailRow.sent_at.is_(None))
                connection.execute(delete(EmailRow).where(EmailRow.address == _address_of(account_id), *waiting))

    def write_in(self, account_id: int, language: str) -> None:
        """The language that emails are written in from now on."""
        with self._database.write() as connection:
            connection.execute(update(User).where(User.id == account_id).values(language=language))

    def keep_history(self, account_id: int, *, wanted: bool) -> None:
        """Whether the words of its searches are remembered."""
        with self._database.write() as connection:
            connection.execute(update(User).where(User.id == account_id).values(keeps_history=wanted))

    def remove_operator(self, email: str) -> Account:
        """Take an operator's role and end their sessions; what they saved stays theirs. Raises
        :class:`NotFoundError`."""
        address = typed_address(email)
        with self._database.write() as connection:
            operator = _found(connection, User.email == address, User.is_operator)
            connection.execute(update(User).where(User.id == operator.id).values(is_operator=False))
            _end_sessions(connection, address)
            return operator

    def remove(self, account_id: int, trace: Trace | None = None) -> None:
        """Remove an account and all that is kept about its person, with the emails to it, and keep the ``trace``; does
        nothing for one that is already gone."""
        with self._database.write() as connection:
            connection.execute(delete(EmailRow).where(EmailRow.address == _address_of(account_id)))
            for table in (SavedRow, SessionRow, ShareRow, KeptSearchRow, HistoryRow):
                connection.execute(delete(table).where(table.user_id == account_id))
            gone = connection.execute(delete(User).where(User.id == account_id)).rowcount
            if trace and gone:
                connection.execute(delete(TraceRow).where(TraceRow.digest == trace.digest))
                values = {"digest": trace.digest, "mark": secrets.token_hex(16), "until": trace.until}
                connection.execute(insert(TraceRow).values(**values))

    def last_removal(self, digest: str) -> str:
        """The mark of the latest removal whose trace is still there; empty where there is none."""
        with self._database.read() as connection:
            mine = (TraceRow.digest == digest, TraceRow.until >= self._database.now())
            return connection.scalar(select(TraceRow.mark).where(*mine)) or ""

    def find(self, email: str) -> Account | None:
        """The account with this email address, in whatever letters it is typed."""
        return self._one(User.email == typed_address(email))

    def get(self, account_id: int) -> Account | None:
        """The account of that number."""
        return self._one(User.id == account_id)

    def _one(self, *conditions: Any) -> Account | None:
        with self._database.read() as connection:
            row = connection.execute(select(User).where(*conditions)).one_or_none()
        return None if row is None else account_of(row)

    def named(self, email: str) -> Account:
        """The account with this email address; raises :class:`NotFoundError`."""
        with self._database.read() as connection:
            return _found(connection, User.email == typed_address(email))

    def named_operator(self, email: str) -> Account:
        """The operator with this email address; raises :class:`NotFoundError`."""
        with self._database.read() as connection:
            return _found(connection, User.email == typed_address(email), User.is_operator)

    def operators(self) -> list[Account]:
        """All operators, by address."""
        return self._all(User.is_operator)

    def wanting_mail(self) -> list[Account]:
        """The accounts that are told by mail what became cheaper."""
        return self._all(User.wants_mail)

    def all(self) -> list[Account]:
        """All accounts, by address."""
        return self._all()

    def _all(self, *conditions: Any) -> list[Account]:
        with self._database.read() as connection:
            rows = connection.execute(select(User).where(*conditions).order_by(User.email))
            return [account_of(row) for row in rows]


def typed_address(email: str) -> str:
    """An address as it is kept and compared, in whatever letters it was typed: some keyboards take Hangul apart."""
    return unicodedata.normalize("NFC", email.strip().lower())


def checked_address(email: str) -> str:
    """An email address as it is kept; raises :class:`UsageError` for what is none."""
    address = typed_address(email)
    if not (_ADDRESS.fullmatch(address) and address.isprintable() and len(address) <= LONGEST_ADDRESS):
        raise UsageError(f"{email[:60]!r} is not an email address.", "Write it like name@example.com.")
    return address


def _address_of(account_id: int) -> Any:
    return select(User.email).where(User.id == account_id).scalar_subquery()


def _end_sessions(connection: Connection, address: str) -> None:
    owner = select(User.id).where(User.email == address).scalar_subquery()
    connection.execute(delete(SessionRow).where(SessionRow.user_id == owner))


def _found(connection: Connection, *conditions: Any) -> Account:
    row = connection.execute(select(User).where(*conditions)).one_or_none()
    if row is None:
        raise NotFoundError(
            "There is no such account.", "`mapsi accounts list` and `mapsi operator list` show them all."
        )
    return account_of(row)


def account_of(row: Any) -> Account:
    """The account of a row of users."""
    return Account(
        id=row.id,
        email=row.email,
        password_hash=row.password_hash or "",
        language=row.language,
        created_at=row.created_at,
        is_operator=row.is_operator,
        wants_mail=row.wants_mail,
        keeps_history=row.keeps_history,
    )
