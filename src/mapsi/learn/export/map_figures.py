"""How well a model folder tells garments apart: its map and its boxes against masks that were held out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from mapsi.dataset.photos import GROUPS, Sample
from mapsi.evaluate.resampling import draw_photos, interval
from mapsi.imaging import Box
from mapsi.infer.look import find_regions, group_shares
from mapsi.infer.model import Model
from mapsi.learn.augmentation import UNKNOWN
from mapsi.learn.photos import decode, read_mask

Counts = npt.NDArray[np.float64]
# The groups whose mean is reported: what a person wears, without small things that few places show.
WORN = ("upper", "outer", "lower", "one-piece", "shoes")
LARGE = 0.02
"""A garment that takes up at least this share of a photo counts as large: its box has to be found."""


def measure_map(model: Model, samples: Sequence[Sample], rng: np.random.Generator) -> dict[str, Any] | None:
    """Intersection over union by group over the places that the masks of ``samples`` know, its mean over :data:`WORN`
    with the 95 % interval over blocks of photos, and the share of large garments whose box is found (IoU of 0.5).
    ``None`` without masks. Raises as :func:`mapsi.learn.photos.read_masks`.

    What is measured are whole photos that are kept for their mask alone."""
    shown = [s for s in samples if s.is_for_its_mask]
    if not shown or not model.document.groups:
        return None
    both, either = np.zeros((2, len(shown), len(GROUPS)))
    boxes = found = 0
    for row, sample in enumerate(shown):
        shares = group_shares(model.map_logits(decode(sample.path)))
        height, width = shares.shape[1:]
        truth = read_mask(sample, (height, width), len(GROUPS))
        told = np.where(truth == UNKNOWN, UNKNOWN, shares.argmax(axis=0))
        for k in range(len(GROUPS)):
            both[row, k], either[row, k] = ((told == k) & (truth == k)).sum(), ((told == k) | (truth == k)).sum()
        one_hot = (truth == np.arange(len(GROUPS))[:, None, None]).astype(np.float32)
        wanted = find_regions(one_hot, GROUPS)
        large = [region for region in wanted if region.mask.mean() >= LARGE]
        given = find_regions(shares, GROUPS)
        boxes += len(large)
        found += sum(any(g.group == w.group and overlap(g.box, w.box) >= 0.5 for g in given) for w in large)
    picks = draw_photos([sample.block for sample in shown], rng)
    bounds = interval(_worn_mean(picks @ both, picks @ either))
    united = both.sum(axis=0) / np.maximum(either.sum(axis=0), 1)
    return {
        "photos": len(shown),
        "iou": {group: float(united[k]) for k, group in enumerate(GROUPS)},
        "mean_iou": float(_worn_mean(both.sum(axis=0, keepdims=True), either.sum(axis=0, keepdims=True))[0]),
        "interval": {"low": bounds.low, "high": bounds.high},
        "large_garments": boxes,
        "boxes_found": found / max(boxes, 1),
    }


def _worn_mean(both: Counts, either: Counts) -> Counts:
    columns = [GROUPS.index(group) for group in WORN]
    return np.asarray((both[:, columns] / np.maximum(either[:, columns], 1)).mean(axis=1))


def overlap(given: Box, wanted: Box) -> float:
    """Intersection over union of two boxes."""
    (x, y, width, height), (left, top, wide, high) = given, wanted
    across = min(x + width, left + wide) - max(x, left)
    down = min(y + height, top + high) - max(y, top)
    shared = max(0.0, across) * max(0.0, down)
    return shared / (width * height + wide * high - shared)
