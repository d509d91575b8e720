"""What moves the weights: rates by layer, and their schedule."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from timm.optim._param_groups import param_groups_layer_decay
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR

from mapsi.learn.network import AxisNetwork
from mapsi.learn.recipe import Recipe


def build_optimiser(network: AxisNetwork, recipe: Recipe, others: Sequence[nn.Parameter] = ()) -> Optimizer:
    """The recipe's optimiser; the rate of each layer group is ``layer_decay`` times that of the group after it, and
    norms and biases do not decay. ``others`` learn as the heads do."""
    tops = [p for name, p in network.named_parameters() if not name.startswith("backbone.")] + list(others)
    groups = param_groups_layer_decay(
        network.backbone, weight_decay=recipe.weight_decay, layer_decay=recipe.layer_decay
    )
    groups += [
        {"params": [p for p in tops if p.ndim > 1], "weight_decay": recipe.weight_decay},
        {"params": [p for p in tops if p.ndim <= 1], "weight_decay": 0.0},
    ]
    learned: list[dict[str, Any]] = [
        {
            "params": group["params"],
            "lr": recipe.learning_rate * group.get("lr_scale", 1.0),
            "weight_decay": group["weight_decay"],
        }
        for group in groups
    ]
    if recipe.optimiser == "sgd":
        return torch.optim.SGD(learned, momentum=recipe.momentum)
    return torch.optim.AdamW(learned, betas=(recipe.momentum, 0.999))


def build_schedule(optimiser: Optimizer, recipe: Recipe, photos: int) -> LambdaLR:
    """A warm-up, then a constant rate or half a cosine down to nearly nothing, stepped after every batch."""
    steps = recipe.steps(photos)
    return LambdaLR(optimiser, lambda step: rate_at(step / steps, recipe))


def rate_at(done: float, recipe: Recipe) -> float:
    """Rate as a share of its peak when ``done`` (0..1) of all steps are behind."""
    if done < recipe.warm_up:
        return max(done / recipe.warm_up, 1e-3)
    if recipe.schedule == "constant":
        return 1.0
    return float(0.5 * (1 + np.cos(np.pi * min(1.0, (done - recipe.warm_up) / (1 - recipe.warm_up))))) + 1e-4
