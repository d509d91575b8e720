"""What a model folder is worth on the photos held out: int8 beside float, proxies apart, strangers told apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from mapsi.arrays import FloatArray, IntArray
from mapsi.dataset.photos import Sample
from mapsi.evaluate import Answers
from mapsi.evaluate.groups import source_baseline
from mapsi.evaluate.scores import accuracy, bootstrap, macro_f1, score
from mapsi.imaging import Preprocessing, to_input
from mapsi.infer.folder import AxisLabels, ModelDocument
from mapsi.infer.model import Model, calibrated
from mapsi.learn.calibration import calibration_error
from mapsi.learn.photos import decode
from mapsi.learn.run import photos_of

BATCH = 32


def answer_samples(model: Model, samples: Sequence[Sample]) -> dict[str, FloatArray]:
    """Raw outputs of a model for samples, by output name, the focus maps left out (they are large)."""
    parts: list[dict[str, FloatArray]] = []
    for start in range(0, len(samples), BATCH):
        answers = model.answer(model_inputs(samples[start : start + BATCH], model.document.preprocessing))
        parts.append({name: value for name, value in answers.items() if not name.startswith("focus:")})
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def float_answers(plain: Path, document: ModelDocument, samples: Sequence[Sample]) -> dict[str, FloatArray]:
    """Logits by axis of the float network, with the same views of each photo as the model folder takes."""
    model = Model(document, ort.InferenceSession(plain, providers=["CPUExecutionProvider"]))
    answers = answer_samples(model, samples)
    return {labels.axis: answers[f"logits:{labels.axis}"] for labels in document.axes}


def model_inputs(samples: Sequence[Sample], preprocessing: Preprocessing) -> FloatArray:
    """The photos as a network reads them, (n, views, 3, size, size), decoded as serving does."""
    photos = (decode(s.path, box=s.box) for s in samples)
    return np.stack([to_input(photo, preprocessing) for photo in photos])


def measure_axis(
    labels: AxisLabels, samples: Sequence[Sample], truth: IntArray, logits: FloatArray, plain: FloatArray
) -> dict[str, Any]:
    """The figures of one axis, as they stand in ``metrics.json`` and in the card; ``plain`` are the float logits."""
    guess = logits.argmax(axis=1)
    shares = calibrated(logits, labels.temperature)
    rng = np.random.default_rng(0)
    slugs = [labels.classes[i] for i in truth]
    figures: dict[str, Any] = score(slugs, shares, labels.classes).to_json()
    figures["intervals"] = {
        "accuracy": asdict(bootstrap(truth, guess, accuracy, rng)),
        "macro_f1": asdict(bootstrap(truth, guess, macro_f1, rng)),
    }
    figures["float"] = {
        "accuracy": accuracy(truth, plain.argmax(axis=1)),
        "macro_f1": macro_f1(truth, plain.argmax(axis=1)),
    }
    figures["calibration_error"] = calibration_error(logits, truth, labels.temperature)
    proxy = np.array([s.proxy for s in samples])
    if proxy.any() and not proxy.all():
        figures["proxies"] = _part(labels, truth, guess, proxy, rng)
        figures["others"] = _part(labels, truth, guess, ~proxy, rng)
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


def measure_source_baseline(
    labels: AxisLabels, learned: Sequence[Sample], held: Sequence[Sample], logits: FloatArray
) -> dict[str, Any] | None:
    """How often the class is guessed right from a photo's source alone, beside the model: what it says above that, it
    says of clothes. ``None`` where sources are not known."""
    shares = calibrated(logits, labels.temperature)
    photos = tuple(photos_of(held, labels.axis, Path()))
    answers = Answers(photos, labels.classes, shares, np.ones(len(photos), dtype=np.bool_))
    found = source_baseline(answers, photos_of(learned, labels.axis, Path()))
    return None if found is None else asdict(found)


def measure_familiar(samples: Sequence[Sample], familiar: npt.NDArray[np.bool_]) -> dict[str, Any]:
    """How many photos held out are familiar: of garments, and of nothing by the folder they came from."""
    groups: dict[str, list[bool]] = {}
    for sample, near in zip(samples, familiar, strict=True):
        folder = sample.source if sample.box else f"{sample.path.parts[-3]}/{sample.path.parts[-2]}"
        name = folder if sample.nothing else "garments"
        groups.setdefault(name, []).append(bool(near))
    return {name: {"photos": len(rows), "familiar": sum(rows) / len(rows)} for name, rows in sorted(groups.items())}


def _part(
    labels: AxisLabels, truth: IntArray, guess: IntArray, rows: npt.NDArray[np.bool_], rng: np.random.Generator
) -> dict[str, Any]:
    """Figures of some of the photos; the macro F1 is over the classes that these photos have."""
    return {
        "n": int(rows.sum()),
        "classes": len(np.unique(truth[rows])),
        "accuracy": accuracy(truth[rows], guess[rows]),
        "macro_f1": macro_f1(truth[rows], guess[rows]),
        "macro_f1_interval": asdict(bootstrap(truth[rows], guess[rows], macro_f1, rng)),
    }
