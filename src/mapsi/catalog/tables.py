"""The tables, typed. Migrations make them; nothing here ever does.

Prices are whole numbers of the currency's minor unit. Times are UTC. Texts compare byte for byte on both databases.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

WORD_INDEX = "listings_words"
"""The full-text index on ``listings.tokens``: an FTS5 table of this name on SQLite, a FULLTEXT index on MariaDB. Only
the migrations know how it is made, so it does not stand in the metadata."""

_CHARSET = "utf8mb4"
_COLLATION = "utf8mb4_bin"

TABLE_OPTIONS: dict[str, Any] = {
    # ``mysql_*`` is ignored under mariadb+pymysql:// and the other way round.
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (("engine", "InnoDB"), ("charset", _CHARSET), ("collate", _COLLATION))
}

Id = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only where the column is called INTEGER (64 bits there as well)."""
Long = Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")


class UtcTime(TypeDecorator[datetime]):
    """An aware time, kept to the microsecond as UTC without a zone (neither database keeps one)."""

    impl = DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return None if value is None else value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else value.replace(tzinfo=UTC)


class Table(DeclarativeBase):
    """Base of the tables, with constraint names that migrations can rely on."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    __table_args__: Any = TABLE_OPTIONS


class State(Table):
    """One row: ``generation`` grows with every change that an answer may show."""

    __tablename__ = "state"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    generation: Mapped[int] = mapped_column(Id)


class Shop(Table):
    __tablename__ = "shops"
    __table_args__ = (UniqueConstraint("slug"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    slug: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(200))
    sample: Mapped[bool]


class Import(Table):
    """The book of imports. ``shop`` is a slug and no key: a first import that fails leaves no shop behind."""

    __tablename__ = "imports"
    __table_args__ = (Index(None, "shop", "id"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    shop: Mapped[str] = mapped_column(String(100))
    format: Mapped[str] = mapped_column(String(50))
    origin: Mapped[str] = mapped_column(Text)
    started: Mapped[datetime] = mapped_column(UtcTime)
    finished: Mapped[datetime | None] = mapped_column(UtcTime)
    state: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(Text)
    new: Mapped[int] = mapped_column(server_default=text("0"))
    changed: Mapped[int] = mapped_column(server_default=text("0"))
    unchanged: Mapped[int] = mapped_column(server_default=text("0"))
    gone: Mapped[int] = mapped_column(server_default=text("0"))
    broken: Mapped[int] = mapped_column(server_default=text("0"))


class Picture(Table):
    """A picture that is stored here, under the SHA-256 of the stored copy."""

    __tablename__ = "pictures"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    width: Mapped[int]
    height: Mapped[int]
    source: Mapped[str] = mapped_column(Text)
    fetched_at: Mapped[datetime] = mapped_column(UtcTime)


class OfferRow(Table):
    """``fingerprint`` is a digest of everything a feed says of the offer: what has not changed is not written again.
    ``group_key`` is the feed's group, or the shop's id of an offer that stands alone."""

    __tablename__ = "offers"
    __table_args__ = (
        UniqueConstraint("shop_id", "shop_offer_id"),
        Index(None, "shop_id", "gone_at"),
        Index(None, "picture"),
        TABLE_OPTIONS,
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    shop_id: Mapped[int] = mapped_column(Id, ForeignKey("shops.id"))
    shop_offer_id: Mapped[str] = mapped_column(String(50))
    group_key: Mapped[str] = mapped_column(String(200))
    title: Mapped[str] = mapped_column(String(500))
    link: Mapped[str] = mapped_column(Text)
    image_source: Mapped[str] = mapped_column(Text)
    price: Mapped[int] = mapped_column(Id)
    sale_price: Mapped[int | None] = mapped_column(Id)
    lowest_price: Mapped[int] = mapped_column(Id)
    currency: Mapped[str] = mapped_column(String(3))
    availability: Mapped[str] = mapped_column(String(20))
    description: Mapped[str] = mapped_column(Long)
    brand: Mapped[str] = mapped_column(String(200))
    category: Mapped[str] = mapped_column(String(750))
    color: Mapped[str] = mapped_column(String(200))
    audience: Mapped[str | None] = mapped_column(String(10))
    fingerprint: Mapped[bytes] = mapped_column(LargeBinary(16).with_variant(mysql.BINARY(16), "mysql", "mariadb"))
    import_id: Mapped[int] = mapped_column(Id, ForeignKey("imports.id"))
    first_seen: Mapped[datetime] = mapped_column(UtcTime)
    last_seen: Mapped[datetime] = mapped_column(UtcTime)
    gone_at: Mapped[datetime | None] = mapped_column(UtcTime)
    picture: Mapped[str | None] = mapped_column(String(64), ForeignKey("pictures.digest"))
    picture_failure: Mapped[str | None] = mapped_column(Text)


class Price(Table):
    """What an offer cost from ``seen_at`` on."""

    __tablename__ = "prices"

    offer_id: Mapped[int] = mapped_column(Id, ForeignKey("offers.id"), primary_key=True, autoincrement=False)
    seen_at: Mapped[datetime] = mapped_column(UtcTime, primary_key=True)
    lowest_price: Mapped[int] = mapped_column(Id)
    currency: Mapped[str] = mapped_column(String(3))


class ReadingRow(Table):
    """What one model said of one picture. ``embedding`` is float16, little-endian; ``labels`` JSON by axis."""

    __tablename__ = "readings"
    __table_args__ = (Index(None, "model"), TABLE_OPTIONS)

    picture: Mapped[str] = mapped_column(String(64), ForeignKey("pictures.digest"), primary_key=True)
    model: Mapped[str] = mapped_column(String(64), primary_key=True)
    embedding: Mapped[bytes] = mapped_column(LargeBinary)
    labels: Mapped[str] = mapped_column(Text)


class OfferClass(Table):
    """One class an axis; ``origin`` is ``words`` (of the shop) or ``model``."""

    __tablename__ = "offer_classes"
    __table_args__ = (Index(None, "axis", "slug", "offer_id"), TABLE_OPTIONS)

    offer_id: Mapped[int] = mapped_column(Id, ForeignKey("offers.id"), primary_key=True, autoincrement=False)
    axis: Mapped[str] = mapped_column(String(60), primary_key=True)
    slug: Mapped[str] = mapped_column(String(60))
    origin: Mapped[str] = mapped_column(String(10))
    confidence: Mapped[float] = mapped_column(Double)


class ClassWords(Table):
    """The names and search words of the taxonomy's classes as a searchable text, once for all their offers."""

    __tablename__ = "class_words"

    axis: Mapped[str] = mapped_column(String(60), primary_key=True)
    slug: Mapped[str] = mapped_column(String(60), primary_key=True)
    words: Mapped[str] = mapped_column(Long)


class Listing(Table):
    """The shop window: one slim row an offer that is shown, with all that finding, narrowing and sorting need.

    ``price_order`` is the lowest price in ten-thousandths of a unit, the same scale for every currency. ``title``
    and ``about`` (brand, category, colour) are searchable texts, ``classes`` keys of ``class_words``, ``tokens`` what
    the full-text index holds of the three (see :mod:`mapsi.catalog.tokens`)."""

    __tablename__ = "listings"
    __table_args__ = (
        Index(None, "shop_id", "group_key", "price_order", "offer_id"),
        Index(None, "price_order", "offer_id"),
        TABLE_OPTIONS,
    )

    offer_id: Mapped[int] = mapped_column(Id, ForeignKey("offers.id"), primary_key=True, autoincrement=False)
    shop_id: Mapped[int] = mapped_column(Id, ForeignKey("shops.id"))
    group_key: Mapped[str] = mapped_column(String(200))
    price_order: Mapped[int] = mapped_column(Id)
    audience: Mapped[str | None] = mapped_column(String(10))
    title: Mapped[str] = mapped_column(Long)
    about: Mapped[str] = mapped_column(Long)
    classes: Mapped[str] = mapped_column(Text)
    tokens: Mapped[str] = mapped_column(Long)


class User(Table):
    __tablename__ = "users"
    __table_args__ = (UniqueConstraint("email"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    email: Mapped[str] = mapped_column(String(254))
    password_hash: Mapped[str | None] = mapped_column(String(255))
    display_name: Mapped[str] = mapped_column(String(100))
    language: Mapped[str] = mapped_column(String(5))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    is_operator: Mapped[bool]
