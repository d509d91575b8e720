"""Google Merchant feed: RSS 2.0, Atom or a table (TSV), told apart by content, packed by gzip or not.

Source of the fields and their limits: Google's Merchant Center product data specification.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from mapsi.catalog.offer import BrokenRow, Offer
from mapsi.providers.arrivals.encoding import open_text
from mapsi.providers.markup import read_items
from mapsi.providers.provider import Provider, Terms
from mapsi.providers.rows.rows import read_rows
from mapsi.providers.table import read_table

TERMS = Terms(
    hours=30 * 24,
    reason="Google's own rule for such a feed: an item that was not sent again for 30 days is no longer shown.",
)


def read(file: Path, base: str = "", now: datetime | None = None) -> Iterator[Offer | BrokenRow]:
    """The offers of a Merchant feed; see :class:`mapsi.providers.provider.Read`."""
    with open_text(file) as text:
        is_markup = text.read(1024).lstrip("\ufeff \t\r\n").startswith("<")
        text.seek(0)
        yield from read_rows(read_items(text) if is_markup else read_table(text), base, now)


PROVIDER = Provider("merchant", "Google Merchant feed: RSS 2.0, Atom or TSV, also gzip-packed.", read, TERMS)
