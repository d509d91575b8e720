"""What a list can be narrowed down to, as its filters show it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from decimal import Decimal

from mapsi.web.request.languages import format_price
from mapsi.web.request.languages import translate as _


@dataclass(frozen=True, slots=True)
class Choice:
    """A ``value`` to filter by, or an address that filters by it: its name, whether it is in force, and how many
    products it leaves, as shown."""

    value: str
    name: str
    chosen: bool
    count: str


def with_chosen(counts: Iterable[tuple[str, int]], chosen: Collection[str]) -> list[tuple[str, int]]:
    """The counts, and what is chosen though nothing is left of it, so that it can be taken off again."""
    found = [*counts]
    return [*found, *((slug, 0) for slug in chosen if slug not in dict(found))]


def price_range(low: Decimal | None, high: Decimal | None, currency: str, language: str) -> str:
    """A range of prices, open where it has no bound; without a ``currency`` mere numbers."""

    def told(price: Decimal) -> str:
        return format_price(price, currency, language) if currency else grouped(price)

    if low is None:
        return _("Up to %(price)s", price=told(high)) if high is not None else ""
    return _("From %(price)s", price=told(low)) if high is None else f"{told(low)}–{told(high)}"


def grouped(price: Decimal | None) -> str:
    """A price with commas, empty where there is none."""
    return "" if price is None else f"{price.normalize():,f}"
