"""Shops' formats -> one stream of offers. One format is one file; a new one is named in :data:`FORMATS` and nowhere
else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from mapsi.catalog.offer import BrokenRow, Offer, Withdrawal
from mapsi.errors import FeedError, UsageError
from mapsi.providers import merchant, naver_ep, own_csv, shop_items, shopify, woocommerce
from mapsi.providers.exports import Export, ShopFacts
from mapsi.providers.provider import FeedRow, Provider, Terms

__all__ = ["EXPORTS", "FORMATS", "FeedRow", "Provider", "ShopFacts", "Terms", "find_provider", "read_offers"]

FORMATS: Mapping[str, Provider] = {
    provider.name: provider
    for provider in (merchant.PROVIDER, naver_ep.PROVIDER, shop_items.PROVIDER, own_csv.PROVIDER)
}


EXPORTS: Mapping[str, Export] = {export.name: export for export in (shopify.EXPORT, woocommerce.EXPORT)}
"""What shops' own programs export: read from a file by hand only, with what the shop's owner adds."""


def find_provider(format: str) -> Provider:
    """The format of that name; raises :class:`UsageError`."""
    if format in EXPORTS:
        raise UsageError(
            f"An export of the kind {format} does not say where its shop is, so that it is imported by hand.",
            f"mapsi catalog import FILE --format {format} --shop NAME --site https://shop.example.com --currency USD",
        )
    if format not in FORMATS:
        raise UsageError(f"There is no format {format!r}.", f"There are: {', '.join((*FORMATS, *EXPORTS))}.")
    return FORMATS[format]


def read_offers(format: str, file: Path, base: str = "", now: datetime | None = None) -> Iterator[Offer | BrokenRow]:
    """Read ``file``, the whole of what a shop has, in the format named ``format``: row by row, in constant memory.

    Raises :class:`UsageError` for an unknown format at once, and :class:`FeedError` while reading where the feed as a
    whole cannot be used, or where it is one of changes: taken as the whole, it would make everything else vanish. Those
    are read by :attr:`Provider.read`.
    """
    return _read_whole(find_provider(format), file, base, now)


def _read_whole(provider: Provider, file: Path, base: str, now: datetime | None) -> Iterator[Offer | BrokenRow]:
    if provider.partial(file):
        raise FeedError(
            "The feed lists only what changed.", "Import a full feed, or name its folder or address as a source."
        )
    for row in provider.read(file, base, now):
        if not isinstance(row, Withdrawal):
            yield row
