"""A convolutional backbone with one linear head for each axis."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from mapsi.artifacts import file_digest
from mapsi.errors import ArtifactError, UsageError
from mapsi.learn.pixels import normalise


class AxisNetwork(nn.Module):
    """``backbone`` (a timm model without its classifier), global average pooling, a linear head an axis.

    The heads are linear on the pooled features, so that applying one to the feature map before pooling gives the
    class-activation map (Zhou et al., 2016) whose mean is the logit.
    """

    def __init__(self, backbone: nn.Module, width: int, classes: Mapping[str, int], dropout: float = 0.0) -> None:
        super().__init__()
        self.backbone = backbone
        self.width = width
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.ModuleDict({axis: nn.Linear(width, count) for axis, count in classes.items()})

    def features(self, photos: Tensor) -> Tensor:
        """(B, 3, H, W) normalised photos -> (B, width, h, w)."""
        maps: Tensor = self.backbone.forward_features(photos)  # type: ignore[operator]
        return maps

    def forward(self, photos: Tensor) -> dict[str, Tensor]:
        """Logits by axis, each (B, classes)."""
        pooled = self.dropout(self.features(photos).mean(dim=(2, 3)))
        return {axis: head(pooled) for axis, head in self.heads.items()}

    def read(self, photos: Tensor) -> tuple[Tensor, dict[str, Tensor], dict[str, Tensor]]:
        """What a model folder answers: embedding (B, width) of unit length, logits (B, C) and maps (B, C, h, w) by axis."""
        maps = self.features(photos)
        pooled = maps.mean(dim=(2, 3))
        embedding = nn.functional.normalize(pooled, dim=1)
        logits = {axis: head(pooled) for axis, head in self.heads.items()}
        focus = {axis: torch.einsum("bchw,kc->bkhw", maps, head.weight) for axis, head in self.heads.items()}
        return embedding, logits, focus


def answer_views(network: AxisNetwork, photos: Tensor) -> dict[str, Tensor]:
    """Logits by axis, each (B, classes), of photos as uint8 (B, views, 3, H, W): the mean over the views."""
    told = network(normalise(photos.flatten(0, 1)))
    return {axis: logits.unflatten(0, photos.shape[:2]).mean(dim=1) for axis, logits in told.items()}


def build_network(
    backbone: str, classes: Mapping[str, int], *, weights: Path | None, pretrained: bool = False, dropout: float = 0.0
) -> AxisNetwork:
    """A network with fresh heads; its backbone starts from a weights file, from ImageNet (a download), or from noise.

    Raises :class:`UsageError` for an unknown backbone and :class:`ArtifactError` for weights of another network.
    """
    if not timm.is_model(backbone):
        raise UsageError(
            f"There is no backbone named {backbone!r}.", "Any convolutional timm model will do: resnet34, ..."
        )
    try:
        trunk = timm.create_model(backbone, pretrained=pretrained and weights is None, num_classes=0, global_pool="")
    except (OSError, RuntimeError) as error:
        raise ArtifactError(
            f"The ImageNet weights of {backbone} could not be downloaded.", "Give a file with --weights."
        ) from error
    width: int = trunk.num_features  # type: ignore[assignment]
    network = AxisNetwork(trunk, width, classes, dropout)
    if weights is not None:
        load_backbone(network, weights)
    return network


def name_start(weights: Path | None, pretrained: bool) -> str:
    """What a network of :func:`build_network` starts from: the file's name and the first half of its SHA-256, ``ImageNet``
    or ``noise``. Raises :class:`ArtifactError` for a file that cannot be read."""
    if weights is None:
        return "ImageNet" if pretrained else "noise"
    try:
        return f"{weights.name} {file_digest(weights)[:32]}"
    except OSError as error:
        raise _unreadable(weights, error) from error


def _unreadable(weights: Path, error: Exception) -> ArtifactError:
    return ArtifactError(f"The weights {weights} cannot be read: {error}.", "Give a .safetensors file.")


def load_backbone(network: AxisNetwork, file: Path) -> None:
    """Fill the backbone (and heads of the same shape, from an earlier run) from a ``.safetensors`` file."""
    try:
        state = load_file(file)
    except (OSError, SafetensorError) as error:
        raise _unreadable(file, error) from error
    prefixed = any(name.startswith("backbone.") for name in state)
    wanted = network.state_dict() if prefixed else network.backbone.state_dict()
    fitting = {
        name: value.float() for name, value in state.items() if name in wanted and wanted[name].shape == value.shape
    }
    missing = [name for name in wanted if name not in fitting and not name.endswith("num_batches_tracked")]
    if [name for name in missing if not name.startswith("heads.")]:
        raise ArtifactError(
            f"The weights {file} are of another network: {len(missing)} of {len(wanted)} entries do not fit.",
            "Give the weights of the backbone named in the recipe.",
        )
    with torch.no_grad():
        (network if prefixed else network.backbone).load_state_dict(fitting, strict=False)
