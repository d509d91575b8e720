"""``mapsi evaluate``: the figures of a model on labelled photos."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from mapsi.cli.opening import bar, open_model, require_writable
from mapsi.errors import UsageError
from mapsi.settings import Settings, read_settings

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt
    from PIL import Image

    from mapsi.dataset.manifest import ManifestPart
    from mapsi.evaluate import Answers, Candidate, Comparison, Photo, Report
    from mapsi.infer import AxisLabels, Model
    from mapsi.taxonomy import Axis, Taxonomy


@dataclass(frozen=True, slots=True)
class _Measured:
    """The photos asked for, how a report calls them, and photos that the model may have learned from."""

    photos: Sequence[Photo]
    data: str
    elsewhere: Sequence[Photo] = ()


@click.command()
@click.option("--model", type=click.Path(path_type=Path), help="Model folder; the shipped one by default.")
@click.option("--data", type=click.Path(path_type=Path), help="Folder with CLASS/*.jpg.")
@click.option("--manifest", type=click.Path(path_type=Path), help="Manifest with a part that was held out.")
@click.option(
    "--part",
    type=click.Choice(["validation", "test"]),
    default="validation",
    show_default=True,
    help="The manifest's part.",
)
@click.option("--root", type=click.Path(path_type=Path), help="Folder that the manifest's paths are relative to.")
@click.option("--axis", help="The axis that the class folders label.")
@click.option("--pairs", type=click.Path(path_type=Path), help="CSV: query and gallery show the same garment.")
@click.option("--among", type=click.Path(path_type=Path), help="With --pairs: folder of pictures of other products.")
@click.option("--cut", is_flag=True, help="With --pairs: ask for the most prominent garment of each photo.")
@click.option(
    "--labels", type=click.Path(path_type=Path), help="CSV: path, and any of sender, source, source_label, proxy."
)
@click.option("--into", type=click.Path(path_type=Path), help="Folder for report.html, .md, .json and the plots.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="File for the figures.")
@click.option("--against", type=click.Path(path_type=Path), help="Another model folder to compare with.")
def evaluate(
    model: Path | None,
    data: Path | None,
    manifest: Path | None,
    part: str,
    root: Path | None,
    axis: str | None,
    pairs: Path | None,
    among: Path | None,
    cut: bool,
    labels: Path | None,
    into: Path | None,
    json_file: Path | None,
    against: Path | None,
) -> None:
    """Measure a model on labelled photos: how good its answers are, unsure ones too, and what of that may be chance.

    Photos are in class folders (--data), or in a manifest of `mapsi train` or `mapsi dataset split` (--manifest). A
    CSV file beside them (labels.csv, or --labels) may tell each photo's sender and source, and whether it is a proxy
    (a stand-in): figures are then given separately for these. With --against, both models answer the same photos.

    With --pairs, likeness is measured: whether each garment is found first, and among the first ten, of all pictures.
    """
    from mapsi.artifacts import write_json
    from mapsi.evaluate.report.terminal import as_text, notes

    settings = read_settings()
    if pairs is not None:
        if any((data, manifest, axis, labels, into, against)):
            raise UsageError("--pairs goes with --model, --among, --cut and --json only.", "Leave the others out.")
        _check_targets(None, json_file)
        _evaluate_pairs(settings, model, pairs, among, json_file, cut=cut)
        return
    if axis is None:
        raise UsageError("Name the axis that the photos are labelled on.", "Give --axis, or --pairs for likeness.")
    opened, taxonomy = open_model(settings, model)
    told = _labels(opened, axis)
    theirs = open_model(settings, against)[0] if against is not None else None
    measured = _measured(data, manifest, part, root, axis, labels)
    asked = frozenset(photo.label for photo in measured.photos)
    candidate = _candidate(opened, told, taxonomy.find(axis), asked)
    other = None if theirs is None else _candidate(theirs, _labels(theirs, axis), taxonomy.find(axis), asked)
    if other is not None:
        from mapsi.evaluate.comparison import check_shared

        check_shared(candidate.classes, other.classes, [photo.label for photo in measured.photos])
    _check_targets(into, json_file)
    report = _measure(settings, candidate, other, measured, axis)
    click.echo(as_text(report))
    for note in notes(report):
        click.echo(note, err=True)
    if json_file is not None:
        write_json(json_file, report.to_json())
    if into is not None:
        _write(report, into, settings, taxonomy)


def _evaluate_pairs(
    settings: Settings, folder: Path | None, file: Path, among: Path | None, json_file: Path | None, *, cut: bool
) -> None:
    import numpy as np

    from mapsi.artifacts import write_json
    from mapsi.evaluate.pairs import distractors, measure_pairs, read_pairs
    from mapsi.imaging import READ_SIDE, PhotoLimits, read_photo

    pairs = read_pairs(file)
    others = distractors(among) if among is not None else []
    opened, _ = open_model(settings, folder)
    limits = PhotoLimits.of(settings)
    advance = bar("photos", len(pairs) + len(others) + sum(not pair.learned for pair in pairs))

    def whole(path: Path) -> npt.NDArray[np.float32]:
        advance(1)
        return opened.read(read_photo(path, limits, at_least=READ_SIDE)).embedding

    def garment(path: Path) -> npt.NDArray[np.float32]:
        advance(1)
        look = opened.garments(read_photo(path, limits, at_least=READ_SIDE))
        return (look.garments[0].reading if look.garments else look.whole).embedding

    found = measure_pairs(pairs, others, garment if cut else whole, whole).to_json(np.random.default_rng(0))
    click.echo(f"{found['queries']} photos searched for among {found['gallery']} pictures, by {opened.document.name}")
    for key, name in (("r_at_1", "found first"), ("r_at_10", "among the first ten"), ("map", "average precision")):
        figure = found[key]
        click.echo(f"{name:20} {figure['value']:.3f}  {figure['low']:.3f} to {figure['high']:.3f}")
    if json_file is not None:
        write_json(json_file, found)


def _check_targets(into: Path | None, json_file: Path | None) -> None:
    """Find out before the photos are answered, not after, whether the results can be written."""
    if into is not None:
        import mapsi.evaluate.report.pages  # noqa: F401  -- where matplotlib is missing, say so now

        require_writable(into)
    if json_file is not None:
        if json_file.is_dir():
            raise UsageError(f"--json {json_file} is a folder.", "Give the file to write; --into takes a folder.")
        require_writable(json_file.parent)


def _write(report: Report, into: Path, settings: Settings, taxonomy: Taxonomy) -> None:
    from mapsi.evaluate.report.pages import write_report
    from mapsi.imaging import PhotoLimits

    classes = taxonomy.find(report.axis).classes
    names = {cls.slug: cls.name.in_language(settings.language) for cls in classes}
    click.echo(f"\nReport: {write_report(report, into, names, limits=PhotoLimits.of(settings))}")


def _labels(model: Model, axis: str) -> AxisLabels:
    found = next((labels for labels in model.axes if labels.axis == axis), None)
    if found is None:
        known = ", ".join(labels.axis for labels in model.axes)
        raise UsageError(f"The model {model.document.name} has no axis {axis!r}.", f"It has: {known}.")
    return found


def _candidate(model: Model, labels: AxisLabels, axis: Axis, asked: frozenset[str]) -> Candidate:
    """A model as evaluation sees it: it answers as in serving, and tells what is unfamiliar. A class that is a kind of
    one of those ``asked`` for counts as that: heels are right for photos labelled shoes."""
    import numpy as np

    from mapsi.evaluate import Candidate

    counted = {slug: axis.counted_as(slug, asked) for slug in labels.classes}
    classes = tuple(dict.fromkeys(counted.values()))

    def ask(photos: Sequence[Image.Image]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        readings = model.read_many(photos)
        shares = np.zeros((len(photos), len(classes)), dtype=np.float32)
        for row, reading in zip(shares, readings, strict=True):
            for guess in reading.axes[labels.axis].top:
                row[classes.index(counted[guess.slug])] += guess.confidence
        return shares, model.familiar(np.stack([reading.embedding for reading in readings]))

    return Candidate(model.document.name, model.fingerprint, classes, labels.threshold, ask)


def _measure(
    settings: Settings, candidate: Candidate, other: Candidate | None, measured: _Measured, axis: str
) -> Report:
    import numpy as np

    from mapsi.evaluate import answer_photos, build_report
    from mapsi.imaging import PhotoLimits

    candidates = [candidate] if other is None else [candidate, other]
    advance = bar("photos", len(measured.photos))
    answers, unreadable = answer_photos(candidates, measured.photos, limits=PhotoLimits.of(settings), progress=advance)
    return build_report(
        answers[0],
        candidate,
        axis=axis,
        data=measured.data,
        rng=np.random.default_rng(0),
        unreadable=unreadable,
        elsewhere=measured.elsewhere,
        against=None if other is None else _compare(answers, other),
    )


def _compare(answers: Sequence[Answers], other: Candidate) -> Comparison:
    import numpy as np

    from mapsi.evaluate import compare

    ours, theirs = answers
    return compare(ours, theirs, other.name, other.fingerprint, np.random.default_rng(0))


def _measured(
    data: Path | None, manifest: Path | None, part: str, root: Path | None, axis: str, labels: Path | None
) -> _Measured:
    if (data is None) == (manifest is None):
        raise UsageError("Give --data or --manifest, one of the two.", "See `mapsi evaluate --help`.")
    if manifest is not None:
        if labels is not None:
            raise UsageError("--labels goes with --data.", "A manifest names sources and proxies itself.")
        return _from_manifest(manifest, part, root, axis)
    assert data is not None
    return _from_folder(data, labels)


def _from_folder(data: Path, labels: Path | None) -> _Measured:
    from mapsi.dataset.photos import read_labels
    from mapsi.evaluate import labelled_photos
    from mapsi.photo_folders import passed_over

    photos = labelled_photos(data)
    for sentence in passed_over(data):
        click.echo(sentence, err=True)
    file = labels or (data / "labels.csv" if (data / "labels.csv").exists() else None)
    if file is not None:
        rows = read_labels(file)
        photos = _marked(photos, [_row(photo, rows, file) for photo in photos])
        if labels is not None and not any(photo.marks or photo.block for photo in photos):
            raise UsageError(
                f"The labels {labels} tell no sender, source or proxy of a photo in {data}.",
                f"Its column path should hold paths relative to {labels.parent} or to {data}.",
            )
    return _Measured(photos, str(data))


def _row(photo: Photo, rows: Mapping[str, Mapping[str, str]], file: Path) -> Mapping[str, str]:
    """The photo's row, by its path relative to the file or to the folder measured on, or by its name."""
    from mapsi.dataset.photos import row_key

    path, base = photo.path.resolve(), file.parent.resolve()
    keys = [path.relative_to(base).as_posix()] if path.is_relative_to(base) else []
    return next((rows[key] for key in map(row_key, (*keys, photo.name, path.name)) if key in rows), {})


def _marked(photos: Sequence[Photo], rows: Sequence[Mapping[str, str | None]]) -> list[Photo]:
    """Give each photo its marks and its block, which is as large as the one that a split keeps together."""
    from mapsi.dataset.plan import MAX_BLOCK, SENDER

    blocks = [_block(row) for row in rows]
    counts = Counter(blocks)
    return [
        replace(
            photo,
            block=block if block.startswith(SENDER) or counts[block] <= MAX_BLOCK else "",
            marks={mark: value for mark in ("proxy", "source") if (value := row.get(mark))},
        )
        for photo, row, block in zip(photos, rows, blocks, strict=True)
    ]


def _block(row: Mapping[str, str | None]) -> str:
    """The sender, or the source's own label, by which photos look alike; empty where neither is told."""
    from mapsi.dataset.plan import SENDER

    if sender := row.get("sender"):
        return f"{SENDER}{sender}"
    return f"{row.get('source') or ''} {row['source_label']}" if row.get("source_label") else ""


def _from_manifest(file: Path, part: str, root: Path | None, axis: str) -> _Measured:
    from mapsi.dataset.manifest import read_manifest
    from mapsi.learn.run import CONFIG, photos_of, read_run

    if root is None:
        run = file.parent
        root = Path(read_run(run).root) if (run / CONFIG).exists() else run
    manifest = read_manifest(file, root)
    photos = photos_of(manifest.part(cast("ManifestPart", part)), axis, root)
    if not photos:
        raise UsageError(
            f"The manifest {file} has no photo of the axis {axis} in its part {part}.", "Check --axis and --part."
        )
    return _Measured(photos, f"{file} ({part})", photos_of(manifest.part("train"), axis, root))


COMMANDS = (evaluate,)
