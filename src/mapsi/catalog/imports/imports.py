"""How offers get into the catalogue: by a whole file, by the runs of a source, or for a look at what would change."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from dataclasses import replace

from mapsi.catalog.imports.preview import preview_delivery
from mapsi.catalog.imports.run import Row, Run, open_run
from mapsi.catalog.imports.shop_slugs import refuse_namesake, shop_slug
from mapsi.catalog.imports.sources import Sources
from mapsi.catalog.offer import Delivery
from mapsi.catalog.records import ImportReport, Preview, SourceRecord
from mapsi.catalog.store.database import Database
from mapsi.progress import Advance, no_advance
from mapsi.taxonomy import Taxonomy


class Imports:
    """Takes offers over into one catalogue."""

    def __init__(self, database: Database, sources: Sources) -> None:
        self._database = database
        self._sources = sources

    def take(
        self,
        delivery: Delivery,
        offers: Iterable[Row],
        taxonomy: Taxonomy,
        *,
        whole: bool = True,
        progress: Advance = no_advance,
    ) -> ImportReport:
        """Take over a shop's whole feed: what is missing from it is gone, what is in it is new, changed or unchanged;
        or, where not ``whole``, changes to it, which leave the other offers as they are. A shop that has a source keeps
        to its time to live and its terms. ``progress`` hears of the rows as they are read, about every thousand.

        All or nothing, whatever interrupts it. Memory does not grow with the feed. Classes the model gave to changed
        offers are dropped until :meth:`~mapsi.catalog.Catalog.classify_by_model`. Raises :class:`FeedError` where the
        stream does or where it holds no good offer, :class:`BusyError` where another import of this shop is running.
        """
        with open_run(self._database, self._settled(delivery), taxonomy) as run:
            return run.take(offers, whole=whole, progress=progress)

    def _settled(self, delivery: Delivery) -> Delivery:
        """The delivery with the shop's slug and name, and with the terms of its source, if it has one."""
        given, slug = delivery.shop.strip(), shop_slug(delivery.shop)
        name = delivery.shop_name or (None if given == slug else given)
        if not delivery.shop_name and name is not None:
            with self._database.read() as connection:
                refuse_namesake(connection, slug, name)
        source = next((one for one in self._sources.all() if one.shop == slug), None)
        if source is not None:
            delivery = replace(delivery, time_to_live=source.time_to_live, copies=source.copies)
        return replace(delivery, shop=slug, shop_name=name)

    def begin(self, source: SourceRecord, taxonomy: Taxonomy) -> AbstractContextManager[Run]:
        """Begin a run: its shop is locked, its log entry open, and an error that ends the block is recorded.

        Raises :class:`BusyError` where another run of the shop is in progress."""
        delivery = Delivery(
            shop=source.shop,
            format=source.format,
            origin=source.address,
            now=self._database.now(),
            time_to_live=source.time_to_live,
            copies=source.copies,
        )
        return open_run(self._database, delivery, taxonomy)

    def preview(
        self,
        source: SourceRecord,
        rows: Iterable[Row],
        taxonomy: Taxonomy,
        *,
        whole: bool = True,
        progress: Advance = no_advance,
    ) -> Preview:
        """What taking over ``rows`` would change; changes nothing."""
        return preview_delivery(self._database, source, rows, taxonomy, whole=whole, progress=progress)
