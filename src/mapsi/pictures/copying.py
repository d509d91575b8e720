"""Product pictures brought home: fetched once, asked about again from time to time, copied where the terms allow."""

from __future__ import annotations

import hashlib
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mapsi.catalog import Catalog
from mapsi.catalog.pictures.fetching import FetchedPicture, PictureTask
from mapsi.catalog.records import PictureCopy
from mapsi.errors import MapsiError, PhotoError, RemoteError
from mapsi.http_address import is_http
from mapsi.pictures.courtesy import AskedToWaitError, Courtesy, host_of
from mapsi.pictures.store import PictureStore
from mapsi.pictures.threads import in_threads
from mapsi.progress import Progress
from mapsi.remote import Fetcher

COPIERS = 16
"""Threads that fetch and copy: fetching waits for the network, and Pillow frees the interpreter. Four times what one
host is asked for at once; one that does not answer takes a single thread, and rests after its second address."""

TOLD = 100
"""Failures that a report lists; the catalogue has them all."""


@dataclass(frozen=True, slots=True)
class LoadedPicture:
    """What an address gave, with what tells a later change of it."""

    data: bytes
    etag: str = ""
    last_modified: str = ""


@dataclass(frozen=True, slots=True)
class PictureSource:
    """Where pictures come from: addresses through the fetcher, paths beside their feed."""

    fetcher: Fetcher
    max_bytes: int
    seconds: float
    courtesy: Courtesy = field(default_factory=Courtesy)

    def load(self, image: str) -> LoadedPicture:
        """The picture. Raises :class:`AskedToWaitError` where the host wants to be left alone, another ``MapsiError``
        where it cannot be had."""
        given = self.load_changed(image)
        if given is None:
            raise RemoteError(
                "The address says that nothing changed, though it was never asked before.", "Check the address."
            )
        return given

    def load_changed(self, image: str, etag: str = "", last_modified: str = "") -> LoadedPicture | None:
        """The picture, ``None`` where it is the one that ``etag`` and ``last_modified`` came with; raises what
        :meth:`load` does."""
        if is_http(image):
            with self.courtesy.visit(image):
                return self._fetch(image, etag, last_modified)
        return self._read(Path(image), etag)

    def _fetch(self, image: str, etag: str, last_modified: str) -> LoadedPicture | None:
        known = {"if-none-match": etag, "if-modified-since": last_modified}
        begun = time.monotonic()
        try:
            answer = self.fetcher.fetch(
                image,
                max_bytes=self.max_bytes,
                seconds=self.seconds,
                headers={name: value for name, value in known.items() if value},
                statuses=(304, 429, 503),
            )
        finally:
            self.courtesy.note(image, time.monotonic() - begun, most=self.seconds)
        if answer.status in (429, 503):
            raise self.courtesy.leave_alone(image, answer.headers, otherwise=timedelta(minutes=15))
        if answer.status == 304:
            return None
        return LoadedPicture(answer.data, answer.headers.get("etag", ""), answer.headers.get("last-modified", ""))

    def _read(self, path: Path, etag: str) -> LoadedPicture | None:
        try:
            found = path.stat()
            stamp = f"{found.st_mtime_ns:x}-{found.st_size:x}"
            if stamp == etag:
                return None
            if found.st_size > self.max_bytes:
                raise PhotoError("The picture file is too large.", "Make it smaller.")
            return LoadedPicture(path.read_bytes(), stamp)
        except OSError as error:
            raise PhotoError(
                f"The picture file cannot be read: {error.strerror}.", "Put it beside the feed."
            ) from error


@dataclass(frozen=True, slots=True)
class RecheckSchedule:
    """When an address is asked again: about ``every`` so long where it gave a picture, spread so that those fetched
    together do not fall due together; after an hour, four, sixteen and so on, at most ``longest``, where it failed."""

    every: timedelta = timedelta(days=7)
    first: timedelta = timedelta(hours=1)
    longest: timedelta = timedelta(days=14)

    def after_success(self, image: str, now: datetime) -> datetime:
        share = int(hashlib.sha256(image.encode()).hexdigest()[:8], 16) / 0xFFFF_FFFF
        return now + self.every * (0.75 + 0.5 * share)

    def after_failure(self, image: str, failures: int, now: datetime) -> datetime:
        """``failures`` counts those in a row before this one. A file is looked for at each build: it costs nothing."""
        return now + min(self.longest, self.first * 4 ** min(failures, 10)) if is_http(image) else now


@dataclass(frozen=True, slots=True)
class CopyReport:
    """``copied`` addresses gave a picture for the first time, ``changed`` another one than before, ``unchanged`` the
    same; ``failed`` are the first of the ``failed_count`` that gave none, with the reasons; ``waiting`` were left alone
    because their host asked for it. Of ``linked`` no copy may be kept (they are among the others too); ``lost`` copies
    were missing from the store and are fetched again."""

    copied: int = 0
    changed: int = 0
    unchanged: int = 0
    waiting: int = 0
    linked: int = 0
    lost: int = 0
    failed: tuple[tuple[str, str], ...] = ()
    failed_count: int = 0


def copy_pictures(
    catalog: Catalog,
    source: PictureSource,
    store: PictureStore,
    progress: Progress,
    *,
    schedule: RecheckSchedule | None = None,
    clock: Callable[[], datetime] | None = None,
) -> CopyReport:
    """Fetch the pictures that living offers name and that are not in the store (any more), and ask again for those
    whose time has come. One that fails stops no other; it rests for longer each time. What is done is done, wherever a
    kill comes."""
    return _Copying(catalog, source, store, schedule or RecheckSchedule(), clock or (lambda: datetime.now(UTC))).run(
        progress
    )


class _Copying:
    """One run. Fetching and scaling happen in threads, the catalogue is written by the caller's."""

    def __init__(
        self,
        catalog: Catalog,
        source: PictureSource,
        store: PictureStore,
        schedule: RecheckSchedule,
        clock: Callable[[], datetime],
    ) -> None:
        self._pictures = catalog.pictures
        self._copies = catalog.copies
        self._source = source
        self._store = store
        self._schedule = schedule
        self._clock = clock
        self._counts: Counter[str] = Counter()
        self._failed: list[tuple[str, str]] = []

    def run(self, progress: Progress) -> CopyReport:
        now = self._clock()
        lost = self._mend_store(progress)
        self._drop_disallowed()
        done = progress("pictures", self._pictures.count_to_fetch(now))
        lane, width = (lambda task: host_of(task.image)), self._source.courtesy.width
        for task, outcome in in_threads(self._attempt, self._pictures.to_fetch(now), COPIERS, lane=lane, width=width):
            self._note(task, outcome)
            done(max(1, len(task.offer_ids)))
        if self._counts["copied"] or self._counts["changed"] or lost:
            self._copies.note_change()
        return CopyReport(**self._counts, lost=lost, failed=tuple(self._failed))

    def _mend_store(self, progress: Progress) -> int:
        """Make the sizes that are missing, and forget the copies that are gone; returns how many that are."""
        lacking = [copy for copy in self._copies.kept() if self._store.lacks(copy)]
        done, lost = progress("sizes", len(lacking)), 0
        for digest, there in in_threads(self._complete, lacking, COPIERS):
            if not there:
                self._copies.forget(digest)
                lost += 1
            done(1)
        return lost

    def _complete(self, copy: PictureCopy) -> tuple[str, bool]:
        try:
            return copy.digest, self._store.complete(copy)
        except PhotoError:  # damaged: as good as lost
            self._store.remove(copy.digest)
            return copy.digest, False

    def _drop_disallowed(self) -> None:
        for digest in self._copies.no_longer_allowed():
            self._store.remove(digest)
            self._copies.note_dropped(digest)

    def _attempt(self, task: PictureTask) -> tuple[PictureTask, FetchedPicture | MapsiError | None]:
        try:
            given = self._load(task)
            if given is None:
                return task, None
            copy = self._store.add(given.data) if task.keep else self._store.hold(given.data)
        except MapsiError as error:
            return task, error
        return task, FetchedPicture(copy=copy, kept=task.keep, etag=given.etag, last_modified=given.last_modified)

    def _load(self, task: PictureTask) -> LoadedPicture | None:
        """What the task's address gives, ``None`` where that is what it gave before."""
        if not task.picture:
            return self._source.load(task.image)
        given = self._source.load_changed(task.image, task.etag, task.last_modified)
        same = given is None or hashlib.sha256(given.data).hexdigest() == task.picture
        return None if same else given

    def _note(self, task: PictureTask, outcome: FetchedPicture | MapsiError | None) -> None:
        now, counts = self._clock(), self._counts
        if outcome is None:
            self._pictures.confirm(task, now, self._schedule.after_success(task.image, now))
            counts["unchanged"] += 1
        elif isinstance(outcome, AskedToWaitError):
            self._pictures.mark_failed(task, outcome.message, now, outcome.until, counts=False)
            counts["waiting"] += 1
        elif isinstance(outcome, MapsiError):
            due = self._schedule.after_failure(task.image, task.failures, now)
            self._pictures.mark_failed(task, outcome.message, now, due)
            counts["failed_count"] += 1
            if len(self._failed) < TOLD:
                self._failed.append((task.image, outcome.message))
        else:
            self._pictures.save(task, outcome, now, self._schedule.after_success(task.image, now))
            counts["changed" if task.picture else "copied"] += 1
            counts["linked"] += not outcome.kept
