"""A CSV of your own: a header line with the Merchant feed's field names, then a line per product."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from mapsi.catalog.offer import BrokenRow, Offer
from mapsi.providers.arrivals.encoding import open_text
from mapsi.providers.provider import Provider, Terms
from mapsi.providers.rows.rows import read_rows
from mapsi.providers.table import read_table

TERMS = Terms(hours=None, reason="A table of your own stands until the next one replaces it.")


def read(file: Path, base: str = "", now: datetime | None = None) -> Iterator[Offer | BrokenRow]:
    """The offers of a CSV file; see :class:`mapsi.providers.provider.Read`."""
    with open_text(file) as text:
        yield from read_rows(read_table(text), base, now)


PROVIDER = Provider("csv", "A table of your own with the Merchant feed's field names in its first line.", read, TERMS)
