"""A shop's feed in a file, taken over into the catalogue."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from mapsi.catalog import Catalog
from mapsi.catalog.imports.run import Row
from mapsi.catalog.offer import Delivery, Offer
from mapsi.catalog.records import ImportReport
from mapsi.file_names import OnDisk
from mapsi.http_address import is_http
from mapsi.progress import Advance, no_advance
from mapsi.providers import EXPORTS, ShopFacts, find_provider, read_offers
from mapsi.taxonomy import Taxonomy


def import_feed(
    catalog: Catalog,
    file: Path,
    *,
    format: str,
    shop: str,
    taxonomy: Taxonomy,
    shop_name: str | None = None,
    sample: bool = False,
    facts: ShopFacts | None = None,
    progress: Advance = no_advance,
) -> ImportReport:
    """Take over a shop's feed from a file; pictures given as paths lie beside it. ``shop_name`` is as in
    :class:`~mapsi.catalog.offer.Delivery`; ``facts`` are what an export leaves unsaid.

    Raises ``FeedError`` where the feed as a whole cannot be used; nothing has changed then.
    """
    terms = EXPORTS[format].terms if facts else find_provider(format).terms
    delivery = Delivery(
        shop=shop,
        shop_name=shop_name,
        format=format,
        origin=str(file),
        now=catalog.now(),
        sample=sample,
        time_to_live=None if sample or terms.hours is None else timedelta(hours=terms.hours),
        copies=terms.copies_pictures,
    )
    rows = EXPORTS[format].read(file, facts, delivery.now) if facts else read_offers(format, file, now=delivery.now)
    offers = beside(rows, file.resolve().parent)
    return catalog.imports.take(delivery, offers, taxonomy, progress=progress)


def beside(rows: Iterable[Row], folder: Path) -> Iterator[Row]:
    """The rows, pictures given as paths taken from ``folder``, in the letters that its disk has for them."""
    disk = OnDisk()
    for row in rows:
        if isinstance(row, Offer) and row.image and not is_http(row.image):
            yield replace(row, image=str(disk.find(folder / row.image)))
        else:
            yield row
