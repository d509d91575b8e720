"""How good a model folder is on the photos held out: int8 beside float, proxies separately, strangers recognised."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mapsi.arrays import BoolArray, FloatArray, IntArray
from mapsi.batches import batched
from mapsi.dataset.photos import Sample
from mapsi.evaluate import Answers
from mapsi.evaluate.groups import source_baseline
from mapsi.evaluate.resampling import block_numbers, measure_intervals
from mapsi.evaluate.scores import accuracy, macro_f1, score
from mapsi.imaging import Preprocessing, to_input
from mapsi.infer.folder import AxisLabels
from mapsi.infer.model import Model, calibrated
from mapsi.learn.export.calibration import calibration_error
from mapsi.learn.photos import decode
from mapsi.learn.run import photos_of

BATCH = 32


def answer_samples(
    samples: Sequence[Sample], *models: Model, show: Callable[[int, Image.Image], None] = lambda row, photo: None
) -> list[dict[str, FloatArray]]:
    """Each model's raw outputs for samples, by output name, the focus maps left out (they are large). The models take
    the same views of a photo: it is decoded once for all of them, and for whoever else is to be shown it."""
    parts: list[list[dict[str, FloatArray]]] = [[] for _ in models]

    def read(row: int, sample: Sample) -> FloatArray:
        photo = decode(sample.path, box=sample.box)
        show(row, photo)
        return to_input(photo, models[0].document.preprocessing)

    for batch in batched(enumerate(samples), BATCH):
        inputs = np.stack([read(row, sample) for row, sample in batch])
        for part, model in zip(parts, models, strict=True):
            answers = model.answer(inputs)
            part.append({name: value for name, value in answers.items() if not name.startswith("focus:")})
    return [{name: np.concatenate([batch[name] for batch in part]) for name in part[0]} for part in parts]


def model_inputs(samples: Sequence[Sample], preprocessing: Preprocessing) -> FloatArray:
    """The photos as a network reads them, (n, views, 3, size, size), decoded as serving does."""
    photos = (decode(s.path, box=s.box) for s in samples)
    return np.stack([to_input(photo, preprocessing) for photo in photos])


def axis_answers(labels: AxisLabels, samples: Sequence[Sample], logits: FloatArray) -> Answers:
    """What a model says of the samples that have a label on one axis, in the form that evaluation takes."""
    photos = tuple(photos_of(samples, labels.axis, Path()))
    return Answers(photos, labels.classes, calibrated(logits, labels.temperature), np.ones(len(photos), np.bool_))


def measure_axis(
    labels: AxisLabels, answers: Answers, truth: IntArray, logits: FloatArray, plain: FloatArray
) -> dict[str, Any]:
    """The figures of one axis, as they are in ``metrics.json`` and in the card; ``plain`` are the float logits.
    Intervals are over resamples of whole blocks: photos of one sender or product are not independent evidence."""
    rng = np.random.default_rng(0)
    found = measure_intervals(answers, rng)
    figures: dict[str, Any] = score(answers.truth, answers.shares, answers.classes).to_json()
    blocks = int(block_numbers([photo.block for photo in answers.photos]).max()) + 1
    bounds = {"accuracy": asdict(found.accuracy), "macro_f1": asdict(found.macro_f1)}
    figures["intervals"] = {**bounds, "blocks": blocks}
    figures["float"] = {
        "accuracy": accuracy(truth, plain.argmax(axis=1)),
        "macro_f1": macro_f1(truth, plain.argmax(axis=1)),
    }
    figures["calibration_error"] = calibration_error(logits, truth, labels.temperature)
    proxy = np.array([photo.marks["proxy"] == "yes" for photo in answers.photos])
    if proxy.any() and not proxy.all():
        figures["proxies"] = _part(answers.of(proxy), rng)
        figures["others"] = _part(answers.of(~proxy), rng)
    return figures


def measure_sure(labels: AxisLabels, truth: IntArray, told: FloatArray, strangers: FloatArray) -> dict[str, Any]:
    """How many photos get a sure answer, how many of these are right, and how many strangers (photos without an answer
    on this axis) get one. ``told`` and ``strangers`` are logits, zeros where the photo was unfamiliar."""
    confidence = calibrated(told, labels.temperature).max(axis=1)
    sure = confidence >= labels.threshold
    odd = calibrated(strangers, labels.temperature).max(axis=1) >= labels.threshold if len(strangers) else None
    return {
        "share": float(sure.mean()),
        "accuracy": accuracy(truth[sure], told.argmax(axis=1)[sure]) if sure.any() else None,
        "strangers": len(strangers),
        "strangers_sure": None if odd is None else float(odd.mean()),
    }


def measure_source_baseline(axis: str, learned: Sequence[Sample], answers: Answers) -> dict[str, Any] | None:
    """How often the class is guessed right from a photo's source alone, beside the model: what it knows beyond that, it
    knows from the clothes. ``None`` where sources are not known."""
    found = source_baseline(answers, photos_of(learned, axis, Path()))
    return None if found is None else asdict(found)


def measure_familiar(samples: Sequence[Sample], familiar: BoolArray) -> dict[str, Any]:
    """How many photos held out are familiar: of garments, and of nothing by the folder they came from."""
    groups: dict[str, list[bool]] = {}
    for sample, near in zip(samples, familiar, strict=True):
        folder = sample.source if sample.box else f"{sample.path.parts[-3]}/{sample.path.parts[-2]}"
        name = folder if sample.nothing else "garments"
        groups.setdefault(name, []).append(bool(near))
    return {name: {"photos": len(rows), "familiar": sum(rows) / len(rows)} for name, rows in sorted(groups.items())}


def _part(answers: Answers, rng: np.random.Generator) -> dict[str, Any]:
    """Figures of some of the photos; the macro F1 is over the classes that these photos have."""
    scores = score(answers.truth, answers.shares, answers.classes)
    return {
        "n": scores.n,
        "classes": len(scores.classes),
        "accuracy": scores.accuracy,
        "macro_f1": scores.macro["f1"],
        "macro_f1_interval": asdict(measure_intervals(answers, rng).macro_f1),
    }
