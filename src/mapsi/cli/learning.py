"""``mapsi train`` and ``mapsi export``: from photos to a model folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mapsi.errors import UsageError
from mapsi.settings import read_settings
from mapsi.taxonomy import load_taxonomy

if TYPE_CHECKING:
    from mapsi.dataset.plan import PhotoFolder
    from mapsi.learn.recipe import Phase


@click.command()
@click.option("--plan", type=click.Path(path_type=Path), help="TOML file that says which folders teach what.")
@click.option("--root", type=click.Path(path_type=Path), help="Folder that the plan's paths are relative to.")
@click.option(
    "--photos", multiple=True, metavar="AXIS=FOLDER", help="A folder CLASS/*.jpg for an axis; may be repeated."
)
@click.option("--nothing", type=click.Path(path_type=Path), help="Folder ANY/*.jpg of photos that show no garment.")
@click.option(
    "--into", "run", required=True, type=click.Path(path_type=Path), help="Run folder; an unfinished one goes on."
)
@click.option("--backbone", default="resnet34", show_default=True, help="A convolutional timm model.")
@click.option("--weights", type=click.Path(path_type=Path), help="Weights file to start from (.safetensors).")
@click.option("--imagenet", is_flag=True, help="Start from ImageNet weights, downloaded by timm.")
@click.option("--phase", "phases", multiple=True, metavar="PX:EPOCHS", help="Input size and epochs; may be repeated.")
@click.option("--batch", default=64, show_default=True, type=click.IntRange(2), help="Photos a step.")
@click.option("--rate", default=1e-3, show_default=True, type=click.FloatRange(1e-7, 1.0), help="Peak learning rate.")
@click.option("--hold-out", default=0.2, show_default=True, type=click.FloatRange(0.05, 0.5), help="Share set apart.")
@click.option("--seed", default=0, show_default=True, help="Same seed, same split and same order.")
def train(
    plan: Path | None,
    root: Path | None,
    photos: tuple[str, ...],
    nothing: Path | None,
    run: Path,
    backbone: str,
    weights: Path | None,
    imagenet: bool,
    phases: tuple[str, ...],
    batch: int,
    rate: float,
    hold_out: float,
    seed: int,
) -> None:
    """Learn from labelled photos; the run folder holds the manifest, a line of metrics an epoch, and the weights."""
    import numpy as np

    from mapsi.dataset.manifest import build_manifest
    from mapsi.dataset.plan import PhotoFolder, read_plan
    from mapsi.learn.recipe import Recipe
    from mapsi.learn.training import train as run_training

    if (plan is None) == (not photos):
        raise UsageError("Give --plan or --photos, one of the two.", "See `mapsi train --help`.")
    if weights is None and not imagenet:
        raise UsageError("Nothing to start from.", "Give --weights FILE, or --imagenet to download ImageNet weights.")
    taxonomy = load_taxonomy(read_settings().taxonomy)
    if plan is not None:
        folders = read_plan(plan.resolve(), root.resolve() if root is not None else None)
    else:
        folders = [_photo_folder(text) for text in photos]
        if nothing is not None:
            folders.append(PhotoFolder(nothing.resolve(), "", "split", nothing=True))
    manifest = build_manifest(folders, taxonomy, hold_out, np.random.default_rng(seed))
    classes = manifest.classes(taxonomy)
    if not classes:
        raise UsageError("No axis has photos of two classes to learn from.", "Check the folders.")
    recipe = Recipe(backbone=backbone, batch=batch, learning_rate=rate, seed=seed)
    if phases:
        recipe = Recipe(
            backbone=backbone, batch=batch, learning_rate=rate, seed=seed, phases=tuple(_phase(text) for text in phases)
        )
    held = len(manifest.part("validation"))
    click.echo(
        f"{len(manifest.part('train'))} photos to learn from, {held} held out, {manifest.left_out} left out as twins"
    )
    base = (root or (plan.parent if plan is not None else Path.cwd())).resolve()
    written = run_training(
        manifest, classes, recipe, run, root=base, weights=weights, pretrained=imagenet, say=click.echo
    )
    click.echo(f"Weights: {written}. Make a model folder of them with: mapsi export {run} --into FOLDER")


def _photo_folder(text: str) -> PhotoFolder:
    from mapsi.dataset.plan import PhotoFolder

    axis, equals, folder = text.partition("=")
    if not equals or not folder:
        raise UsageError(f"--photos {text} is not AXIS=FOLDER.", "For example --photos style=photos/.")
    photos = Path(folder).resolve()
    labels = photos / "labels.csv"
    return PhotoFolder(photos, axis, "split", labels if labels.exists() else None)


def _phase(text: str) -> Phase:
    from mapsi.learn.recipe import Phase

    size, _, epochs = text.partition(":")
    if not (size.isdigit() and epochs.isdigit() and 32 <= int(size) <= 1024 and int(epochs) >= 1):
        raise UsageError(f"--phase {text} is not PX:EPOCHS.", "For example --phase 128:10.")
    return Phase(int(size), int(epochs))


@click.command()
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--into", required=True, type=click.Path(path_type=Path), help="Model folder to write.")
@click.option("--name", default="mapsi model", show_default=True, help="Name on the card.")
@click.option("--size", type=click.IntRange(32, 1024), help="Input size in pixels; the last phase's by default.")
@click.option("--mirror/--no-mirror", default=True, help="Whether to read each photo plain and mirrored.")
@click.option("--int8/--float", "int8", default=True, help="Whether to quantise to int8.")
@click.option("--notes", type=click.Path(path_type=Path), help="Markdown that is added to the card.")
def export(run: Path, into: Path, name: str, size: int | None, mirror: bool, int8: bool, notes: Path | None) -> None:
    """Make a model folder of a finished RUN: ONNX checked against torch, int8, calibrated, measured, with its card."""
    from mapsi.learn.export import ExportOptions
    from mapsi.learn.export import export as write_folder

    options = ExportOptions(name=name, size=size, mirror=mirror, int8=int8, notes=notes)
    document = write_folder(run, into, options, click.echo)
    click.echo(f"{into}: {document.fingerprint}")


COMMANDS = (train, export)
