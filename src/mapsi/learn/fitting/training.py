"""Training on Lightning: from a manifest and a recipe to a run folder with weights; continues after any
interruption."""

from __future__ import annotations

import logging
import signal
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lightning.pytorch as pl
import torch
from safetensors import SafetensorError
from safetensors.torch import save_file

from mapsi.artifacts import atomic_file
from mapsi.dataset.photos import GROUPS
from mapsi.errors import ArtifactError
from mapsi.evaluate.report.curves import plot_curves
from mapsi.learn.fitting.enough import check_enough, check_there, shortages
from mapsi.learn.fitting.holding import hold_layers, hold_norms
from mapsi.learn.fitting.warm_heads import frozen_features, warm_heads
from mapsi.learn.machine import Machine, build_trainer, keep_freed_memory
from mapsi.learn.module import TrainingModule
from mapsi.learn.network import AxisNetwork, Start, build_network, name_start
from mapsi.learn.photos import STORE_SIDE, open_store
from mapsi.learn.recipe import Recipe
from mapsi.learn.run import CHECKPOINT, CURVES, WEIGHTS, RunConfig, TrainingSet, prepare_run, write_epoch


def train(
    data: TrainingSet,
    recipe: Recipe,
    run: Path,
    *,
    start: Start,
    machine: Machine | None = None,
    name: str = "own",
    say: Callable[[str], None] = print,
) -> Path | None:
    """Train and leave the weights in ``run/weights.safetensors``; returns that path.

    A run that was interrupted continues from its last epoch when it is started again with the same folder, to the same
    result as if it had not been; a finished one is left as it is. ``name`` is what the recipe is called. The caller's
    random generators are left alone; its process keeps the memory that it frees from then on. Of several processes only
    the first returns a path, the others have no more to do.
    """
    manifest, classes = data.manifest, data.classes
    check_enough(manifest, classes, recipe)
    check_there(manifest)
    keep_freed_memory()
    samples, named = manifest.part("train"), name_start(start, recipe.backbone)
    with _without_chatter(), _told_of_the_disk(run):
        trainer = build_trainer(recipe, len(samples), run / CHECKPOINT, machine or Machine())
        prepare_run(run, data, recipe, name, named)
        for sentence in shortages(manifest, classes):
            say(sentence)
        if (run / WEIGHTS).exists():
            return run / WEIGHTS
        store = open_store(samples, run / "cache", max(STORE_SIDE, recipe.phases[-1].size * 3 // 2))
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(recipe.seed)
            network = build_recipes_network(recipe, classes, start)
            _hold(network, recipe)
            # Photos kept only for their likeness or their mask say nothing about the axes.
            held = [sample for sample in manifest.part("validation") if sample.labels]
            book = _book(run, recipe, say)
            module = TrainingModule(network, classes, samples, held, store, recipe, book)
            _warm(module, run, say)
            _fit(trainer, module, run / CHECKPOINT)
        return write_weights(run / CHECKPOINT, run / WEIGHTS) if trainer.is_global_zero else None


def _hold(network: AxisNetwork, recipe: Recipe) -> None:
    """Hold those parts of the backbone that the recipe wants kept as they start."""
    hold_layers(network.backbone, recipe.hold_layers)
    if recipe.hold_norms:
        hold_norms(network.backbone, torch.zeros(1, 3, recipe.phases[0].size, recipe.phases[0].size))


def _warm(module: TrainingModule, run: Path, say: Callable[[str], None]) -> None:
    """Fit the heads first, where the recipe wants it and the run has not begun yet."""
    if not module.recipe.warm_heads or (run / CHECKPOINT).exists():
        return
    say(f"reading {len(module.samples)} photos with the frozen backbone, to fit the heads first")
    with module.clock():
        size = module.recipe.phases[0].size
        features = frozen_features(module.network, module.store, size, run / "cache")
        warm_heads(module.network, features, module.targets)


def _book(run: Path, recipe: Recipe, say: Callable[[str], None]) -> Callable[[dict[str, float]], None]:
    """What happens at the end of an epoch: its line in the metrics, and a line for the person who is waiting."""

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
    """Time left, estimated from the last epoch's time per pixel."""
    last = rows[-1]
    a_pixel = last["seconds"] / last["size"] ** 2
    ahead = range(int(last["epoch"]) + 1, recipe.epochs)
    return sum(a_pixel * recipe.size_at(epoch) ** 2 for epoch in ahead)


def _fit(trainer: pl.Trainer, module: TrainingModule, checkpoint: Path) -> None:
    handler = signal.getsignal(signal.SIGINT)
    try:
        # Our own checkpoints hold an optimiser and counters beside the weights, more than torch's strict reader takes.
        resume: dict[str, Any] = {"ckpt_path": str(checkpoint), "weights_only": False} if checkpoint.exists() else {}
        trainer.fit(module, **resume)
    except SystemExit as end:
        # Lightning ends the program on Ctrl-C, and leaves Ctrl-C switched off.
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, handler)
        raise KeyboardInterrupt from end
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise ArtifactError(
            "The process that loads photos was killed, perhaps because memory ran out.",
            "Start `mapsi train` again; it continues from the last finished epoch.",
        ) from error


@contextmanager
def _told_of_the_disk(run: Path) -> Iterator[None]:
    """Photos that cannot be read are named; whatever else the disk refuses is what the run writes."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        raise ArtifactError(
            f"The run folder {run} cannot be written: {getattr(error, 'strerror', None) or error}.",
            "Make room on the disk and start `mapsi train` again; it continues from the last finished epoch.",
        ) from error


def write_weights(checkpoint: Path, target: Path) -> Path:
    """Write the weights of a checkpoint. Where weights are averaged, Lightning keeps the average as the state and the
    raw weights beside it."""
    state = torch.load(checkpoint, map_location="cpu", weights_only=False)["state_dict"]
    prefix = "network."
    weights = {k.removeprefix(prefix): v.contiguous() for k, v in state.items() if k.startswith(prefix)}
    with atomic_file(target) as beside:
        save_file(weights, beside)
    return target


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


def load_weights(run: Path, config: RunConfig) -> AxisNetwork:
    """The network of a finished run, ready to answer; raises :class:`ArtifactError` where it is not finished."""
    weights = run / WEIGHTS
    if not weights.exists():
        raise ArtifactError(f"The run {run} is not finished.", "Run `mapsi train` with it again to continue.")
    return build_recipes_network(config.recipe, config.classes, Start(weights)).eval()


def build_recipes_network(recipe: Recipe, classes: Mapping[str, Sequence[str]], start: Start) -> AxisNetwork:
    """The network that a recipe describes, for axes of these ``classes``."""
    return build_network(
        recipe.backbone,
        {axis: len(slugs) for axis, slugs in classes.items()},
        start,
        dropout=recipe.dropout,
        embedding=recipe.embedding,
        groups=map_groups(recipe),
        scales=recipe.scales,
    )


def map_groups(recipe: Recipe) -> int:
    """How many groups the map of a recipe's network has, 0 for no map."""
    return len(GROUPS) if recipe.garment_map else 0
