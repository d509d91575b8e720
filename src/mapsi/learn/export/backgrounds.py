"""Does a model recognise clothes, or the shop's studio? Photos on a flat background are classified again on
another one.

Product photos are on white, one source masks people's backgrounds black: either could give a class away. A model that
learned clothes gives the same answer when the flat background is exchanged for a soft gradient, which no photo of a
source has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from mapsi.arrays import IntArray, UInt8Array
from mapsi.batches import batched
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
    model: Model, samples: Sequence[Sample], truths: Mapping[str, IntArray], rng: np.random.Generator
) -> dict[str, dict[str, Any]]:
    """By axis, of the ``samples`` on flat backgrounds: how many there are, the accuracy as they are and with the
    background exchanged, and the share of answers that stay the same.

    ``truths`` gives each axis's class numbers (n,), -1 for a sample without a label on it; an axis without any sample
    on a flat background is left out. Each photo is decoded once for all axes, and a batch of them held at a time.
    """
    rows: list[int] = []
    before: dict[str, list[IntArray]] = {axis: [] for axis in truths}
    after: dict[str, list[IntArray]] = {axis: [] for axis in truths}
    pairs = _exchanged(model, samples, rng)
    for batch in batched(pairs, BATCH):
        rows += [row for row, _, _ in batch]
        for guesses, pictures in ((before, [plain for _, plain, _ in batch]), (after, [made for _, _, made in batch])):
            inputs = np.stack([to_input(picture, model.document.preprocessing) for picture in pictures])
            answers = model.answer(inputs)
            for axis, parts in guesses.items():
                parts.append(answers[f"logits:{axis}"].argmax(axis=1))
    if not rows:
        return {}
    told = {
        axis: (truth[rows], np.concatenate(before[axis]), np.concatenate(after[axis])) for axis, truth in truths.items()
    }
    return {axis: _figures(*columns) for axis, columns in told.items() if (columns[0] >= 0).any()}


def _exchanged(
    model: Model, samples: Sequence[Sample], rng: np.random.Generator
) -> Iterator[tuple[int, Image.Image, Image.Image]]:
    """The samples on flat backgrounds, by their places: as they are, and with the background exchanged."""
    # Twice as large as it is read, so that a close-up finds its pixels.
    size, fit = 2 * model.document.preprocessing.size, model.document.preprocessing.fit
    for row, sample in enumerate(samples):
        square = to_square(decode(sample.path, box=sample.box), size, fit)
        exchanged = exchange_background(np.asarray(square), rng)
        if exchanged is not None:
            yield row, square, Image.fromarray(exchanged)


def _figures(truth: IntArray, before: IntArray, after: IntArray) -> dict[str, Any]:
    """Of the photos with a label: truths (3, -1, 5), guesses (3, 0, 1) before and (3, 2, 5) after are two photos, an
    accuracy of 0.5 and then 1.0, and half of the answers the same."""
    labelled = truth >= 0
    truth, before, after = truth[labelled], before[labelled], after[labelled]
    return {
        "n": len(truth),
        "accuracy": accuracy(truth, before),
        "exchanged": accuracy(truth, after),
        "same_answer": float((before == after).mean()),
    }
