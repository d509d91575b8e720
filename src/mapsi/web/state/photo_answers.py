"""Answers to photos, held in memory for a while so that a shopper can page and filter. Nothing reaches a disk."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock, Timer
from typing import TYPE_CHECKING

from cachetools import LRUCache, TTLCache

from mapsi.errors import NotFoundError
from mapsi.imaging import Box, decode_photo
from mapsi.infer.look import Look
from mapsi.infer.reading import Reading

if TYPE_CHECKING:
    from PIL import Image

TOKEN_BYTES = 16
SWEPT_EVERY = 60.0
"""Seconds that an answer may stay in memory after its time."""
MOST_PARTS = 32
SAME = 0.002
"""How far a box may be off and still be a garment's: addresses round to a thousandth."""


class PhotoExpiredError(NotFoundError):
    """The answer asked for is no longer held, or never was."""

    code = "photo_expired"


@dataclass(frozen=True, slots=True)
class PhotoAnswer:
    """``picture`` is a small JPEG made afresh from the photo, without its metadata; ``width`` and ``height`` are the
    photo's own, in pixels. ``parts`` are the readings of parts of it that were asked for, the latest few."""

    picture: bytes
    width: int
    height: int
    look: Look
    parts: LRUCache[Box, Reading] = field(default_factory=lambda: LRUCache(MOST_PARTS), repr=False, compare=False)

    def read_part(self, box: Box | None, read: Callable[[Image.Image, Box], Reading]) -> Reading:
        """The reading of the part in ``box``, of all of it for ``None``; ``read`` is asked once for each part that is
        no garment that was read by itself. One alone is not (:func:`mapsi.search.looks.read_look`)."""
        if box is None:
            return self.look.whole
        for garment in self.look.garments if len(self.look.garments) > 1 else ():
            if max(abs(one - other) for one, other in zip(garment.box, box, strict=True)) < SAME:
                return garment.reading
        reading = self.parts.get(box)
        if reading is None:
            reading = self.parts[box] = read(decode_photo(self.picture), box)
        return reading


class PhotoAnswers:
    """At most ``capacity`` answers, each for ``seconds``; the one used least lately gives way. Safe between threads."""

    def __init__(self, capacity: int, seconds: float) -> None:
        self._held: TTLCache[str, PhotoAnswer] = TTLCache(capacity, seconds)
        self._lock = Lock()
        self._every = min(SWEPT_EVERY, seconds)
        self._sweeper: Timer | None = None

    def keep(self, answer: PhotoAnswer) -> str:
        """Hold ``answer`` and give the token, 128 bits nobody can guess, under which it is found."""
        token = secrets.token_urlsafe(TOKEN_BYTES)
        with self._lock:
            self._held[token] = answer
            if self._sweeper is None:
                self._sweep_later()
        return token

    def _sweep_later(self) -> None:
        """An expired entry would stay in memory until the next one comes, which may be hours on a quiet server. A timer
        is a thread: there is one, while anything is held, not one an answer."""
        self._sweeper = Timer(self._every, self._sweep)
        self._sweeper.daemon = True
        self._sweeper.start()

    def _sweep(self) -> None:
        with self._lock:
            self._held.expire()
            self._sweeper = None
            if self._held:
                self._sweep_later()

    def find(self, token: str) -> PhotoAnswer:
        """The answer under ``token``; raises :class:`PhotoExpiredError`."""
        with self._lock:
            answer = self._held.get(token)
        if answer is None:
            raise PhotoExpiredError("This photo is no longer held.", "Choose the photo again.")
        return answer

    def forget(self, token: str) -> None:
        """Drop the answer under ``token``, where there is one."""
        with self._lock:
            self._held.pop(token, None)

    def __len__(self) -> int:
        with self._lock:
            return len(self._held)
