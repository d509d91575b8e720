"""The tables of people and what is theirs."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import Mapped, mapped_column

from mapsi.catalog.store.tables import TABLE_OPTIONS, Id, Long, Table, UtcTime


class User(Table):
    """An account; ``wants_mail`` says whether prices that fell are told by mail, ``keeps_history`` whether its searches
    are remembered."""

    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("email"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    language: Mapped[str] = mapped_column(String(5))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    is_operator: Mapped[bool]
    wants_mail: Mapped[bool]
    keeps_history: Mapped[bool]


class TraceRow(Table):
    """What stays for a while of an account that was removed, so that links of before stay dead: a keyed digest of its
    address, and a mark that differs from removal to removal."""

    __tablename__ = "account_traces"
    __table_args__ = (Index(None, "until"), TABLE_OPTIONS)

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    mark: Mapped[str] = mapped_column(String(32))
    until: Mapped[datetime] = mapped_column(UtcTime)


class SessionRow(Table):
    """A log-in, under the SHA-256 of its token."""

    __tablename__ = "sessions"
    __table_args__ = (Index(None, "user_id"), Index(None, "seen_at"), TABLE_OPTIONS)

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("users.id"))
    seen_at: Mapped[datetime] = mapped_column(UtcTime)


class SavedRow(Table):
    """A product that somebody saved. ``told_price`` is the price, in minor units, that an email told of last."""

    __tablename__ = "saved"
    __table_args__ = (Index(None, "offer_id"), TABLE_OPTIONS)

    user_id: Mapped[int] = mapped_column(Id, ForeignKey("users.id"), primary_key=True, autoincrement=False)
    offer_id: Mapped[int] = mapped_column(Id, ForeignKey("offers.id"), primary_key=True, autoincrement=False)
    saved_at: Mapped[datetime] = mapped_column(UtcTime)
    told_price: Mapped[int | None] = mapped_column(Id)


class EmailRow(Table):
    """An email that waits for a mail server, or that was ``sent_at`` lately. ``about`` is JSON."""

    __tablename__ = "emails"
    __table_args__ = (Index(None, "sent_at", "asked_at"), Index(None, "address", "kind"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20))
    address: Mapped[str] = mapped_column(String(254))
    language: Mapped[str] = mapped_column(String(5))
    about: Mapped[str] = mapped_column(Long)
    asked_at: Mapped[datetime] = mapped_column(UtcTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcTime)


class ShareRow(Table):
    """A shared list: the numbers of its offers between blanks. Its owner is an account or, where there is none, a
    device by the SHA-256 of its secret."""

    __tablename__ = "shares"
    __table_args__ = (Index(None, "user_id"), Index(None, "device"), TABLE_OPTIONS)

    token: Mapped[str] = mapped_column(String(32), primary_key=True)
    user_id: Mapped[int | None] = mapped_column(Id, ForeignKey("users.id"))
    device: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(UtcTime)
    offers: Mapped[str] = mapped_column(Text)
    photo: Mapped[bytes | None] = mapped_column(LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb"))


class KeptSearchRow(Table):
    """A search that somebody keeps: the query string of its address."""

    __tablename__ = "kept_searches"
    __table_args__ = (Index(None, "user_id"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String(200))
    query: Mapped[str] = mapped_column(Text)
    made_at: Mapped[datetime] = mapped_column(UtcTime)


class HistoryRow(Table):
    """Words that somebody searched for, whose account keeps a history."""

    __tablename__ = "history"
    __table_args__ = (Index(None, "user_id", "searched_at"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    user_id: Mapped[int] = mapped_column(Id, ForeignKey("users.id"))
    words: Mapped[str] = mapped_column(String(256))
    searched_at: Mapped[datetime] = mapped_column(UtcTime)
