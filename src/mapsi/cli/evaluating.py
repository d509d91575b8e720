"""``mapsi evaluate``: the figures of a model on labelled photos."""

from __future__ import annotations

from pathlib import Path

import click

from mapsi.cli.opening import bar, open_model
from mapsi.errors import UsageError
from mapsi.settings import read_settings


@click.command()
@click.option("--model", type=click.Path(path_type=Path), help="Model folder; the shipped one by default.")
@click.option("--data", required=True, type=click.Path(path_type=Path), help="Folder with CLASS/*.jpg.")
@click.option("--axis", required=True, help="The axis that the class folders label.")
@click.option("--json", "json_file", type=click.Path(path_type=Path), help="File for the figures.")
def evaluate(model: Path | None, data: Path, axis: str, json_file: Path | None) -> None:
    """Answer every photo of a labelled folder, unsure or not, and score the answers."""
    from mapsi.artifacts import write_json
    from mapsi.evaluate import evaluate_folder
    from mapsi.evaluate.folder import labelled_photos

    opened, _ = open_model(read_settings(), model)
    known = {labels.axis: labels.classes for labels in opened.axes}
    if axis not in known:
        raise UsageError(f"The model has no axis {axis!r}.", f"It has: {', '.join(known)}.")
    advance = bar("photos", len(labelled_photos(data)))
    report = evaluate_folder(lambda photos: opened.shares(photos, axis), known[axis], data, axis, progress=advance)
    scores = report.scores
    click.echo(
        f"{scores.n} photos: accuracy {scores.accuracy:.4f}, top 3 {scores.top3:.4f}, macro F1 {scores.macro['f1']:.4f}"
    )
    for slug, row in scores.classes.items():
        click.echo(
            f"  {slug:16} {row['n']:5} photos  precision {row['precision']:.3f}  recall {row['recall']:.3f}  F1 {row['f1']:.3f}"
        )
    if report.unknown_classes:
        click.echo(
            f"The model does not know: {', '.join(report.unknown_classes)}; their photos count as missed.", err=True
        )
    for name in report.unreadable:
        click.echo(f"Not a readable photo, left out: {name}", err=True)
    if json_file is not None:
        write_json(json_file, report.to_json())


COMMANDS = (evaluate,)
