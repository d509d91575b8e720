"""The catalogue as other rooms see it: one object for everything that is kept of shops, offers and pictures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt
from sqlalchemy import Connection

from mapsi.catalog.filters import EVERYTHING, Expired, Filters, Sort
from mapsi.catalog.imports.run import Row, open_run
from mapsi.catalog.imports.shop_slugs import refuse_namesake, shop_slug
from mapsi.catalog.imports.sourcing import Sources
from mapsi.catalog.imports.switching import Delivery
from mapsi.catalog.listings.browsing import in_order_of_price, load_price_history, load_products
from mapsi.catalog.listings.storefront import Storefront
from mapsi.catalog.operations.clicks import Clicks
from mapsi.catalog.operations.corrections import Corrections
from mapsi.catalog.operations.jobs import Jobs
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
from mapsi.catalog.pictures.readings import (
    UnreadPicture,
    count_pictures_read,
    index_rows,
    pictures_without_reading,
    save_readings,
)
from mapsi.catalog.product import Product, ProductPage
from mapsi.catalog.query import Query
from mapsi.catalog.records import CatalogStatus, Facets, ImportReport, IndexRow, Label, PricePoint, Suggestion
from mapsi.catalog.store.database import AT_WORK, ON_PAGES, Clock, Database, open_database, utc_now
from mapsi.catalog.store.expiry import read_expired
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
    their time to live: products, pages, searches, facets and index rows hold these only. ``sources`` is where the
    offers come from, ``pictures`` what is known of their pictures.
    """

    def __init__(self, database: Database, words: Path | None = None) -> None:
        self._database = database
        self.sources = Sources(database)
        self.pictures = Pictures(database)
        self.accounts = Accounts(database)
        self.jobs = Jobs(database)
        self.searches = Searches(database)
        self.clicks = Clicks(database)
        self.snapshots = Snapshots(database)
        self.corrections = Corrections(database)
        self.saved = SavedProducts(database)
        self.sessions = Sessions(database)
        self.letters = Letters(database)
        self.shares = Shares(database)
        self.peoples_searches = PeoplesSearches(database)
        self._front = Storefront(database, words)

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

    def search(self, query: Query) -> ProductPage:
        return self._front.page(query)

    def search_words(
        self, text: str, filters: Filters, sort: Sort, page: int, size: int, *, exact: bool = False
    ) -> ProductPage:
        """Products that all words of ``text`` are found in: in the title, in brand, category or colour, or in the names
        and search words of their classes. The rules stand in docs/words.md.

        Words that find nothing are mended, where that helps (typed on the other keyboard layout, or with one slip); the
        page's ``instead`` then says what was searched for. Where ``exact``, they are taken as they stand.

        ``likeness`` puts hits in titles before hits in brand, category or colour before those in class words, then
        whole words before parts and synonyms, then the newest. One offer a product: the best hit, of equals the
        cheapest. ``page`` counts from 1, ``size`` is 1..1000; a page beyond the end is empty.

        Raises :class:`UsageError` where ``text`` is longer than 256 characters or has more than 24 words, its
        ``NoWordsError`` where it has no letter or digit.
        """
        return self.search(Query(words=text or " ", filters=filters, sort=sort, page=page, size=size, exact=exact))

    def browse(self, filters: Filters, sort: Sort, page: int, size: int) -> ProductPage:
        """All products that pass ``filters``, the newest first (``likeness``) or by price. One offer a product: the
        cheapest that passes. ``page`` counts from 1, ``size`` is 1..1000; a page beyond the end is empty."""
        return self.search(Query(filters=filters, sort=sort, page=page, size=size))

    def suggest(self, text: str, taxonomy: Taxonomy, limit: int = 8) -> tuple[Suggestion, ...]:
        """At most ``limit`` (1..10) classes, brands and frequent words that ``text`` is the beginning of, by letters or
        by the initial consonants of Hangul, with the number of products that each finds; empty for no letters."""
        return self._front.suggest(text, taxonomy, limit)

    def index_words(self) -> int:
        """Build the index of words anew beside the one that serves, and switch to it; gives the number of products in
        it. Never needed for what changes: questions bring it up to date. Raises :class:`CatalogError` where it cannot
        be written, :class:`BusyError` where another process is writing it."""
        return self._front.rebuild()

    def products(self, ids: Sequence[int]) -> list[Product]:
        """The products of these offers, in the order of ``ids``; those no longer shown are left out."""
        with self._database.read() as connection:
            return load_products(connection, ids, self._expired(connection))

    def price_history(self, offer_id: int) -> list[PricePoint]:
        """What an offer has cost, the oldest first; empty for one that never was."""
        with self._database.read() as connection:
            return load_price_history(connection, offer_id)

    def facets(self, text: str = "", filters: Filters = EVERYTHING, *, exact: bool = False) -> Facets:
        """What a search by words (all products, where there are none) can be narrowed down to, each kind of filter
        counted with the others in force. Raises as :meth:`search_words` does."""
        return self._front.facets(Query(words=text, filters=filters, exact=exact))

    def facets_among(self, offers: npt.NDArray[np.int64], filters: Filters) -> Facets:
        """The same for given offers instead of a search."""
        return self._front.facets_among(offers, filters)

    def narrow(self, offers: npt.NDArray[np.int64], filters: Filters) -> npt.NDArray[np.bool_]:
        """Which of these offers, shape (n,), are shown at this moment and pass the filters. A few milliseconds, out of
        memory: made for a photo search, which asks about all it knows."""
        return self._front.narrow(offers, filters)

    def in_order_of_price(self, offer_ids: Sequence[int], sort: Sort) -> list[int]:
        """Those of the offers that are listed, by the lowest price of this moment; equal ones in the order given."""
        with self._database.read() as connection:
            return in_order_of_price(connection, offer_ids, sort)

    def pictures_without_reading(self, model: str) -> list[UnreadPicture]:
        """The living offers' pictures that the model with this fingerprint has not read, by digest."""
        return pictures_without_reading(self._database, model)

    def count_pictures_read(self, model: str) -> int:
        """How many of the living offers' pictures the model with this fingerprint has read."""
        return count_pictures_read(self._database, model)

    def save_readings(
        self, model: str, rows: Iterable[tuple[str, npt.NDArray[np.float32], Mapping[str, Label]]]
    ) -> int:
        """Keep what a model read: (picture digest, embedding of shape (width,), label an axis). Embeddings are kept as
        float16. A reading that is there already is replaced. Written in batches; returns how many."""
        return save_readings(self._database, model, rows)

    def classify_by_model(self, model: str, taxonomy: Taxonomy) -> int:
        """Give every living offer the classes that its words left open and the model knows, and drop those that an
        earlier model gave. Returns how many offers changed."""
        return classify_by_model(self._database, model, taxonomy)

    def index_rows(self, model: str) -> Iterator[IndexRow]:
        """All shown offers with a reading by this model, by offer id, from one moment, in flat memory."""
        return index_rows(self._database, model)

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
        self._front.close()
        self._database.close()

    def _expired(self, connection: Connection) -> Expired:
        """What is hidden at this moment, though it still stands among the listings."""
        return read_expired(connection, self._database.now())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
