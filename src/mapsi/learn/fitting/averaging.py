"""The weights of several runs of one network, averaged into one: no slower to serve, often better than each.

Runs that started from the same weights, or one from the other, lie in one valley of the loss, so that their mean
is a working network too (Wortsman et al., 2022, "Model soups"; "Robust fine-tuning of zero-shot models").
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from mapsi.dataset.manifest import ManifestPart, read_manifest
from mapsi.errors import ArtifactError, UsageError
from mapsi.learn.fitting.derived import refuse_a_folder_in_use, write_derived
from mapsi.learn.fitting.training import load_weights
from mapsi.learn.run import MANIFEST, RunConfig, read_run

NAME = "average"


def average_runs(runs: Sequence[Path], into: Path, shares: Sequence[float] | None = None) -> RunConfig:
    """Write a finished run ``into`` whose weights are those of ``runs`` in ``shares`` (equal ones, where None is
    given).

    Recipe and split are the last run's. Raises :class:`UsageError` for shares that do not fit or a folder in use, and
    :class:`ArtifactError` where a run is unfinished, of another network or other classes, or has learned from a photo
    that the last one is measured on.
    """
    if len(runs) < 2:
        raise UsageError("One run has no average.", "Name two runs or more.")
    parts = _normalised(shares or [1.0] * len(runs), len(runs))
    refuse_a_folder_in_use(into)
    last = read_run(runs[-1])
    held = _paths(runs[-1], last, "validation")
    for run in runs[:-1]:
        config = read_run(run)
        _refuse_another_kind(run, config, last)
        _refuse_seen_photos(run, _paths(run, config, "train") & held, runs[-1])
    states = [load_weights(run, last).state_dict() for run in runs]
    start = ", ".join(f"{share:.3g} of {run.resolve().name}" for share, run in zip(parts, runs, strict=True))
    averaged = replace(last, name=NAME, start=start)
    write_derived(runs[-1], into, averaged, _average(states, parts))
    return averaged


def _normalised(shares: Sequence[float], count: int) -> list[float]:
    if len(shares) != count or min(shares) < 0 or sum(shares) <= 0:
        raise UsageError(f"{count} runs need {count} shares, each 0 or more.", "For example --shares 1,3 for two runs.")
    return [share / sum(shares) for share in shares]


def _refuse_another_kind(run: Path, config: RunConfig, last: RunConfig) -> None:
    for what, same in (
        ("backbone", config.recipe.backbone == last.recipe.backbone),
        ("class list", config.classes == last.classes),
    ):
        if not same:
            raise ArtifactError(f"{run} has another {what} than the last run.", "Average runs of one network only.")


def _paths(run: Path, config: RunConfig, part: ManifestPart) -> set[Path]:
    return {sample.path for sample in read_manifest(run / MANIFEST, Path(config.root)).part(part)}


def _refuse_seen_photos(run: Path, seen: set[Path], last: Path) -> None:
    """A figure on photos that a part of the average has learned from would be worth nothing."""
    if seen:
        raise ArtifactError(
            f"{run} learned from {len(seen)} photos that {last} is measured on.",
            "Train all runs with one manifest (--manifest).",
        )


def _average(states: Sequence[dict[str, Tensor]], shares: Sequence[float]) -> dict[str, Tensor]:
    """Counters, which are whole numbers, are taken from the last run."""
    average = dict(states[-1])
    for name, value in average.items():
        if value.is_floating_point():
            parts = torch.stack([state[name].float() for state in states])
            average[name] = torch.einsum("n,n...->...", torch.tensor(shares), parts).to(value.dtype)
    return average
