"""A run is a folder that a person can read: configuration, manifest, a line of metrics per epoch, checkpoints, weights,
report."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mapsi.artifacts import atomic_file, file_digest, read_json, write_json
from mapsi.dataset.manifest import Manifest, write_manifest
from mapsi.dataset.photos import Sample
from mapsi.errors import ArtifactError
from mapsi.evaluate import Photo
from mapsi.learn.recipe import Recipe, recipe_from

WEIGHTS = "weights.safetensors"
CONFIG = "run.json"
METRICS = "metrics.csv"
MANIFEST = "manifest.csv"
REPORT = "report.json"
CURVES = "curves.png"
CHECKPOINT = Path("checkpoints") / "last.ckpt"


@dataclass(frozen=True, slots=True)
class RunConfig:
    """What has to be known in order to use a run. ``name`` is the recipe's, ``manifest`` the SHA-256 of its manifest
    file, ``start`` says which weights it started from, ``attributes`` are the axes that say how a garment is and not
    what it is."""

    name: str
    recipe: Recipe
    classes: Mapping[str, Sequence[str]]
    size: int
    root: str
    manifest: str
    start: str
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TrainingSet:
    """What is learned from and measured on: labelled photos, their paths written below ``root``, and the slugs of the
    classes to tell apart by axis. ``attributes`` are the axes that say how a garment is and not what it is."""

    manifest: Manifest
    classes: Mapping[str, Sequence[str]]
    root: Path
    attributes: tuple[str, ...] = ()


def prepare_run(run: Path, data: TrainingSet, recipe: Recipe, name: str, start: str) -> None:
    """Make the run folder and write what the run is about; ``start`` says which weights it starts from.

    Raises :class:`ArtifactError` where it cannot be written, or where it is the folder of a run with another recipe,
    other photos, other classes or another start.
    """
    try:
        with atomic_file(run / MANIFEST) as beside:
            write_manifest(beside, data.manifest, data.root)
            config = {
                "name": name,
                "recipe": recipe.to_json(),
                "classes": {axis: list(slugs) for axis, slugs in data.classes.items()},
                "size": recipe.phases[-1].size,
                "root": str(data.root),
                "manifest": file_digest(beside),
                "start": start,
                "attributes": list(data.attributes),
            }
            if (run / CONFIG).exists():
                _refuse_another(run, config)
        write_json(run / CONFIG, config)
    except OSError as error:
        raise ArtifactError(
            f"The run folder {run} cannot be written: {error.strerror}.", "Choose another with --into."
        ) from error


def _refuse_another(run: Path, config: Mapping[str, Any]) -> None:
    earlier = read_json(run / CONFIG, "The run")
    for key, value in json.loads(json.dumps(config)).items():
        if earlier.get(key) != value:
            what = {"name": "recipe", "size": "recipe", "manifest": "split or photos"}.get(key, key)
            raise ArtifactError(f"{run} is a run with another {what}.", "Choose another folder with --into.")


def read_run(run: Path) -> RunConfig:
    """The configuration of a run folder; raises :class:`ArtifactError` where it is none."""
    try:
        document = json.loads((run / CONFIG).read_text("utf-8"))
        return RunConfig(
            document["name"],
            recipe_from(document["recipe"], f"The recipe of {run}"),
            document["classes"],
            int(document["size"]),
            document["root"],
            document["manifest"],
            document["start"],
            tuple(document["attributes"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"{run} is not a run folder.", "Make one with `mapsi train`.") from error


def read_metrics(run: Path) -> list[dict[str, float]]:
    """The finished epochs of a run, in order; empty before the first one ends."""
    file = run / METRICS
    if not file.exists():
        return []
    with file.open(encoding="utf-8", newline="") as lines:
        return [{key: float(value) for key, value in row.items() if value} for row in csv.DictReader(lines)]


def write_epoch(run: Path, row: Mapping[str, float]) -> list[dict[str, float]]:
    """Add an epoch to the metrics; an earlier line of the same epoch, of a run that was killed before its checkpoint,
    is replaced. Returns all of them."""
    rows = [earlier for earlier in read_metrics(run) if earlier["epoch"] < row["epoch"]]
    rows.append({key: round(float(value), 5) for key, value in row.items()})
    names = list(dict.fromkeys(name for one in rows for name in one))
    with atomic_file(run / METRICS) as beside, beside.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, names)
        writer.writeheader()
        writer.writerows(rows)
    return rows


@dataclass(frozen=True, slots=True)
class RunSummary:
    """A run at a glance. ``figures`` are those of its last epoch, or of its report where it is an average of runs and
    has no epochs; ``minutes`` is what its epochs took, on the clock."""

    name: str
    config: RunConfig
    epochs: int
    figures: Mapping[str, float]
    minutes: float
    finished: bool

    @property
    def planned(self) -> int:
        """How many epochs the recipe asks for."""
        return self.config.recipe.epochs

    def to_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "recipe": self.config.name,
            "backbone": self.config.recipe.backbone,
            "size": self.config.size,
            "epochs": self.epochs,
            "planned": self.planned,
            "finished": self.finished,
            "minutes": round(self.minutes, 1),
            "manifest": self.config.manifest,
            "figures": dict(self.figures),
        }


def list_runs(folder: Path) -> list[RunSummary]:
    """The runs in ``folder``, or ``folder`` itself where it is one, by name; raises :class:`ArtifactError` for none."""
    places = [folder] if (folder / CONFIG).exists() else sorted(p.parent for p in folder.glob(f"*/{CONFIG}"))
    if not places:
        raise ArtifactError(f"There is no run in {folder}.", "Make one with `mapsi train --into FOLDER/NAME`.")
    return [_summary(place) for place in places]


def _summary(run: Path) -> RunSummary:
    rows = read_metrics(run)
    last = rows[-1] if rows else _reported(run)
    return RunSummary(
        name=run.name,
        config=read_run(run),
        epochs=len(rows),
        figures={key: value for key, value in last.items() if key.endswith(("_accuracy", "_f1"))},
        minutes=sum(row["seconds"] for row in rows) / 60,
        finished=(run / WEIGHTS).exists(),
    )


def _reported(run: Path) -> dict[str, float]:
    """The figures of a run's report under the names of the metrics; empty before there is one."""
    if not (run / REPORT).exists():
        return {}
    figures: dict[str, float] = {}
    for axis, report in read_json(run / REPORT, "The report").items():
        figures |= {f"{axis}_accuracy": report["accuracy"], f"{axis}_f1": report["macro"]["f1"]}
    return figures


def photos_of(samples: Sequence[Sample], axis: str, root: Path) -> list[Photo]:
    """The samples that have a label on ``axis``, as evaluation sees them, named by their paths in ``root``."""
    return [
        Photo(
            path=s.path,
            name=(s.path.relative_to(root) if s.path.is_relative_to(root) else s.path).as_posix(),
            label=s.labels[axis],
            block=s.block,
            marks={"proxy": "yes" if s.proxy else "no"} | ({"source": s.source} if s.source else {}),
            box=s.box,
        )
        for s in samples
        if axis in s.labels
    ]
