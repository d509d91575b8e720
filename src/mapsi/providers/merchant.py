"""Google Merchant feed: RSS 2.0, Atom, a list of products or a table (TSV), told apart by content, packed by gzip or
not.

Source of the fields and their limits: Google's Merchant Center product data specification.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from mapsi.catalog.offer import BrokenRow, Offer
from mapsi.providers.arrivals.encoding import open_text
from mapsi.providers.markup import read_items, root_of
from mapsi.providers.provider import Provider, Terms
from mapsi.providers.rows.rows import read_rows
from mapsi.providers.table import names_columns, read_table

_HEAD = 1 << 16

TERMS = Terms(
    hours=30 * 24,
    reason="Google's own rule for such a feed: an item that was not sent again for 30 days is no longer shown.",
)


def read(file: Path, base: str = "", now: datetime | None = None) -> Iterator[Offer | BrokenRow]:
    """The offers of a Merchant feed; see :class:`mapsi.providers.provider.Read`."""
    with open_text(file) as text:
        head = text.read(_HEAD)
        text.seek(0)
        yield from read_rows(read_items(text) if _is_markup(head) else read_table(text), base, now)


def _is_markup(head: str) -> bool:
    """Whether elements begin before, or instead of, the names of columns: above both a server may have printed more."""
    root = root_of(head)
    begins_so = root is not None or head.lstrip("\ufeff \t\r\n").startswith("<")
    return begins_so and not names_columns(head[:root])


PROVIDER = Provider("merchant", "Google Merchant feed: RSS 2.0, Atom or TSV, also gzip-packed.", read, TERMS)
