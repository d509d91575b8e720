"""The index of words in a Milvus, kept up with its catalogue as the one in a folder is.

Collections are named after the catalogue's mark, so that shops may share a Milvus: ``mapsi_words_MARK`` is an alias of
the one that serves. One that is built anew stands beside it until the alias is led over.
"""

from __future__ import annotations

import logging
import math
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, select

from mapsi.catalog.listings.engines.milvus_index import MilvusIndex, drop, read_state
from mapsi.catalog.listings.engines.milvus_view import TERMS
from mapsi.catalog.listings.index_keeper import PATIENCE, IndexKeeper, KeptIndex, is_small, listing_reader, not_yet
from mapsi.catalog.listings.products import read_products
from mapsi.catalog.store.changes import read_generation
from mapsi.catalog.store.database import Database
from mapsi.catalog.store.locks import exclusive
from mapsi.catalog.store.tables import State
from mapsi.catalog.text.thesaurus import Thesaurus
from mapsi.errors import ArtifactError, IndexUnavailableError, MapsiError
from mapsi.milvus import MilvusClient, MilvusConnection

PREFIX = "mapsi_words_"
LAYOUT = 1
"""To be counted up with every change of the fields or of how they are filled."""
_SECONDS = 10.0
_AWAY = ("Searching is not possible just now.", "Try again in a moment.")
_GONE = ("Milvus no longer has this index of words.", "It is built anew with the next question.")

_log = logging.getLogger(__name__)


class MilvusKeeper(IndexKeeper):
    """Hands out the index that fits the generation a transaction sees, out of the Milvus at ``url``."""

    def __init__(self, database: Database, url: str, thesaurus: Thesaurus) -> None:
        super().__init__(database, None, thesaurus)
        self._milvus = MilvusConnection(url, away=_AWAY, gone=_GONE)
        self._broken = ""

    @property
    def fault(self) -> MapsiError | None:
        return self._milvus.fault

    def damaged(self, why: str) -> None:
        """Treat the collection that served last as gone, or as broken where the alias still stands for it."""
        with self._lock:
            if isinstance(self._index, MilvusIndex):
                self._broken = self._index.collection
            self._forget(why)

    def _is_as_opened(self) -> bool:
        return self._index is not None

    def _open(self, connection: Connection) -> KeptIndex | None:
        """The index that the alias stands for; where Milvus does not answer, the one that is known."""
        before = self._index
        try:
            name = read_state(self._milvus, _alias(connection)).collection
        except ArtifactError:
            return None
        except IndexUnavailableError:
            if before is None:
                raise
            return before
        if name == self._broken or not name.startswith(f"{_alias(connection)}_{self._make(connection)}_"):
            return None
        if isinstance(before, MilvusIndex) and before.collection == name:
            before.reload()
            return before
        return MilvusIndex(self._milvus, name)

    def _follow(self, connection: Connection, index: KeptIndex, generation: int) -> KeptIndex:
        """Where Milvus does not answer, what is remembered of answers before serves on."""
        try:
            return super()._follow(connection, index, generation)
        except IndexUnavailableError:
            return index

    def _takes_a_moment(self, connection: Connection) -> bool:
        return is_small(connection)

    def _build_somewhere(self, connection: Connection) -> KeptIndex:
        return self._build(connection)

    def _build(self, connection: Connection) -> KeptIndex:
        alias, began = _alias(connection), time.monotonic()
        name = f"{alias}_{self._make(connection)}_{uuid.uuid4().hex[:8]}"
        with self._locked(connection):
            try:
                index = MilvusIndex.create(self._milvus, name)
                index.write(
                    read_products(connection), listing_reader(connection, self._thesaurus), read_generation(connection)
                )
            except BaseException:
                with suppress(MapsiError):
                    self._milvus.ask(lambda client: drop(client, name))
                raise
            self._milvus.ask(lambda client: _switch(client, alias, name))
        products, seconds = index.view.size, time.monotonic() - began
        _log.info("The index of words was built in Milvus: %d products in %.1f s.", products, seconds)
        return index

    @contextmanager
    def _locked(self, connection: Connection, seconds: float = PATIENCE) -> Iterator[None]:
        """The one writer of all machines; raises :class:`~mapsi.errors.NotBuiltYetError` where another is at it for
        longer."""
        with exclusive(self._database, connection, "words", seconds=math.ceil(seconds)) as free:
            if not free:
                raise not_yet()
            yield

    def _make(self, connection: Connection) -> str:
        return f"{super()._make(connection)}{LAYOUT}"


def _alias(connection: Connection) -> str:
    return f"{PREFIX}{connection.scalar(select(State.mark))}"


def _switch(client: MilvusClient, alias: str, name: str) -> None:
    """Lead the alias to a new collection. The one before stays until the next, for those who are just asking it; others
    of this catalogue, left half-built by a kill, go."""
    aliases = client.list_aliases(timeout=_SECONDS)["aliases"]
    before = client.describe_alias(alias, timeout=_SECONDS)["collection_name"] if alias in aliases else name
    (client.alter_alias if alias in aliases else client.create_alias)(name, alias, timeout=_SECONDS)
    kept = {name, before, name + TERMS, before + TERMS}
    for collection in client.list_collections(timeout=_SECONDS):
        if collection.startswith(f"{alias}_") and collection not in kept:
            client.drop_collection(collection, timeout=_SECONDS)
