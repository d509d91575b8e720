"""What a person wears, garment by garment: from a map of groups to regions with a box, a mask and a confidence."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mapsi.arrays import BoolArray, FloatArray
from mapsi.errors import UsageError
from mapsi.imaging import Box
from mapsi.infer.parts import connected_parts
from mapsi.infer.reading import Reading

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)
GROUND, PERSON = "ground", "person"
MOST = 6
"""Garments told of one photo, so that one with fifty is answered as fast as one with six."""

# Shares of a photo. Labelled outfits have smaller shoes and accessories than these, but nothing to read in them.
_LEAST = {"shoes": 0.004, "bag": 0.004, "accessory": 0.004}
_LEAST_OTHERWISE = 0.01
# Below this share of people a picture shows clothes laid flat, which are one garment where they touch.
_NOBODY = 0.005
# Things of one group that lie apart are one garment (an open jacket, a pair of shoes), but for these.
_APART = ("bag", "accessory")
_MARGIN = 0.08


@dataclass(frozen=True, slots=True)
class Place:
    """Where a garment is. ``group`` is the model's name for its place on a person (upper, shoes, ...), ``confidence``,
    0..1, the mean probability of the group there."""

    group: str
    confidence: float
    box: Box


@dataclass(frozen=True, slots=True)
class Region(Place):
    """A place with its ``mask`` (h, w), which covers the whole photo."""

    mask: BoolArray


@dataclass(frozen=True, slots=True)
class Garment(Place):
    """One garment in a photo, read by itself. ``group`` is empty and ``mask`` None where the model has no map."""

    mask: BoolArray | None
    reading: Reading


@dataclass(frozen=True, slots=True)
class Look:
    """A photo read as a whole, and its garments, the most prominent first; none where nothing is worn or shown.

    ``map`` (h, w) holds the number of each place's group in ``groups``; both are empty where the model has no map."""

    whole: Reading
    garments: tuple[Garment, ...]
    groups: tuple[str, ...]
    map: npt.NDArray[np.uint8]


def group_shares(logits: FloatArray) -> FloatArray:
    """Probabilities (groups, h, w) of the logits of a map of the same shape."""
    raised = np.exp(logits - logits.max(axis=0, keepdims=True))
    return np.asarray(raised / raised.sum(axis=0, keepdims=True), dtype=np.float32)


def find_regions(shares: FloatArray, groups: Sequence[str]) -> list[Region]:
    """The garments of a map of group probabilities (groups, h, w), the largest first, at most :data:`MOST`."""
    told = shares.argmax(axis=0)
    worn = (told == groups.index(PERSON)).mean() >= _NOBODY
    found = list((_worn if worn else _laid_flat)(told, groups))
    regions = [_region(shares[groups.index(group)], group, mask) for group, mask in found]
    return sorted(regions, key=lambda region: -region.mask.sum())[:MOST]


def _garment_groups(groups: Sequence[str]) -> Iterator[tuple[int, str]]:
    return ((k, group) for k, group in enumerate(groups) if group not in (GROUND, PERSON))


def _worn(told: npt.NDArray[np.intp], groups: Sequence[str]) -> Iterator[tuple[str, BoolArray]]:
    for k, group in _garment_groups(groups):
        for mask in _parts(told == k) if group in _APART else [_without_specks(told == k)]:
            if mask.mean() >= _LEAST.get(group, _LEAST_OTHERWISE):
                yield group, mask


def _laid_flat(told: npt.NDArray[np.intp], groups: Sequence[str]) -> Iterator[tuple[str, BoolArray]]:
    """What touches is one garment, of the group that most of it is read as."""
    numbers = dict(_garment_groups(groups))
    parts = _parts(np.isin(told, list(numbers)))
    for mask in parts:
        if mask.mean() >= _LEAST_OTHERWISE and mask.sum() >= 0.15 * parts[0].sum():
            counts = np.bincount(told[mask], minlength=len(groups))
            yield numbers[max(numbers, key=lambda k: counts[k])], mask


def _parts(mask: BoolArray) -> list[BoolArray]:
    """The connected parts of a mask, corners touching, the largest first."""
    return sorted(connected_parts(mask), key=lambda part: -part.sum())


def _without_specks(mask: BoolArray) -> BoolArray:
    """A mask without the parts that are less than an eighth of its largest: they stretch a box for nothing."""
    parts = _parts(mask)
    return np.logical_or.reduce([part for part in parts if part.sum() * 8 >= parts[0].sum()]) if parts else mask


def _region(shares: FloatArray, group: str, mask: BoolArray) -> Region:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    height, width = mask.shape
    box = (
        float(columns[0] / width),
        float(rows[0] / height),
        float((columns[-1] + 1 - columns[0]) / width),
        float((rows[-1] + 1 - rows[0]) / height),
    )
    return Region(group, float(shares[mask].mean()), box, mask)


def with_margin(box: Box) -> Box:
    """A box with room around it, within the photo. Raises :class:`UsageError` for a box that is none."""
    x, y, width, height = box
    inside = 0 <= x < x + width <= 1 + 1e-6 and 0 <= y < y + height <= 1 + 1e-6
    if not inside:
        raise UsageError(
            f"{box} is not a box in a photo.", "Give x, y, width and height as fractions of its sides, 0 to 1."
        )
    left, top = max(0.0, x - _MARGIN * width), max(0.0, y - _MARGIN * height)
    right, bottom = min(1.0, x + (1 + _MARGIN) * width), min(1.0, y + (1 + _MARGIN) * height)
    return left, top, right - left, bottom - top
