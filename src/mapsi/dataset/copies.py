"""Photos that are in a folder more than once: the same file, the same picture, or a picture that only looks alike."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from mapsi.dataset.facts import PhotoFacts, map_photos, stack_bits
from mapsi.dataset.twins import Details, bits_apart, near_pairs, read_details, same_picture
from mapsi.errors import PhotoError
from mapsi.imaging import PhotoLimits

Likeness = Literal["copy", "twin", "copy-across", "twin-across", "alike"]


@dataclass(frozen=True, slots=True)
class Match:
    """A photo and the one that it is like, by number, and how many of the 64 bits of their hashes differ."""

    kind: Likeness
    photo: int
    other: int
    apart: int = 0

    @property
    def leaves_out(self) -> bool:
        return self.kind != "alike"


@dataclass(slots=True)
class _Search:
    """What is known while photos are compared: ``gone`` are those left out so far."""

    labels: Sequence[str]
    matches: list[Match] = field(default_factory=list)
    gone: set[int] = field(default_factory=set)

    def add(self, kind: Likeness, photo: int, other: int, apart: int = 0) -> None:
        self.matches.append(Match(kind, photo, other, apart))
        if self.matches[-1].leaves_out:
            self.gone.add(photo)

    def across(self, photo: int, other: int) -> bool:
        return self.labels[photo] != self.labels[other]


def find_copies(
    paths: Sequence[Path], labels: Sequence[str], facts: Sequence[PhotoFacts], limits: PhotoLimits | None = None
) -> list[Match]:
    """At most one match a photo; ``facts`` are of readable photos.

    Of copies within a class the largest file stays (of equal ones the first by path). Of copies across classes none
    stays: at most one label is right, and nothing here tells which.
    """
    search = _Search(labels)
    _same_files(search, facts)
    left = [i for i in range(len(paths)) if i not in search.gone]
    bits = stack_bits([facts[i] for i in left])
    pairs = near_pairs(bits)
    apart = bits_apart(bits, pairs)
    numbered = np.asarray(left, dtype=np.int64)[pairs]
    _same_pictures(search, paths, facts, numbered, apart, limits or PhotoLimits())
    return search.matches


def _same_files(search: _Search, facts: Sequence[PhotoFacts]) -> None:
    by_digest: dict[str, list[int]] = defaultdict(list)
    for i, fact in enumerate(facts):
        by_digest[fact.digest].append(i)
    for same in by_digest.values():
        for i in same:
            stranger = next((j for j in same if search.across(i, j)), None)
            if stranger is not None:
                search.add("copy-across", i, stranger)
            elif i != same[0]:
                search.add("copy", i, same[0])


def _same_pictures(
    search: _Search,
    paths: Sequence[Path],
    facts: Sequence[PhotoFacts],
    pairs: npt.NDArray[np.int64],
    apart: npt.NDArray[np.int64],
    limits: PhotoLimits,
) -> None:
    near: dict[int, list[tuple[int, int]]] = defaultdict(list)
    for (i, j), bits in zip(pairs.tolist(), apart.tolist(), strict=True):
        near[i].append((bits, j))
        near[j].append((bits, i))
    involved = sorted(near)
    details = dict(zip(involved, map_photos(lambda p: _details(p, limits), [paths[i] for i in involved]), strict=True))
    largest_first = sorted(involved, key=lambda i: (-facts[i].weight, i))
    for i in largest_first:
        for bits, j in near[i]:
            if search.across(i, j) and _one_picture(details, i, j):
                search.add("twin-across", i, j, bits)
                break
    kept: set[int] = set()
    for i in largest_first:
        if i in search.gone:
            continue
        twin = next((t for t in sorted(near[i]) if t[1] in kept and _one_picture(details, i, t[1])), None)
        if twin is not None and not search.across(i, twin[1]):
            search.add("twin", i, twin[1], twin[0])
            continue
        kept.add(i)
    for i in sorted(kept):
        alike = next((t for t in sorted(near[i]) if t[1] in kept), None)
        if alike is not None:
            search.add("alike", i, alike[1], alike[0])


def _details(path: Path, limits: PhotoLimits) -> Details | None:
    try:
        return read_details(path, limits)
    except PhotoError:
        # Read well a moment ago and is gone since: it is then a copy of nothing, and whoever opens it next says so.
        return None


def _one_picture(details: dict[int, Details | None], photo: int, other: int) -> bool:
    of_photo, of_other = details[photo], details[other]
    return of_photo is not None and of_other is not None and same_picture(of_photo, of_other)
