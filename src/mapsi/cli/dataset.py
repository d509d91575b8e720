"""``mapsi dataset``: photos checked and split before anything is learned."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mapsi.arrays import FloatArray
from mapsi.batches import batched
from mapsi.cli.opening import bar, open_model, require_writable
from mapsi.errors import UsageError
from mapsi.imaging import PhotoLimits, read_photo, to_input
from mapsi.progress import Advance
from mapsi.settings import read_settings
from mapsi.taxonomy import Taxonomy, load_taxonomy

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mapsi.dataset.check import Embed
    from mapsi.dataset.findings import CheckReport
    from mapsi.dataset.manifest import Entry
    from mapsi.dataset.parts import Division, SplitShares
    from mapsi.dataset.photos import Sample
    from mapsi.dataset.plan import PhotoFolder
    from mapsi.infer import Model

_BATCH = 32
_EXAMPLES = 3
_axis = click.option("--axis", help="The axis that the class folders label; found by their names where one fits.")
_labels = click.option(
    "--labels",
    type=click.Path(path_type=Path),
    help="CSV file with path, sender or source, source_label, proxy; FOLDER/labels.csv by default, where there is one.",
)


@click.group()
def dataset() -> None:
    """Check and split photos before anything is learned from them. Nothing is ever deleted."""


@dataset.command()
@click.argument("folder", type=click.Path(path_type=Path))
@_axis
@_labels
@click.option("--model", type=click.Path(path_type=Path), help="Model folder that judges labels; the shipped one.")
@click.option("--no-model", is_flag=True, help="Do not look for label errors; takes seconds.")
@click.option("--into", type=click.Path(path_type=Path), help="Folder for report.html, findings and manifest.csv.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="File for the findings.")
@click.option("--min-side", default=96, show_default=True, type=click.IntRange(1), help="Shorter side in pixels.")
@click.option(
    "--min-photos", default=40, show_default=True, type=click.IntRange(1), help="How many photos a class should have."
)
@click.option(
    "--leave-out-label-errors", is_flag=True, help="Leave out probable label errors instead of only listing them."
)
@click.option(
    "--pictures",
    default=200,
    show_default=True,
    type=click.IntRange(0),
    help="How many to show on the page, for each kind.",
)
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0), help="Same seed, same folds, same label errors."
)
def check(
    folder: Path,
    axis: str | None,
    labels: Path | None,
    model: Path | None,
    no_model: bool,
    into: Path | None,
    json_file: Path | None,
    min_side: int,
    min_photos: int,
    leave_out_label_errors: bool,
    pictures: int,
    seed: int,
) -> None:
    """Tell what is wrong with FOLDER, which holds CLASS/*.jpg, and write what to learn from.

    Photos that cannot be read or are tiny, files and pictures that are there twice, labels that are probably wrong,
    and classes that are too small.
    """
    from mapsi.artifacts import write_json
    from mapsi.dataset.check import CheckOptions
    from mapsi.dataset.check import check as check_samples
    from mapsi.dataset.manifest import Manifest
    from mapsi.dataset.report import count_pictures, write_check

    settings = read_settings()
    taxonomy = load_taxonomy(settings.taxonomy)
    limits = PhotoLimits.of(settings)
    photos = folder.resolve()
    for target in filter(None, (into, json_file.parent if json_file else None)):
        _require_outside(target, photos)
    axis, samples, dropped = _gather(photos, axis, labels, taxonomy)
    embed = None if no_model else _embed(open_model(settings, model)[0], limits)
    options = CheckOptions(min_side, min_photos, leave_out_label_errors, seed)
    report, manifest = check_samples(photos, axis, samples, embed, options, limits, bar)
    manifest = Manifest((*manifest.entries, *dropped))
    _tell_findings(report)
    if json_file is not None:
        write_json(json_file, report.to_json())
    if into is not None:
        shown = bar("drawing the page", count_pictures(report, pictures))
        page = write_check(report, manifest, taxonomy.find(axis), into, limits, pictures, shown)
        click.echo(f"\nThe page with the pictures: {page}")
        click.echo(f"Next: mapsi dataset split {into / 'manifest.csv'} --into {into / 'split.csv'}")
    else:
        click.echo("\nGive --into FOLDER for a page with the pictures, and a manifest to split and learn from.")


def _require_outside(target: Path, photos: Path) -> None:
    """Checked before minutes of work: ``target`` can be written to and would not be taken for a class of ``photos``."""
    if target.resolve().is_relative_to(photos) and target.resolve() != photos:
        raise UsageError(
            f"{target} is inside the photos' folder, where every folder is a class.", "Name one outside of it."
        )
    require_writable(target)


def _gather(
    folder: Path, axis: str | None, labels: Path | None, taxonomy: Taxonomy
) -> tuple[str, list[Sample], list[Entry]]:
    """The axis, the photos to be used, and those that a person dropped in a review that is not carried out yet."""
    from mapsi.dataset.plan import PhotoFolder, gather

    beside = folder / "labels.csv"
    rows = labels.resolve() if labels is not None else beside if beside.exists() else None
    axis = axis or _fitting_axis(folder, taxonomy)
    entry = PhotoFolder(folder, axis, "split", rows)
    gathered = gather(entry, taxonomy)
    tell_passed_over(entry, gathered)
    samples, dropped = _as_reviewed(folder, axis, gathered)
    if not samples:
        raise UsageError(f"The review of {folder} drops every photo.", "Keep some, with `mapsi collect review`.")
    return axis, samples, dropped


def tell_passed_over(entry: PhotoFolder, samples: Sequence[Sample] = ()) -> None:
    """Say what lies in a folder of photos and is not used, and, beside ``samples``, which labels belong to none of
    them."""
    from mapsi.dataset.plan import rows_without_photo
    from mapsi.photo_folders import passed_over

    for sentence in passed_over(entry.folder):
        click.echo(sentence, err=True)
    for sentence in _doubled(entry.labels) if samples else ():
        click.echo(sentence, err=True)
    lost = rows_without_photo(entry, samples) if samples else []
    if lost:
        more = f" and {len(lost) - 1} more" if len(lost) > 1 else ""
        click.echo(f"The labels {entry.labels} name photos that are not there: {lost[0]}{more}.", err=True)


def _doubled(labels: Path | None) -> list[str]:
    from mapsi.dataset.photos import labelled_twice

    twice = labelled_twice(labels) if labels is not None else []
    more = f" and {len(twice) - 1} more" if len(twice) > 1 else ""
    return [f"The labels {labels} have several rows for {twice[0]}{more}; the last one counts."] if twice else []


def _as_reviewed(folder: Path, axis: str, samples: Sequence[Sample]) -> tuple[list[Sample], list[Entry]]:
    from mapsi.collect.review import reviewed_labels
    from mapsi.dataset.manifest import LEFT_OUT, Entry
    from mapsi.dataset.photos import row_key

    decided = reviewed_labels(folder)
    used: list[Sample] = []
    dropped: list[Entry] = []
    moved = 0
    for sample in samples:
        own = sample.labels[axis]
        label = decided.get(row_key(sample.path.relative_to(folder).as_posix()), own)
        if label is None:
            dropped.append(Entry(sample, LEFT_OUT, "A person dropped it in the review."))
        else:
            moved += label != own
            used.append(replace(sample, labels={**sample.labels, axis: label}))
    if dropped or moved:
        click.echo(f"By the review: {len(dropped)} left out, {moved} moved to another class.")
    return used, dropped


def _fitting_axis(folder: Path, taxonomy: Taxonomy) -> str:
    """The one axis that knows all class folders."""
    from mapsi.file_names import composed
    from mapsi.photo_folders import class_folders

    names = {composed(found.name) for found in class_folders(folder)}
    fitting = [slug for slug, axis in taxonomy.axes.items() if names <= set(axis.by_slug)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        raise UsageError(f"The class folders fit several axes: {', '.join(fitting)}.", "Say which with --axis.")
    unknown = {slug: sorted(names - set(axis.by_slug)) for slug, axis in taxonomy.axes.items()}
    nearest = min(unknown, key=lambda slug: len(unknown[slug]))
    raise UsageError(
        f"No axis has all the class folders of {folder}; {nearest} lacks {', '.join(unknown[nearest][:5])}.",
        "Rename the folders, or add the classes to a taxonomy (docs/taxonomy.md).",
    )


def _embed(model: Model, limits: PhotoLimits) -> Embed:
    """Embeddings of photo files by ``model``; a photo that is gone meanwhile ends the command with its name."""
    import numpy as np

    from mapsi.dataset.facts import map_photos

    preprocessing = model.document.preprocessing

    def read(path: Path) -> FloatArray:
        photo = read_photo(path, limits, at_least=2 * preprocessing.size)
        return to_input(photo, preprocessing)

    def embed(paths: Sequence[Path], progress: Advance) -> FloatArray:
        found = [np.zeros((0, model.document.width), dtype=np.float32)]
        for batch in batched(paths, _BATCH):
            found.append(model.answer(np.stack(map_photos(read, batch)))["embedding"])
            progress(len(batch))
        return np.concatenate(found)

    return embed


def _tell_findings(report: CheckReport) -> None:
    from mapsi.dataset.findings import KINDS, MEANINGS

    width = max(len(row.label) for row in report.classes)
    click.echo(
        f"{report.folder} ({report.axis}): {report.photos} photos, {report.kept} kept, {report.left_out} left out"
    )
    click.echo(f"\n  {'class':{width}}  photos    kept")
    for row in report.classes:
        click.echo(f"  {row.label:{width}}  {row.photos:6}  {row.kept:6}")
    found, gone = report.counts(), report.counts(left_out=True)
    click.echo(f"\n  {'found':>6}  {'left out':>8}")
    for kind in KINDS:
        unlooked = kind == "label" and not report.labels_checked
        click.echo(f"  {'-' if unlooked else found[kind]:>6}  {'-' if unlooked else gone[kind]:>8}  {MEANINGS[kind]}")
    for kind in KINDS:
        for finding in report.of_kind(kind)[:_EXAMPLES]:
            click.echo(f"  {finding.path}: {finding.reason}")
        if found[kind] > _EXAMPLES:
            click.echo(f"  ... and {found[kind] - _EXAMPLES} more: {MEANINGS[kind]}")
    for remark in report.remarks:
        click.echo(remark)
    for row in report.classes:
        for remark in row.remarks:
            click.echo(f"{row.label}: {remark}")


@dataset.command()
@click.argument("source", metavar="FOLDER|MANIFEST", type=click.Path(path_type=Path))
@_axis
@_labels
@click.option("--into", required=True, type=click.Path(path_type=Path, dir_okay=False), help="Manifest to write.")
@click.option(
    "--test-per-class",
    type=click.IntRange(0),
    help="Test photos per class, at most a fifth of the class.  [default: 80]",
)
@click.option("--shares", metavar="T,V,T", help="Shares for train, validation and test, for example 0.7,0.15,0.15.")
@click.option(
    "--seed", default=0, show_default=True, type=click.IntRange(0), help="Same photos and same seed, same split."
)
def split(
    source: Path,
    axis: str | None,
    labels: Path | None,
    into: Path,
    test_per_class: int | None,
    shares: str | None,
    seed: int,
) -> None:
    """Divide photos into train, validation and test: a folder CLASS/*.jpg, or a manifest that `check` wrote.

    By default about 80 photos a class for test, but at most a fifth of the class, and the rest 8:2. Near-twins and one
    contributor's photos are never on both sides.
    """
    from mapsi.dataset.manifest import Entry, Manifest, read_manifest, write_manifest
    from mapsi.dataset.parts import divide, only_axis, require_photos

    rule = _shares(shares, test_per_class)
    settings = read_settings()
    if source.is_dir():
        photos = source.resolve()
        _require_outside(into.parent, photos)
        axis, samples, dropped = _gather(photos, axis, labels, load_taxonomy(settings.taxonomy))
        manifest = Manifest((*(Entry(sample, "kept") for sample in samples), *dropped))
    else:
        if labels is not None:
            raise UsageError("--labels goes with a folder; a manifest names its contributors itself.", "Leave it out.")
        require_writable(into.parent)
        manifest = read_manifest(source)
        require_photos(manifest, source)
        axis = axis or only_axis(manifest)
    used = len(manifest.entries) - manifest.left_out
    division = divide(manifest, axis, rule, seed, PhotoLimits.of(settings), bar("looking at photos", used))
    write_manifest(into, division.manifest)
    _tell_division(division)
    click.echo(f"\nManifest: {into}. Learn from it with: mapsi train --manifest {into} --into RUN")


def _shares(text: str | None, test_per_class: int | None) -> SplitShares:
    from mapsi.dataset.parts import SplitShares

    if text is None:
        return SplitShares() if test_per_class is None else SplitShares(test_per_class=test_per_class)
    if test_per_class is not None:
        raise UsageError("--shares and --test-per-class both say how large the test part is.", "Give one of the two.")
    try:
        train, validation, test = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            f"--shares {text} is not three numbers.", "Give train, validation and test, for example 0.7,0.15,0.15."
        ) from None
    return SplitShares(fixed=(train, validation, test))


def _tell_division(division: Division) -> None:
    from mapsi.dataset.manifest import LEFT_OUT
    from mapsi.dataset.parts import DIVIDED

    parts = [*DIVIDED, LEFT_OUT]
    rows = {label or "(no class)": [counts[part] for part in parts] for label, counts in division.counts.items()}
    rows["all"] = [sum(column) for column in zip(*rows.values(), strict=True)]
    width = max(len(label) for label in rows)
    click.echo(f"  {'class':{width}}" + "".join(f"  {part:>10}" for part in parts))
    for label, row in rows.items():
        click.echo(f"  {label:{width}}" + "".join(f"  {count:10}" for count in row))
    for sentence in division.shortages:
        click.echo(sentence)


COMMANDS: tuple[click.Command, ...] = (dataset,)
