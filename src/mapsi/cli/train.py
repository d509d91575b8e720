"""``mapsi train``, ``average``, ``refit``, ``runs`` and ``export``: from photos to a model folder."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mapsi.errors import INTERRUPTED, UsageError
from mapsi.imaging import PhotoLimits
from mapsi.settings import read_settings
from mapsi.taxonomy import Taxonomy, load_taxonomy

if TYPE_CHECKING:
    from mapsi.dataset.manifest import Manifest
    from mapsi.dataset.plan import PhotoFolder
    from mapsi.learn.machine import Precision
    from mapsi.learn.recipe import Phase, Recipe
    from mapsi.learn.run import RunSummary


@click.command()
@click.option("--plan", type=click.Path(path_type=Path), help="TOML file that says which folders teach what.")
@click.option("--manifest", type=click.Path(path_type=Path), help="Manifest of `mapsi dataset split`.")
@click.option(
    "--root", type=click.Path(path_type=Path), help="Folder that a plan's or manifest's paths are relative to."
)
@click.option(
    "--photos", multiple=True, metavar="AXIS=FOLDER", help="A folder CLASS/*.jpg for an axis; may be repeated."
)
@click.option("--nothing", type=click.Path(path_type=Path), help="Folder ANY/*.jpg of photos that show no garment.")
@click.option(
    "--into", "run", required=True, type=click.Path(path_type=Path), help="Run folder; an unfinished one is continued."
)
@click.option("--recipe", default="mapsi", show_default=True, help="mapsi, paper, or a TOML file of your own.")
@click.option("--backbone", help="A convolutional timm model, instead of the recipe's.")
@click.option("--weights", type=click.Path(path_type=Path), help="Weights file to start from (.safetensors).")
@click.option(
    "--imagenet", is_flag=True, help="Start from ImageNet weights, of an installed package or downloaded by timm."
)
@click.option(
    "--phase",
    "phases",
    multiple=True,
    metavar="PX:EPOCHS",
    help="Input size and epochs, instead of the recipe's; may be repeated.",
)
@click.option("--batch", type=click.IntRange(2), help="Photos per step, instead of the recipe's.")
@click.option("--rate", type=click.FloatRange(1e-7, 1.0), help="Peak learning rate, instead of the recipe's.")
@click.option("--hold-out", default=0.2, show_default=True, type=click.FloatRange(0.05, 0.5), help="Share set apart.")
@click.option(
    "--seed",
    type=click.IntRange(0),
    help="Seed of all that is random, the split and the order too, instead of the recipe's (0).",
)
@click.option("--accelerator", default="auto", show_default=True, help="auto, cpu, gpu, ... as Lightning names them.")
@click.option("--devices", default="auto", show_default=True, help="How many devices.")
@click.option("--nodes", default=1, show_default=True, type=click.IntRange(1), help="How many machines.")
@click.option("--precision", type=click.Choice(["auto", "32", "bf16"]), default="auto", show_default=True)
def train(
    plan: Path | None,
    manifest: Path | None,
    root: Path | None,
    photos: tuple[str, ...],
    nothing: Path | None,
    run: Path,
    recipe: str,
    backbone: str | None,
    weights: Path | None,
    imagenet: bool,
    phases: tuple[str, ...],
    batch: int | None,
    rate: float | None,
    hold_out: float,
    seed: int | None,
    accelerator: str,
    devices: str,
    nodes: int,
    precision: Precision,
) -> None:
    """Learn from labelled photos; the run folder holds manifest, metrics, curves, checkpoints, weights and a report.

    An interrupted run is continued, to the same result, by giving the same command again.
    """
    from mapsi.learn.fitting.reporting import report_run
    from mapsi.learn.fitting.training import train as run_training
    from mapsi.learn.machine import Machine
    from mapsi.learn.network import Start
    from mapsi.learn.run import TrainingSet

    if sum((plan is not None, manifest is not None, bool(photos))) != 1:
        raise UsageError("Give --plan, --manifest or --photos, one of the three.", "See `mapsi train --help`.")
    if weights is None and not imagenet:
        raise UsageError(
            "There are no such weights to start from.", "Give --weights FILE, or --imagenet for ImageNet weights."
        )
    settings = read_settings()
    taxonomy = load_taxonomy(settings.taxonomy)
    chosen = _recipe(recipe, phases, backbone=backbone, batch=batch, learning_rate=rate, seed=seed)
    base = (root or (plan or manifest or Path("here")).absolute().parent).resolve()
    entries = _entries(plan, manifest, photos, nothing, base, taxonomy, hold_out, chosen.seed, PhotoLimits.of(settings))
    classes = entries.classes(taxonomy)
    if not classes:
        raise UsageError("No axis has photos of two classes to learn from.", "Check the folders.")
    held = len(entries.part("validation"))
    click.echo(f"{len(entries.part('train'))} photos to learn from, {held} held out, {entries.left_out} left out")
    machine = Machine(accelerator, int(devices) if devices.isdigit() else devices, nodes, precision)
    attributes = tuple(axis for axis in classes if axis not in taxonomy.listed)
    data, start = TrainingSet(entries, classes, base, attributes), Start(weights, imagenet)
    try:
        written = run_training(data, chosen, run, start=start, machine=machine, name=Path(recipe).stem, say=click.echo)
        if written is None:
            return
        report_run(run, _names(taxonomy, settings.language), click.echo)
    except KeyboardInterrupt:
        click.echo("\nStopped. Run the same command again to continue from the last finished epoch.", err=True)
        sys.exit(INTERRUPTED)
    click.echo(f"Weights: {written}. Turn them into a model folder with: mapsi export {run} --into FOLDER")


def _recipe(name: str, phases: Sequence[str], **changes: Any) -> Recipe:
    """The recipe called ``name``, with the ``changes`` that are not None."""
    from mapsi.learn.recipe import load_recipe

    if phases:
        changes["phases"] = tuple(_phase(text) for text in phases)
    return replace(load_recipe(name), **{key: value for key, value in changes.items() if value is not None})


def _names(taxonomy: Taxonomy, language: str) -> dict[str, dict[str, str]]:
    return {
        slug: {cls.slug: cls.name.in_language(language) for cls in axis.classes} for slug, axis in taxonomy.axes.items()
    }


def _entries(
    plan: Path | None,
    manifest: Path | None,
    photos: tuple[str, ...],
    nothing: Path | None,
    base: Path,
    taxonomy: Taxonomy,
    hold_out: float,
    seed: int,
    limits: PhotoLimits,
) -> Manifest:
    """What is learned from and measured on, from whichever of the three ways it was named."""
    import numpy as np

    from mapsi.cli.dataset import tell_passed_over
    from mapsi.dataset.manifest import build_manifest, read_manifest
    from mapsi.dataset.plan import PhotoFolder, read_plan

    if manifest is not None:
        found = read_manifest(manifest, base)
        if found.part("kept"):
            raise UsageError(
                f"The manifest {manifest} is not split yet.",
                f"Split it first: mapsi dataset split {manifest} --into FILE",
            )
        return found
    if plan is not None:
        folders = read_plan(plan.resolve(), base)
    else:
        folders = [_photo_folder(text) for text in photos]
        if nothing is not None:
            folders.append(PhotoFolder(nothing.resolve(), "", "split", nothing=True))
    for folder in folders:
        tell_passed_over(folder)
    return build_manifest(folders, taxonomy, hold_out, np.random.default_rng(seed), limits)


def _photo_folder(text: str) -> PhotoFolder:
    from mapsi.dataset.plan import PhotoFolder
    from mapsi.file_names import OnDisk

    axis, equals, folder = text.partition("=")
    if not equals or not folder:
        raise UsageError(f"--photos {text} is not AXIS=FOLDER.", "For example --photos style=photos/.")
    photos = OnDisk().find(Path(folder).absolute()).resolve()
    labels = photos / "labels.csv"
    return PhotoFolder(photos, axis, "split", labels if labels.exists() else None)


def _phase(text: str) -> Phase:
    from mapsi.learn.recipe import Phase

    size, _, epochs = text.partition(":")
    if not (size.isdigit() and epochs.isdigit() and 32 <= int(size) <= 1024 and int(epochs) >= 1):
        raise UsageError(f"--phase {text} is not PX:EPOCHS.", "For example --phase 128:10.")
    return Phase(int(size), int(epochs))


@click.command()
@click.argument("found", metavar="RUN RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--shares", metavar="N,N,...", help="Weight of each run; equal by default.")
@click.option("--into", required=True, type=click.Path(path_type=Path), help="Run folder to write.")
def average(found: tuple[Path, ...], shares: str | None, into: Path) -> None:
    """Average the weights of finished runs of one network into a run that can be measured and exported.

    It pays where the runs started from the same weights, or one from the other. Recipe and split are the last run's.
    """
    from mapsi.learn.fitting.averaging import average_runs
    from mapsi.learn.fitting.reporting import report_run

    config = average_runs(found, into, None if shares is None else _shares(shares))
    click.echo(f"{into}: {config.start}")
    settings = read_settings()
    report_run(into, _names(load_taxonomy(settings.taxonomy), settings.language), click.echo)


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--into", required=True, type=click.Path(path_type=Path), help="Run folder to write.")
def refit(run: Path, into: Path) -> None:
    """Fit the heads and the projection of a finished RUN again on its photos as they are served; the backbone stays.

    From then on they read the maps of all scales of the backbone, where it has several. It takes one look at the
    photos, some minutes, and pays where a run was short: the heads of a network that has just learned are behind it.
    """
    from mapsi.learn.fitting.refitting import refit_run
    from mapsi.learn.fitting.reporting import report_run

    refit_run(run, into, click.echo)
    settings = read_settings()
    report_run(into, _names(load_taxonomy(settings.taxonomy), settings.language), click.echo)


def _shares(text: str) -> list[float]:
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError(f"--shares {text} is not N,N,...", "For example --shares 1,3 for two runs.") from error


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--into", required=True, type=click.Path(path_type=Path), help="Model folder to write.")
@click.option("--name", default="mapsi model", show_default=True, help="Name on the card.")
@click.option("--size", type=click.IntRange(32, 1024), help="Input size in pixels; the last phase's by default.")
@click.option(
    "--map-size",
    type=click.IntRange(0, 1024),
    default=0,
    help="Size in pixels at which a photo is read for its map, a multiple of 32; 0 for the input size.",
)
@click.option(
    "--close-up",
    type=click.FloatRange(0, 1),
    help="Share of its sides in which a photo is read again, mirrored; 0 for once; the recipe's by default.",
)
@click.option("--int8/--float", "int8", default=True, help="Whether to quantise to int8.")
@click.option("--notes", type=click.Path(path_type=Path), help="Markdown that is added to the card.")
def export(
    run: Path,
    into: Path,
    name: str,
    size: int | None,
    map_size: int,
    close_up: float | None,
    int8: bool,
    notes: Path | None,
) -> None:
    """Make a model folder of a finished RUN: ONNX checked against torch, int8, calibrated, measured, with its card."""
    from mapsi.infer.folder import STRIDE
    from mapsi.learn.export.export import ExportOptions
    from mapsi.learn.export.export import export as write_folder

    if map_size % STRIDE:
        below = map_size - map_size % STRIDE
        raise UsageError(f"--map-size {map_size} is not a multiple of {STRIDE}.", f"Take {below} or {below + STRIDE}.")
    options = ExportOptions(name=name, size=size, map_size=map_size, close_up=close_up, int8=int8, notes=notes)
    document = write_folder(run, into, options, click.echo)
    click.echo(f"{into}: {document.fingerprint}")


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.option("--plot", type=click.Path(path_type=Path), help="PNG that compares the runs over epochs and minutes.")
@click.option("--metric", help="What to plot, a column of metrics.csv: garment_f1, val_loss, ...")
@click.option("--json", "as_json", is_flag=True, help="Print the runs as JSON.")
def runs(folder: Path, plot: Path | None, metric: str | None, as_json: bool) -> None:
    """List and compare the runs in FOLDER by the figures of their last epoch on the photos held out.

    Runs with the same manifest were measured on the same photos; figures of others are not to be compared.
    """
    from mapsi.learn.run import list_runs, read_metrics

    found = list_runs(folder)
    if as_json:
        click.echo(json.dumps([run.to_json() for run in found], ensure_ascii=False, indent=2))
    else:
        for line in _table(found):
            click.echo(line)
    if plot is not None:
        from mapsi.evaluate.report.curves import plot_comparison

        name = metric or next((key for run in found for key in run.figures if key.endswith("_f1")), "val_loss")
        base = folder.parent if len(found) == 1 and found[0].name == folder.name else folder
        plot_comparison({run.name: read_metrics(base / run.name) for run in found}, plot, metric=name)
        click.echo(f"Compared by {name}: {plot}")


def _table(found: Sequence[RunSummary]) -> Iterator[str]:
    """The runs as lines of a table, those with the same manifest together under its first eight digits."""
    width = max(len(run.name) for run in found)
    for manifest in dict.fromkeys(run.config.manifest for run in found):
        yield f"manifest {manifest[:8] or 'unknown'}"
        for run in found:
            if run.config.manifest != manifest:
                continue
            figures = "  ".join(f"{key} {value:.3f}" for key, value in run.figures.items() if key != "train_accuracy")
            yield (
                f"  {run.name:{width}}  {run.config.name:6}  {run.config.recipe.backbone} {run.config.size} px  "
                f"{_progress(run)}  {figures}"
            )


def _progress(run: RunSummary) -> str:
    if run.finished and not run.epochs:
        return run.config.start
    return f"{run.epochs}/{run.planned} epochs, {run.minutes:.0f} min, {'finished' if run.finished else 'unfinished'}"


COMMANDS = (train, average, refit, export, runs)
