"""Near-twins: photos that show the same picture, found by perceptual hash."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import imagehash
import numpy as np
import numpy.typing as npt

from mapsi.errors import PhotoError
from mapsi.imaging import PhotoLimits, decode_photo

BITS = 64
# Of 64 bits of a DCT hash; re-encoded and cropped copies lie below 10, two photos of one kind of garment above 16.
TWIN_DISTANCE = 10


def perceptual_hashes(paths: Sequence[Path], limits: PhotoLimits | None = None) -> npt.NDArray[np.bool_]:
    """DCT hashes of photos, shape (n, 64). A photo that cannot be read raises :class:`PhotoError`, naming it."""
    rows = np.zeros((len(paths), BITS), dtype=np.bool_)
    for i, path in enumerate(paths):
        try:
            photo = decode_photo(path.read_bytes(), limits, at_least=64)
        except PhotoError as error:
            raise PhotoError(f"{path}: {error.message}", "Take the file out of the folder.") from error
        rows[i] = imagehash.phash(photo).hash.ravel()
    return rows


def twin_pairs(hashes: npt.NDArray[np.bool_], distance: int = TWIN_DISTANCE) -> list[tuple[int, int]]:
    """Pairs (i, j), i < j, whose hashes differ in at most ``distance`` bits."""
    signs = np.where(hashes, np.float32(1), np.float32(-1))
    pairs = []
    for start in range(0, len(signs), 1024):
        # Hamming distance from a dot product of signs: (bits - dot) / 2.
        apart = (BITS - signs[start : start + 1024] @ signs.T) / 2
        for i, j in zip(*np.nonzero(apart <= distance), strict=True):
            if start + i < j:
                pairs.append((int(start + i), int(j)))
    return pairs


def join(count: int, pairs: Sequence[tuple[int, int]]) -> list[int]:
    """Group ``count`` things joined by ``pairs``: each one's group is its smallest member."""
    parent = list(range(count))

    def root(i: int) -> int:
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    for a, b in pairs:
        low, high = sorted((root(a), root(b)))
        parent[high] = low
    return [root(i) for i in range(count)]
