"""Our own copies of product pictures: one size, WebP, no metadata, named by the digest of what the shop gave."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from PIL import Image

from mapsi.artifacts import atomic_file
from mapsi.errors import NotFoundError
from mapsi.imaging import PhotoLimits, decode_photo, encode_webp

# Two cards side by side on a phone of three device pixels to one want about 560.
SIDE = 640
_DIGEST = re.compile(r"[0-9a-f]{64}")


class PictureStore:
    """Pictures under one folder. Writing is atomic, so any number of processes may add to it."""

    def __init__(self, root: Path, limits: PhotoLimits) -> None:
        self._root = root
        self._limits = limits

    def path(self, digest: str) -> Path | None:
        """Where the copy named ``digest`` lies, ``None`` where there is none; any text may be asked for."""
        if not _DIGEST.fullmatch(digest):
            return None
        path = self._root / digest[:2] / f"{digest}.webp"
        return path if path.is_file() else None

    def add(self, data: bytes) -> tuple[str, int, int]:
        """Keep a copy of a picture given as bytes: (digest, width, height) of the copy. Raises ``PhotoError``."""
        digest = hashlib.sha256(data).hexdigest()
        photo = decode_photo(data, self._limits)
        photo.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
        if self.path(digest) is None:
            with atomic_file(self._root / digest[:2] / f"{digest}.webp") as beside:
                beside.write_bytes(encode_webp(photo, max_side=SIDE))
        return digest, photo.width, photo.height

    def open(self, digest: str) -> Image.Image:
        """The copy as an RGB picture; raises :class:`NotFoundError` where there is none."""
        path = self.path(digest)
        if path is None:
            raise NotFoundError(f"The picture {digest[:12]} is not in the store.", "Import the feed again.")
        return decode_photo(path.read_bytes(), self._limits)
