"""Accounts of operators: who may see how the catalogue is doing, and have it refreshed. Passwords come in hashed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, delete, insert, select, update

from mapsi.catalog.store.database import Database
from mapsi.catalog.store.tables import User
from mapsi.errors import NotFoundError, UsageError

_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")
LONGEST_ADDRESS = 254
"""RFC 5321, 4.5.3.1.3, less its angle brackets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operator:
    """An account, known by its mail address in small letters; ``created_at`` is UTC."""

    id: int
    email: str
    password_hash: str = field(repr=False)
    created_at: datetime


class Accounts:
    """The accounts of one catalogue. Safe to share between threads; every call is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def check_new(self, email: str) -> str:
        """The address as it is kept; raises :class:`UsageError` for what is none, or that of an operator."""
        address = _checked(email)
        if self.find(address) is not None:
            raise UsageError(
                f"{address} is an operator already.", f"Give another password: mapsi operator password {address}"
            )
        return address

    def add(self, email: str, password_hash: str) -> Operator:
        """Add an operator; raises as :meth:`check_new`."""
        address = self.check_new(email)
        values = {"password_hash": password_hash, "is_operator": True}
        with self._database.write() as connection:
            known = update(User).where(User.email == address).values(**values)
            if not connection.execute(known).rowcount:
                made = {"email": address, "display_name": "", "language": "", "created_at": self._database.now()}
                connection.execute(insert(User).values(**made, **values))
            return _found(connection, address)

    def change_password(self, email: str, password_hash: str) -> Operator:
        """Give an operator another password; raises :class:`NotFoundError`."""
        address = _address(email)
        with self._database.write() as connection:
            connection.execute(update(User).where(*_is(address)).values(password_hash=password_hash))
            return _found(connection, address)

    def remove(self, email: str) -> Operator:
        """Remove an operator; raises :class:`NotFoundError`."""
        address = _address(email)
        with self._database.write() as connection:
            operator = _found(connection, address)
            connection.execute(delete(User).where(User.id == operator.id))
            return operator

    def find(self, email: str) -> Operator | None:
        """The operator with this mail address, in whatever letters it is typed."""
        with self._database.read() as connection:
            row = connection.execute(select(User).where(*_is(_address(email)))).one_or_none()
        return None if row is None else _operator(row)

    def named(self, email: str) -> Operator:
        """The operator with this mail address; raises :class:`NotFoundError`."""
        with self._database.read() as connection:
            return _found(connection, _address(email))

    def get(self, operator_id: int) -> Operator | None:
        """The operator of that number."""
        with self._database.read() as connection:
            row = connection.execute(select(User).where(User.id == operator_id, User.is_operator)).one_or_none()
        return None if row is None else _operator(row)

    def operators(self) -> list[Operator]:
        """All operators, by address."""
        with self._database.read() as connection:
            rows = connection.execute(select(User).where(User.is_operator).order_by(User.email))
            return [_operator(row) for row in rows]


def _address(email: str) -> str:
    return email.strip().lower()


def _checked(email: str) -> str:
    address = _address(email)
    if not (_ADDRESS.fullmatch(address) and address.isprintable() and len(address) <= LONGEST_ADDRESS):
        raise UsageError(f"{email[:60]!r} is no mail address.", "Write it like name@example.com.")
    return address


def _is(address: str) -> tuple[Any, ...]:
    return User.email == address, User.is_operator


def _found(connection: Connection, address: str) -> Operator:
    row = connection.execute(select(User).where(*_is(address))).one_or_none()
    if row is None:
        raise NotFoundError(f"There is no operator {address}.", "`mapsi operator list` names the ones there are.")
    return _operator(row)


def _operator(row: Any) -> Operator:
    return Operator(id=row.id, email=row.email, password_hash=row.password_hash or "", created_at=row.created_at)
