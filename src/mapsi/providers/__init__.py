"""Shops' formats -> one stream of offers. One format is one file; a new one is named in :data:`FORMATS` and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from mapsi.catalog.offer import BrokenRow, Offer
from mapsi.errors import UsageError
from mapsi.providers import merchant, own_csv
from mapsi.providers.provider import Provider

__all__ = ["FORMATS", "Provider", "read_offers"]

FORMATS: Mapping[str, Provider] = {provider.name: provider for provider in (merchant.PROVIDER, own_csv.PROVIDER)}


def read_offers(format: str, file: Path) -> Iterator[Offer | BrokenRow]:
    """Read ``file`` in the format named ``format``, row by row, in constant memory.

    Raises :class:`UsageError` for an unknown format at once, and :class:`FeedError` while reading where the feed as a whole
    cannot be used.
    """
    if format not in FORMATS:
        raise UsageError(f"There is no format {format!r}.", f"There are: {', '.join(FORMATS)}.")
    return FORMATS[format].read(file)
