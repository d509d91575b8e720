"""Near-twins: photos that look alike by perceptual hash, and which of them show the very same picture.

Two shirts of one shop on one model lie as near each other in the hash as a picture and its cropped copy. A split may
treat both alike (they are on one side), a clean-up may not: it leaves out copies only. :func:`same_picture` tells
them apart by their edges, which survive another size, compression and brightness, and differ between two shirts.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from mapsi.dataset.facts import BITS, read_facts
from mapsi.errors import PhotoError
from mapsi.imaging import PhotoLimits, read_photo, to_square
from mapsi.progress import Advance, no_advance

# Of 64 bits of a DCT hash; re-encoded and cropped copies lie below 10, two photos of one kind of garment above 16.
TWIN_DISTANCE = 10
PAIR = np.int32

DETAIL_SIDE = 48
CROPS = (0.0, 0.01, 0.02, 0.03, 0.04, 0.05)
# Measured on 120 photos and their copies (JPEG quality 30, half the size, cropped by 2 % a side): 98 of 100 agree in
# their edges by at least 0.95, their colours within 5. Of 2,832 look-alike pairs that are no copies none passes both
# limits.
SAME_EDGES = 0.94
SAME_COLOURS = 8.0
# Compression blurs colours, so edges are those of the brightness (ITU-R BT.601).
BRIGHTNESS = np.array([0.299, 0.587, 0.114], dtype=np.float32)

Bits = npt.NDArray[np.bool_]
Details = npt.NDArray[np.uint8]


def perceptual_hashes(paths: Sequence[Path], limits: PhotoLimits | None = None, progress: Advance = no_advance) -> Bits:
    """DCT hashes of photos, shape (n, 64). A photo that cannot be read raises :class:`PhotoError`, naming it."""
    rows = np.zeros((len(paths), BITS), dtype=np.bool_)
    for i, facts in enumerate(read_facts(paths, limits, progress=progress)):
        if facts.bits is None:
            raise PhotoError(f"{paths[i]}: {facts.fault}", "Take the file out of the folder.")
        rows[i] = facts.bits
    return rows


def near_pairs(hashes: Bits, distance: int = TWIN_DISTANCE) -> npt.NDArray[np.int32]:
    """Pairs (m, 2), i < j, in order, whose hashes differ in at most ``distance`` bits; 0.15 s for 4,000 photos."""
    signs = np.where(hashes, np.float32(1), np.float32(-1))
    found = [np.zeros((0, 2), dtype=PAIR)]
    for start in range(0, len(signs), 1024):
        # Hamming distance from a dot product of signs: of (1, 1, -1) and (1, -1, -1) it is (3 - 1) / 2 = 1.
        near = (BITS - signs[start : start + 1024] @ signs[start:].T) / 2 <= distance
        pairs = np.argwhere(np.triu(near, k=1)) + start
        found.append(pairs.astype(PAIR))
    return np.concatenate(found)


def twin_pairs(hashes: Bits, distance: int = TWIN_DISTANCE) -> list[tuple[int, int]]:
    """:func:`near_pairs` as a list."""
    return [(int(i), int(j)) for i, j in near_pairs(hashes, distance)]


def bits_apart(hashes: Bits, pairs: npt.NDArray[np.int32]) -> npt.NDArray[np.int64]:
    """How many bits the two of each pair (m, 2) differ in: (m,)."""
    return np.asarray((hashes[pairs[:, 0]] != hashes[pairs[:, 1]]).sum(axis=1))


def join(count: int, pairs: npt.ArrayLike) -> list[int]:
    """Group ``count`` photos joined by ``pairs`` (m, 2): the group of each is its smallest member. Five photos and the
    pairs (1, 3) and (3, 4) are the groups (0, 1, 2, 1, 1)."""
    edges = np.asarray(pairs, dtype=PAIR).reshape(-1, 2)
    graph = coo_array((np.ones(len(edges), dtype=np.bool_), (edges[:, 0], edges[:, 1])), shape=(count, count))
    _, groups = connected_components(graph, directed=False)
    _, first = np.unique(groups, return_index=True)
    return [int(i) for i in first[groups]]


def read_details(path: Path, limits: PhotoLimits) -> Details:
    """A photo small, whole and cropped by up to 5 % a side: uint8 (crops, 48, 48, 3)."""
    photo = read_photo(path, limits, at_least=2 * DETAIL_SIDE)
    width, height = photo.size
    boxes = [(width * c, height * c, width * (1 - c), height * (1 - c)) for c in CROPS]
    squares = [to_square(photo.crop(box), DETAIL_SIDE, "stretch") for box in boxes]
    return np.stack([np.asarray(square) for square in squares])


def same_picture(one: Details, other: Details) -> bool:
    """Whether two photos, as :func:`read_details` gives them, are one picture, re-encoded, scaled or slightly
    cropped."""
    fits = [_fit(one[0], crop) for crop in other] + [_fit(crop, other[0]) for crop in one[1:]]
    edges, apart = max(fits)
    return edges >= SAME_EDGES and -apart <= SAME_COLOURS


def _fit(one: npt.NDArray[np.uint8], other: npt.NDArray[np.uint8]) -> tuple[float, float]:
    """How well the edges of two squares agree, -1..1, and minus the mean difference of their colours, 0..255, once the
    brightness is made alike."""
    first, second = one.astype(np.float32), other.astype(np.float32)
    edges = _cosine(_edges(first @ BRIGHTNESS), _edges(second @ BRIGHTNESS))
    first, second = first - first.mean(), second - second.mean()
    gain = np.clip((first * second).sum() / max(float((second * second).sum()), 1.0), 0.6, 1.6)
    return edges, -float(np.abs(first - gain * second).mean())


def _edges(grey: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    return np.concatenate([np.diff(grey, axis=0).ravel(), np.diff(grey, axis=1).ravel()])


def _cosine(one: npt.NDArray[np.float32], other: npt.NDArray[np.float32]) -> float:
    length = float(np.linalg.norm(one) * np.linalg.norm(other))
    # Two squares without any edge are alike in them.
    return float(one @ other) / length if length > 0 else float(np.array_equal(one, other))
