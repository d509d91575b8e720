"""Does a model recognise clothes, or the shop's studio? Photos on a flat background are classified again on
another one.

Product photos are on white, one source masks people's backgrounds black: either could give a class away. A model that
learned clothes gives the same answer when the flat background is exchanged for a soft gradient, which no photo of a
source has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image

from mapsi.arrays import IntArray, UInt8Array
from mapsi.evaluate.scores import accuracy
from mapsi.imaging import to_input, to_square
from mapsi.infer.model import Model
from mapsi.learn.photos import background_mask, gradient

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


class BackgroundTrial:
    """Answers of ``model`` to photos on flat backgrounds, as they are and with the background exchanged, on ``axes``.
    Photos are shown one at a time, so that whoever decodes them need not do it twice, and few of them are held."""

    def __init__(self, model: Model, axes: Sequence[str], rng: np.random.Generator) -> None:
        self._model, self._rng = model, rng
        self._rows: list[int] = []
        self._waiting: list[tuple[Image.Image, Image.Image]] = []
        self._before: dict[str, list[IntArray]] = {axis: [] for axis in axes}
        self._after: dict[str, list[IntArray]] = {axis: [] for axis in axes}

    def show(self, row: int, photo: Image.Image) -> None:
        """Take the photo with number ``row`` into the trial where it is on a flat background."""
        preprocessing = self._model.document.preprocessing
        # Twice as large as it is read, so that a close-up finds its pixels.
        square = to_square(photo, 2 * preprocessing.size, preprocessing.fit)
        exchanged = exchange_background(np.asarray(square), self._rng)
        if exchanged is None:
            return
        self._rows.append(row)
        self._waiting.append((square, Image.fromarray(exchanged)))
        if len(self._waiting) == BATCH:
            self._answer()

    def figures(self, truths: Mapping[str, IntArray]) -> dict[str, dict[str, Any]]:
        """By axis: how many photos there are, the accuracy as they are and with the background exchanged, and the share
        of answers that stay the same.

        ``truths`` gives each axis's class numbers by the photo's number, -1 where it has no label on it; an axis
        without any photo on a flat background is left out.
        """
        if self._waiting:
            self._answer()
        if not self._rows:
            return {}
        told = {
            axis: (truth[self._rows], np.concatenate(self._before[axis]), np.concatenate(self._after[axis]))
            for axis, truth in truths.items()
        }
        return {axis: _figures(*columns) for axis, columns in told.items() if (columns[0] >= 0).any()}

    def _answer(self) -> None:
        plain, exchanged = zip(*self._waiting, strict=True)
        for guesses, pictures in ((self._before, plain), (self._after, exchanged)):
            inputs = np.stack([to_input(picture, self._model.document.preprocessing) for picture in pictures])
            answers = self._model.answer(inputs)
            for axis, parts in guesses.items():
                parts.append(answers[f"logits:{axis}"].argmax(axis=1))
        self._waiting.clear()


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
