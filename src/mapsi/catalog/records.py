"""What the catalogue hands out besides products: reports, rows for an index, counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TypedDict

import numpy as np
import numpy.typing as npt

from mapsi.catalog.offer import Audience, BrokenRow


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What one import did, in offers. ``changed`` holds the offers that came back too. ``broken`` keeps the first
    thousand rows that were skipped, ``broken_count`` counts them all."""

    import_id: int
    new: int
    changed: int
    unchanged: int
    gone: int
    broken: tuple[BrokenRow, ...] = ()
    broken_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PricePoint:
    """What an offer costs from ``seen_at`` (UTC) on, in units of ``currency``."""

    seen_at: datetime
    lowest_price: Decimal
    currency: str


class Label(TypedDict):
    """What a model says of a picture on one axis: the likeliest class, its probability 0..1, and whether the model
    would stand by it."""

    slug: str
    confidence: float
    known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRow:
    """What a search index needs to know of one offer. ``group`` is the same for the variants of one product and for no
    other product of any shop. ``embedding`` is of shape (width,)."""

    offer_id: int
    shop: str
    group: str
    lowest_price: Decimal
    currency: str
    audience: Audience | None
    classes: Mapping[str, str]
    embedding: npt.NDArray[np.float16]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopCount:
    """A shop and how many offers it shows."""

    slug: str
    name: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """What shoppers can narrow down to, counted in offers; the most frequent first. Prices are the lowest and the
    highest in units of the currency, ``None`` in an empty catalogue."""

    shops: tuple[ShopCount, ...]
    classes: Mapping[str, tuple[tuple[str, int], ...]]
    audiences: tuple[tuple[Audience, int], ...]
    price_min: Decimal | None
    price_max: Decimal | None
    offers: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRecord:
    """One import as it stands in the books. ``state`` is ``running``, ``done`` or ``failed`` (``reason`` says why); a
    running one whose process was killed becomes ``failed`` with the shop's next import. Times are UTC."""

    id: int
    shop: str
    format: str
    origin: str
    started: datetime
    finished: datetime | None
    state: str
    reason: str
    new: int
    changed: int
    unchanged: int
    gone: int
    broken: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopStatus:
    """``living`` counts the offers in the shop's last feed, ``shown`` those of them that can be bought."""

    slug: str
    name: str
    sample: bool
    living: int
    shown: int
    gone: int
    pictures_missing: int
    pictures_failed: int
    last_import: ImportRecord | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogStatus:
    """The whole catalogue at a glance, for its operator."""

    generation: int
    living: int
    shown: int
    gone: int
    pictures: int
    readings: Mapping[str, int] = field(default_factory=dict)
    shops: tuple[ShopStatus, ...] = ()
