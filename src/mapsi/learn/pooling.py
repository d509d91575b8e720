"""From the maps of all scales of a backbone to numbers that heads and a projection read beside its last map's mean.

What a cloth is like (its weave, its print, its colour) is told by lower layers better than by the last, which learns
to forget it: what is linear on all layers is worth nearly as much as learning the backbone anew (Evci et al., 2022,
"Head2Toe: Utilizing Intermediate Representations for Better Transfer Learning").
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

BANDS = 3


class ScalePooling(nn.Module):
    """Of the last map (B, ``width``, h, w) and of those of the scales, ``widths`` channels each, the finest first: the
    mean and the deviation of every channel, but for the last map's mean, which is read elsewhere; and of the coarsest
    scale the means of the upper, middle and lower part of the photo. Each number is standardised (``standard``)."""

    def __init__(self, width: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.count = width + 2 * sum(widths) + BANDS * widths[-1]
        self.standard = nn.BatchNorm1d(self.count, affine=False)

    def forward(self, last: Tensor, scales: Sequence[Tensor]) -> Tensor:
        """(B, count)."""
        told = [deviation(last)]
        for scale in scales:
            told += [scale.mean(dim=(2, 3)), deviation(scale)]
        standardised: Tensor = self.standard(torch.cat([*told, *bands(scales[-1])], dim=1).float())
        return standardised


def deviation(maps: Tensor) -> Tensor:
    """The standard deviation of each channel over the places of (B, channels, h, w): (B, channels)."""
    # The small number keeps the root's slope finite where a channel says the same everywhere.
    return ((maps - maps.mean(dim=(2, 3), keepdim=True)).square().mean(dim=(2, 3)) + 1e-6).sqrt()


def bands(maps: Tensor) -> list[Tensor]:
    """Means of (B, channels, h, w) over its upper, middle and lower part, (B, channels) each; the parts share a row
    where the height is not a multiple of three: of five rows they are 0 to 1, 1 to 3 and 3 to 4."""
    # Not as int: while the network is exported a height is what a photo of another size will have.
    height = maps.shape[2]
    edges = [(band * height // BANDS, ((band + 1) * height + BANDS - 1) // BANDS) for band in range(BANDS)]
    return [maps[:, :, top:end].mean(dim=(2, 3)) for top, end in edges]
