"""Pictures read by the model, on all cores, each once: their embeddings and labels go to the catalogue as they come."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import numpy.typing as npt
from PIL.Image import Image

from mapsi.batches import batched
from mapsi.catalog import Catalog
from mapsi.catalog.pictures.readings import UnreadPicture
from mapsi.catalog.records import Label
from mapsi.cores import cores
from mapsi.errors import MapsiError
from mapsi.infer import Model, Reading
from mapsi.pictures.copying import COPIERS, PictureSource
from mapsi.pictures.courtesy import host_of
from mapsi.pictures.store import PictureStore, covering_side
from mapsi.pictures.threads import in_threads
from mapsi.progress import Progress

BATCH = 16
"""Pictures that a thread reads at once, and that a kill loses at most for each thread."""

Entry = tuple[str, npt.NDArray[np.float32], dict[str, Label]]


@dataclass(frozen=True, slots=True)
class EmbeddingReport:
    """``read`` pictures were new to the model, ``lost`` were not in the store (any more), ``failed`` are linked ones
    that could not be had again, with the reasons. ``seconds`` is how long all took."""

    read: int
    lost: int
    failed: tuple[tuple[str, str], ...]
    seconds: float

    @property
    def rate(self) -> float:
        """Pictures a second."""
        return self.read / self.seconds if self.seconds else 0.0


@dataclass(slots=True)
class _Batch:
    """What came of some pictures: readings to save, and digests of those that were not there."""

    entries: list[Entry] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def embed_pictures(
    catalog: Catalog,
    model: Model,
    store: PictureStore,
    progress: Progress,
    *,
    source: PictureSource | None = None,
    threads: int = 0,
) -> EmbeddingReport:
    """Read the living offers' pictures that ``model`` has not read, in ``threads`` threads (0: one a core).

    Each thread decodes and reads batches of its own with one processor thread: nothing waits for anything, which keeps
    the cores busier than several processor threads on one batch. Linked pictures are fetched from ``source`` where
    they are not held; without it they are left out.
    """
    start = time.monotonic()
    unread = catalog.readings.missing(model.fingerprint)
    kept, linked = [p for p in unread if p.kept], [p for p in unread if not p.kept]
    linked = linked if source is not None else []
    done = progress("reading", len(kept) + len(linked))
    if not (kept or linked):
        return EmbeddingReport(0, 0, (), time.monotonic() - start)
    fetching = _Fetching(store, source)
    reader = _Reader(model.with_threads(1), store)
    read, lost = 0, 0
    for batch in in_threads(reader.read, batched(chain(kept, fetching.fetched(linked)), BATCH), threads or cores()):
        read += catalog.readings.save(model.fingerprint, batch.entries)
        for digest in batch.lost:
            store.remove(digest)  # damaged, if it is there at all: it would be taken for a good one
            catalog.copies.forget(digest)
        lost += len(batch.lost)
        done(len(batch.entries) + len(batch.lost))
    done(len(fetching.failed))
    return EmbeddingReport(read, lost, tuple(fetching.failed), time.monotonic() - start)


class _Fetching:
    """Linked pictures, fetched where they are not held. ``failed`` are those that could not be had, with the
    reasons."""

    def __init__(self, store: PictureStore, source: PictureSource | None) -> None:
        self._store = store
        self._source = source
        self.failed: list[tuple[str, str]] = []

    def fetched(self, linked: Iterable[UnreadPicture]) -> Iterator[UnreadPicture]:
        width = self._source.courtesy.width if self._source else lambda _host: COPIERS
        lane = lambda picture: host_of(picture.source)  # noqa: E731
        for picture, reason in in_threads(self._fetch, linked, COPIERS, lane=lane, width=width):
            if reason:
                self.failed.append((picture.source, reason))
            else:
                yield picture

    def _fetch(self, picture: UnreadPicture) -> tuple[UnreadPicture, str]:
        if self._source is None or self._store.held(picture.digest) is not None:
            return picture, ""
        try:
            found = self._store.hold(self._source.load(picture.source).data)
        except MapsiError as error:
            return picture, error.message
        # Another picture than the one noted: asking for changes is the copying's business, and it will.
        return picture, "" if found.digest == picture.digest else "The picture at its address has changed."


class _Reader:
    """Opens pictures and has them read; one serves all threads."""

    def __init__(self, model: Model, store: PictureStore) -> None:
        self._model = model
        self._store = store

    def read(self, batch: list[UnreadPicture]) -> _Batch:
        opened = {picture.digest: self._open(picture) for picture in batch}
        photos = {digest: photo for digest, photo in opened.items() if photo is not None}
        readings = self._model.read_many(list(photos.values()))
        entries = [_entry(digest, reading) for digest, reading in zip(photos, readings, strict=True)]
        return _Batch(entries, [digest for digest in opened if digest not in photos])

    def _open(self, picture: UnreadPicture) -> Image | None:
        """The smallest copy that covers what the model reads, which takes a quarter of the time of the full one."""
        try:
            if not picture.kept:
                return self._store.held(picture.digest)
            least = self._model.document.preprocessing.size
            return self._store.open(picture.digest, covering_side(picture.width, picture.height, least))
        except MapsiError:
            return None


def _entry(digest: str, reading: Reading) -> Entry:
    labels: dict[str, Label] = {
        axis: {"slug": answer.best.slug, "confidence": answer.best.confidence, "known": answer.known}
        for axis, answer in reading.axes.items()
    }
    return digest, reading.embedding, labels
