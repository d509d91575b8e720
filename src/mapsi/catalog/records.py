"""What the catalogue hands out besides products: reports, rows for an index, counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Literal, NamedTuple, TypedDict, TypeVar

import numpy as np
import numpy.typing as npt

from mapsi.catalog.offer import Audience, BrokenRow

T = TypeVar("T")

RunState = Literal["running", "done", "unchanged", "partial", "held", "failed", "killed"]
"""``unchanged``: the source had nothing new. ``partial``: some was taken over, the next run continues. ``held``: so
much would have gone that nothing was changed until a person has looked. ``killed``: the process ended in the middle."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferCounts:
    """What became of a shop's offers; ``changed`` counts those that came back too."""

    new: int
    changed: int
    unchanged: int
    gone: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered(OfferCounts):
    """What rows from a shop mean for its offers. ``broken`` keeps the first thousand rows that were skipped
    or taken in part, ``broken_count`` counts all that were skipped."""

    broken: tuple[BrokenRow, ...] = ()
    broken_count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport(Delivered):
    """What one run did; ``reason`` says in a sentence why it did not end as ``done``."""

    import_id: int
    state: RunState = "done"
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceChange:
    """An offer that would cost another price, in units of the currencies."""

    title: str
    old: Decimal
    old_currency: str
    new: Decimal
    new_currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview(Delivered):
    """What a feed would do: ``repriced`` offers would cost another price, ``changed`` ones differ in something else or
    come back; a few examples of each. ``held`` says why it would be held back, or nothing."""

    repriced: int
    new_examples: tuple[str, ...]
    price_examples: tuple[PriceChange, ...]
    changed_examples: tuple[str, ...]
    gone_examples: tuple[str, ...]
    held: str


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


@dataclass(frozen=True, slots=True)
class PictureCopy:
    """Our own copy of a product picture: ``digest`` is the SHA-256 of what the shop gave, ``width`` and ``height`` are
    the full copy's, in pixels, ``thumbprint`` is what copies of it are known by, where that was taken."""

    digest: str
    width: int
    height: int
    thumbprint: bytes = field(default=b"", repr=False, kw_only=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Traits:
    """A kind, a colour family and an audience by their slugs; empty where nothing is known."""

    kind: str = ""
    color: str = ""
    audience: Audience | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IndexRow(Traits):
    """What a search index needs to know of one offer. ``group`` is the same for the variants of one product and for no
    other product of any shop. ``kind`` is its class on the axis of kinds or ``other``, ``color`` the first of its
    colour families. ``embedding`` is of shape (width,)."""

    offer_id: int
    group: str
    embedding: npt.NDArray[np.float16]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopCount:
    """A shop and how many products it has."""

    slug: str
    name: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRange:
    """Prices from ``low`` to ``high``, both among them and ``None`` where it is open, and how many products they
    hold."""

    low: Decimal | None
    high: Decimal | None
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """What shoppers can narrow a search down to, counted in products; the most frequent first.

    Each kind is counted with the filters of the other kinds in force. ``colors`` are slugs of colour families.
    ``price_min`` and ``price_max`` are in units of the currency, ``None`` where there is nothing; ``prices`` are ranges
    from the cheapest up. ``offers`` counts the products with all filters in force. No count is above ``most``, where
    that is given: it then means that many or more."""

    shops: tuple[ShopCount, ...] = ()
    classes: Mapping[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    audiences: tuple[tuple[Audience, int], ...] = ()
    colors: tuple[tuple[str, int], ...] = ()
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    prices: tuple[PriceRange, ...] = ()
    offers: int = 0
    most: int | None = None

    def capped(self, most: int) -> Facets:
        """The same with no count above ``most``."""
        return replace(
            self,
            shops=tuple(replace(shop, count=min(shop.count, most)) for shop in self.shops),
            classes={axis: _capped(counts, most) for axis, counts in self.classes.items()},
            audiences=_capped(self.audiences, most),
            colors=_capped(self.colors, most),
            prices=tuple(replace(prices, count=min(prices.count, most)) for prices in self.prices),
            offers=min(self.offers, most),
            most=most,
        )


def _capped(counts: Iterable[tuple[T, int]], most: int) -> tuple[tuple[T, int], ...]:
    return tuple((value, min(count, most)) for value, count in counts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A text to search for. ``kind`` is ``class``, ``brand`` or ``word``; ``count`` how many products it finds."""

    text: str
    kind: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord(OfferCounts):
    """One run as it is in the log; ``reason`` says why it failed or waits. ``broken`` counts the rows that were
    skipped, ``faults`` holds the first of them, then those that were taken in part. Times are UTC. A run whose process
    was killed stands as ``running`` until the shop's next one."""

    id: int
    shop: str
    format: str
    origin: str
    started: datetime
    finished: datetime | None
    state: RunState
    reason: str
    broken: int
    faults: tuple[BrokenRow, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceTerms:
    """Where a shop's offers are fetched from again and again, and on which terms. ``address`` is an http(s) address or
    a path, ``every`` how often it is refreshed on a schedule (``None``: only when asked), ``time_to_live`` how long its
    offers are shown after they were last seen (``None``: without end), ``shrink`` the share of its offers, 0..1, that a
    refresh may take away without a person looking. ``copies`` says whether its terms allow a copy of its pictures;
    ``shop_name`` is what shoppers see."""

    name: str
    format: str
    address: str
    every: timedelta | None = None
    time_to_live: timedelta | None = None
    shrink: float = 0.5
    shop_name: str = ""
    copies: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceRecord(SourceTerms):
    """A source as it is kept; ``shop`` is the slug of its shop."""

    id: int
    shop: str
    added_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopStatus:
    """``living`` counts the offers in the shop's last feed, ``shown`` those of them that can be bought; from
    ``expires`` on none is. ``source`` is ``None`` for a shop that came by imports alone."""

    slug: str
    name: str
    sample: bool
    living: int
    shown: int
    gone: int
    pictures_missing: int
    pictures_failed: int
    expires: datetime | None
    last_import: RunRecord | None
    source: SourceRecord | None

    @property
    def title(self) -> str:
        """The source's name, else the shop's."""
        return self.source.name if self.source else self.name

    @property
    def is_current(self) -> bool:
        """Whether anything is to be expected of it: it has a source or living offers."""
        return self.source is not None or self.living > 0


class WordsServer(NamedTuple):
    """The address of a Milvus, with its password, and of how many listings and more it keeps the index of words."""

    url: str
    listings: int


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
