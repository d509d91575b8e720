"""A review in memory: the photos of each class in the order of doubt, and what has been decided about them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Self

import numpy as np

from mapsi.collect.review.doubt import doubts
from mapsi.collect.review.journal import Decision, Journal, Verdict
from mapsi.collect.review.readings import PhotoReading
from mapsi.errors import ArtifactError, NotFoundError, UsageError
from mapsi.file_names import composed
from mapsi.photo_folders import class_folders, photo_files
from mapsi.taxonomy import Axis, Class, Taxonomy

GUESSES = 3


@dataclass(frozen=True, slots=True)
class ReviewPhoto:
    """A photo of a class. ``share`` is the model's for that class, 0..1; ``guesses`` (class, share) are its likeliest;
    both are empty where the model does not know the axis. An unreadable photo has the greatest doubt, 1."""

    path: str
    doubt: float
    share: float | None = None
    guesses: tuple[tuple[str, float], ...] = ()
    readable: bool = True


@dataclass(frozen=True, slots=True)
class ReviewProgress:
    """How much of a class has been reviewed."""

    photos: int
    keep: int
    drop: int
    move: int

    @property
    def decided(self) -> int:
        return self.keep + self.drop + self.move


def list_photos(folder: Path) -> dict[str, list[str]]:
    """Paths of the photos in ``folder`` by class folder; raises :class:`ArtifactError` where there is none."""
    found: dict[str, list[str]] = {}
    for shelf in class_folders(folder):
        photos = found.setdefault(composed(shelf.name), [])
        photos += [file.relative_to(folder).as_posix() for file in photo_files(shelf)]
    if not any(found.values()):
        raise ArtifactError(f"The folder {folder} holds no photos.", "It should hold CLASS/*.jpg.")
    return {name: paths for name, paths in found.items() if paths}


def axis_of(taxonomy: Taxonomy, slugs: Sequence[str], name: str | None) -> Axis:
    """The axis ``name``, or the first that has all of the class folders ``slugs``.

    Raises :class:`NotFoundError` where ``name`` is none, and :class:`UsageError` where a folder is none of its classes.
    """
    axes = [taxonomy.find(name)] if name is not None else list(taxonomy.axes.values())
    for axis in axes:
        if all(slug in axis.by_slug for slug in slugs):
            return axis
    strange = next(slug for slug in slugs if slug not in axes[0].by_slug)
    raise UsageError(
        f"The folder {strange} is not a class of the axis {axes[0].slug}.",
        "Rename it, add the class to the taxonomy, or choose another axis with --axis.",
    )


class Review:
    """The photos of ``axis``'s classes, and the journal of decisions. Any number of threads may use it at once."""

    def __init__(self, axis: Axis, photos: Mapping[str, Sequence[ReviewPhoto]], journal: Journal) -> None:
        self.axis = axis
        self._photos = {cls.slug: tuple(photos[cls.slug]) for cls in axis.classes if cls.slug in photos}
        self._class_of = {photo.path: slug for slug, shelf in self._photos.items() for photo in shelf}
        self._on_disk = {composed(path): path for path in self._class_of}
        self._journal = journal
        self._lock = Lock()

    @classmethod
    def make(
        cls,
        axis: Axis,
        paths: Mapping[str, Sequence[str]],
        readings: Mapping[str, PhotoReading],
        classes: Sequence[str],
        journal: Journal,
    ) -> Self:
        """Order the photos ``paths`` (by class) by their ``readings``; ``classes`` are the model's on the axis."""
        return cls(axis, {slug: in_order(slug, shelf, readings, classes) for slug, shelf in paths.items()}, journal)

    @property
    def classes(self) -> list[Class]:
        """The classes that have photos, in the axis's order."""
        return [self.axis.by_slug[slug] for slug in self._photos]

    def photos(self, slug: str) -> Sequence[ReviewPhoto]:
        """The photos of a class, the doubtful first; raises :class:`NotFoundError`."""
        try:
            return self._photos[slug]
        except KeyError:
            raise NotFoundError(f"There are no photos of the class {slug}.", "Choose another class.") from None

    def decision(self, path: str) -> Decision | None:
        """What is decided about a photo."""
        with self._lock:
            return self._journal.decision(path)

    def tally(self, slug: str) -> ReviewProgress:
        """How much of the class has been reviewed."""
        with self._lock:
            decided = [self._journal.decision(photo.path) for photo in self.photos(slug)]
        counts = Counter(one.verdict for one in decided if one is not None)
        return ReviewProgress(len(decided), counts["keep"], counts["drop"], counts["move"])

    def unfinished(self) -> str:
        """The first class with a photo about which nothing is decided; the first of all where there is none."""
        tallies = {slug: self.tally(slug) for slug in self._photos}
        return next((slug for slug, tally in tallies.items() if tally.decided < tally.photos), next(iter(tallies)))

    def decide(self, path: str, verdict: str, cls: str | None = None) -> Decision:
        """Decide on a photo; ``cls`` is the class that it moves to.

        Raises :class:`NotFoundError` for a photo or class that is none, and :class:`UsageError` for another verdict.
        """
        slug = self.class_of(path)
        decision = self._decision(slug, verdict, cls)
        with self._lock:
            self._journal.decide(path, decision)
        return decision

    def _decision(self, slug: str, verdict: str, cls: str | None) -> Decision:
        match verdict:
            case "keep":
                return Decision("keep", slug)
            case "drop":
                return Decision("drop", None)
            case "move":
                to = self.axis.find(cls or "").slug
                kind: Verdict = "keep" if to == slug else "move"
                return Decision(kind, to)
        raise UsageError(f"There is no decision {verdict!r}.", "There are: keep, drop, move.")

    def undo(self, slug: str) -> tuple[str, Decision | None] | None:
        """Take back the latest decision in a class: the photo, and what is then decided about it; ``None`` without
        one."""
        self.photos(slug)
        with self._lock:
            path = self._journal.undo(slug)
            return None if path is None else (self._on_disk.get(path, path), self._journal.decision(path))

    def class_of(self, path: str) -> str:
        """The class folder that a photo lies in; raises :class:`NotFoundError`."""
        try:
            return self._class_of[path]
        except KeyError:
            raise NotFoundError("There is no such photo in the folder.", "Load the page again.") from None


def in_order(
    slug: str, paths: Sequence[str], readings: Mapping[str, PhotoReading], classes: Sequence[str]
) -> list[ReviewPhoto]:
    """The photos of one class, the unreadable first, then by falling doubt, then by name."""
    read = [path for path in paths if path in readings]
    unread = [ReviewPhoto(path, 1.0, readable=False) for path in paths if path not in readings]
    if not read:
        return unread
    shares = np.stack([readings[path].shares for path in read])
    own = shares[:, classes.index(slug)] if slug in classes else None
    doubt = doubts(own, np.stack([readings[path].embedding for path in read]))
    photos = [
        ReviewPhoto(
            path,
            float(doubt[i]),
            None if own is None else float(own[i]),
            tuple((classes[k], float(shares[i, k])) for k in np.argsort(-shares[i], kind="stable")[:GUESSES]),
        )
        for i, path in enumerate(read)
    ]
    return unread + sorted(photos, key=lambda photo: (-photo.doubt, photo.path))
