"""Does a model recognise clothes, or the shop's studio? Photos on a flat background are asked again on another one.

Product photos are on white, one source masks people's backgrounds black: either could give a class away. A model that
learned clothes answers alike when the flat background is exchanged for a soft gradient, which no photo of a source has.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from PIL import Image

from mapsi.arrays import IntArray, UInt8Array
from mapsi.dataset.photos import Sample
from mapsi.evaluate.scores import accuracy
from mapsi.imaging import to_input, to_square
from mapsi.infer.model import Model
from mapsi.learn.photos import background_mask, decode, gradient

BATCH = 32


def exchange_background(pixels: UInt8Array, rng: np.random.Generator) -> UInt8Array | None:
    """uint8 (h, w, 3) with its flat background exchanged for a gradient of random colours; ``None`` where it has
    none."""
    mask = background_mask(pixels)
    if not mask.any():
        return None
    corners = rng.integers(0, 256, (2, 2, 3)).astype(np.float32)
    exchanged: UInt8Array = np.where(mask[..., None], gradient(corners, *pixels.shape[:2]), pixels)
    return exchanged


def measure_backgrounds(
    model: Model, axis: str, samples: Sequence[Sample], truth: IntArray, rng: np.random.Generator
) -> dict[str, Any] | None:
    """Of the ``samples`` on flat backgrounds: how many there are, the accuracy as they are and with the background
    exchanged, and the share of answers that stay. ``truth`` (n,) are class numbers. ``None`` where there are none."""
    # Twice as large as it is read, so that a close-up finds its pixels.
    size, fit = 2 * model.document.preprocessing.size, model.document.preprocessing.fit
    plain, changed, rows = [], [], []
    for row, sample in enumerate(samples):
        square = to_square(decode(sample.path, box=sample.box), size, fit)
        exchanged = exchange_background(np.asarray(square), rng)
        if exchanged is not None:
            plain.append(square)
            changed.append(Image.fromarray(exchanged))
            rows.append(row)
    if not rows:
        return None
    before, after = (_guess(model, axis, pictures) for pictures in (plain, changed))
    return {
        "n": len(rows),
        "accuracy": accuracy(truth[rows], before),
        "exchanged": accuracy(truth[rows], after),
        "same_answer": float((before == after).mean()),
    }


def _guess(model: Model, axis: str, pictures: Sequence[Image.Image]) -> IntArray:
    parts = []
    for start in range(0, len(pictures), BATCH):
        inputs = np.stack([to_input(p, model.document.preprocessing) for p in pictures[start : start + BATCH]])
        parts.append(model.answer(inputs)[f"logits:{axis}"].argmax(axis=1))
    return np.concatenate(parts)
