"""The report of a finished run: what its float network says of the photos held out, by axis."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL.Image import Image

from mapsi.artifacts import file_digest, write_json
from mapsi.dataset.manifest import Manifest, read_manifest
from mapsi.evaluate import Answers, Candidate, Report, answer_photos, build_report
from mapsi.evaluate.answers import Unreadable
from mapsi.evaluate.report.pages import write_report
from mapsi.imaging import to_views
from mapsi.learn.fitting.training import load_weights
from mapsi.learn.network import AxisNetwork, answer_views
from mapsi.learn.photos import FIT
from mapsi.learn.run import MANIFEST, REPORT, WEIGHTS, RunConfig, photos_of, read_run

Names = Mapping[str, Mapping[str, str]]
"""The classes' names for people, by axis and slug."""


def report_run(run: Path, names: Names, say: Callable[[str], None] = print) -> dict[str, Report]:
    """Measure a finished run on its held-out photos and write ``report/AXIS/report.html`` beside ``report.json``.

    Answers are those of the float network, with the recipe's test-time averaging; ``mapsi evaluate`` measures the model
    folder that is made of it. Raises :class:`ArtifactError` where the run is not finished or its photos are gone.
    """
    config = read_run(run)
    manifest = read_manifest(run / MANIFEST, Path(config.root))
    network = load_weights(run, config)
    reports = {}
    for axis in config.classes:
        answers, candidate, unreadable = answer_axis(network, run, config, manifest, axis)
        learned = photos_of(manifest.part("train"), axis, Path(config.root))
        rng = np.random.default_rng(0)
        told: dict[str, Any] = {"axis": axis, "data": "photos held out", "elsewhere": learned}
        reports[axis] = build_report(answers, candidate, rng=rng, unreadable=unreadable, **told)
        if unreadable:
            say(f"{axis}: {len(unreadable)} photos held out cannot be read, {unreadable[0].name} first.")
        page = write_report(reports[axis], run / "report" / axis, names.get(axis, {}))
        say(f"{axis}: {page}")
    write_json(run / REPORT, {axis: report.to_json() for axis, report in reports.items()})
    return reports


def answer_axis(
    network: AxisNetwork, run: Path, config: RunConfig, manifest: Manifest, axis: str
) -> tuple[Answers, Candidate, list[Unreadable]]:
    """What a run's network says of the photos held out on one axis, the network as a candidate, and the photos that
    cannot be read."""
    held = [s for s in manifest.part("validation") if s.labels.get(axis) in config.classes[axis]]
    photos = photos_of(held, axis, Path(config.root))
    close_up = config.recipe.close_up

    def ask(pictures: Sequence[Image]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
        shares = class_shares(network, [to_views(p, config.size, FIT, close_up) for p in pictures], axis)
        return shares, np.ones(len(pictures), dtype=np.bool_)

    candidate = Candidate(run.name, file_digest(run / WEIGHTS)[:16], tuple(config.classes[axis]), None, ask)
    (answers,), unreadable = answer_photos([candidate], photos)
    return answers, candidate, unreadable


def class_shares(network: AxisNetwork, pictures: Sequence[Sequence[Image]], axis: str) -> npt.NDArray[np.float32]:
    """Class probabilities (n, C) of pictures, each by its views of the network's size."""
    pixels = np.stack([np.stack([np.asarray(view) for view in views]) for views in pictures])
    with torch.inference_mode():
        logits = answer_views(network, torch.from_numpy(pixels).permute(0, 1, 4, 2, 3))[axis]
        shares: npt.NDArray[np.float32] = logits.softmax(dim=1).numpy()
    return shares
