"""The tables of what operators look at: searches, clicks, dry runs, corrections, partings."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from mapsi.catalog.store.tables import TABLE_OPTIONS, Id, Long, Table, UtcTime


class SearchRow(Table):
    """Words that were searched for, how often, and how many products they found last, without who asked."""

    __tablename__ = "searches"
    __table_args__ = (Index(None, "last_at"), TABLE_OPTIONS)

    words: Mapped[str] = mapped_column(String(256), primary_key=True)
    times: Mapped[int] = mapped_column(Integer)
    found: Mapped[int] = mapped_column(Integer)
    last_at: Mapped[datetime] = mapped_column(UtcTime)


class ClickRow(Table):
    """Clicks through to one shop on one day (UTC, ``2026-03-01``): for each class, and once for all (``axis``
    empty)."""

    __tablename__ = "clicks"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    shop: Mapped[str] = mapped_column(String(100), primary_key=True)
    axis: Mapped[str] = mapped_column(String(60), primary_key=True)
    slug: Mapped[str] = mapped_column(String(60), primary_key=True)
    times: Mapped[int] = mapped_column(Integer)


class PreviewRow(Table):
    """The latest dry run of a source; ``document`` is JSON."""

    __tablename__ = "previews"

    source_id: Mapped[int] = mapped_column(Id, ForeignKey("sources.id"), primary_key=True, autoincrement=False)
    made_at: Mapped[datetime] = mapped_column(UtcTime)
    document: Mapped[str] = mapped_column(Long)


class CorrectionRow(Table):
    """The class that a person gave an offer on an axis, empty for none."""

    __tablename__ = "corrections"

    offer_id: Mapped[int] = mapped_column(Id, ForeignKey("offers.id"), primary_key=True, autoincrement=False)
    axis: Mapped[str] = mapped_column(String(60), primary_key=True)
    slug: Mapped[str] = mapped_column(String(60))
    made_at: Mapped[datetime] = mapped_column(UtcTime)


class PartingRow(Table):
    """A shop's product that a person parted: it is joined with no other until that is taken back."""

    __tablename__ = "partings"

    shop_id: Mapped[int] = mapped_column(Id, ForeignKey("shops.id"), primary_key=True, autoincrement=False)
    group_key: Mapped[str] = mapped_column(String(200), primary_key=True)
    made_at: Mapped[datetime] = mapped_column(UtcTime)
