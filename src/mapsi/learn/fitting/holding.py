"""What of a backbone stays as its start weights have it: the statistics of its norms, and its lowest layers.

More than half the time of a step on a processor goes into normalisation and into the large maps of the lowest layers
(benchmarks/bench_training.py says how much). A network that starts from weights of its own kind can keep both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from timm.layers.conv2d_same import Conv2dSame
from timm.layers.padding import pad_same
from timm.models import group_parameters
from torch import Tensor, nn

from mapsi.errors import UsageError


def hold_layers(backbone: nn.Module, count: int) -> None:
    """Let the lowest ``count`` layer groups of a timm ``backbone`` (its stem is one, each stage another) learn nothing.

    Raises :class:`UsageError` where it has no more groups than that.
    """
    groups = group_parameters(backbone, backbone.group_matcher(coarse=True))  # type: ignore[operator]
    lowest = sorted(groups)[:count]
    if count >= len(groups):
        raise UsageError(f"The backbone has {len(groups)} layer groups, and {count} are to be held.", "Hold fewer.")
    held = {name for number in lowest for name in groups[number]}
    for name, parameter in backbone.named_parameters():
        parameter.requires_grad_(name not in held)


def hold_norms(backbone: nn.Module, example: Tensor) -> None:
    """Let each batch norm of ``backbone`` that follows a convolution keep its statistics, and take its place in that
    convolution's weights, which saves its passes over the maps. Scale and shift are learned on; names and shapes of the
    weights stay, and so do the answers of the network as it answers when it does not learn.

    Which norm follows which convolution is seen by passing ``example`` (B, 3, H, W) through.
    """
    for conv, norm in _pairs(backbone, example):
        folded = FoldedConvolution(conv, norm)
        # On the instance alone: its class, its parameters and so the weights file are what they were.
        conv.forward = folded  # type: ignore[method-assign, assignment]
        norm.forward = getattr(norm, "act", nn.Identity()).forward  # type: ignore[method-assign]


@dataclass(frozen=True, eq=False)
class FoldedConvolution:
    """A convolution with the weights ``w s`` and the bias ``b - m s`` for s = g / sqrt(v + eps), where w are its own
    weights, g and b the norm's scale and shift, m and v its statistics."""

    conv: nn.Conv2d
    norm: nn.BatchNorm2d

    def __call__(self, maps: Tensor) -> Tensor:
        conv, norm = self.conv, self.norm
        assert norm.running_mean is not None
        assert norm.running_var is not None
        scale = norm.weight * torch.rsqrt(norm.running_var + norm.eps)
        weight = conv.weight * scale[:, None, None, None]
        bias = norm.bias - norm.running_mean * scale
        padding: Any = conv.padding
        if isinstance(conv, Conv2dSame):
            maps, padding = pad_same(maps, list(conv.kernel_size), list(conv.stride), list(conv.dilation)), 0
        return nn.functional.conv2d(maps, weight, bias, conv.stride, padding, conv.dilation, conv.groups)


def _pairs(backbone: nn.Module, example: Tensor) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Each batch norm that takes what a convolution without a bias gave, with that convolution."""
    givers: dict[int, nn.Conv2d] = {}
    kept: list[Tensor] = []  # A tensor that is freed may leave its id to another.
    pairs: list[tuple[nn.Conv2d, nn.BatchNorm2d]] = []

    def gave(module: nn.Module, _inputs: object, output: Tensor) -> None:
        if isinstance(module, nn.Conv2d) and module.bias is None:
            givers[id(output)] = module
            kept.append(output)

    def took(module: nn.Module, inputs: tuple[Tensor]) -> None:
        if isinstance(module, nn.BatchNorm2d) and (conv := givers.get(id(inputs[0]))) is not None:
            pairs.append((conv, module))

    handles = [hook for module in backbone.modules() for hook in _hooks(module, gave, took)]
    was = backbone.training
    try:
        with torch.no_grad():
            backbone.eval()(example)
    finally:
        backbone.train(was)
        for handle in handles:
            handle.remove()
    return pairs


def _hooks(module: nn.Module, gave: Any, took: Any) -> list[Any]:
    return [module.register_forward_hook(gave), module.register_forward_pre_hook(took)]
