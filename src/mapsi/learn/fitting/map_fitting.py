"""The map of garments, fitted on a backbone that stands still.

While a run learns, few of its photos have a mask, and the map sees each of them some ten times. Once the backbone is
finished a step costs a third, and is spent on masks alone.
"""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import LambdaLR
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn
from torch.utils.data import DataLoader

from mapsi.arrays import UInt8Array
from mapsi.dataset.photos import GROUPS, Sample
from mapsi.learn.garment_map import map_loss, overlap_loss
from mapsi.learn.network import AxisNetwork, normalise
from mapsi.learn.photos import STORE_SIDE, TrainingPhotos, open_store, read_masks

BATCH = 32
EPOCHS = 15
RATE, DECAY = 2e-3, 0.02
WARM_UP = 20
"""Steps."""
AVERAGED = 0.15
"""What is kept is the mean of the last weights, over about this share of the steps."""
MOST_MADE = 3
"""At most so many photos whose mask a machine made are read for each whose mask a person drew."""


def fit_map(network: AxisNetwork, samples: Sequence[Sample], size: int, seed: int, epochs: int = EPOCHS) -> None:
    """Fit the network's map of garments, in place, to the masks of whole photos among ``samples``, read at ``size`` px.

    Photos that are kept for their mask alone have it from a person: an epoch is all of them and as many others, whose
    masks are machines'. Without these the map forgets what clothes laid flat look like. Nothing happens where the
    network has no map or no photo a mask. Raises as :func:`open_store` and :func:`read_masks`.
    """
    whole = [sample for sample in samples if sample.mask is not None and sample.box is None]
    if network.map is None or not whole:
        return
    rng = np.random.default_rng((seed, 0))
    drawn, made = _apart(whole, rng)
    shown = [*drawn, *made]
    with tempfile.TemporaryDirectory(prefix="mapsi-") as folder, torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        store = open_store(shown, Path(folder), max(STORE_SIDE, size * 3 // 2))
        orders = [_order(len(drawn), len(made), rng) for _ in range(epochs)]
        steps = sum(-(-len(order) // BATCH) for order in orders)
        _learn(network, network.map, _batches(shown, store, size, seed, orders), steps)


def _apart(samples: Sequence[Sample], rng: np.random.Generator) -> tuple[list[Sample], list[Sample]]:
    """Photos whose mask a person drew, and some of the others."""
    drawn = [sample for sample in samples if sample.is_for_its_mask]
    made = [sample for sample in samples if not sample.is_for_its_mask]
    if drawn and len(made) > MOST_MADE * len(drawn):
        made = [made[i] for i in rng.choice(len(made), MOST_MADE * len(drawn), replace=False)]
    return drawn, made


def _order(drawn: int, made: int, rng: np.random.Generator) -> list[int]:
    """The rows of an epoch: all that are ``drawn`` and as many of the ``made`` that follow them, all where none is
    drawn."""
    others = drawn + rng.choice(made, min(made, drawn or made), replace=False)
    order: list[int] = rng.permutation([*range(drawn), *others]).tolist()
    return order


def _batches(
    samples: Sequence[Sample], store: UInt8Array, size: int, seed: int, orders: Sequence[Sequence[int]]
) -> Iterator[tuple[Tensor, Tensor]]:
    masks = read_masks(samples, store.shape[1], len(GROUPS))
    gentle = frozenset(row for row, sample in enumerate(samples) if not sample.is_for_its_mask)
    for epoch, order in enumerate(orders):
        photos = TrainingPhotos(store, order, size, seed, epoch, "strong", masks, gentle)
        for pixels, groups, _ in DataLoader(photos, BATCH):
            yield pixels, groups


def _learn(network: AxisNetwork, head: nn.Module, batches: Iterator[tuple[Tensor, Tensor]], steps: int) -> None:
    head.train()
    optimiser = torch.optim.AdamW(head.parameters(), RATE, weight_decay=DECAY)
    schedule = LambdaLR(
        optimiser, lambda step: min(1.0, (step + 1) / WARM_UP) * (1 + math.cos(math.pi * step / steps)) / 2
    )
    kept = 1 - 1 / max(1.0, AVERAGED * steps)
    averaging = get_ema_multi_avg_fn(kept)  # type: ignore[no-untyped-call]
    mean = AveragedModel(head, multi_avg_fn=averaging, use_buffers=True)
    for photos, masks in batches:
        with torch.no_grad():
            maps = network.maps(normalise(photos, network.scale))
        logits = head(*maps)
        loss = map_loss(logits, masks, GROUPS) + overlap_loss(logits, masks)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        mean.update_parameters(head)
    head.load_state_dict(mean.module.state_dict())
    head.eval()
