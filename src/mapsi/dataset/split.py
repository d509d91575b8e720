"""A split that keeps what belongs together on one side: blocks (one sender, one product) and near-twins."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

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


def allot(
    labels: Sequence[str], groups: Sequence[int], wanted: Sequence[Mapping[str, float]], rng: np.random.Generator
) -> list[int]:
    """A part for each photo: 0 is the side learned from, 1 and on are the parts of ``wanted``, photos a class.

    Whole groups are taken in random order, each into the first part that it does not take over what is wanted of any
    class (by more than half a photo), else into part 0. So a class whose photos are all in one group is learned from.
    Same photos and same generator state, same answer.
    """
    members: dict[int, list[int]] = defaultdict(list)
    for i, group in enumerate(groups):
        members[group].append(i)
    order = sorted(members)
    rng.shuffle(order)
    taken: list[Counter[str]] = [Counter() for _ in wanted]
    part_of: dict[int, int] = {}
    for group in order:
        counts = Counter(labels[i] for i in members[group])
        part_of[group] = _first_with_room(counts, taken, wanted)
        if part_of[group]:
            taken[part_of[group] - 1] += counts
    return [part_of[group] for group in groups]


def _first_with_room(counts: Counter[str], taken: Sequence[Counter[str]], wanted: Sequence[Mapping[str, float]]) -> int:
    for part, (have, want) in enumerate(zip(taken, wanted, strict=True), start=1):
        if all(want[cls] > 0 and have[cls] + count <= want[cls] + 0.5 for cls, count in counts.items()):
            return part
    return 0


def hold_out(
    samples: Sequence[Sample], groups: Sequence[int], axis: str, share: float, rng: np.random.Generator
) -> list[bool]:
    """Which samples :func:`allot` sets apart when ``share`` of each class of ``axis`` is wanted."""
    labels = [s.labels.get(axis, "") for s in samples]
    wanted = {cls: share * count for cls, count in Counter(labels).items()}
    return [part == 1 for part in allot(labels, groups, [wanted], rng)]
