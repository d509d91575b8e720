"""An offer as a shop publishes it: what the providers yield and what the catalogue takes in."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal

from mapsi.errors import UsageError

Audience = Literal["women", "men", "unisex", "kids"]
Availability = Literal["in_stock", "out_of_stock", "preorder", "backorder"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One product variant of one shop.

    ``id`` is the shop's own, unique in its feed, at most 50 characters. ``price`` and ``sale_price`` are in units of
    ``currency`` (ISO 4217), positive. ``link`` is an absolute http(s) address. ``image`` is an absolute http(s)
    address, or a path that the import resolves beside the feed. ``group`` joins the variants of one product.
    ``category`` is a path such as ``Women > Dresses``. ``seller`` names the shop where one source lists the offers of
    many. ``google_category`` is Google's, a number or an English path. ``gtin`` is the number under the bar code as the
    shop gives it (8 to 14 digits, unchecked), ``mpn`` the maker's own number, which means nothing without the
    ``brand``. Texts are plain text, never markup. The sale price holds from ``sale_from`` on and before ``sale_until``,
    and the offer before ``expires_at``, where the shop says so.
    """

    id: str
    title: str
    link: str
    image: str
    price: Decimal
    currency: str
    sale_price: Decimal | None = None
    availability: Availability = "in_stock"
    description: str = ""
    brand: str = ""
    category: str = ""
    color: str = ""
    group: str = ""
    audience: Audience | None = None
    seller: str = ""
    google_category: str = ""
    gtin: str = ""
    mpn: str = ""
    sale_from: datetime | None = None
    sale_until: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class BrokenRow:
    """A row of a feed that was skipped: its line (of the row's start, from 1) and why, as a sentence. ``id`` is that of
    the offer it stands for, where so much could be read: one that lives stays as it was. ``taken`` says that the row
    was not skipped: its offer was taken, without what the sentence is about."""

    line: int
    reason: str
    id: str = field(default="", compare=False)
    taken: bool = False


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """A row of a feed of changes which says that the shop's offer ``id`` is gone."""

    id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Where a shop's offers come from. ``shop`` is its name or slug (``My Shop`` and ``my-shop`` are one shop);
    ``shop_name`` is what shoppers see, by default the name it has, or ``shop`` as first given. ``format`` and
    ``origin`` are kept as provenance. ``seen_at`` is when the source named the offers, ``now`` by default; they are
    shown for ``time_to_live`` after it (``None``: without end). ``copies`` says whether the terms allow a copy of their
    pictures. Raises :class:`UsageError` for a time without a zone."""

    shop: str
    shop_name: str | None = None
    format: str
    origin: str
    now: datetime
    sample: bool = False
    seen_at: datetime | None = None
    time_to_live: timedelta | None = None
    copies: bool = True

    def __post_init__(self) -> None:
        if self.now.tzinfo is None:
            raise UsageError("The time of an import must have a time zone.", "Give datetime.now(UTC), for example.")

    @property
    def shown_from(self) -> datetime:
        """When the source named the offers: from then on their time to live counts."""
        return self.seen_at or self.now
