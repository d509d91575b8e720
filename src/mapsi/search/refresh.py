"""From a feed to an index that serves: offers in, pictures copied, read by the model, indexed, switched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from PIL.Image import Image

from mapsi.catalog import Catalog
from mapsi.catalog.offer import BrokenRow, Offer, OfferStream
from mapsi.catalog.records import ImportReport
from mapsi.errors import MapsiError, PhotoError
from mapsi.infer import Model, Reading
from mapsi.providers import read_offers
from mapsi.remote import Fetcher
from mapsi.search.pictures import PictureStore
from mapsi.search.snapshot import write_snapshot
from mapsi.taxonomy import Taxonomy

BATCH = 16
COPIERS = 8
"""Pictures are copied by this many threads: fetching waits for the network, and Pillow frees the interpreter."""


class Progress(Protocol):
    """Told how far a long step is, so that an edge can draw a bar."""

    def __call__(self, step: str, total: int) -> Callable[[int], object]:
        """Begin ``step`` of ``total`` parts; the answer is told how many more are done."""


@dataclass(frozen=True, slots=True)
class CopyReport:
    """How many pictures were copied, and why others were not."""

    copied: int
    failed: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class IndexReport:
    """``read`` pictures were new to the model; ``indexed`` offers can be found by a photo; ``lost`` pictures were not in
    the store any more, and the next build fetches them again."""

    read: int
    indexed: int
    lost: int = 0


@dataclass(frozen=True, slots=True)
class PictureSource:
    """Where pictures come from: addresses through the fetcher, paths beside their feed."""

    fetcher: Fetcher
    max_bytes: int
    seconds: float

    def load(self, image: str) -> bytes:
        """The bytes of a picture; raises a ``MapsiError`` where it cannot be had."""
        if image.startswith(("http://", "https://")):
            return self.fetcher.fetch(image, max_bytes=self.max_bytes, seconds=self.seconds, accept="picture").data
        path = Path(image)
        try:
            if path.stat().st_size > self.max_bytes:
                raise PhotoError("The picture file is too large.", "Make it smaller.")
            return path.read_bytes()
        except OSError as error:
            raise PhotoError(
                f"The picture file cannot be read: {error.strerror}.", "Put it beside the feed."
            ) from error


def import_feed(
    catalog: Catalog,
    file: Path,
    *,
    format: str,
    shop: str,
    taxonomy: Taxonomy,
    sample: bool = False,
    progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Take over a shop's feed from a file; pictures given as paths lie beside it.

    Raises ``FeedError`` where the feed as a whole cannot be used; nothing has changed then.
    """
    offers = _beside(read_offers(format, file), file.resolve().parent)
    return catalog.import_offers(
        shop, offers, format=format, origin=str(file), taxonomy=taxonomy, sample=sample, progress=progress
    )


def _beside(rows: OfferStream, folder: Path) -> Iterator[Offer | BrokenRow]:
    for row in rows:
        if isinstance(row, Offer) and row.image and not row.image.startswith(("http://", "https://")):
            yield replace(row, image=str(folder / row.image))
        else:
            yield row


def copy_pictures(catalog: Catalog, source: PictureSource, store: PictureStore, progress: Progress) -> CopyReport:
    """Copy the pictures that living offers name and that are not in the store (any more); one that fails does not stop
    the others."""
    for digest in catalog.stored_pictures():
        if store.path(digest) is None:
            catalog.forget_picture(digest)
    wanted: dict[str, list[int]] = defaultdict(list)
    for offer_id, image in catalog.image_sources_to_fetch():
        wanted[image].append(offer_id)
    done = progress("pictures", len(wanted))
    copied, failed = 0, []
    with ThreadPoolExecutor(COPIERS) as pool:
        for image, outcome in pool.map(lambda image: (image, _copy(image, source, store)), wanted):
            if isinstance(outcome, MapsiError):
                catalog.mark_picture_failed(wanted[image], outcome.message)
                failed.append((image, outcome.message))
            else:
                catalog.save_picture(wanted[image], *outcome, image)
                copied += 1
            done(1)
    return CopyReport(copied, tuple(failed))


def _copy(image: str, source: PictureSource, store: PictureStore) -> tuple[str, int, int] | MapsiError:
    try:
        return store.add(source.load(image))
    except MapsiError as error:
        return error


def build_index(
    catalog: Catalog, model: Model, store: PictureStore, index_root: Path, taxonomy: Taxonomy, progress: Progress
) -> IndexReport:
    """Read the pictures that this model has not read, label the offers, and switch to a fresh index.

    Readings are kept as they come, so that a kill loses at most a batch.
    """
    unread = catalog.pictures_without_reading(model.fingerprint)
    done = progress("reading", len(unread))
    lost: list[str] = []
    for batch, readings in _readings(model, store, unread, lost):
        catalog.save_readings(model.fingerprint, list(zip(batch, *_stored(readings), strict=True)))
        done(len(batch))
    for digest in lost:
        catalog.forget_picture(digest)
    catalog.classify_by_model(model.fingerprint, taxonomy)
    generation = catalog.generation()
    rows = list(catalog.index_rows(model.fingerprint))
    axes = [labels.axis for labels in model.axes]
    write_snapshot(
        index_root, rows, model=model.fingerprint, width=model.document.width, generation=generation, axes=axes
    )
    return IndexReport(len(unread) - len(lost), len(rows), len(lost))


def _stored(readings: Sequence[Reading]) -> tuple[list[Any], list[dict[str, Any]]]:
    embeddings = [reading.embedding for reading in readings]
    labels = [
        {
            axis: {"slug": answer.best.slug, "confidence": answer.best.confidence, "known": answer.known}
            for axis, answer in reading.axes.items()
        }
        for reading in readings
    ]
    return embeddings, labels


def _readings(
    model: Model, store: PictureStore, digests: Sequence[str], lost: list[str]
) -> Iterator[tuple[list[str], list[Reading]]]:
    """Batches of readings; the next batch is decoded while the model works on this one. Digests of pictures that are
    not in the store are added to ``lost``."""
    batches = [list(digests[i : i + BATCH]) for i in range(0, len(digests), BATCH)]
    with ThreadPoolExecutor(1) as ahead:
        loads = (ahead.submit(_open_all, store, batch) for batch in batches)
        waiting = next(loads, None)
        for batch in batches:
            assert waiting is not None
            opened = dict(zip(batch, waiting.result(), strict=True))
            waiting = next(loads, None)
            lost += [digest for digest, photo in opened.items() if photo is None]
            photos = {digest: photo for digest, photo in opened.items() if photo is not None}
            yield list(photos), model.read_many(list(photos.values()))


def _open_all(store: PictureStore, digests: Sequence[str]) -> list[Image | None]:
    """The pictures, ``None`` for one that is lost or damaged."""
    return [_open(store, digest) for digest in digests]


def _open(store: PictureStore, digest: str) -> Image | None:
    try:
        return store.open(digest)
    except MapsiError:
        return None
