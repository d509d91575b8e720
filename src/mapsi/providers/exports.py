"""What a shop's own program exports for its owner: a table without links and currency, which have to be told beside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import urljoin

from mapsi.catalog.offer import BrokenRow, Offer
from mapsi.errors import UsageError
from mapsi.http_address import is_http
from mapsi.providers.provider import Terms
from mapsi.providers.rows.bad_field import BadFieldError, SparedFieldError
from mapsi.providers.rows.prices import parse_currency
from mapsi.providers.rows.rows import read_price

TERMS = Terms(hours=None, reason="An export that was fetched by hand stands until the next one replaces it.")

_COLORS = frozenset({"color", "colour", "색상", "컬러", "색", "カラー"})


@dataclass(frozen=True, slots=True)
class ShopFacts:
    """What an export does not say: the address under which its shop is, and the ISO code of its prices' currency."""

    site: str
    currency: str

    @staticmethod
    def of(site: str, currency: str) -> ShopFacts:
        """Raises :class:`UsageError` where one of them is missing or none."""
        if not is_http(site):
            raise UsageError(
                "The export does not say where its shop is.", "Give its address: --site https://shop.example.com."
            )
        try:
            return ShopFacts(f"{site.partition('?')[0].rstrip('/')}/", parse_currency(currency))
        except ValueError as error:
            raise UsageError(
                "The export does not say in which currency its prices are.", "Give its code: --currency USD."
            ) from error

    def address(self, path: str) -> str:
        """An address of the shop's."""
        return urljoin(self.site, path)


ReadExport = Callable[[Path, ShopFacts, datetime | None], Iterator[Offer | BrokenRow]]
"""A reader: (file, what it leaves unsaid, the moment that dates are held against) -> rows, as
:class:`mapsi.providers.provider.Read` gives them."""


@dataclass(frozen=True, slots=True)
class Export:
    """A format by its ``name``, a sentence on it, and its reader."""

    name: str
    summary: str
    read: ReadExport
    terms: Terms = TERMS


def struck_through(row: Mapping[str, str], paid: str, before: str, currency: str) -> tuple[str, str]:
    """Price and sale price where ``paid`` names the column of what is paid and ``before`` that of what is struck
    through, which counts where it is higher."""
    price, was = row.get(paid, ""), row.get(before, "")
    try:
        if was and price and read_price(was, before, currency)[0] > read_price(price, paid, currency)[0]:
            return was, price
    except BadFieldError as error:
        raise SparedFieldError(str(error), before) from None
    return price, ""


def color_of(options: Mapping[str, str]) -> str:
    """The value of the option that names a colour, of options by their names."""
    return next((value for name, value in options.items() if name.strip().casefold() in _COLORS), "")
