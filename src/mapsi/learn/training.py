"""Training on Lightning: from a manifest and a recipe to a run folder with weights; goes on after any interruption."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import lightning.pytorch as pl
import torch
from lightning.pytorch.callbacks import EMAWeightAveraging, ModelCheckpoint
from safetensors.torch import save_file

from mapsi.artifacts import atomic_file
from mapsi.dataset.manifest import Manifest
from mapsi.errors import ArtifactError, UsageError
from mapsi.evaluate.curves import plot_curves
from mapsi.learn.module import TrainingModule
from mapsi.learn.network import AxisNetwork, build_network
from mapsi.learn.photos import STORE_SIDE, open_store
from mapsi.learn.recipe import Recipe
from mapsi.learn.run import CHECKPOINT, CURVES, WEIGHTS, prepare_run, read_metrics, write_epoch
from mapsi.learn.warm_heads import frozen_features, warm_heads

Precision = Literal["auto", "32", "bf16"]


@dataclass(frozen=True, slots=True)
class Machine:
    """What to train on, in Lightning's terms; ``auto`` takes the accelerator that is there, and bf16 where it is fast."""

    accelerator: str = "auto"
    devices: int | str = "auto"
    nodes: int = 1
    precision: Precision = "auto"


def train(
    manifest: Manifest,
    classes: Mapping[str, Sequence[str]],
    recipe: Recipe,
    run: Path,
    *,
    root: Path,
    weights: Path | None,
    pretrained: bool = False,
    machine: Machine | None = None,
    name: str = "own",
    say: Callable[[str], None] = print,
) -> Path:
    """Train and leave the weights in ``run/weights.safetensors``; returns that path.

    A run that was interrupted goes on from its last epoch when it is started again with the same folder, to the same
    result as if it had not been; a finished one is left as it is. ``name`` is what the recipe is called. The caller's random generators are left alone.
    """
    check_enough(manifest, classes, recipe)
    check_there(manifest)
    prepare_run(run, manifest, classes, recipe, root, name)
    if (run / WEIGHTS).exists():
        return run / WEIGHTS
    samples = manifest.part("train")
    store = open_store(samples, run / "cache", max(STORE_SIDE, recipe.phases[-1].size * 3 // 2))
    with torch.random.fork_rng(devices=[]), _without_chatter():
        torch.manual_seed(recipe.seed)
        network = build_network(
            recipe.backbone,
            {axis: len(slugs) for axis, slugs in classes.items()},
            weights=weights,
            pretrained=pretrained,
            dropout=recipe.dropout,
        )
        book = _book(run, recipe, say)
        module = TrainingModule(network, classes, samples, manifest.part("validation"), store, recipe, book)
        if recipe.warm_heads and not (run / CHECKPOINT).exists():
            say(f"reading {len(samples)} photos with the frozen backbone, to fit the heads first")
            with module.clock():
                features = frozen_features(network, store, recipe.phases[0].size, run / "cache" / "features.npy")
                warm_heads(network, features, module.targets)
        trainer = _trainer(recipe, run, len(samples), machine or Machine())
        _fit(trainer, module, run / CHECKPOINT)
    return _write_weights(run / CHECKPOINT, run / WEIGHTS)


def _book(run: Path, recipe: Recipe, say: Callable[[str], None]) -> Callable[[dict[str, float]], None]:
    """What happens at the end of an epoch: its line in the metrics, and a line for the person who waits."""

    def epoch_end(row: dict[str, float]) -> None:
        rows = write_epoch(run, row)
        plot_curves(rows, run / CURVES)
        done = int(row["epoch"]) + 1
        left = _seconds_left(rows, recipe) / 60
        hidden = ("epoch", "size", "seconds", "cpu_seconds")
        shown = " ".join(f"{key} {value:.3f}" for key, value in row.items() if key not in hidden)
        say(f"epoch {done}/{recipe.epochs} {shown} ({row['seconds']:.0f} s, {left:.0f} min left)")

    return epoch_end


def _seconds_left(rows: Sequence[Mapping[str, float]], recipe: Recipe) -> float:
    """Time left, by the last epoch's time a pixel."""
    last = rows[-1]
    a_pixel = last["seconds"] / last["size"] ** 2
    ahead = range(int(last["epoch"]) + 1, recipe.epochs)
    return sum(a_pixel * recipe.size_at(epoch) ** 2 for epoch in ahead)


def _fit(trainer: pl.Trainer, module: TrainingModule, checkpoint: Path) -> None:
    try:
        # Our own checkpoints hold an optimiser and counters beside the weights, more than torch's strict reader takes.
        resume: dict[str, Any] = {"ckpt_path": str(checkpoint), "weights_only": False} if checkpoint.exists() else {}
        trainer.fit(module, **resume)
    except OSError as error:
        raise ArtifactError(
            f"The run cannot write its checkpoint: {error.strerror or error}.",
            "Make room on the disk and start `mapsi train` again; it goes on from the last finished epoch.",
        ) from error
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise ArtifactError(
            "The process that loads photos was ended from outside, for want of memory perhaps.",
            "Start `mapsi train` again; it goes on from the last finished epoch.",
        ) from error
    if trainer.interrupted:
        raise KeyboardInterrupt


def _write_weights(checkpoint: Path, target: Path) -> Path:
    """Write the weights of a checkpoint. Where weights are averaged, Lightning keeps the average as the state and the
    raw weights beside it."""
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


def check_there(manifest: Manifest) -> None:
    """Raises :class:`ArtifactError` where photos that the manifest names are gone."""
    gone = manifest.gone()
    if gone:
        raise ArtifactError(
            f"{len(gone)} of the manifest's {len(manifest.entries)} photos are gone, {gone[0]} first.",
            "Put them back, give their folder with --root, or make the manifest again.",
        )


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


def _trainer(recipe: Recipe, run: Path, photos: int, machine: Machine) -> pl.Trainer:
    callbacks: list[pl.Callback] = [
        ModelCheckpoint(dirpath=run / CHECKPOINT.parent, save_last=True, save_top_k=1, enable_version_counter=False)
    ]
    if recipe.average_span > 0:
        callbacks.append(EMAWeightAveraging(decay=recipe.average_decay(photos)))
    return pl.Trainer(
        accelerator=machine.accelerator,
        devices=machine.devices,
        num_nodes=machine.nodes,
        precision=precision_of(machine),
        max_epochs=recipe.epochs,
        callbacks=callbacks,
        logger=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        reload_dataloaders_every_n_epochs=1,
        num_sanity_val_steps=0,
        gradient_clip_val=5.0 if recipe.optimiser == "adamw" else None,
    )


def precision_of(machine: Machine) -> Literal["32-true", "bf16-mixed"]:
    """bf16 where it is asked for or where the processor has it as a matrix unit: on one that has bf16 in its vectors
    only it is a third slower than float32 (23 against 34 photos a second at 128 px, two cores)."""
    if machine.precision == "auto":
        fast = torch.cuda.is_bf16_supported() if torch.cuda.is_available() else torch.cpu._is_amx_tile_supported()
        return "bf16-mixed" if fast else "32-true"
    return "bf16-mixed" if machine.precision == "bf16" else "32-true"


def finished_epochs(run: Path) -> int:
    """How many epochs of a run are done."""
    rows = read_metrics(run)
    return int(rows[-1]["epoch"]) + 1 if rows else 0


def load_weights(run: Path, recipe: Mapping[str, Any], classes: Mapping[str, Sequence[str]]) -> AxisNetwork:
    """The network of a finished run, ready to answer; raises :class:`ArtifactError` where it is not finished."""
    weights = run / WEIGHTS
    if not weights.exists():
        raise ArtifactError(f"The run {run} is not finished.", "Start `mapsi train` with it again; it goes on.")
    counts = {axis: len(slugs) for axis, slugs in classes.items()}
    return build_network(recipe["backbone"], counts, weights=weights).eval()
