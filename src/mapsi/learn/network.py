"""A convolutional backbone with one linear head for each axis, a projection for likeness, and a map of garments."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import timm
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torchvision.transforms.v2 import functional as tvf

from mapsi.artifacts import file_digest
from mapsi.errors import ArtifactError, UsageError
from mapsi.learn.garment_map import MapHead
from mapsi.learn.imagenet import Scale, find_package, input_scale, load_package, name_package
from mapsi.learn.pooling import ScalePooling
from mapsi.learn.recipe import MEAN, STD

# Strides 4, 8, 16 and 32: at stride 4 a shoe of a photo of 160 px is still some places wide.
SCALES = 4


class Maps(NamedTuple):
    """What a backbone says of photos: its ``last`` map (B, width, h, w), and those of its ``scales``, the finest first,
    where the network reads them."""

    last: Tensor
    scales: Sequence[Tensor]


class AxisNetwork(nn.Module):
    """``backbone`` (a timm model without its classifier), global average pooling, a linear head per axis.

    With ``embedding`` > 0 the embedding has that many numbers, by a linear projection that is learned for likeness;
    otherwise it is what is pooled of the last map. With ``groups`` there is a map of them at a quarter of the input's
    side. With ``scales`` heads and projection read the maps of all scales (:class:`ScalePooling`) beside the last.

    The heads are linear on the pooled features, so that applying one to the last feature map before pooling gives the
    class-activation map (Zhou et al., 2016) whose mean is the logit, or with ``scales`` the last map's share in it.
    """

    def __init__(
        self,
        backbone: nn.Module,
        width: int,
        classes: Mapping[str, int],
        dropout: float = 0.0,
        *,
        embedding: int = 0,
        groups: int = 0,
        scales: bool = False,
        scale: Scale = (MEAN, STD),
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.width = width
        self.dropout = nn.Dropout(dropout)
        self.scales = ScalePooling(width, scale_widths(backbone)) if scales else None
        read = width if self.scales is None else width + self.scales.count
        self.heads = nn.ModuleDict({axis: nn.Linear(read, count) for axis, count in classes.items()})
        self.projection = nn.Linear(read, embedding, bias=False) if embedding else None
        self.map = MapHead(width, scale_widths(backbone), groups) if groups else None
        self.scale = scale

    @property
    def embedding_width(self) -> int:
        """How many numbers an embedding has."""
        return self.projection.out_features if self.projection is not None else self.width

    def features(self, photos: Tensor) -> Tensor:
        """(B, 3, H, W) normalised photos -> (B, width, h, w)."""
        maps: Tensor = self.backbone.forward_features(photos)  # type: ignore[operator]
        return maps

    def maps(self, photos: Tensor) -> Maps:
        """All maps that the network reads of (B, 3, H, W) normalised photos."""
        if self.map is None and self.scales is None:
            return Maps(self.features(photos), ())
        last, scales = self.backbone.forward_intermediates(photos, indices=SCALES)  # type: ignore[operator]
        return Maps(last, scales)

    def pool(self, maps: Maps) -> Tensor:
        """What heads and projection read: (B, width), or more with scales."""
        mean = maps.last.mean(dim=(2, 3))
        return mean if self.scales is None else torch.cat([mean, self.scales(*maps)], dim=1)

    def groups(self, maps: Maps) -> Tensor | None:
        """The logits of the map of garments (B, groups, H / 4, W / 4)."""
        return None if self.map is None else self.map(*maps)

    def embed(self, pooled: Tensor) -> Tensor:
        """What is pooled (:meth:`pool`) -> embeddings of unit length."""
        told = pooled[:, : self.width] if self.projection is None else self.projection(pooled)
        return nn.functional.normalize(told, dim=1)

    def forward(self, photos: Tensor) -> dict[str, Tensor]:
        """Logits by axis, each (B, classes)."""
        return self.answer(self.pool(self.maps(photos)))

    def answer(self, pooled: Tensor) -> dict[str, Tensor]:
        """Logits by axis of what is pooled."""
        kept = self.dropout(pooled)
        return {axis: head(kept) for axis, head in self.heads.items()}

    def read(self, photos: Tensor) -> tuple[Tensor, dict[str, Tensor], dict[str, Tensor], Tensor | None]:
        """What a model folder answers: embedding (B, width) of unit length, logits (B, C) and focus (B, C, h, w) by
        axis, and the map of garments where there is one."""
        maps = self.maps(photos)
        pooled = self.pool(maps)
        logits = {axis: head(pooled) for axis, head in self.heads.items()}
        focus = {axis: self._focus(maps.last, head) for axis, head in self.heads.items()}  # type: ignore[arg-type]
        return self.embed(pooled), logits, focus, self.groups(maps)

    def _focus(self, last: Tensor, head: nn.Linear) -> Tensor:
        return torch.einsum("bchw,kc->bkhw", last, head.weight[:, : self.width])


def has_scales(backbone: nn.Module) -> bool:
    """Whether the backbone's last :data:`SCALES` stages each halve the side."""
    told = list(backbone.feature_info)[-SCALES:]  # type: ignore[arg-type]
    return len(told) == SCALES and all(b["reduction"] == 2 * a["reduction"] for a, b in pairwise(told))


def scale_widths(backbone: nn.Module) -> list[int]:
    """Channels of the backbone's last :data:`SCALES` stages; raises :class:`UsageError` where these do not halve the
    side."""
    if not has_scales(backbone):
        raise UsageError(
            "This backbone has no four scales, each of half the side of the one before, for a map of garments.",
            "Take resnet34 or tf_efficientnet_lite0.",
        )
    return [stage["num_chs"] for stage in list(backbone.feature_info)[-SCALES:]]  # type: ignore[arg-type]


def widen(network: AxisNetwork) -> None:
    """Let heads and projection read all scales from here on. What they say stays as it is until they learn.

    Raises :class:`UsageError` where the backbone has no such scales.
    """
    network.scales = ScalePooling(network.width, scale_widths(network.backbone)).train(network.training)
    count = network.width + network.scales.count
    for axis, head in network.heads.items():
        network.heads[axis] = _widened(head, count)  # type: ignore[arg-type]
    if network.projection is not None:
        network.projection = _widened(network.projection, count)


def _widened(layer: nn.Linear, width: int) -> nn.Linear:
    """The same layer on more inputs, which count for nothing."""
    wider = nn.Linear(width, layer.out_features, bias=layer.bias is not None)
    with torch.no_grad():
        wider.weight.zero_()[:, : layer.in_features] = layer.weight
        if layer.bias is not None:
            wider.bias.copy_(layer.bias)
    return wider


def answer_views(network: AxisNetwork, photos: Tensor) -> dict[str, Tensor]:
    """Logits by axis, each (B, classes), of photos as uint8 (B, views, 3, H, W): the mean over the views."""
    told = network(normalise(photos.flatten(0, 1), network.scale))
    return {axis: logits.unflatten(0, photos.shape[:2]).mean(dim=1) for axis, logits in told.items()}


@dataclass(frozen=True, slots=True)
class Start:
    """What a backbone starts from: a file of weights, else ImageNet (an installed package that carries such weights, or
    a download), else noise."""

    weights: Path | None = None
    imagenet: bool = False

    @property
    def is_imagenet(self) -> bool:
        return self.imagenet and self.weights is None


def build_network(
    backbone: str,
    classes: Mapping[str, int],
    start: Start,
    *,
    dropout: float = 0.0,
    embedding: int = 0,
    groups: int = 0,
    scales: bool = False,
) -> AxisNetwork:
    """A network with fresh heads, its backbone filled from ``start``.

    Raises :class:`UsageError` for an unknown backbone and :class:`ArtifactError` for weights of another network.
    """
    if not timm.is_model(backbone):
        raise UsageError(
            f"There is no backbone named {backbone!r}.", "Any convolutional timm model will do: resnet34, ..."
        )
    package = find_package(backbone) if start.is_imagenet else None
    download = start.is_imagenet and package is None
    try:
        trunk = timm.create_model(backbone, pretrained=download, num_classes=0, global_pool="")
    except (OSError, RuntimeError) as error:
        raise ArtifactError(
            f"The ImageNet weights of {backbone} could not be downloaded.", "Give a file with --weights."
        ) from error
    if package is not None:
        load_package(trunk, backbone, package)
    width: int = trunk.num_features  # type: ignore[assignment]
    scale = input_scale(backbone)
    network = AxisNetwork(
        trunk, width, classes, dropout, embedding=embedding, groups=groups, scales=scales, scale=scale
    )
    if start.weights is not None:
        load_backbone(network, start.weights)
    return network


def name_start(start: Start, backbone: str = "") -> str:
    """What a backbone starts from, in words: the file's name and the first half of its SHA-256, ``ImageNet`` (and the
    package that carries it) or ``noise``. Raises :class:`ArtifactError` for a file that cannot be read."""
    if start.weights is None:
        package = find_package(backbone) if start.is_imagenet else None
        return name_package(package) if package else "ImageNet" if start.is_imagenet else "noise"
    try:
        return f"{start.weights.name} {file_digest(start.weights)[:32]}"
    except OSError as error:
        raise _unreadable(start.weights, error) from error


def _unreadable(weights: Path, error: Exception) -> ArtifactError:
    return ArtifactError(f"The weights {weights} cannot be read: {error}.", "Give a .safetensors file.")


# What a run may learn from scratch although it starts from weights: they are missing where an earlier run had no such
# task.
_FRESH = ("heads.", "projection.", "map.", "scales.")


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
    if [name for name in missing if not name.startswith(_FRESH)]:
        raise ArtifactError(
            f"The weights {file} are of another network: {len(missing)} of {len(wanted)} entries do not fit.",
            "Give the weights of the backbone named in the recipe.",
        )
    with torch.no_grad():
        (network if prefixed else network.backbone).load_state_dict(fitting, strict=False)


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
