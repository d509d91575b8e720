"""Our own copies of product pictures: WebP in a few sizes, no metadata, named by the digest of what the shop gave."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Lock

import numpy as np
from cachetools import LRUCache
from PIL import Image

from mapsi.artifacts import atomic_file, clear_place
from mapsi.catalog.records import PictureCopy
from mapsi.errors import NotFoundError
from mapsi.imaging import PhotoLimits, decode_photo, encode_webp, to_square
from mapsi.thumbprints import SQUARE, thumbprint

SIDES = (240, 480, 720)
"""Longer sides in pixels. Of an upright picture, three to four, the widths 180, 360 and 540 fill a card of half a phone
at one, two and three device pixels to one. A picture smaller than a side has no copy of that size."""

FULL = SIDES[-1]
HELD_BYTES = 64 * 1024 * 1024
_DIGEST = re.compile(r"[0-9a-f]{64}")


def smaller_sides(width: int, height: int) -> list[int]:
    """The sides at which there is a copy beside the full one of this size."""
    return [side for side in SIDES if side < min(FULL, max(width, height))]


def covering_side(width: int, height: int, least: int) -> int:
    """The smallest side at which a copy has at least ``least`` pixels both ways; ``FULL`` where none has."""
    longer, shorter = max(width, height), min(width, height)
    return next((side for side in smaller_sides(width, height) if shorter * side >= least * longer), FULL)


def thumbprint_of(photo: Image.Image) -> bytes:
    """What copies of an RGB picture are known by."""
    return thumbprint(np.asarray(to_square(photo, SQUARE, "stretch")), *photo.size)


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path) as kept:
        return kept.size


class PictureStore:
    """Pictures under one folder. Writing is atomic, so any number of processes may add to it. Pictures of which no copy
    may be kept are held in memory for a while instead."""

    def __init__(self, root: Path, limits: PhotoLimits) -> None:
        self._root = root
        self._limits = limits
        self._held: LRUCache[str, bytes] = LRUCache(HELD_BYTES, getsizeof=len)
        self._lock = Lock()

    def path(self, digest: str, side: int = FULL) -> Path | None:
        """Where the copy named ``digest`` lies, ``None`` where there is none of this side to be read; any text may be
        asked for."""
        if not _DIGEST.fullmatch(digest) or side not in SIDES:
            return None
        path = self._file(digest, side)
        return path if os.access(path, os.R_OK) and path.is_file() else None

    def _file(self, digest: str, side: int) -> Path:
        name = f"{digest}.webp" if side == FULL else f"{digest}-{side}.webp"
        return self._root / digest[:2] / name

    def add(self, data: bytes) -> PictureCopy:
        """Keep copies of a picture given as bytes. Raises ``PhotoError``."""
        digest, photo = self._decode(data)
        photo.thumbnail((FULL, FULL), Image.Resampling.LANCZOS)
        full = self.path(digest)
        if full is not None:
            os.utime(full)  # so that it is not taken for one that nobody needs any more
            return PictureCopy(digest, *_size(full), thumbprint=thumbprint_of(photo))
        # The full one last: where it is, all are.
        for side in (*smaller_sides(*photo.size), FULL):
            self._write(digest, side, photo)
        return PictureCopy(digest, *photo.size, thumbprint=thumbprint_of(photo))

    def _decode(self, data: bytes) -> tuple[str, Image.Image]:
        # Half again would show no difference at this size and is twice as fast for a large JPEG.
        return hashlib.sha256(data).hexdigest(), decode_photo(data, self._limits, at_least=2 * FULL)

    def _write(self, digest: str, side: int, photo: Image.Image) -> None:
        file = self._file(digest, side)
        clear_place(file)
        with atomic_file(file) as beside:
            beside.write_bytes(encode_webp(photo, max_side=side))

    def lacks(self, copy: PictureCopy) -> list[int]:
        """The sides at which there is no file of a copy."""
        sides = (*smaller_sides(copy.width, copy.height), FULL)
        return [side for side in sides if self.path(copy.digest, side) is None]

    def complete(self, copy: PictureCopy) -> bool:
        """Whether the file at the full side is there; those at smaller sides that are not are made of it. Raises
        ``PhotoError`` where it is damaged."""
        missing = self.lacks(copy)
        if FULL in missing:
            return False
        if missing:
            photo = self.open(copy.digest)
            for side in missing:
                self._write(copy.digest, side, photo)
        return True

    def open(self, digest: str, side: int = FULL) -> Image.Image:
        """The copy as an RGB picture, the full one where there is none of this side. Raises :class:`NotFoundError`
        where there is neither, ``PhotoError`` where it is damaged."""
        path = self.path(digest, side) or self.path(digest)
        if path is None:
            raise NotFoundError(f"The picture {digest[:12]} is not in the store.", "Import the feed again.")
        return decode_photo(path.read_bytes(), self._limits)

    def hold(self, data: bytes) -> PictureCopy:
        """Hold a small copy in memory alone, as long as there is room. No thumbprint is taken, which is a picture too,
        if of 24 pixels. Raises ``PhotoError``."""
        digest, photo = self._decode(data)
        small = encode_webp(photo, max_side=SIDES[1])
        with self._lock:
            self._held[digest] = small
        photo.thumbnail((FULL, FULL), Image.Resampling.LANCZOS)
        return PictureCopy(digest, *photo.size)

    def held(self, digest: str) -> Image.Image | None:
        """What :meth:`hold` holds, as an RGB picture."""
        with self._lock:
            small = self._held.get(digest)
        return None if small is None else decode_photo(small, self._limits)

    def remove(self, digest: str) -> None:
        """Remove the copies, where there are any."""
        for side in SIDES[::-1]:
            self._file(digest, side).unlink(missing_ok=True)

    def strays(self, known: Callable[[str], set[str]], before: float) -> Iterator[Path]:
        """Files, last written before the time ``before`` (seconds since 1970), that are no copy of a known picture or
        were left half written by a kill. ``known`` gives the digests that begin with two hexadecimal digits."""
        for folder in sorted(self._root.glob("[0-9a-f][0-9a-f]")):
            digests = known(folder.name)
            for file in folder.iterdir():
                if file.name[:64] not in digests and file.stat().st_mtime < before:
                    yield file
