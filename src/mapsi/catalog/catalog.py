"""The catalogue as other rooms see it: one object for everything that is kept of shops, offers and pictures."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from threading import Lock
from types import TracebackType
from typing import Any, Self, TypeVar, cast

import numpy as np
import numpy.typing as npt
from cachetools import LRUCache
from sqlalchemy import Connection

from mapsi.catalog.browsing import count_products, find_page, load_price_history, load_products
from mapsi.catalog.class_words import load_class_words
from mapsi.catalog.classifying import classify_by_model
from mapsi.catalog.database import Database, open_database
from mapsi.catalog.facets import count_facets
from mapsi.catalog.filters import Filters, Sort
from mapsi.catalog.generation import read_generation
from mapsi.catalog.importing import refuse_namesake, run_import, shop_slug
from mapsi.catalog.migrations import check_schema, migrate
from mapsi.catalog.narrowing import Window, cache_key
from mapsi.catalog.offer import BrokenRow, Offer
from mapsi.catalog.pictures import forget_picture, mark_failed, save_picture, sources_to_fetch, stored_pictures
from mapsi.catalog.product import Product, ProductPage
from mapsi.catalog.readings import index_rows, pictures_without_reading, save_readings
from mapsi.catalog.records import CatalogStatus, Facets, ImportReport, IndexRow, Label, PricePoint
from mapsi.catalog.status import read_status
from mapsi.catalog.switching import Delivery
from mapsi.catalog.tokens import parse_query
from mapsi.catalog.words import find_by_words
from mapsi.errors import UsageError
from mapsi.taxonomy import Taxonomy

T = TypeVar("T")


def open_catalog(url: str) -> Catalog:
    """Open the catalogue at a SQLAlchemy address: ``sqlite:////folder/catalog.sqlite3``, or ``mysql://`` or
    ``mariadb://user:password@host/database`` (driver PyMySQL, extra ``mapsi[mysql]``).

    The database is reached, its schema is not looked at: call :meth:`Catalog.migrate` or :meth:`Catalog.check_schema`.
    Raises :class:`CatalogError` where the address makes no sense, the driver is missing or the server does not answer.
    """
    return Catalog(open_database(url))


class Catalog:
    """Everything that is kept, behind plain values. Safe to share between threads; every call is a transaction of its
    own. Each method raises :class:`CatalogError` where the database cannot be reached or has another schema.

    *Living* offers are those of a shop's last feed. *Shown* ones are the living that are not out of stock: products,
    pages, searches, facets and index rows hold these only.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._memory: LRUCache[Hashable, Any] = LRUCache(maxsize=1024)
        self._memory_lock = Lock()

    def migrate(self) -> None:
        """Bring the schema to the one of this version; does nothing where it is there already."""
        migrate(self._database)

    def check_schema(self) -> None:
        """Raise :class:`CatalogError` where the schema is missing, older or newer than this version's."""
        check_schema(self._database)

    def import_offers(
        self,
        shop: str,
        offers: Iterable[Offer | BrokenRow],
        *,
        format: str,
        origin: str,
        taxonomy: Taxonomy,
        shop_name: str | None = None,
        sample: bool = False,
        now: datetime | None = None,
        progress: Callable[[int], None] | None = None,
    ) -> ImportReport:
        """Take over a shop's whole feed: what is missing from it is gone, what is in it is new, changed or unchanged.

        ``shop`` is a name or a slug (``My Shop`` and ``my-shop`` are one shop); ``shop_name`` is shown to shoppers,
        by default ``shop`` as first given. ``format`` and ``origin`` are kept as provenance. ``now`` is aware, the
        clock by default. ``progress`` is called with the number of rows read so far, about every thousand.

        All or nothing, whatever interrupts it. Memory does not grow with the feed. Classes the model gave to changed
        offers are dropped until :meth:`classify_by_model`. Raises :class:`FeedError` where the stream does or where it
        holds no good offer, :class:`CatalogError` where another import of this shop is running.
        """
        if now is not None and now.tzinfo is None:
            raise UsageError("The time of an import must have a time zone.", "Give datetime.now(UTC), for example.")
        slug = shop_slug(shop)
        name = shop_name or (None if shop == slug else shop.strip())
        if shop_name is None and name is not None:
            refuse_namesake(self._database, slug, name)
        delivery = Delivery(
            shop=slug, shop_name=name, format=format, origin=origin, sample=sample, now=now or datetime.now(UTC)
        )
        return run_import(self._database, delivery, offers, taxonomy, progress)

    def search_words(self, text: str, filters: Filters, sort: Sort, page: int, size: int) -> ProductPage:
        """Products that all words of ``text`` are found in: in the title, in brand, category or colour, or in the names
        and search words of their classes.

        A Korean (or other CJK) word is found anywhere inside a word, and where a shop wrote it as two words; any other
        as a word, as the beginning of one (from two characters up) or by its English stem. ``likeness`` puts hits in
        titles before hits in brand, category or colour before those in class words, then whole words before parts,
        then the newest. One offer a product: the best hit, of equals the cheapest. ``page`` counts from 1, ``size``
        is 1..1000; a page beyond the end is empty.

        Raises :class:`UsageError` where ``text`` has no letter or digit, is longer than 256 characters or has more
        than 24 words.
        """
        terms, window = parse_query(text), Window(page, size)
        with self._database.read() as connection:
            known = self._remembered(connection, "class words", lambda: load_class_words(connection))
            ids, total = find_by_words(connection, terms, known, filters, sort, window)
            return _page(load_products(connection, ids), total, window)

    def browse(self, filters: Filters, sort: Sort, page: int, size: int) -> ProductPage:
        """All products that pass ``filters``, the newest first (``likeness``) or by price. One offer a product: the
        cheapest that passes. ``page`` counts from 1, ``size`` is 1..1000; a page beyond the end is empty."""
        window = Window(page, size)
        with self._database.read() as connection:
            ids = find_page(connection, filters, sort, window)
            total = self._remembered(connection, cache_key(filters), lambda: count_products(connection, filters))
            return _page(load_products(connection, ids), total, window)

    def products(self, ids: Sequence[int]) -> list[Product]:
        """The products of these offers, in the order of ``ids``; those no longer shown are left out."""
        with self._database.read() as connection:
            return load_products(connection, ids)

    def price_history(self, offer_id: int) -> list[PricePoint]:
        """What an offer has cost, the oldest first; empty for one that never was."""
        with self._database.read() as connection:
            return load_price_history(connection, offer_id)

    def facets(self) -> Facets:
        """What there is to narrow down to. Counted once a :meth:`generation`, then remembered."""
        with self._database.read() as connection:
            return self._remembered(connection, "facets", lambda: count_facets(connection))

    def image_sources_to_fetch(self) -> Iterator[tuple[int, str]]:
        """(offer id, image source) of the living offers without a stored picture, by id; those whose picture failed
        come again after their shop's next import. Pictures may be saved while this is being read."""
        return sources_to_fetch(self._database)

    def save_picture(self, offer_ids: Sequence[int], digest: str, width: int, height: int, source: str) -> None:
        """Note that these offers' picture is stored under ``digest`` (SHA-256 of what the shop gave, hexadecimal);
        ``width`` and ``height`` in pixels."""
        save_picture(self._database, offer_ids, digest, width, height, source)

    def stored_pictures(self) -> list[str]:
        """Digests of all pictures that living offers are noted to have."""
        return stored_pictures(self._database)

    def forget_picture(self, digest: str) -> None:
        """Note that the stored picture is lost: its offers need it again."""
        forget_picture(self._database, digest)

    def mark_picture_failed(self, offer_ids: Sequence[int], reason: str) -> None:
        """Note why these offers' picture could not be had; a sentence for the operator."""
        mark_failed(self._database, offer_ids, reason)

    def pictures_without_reading(self, model: str) -> list[str]:
        """Digests of the living offers' pictures that the model with this fingerprint has not read, sorted."""
        return pictures_without_reading(self._database, model)

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
        self._database.engine.dispose()

    def _remembered(self, connection: Connection, key: Hashable, count: Callable[[], T]) -> T:
        """What ``count`` gave in this generation of the catalogue: an answer over all offers is counted once."""
        stamped = (read_generation(connection), key)
        with self._memory_lock:
            if stamped in self._memory:
                return cast(T, self._memory[stamped])
        answer = count()
        with self._memory_lock:
            self._memory[stamped] = answer
        return answer

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _page(products: Sequence[Product], total: int, window: Window) -> ProductPage:
    return ProductPage(products=tuple(products), total=total, number=window.number, size=window.size)
