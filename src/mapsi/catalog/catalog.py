"""The catalogue as other rooms see it: one object for everything that is kept of shops, offers and pictures."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

from mapsi.catalog.imports.run import Row, open_run
from mapsi.catalog.imports.shop_slugs import refuse_namesake, shop_slug
from mapsi.catalog.imports.sourcing import Sources
from mapsi.catalog.imports.switching import Delivery
from mapsi.catalog.listings.listings import Listings
from mapsi.catalog.operations.clicks import Clicks
from mapsi.catalog.operations.corrections import Corrections
from mapsi.catalog.operations.jobs import Jobs
from mapsi.catalog.operations.joins import Joins
from mapsi.catalog.operations.searches import Searches
from mapsi.catalog.operations.snapshots import Snapshots
from mapsi.catalog.operations.status import read_status
from mapsi.catalog.people.accounts import Accounts
from mapsi.catalog.people.letters import Letters
from mapsi.catalog.people.saved import SavedProducts
from mapsi.catalog.people.searches import PeoplesSearches
from mapsi.catalog.people.sessions import Sessions
from mapsi.catalog.people.shares import Shares
from mapsi.catalog.pictures.classifying import classify_by_model
from mapsi.catalog.pictures.pictures import Pictures
from mapsi.catalog.pictures.readings import Readings
from mapsi.catalog.records import CatalogStatus, ImportReport
from mapsi.catalog.store.database import AT_WORK, ON_PAGES, Clock, Database, open_database, utc_now
from mapsi.catalog.store.generation import read_generation
from mapsi.catalog.store.migrations import check_schema, migrate
from mapsi.errors import UsageError
from mapsi.progress import Advance, no_advance
from mapsi.taxonomy import Taxonomy


def open_catalog(
    address: str | Path, now: Clock = utc_now, *, visitors: bool = False, words: Path | None = None
) -> Catalog:
    """Open the catalogue at a SQLAlchemy address: ``sqlite:////folder/catalog.sqlite3`` (or the file's path), or ``mysql://``
    or ``mariadb://user:password@host/database`` (driver PyMySQL, extra ``mapsi[mysql]``).

    The database is reached, its schema is not looked at: call :meth:`Catalog.migrate` or :meth:`Catalog.check_schema`.
    ``now`` is the clock that says what has expired, ``visitors`` whether somebody waits for each answer: then a
    database that is slow or locked is an error within seconds. ``words`` is the folder in which the index of words is
    kept, shared by all processes of a machine; without it, each catalogue that is opened has its own in memory. Raises
    :class:`CatalogError` where the address makes no sense, the driver is missing or the server does not answer.
    """
    return Catalog(open_database(address, now, ON_PAGES if visitors else AT_WORK), words)


class Catalog:
    """Everything that is kept, behind plain values. Safe to share between threads; every call is a transaction of its
    own. Each method raises :class:`CatalogError` where the database cannot be reached or has another schema.

    *Living* offers are those of a shop's last feed. *Shown* ones are the living that are not out of stock and not past
    their time to live: products, pages, searches, facets and index rows hold these only. ``listings`` is what is
    searched, ``sources`` where the offers come from, ``pictures`` what is known of their pictures, ``readings`` what
    models read in these.
    """

    def __init__(self, database: Database, words: Path | None = None) -> None:
        self._database = database
        self.listings = Listings(database, words)
        self.sources = Sources(database)
        self.pictures = Pictures(database)
        self.readings = Readings(database)
        self.accounts = Accounts(database)
        self.jobs = Jobs(database)
        self.searches = Searches(database)
        self.clicks = Clicks(database)
        self.snapshots = Snapshots(database)
        self.corrections = Corrections(database)
        self.joins = Joins(database)
        self.saved = SavedProducts(database)
        self.sessions = Sessions(database)
        self.letters = Letters(database)
        self.shares = Shares(database)
        self.peoples_searches = PeoplesSearches(database)

    def migrate(self) -> None:
        """Bring the schema to the one of this version; does nothing where it is there already."""
        migrate(self._database)

    def check_schema(self) -> None:
        """Raise :class:`CatalogError` where the schema is missing, older or newer than this version's."""
        check_schema(self._database)

    def import_offers(
        self,
        shop: str,
        offers: Iterable[Row],
        *,
        format: str,
        origin: str,
        taxonomy: Taxonomy,
        shop_name: str | None = None,
        sample: bool = False,
        whole: bool = True,
        time_to_live: timedelta | None = None,
        copies: bool = True,
        now: datetime | None = None,
        progress: Advance = no_advance,
    ) -> ImportReport:
        """Take over a shop's whole feed: what is missing from it is gone, what is in it is new, changed or unchanged;
        or, where not ``whole``, changes to it, which leave the other offers as they are.

        ``shop`` is a name or a slug (``My Shop`` and ``my-shop`` are one shop); ``shop_name`` is shown to shoppers,
        by default ``shop`` as first given. ``format`` and ``origin`` are kept as provenance. ``time_to_live`` is how
        long the offers are shown (by default without end), ``copies`` whether their pictures may be copied; a shop that
        has a source keeps to that. ``now`` is aware, the clock by default. ``progress`` is told of the rows as they are
        read, about every thousand.

        All or nothing, whatever interrupts it. Memory does not grow with the feed. Classes the model gave to changed
        offers are dropped until :meth:`classify_by_model`. Raises :class:`FeedError` where the stream does or where it
        holds no good offer, :class:`BusyError` where another import of this shop is running.
        """
        if now is not None and now.tzinfo is None:
            raise UsageError("The time of an import must have a time zone.", "Give datetime.now(UTC), for example.")
        slug = shop_slug(shop)
        name = shop_name or (None if shop == slug else shop.strip())
        if shop_name is None and name is not None:
            with self._database.read() as connection:
                refuse_namesake(connection, slug, name)
        source = next((one for one in self.sources.all() if one.shop == slug), None)
        if source is not None:
            time_to_live, copies = source.time_to_live, source.copies
        delivery = Delivery(
            shop=slug,
            shop_name=name,
            format=format,
            origin=origin,
            sample=sample,
            now=now or self._database.now(),
            time_to_live=None if time_to_live is None else round(time_to_live.total_seconds()),
            copies=copies,
        )
        with open_run(self._database, delivery, taxonomy) as run:
            return run.take(offers, whole=whole, progress=progress)

    def classify_by_model(self, model: str, taxonomy: Taxonomy) -> int:
        """Give every living offer the classes that its words left open and the model knows, and drop those that an
        earlier model gave. Returns how many offers changed."""
        return classify_by_model(self._database, model, taxonomy)

    def generation(self) -> int:
        """A number that grows with every finished import, reading or labelling, so that indexes and caches know."""
        with self._database.read() as connection:
            return read_generation(connection)

    def status(self) -> CatalogStatus:
        """Counts and last imports, for the operator."""
        with self._database.read() as connection:
            return read_status(connection)

    def close(self) -> None:
        """Give back all connections."""
        self.listings.close()
        self._database.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
