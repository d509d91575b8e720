"""Asking models about photos: each photo is decoded once and shown to all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PIL import Image

from mapsi.arrays import BoolArray, FloatArray, IntArray
from mapsi.batches import batched
from mapsi.errors import ArtifactError, PhotoError
from mapsi.evaluate.photos import Photo
from mapsi.evaluate.scores import ranked
from mapsi.imaging import READ_SIDE, PhotoLimits, cut, decode_photo, read_photo_bytes
from mapsi.progress import Advance, no_advance

Ask = Callable[[Sequence[Image.Image]], tuple[FloatArray, BoolArray]]
"""Pictures -> class probabilities (n, C), and whether each shows something of the kind that the model learned (n,)."""

BATCH = 16


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model as it is measured. ``threshold`` is the confidence, 0..1, from which it counts as sure of its answer, or
    None where it has none yet, as a run before its export."""

    name: str
    fingerprint: str
    classes: tuple[str, ...]
    threshold: float | None
    ask: Ask


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A photo that was left out, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class Answers:
    """What one model says of ``photos``: ``shares`` (n, C) over ``classes``, ``familiar`` (n,)."""

    photos: tuple[Photo, ...]
    classes: tuple[str, ...]
    shares: FloatArray
    familiar: BoolArray

    @cached_property
    def truth(self) -> tuple[str, ...]:
        return tuple(photo.label for photo in self.photos)

    @cached_property
    def order(self) -> IntArray:
        """Columns of ``shares``, the likeliest first: (n, C)."""
        return ranked(self.shares)

    @cached_property
    def guesses(self) -> tuple[str, ...]:
        return tuple(self.classes[i] for i in self.order[:, 0])

    @cached_property
    def right(self) -> BoolArray:
        """Whether each first guess is the true class, (n,)."""
        return np.asarray(np.array(self.truth) == np.array(self.guesses))

    @cached_property
    def confidence(self) -> FloatArray:
        """The probability of each first guess, (n,)."""
        return np.asarray(self.shares.max(axis=1))

    @cached_property
    def trust(self) -> FloatArray:
        """What being sure is decided by, (n,): the confidence, and 0 where the photo is unfamiliar."""
        return np.where(self.familiar, self.confidence, np.float32(0))

    def of(self, rows: BoolArray) -> Answers:
        """The answers to some of the photos; ``rows`` is (n,)."""
        kept = tuple(photo for photo, keep in zip(self.photos, rows, strict=True) if keep)
        return Answers(kept, self.classes, self.shares[rows], self.familiar[rows])

    def over(self, classes: Sequence[str]) -> Answers:
        """The same answers as if the model knew ``classes`` only, which it must know."""
        columns = [self.classes.index(slug) for slug in classes]
        return Answers(self.photos, tuple(classes), self.shares[:, columns], self.familiar)


def answer_photos(
    candidates: Sequence[Candidate],
    photos: Sequence[Photo],
    *,
    limits: PhotoLimits | None = None,
    progress: Advance = no_advance,
) -> tuple[list[Answers], list[Unreadable]]:
    """Each candidate's answers to every photo that can be read, and the photos that cannot.

    ``progress`` is told how many more are done. Raises :class:`ArtifactError` where no photo can be read.
    """
    readable: list[Photo] = []
    unreadable: list[Unreadable] = []
    parts: list[list[tuple[FloatArray, BoolArray]]] = [[] for _ in candidates]
    for batch in batched(photos, BATCH):
        pictures = []
        for photo in batch:
            try:
                pictures.append(open_photo(photo, limits))
                readable.append(photo)
            except PhotoError as error:
                unreadable.append(Unreadable(photo.name, error.message))
        if pictures:
            for part, candidate in zip(parts, candidates, strict=True):
                part.append(candidate.ask(pictures))
        progress(len(batch))
    if not readable:
        first = f" The first: {unreadable[0].name}: {unreadable[0].reason}" if unreadable else ""
        raise ArtifactError(f"None of the {len(photos)} photos can be read.{first}", "Check the files.")
    return [
        Answers(
            tuple(readable),
            candidate.classes,
            np.concatenate([shares for shares, _ in part]),
            np.concatenate([familiar for _, familiar in part]),
        )
        for candidate, part in zip(candidates, parts, strict=True)
    ], unreadable


def open_photo(photo: Photo, limits: PhotoLimits | None = None) -> Image.Image:
    """The picture of ``photo``; raises :class:`PhotoError` where its file is gone or cannot be read as one."""
    checked = limits or PhotoLimits()
    decoded = decode_photo(read_photo_bytes(photo.path, checked), checked, at_least=READ_SIDE)
    return decoded if photo.box is None else cut(decoded, photo.box)
