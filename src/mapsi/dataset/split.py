"""A split that keeps what belongs together on one side: blocks (one sender, one product) and near-twins."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from mapsi.dataset.photos import Sample
from mapsi.dataset.twins import join, twin_pairs


def group_samples(samples: Sequence[Sample], hashes: npt.NDArray[np.bool_]) -> list[int]:
    """One group number a sample: samples of one block, and near-twins by their perceptual ``hashes`` (n, 64), share
    it."""
    first_of_block: dict[str, int] = {}
    pairs = twin_pairs(hashes)
    for i, sample in enumerate(samples):
        if sample.block:
            pairs.append((first_of_block.setdefault(sample.block, i), i))
    return join(len(samples), pairs)


def hold_out(
    samples: Sequence[Sample], groups: Sequence[int], axis: str, share: float, rng: np.random.Generator
) -> list[bool]:
    """Choose whole groups, in random order, that do not take any class of ``axis`` over its ``share``.

    A class whose photos all stand in one group keeps them on the learning side. Same samples and same generator state,
    same answer.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for i, group in enumerate(groups):
        members[group].append(i)
    labels = [s.labels.get(axis, "") for s in samples]
    wanted = {cls: share * labels.count(cls) for cls in sorted(set(labels))}
    taken = dict.fromkeys(wanted, 0)
    order = sorted(members)
    rng.shuffle(order)
    chosen: set[int] = set()
    for group in order:
        classes = [labels[i] for i in members[group]]
        if all(taken[cls] + classes.count(cls) <= wanted[cls] + 0.5 for cls in set(classes)):
            chosen.add(group)
            for cls in classes:
                taken[cls] += 1
    return [group in chosen for group in groups]
