"""A training run on Lightning: a folder with its configuration, a line of metrics an epoch, and checkpoints."""

from __future__ import annotations

import csv
import json
import logging
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import numpy as np
import torch
from lightning.pytorch.callbacks import EMAWeightAveraging, ModelCheckpoint
from safetensors.torch import save_file
from torch import Tensor
from torch.utils.data import DataLoader, TensorDataset

from mapsi.artifacts import atomic_file, read_json, write_json
from mapsi.dataset.manifest import Manifest, write_manifest
from mapsi.dataset.photos import Sample
from mapsi.errors import ArtifactError, UsageError
from mapsi.evaluate.scores import accuracy, macro_f1
from mapsi.learn.network import AxisNetwork, build_network
from mapsi.learn.objective import axis_loss, mix_batch, target_table
from mapsi.learn.photos import TrainingPhotos, open_store, read_square
from mapsi.learn.recipe import MEAN, STD, Recipe

WEIGHTS = "weights.safetensors"
CONFIG = "run.json"
METRICS = "metrics.csv"
MANIFEST = "manifest.csv"


@dataclass(frozen=True, slots=True)
class RunConfig:
    """What one needs to know to use a finished run."""

    recipe: Mapping[str, Any]
    classes: Mapping[str, Sequence[str]]
    size: int
    root: str


def train(
    manifest: Manifest,
    classes: Mapping[str, Sequence[str]],
    recipe: Recipe,
    run: Path,
    *,
    root: Path,
    weights: Path | None,
    pretrained: bool = False,
    say: Callable[[str], None] = print,
) -> Path:
    """Train and leave the averaged weights in ``run/weights.safetensors``; returns that path.

    A run that was interrupted goes on from its last epoch when it is started again with the same folder.
    """
    check_enough(manifest, classes, recipe)
    prepare_run(run, manifest, classes, recipe, root)
    train_samples, held = manifest.part("train"), manifest.part("validation")
    store = open_store(train_samples, run / "cache")
    network = build_network(
        recipe.backbone,
        {a: len(c) for a, c in classes.items()},
        weights=weights,
        pretrained=pretrained,
        dropout=recipe.dropout,
    )
    module = TrainingModule(network, classes, train_samples, held, store, recipe, run / METRICS, say)
    last = run / "checkpoints" / "last.ckpt"
    with _without_chatter():
        trainer = _trainer(recipe, run, len(train_samples))
        resume: dict[str, Any] = {"ckpt_path": str(last), "weights_only": False} if last.exists() else {}
        trainer.fit(module, **resume)
    return _write_average(last, run / WEIGHTS)


def _write_average(checkpoint: Path, target: Path) -> Path:
    """Write the averaged weights of a checkpoint: Lightning keeps the average as the state, the raw weights beside."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=False)["state_dict"]
    prefix = "network."
    weights = {k.removeprefix(prefix): v.contiguous() for k, v in state.items() if k.startswith(prefix)}
    with atomic_file(target) as beside:
        save_file(weights, beside)
    return target


def check_enough(manifest: Manifest, classes: Mapping[str, Sequence[str]], recipe: Recipe) -> None:
    """Raises :class:`UsageError` where there are too few photos to learn from or to measure on."""
    count = len(manifest.part("train"))
    if count < recipe.batch:
        raise UsageError(
            f"There are {count} photos to learn from, less than one batch of {recipe.batch}.", "Add photos."
        )
    for axis in classes:
        if not any(axis in s.labels for s in manifest.part("validation")):
            raise UsageError(f"No photo of the axis {axis} is held out to measure on.", "Add photos of its classes.")


def prepare_run(
    run: Path, manifest: Manifest, classes: Mapping[str, Sequence[str]], recipe: Recipe, root: Path
) -> None:
    """Make the run folder and write what the run is about; raises :class:`ArtifactError` where it cannot be written."""
    config = {
        "recipe": recipe.to_json(),
        "classes": {axis: list(slugs) for axis, slugs in classes.items()},
        "size": recipe.phases[-1].size,
        "root": str(root),
    }
    if (run / CONFIG).exists() and read_json(run / CONFIG, "The run") != json.loads(json.dumps(config)):
        raise ArtifactError(
            f"{run} is a run with another recipe, classes or root.", "Choose another folder with --into."
        )
    try:
        run.mkdir(parents=True, exist_ok=True)
        write_manifest(run / MANIFEST, manifest, root)
        write_json(run / CONFIG, config)
    except OSError as error:
        raise ArtifactError(
            f"The run folder {run} cannot be written: {error.strerror}.", "Choose another with --into."
        ) from error


@contextmanager
def _without_chatter() -> Iterator[None]:
    """Keep Lightning's advice and its own use of deprecated torch functions off a person's terminal."""
    logger = logging.getLogger("lightning.pytorch")
    before = logger.level
    logger.setLevel(logging.ERROR)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=FutureWarning, message=".*treespec.*")
        warnings.filterwarnings("ignore", category=UserWarning, module="lightning")
        try:
            yield
        finally:
            logger.setLevel(before)


def _trainer(recipe: Recipe, run: Path, photos: int) -> pl.Trainer:
    checkpoint = ModelCheckpoint(dirpath=run / "checkpoints", save_last=True, save_top_k=1)
    average = EMAWeightAveraging(decay=recipe.average_decay(photos))
    return pl.Trainer(
        accelerator="auto",
        max_epochs=recipe.epochs,
        callbacks=[checkpoint, average],
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        gradient_clip_val=5.0,
    )


class TrainingModule(pl.LightningModule):
    """The network with its data, its objective and its schedule."""

    def __init__(
        self,
        network: AxisNetwork,
        classes: Mapping[str, Sequence[str]],
        samples: Sequence[Sample],
        held: Sequence[Sample],
        store: np.ndarray[Any, np.dtype[np.uint8]],
        recipe: Recipe,
        metrics: Path,
        say: Callable[[str], None],
    ) -> None:
        super().__init__()
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.classes = classes
        self.samples = samples
        self.held = held
        self.store = store
        self.recipe = recipe
        self.metrics = metrics
        self.say = say
        self.targets = target_table(
            samples,
            classes,
            smoothing=recipe.label_smoothing,
            balance=recipe.balance,
            nothing=recipe.nothing_weight,
        )
        self.register_buffer("mean", torch.tensor(MEAN).view(1, 3, 1, 1) * 255, persistent=False)
        self.register_buffer("std", torch.tensor(STD).view(1, 3, 1, 1) * 255, persistent=False)
        self._held_cache: tuple[int, Tensor] | None = None
        self._answers: dict[str, list[Tensor]] = {}
        self._losses: list[float] = []
        self._started = time.monotonic()

    def train_dataloader(self) -> DataLoader[tuple[Tensor, int]]:
        size = self.recipe.size_at(self.current_epoch)
        photos = TrainingPhotos(self.store, range(len(self.samples)), size, self.recipe.seed, self.current_epoch)
        order = torch.Generator().manual_seed(self.recipe.seed * 1000 + self.current_epoch)
        return DataLoader(photos, self.recipe.batch, shuffle=True, num_workers=1, drop_last=True, generator=order)

    def val_dataloader(self) -> DataLoader[tuple[Tensor, ...]]:
        size = self.recipe.size_at(self.current_epoch)
        if self._held_cache is None or self._held_cache[0] != size:
            pixels = np.stack([read_square(s.path, size) for s in self.held])
            self._held_cache = (size, torch.from_numpy(pixels).permute(0, 3, 1, 2))
        return DataLoader(TensorDataset(self._held_cache[1]), batch_size=64)

    def _normalise(self, photos: Tensor) -> Tensor:
        normalised: Tensor = (photos.float() - self.mean) / self.std  # type: ignore[operator]
        return normalised.contiguous(memory_format=torch.channels_last)

    def on_train_epoch_start(self) -> None:
        self._started = time.monotonic()
        self._losses = []

    def training_step(self, batch: tuple[Tensor, Tensor], number: int) -> Tensor:
        photos, rows = batch
        photos = self._normalise(photos)
        targets = {axis: table[rows.cpu()].to(photos.device) for axis, table in self.targets.items()}
        rng = np.random.default_rng((self.recipe.seed, 1, self.current_epoch, number))
        if rng.random() < self.recipe.mix:
            photos, targets = mix_batch(photos, targets, rng)
        loss = axis_loss(self.network(photos), targets)
        if not torch.isfinite(loss):
            raise ArtifactError(
                f"The loss is no number any more in epoch {self.current_epoch}.",
                "Start again with a smaller learning rate.",
            )
        self._losses.append(float(loss.detach()))
        return loss

    def validation_step(self, batch: tuple[Tensor], number: int) -> None:
        for axis, logits in self.network(self._normalise(batch[0])).items():
            self._answers.setdefault(axis, []).append(logits.float().cpu())

    def on_validation_epoch_end(self) -> None:
        row: dict[str, float] = {"epoch": self.current_epoch, "size": self.recipe.size_at(self.current_epoch)}
        row["loss"] = float(np.mean(self._losses)) if self._losses else float("nan")
        row["seconds"] = time.monotonic() - self._started
        for axis, parts in self._answers.items():
            row.update(self._scores(axis, torch.cat(parts)))
        self._answers = {}
        _append_row(self.metrics, row)
        left = (self.recipe.epochs - self.current_epoch - 1) * row["seconds"] / 60
        shown = " ".join(f"{key} {value:.3f}" for key, value in row.items() if key not in ("epoch", "size", "seconds"))
        self.say(
            f"epoch {self.current_epoch + 1}/{self.recipe.epochs} {shown} ({row['seconds']:.0f} s, {left:.0f} min left)"
        )

    def _scores(self, axis: str, logits: Tensor) -> dict[str, float]:
        slugs = list(self.classes[axis])
        rows = [i for i, s in enumerate(self.held) if s.labels.get(axis) in slugs]
        if not rows:
            return {}
        truth = np.array([slugs.index(self.held[i].labels[axis]) for i in rows])
        guess = logits[rows].argmax(dim=1).numpy()
        return {f"{axis}_accuracy": accuracy(truth, guess), f"{axis}_f1": macro_f1(truth, guess)}

    def configure_optimizers(self) -> Any:
        r = self.recipe
        groups: list[dict[str, Any]] = []
        for parameters, rate in (
            (self.network.backbone.parameters(), r.backbone_rate),
            (self.network.heads.parameters(), 1.0),
        ):
            weights = list(parameters)
            decayed, plain = [p for p in weights if p.ndim > 1], [p for p in weights if p.ndim <= 1]
            groups.append({"params": decayed, "lr": r.learning_rate * rate, "weight_decay": r.weight_decay})
            groups.append({"params": plain, "lr": r.learning_rate * rate, "weight_decay": 0.0})
        optimiser = torch.optim.AdamW(groups)
        steps = r.steps(len(self.samples))
        schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _warm_cosine(step / steps, r.warm_up))
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def _warm_cosine(done: float, warm_up: float) -> float:
    """Rate as a share of its peak when ``done`` (0..1) of all steps are behind."""
    if done < warm_up:
        return max(done / warm_up, 1e-3)
    return float(0.5 * (1 + np.cos(np.pi * min(1.0, (done - warm_up) / (1 - warm_up))))) + 1e-4


def _append_row(file: Path, row: Mapping[str, float]) -> None:
    fresh = not file.exists()
    with file.open("a", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, list(row))
        if fresh:
            writer.writeheader()
        writer.writerow({key: round(value, 5) for key, value in row.items()})


def read_run(run: Path) -> RunConfig:
    """The configuration of a run folder; raises :class:`ArtifactError` where it is none."""
    try:
        document = json.loads((run / CONFIG).read_text("utf-8"))
        return RunConfig(document["recipe"], document["classes"], int(document["size"]), document["root"])
    except (OSError, ValueError, KeyError) as error:
        raise ArtifactError(f"{run} is no run folder.", "Make one with `mapsi train`.") from error
