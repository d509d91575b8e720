"""What a training run does, as values."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

# Mean and deviation of ImageNet's RGB in 0..1, the normalisation of the backbones that a run starts from.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of epochs at one input size in pixels; later phases may be larger (progressive resizing)."""

    size: int
    epochs: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """Hyper-parameters of a run.

    Sources: AdamW and cosine as in timm's recipes; mixup (Zhang et al., 2018) and cutmix (Yun et al., 2019); label
    smoothing (Szegedy et al., 2016); uniform targets for photos of nothing as in outlier exposure (Hendrycks et al.,
    2019); exponential moving average of the weights.
    """

    backbone: str = "resnet34"
    phases: tuple[Phase, ...] = (Phase(96, 10), Phase(128, 7))
    batch: int = 64
    learning_rate: float = 1e-3
    backbone_rate: float = 0.5
    """The backbone's learning rate as a share of the heads'."""
    weight_decay: float = 0.05
    warm_up: float = 0.05
    """Share of all steps in which the rate rises to its peak."""
    label_smoothing: float = 0.1
    balance: float = 0.3
    """Classes weigh (their number of photos) ** -balance in the loss, 0 for all alike."""
    mix: float = 0.6
    """Share of batches under mixup or cutmix."""
    nothing_weight: float = 0.5
    average_span: float = 0.1
    """The weights that are kept are a moving average over about this share of all steps."""
    dropout: float = 0.2
    seed: int = 0

    @property
    def epochs(self) -> int:
        return sum(phase.epochs for phase in self.phases)

    def steps(self, photos: int) -> int:
        """Steps of the whole run over ``photos`` photos; a last batch that is not full is left out."""
        return max(1, photos // self.batch) * self.epochs

    def average_decay(self, photos: int) -> float:
        """What a step leaves of the average before it."""
        return 1 - 1 / max(2.0, self.average_span * self.steps(photos))

    def size_at(self, epoch: int) -> int:
        """Input size in pixels of an epoch, counted from 0."""
        for phase in self.phases:
            if epoch < phase.epochs:
                return phase.size
            epoch -= phase.epochs
        return self.phases[-1].size

    def to_json(self) -> dict[str, Any]:
        return asdict(self)
