"""What a training run does, as data: a recipe is a TOML file that names every number."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from mapsi.artifacts import read_toml
from mapsi.errors import ArtifactError, UsageError

# Mean and deviation of ImageNet's RGB in 0..1, the normalisation of the backbones that a run starts from.
MEAN = (0.485, 0.456, 0.406)
STD = (0.229, 0.224, 0.225)

SHIPPED = ("mapsi", "paper")
_CHOICES = {
    "optimiser": ("sgd", "adamw"),
    "schedule": ("constant", "cosine"),
    "augmentation": ("none", "crop", "strong"),
}
# Lowest and highest value of each number that is not a share (0 to 1). Batch normalisation needs two photos in a batch.
_RANGES = {
    "batch": (2, 1_000_000),
    "seed": (0, 2**31),
    "learning_rate": (1e-9, 10),
    "momentum": (0, 0.9999),
    "weight_decay": (0, 10),
    "layer_decay": (0.01, 1),
    "warm_up": (0, 0.9),
    "balance": (0, 2),
    "nothing_weight": (0, 100),
    "dropout": (0, 0.95),
    "embedding": (0, 4096),
    "likeness": (0, 100),
    "likeness_memory": (0, 10_000_000),
    "likeness_sharpness": (1, 1000),
    "garment_map": (0, 100),
    "hold_layers": (0, 100),
}


@dataclass(frozen=True, slots=True)
class Phase:
    """A stretch of epochs at one input size in pixels; later phases may be larger (progressive resizing)."""

    size: int
    epochs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Hyper-parameters of a run.

    Sources: mixup (Zhang et al., 2018) and cutmix (Yun et al., 2019); label smoothing (Szegedy et al., 2016);
    layer-wise rates (Howard and Ruder, 2018) by timm; uniform targets for photos of nothing as in outlier exposure
    (Hendrycks et al., 2019); moving average of the weights (Polyak and Juditsky, 1992); heads first (Kumar et al.,
    2022).
    """

    backbone: str
    phases: tuple[Phase, ...]
    batch: int
    optimiser: Literal["sgd", "adamw"]
    learning_rate: float
    """The peak rate, that of the heads."""
    momentum: float
    """SGD's momentum, AdamW's first beta."""
    weight_decay: float
    layer_decay: float
    """Each layer group learns at this share of the rate of the group after it; 1 for the same rate everywhere."""
    schedule: Literal["constant", "cosine"]
    warm_up: float
    """Share of all steps in which the rate rises to its peak."""
    label_smoothing: float
    balance: float
    """Classes weigh (their number of photos) ** -balance in the loss, 0 for all alike."""
    augmentation: Literal["none", "crop", "strong"]
    mix: float
    """Share of batches under mixup or cutmix."""
    nothing_weight: float
    average_span: float
    """The weights that are kept are a moving average over about this share of all steps; 0 for the last ones."""
    dropout: float
    warm_heads: bool
    """Whether the heads are fitted on features of the frozen backbone first, read once and cached."""
    close_up: float
    """A photo is read a second time, mirrored, this share of its sides around the middle, and both answers are averaged
    (test-time averaging); 1 for the whole photo mirrored, 0 to read it once."""
    seed: int = 0
    embedding: int = 0
    """Numbers in an embedding that is learned for likeness; 0 for the pooled features as they are."""
    likeness: float = 0.0
    """Weight in the loss of telling a product's photos from those of others (InfoNCE: van den Oord et al., 2018)."""
    likeness_memory: int = 10_000_000
    """How many of the photos before a batch its photos are contrasted with, besides those of the batch itself."""
    likeness_sharpness: float = 14.0
    """Inverse temperature of the cosines of two photos."""
    pairs_apart: bool = False
    """Whether products with photos by two sources fill batches of their own."""
    garment_map: float = 0.0
    """Weight in the loss of the map of garments; above 0 the network has a map."""
    scales: bool = False
    """Whether heads and projection read the maps of all scales of the backbone beside its last one (Evci et al.,
    2022)."""
    hold_norms: bool = False
    """Whether the backbone's batch norms keep the statistics of the start weights; a step takes a third less time."""
    hold_layers: int = 0
    """How many of the backbone's lowest layer groups (its stem is one, each stage another) stay as they start."""
    draws: Mapping[str, float] = field(default_factory=dict)
    """How often an epoch takes the photos of a source: 0.5 every other one of them, 2 each twice; once by default."""

    @property
    def epochs(self) -> int:
        return sum(phase.epochs for phase in self.phases)

    def steps(self, photos: int) -> int:
        """Steps of the whole run over ``photos`` photos; a last batch that is not full is left out."""
        return max(1, photos // self.batch) * self.epochs

    def average_decay(self, photos: int) -> float:
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


def load_recipe(name: str) -> Recipe:
    """A shipped recipe by name, or a recipe of your own by the path of its TOML file.

    Raises :class:`UsageError` for an unknown name and :class:`ArtifactError` for a file that is no recipe.
    """
    if name in SHIPPED:
        text = resources.files("mapsi.learn").joinpath("recipes", f"{name}.toml").read_text("utf-8")
        return recipe_from(tomllib.loads(text), f"The recipe {name}")
    if not name.endswith(".toml"):
        raise UsageError(f"There is no recipe {name!r}.", f"There are: {', '.join(SHIPPED)}, or a TOML file of yours.")
    return recipe_from(read_toml(Path(name), "The recipe"), f"The recipe {name}")


def recipe_from(table: Mapping[str, Any], where: str) -> Recipe:
    """A recipe of a table that names every field that has no default; raises :class:`ArtifactError`, naming the key."""
    types = {known.name: str(known.type) for known in fields(Recipe)}
    optional = {f.name for f in fields(Recipe) if f.default is not MISSING or f.default_factory is not MISSING}
    for key in table:
        if key not in types:
            raise ArtifactError(f"{where} has an unknown key {key!r}.", f"There are: {', '.join(types)}.")
    for key in types:
        if key not in table and key not in optional:
            raise ArtifactError(f"{where} does not name {key}.", "Start from a copy of a shipped recipe.")
    values = {key: _value(where, key, types[key], value) for key, value in table.items()}
    return Recipe(**values)


def _value(where: str, key: str, kind: str, value: Any) -> Any:
    if key == "phases":
        return _phases(where, value)
    if key == "draws":
        return _draws(where, value)
    if key in _CHOICES:
        if value not in _CHOICES[key]:
            raise ArtifactError(f"{where}: {key} is {value!r}.", f"It is one of: {', '.join(_CHOICES[key])}.")
        return value
    types: dict[str, tuple[type, ...]] = {"int": (int,), "float": (int, float), "str": (str,), "bool": (bool,)}
    if type(value) not in types[kind]:
        raise ArtifactError(f"{where}: {key} is {value!r}.", f"It is of the kind {kind}.")
    if kind not in ("int", "float"):
        return value
    least, most = _RANGES.get(key, (0, 1))
    if not least <= value <= most:
        raise ArtifactError(f"{where}: {key} is {value!r}.", f"It is {least:g} to {most:g}.")
    return float(value) if kind == "float" else value


def _draws(where: str, value: Any) -> dict[str, float]:
    if not isinstance(value, dict) or not all(type(n) in (int, float) and 0 < n <= 100 for n in value.values()):
        raise ArtifactError(
            f"{where}: draws is {value!r}.", "Write [draws] and SOURCE = N below it, N above 0, at most 100."
        )
    return {str(source): float(n) for source, n in value.items()}


def _phases(where: str, value: Any) -> tuple[Phase, ...]:
    try:
        phases = tuple(Phase(one["size"], one["epochs"]) for one in value)
    except (TypeError, KeyError) as error:
        raise ArtifactError(f"{where}: phases are wrong.", "Write [[phases]] with size and epochs.") from error
    whole = all(type(number) is int for p in phases for number in (p.size, p.epochs))
    if not phases or not whole or any(not (16 <= p.size <= 1024 and p.epochs >= 1) for p in phases):
        raise ArtifactError(f"{where}: phases are wrong.", "Sizes are 16 to 1024 px, epochs at least 1.")
    return phases
