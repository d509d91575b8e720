"""What shoppers ask of the catalogue, each answer from one moment of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from pathlib import Path
from threading import Lock
from typing import TypeVar, cast

from sqlalchemy import Connection, func, select

from mapsi.arrays import IntArray
from mapsi.catalog.filters import Filters
from mapsi.catalog.listings.browsing import load_price_history, load_products
from mapsi.catalog.listings.columns import ColumnsKeeper, Shown
from mapsi.catalog.listings.engines.view import Hit
from mapsi.catalog.listings.engines.word_index import DamagedIndexError, reading_safely
from mapsi.catalog.listings.index_keeper import IndexKeeper, Served
from mapsi.catalog.listings.products import read_joined, read_listings, read_products_of
from mapsi.catalog.listings.searching import Searcher, SearchResult
from mapsi.catalog.listings.suggesting import MOST, suggest
from mapsi.catalog.listings.variants import Chooser
from mapsi.catalog.product import Product, ProductPage
from mapsi.catalog.query import ALL_PRODUCTS, Query
from mapsi.catalog.records import Facets, PricePoint, Suggestion, WordsServer
from mapsi.catalog.store.database import Database
from mapsi.catalog.store.expiry import Expired, read_expired, read_moment
from mapsi.catalog.store.tables import Listing
from mapsi.catalog.text.thesaurus import shipped_thesaurus
from mapsi.catalog.text.tokens import query_words
from mapsi.errors import CatalogError, MapsiError, UsageError
from mapsi.taxonomy import Taxonomy

T = TypeVar("T")
_TRIES = 10


class Listings:
    """Searches, lists, counts and suggestions over what is shown. Any number of threads may ask at once. ``words`` is
    the folder of the index of words; without it, the index is in memory. Of as many listings as ``server`` says it is
    in a Milvus instead; that is decided with the first question."""

    def __init__(self, database: Database, words: Path | None, server: WordsServer | None = None) -> None:
        self._database = database
        self._thesaurus = shipped_thesaurus()
        self._keeper = IndexKeeper(database, words, self._thesaurus)
        self._server = server
        self._deciding = Lock()
        self._columns = ColumnsKeeper()

    def search(self, query: Query) -> ProductPage:
        """A page of the products that all words of the query are found in (in the title, in brand, category or colour,
        or in the names and search words of their classes), or of all products for none. The rules are in docs/words.md.

        Words that find nothing are mended, where that helps (typed on the other keyboard layout, or with one slip); the
        page's ``instead`` then says what was searched for. ``likeness`` puts hits in titles before hits in brand,
        category or colour before those in class words, then whole words before parts and synonyms, then the newest.
        One offer per product: the best hit, among equals the cheapest. A page beyond the end is empty.

        Raises :class:`UsageError` where the words are longer than 256 characters or more than 24, its ``NoWordsError``
        where they have no letter or digit.
        """
        said = _words_of(query)

        def find(connection: Connection, served: Served, expired: Expired) -> ProductPage:
            searcher = self._searcher(served, expired)
            sort, offset, size = query.sort, query.offset, query.size

            def look() -> SearchResult:
                return searcher.page(said, query.filters, sort, offset, size, exact=query.exact)

            found = served.remember(("all", sort, offset, size, expired), look) if query.is_everything else look()
            offers = self._offers(connection, served, searcher, found, query.filters)
            products = load_products(connection, offers, expired)
            if sort != "likeness":  # of a product whose cheapest variant does not pass, a dearer one is shown
                products.sort(key=lambda product: product.lowest_price, reverse=sort == "price-down")
            return ProductPage(
                products=tuple(products),
                total=found.total,
                number=query.page,
                size=size,
                instead=found.wanted.instead,
                left_out=found.wanted.left_out,
                whole=found.wanted.whole,
            )

        return self._ask(find)

    def facets(self, query: Query = ALL_PRODUCTS) -> Facets:
        """What a search (of all products, if nothing is said) can be narrowed down to, each kind of filter counted with
        the others in force. Raises like :meth:`search` does."""
        said = _words_of(query)

        def count(_: Connection, served: Served, expired: Expired) -> Facets:
            searcher = self._searcher(served, expired)
            if query.is_everything:
                return cast(Facets, served.remember(("facets", expired), lambda: searcher.facets((), query.filters)))
            return searcher.facets(said, query.filters, fill=query.sort == "likeness", exact=query.exact)

        return self._ask(count)

    def shop_slugs(self) -> list[str]:
        """The shops that have products here."""
        return [shop.slug for shop in self.facets().shops]

    def facets_among(self, offers: IntArray, filters: Filters, apart: Mapping[str, IntArray] | None = None) -> Facets:
        """The same for given offers instead of a search. A kind of filter that is ``apart`` (``color``, ``audience``,
        an axis) is counted over offers of its own."""
        wanted = offers.tolist()
        own = {kind: numbers.tolist() for kind, numbers in (apart or {}).items()}
        return self._ask(lambda _, served, expired: self._searcher(served, expired).facets_among(wanted, filters, own))

    def shown(self) -> Shown:
        """What photo answers are narrowed and ordered by, as it is at this moment: one question to the database, and
        the rest out of memory, for a photo search asks about all it knows."""
        for _ in range(_TRIES):
            with self._database.read() as connection:
                generation, expired = read_moment(connection, self._database.now())
                columns = self._columns.at(connection, generation)
                if columns is not None:
                    return Shown(columns, expired)
        raise _too_fast()

    def one_a_product(self, offers: Sequence[int], filters: Filters, shown: Shown) -> dict[int, int]:
        """The offer to show in place of each of these, in their order: of a product of several shops the cheapest
        like it that passes as many filters; what is of the product of one before is left out. Where each is of one shop
        alone, the database is not asked."""
        several = shown.joined(offers)
        if not several:
            return {offer: offer for offer in offers}
        with self._database.read() as connection:
            found = read_joined(connection, several)
        numbers = shown.columns.shops
        chooser = Chooser(filters, [numbers[slug] for slug in filters.shops if slug in numbers], shown.expired)
        standing: dict[int, int] = {}
        told: set[int] = set()
        for offer in offers:
            variants = found.get(offer, ())
            row = next((row for row in variants if row.offer_id == offer), None)
            if row is None:
                standing[offer] = offer
            elif row.product not in told:
                told.add(row.product)
                standing[offer] = chooser.cheapest_like(row, variants)
        return standing

    def offers_of(self, product_id: int) -> list[Product]:
        """What each shop that has the product of an offer asks for it, the lowest price first; empty where it is not
        shown. Of a shop's variants it is the cheapest of the same colour, where there is one."""
        with self._database.read() as connection:
            expired = read_expired(connection, self._database.now())
            variants = [row for product in read_products_of(connection, [product_id]) for row in product]
            row = next((row for row in variants if row.offer_id == product_id), None)
            if row is None:
                return []
            chosen = Chooser(Filters(), (), expired).of_each_seller(row, variants)
            return load_products(connection, chosen, expired)

    def suggest(self, text: str, taxonomy: Taxonomy, limit: int = 8) -> tuple[Suggestion, ...]:
        """At most ``limit`` (1..10) classes, brands and frequent words that ``text`` is the beginning of, by letters or
        by the initial consonants of Hangul, with the number of products that each finds; empty for no letters."""
        if not 1 <= limit <= MOST:
            raise UsageError(f"{limit} suggestions cannot be asked for.", f"Ask for 1 to {MOST}.")
        return self._ask(lambda _, served, expired: suggest(text, self._searcher(served, expired), taxonomy, limit))

    def rebuild(self) -> int:
        """Rebuild the index of words beside the one that serves, and switch to it; returns the number of products in
        it. Never needed for what changes: questions bring it up to date. Raises :class:`CatalogError` where it cannot
        be written, :class:`BusyError` where another process is writing it."""
        with self._database.read() as connection:
            self._decide(connection)
        return self._keeper.rebuild()

    def products(self, ids: Sequence[int], expired: Expired | None = None) -> list[Product]:
        """The products of these offers, in the order of ``ids``; those no longer shown are left out. ``expired`` is
        known to who has looked a moment ago."""
        with self._database.read() as connection:
            if expired is None:
                expired = read_expired(connection, self._database.now())
            return load_products(connection, ids, expired)

    def prices(self, offer_id: int) -> list[PricePoint]:
        """What an offer has cost, the oldest first; empty for one that never was."""
        with self._database.read() as connection:
            return load_price_history(connection, offer_id)

    @property
    def in_memory(self) -> bool:
        """Whether the index of words is kept in memory for want of a disk that takes it."""
        return self._keeper.is_in_memory

    @property
    def fault(self) -> MapsiError | None:
        """Why words cannot be asked just now; ``None`` where they can."""
        return self._keeper.fault

    def close(self) -> None:
        """Wait for what is being built."""
        self._keeper.close()

    def _offers(
        self, connection: Connection, served: Served, searcher: Searcher, found: SearchResult, filters: Filters
    ) -> list[int]:
        """The offer to show of each product found; products of several variants are looked at closely."""
        variants = {hit.offer: searcher.variants(hit) for hit in found.hits if not hit.alone}
        rows = {row.offer_id: row for row in read_listings(connection, chain.from_iterable(variants.values()))}
        numbers = {number for number, (slug, _) in served.shops.items() if slug in filters.shops}
        chooser = Chooser(filters, numbers, searcher.expired)

        def shown(hit: Hit) -> int | None:
            if hit.alone:
                return hit.offer
            known = [rows[offer] for offer in variants[hit.offer] if offer in rows]
            return chooser.best(known, found.wanted.asked, served.reader)

        return [offer for hit in found.hits if (offer := shown(hit)) is not None]

    def _searcher(self, served: Served, expired: Expired) -> Searcher:
        return Searcher(served.view, self._thesaurus, served.shops, expired, served.remember)

    def _decide(self, connection: Connection) -> None:
        """Whether the index of words is in the Milvus, once: processes that began when there were fewer listings keep
        theirs, and answer alike."""
        if self._server is None:
            return
        with self._deciding:
            server, self._server = self._server, None
            if server is not None and _are_as_many(connection, server.listings):
                from mapsi.catalog.listings.milvus_keeper import MilvusKeeper

                self._keeper = MilvusKeeper(self._database, server.url, self._thesaurus)

    def _ask(self, answer: Callable[[Connection, Served, Expired], T]) -> T:
        """An answer in a transaction that sees the very generation the index is of."""
        for tried in range(_TRIES):
            with self._database.read() as connection:
                self._decide(connection)
                served = self._keeper.at(connection, may_be_restored=tried == _TRIES - 1)
                if served is None:
                    continue
                try:
                    with reading_safely():
                        return answer(connection, served, read_expired(connection, self._database.now()))
                except DamagedIndexError as error:
                    self._keeper.damaged(str(error))
        raise _too_fast()


def _are_as_many(connection: Connection, number: int) -> bool:
    """Whether there are so many listings, or more."""
    found = select(func.count()).select_from(select(Listing.offer_id).limit(number).subquery())
    return int(connection.scalar(found) or 0) >= number


def _words_of(query: Query) -> tuple[str, ...]:
    """The words of what a person typed; raises :class:`UsageError`, :class:`~mapsi.catalog.text.tokens.NoWordsError`
    for none."""
    return () if query.words is None else query_words(query.words)


def _too_fast() -> CatalogError:
    return CatalogError("The catalogue changes faster than it can be read.", "Try again in a moment.")
