"""The index of words of one catalogue, kept up with it: by the change log, or rebuilt beside the one that
serves.

The database stays the truth. Indexes lie in the home folder, under the catalogue's mark: one folder for each that was
built, and the file ``current`` that names the one which serves. All processes of a machine read the same one; whoever
is asked first after a change brings it up to date, under a lock.
"""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import time
import uuid
from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from cachetools import LRUCache
from sqlalchemy import Connection, func, select

from mapsi.artifacts import atomic_file, clear_place, discard_folder, locked_file, read_short
from mapsi.catalog.listings.engines.product_document import LAYOUT, ListingRow
from mapsi.catalog.listings.engines.view import View
from mapsi.catalog.listings.engines.word_index import HEAP, Condition, DamagedIndexError, WordIndex
from mapsi.catalog.listings.products import read_products, read_products_of
from mapsi.catalog.store.changes import changes_since, read_generation
from mapsi.catalog.store.database import Database
from mapsi.catalog.store.tables import Listing, Shop, State
from mapsi.catalog.text.class_words import load_class_words
from mapsi.catalog.text.facts import ListingReader
from mapsi.catalog.text.thesaurus import Thesaurus
from mapsi.errors import CatalogError, MapsiError, NotBuiltYetError

CURRENT, LOCK = "current", "lock"
PATIENCE = 10.0
"""Seconds that a question waits for another one's process or thread which builds the index, where there is none yet."""
MOMENT = 1.0
"""Seconds that it waits for one which brings the index up to date, where the one before can answer meanwhile: a busy
machine takes many for what a quiet one does in a few hundredths, and every thread of a server would stand there."""
SMALL = 20_000
"""Up to this many listings are reindexed within the question that finds them changed, in two seconds; for more, the
previous index serves meanwhile, or, where there is none, requests are told to come back."""
_REMEMBERED = 1024
_PAUSE = 60.0
"""Seconds before an index that could not be built is tried again."""

_NAME = re.compile(r"[0-9a-f]{16}-[0-9a-f]{8}")

_log = logging.getLogger(__name__)


class KeptIndex(Protocol):
    """An index of an engine's that is kept up. One at a time writes; see
    :class:`~mapsi.catalog.listings.engines.word_index.WordIndex`."""

    @property
    def view(self) -> View: ...

    @property
    def folder(self) -> Path | None: ...

    def condition(self) -> Condition: ...

    def reload(self) -> None: ...

    def write(
        self,
        products: Iterable[Sequence[ListingRow]],
        reader: ListingReader,
        generation: int,
        *,
        gone: Collection[int] = (),
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Served:
    """What an answer is made from: one state of the index, the shops by number with slug and name, and what reads
    listings as they were read for it. ``memory`` keeps what holds for this state."""

    view: View
    shops: Mapping[int, tuple[str, str]]
    reader: ListingReader
    memory: LRUCache[Hashable, Any] = field(default_factory=lambda: LRUCache(maxsize=_REMEMBERED), compare=False)
    lock: threading.Lock = field(default_factory=threading.Lock, compare=False)

    def remember(self, key: Hashable, find: Callable[[], Any]) -> Any:
        """What ``find`` gave before, if it was asked."""
        with self.lock:
            if key in self.memory:
                return self.memory[key]
        found = find()
        with self.lock:
            self.memory[key] = found
        return found


class IndexKeeper:
    """Hands out the index that fits the generation a transaction sees. Safe to share between threads and processes.
    Without a ``root`` the index is in memory, of this object alone."""

    def __init__(self, database: Database, root: Path | None, thesaurus: Thesaurus) -> None:
        self._database = database
        self._root = root
        self._thesaurus = thesaurus
        self._lock = threading.Lock()
        self._index: KeptIndex | None = None
        self._served: Served | None = None
        self._kept: KeptIndex | None = None  # in memory, of many listings, where the disk takes none
        self._builder: threading.Thread | None = None
        self._not_before = 0.0
        self._is_damaged = False

    def at(self, connection: Connection, *, may_be_restored: bool = False) -> Served | None:
        """What to answer from in this transaction; ``None`` where another process is already ahead, so that the caller
        has to begin a new one. ``may_be_restored`` says that this cannot be: the database itself has gone back."""
        generation, served = read_generation(connection), self._served
        if served is not None and served.view.generation == generation and self._is_as_opened():
            return served
        if not self._lock.acquire(timeout=PATIENCE if served is None else MOMENT):
            if served is None:
                raise not_yet()
            return served
        try:
            return self._catch_up(connection, generation, may_be_restored=may_be_restored)
        finally:
            self._lock.release()

    def rebuild(self) -> int:
        """Rebuild the index beside the one that serves, and switch to it; returns the number of products."""
        with self._lock, self._database.read() as connection:
            try:
                self._index = self._build(connection)
            except (OSError, ValueError, DamagedIndexError) as error:
                raise CatalogError(
                    f"The index of words cannot be written: {error}", "Make room on the home folder's disk."
                ) from error
            return self._index.view.size

    def damaged(self, why: str) -> None:
        """Treat the index that served last as damaged: the next question rebuilds it."""
        with self._lock:
            self._forget(why)
            self._is_damaged = True

    @property
    def is_in_memory(self) -> bool:
        """Whether the index lies in memory, though it has a place on the disk."""
        return self._root is not None and self._index is not None and self._index.folder is None

    @property
    def fault(self) -> MapsiError | None:
        """Why the index cannot be asked just now; ``None`` where it can."""
        return None

    def close(self) -> None:
        """Wait for an index that is being built."""
        if self._builder is not None:
            self._builder.join()

    def _is_as_opened(self) -> bool:
        return (
            self._index is not None and self._index.condition() is Condition.AS_OPENED and self._is_current(self._index)
        )

    def _is_current(self, index: KeptIndex) -> bool:
        return index.folder is None or index.folder.name == _current_name(index.folder.parent)

    def _catch_up(self, connection: Connection, generation: int, *, may_be_restored: bool) -> Served | None:
        index = self._open(connection)
        if index is None:
            index = self._build_first(connection)
        elif may_be_restored and index.view.generation > generation:
            index = self._build_somewhere(connection)
        elif index.view.generation < generation:
            index = self._follow(connection, index, generation)
        self._index = index
        if index.view.generation > generation:
            return None
        view: View = index.view
        if self._served is None or self._served.view is not view:
            shops = connection.execute(select(Shop.id, Shop.slug, Shop.name))
            names = {row.id: (row.slug, row.name) for row in shops}
            self._served = Served(view, names, listing_reader(connection, self._thesaurus))
        return self._served

    def _open(self, connection: Connection) -> KeptIndex | None:
        """The index that serves, as it was written last; ``None`` where there is none, or it is damaged or made of
        other words."""
        folder = self._folder(connection)
        if folder is None:
            return self._index
        name, damaged = _current_name(folder), self._is_damaged
        self._is_damaged = False
        if name is None or damaged or not name.startswith(self._make(connection)):
            return None
        try:
            if self._index is None or self._index.folder != folder / name:
                return WordIndex.open(folder / name)
            match self._index.condition():
                case Condition.WRITTEN:
                    self._index.reload()
                case Condition.DAMAGED:
                    raise DamagedIndexError("files are missing or cut off")  # noqa: TRY301
        except DamagedIndexError as error:
            self._forget(f"{folder / name}: {error}")
            return None
        return self._index

    def _forget(self, why: str) -> None:
        _log.warning("The index of words is damaged and is being rebuilt (%s).", why)
        self._index, self._served = None, None

    def _follow(self, connection: Connection, index: KeptIndex, generation: int) -> KeptIndex:
        """The index with what changed since, as far as that can be written at once; else the index as it is."""
        try:
            changed = changes_since(connection, index.view.generation)
            if changed is not None:
                self._write_changes(connection, index, changed, generation)
            elif self._takes_a_moment(connection):
                return self._build(connection)
            else:
                self._build_beside()
        except NotBuiltYetError:  # another process writes it: the next question finds what that one wrote
            return index
        except (OSError, ValueError, DamagedIndexError) as error:
            _log.error("The index of words cannot be written (%s); the previous one stays in use.", error)
        return index

    def _build_first(self, connection: Connection) -> KeptIndex:
        """An index where there is none to continue from. One that takes long is built beside, and whoever asks
        meanwhile is told so at once; no question hangs for a minute."""
        if self._takes_a_moment(connection):
            return self._build_somewhere(connection)
        kept = self._kept
        if kept is None or kept.view.generation < read_generation(connection):
            self._build_beside(first=True)
        if kept is None:
            raise not_yet()
        return kept

    def _takes_a_moment(self, connection: Connection) -> bool:
        """Whether a rebuilt index is worth waiting for within a question."""
        return self._root is None or is_small(connection)

    def _write_changes(self, connection: Connection, index: KeptIndex, changed: Sequence[int], generation: int) -> None:
        """A product moves as a whole: what any of its variants changes is written with all of them."""
        with self._locked(connection, MOMENT):
            index.reload()
            if index.view.generation >= generation:
                return
            numbers, siblings = index.view.products_of(changed)
            products = read_products_of(connection, {*changed, *siblings})
            gone = numbers | {variants[0].product for variants in products}
            index.write(products, listing_reader(connection, self._thesaurus), generation, gone=gone)

    def _build_somewhere(self, connection: Connection) -> KeptIndex:
        """A new index where there is none to continue from; one in memory where the disk takes none. The next change of
        the catalogue tries the disk again."""
        try:
            return self._build(connection)
        except (OSError, ValueError, DamagedIndexError) as error:
            _log.error("The index of words cannot be written (%s): it is kept in memory.", error)
            return self._build_in_memory(connection)

    def _build_in_memory(self, connection: Connection) -> KeptIndex:
        index, generation = WordIndex.create(None), read_generation(connection)
        index.write(read_products(connection), listing_reader(connection, self._thesaurus), generation)
        return index

    def _build_beside(self, *, first: bool = False) -> None:
        if (self._builder is None or not self._builder.is_alive()) and time.monotonic() >= self._not_before:
            self._not_before = time.monotonic() + _PAUSE
            self._builder = threading.Thread(target=self._build_alone, args=(first,), name="words", daemon=True)
            self._builder.start()

    def _build_alone(self, first: bool) -> None:
        """Build beside; the ``first`` one, with none to go on with, in memory where the disk takes none."""
        try:
            with self._database.read() as connection:
                index = self._build_somewhere(connection) if first else self._build(connection)
            self._kept = index if index.folder is None else None
        except (MapsiError, OSError, ValueError, DamagedIndexError) as error:
            _log.error("The index of words cannot be rebuilt (%s); the previous one stays in use.", error)

    def _build(self, connection: Connection) -> KeptIndex:
        """All listings of this moment, beside the index that serves, which then is this one. The one before stays until
        the next, for processes that are just opening it. Raises :class:`NotBuiltYetError` where another process is
        building."""
        folder, began = self._folder(connection), time.monotonic()
        if folder is None:
            return self._build_in_memory(connection)
        before, generation = _current_name(folder), read_generation(connection)
        with self._locked(connection):
            name = f"{self._make(connection)}-{uuid.uuid4().hex[:8]}"
            try:
                index = WordIndex.create(folder / name)
                index.write(
                    read_products(connection), listing_reader(connection, self._thesaurus), generation, heap=HEAP
                )
            except BaseException:
                discard_folder(folder / name)
                raise
            with atomic_file(folder / CURRENT) as beside:
                beside.write_text(name, "utf-8")
            for other in folder.iterdir():
                if other.is_dir() and other.name not in (name, before):
                    discard_folder(other)
        products, seconds = index.view.size, time.monotonic() - began
        _log.info("The index of words was built: %d products in %.1f s.", products, seconds)
        return index

    @contextmanager
    def _locked(self, connection: Connection, seconds: float = PATIENCE) -> Iterator[None]:
        """The one writer of this machine; raises :class:`NotBuiltYetError` where another is at it for longer."""
        folder = self._folder(connection)
        if folder is None:
            yield
            return
        for name in (LOCK, CURRENT):
            clear_place(folder / name)
        folder.mkdir(parents=True, exist_ok=True)
        with locked_file(folder / LOCK, seconds=seconds) as free:
            if not free:
                raise not_yet()
            yield

    def _folder(self, connection: Connection) -> Path | None:
        return None if self._root is None else self._root / str(connection.scalar(select(State.mark)))

    def _make(self, connection: Connection) -> str:
        """A digest of all that decides what an index holds besides the listings: its fields, and what words mean."""
        said = repr((LAYOUT, self._thesaurus.meanings, load_class_words(connection)))
        return hashlib.blake2b(said.encode(), digest_size=8).hexdigest()


def listing_reader(connection: Connection, thesaurus: Thesaurus) -> ListingReader:
    """What reads listings with the words of the classes that the catalogue knows."""
    known = load_class_words(connection)
    return ListingReader(thesaurus, {f"{cls.axis}:{cls.slug}": cls for cls in known})


def is_small(connection: Connection) -> bool:
    """Whether there are no more than :data:`SMALL` listings."""
    listings = select(func.count()).select_from(select(Listing.offer_id).limit(SMALL + 1).subquery())
    return int(connection.scalar(listings) or 0) <= SMALL


def _current_name(folder: Path) -> str | None:
    """The name of the index that serves; ``None`` where there is none, and where what is there is no name: it is
    rebuilt then."""
    try:
        name = read_short(folder / CURRENT)
    except (OSError, ValueError):
        return None
    return name if _NAME.fullmatch(name) else None


def not_yet() -> NotBuiltYetError:
    return NotBuiltYetError("The index of words is being built.", "Try again in a minute.")
