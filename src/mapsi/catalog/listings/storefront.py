"""What shoppers ask of the catalogue, each answer from one moment of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import Connection

from mapsi.catalog.filters import Expired, Filters, Sort
from mapsi.catalog.listings.browsing import load_products
from mapsi.catalog.listings.listing_index import IndexKeeper, ListingIndex
from mapsi.catalog.listings.narrowing import Window
from mapsi.catalog.listings.searching import Found, Query, Searcher, unexpired
from mapsi.catalog.listings.segment import Bools, Ints
from mapsi.catalog.listings.suggesting import MOST, Suggester
from mapsi.catalog.product import ProductPage
from mapsi.catalog.records import Facets, Suggestion
from mapsi.catalog.store.database import Database
from mapsi.catalog.store.expiry import read_expired
from mapsi.catalog.text.thesaurus import shipped_thesaurus
from mapsi.catalog.text.tokens import query_words
from mapsi.errors import CatalogError, UsageError
from mapsi.taxonomy import Taxonomy

T = TypeVar("T")
_TRIES = 10


class Storefront:
    """Searches, lists, counts and suggestions over what is shown, out of the listings in memory. Any number of threads may
    ask at once. The first question reads all listings (about 15 seconds a million), every later one what changed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._keeper = IndexKeeper()
        self._thesaurus = shipped_thesaurus()

    def page(self, query: Query, filters: Filters, sort: Sort, window: Window) -> ProductPage:
        def find(connection: Connection, index: ListingIndex, expired: Expired) -> ProductPage:
            searcher = self._searcher(index, expired)

            def look() -> Found:
                return searcher.page(query, filters, sort, window)

            # The list of everything is what most visitors see, and the one that looks at every listing.
            everything = not query.words and not filters.narrows
            found = searcher.remember(("all", sort, window, expired), look) if everything else look()
            products = tuple(load_products(connection, found.offers, expired))
            return ProductPage(
                products=products, total=found.total, number=window.number, size=window.size, instead=found.instead
            )

        return self._ask(find)

    def facets(self, query: Query, filters: Filters) -> Facets:
        def count(connection: Connection, index: ListingIndex, expired: Expired) -> Facets:
            searcher = self._searcher(index, expired)
            if query.words or filters.narrows:
                return searcher.facets(query, filters)
            return searcher.remember(("facets", expired), lambda: searcher.facets(query, filters))

        return self._ask(count)

    def facets_among(self, offers: Ints, filters: Filters) -> Facets:
        return self._ask(lambda _, index, expired: self._searcher(index, expired).facets_among(offers, filters))

    def narrow(self, offers: Ints, filters: Filters) -> Bools:
        return self._ask(lambda _, index, expired: self._searcher(index, expired).narrow(offers, filters))

    def suggest(self, text: str, taxonomy: Taxonomy, limit: int) -> tuple[Suggestion, ...]:
        if not 1 <= limit <= MOST:
            raise UsageError(f"There are 1 to {MOST} suggestions.", "Ask for so many.")

        def find(connection: Connection, index: ListingIndex, expired: Expired) -> tuple[Suggestion, ...]:
            searcher = self._searcher(index, expired)
            suggester = searcher.remember(("suggester", id(taxonomy)), lambda: Suggester(index, taxonomy))
            return suggester.suggest(text, searcher, limit)

        return self._ask(find)

    def _searcher(self, index: ListingIndex, expired: Expired) -> Searcher:
        return Searcher(index, self._thesaurus, unexpired(expired))

    def _ask(self, answer: Callable[[Connection, ListingIndex, Expired], T]) -> T:
        """An answer in a transaction that sees the very generation the index is of."""
        for _ in range(_TRIES):
            with self._database.read() as connection:
                index = self._keeper.at(connection)
                if index is not None:
                    return answer(connection, index, read_expired(connection, self._database.now()))
        raise CatalogError("The catalogue changes faster than it can be read.", "Try again in a moment.")


def as_query(text: str, *, exact: bool) -> Query:
    """What a person typed; raises :class:`UsageError`, :class:`~mapsi.catalog.text.tokens.NoWordsError` for no words."""
    return Query(query_words(text), exact)
