"""Photos as the network takes them: uint8 in, normalised float out, the same for learning and measuring."""

from __future__ import annotations

import torch
from torch import Tensor
from torchvision.transforms.v2 import functional as tvf

from mapsi.learn.imagenet import Scale
from mapsi.learn.recipe import MEAN, STD


def normalise(photos: Tensor, scale: Scale = (MEAN, STD)) -> Tensor:
    """uint8 (B, 3, H, W) -> float32 of the same shape, channels last in memory (convolutions are a third faster so)."""
    mean = torch.tensor(scale[0], device=photos.device).view(1, 3, 1, 1) * 255
    std = torch.tensor(scale[1], device=photos.device).view(1, 3, 1, 1) * 255
    normalised = (photos.float() - mean) / std
    return normalised.contiguous(memory_format=torch.channels_last)


def shrink(photos: Tensor, size: int) -> Tensor:
    """uint8 (B, 3, H, W) -> (B, 3, size, size), by area where it gets smaller."""
    shrunk: Tensor = tvf.resize(photos, [size, size], antialias=True)
    return shrunk
