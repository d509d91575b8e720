"""What training minimises: soft cross-entropy on each axis, for the samples that have a label on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from mapsi.dataset.photos import Sample


def target_table(
    samples: Sequence[Sample], classes: Mapping[str, Sequence[str]], *, smoothing: float, balance: float, nothing: float
) -> dict[str, Tensor]:
    """For each axis a (n, C) table of targets, one row per sample; a row sums to the sample's weight.

    A labelled sample has ``1 - smoothing`` on its class and ``smoothing`` spread over all, times its class's weight; a
    sample without a label on the axis has zeros and so teaches nothing there; a sample without an answer has the
    uniform distribution, weighted ``nothing``: be unsure.

    Labels (knit, knit, coat) of the classes (knit, coat) with ``smoothing`` 0.1 and ``balance`` 0 give (0.95, 0.05)
    twice and (0.05, 0.95); with ``balance`` 0.5 the rows sum to 0.92, 0.92 and 1.12, since coats are fewer.
    """
    tables = {}
    for axis, slugs in classes.items():
        column = {slug: i for i, slug in enumerate(slugs)}
        counts = np.ones(len(slugs))
        for s in samples:
            if s.labels.get(axis) in column:
                counts[column[s.labels[axis]]] += 1
        weights = counts**-balance
        weights *= counts.sum() / (weights * counts).sum()
        table = np.zeros((len(samples), len(slugs)), dtype=np.float32)
        for row, s in zip(table, samples, strict=True):
            slug = s.labels.get(axis)
            if s.has_no_answer(axis):
                row[:] = nothing / len(slugs)
            elif slug in column:
                row[:] = weights[column[slug]] * smoothing / len(slugs)
                row[column[slug]] += weights[column[slug]] * (1 - smoothing)
        tables[axis] = torch.from_numpy(table)
    return tables


def axis_loss(logits: Mapping[str, Tensor], targets: Mapping[str, Tensor]) -> Tensor:
    """Sum over the axes of the soft cross-entropy, each averaged over the samples that have a target there."""
    total = torch.zeros(())
    for axis, target in targets.items():
        seen = (target.sum(dim=1) > 0).sum().clamp(min=1)
        total = total - (target * torch.log_softmax(logits[axis].float(), dim=1)).sum() / seen
    return total


def mix_batch(
    photos: Tensor, targets: Mapping[str, Tensor], rng: np.random.Generator
) -> tuple[Tensor, dict[str, Tensor]]:
    """Mixup or cutmix, picked at random, of a batch (B, 3, H, W) with itself in reverse order."""
    height, width = photos.shape[2:]
    if rng.random() < 0.5:
        share = float(rng.beta(0.4, 0.4))
        mixed = photos * share + photos.flip(0) * (1 - share)
    else:
        share = float(rng.beta(1.0, 1.0))
        h, w = int(height * np.sqrt(1 - share)), int(width * np.sqrt(1 - share))
        top, left = int(rng.integers(0, height - h + 1)), int(rng.integers(0, width - w + 1))
        mixed = photos.clone()
        mixed[:, :, top : top + h, left : left + w] = photos.flip(0)[:, :, top : top + h, left : left + w]
        share = 1 - h * w / (height * width)
    return mixed, {axis: t * share + t.flip(0) * (1 - share) for axis, t in targets.items()}
