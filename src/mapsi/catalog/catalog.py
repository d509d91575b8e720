"""The catalogue as other rooms see it: one object for everything that is kept of shops, offers and pictures."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import select

from mapsi.catalog.imports.imports import Imports
from mapsi.catalog.imports.previews import Previews
from mapsi.catalog.imports.query_answers import Calls, QueryAnswers
from mapsi.catalog.imports.run_log import Runs
from mapsi.catalog.imports.sources import Sources
from mapsi.catalog.listings.listings import Listings
from mapsi.catalog.operations.clicks import Clicks
from mapsi.catalog.operations.corrections import Corrections
from mapsi.catalog.operations.jobs import Jobs
from mapsi.catalog.operations.joins import Joins
from mapsi.catalog.operations.searches import Searches
from mapsi.catalog.operations.snapshots import Snapshots
from mapsi.catalog.operations.status import read_status
from mapsi.catalog.people.accounts import Accounts
from mapsi.catalog.people.emails import Emails
from mapsi.catalog.people.forgetting import forget_people
from mapsi.catalog.people.saved import SavedProducts
from mapsi.catalog.people.searches import PeoplesSearches
from mapsi.catalog.people.sessions import Sessions
from mapsi.catalog.people.shares import Shares
from mapsi.catalog.pictures.classifying import classify_by_model
from mapsi.catalog.pictures.copies import Copies
from mapsi.catalog.pictures.fetching import Pictures
from mapsi.catalog.pictures.readings import Readings
from mapsi.catalog.records import CatalogStatus, WordsServer
from mapsi.catalog.store.changes import read_generation
from mapsi.catalog.store.database import AT_WORK, ON_PAGES, Clock, Database, open_database, utc_now
from mapsi.catalog.store.expiry import sweep
from mapsi.catalog.store.migrations import check_schema, migrate
from mapsi.catalog.store.tables import Shop
from mapsi.taxonomy import Taxonomy


def open_catalog(
    address: str | Path,
    now: Clock = utc_now,
    *,
    visitors: bool = False,
    words: Path | None = None,
    words_server: WordsServer | None = None,
) -> Catalog:
    """Open the catalogue at a SQLAlchemy address: ``sqlite:////folder/catalog.sqlite3`` (or the file's path), or ``mysql://``
    or ``mariadb://user:password@host/database`` (driver PyMySQL, extra ``mapsi[mysql]``).

    The database is reached, its schema is not looked at: call :meth:`Catalog.migrate` or :meth:`Catalog.check_schema`.
    ``now`` is the clock that says what has expired, ``visitors`` whether somebody waits for each answer: then a
    database that is slow or locked is an error within seconds. ``words`` is the folder in which the index of words is
    kept, shared by all processes of a machine; without it, each catalogue that is opened has its own in memory. Of as
    many listings as ``words_server`` says it is kept there instead. Raises :class:`CatalogError` where the address
    makes no sense, the driver is missing or the server does not answer.
    """
    return Catalog(open_database(address, now, ON_PAGES if visitors else AT_WORK), words, words_server)


class Catalog:
    """Everything that is kept, behind plain values. Safe to share between threads; every call is a transaction of its
    own. Each method raises :class:`CatalogError` where the database cannot be reached or has another schema.

    *Living* offers are those of a shop's last feed. *Shown* ones are the living that are not out of stock and not past
    their time to live: products, pages, searches, facets and index rows hold these only. ``listings`` is what is
    searched, ``sources`` where the offers come from, ``imports`` how, ``pictures`` where their pictures come from,
    ``copies`` what is kept of these, ``readings`` what models read in them.
    """

    def __init__(self, database: Database, words: Path | None = None, words_server: WordsServer | None = None) -> None:
        self._database = database
        self.listings = Listings(database, words, words_server)
        self.sources = Sources(database)
        self.imports = Imports(database, self.sources)
        self.runs = Runs(database)
        self.previews = Previews(database)
        self.answers = QueryAnswers(database)
        self.calls = Calls(database)
        self.pictures = Pictures(database)
        self.copies = Copies(database)
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
        self.emails = Emails(database)
        self.shares = Shares(database)
        self.peoples_searches = PeoplesSearches(database)

    def migrate(self) -> None:
        """Bring the schema to the one of this version; does nothing where it is already there."""
        migrate(self._database)

    def check_schema(self) -> None:
        """Raise :class:`CatalogError` where the schema is missing, older or newer than this version's."""
        check_schema(self._database)

    def shop_names(self) -> list[str]:
        """Every shop, also those that no source stands for."""
        with self._database.read() as connection:
            return list(connection.scalars(select(Shop.name).order_by(Shop.id)))

    def classify_by_model(self, model: str, taxonomy: Taxonomy) -> int:
        """Give every living offer the classes that its words left open and the model knows, and drop those that an
        earlier model gave. Returns how many offers changed."""
        return classify_by_model(self._database, model, taxonomy)

    def sweep(self) -> int:
        """Mark offers past their time to live as gone; returns how many. They are hidden without it as well, at a price
        for every search. Runs whose process was killed are noted as such, and what is kept of people for a while
        only goes when its time is over."""
        self.runs.mark_killed()
        forget_people(self._database, self._database.now())
        return sweep(self._database, self._database.now())

    def now(self) -> datetime:
        """The time by the catalogue's clock."""
        return self._database.now()

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
