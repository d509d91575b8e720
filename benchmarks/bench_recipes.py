"""The paper's recipe against ours: same machine, same start weights, same photos, one table.

    python benchmarks/bench_recipes.py ../shared/data --runs runs/recipes --size 128 [--only clothing] [--table-only]
        [--imagenet tf_efficientnet_lite0]

Four runs (two recipes on two data sets), each in its folder under ``--runs``. Stop it whenever you like: started again,
every run goes on from its last epoch. At the end, and with ``--table-only`` at any time, it prints the table of
docs/recipes.md; a run that has not ended is told as far as it is. Times are what the epochs took, measuring included,
in minutes of the clock and of the processor: the second is the one to compare where the machine did other things too.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from mapsi.dataset.manifest import Manifest, build_manifest, read_manifest
from mapsi.dataset.plan import read_plan
from mapsi.evaluate import Answers
from mapsi.evaluate.comparison import compare
from mapsi.evaluate.resampling import measure_intervals
from mapsi.evaluate.scores import accuracy, macro_f1
from mapsi.learn.fitting.reporting import answer_axis
from mapsi.learn.fitting.training import load_weights, train, write_weights
from mapsi.learn.network import Start
from mapsi.learn.recipe import Phase, Recipe, load_recipe
from mapsi.learn.run import CHECKPOINT, CONFIG, MANIFEST, WEIGHTS, TrainingSet, list_runs, read_metrics, read_run
from mapsi.taxonomy import load_taxonomy

PLANS = Path(__file__).parents[1] / "docs" / "models"
AXES = {"clothing": "garment", "paper17": "style"}
HOLD_OUT = 0.2


@dataclass(frozen=True)
class Ran:
    """A run as far as it is: its answers on the photos held out, its epochs, and how many of them the recipe has."""

    answers: Answers
    rows: Sequence[Mapping[str, float]]
    axis: str
    planned: int

    def minutes(self, column: str, epochs: int | None = None) -> float:
        return sum(row[column] for row in self.rows[:epochs]) / 60

    def epochs_to(self, accuracy: float) -> int | None:
        """After how many epochs the accuracy on the photos held out is reached for the first time."""
        reached = (i for i, row in enumerate(self.rows, start=1) if row[f"{self.axis}_accuracy"] >= accuracy)
        return next(reached, None)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="folder with clothing/, paper17/ and backbone/")
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--size", type=int, default=128, help="the paper recipe's input size; ours ends there")
    parser.add_argument(
        "--imagenet", metavar="BACKBONE", help="both start from a backbone's ImageNet weights, not from resnet34-open's"
    )
    parser.add_argument("--only", choices=sorted(AXES), help="one data set")
    parser.add_argument("--recipe", choices=["paper", "mapsi"], help="one recipe")
    parser.add_argument("--table-only", action="store_true", help="tell of the runs that are there")
    given = parser.parse_args()
    sets = [given.only] if given.only else list(AXES)
    if not given.table_only:
        for data in sets:
            for name in [given.recipe] if given.recipe else ["mapsi", "paper"]:
                run(given.data.resolve(), given.runs, data, name, given.size, given.imagenet)
    for data in sets:
        print("\n".join(table(given.runs, data)))


def run(data: Path, runs: Path, name: str, recipe: str, size: int, imagenet: str | None) -> None:
    taxonomy = load_taxonomy(("paper17", "garment"))
    folder = runs / f"{recipe}-{name}"
    print(f"== {folder}", flush=True)
    manifest = _manifest(folder, data, name)
    planned = sized(load_recipe(recipe), size)
    train(
        TrainingSet(manifest, manifest.classes(taxonomy), data.parent),
        replace(planned, backbone=imagenet) if imagenet else planned,
        folder,
        start=Start(imagenet=True) if imagenet else Start(data / "backbone" / "resnet34-open.safetensors"),
        name=recipe,
        say=lambda text: print(text, flush=True),
    )


def _manifest(folder: Path, data: Path, name: str) -> Manifest:
    if (folder / MANIFEST).exists():
        return read_manifest(folder / MANIFEST, data.parent)
    plan = read_plan(PLANS / f"{name}.toml", data.parent)
    return build_manifest(plan, load_taxonomy(("paper17", "garment")), HOLD_OUT, np.random.default_rng(0))


def sized(recipe: Recipe, size: int) -> Recipe:
    """The recipe with its last phase at ``size`` pixels and the earlier ones in proportion, in multiples of 32."""
    last = recipe.phases[-1].size
    phases = tuple(Phase(max(32, round(size * p.size / last / 32) * 32), p.epochs) for p in recipe.phases)
    return replace(recipe, phases=phases)


def table(runs: Path, name: str) -> Iterator[str]:
    ran = {recipe: _ran(runs / f"{recipe}-{name}", AXES[name]) for recipe in ("paper", "mapsi")}
    yield f"\n`{name}`, axis `{AXES[name]}`:\n"
    yield "| recipe | epochs | accuracy | macro F1 | minutes | processor minutes | to the paper's accuracy |"
    yield "|---|---|---|---|---|---|---|"
    paper, ours = ran["paper"], ran["mapsi"]
    target = paper.rows[-1][f"{paper.axis}_accuracy"] if paper is not None else None
    for recipe, one in ran.items():
        if one is not None:
            yield _row(recipe, one, target)
    if paper is not None and ours is not None:
        found = compare(ours.answers, paper.answers, "paper", "", np.random.default_rng(0))
        yield "\n" + " ".join(found.sentences)
        reached = ours.epochs_to(paper.rows[-1][f"{paper.axis}_accuracy"])
        if reached is not None:
            share = ours.minutes("cpu_seconds", reached) / paper.minutes("cpu_seconds")
            which = "final accuracy" if len(paper.rows) == paper.planned else "accuracy so far"
            yield f"The paper recipe's {which} is reached in {share:.1%} of its processor time."


def _row(recipe: str, ran: Ran, target: float | None) -> str:
    truth = np.array([ran.answers.classes.index(slug) for slug in ran.answers.truth])
    guess = ran.answers.order[:, 0]
    intervals = measure_intervals(ran.answers, np.random.default_rng(0))
    right, f1 = intervals.accuracy, intervals.macro_f1
    epochs = ran.epochs_to(target) if target is not None else None
    reached = "" if epochs is None else f"{epochs} epochs, {ran.minutes('cpu_seconds', epochs):.0f} processor minutes"
    return (
        f"| {recipe} | {len(ran.rows)} of {ran.planned} | {accuracy(truth, guess):.3f} ({right.low:.3f} to "
        f"{right.high:.3f}) "
        f"| {macro_f1(truth, guess):.3f} ({f1.low:.3f} to {f1.high:.3f}) | {ran.minutes('seconds'):.0f} "
        f"| {ran.minutes('cpu_seconds'):.0f} | {reached} |"
    )


def _ran(folder: Path, axis: str) -> Ran | None:
    """A run, or None where it has not ended one epoch; of one that goes on, what its checkpoint holds."""
    if not (folder / CHECKPOINT).exists():
        print(f"{folder}: no epoch has ended", flush=True)
        return None
    config, rows = read_run(folder), read_metrics(folder)
    with tempfile.TemporaryDirectory() as copy:
        taken = Path(copy)
        for name in (CONFIG, MANIFEST):
            shutil.copy(folder / name, taken)
        write_weights(folder / CHECKPOINT, taken / WEIGHTS)
        network = load_weights(taken, config)
        held_out = read_manifest(taken / MANIFEST, Path(config.root))
        answers, *_ = answer_axis(network, taken, config, held_out, axis)
    return Ran(answers, rows, axis, list_runs(folder)[0].planned)


if __name__ == "__main__":
    main()
