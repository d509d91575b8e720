"""The map of garments: what is worn where in a photo, told from the maps of a backbone's scales."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from mapsi.learn.augmentation import UNKNOWN

_WIDTH = 64
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


class MapHead(nn.Module):
    """Feature maps of rising stride -> logits of groups at the finest of them: a feature pyramid (Lin et al., 2017)
    whose 3x3 convolutions are depthwise, so that it adds a tenth to the backbone's time.

    At the coarsest stride it also reads the backbone's last map, there and as a whole (its channels' means and
    maxima): whether a person wears a dress or a top with a skirt shows in no one place (Liu et al., 2015, "ParseNet").
    Both say nothing until they learn, so that a head from a run without them goes on as it was.
    """

    def __init__(self, last: int, widths: Sequence[int], groups: int) -> None:
        super().__init__()
        self.lateral = nn.ModuleList([nn.Conv2d(width, _WIDTH, 1) for width in widths])
        self.last: nn.Conv2d | None = nn.Conv2d(last, _WIDTH, 1)
        self.whole: nn.Sequential | None = nn.Sequential(
            nn.Linear(2 * last, 2 * _WIDTH), nn.ReLU6(), nn.Linear(2 * _WIDTH, _WIDTH)
        )
        self.mix = nn.ModuleList([_mixing(_WIDTH) for _ in widths])
        self.answer = nn.Conv2d(_WIDTH, groups, 1)
        for silent in (self.last, self.whole[-1]):
            for parameter in silent.parameters():
                nn.init.zeros_(parameter)

    def forward(self, last: Tensor, scales: Sequence[Tensor]) -> Tensor:
        """``last`` (B, width, h, w) and ``scales``, the finest first; (B, groups, h, w) of the finest's height and
        width."""
        levels = [lateral(each) for lateral, each in zip(self.lateral, scales, strict=True)]
        mixed = self.mix[-1](levels[-1] + self._said_of_all(last))
        for finer, mix in zip(reversed(levels[:-1]), reversed(self.mix[:-1]), strict=True):
            above = nn.functional.interpolate(mixed, size=finer.shape[2:], mode="bilinear", align_corners=False)
            mixed = mix(finer + above)
        answered: Tensor = self.answer(mixed)
        return answered

    def _said_of_all(self, last: Tensor) -> Tensor | float:
        if self.last is None or self.whole is None:
            return 0.0
        whole: Tensor = self.whole(torch.cat([last.mean(dim=(2, 3)), last.amax(dim=(2, 3))], dim=1))
        here: Tensor = self.last(last)
        return here + whole[:, :, None, None]

    def drop_silent(self) -> None:
        """Leave out the readings of the backbone's last map where they never learned to say anything."""
        if self.last is not None and self.whole is not None:
            said = (self.last, self.whole[-1])
            if not any(bool(parameter.any()) for one in said for parameter in one.parameters()):
                self.last = self.whole = None


def _mixing(width: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(width, width, 3, padding=1, groups=width, bias=False),
        nn.Conv2d(width, width, 1, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU6(),
    )


def map_loss(logits: Tensor, masks: Tensor, groups: Sequence[str]) -> Tensor:
    """Cross-entropy of a map (B, groups, h, w) over the places of ``masks`` (B, h, w) that are known."""
    known = masks != UNKNOWN
    if not known.any():
        return logits.sum() * 0
    weight = torch.tensor([_GROUP_WEIGHTS.get(group, 1.0) for group in groups], device=logits.device)
    fitted = nn.functional.interpolate(logits.float(), size=masks.shape[1:], mode="bilinear", align_corners=False)
    return nn.functional.cross_entropy(fitted, masks.long(), weight=weight, ignore_index=UNKNOWN)


def overlap_loss(logits: Tensor, masks: Tensor) -> Tensor:
    """One less the intersection over union of each group that ``masks`` (B, h, w) show, their mean: 0 where a map
    (B, groups, h, w) is sure and right, 1 where it is sure and wrong. Lovász-softmax (Berman et al., 2018).

    All places are sorted by how wrong they are about a group, and each weighs by what the overlap loses when it is
    wrong as well as those before it. Of four places, two of them the group's:

        wrong by    0.9 (the group's)   0.6 (another's)   0.2 (the group's)   0.1 (another's)
        overlap     1/2                 1/3               0                   0
        weight      1/2                 1/6               1/3                 0             loss 0.62
    """
    known = masks != UNKNOWN
    shares, truth = logits.float().softmax(dim=1).movedim(1, -1)[known], masks[known].long()
    losses = []
    for group in truth.unique():  # type: ignore[no-untyped-call]
        mine = (truth == group).float()
        wrong, order = (mine - shares[:, group]).abs().sort(descending=True)
        mine = mine[order]
        left = 1 - (mine.sum() - mine.cumsum(0)) / (mine.sum() + (1 - mine).cumsum(0))
        losses.append((wrong * left.diff(prepend=left.new_zeros(1))).sum())
    return torch.stack(losses).mean() if losses else logits.sum() * 0
