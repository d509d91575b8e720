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

_CHARSET = "utf8mb4"
_COLLATION = "utf8mb4_bin"

TABLE_OPTIONS: dict[str, Any] = {
    # ``mysql_*`` is ignored under mariadb+pymysql:// and the other way round.
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (
        ("engine", "InnoDB"),
        ("row_format", "DYNAMIC"),  # others, which a server may have by default, bound keys to 767 bytes
        ("charset", _CHARSET),
        ("collate", _COLLATION),
    )
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
    """One row: ``generation`` grows with every change that an answer may show; ``mark`` tells this catalogue from
    others, so that what is derived from it is never taken for another's."""

    __tablename__ = "state"

    id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    generation: Mapped[int] = mapped_column(Id)
    mark: Mapped[str] = mapped_column(String(32))


class Shop(Table):
    """Its offers are shown for ``time_to_live`` seconds after they were last seen, for ever where that is empty: from
    ``first_expiry`` on some of them are past it, from ``last_expiry`` on all (see expiry.py); from ``first_turn`` on
    one of them costs something else or has ended by its own dates (see turns.py). ``copies`` says whether
    the terms under which they came allow a copy of their pictures; where not, pages link to them."""

    __tablename__ = "shops"
    __table_args__ = (UniqueConstraint("slug"), Index(None, "first_expiry"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    slug: Mapped[str] = mapped_column(String(100))
    name: Mapped[str] = mapped_column(String(200))
    sample: Mapped[bool]
    copies: Mapped[bool] = mapped_column(server_default=text("1"))
    time_to_live: Mapped[int | None]
    first_expiry: Mapped[datetime | None] = mapped_column(UtcTime)
    last_expiry: Mapped[datetime | None] = mapped_column(UtcTime)
    first_turn: Mapped[datetime | None] = mapped_column(UtcTime)


class SourceRow(Table):
    """Where a shop's offers are fetched from again and again. Durations are in seconds. ``remembered`` is JSON that the
    origin gave with what was last taken over, to know it again by; ``taxonomy`` a digest of the classes it was read
    with."""

    __tablename__ = "sources"
    __table_args__ = (UniqueConstraint("shop_id"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    shop_id: Mapped[int] = mapped_column(Id, ForeignKey("shops.id"))
    name: Mapped[str] = mapped_column(String(100))
    format: Mapped[str] = mapped_column(String(50))
    address: Mapped[str] = mapped_column(Text)
    every: Mapped[int | None]
    shrink: Mapped[float] = mapped_column(Double)
    added_at: Mapped[datetime] = mapped_column(UtcTime)
    remembered: Mapped[str] = mapped_column(Text)
    taxonomy: Mapped[str] = mapped_column(String(64))


class AnswerRow(Table):
    """What one query of a source brought, until all its queries are answered: what has been paid for with quota is not
    asked again by the run after. ``offers`` is JSON; ``taken`` says whether a run that could not ask all took them
    over."""

    __tablename__ = "answers"

    source_id: Mapped[int] = mapped_column(Id, ForeignKey("sources.id"), primary_key=True, autoincrement=False)
    query: Mapped[str] = mapped_column(String(200), primary_key=True)
    answered_at: Mapped[datetime] = mapped_column(UtcTime)
    taken: Mapped[bool]
    offers: Mapped[str] = mapped_column(Long)


class QuotaRow(Table):
    """Calls made on one day in the name of one account of a provider."""

    __tablename__ = "quotas"

    account: Mapped[str] = mapped_column(String(100), primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    used: Mapped[int]


class Import(Table):
    """The run log: imports of a file and refreshes of a source. ``shop`` is a slug and no key: a first import that
    fails leaves no shop behind."""

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


class ImportFault(Table):
    """One of the first broken rows of a run."""

    __tablename__ = "import_faults"

    import_id: Mapped[int] = mapped_column(Id, ForeignKey("imports.id"), primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    line: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)


class PictureRow(Table):
    """A picture under the SHA-256 of what a shop gave. ``kept`` says whether a copy is stored here, ``width`` and
    ``height`` are that copy's (of one that is only linked: those it was read at). ``same_as`` is the digest of the
    first of all pictures that are copies of one another by their ``thumbprint``, its own for one that stands alone,
    null until that was looked at; the thumbprint is empty for one that shows too little to be known again and
    where no copy may be kept."""

    __tablename__ = "pictures"
    __table_args__ = (Index(None, "same_as"), TABLE_OPTIONS)

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    width: Mapped[int]
    height: Mapped[int]
    source: Mapped[str] = mapped_column(Text)
    fetched_at: Mapped[datetime] = mapped_column(UtcTime)
    kept: Mapped[bool] = mapped_column(server_default=text("1"))
    thumbprint: Mapped[bytes] = mapped_column(LargeBinary)
    same_as: Mapped[str | None] = mapped_column(String(64))


class PictureSourceRow(Table):
    """One address (or path) that offers name as their picture, under the SHA-256 of it: what it gave when last asked,
    by which ``ETag`` and ``Last-Modified`` a change is told, and from when on it is asked again. ``failures`` counts
    those in a row, ``reason`` is the last one's."""

    __tablename__ = "picture_sources"
    __table_args__ = (Index(None, "due_at", "digest"), Index(None, "picture"), TABLE_OPTIONS)

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    address: Mapped[str] = mapped_column(Text)
    picture: Mapped[str | None] = mapped_column(String(64), ForeignKey("pictures.digest"))
    etag: Mapped[str] = mapped_column(String(500))
    last_modified: Mapped[str] = mapped_column(String(100))
    checked_at: Mapped[datetime] = mapped_column(UtcTime)
    due_at: Mapped[datetime] = mapped_column(UtcTime)
    failures: Mapped[int]
    reason: Mapped[str] = mapped_column(Text)


class OfferRow(Table):
    """``fingerprint`` is a digest of everything a feed says of the offer: what has not changed is not written again.
    ``group_key`` is the feed's group, or the shop's id of an offer that stands alone. ``gtin`` has 14 digits, the last
    of which was checked, or none. ``lowest_price`` is what it cost when that was last looked at, ``turns_at`` the
    moment from which its dates say something else."""

    __tablename__ = "offers"
    __table_args__ = (
        UniqueConstraint("shop_id", "shop_offer_id"),
        Index(None, "shop_id", "gone_at"),
        Index(None, "shop_id", "turns_at"),
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
    sale_from: Mapped[datetime | None] = mapped_column(UtcTime)
    sale_until: Mapped[datetime | None] = mapped_column(UtcTime)
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime)
    turns_at: Mapped[datetime | None] = mapped_column(UtcTime)
    lowest_price: Mapped[int] = mapped_column(Id)
    currency: Mapped[str] = mapped_column(String(3))
    availability: Mapped[str] = mapped_column(String(20))
    description: Mapped[str] = mapped_column(Long)
    brand: Mapped[str] = mapped_column(String(200))
    category: Mapped[str] = mapped_column(String(750))
    color: Mapped[str] = mapped_column(String(200))
    audience: Mapped[str | None] = mapped_column(String(10))
    seller: Mapped[str] = mapped_column(String(200), server_default=text("''"))
    google_category: Mapped[str] = mapped_column(String(255), server_default=text("''"))
    gtin: Mapped[str] = mapped_column(String(14), server_default=text("''"))
    mpn: Mapped[str] = mapped_column(String(100), server_default=text("''"))
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
    """One class per axis; ``origin`` is ``words`` (of the shop), ``model`` or ``person``."""

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
    """The shop window: one slim row per offer that is shown, with all that finding, narrowing and sorting need.

    ``price_order`` is the lowest price in ten-thousandths of a unit, the same scale for every currency. ``title`` is a
    searchable text, ``brand``, ``category`` and ``color`` are the shop's own; ``classes`` are keys of ``class_words``,
    ``colors`` slugs of colour families between blanks. ``gtin`` and ``maker`` (brand and maker's number, folded) name
    the product in every shop; both are null where the shop says nothing to believe. ``joined`` is the same number for
    products of several shops that are one, null for what stands by itself. What changes here is noted in
    ``listing_changes``."""

    __tablename__ = "listings"
    __table_args__ = (
        Index(None, "shop_id", "group_key", "price_order", "offer_id"),
        Index(None, "joined"),
        Index(None, "gtin"),
        Index(None, "maker"),
        TABLE_OPTIONS,
    )

    offer_id: Mapped[int] = mapped_column(Id, ForeignKey("offers.id"), primary_key=True, autoincrement=False)
    shop_id: Mapped[int] = mapped_column(Id, ForeignKey("shops.id"))
    group_key: Mapped[str] = mapped_column(String(200))
    price_order: Mapped[int] = mapped_column(Id)
    audience: Mapped[str | None] = mapped_column(String(10))
    title: Mapped[str] = mapped_column(Long)
    brand: Mapped[str] = mapped_column(String(200), server_default=text("''"))
    category: Mapped[str] = mapped_column(String(750), server_default=text("''"))
    color: Mapped[str] = mapped_column(String(200), server_default=text("''"))
    classes: Mapped[str] = mapped_column(Text)
    colors: Mapped[str] = mapped_column(String(200), server_default=text("''"))
    gtin: Mapped[str | None] = mapped_column(String(14))
    maker: Mapped[str | None] = mapped_column(String(160))
    joined: Mapped[int | None] = mapped_column(Id)


class ListingChange(Table):
    """A listing that appeared, changed or went with a generation, so that indexes of listings catch up with what
    changed alone. An ``offer_id`` of 0 stands for too many to name: start over."""

    __tablename__ = "listing_changes"
    __table_args__ = (Index(None, "generation"), TABLE_OPTIONS)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    generation: Mapped[int] = mapped_column(Id)
    offer_id: Mapped[int] = mapped_column(Id)


class JobRow(Table):
    """Work that is wanted; a job is named by what it does to what, so that asking twice is asking once.

    ``wanted`` counts the askings: one that comes while the job is being done makes it be done again. While a worker has
    it, ``leased_until`` lies ahead and is moved on; a killed worker's lease runs out."""

    __tablename__ = "jobs"
    __table_args__ = (Index(None, "due_at"), TABLE_OPTIONS)

    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    argument: Mapped[str] = mapped_column(String(100), primary_key=True)
    wanted: Mapped[int] = mapped_column(Integer)
    due_at: Mapped[datetime] = mapped_column(UtcTime)
    leased_until: Mapped[datetime | None] = mapped_column(UtcTime)
    worker: Mapped[str] = mapped_column(String(100))
    failures: Mapped[int] = mapped_column(Integer)
    reason: Mapped[str] = mapped_column(Text)


class WorkerRow(Table):
    """A worker that was there at ``seen_at``."""

    __tablename__ = "workers"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    seen_at: Mapped[datetime] = mapped_column(UtcTime)
