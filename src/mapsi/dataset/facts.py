"""What one pass over a photo's bytes tells: its digest, its weight, its perceptual hash, and why it cannot be used."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import imagehash
import numpy as np
import numpy.typing as npt

from mapsi.cores import cores
from mapsi.errors import PhotoError
from mapsi.imaging import PhotoLimits, decode_photo, read_photo_bytes
from mapsi.progress import Advance, no_advance

BITS = 64
HASH_SIDE = 64
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class PhotoFacts:
    """``digest`` is the SHA-256 of the file, ``weight`` its size in bytes, ``side`` the shorter side in pixels (exact
    below the side asked for), ``bits`` its DCT hash (64,). Where it cannot be read, ``fault`` says why in a
    sentence."""

    digest: str = ""
    weight: int = 0
    side: int = 0
    bits: npt.NDArray[np.bool_] | None = None
    fault: str = ""


def map_photos(work: Callable[[Path], Result], paths: Sequence[Path], progress: Advance = no_advance) -> list[Result]:
    """``work`` on every path, in order, on all cores: decoders leave Python's lock, so threads are enough."""
    pool = ThreadPoolExecutor(cores())
    results = []
    try:
        for result in pool.map(work, paths):
            results.append(result)
            progress(1)
    finally:
        # Whoever interrupts does not wait for thousands of photos that nobody wants any more.
        pool.shutdown(cancel_futures=True)
    return results


def read_facts(
    paths: Sequence[Path], limits: PhotoLimits | None = None, *, side: int = 0, progress: Advance = no_advance
) -> list[PhotoFacts]:
    """The facts of each photo, about 1 ms each a core; a photo that cannot be read has a ``fault``."""
    checked = limits or PhotoLimits()
    return map_photos(lambda path: _facts(path, checked, side), paths, progress)


def stack_bits(facts: Sequence[PhotoFacts]) -> npt.NDArray[np.bool_]:
    """The hashes of readable photos, (n, 64)."""
    return np.array([fact.bits for fact in facts], dtype=np.bool_).reshape(len(facts), BITS)


def _facts(path: Path, limits: PhotoLimits, side: int) -> PhotoFacts:
    try:
        data = read_photo_bytes(path, limits)
        photo = decode_photo(data, limits, at_least=max(HASH_SIDE, side))
    except PhotoError as error:
        return PhotoFacts(fault=error.message)
    bits = imagehash.phash(photo).hash.ravel()
    return PhotoFacts(hashlib.sha256(data).hexdigest(), len(data), min(photo.size), bits)
