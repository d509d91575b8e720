"""Learning that two photos show the same garment, and where each garment is in a photo."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from mapsi.dataset.photos import Sample
from mapsi.errors import UsageError

# Inverse temperature of the cosines between a photo and the mark of its class.
_CLASS_SHARPNESS = 10.0
# What a class's marks count beside the photos: they keep a watch away from a shirt, where no pair of photos says so.
_CLASS_WEIGHT = 0.5


class Likeness(nn.Module):
    """InfoNCE (van den Oord et al., 2018) over a batch and a memory of the photos before it (Wang et al., 2020,
    "Cross-batch memory"): a photo should be nearer to its product's photos from other sources than to those of
    other products.

    A mixed batch of fifty photos holds ten products or so, too few to learn fine differences from; the ``memory``
    latest photos stand in for more. While the network moves fast, old embeddings are told from new ones by their age
    alone: then a short memory, or none, and batches of products only (:func:`epoch_order`) teach more. Beside it each
    class of the ``classes`` has a mark that its photos are drawn to.
    """

    products: Tensor
    sources: Tensor
    memory: Tensor
    seen: Tensor
    seen_at: Tensor

    def __init__(
        self, samples: Sequence[Sample], classes: Mapping[str, int], width: int, memory: int, sharpness: float
    ) -> None:
        super().__init__()
        self.length, self.sharpness = memory, sharpness
        self.rows = {i: row for row, i in enumerate(i for i, s in enumerate(samples) if s.product)}
        shown = [samples[i] for i in self.rows]
        products, sources = _numbers([s.product for s in shown]), _numbers([s.source for s in shown])
        if len(set(sources.tolist())) < 2:
            raise UsageError(
                "Likeness is learned from products that have photos from two sources, and there are none.",
                "Name product and source in the manifest, or take a recipe without likeness.",
            )
        self.register_buffer("products", products)
        self.register_buffer("sources", sources)
        self.register_buffer("memory", torch.zeros(len(shown), width))
        # How many photos had been seen when each was seen last, 0 for never, and how many have been seen by now.
        self.register_buffer("seen_at", torch.zeros(len(shown), dtype=torch.int64))
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))
        self.marks = nn.ModuleDict({axis: nn.Linear(width, count, bias=False) for axis, count in classes.items()})

    def forward(self, embeddings: Tensor, numbers: Tensor, targets: Mapping[str, Tensor]) -> Tensor:
        """The loss of a batch: unit ``embeddings`` (B, width) of the samples ``numbers`` (B,), whose ``targets``,
        (B, C) per axis, are those of the axes' loss. Remembers the embeddings."""
        total = _CLASS_WEIGHT * self._classes(embeddings, targets)
        known = [(place, self.rows[number]) for place, number in enumerate(numbers.tolist()) if number in self.rows]
        if known:
            places, rows = (torch.tensor(column, device=embeddings.device) for column in zip(*known, strict=True))
            total = total + self._pairs(embeddings[places], rows)
        return total

    def _pairs(self, embeddings: Tensor, rows: Tensor) -> Tensor:
        """The loss of the photos ``rows`` (b,) of products. Of three photos of the products (0, 0, 1) by the sources
        (0, 1, 1), the first is sought among the other two, of which the second is right."""
        memory = self.memory.clone().index_copy(0, rows, embeddings)
        with torch.no_grad():
            self.memory.index_copy_(0, rows, embeddings.detach())
            recent = self._recent(rows)
        cosines = embeddings @ memory.T * self.sharpness
        # A photo is sought among those of other sources, as a worn one is among a shop's.
        sought = (self.sources[rows, None] != self.sources[None]) & recent
        right = sought & (self.products[rows, None] == self.products[None])
        told = right.any(dim=1)
        if not told.any():
            return embeddings.sum() * 0
        every = cosines.masked_fill(~sought, -torch.inf).logsumexp(dim=1)
        hits = cosines.masked_fill(~right, -torch.inf).logsumexp(dim=1)
        return (every - hits)[told].mean()

    def _recent(self, rows: Tensor) -> Tensor:
        """Which places of the memory count, (n,): those of the batch, whose ``rows`` are seen now, and of the
        ``length`` photos before it."""
        before = self.seen.clone()
        self.seen += len(rows)
        self.seen_at[rows] = self.seen
        recent: Tensor = (self.seen_at > before - self.length) & (self.seen_at > 0)
        return recent

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


def epoch_order(
    samples: Sequence[Sample], draws: Mapping[str, float], rng: np.random.Generator, apart: int = 0
) -> list[int]:
    """The samples of an epoch in their order: shuffled, each as often as ``draws`` says of its source (once by
    default); of a product with photos by two sources, one by each stand next to each other.

    With ``apart``, the size of a batch, these products fill batches of their own, all but what is left over at the end:
    a photo is then contrasted with those of many other products as the network sees them now.
    """
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
    mixed = [units[int(k)] for k in rng.permutation(len(units))]
    if not apart:
        return [i for unit in mixed for i in unit]
    batches: list[list[int]] = []
    rest: list[int] = []
    for alone in (True, False):
        row = [i for unit in mixed if (len(unit) == 1) == alone for i in unit]
        whole = len(row) - len(row) % apart
        batches += [row[at : at + apart] for at in range(0, whole, apart)]
        rest += row[whole:]
    return [i for k in rng.permutation(len(batches)) for i in batches[int(k)]] + rest


def _times(mean: float, rng: np.random.Generator) -> int:
    """A whole number, one of the two around ``mean``, that is ``mean`` on average."""
    return int(mean) + (mean % 1 > 0 and rng.random() < mean % 1)


def epoch_size(samples: Sequence[Sample], draws: Mapping[str, float]) -> int:
    """How many photos :func:`epoch_order` takes, on average."""
    alone = sum(draws.get(s.source, 1.0) for s in samples if not s.product)
    shown = {(s.product, s.source) for s in samples if s.product}
    return round(alone + sum(draws.get(source, 1.0) for _, source in shown))
