"""Heads fitted on the features of the frozen backbone, before anything else learns.

Fresh heads send noise into a backbone that is worth keeping; heads that fit first distort it less (Kumar et al., 2022,
"Fine-Tuning can Distort Pretrained Features"). The features are read once and cached, so that it costs one look at the
photos.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from mapsi.arrays import UInt8Array
from mapsi.artifacts import atomic_file
from mapsi.learn.network import AxisNetwork, normalise, shrink
from mapsi.learn.objective import axis_loss

BATCH = 128
ROUNDS = 60
# Weight of the heads' squared norm: the features of a few thousand photos fit any labels without it.
RIDGE = 1e-3


def frozen_features(network: AxisNetwork, store: UInt8Array, size: int, folder: Path) -> Tensor:
    """What is pooled (n, width) of all photos by the backbone as it stands, read once and then from ``folder``.

    The file is named after the backbone's weights and the file of the photos, so that others are read again.
    """
    key = hashlib.sha256(f"{size} {getattr(store, 'filename', None)}".encode())
    for value in network.backbone.state_dict().values():
        key.update(value.contiguous().numpy().tobytes())
    cache = folder / f"features-{key.hexdigest()[:16]}.npy"
    if cache.exists():
        return torch.from_numpy(np.load(cache))
    network.eval()
    parts = []
    with torch.inference_mode():
        for start in range(0, len(store), BATCH):
            photos = torch.from_numpy(np.array(store[start : start + BATCH])).permute(0, 3, 1, 2)
            parts.append(network.pool(network.maps(normalise(shrink(photos, size), network.scale))))
    network.train()
    features = torch.cat(parts).clone()
    with atomic_file(cache) as beside, beside.open("wb") as out:
        np.save(out, features.numpy())
    return features


def warm_heads(network: AxisNetwork, features: Tensor, targets: Mapping[str, Tensor]) -> None:
    """Fit the heads to the ``targets`` (n, classes) of each axis, in place, by L-BFGS on all ``features`` at once."""
    heads = network.heads

    def loss() -> Tensor:
        norm = torch.stack([head.weight.square().sum() for head in heads.values()]).sum()  # type: ignore[operator]
        return axis_loss({axis: head(features) for axis, head in heads.items()}, targets) + RIDGE * norm

    minimise(loss, list(heads.parameters()), ROUNDS)


def minimise(loss: Callable[[], Tensor], parameters: Sequence[Tensor], rounds: int) -> None:
    """L-BFGS on all photos at once: ``parameters`` end, in place, where their ``loss`` is least or the rounds over."""
    optimiser = torch.optim.LBFGS(parameters, max_iter=rounds, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        total = loss()
        total.backward()  # type: ignore[no-untyped-call]
        return total

    optimiser.step(closure)  # type: ignore[no-untyped-call]
    optimiser.zero_grad(set_to_none=True)
