"""All figures of one model on one set of photos, as one document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from mapsi.evaluate.answers import Answers, Candidate, Unreadable
from mapsi.evaluate.comparison import Comparison, Difference
from mapsi.evaluate.confusion import ConfusedPair, Confusion, count_confusion, most_confused
from mapsi.evaluate.coverage import RiskCoverage, Sure, measure_sure, risk_coverage
from mapsi.evaluate.groups import Group, SourceBaseline, measure_groups, source_baseline
from mapsi.evaluate.photos import Photo
from mapsi.evaluate.reliability import Reliability, measure_reliability
from mapsi.evaluate.resampling import ROUNDS, Intervals, block_numbers, measure_intervals
from mapsi.evaluate.scores import Scores, score

CURVE_POINTS = 200


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of a model on ``axis`` after it answered the photos of ``data``.

    ``blocks`` counts what was resampled: as many as photos, or fewer where photos of one sender were drawn together.
    ``unknown_classes`` are true classes that the model does not have (their photos count as missed), ``empty_classes``
    those of the model without a photo to measure on. ``sure`` is None for a model without a threshold.
    """

    axis: str
    data: str
    model: str
    fingerprint: str
    classes: tuple[str, ...]
    scores: Scores
    intervals: Intervals
    blocks: int
    reliability: Reliability
    risk: RiskCoverage
    sure: Sure | None
    confusion: Confusion
    confused: tuple[ConfusedPair, ...]
    groups: Mapping[str, tuple[Group, ...]]
    baseline: SourceBaseline | None
    unreadable: tuple[Unreadable, ...]
    against: Comparison | None

    @property
    def unknown_classes(self) -> tuple[str, ...]:
        return tuple(slug for slug in self.confusion.rows if slug not in self.classes)

    @property
    def empty_classes(self) -> tuple[str, ...]:
        return tuple(slug for slug in self.classes if slug not in self.confusion.rows)

    def to_json(self) -> dict[str, Any]:
        """The document ``report.json``: shares are 0..1, photos go by their names."""
        return {
            "axis": self.axis,
            "data": self.data,
            "model": {"name": self.model, "fingerprint": self.fingerprint, "classes": list(self.classes)},
            **self.scores.to_json(),
            "intervals": {**asdict(self.intervals), "rounds": ROUNDS, "blocks": self.blocks},
            "calibration_error": self.reliability.error,
            "brier": self.reliability.brier,
            "reliability": [asdict(b) for b in self.reliability.bins],
            "sure": None if self.sure is None else asdict(self.sure),
            "risk_coverage": _curve(self.risk),
            "confusion": {
                "rows": list(self.confusion.rows),
                "columns": list(self.confusion.columns),
                "counts": self.confusion.counts.tolist(),
            },
            "confused": [_pair(pair) for pair in self.confused],
            "groups": {mark: [asdict(group) for group in groups] for mark, groups in self.groups.items()},
            "source_baseline": None if self.baseline is None else asdict(self.baseline),
            "unreadable": [photo.name for photo in self.unreadable],
            "unknown_classes": list(self.unknown_classes),
            "empty_classes": list(self.empty_classes),
            "against": None if self.against is None else _comparison(self.against),
        }


def build_report(
    answers: Answers,
    candidate: Candidate,
    *,
    axis: str,
    data: str,
    rng: np.random.Generator,
    unreadable: Sequence[Unreadable] = (),
    elsewhere: Sequence[Photo] = (),
    against: Comparison | None = None,
) -> Report:
    """Measure everything that ``answers`` tell of ``candidate``; ``elsewhere`` are photos that it learned from."""
    return Report(
        axis=axis,
        data=data,
        model=candidate.name,
        fingerprint=candidate.fingerprint,
        classes=candidate.classes,
        scores=score(answers.truth, answers.shares, answers.classes),
        intervals=measure_intervals(answers, rng),
        blocks=int(block_numbers([photo.block for photo in answers.photos]).max()) + 1,
        reliability=measure_reliability(answers),
        risk=risk_coverage(answers.trust, answers.right),
        sure=None if candidate.threshold is None else measure_sure(answers, candidate.threshold),
        confusion=count_confusion(answers),
        confused=most_confused(answers),
        groups=measure_groups(answers, rng),
        baseline=source_baseline(answers, elsewhere),
        unreadable=tuple(unreadable),
        against=against,
    )


def _curve(risk: RiskCoverage) -> dict[str, Any]:
    """The curve with at most 200 points, and the areas of all of it."""
    last = len(risk.coverage) - 1
    kept = np.unique(np.linspace(0, last, min(CURVE_POINTS, last + 1)).round().astype(int))
    return {
        "area": risk.area,
        "least_area": risk.least_area,
        "coverage": risk.coverage[kept].tolist(),
        "risk": risk.risk[kept].tolist(),
    }


def _pair(pair: ConfusedPair) -> dict[str, Any]:
    photos = [{"photo": e.photo.name, "confidence": e.confidence} for e in pair.examples]
    return {"truth": pair.truth, "told": pair.told, "n": pair.n, "of": pair.of, "photos": photos}


def _comparison(found: Comparison) -> dict[str, Any]:
    return {
        **asdict(found),
        "accuracy": _difference(found.accuracy, found.accuracy_differs),
        "macro_f1": _difference(found.macro_f1, found.macro_f1_differs),
        "sentences": list(found.sentences),
    }


def _difference(found: Difference, differs: bool) -> dict[str, Any]:
    return {**asdict(found), "more_than_chance": differs}
