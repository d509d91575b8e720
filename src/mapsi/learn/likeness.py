"""Learning that two photos show the same garment, and what is where in a photo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from mapsi.dataset.photos import Sample
from mapsi.errors import UsageError
from mapsi.learn.augmentation import UNKNOWN

# Inverse temperatures of the cosines between two photos, and between a photo and the mark of its class.
_SHARPNESS = 14.0
_CLASS_SHARPNESS = 10.0
# What a class's marks count beside the photos: they keep a watch away from a shirt, where no pair of photos says so.
_CLASS_WEIGHT = 0.5
# Ground fills most of a photo; shoes, bags and accessories little of it.
_GROUP_WEIGHTS = {
    "ground": 0.5,
    "person": 0.8,
    "outer": 1.2,
    "one-piece": 1.2,
    "shoes": 1.5,
    "bag": 1.5,
    "accessory": 1.5,
}


class Likeness(nn.Module):
    """InfoNCE (van den Oord et al., 2018) over a memory of all products' photos (Wang et al., 2020, "Cross-batch
    memory"): a photo is to be nearer to its product's photos by other sources than to those of other products.

    A batch of fifty photos holds ten products or so, too few to learn fine differences from; the memory holds the
    latest embedding of each photo. Beside it each class of the ``classes`` has a mark that its photos are drawn to.
    """

    def __init__(self, samples: Sequence[Sample], classes: Mapping[str, int], width: int) -> None:
        super().__init__()
        self.rows = {i: row for row, i in enumerate(i for i, s in enumerate(samples) if s.product)}
        shown = [samples[i] for i in self.rows]
        products, sources = _numbers([s.product for s in shown]), _numbers([s.source for s in shown])
        if len(set(sources.tolist())) < 2:
            raise UsageError(
                "Likeness is learned of products with photos by two sources, and there are none.",
                "Name product and source in the manifest, or take a recipe without likeness.",
            )
        self.register_buffer("products", products)
        self.register_buffer("sources", sources)
        self.register_buffer("memory", torch.zeros(len(shown), width))
        self.marks = nn.ModuleDict({axis: nn.Linear(width, count, bias=False) for axis, count in classes.items()})

    def forward(self, embeddings: Tensor, numbers: Tensor, targets: Mapping[str, Tensor]) -> Tensor:
        """The loss of a batch: unit ``embeddings`` (B, width) of the samples ``numbers`` (B,), whose ``targets`` (B, C)
        an axis are those of the axes' loss. Remembers the embeddings."""
        total = _CLASS_WEIGHT * self._classes(embeddings, targets)
        known = [(place, self.rows[number]) for place, number in enumerate(numbers.tolist()) if number in self.rows]
        if known:
            places, rows = (torch.tensor(column, device=embeddings.device) for column in zip(*known, strict=True))
            total = total + self._pairs(embeddings[places], rows)
        return total

    def _pairs(self, embeddings: Tensor, rows: Tensor) -> Tensor:
        memory = self.memory.clone().index_copy(0, rows, embeddings)  # type: ignore[operator]
        with torch.no_grad():
            self.memory.index_copy_(0, rows, embeddings.detach())  # type: ignore[operator]
        cosines = embeddings @ memory.T * _SHARPNESS
        # A photo is sought among those of other sources, as a worn one is among a shop's; an empty place is not seen
        # yet.
        sought = (self.sources[rows, None] != self.sources[None]) & (memory.detach().abs().sum(dim=1) > 0)[None]  # type: ignore[index]
        right = sought & (self.products[rows, None] == self.products[None])  # type: ignore[index]
        told = right.any(dim=1)
        if not told.any():
            return embeddings.sum() * 0
        every = cosines.masked_fill(~sought, -torch.inf).logsumexp(dim=1)
        hits = cosines.masked_fill(~right, -torch.inf).logsumexp(dim=1)
        return (every - hits)[told].mean()

    def _classes(self, embeddings: Tensor, targets: Mapping[str, Tensor]) -> Tensor:
        total = embeddings.sum() * 0
        for axis, marks in self.marks.items():
            target = targets[axis]
            labelled = target.max(dim=1).values > target.min(dim=1).values
            if labelled.any():
                cosines = embeddings[labelled] @ nn.functional.normalize(marks.weight, dim=1).T  # type: ignore[arg-type]
                total = total + nn.functional.cross_entropy(cosines * _CLASS_SHARPNESS, target[labelled].argmax(dim=1))
        return total


def _numbers(names: Sequence[str]) -> Tensor:
    return torch.from_numpy(np.unique(names, return_inverse=True)[1].astype(np.int64))


def map_loss(logits: Tensor, masks: Tensor, groups: Sequence[str]) -> Tensor:
    """Cross-entropy of a map (B, groups, h, w) over the places of ``masks`` (B, h, w) that are known."""
    known = masks != UNKNOWN
    if not known.any():
        return logits.sum() * 0
    weight = torch.tensor([_GROUP_WEIGHTS.get(group, 1.0) for group in groups], device=logits.device)
    fitted = nn.functional.interpolate(logits.float(), size=masks.shape[1:], mode="bilinear", align_corners=False)
    return nn.functional.cross_entropy(fitted, masks.long(), weight=weight, ignore_index=UNKNOWN)


def epoch_order(samples: Sequence[Sample], draws: Mapping[str, float], rng: np.random.Generator) -> list[int]:
    """The samples of an epoch in their order: by chance, each as often as ``draws`` says of its source (once by
    default); of a product with photos by two sources, one by each stand next to each other."""
    pairs: dict[str, dict[str, list[int]]] = {}
    units: list[list[int]] = []
    for i, sample in enumerate(samples):
        if sample.product:
            pairs.setdefault(sample.product, {}).setdefault(sample.source, []).append(i)
        else:
            units += [[i]] * _times(draws.get(sample.source, 1.0), rng)
    for sources in pairs.values():
        for _ in range(_times(draws.get(next(iter(sources)), 1.0), rng)):
            units.append([int(rng.choice(each)) for each in sources.values()])
    return [i for k in rng.permutation(len(units)) for i in units[int(k)]]


def _times(mean: float, rng: np.random.Generator) -> int:
    """A whole number, one of the two around ``mean``, that is ``mean`` on average."""
    return int(mean) + (mean % 1 > 0 and rng.random() < mean % 1)


def epoch_size(samples: Sequence[Sample], draws: Mapping[str, float]) -> int:
    """How many photos :func:`epoch_order` takes, on average."""
    alone = sum(draws.get(s.source, 1.0) for s in samples if not s.product)
    shown = {(s.product, s.source) for s in samples if s.product}
    return round(alone + sum(draws.get(source, 1.0) for _, source in shown))
