"""One score for an answer to a photo: the probability, 0..1, that a product is what was looked for.

A logistic model over likeness and agreement, fitted on judged photos by ``benchmarks/fit_score.py``, which writes
``weights.toml``; figures in docs/decisions/0014.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from importlib.resources import files
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mapsi.arrays import FloatArray
from mapsi.errors import ArtifactError
from mapsi.search.snapshot import IndexColumns
from mapsi.search.wish import Wish

_SURE = 0.95
"""Where the last twentieth of the scores begins."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """Of the logistic model. ``likeness`` multiplies the cosine; ``sameness`` what of it is above ``alike``, from where
    on two pictures of things worn in the same place may show the very same; ``kind``, ``family`` and ``place`` the
    three agreements of :meth:`Wish.of_kind`; ``color`` and ``audience`` the shares that agree, colour as far as the
    place does: nobody who asks for black heels is shown a black shirt. An answer ends below the score ``least``."""

    bias: float
    likeness: float
    sameness: float
    alike: float
    kind: float
    family: float
    place: float
    color: float
    audience: float
    least: float

    def of_likeness(self, cosines: FloatArray, place: FloatArray) -> FloatArray:
        """What the logit has of cosines (rows,): it rises with them, and steeply above ``alike``, as far as the
        ``place`` (rows,), 0..1, agrees.

        With ``likeness`` 1.4, ``sameness`` 40 and ``alike`` 0.9, cosines of (0.7, 0.9, 0.95) give (0.98, 1.26, 3.33)
        where the place agrees, and (0.98, 1.26, 1.33) where it does not.
        """
        steep = self.sameness * place * np.maximum(cosines - self.alike, 0)
        return np.asarray(self.likeness * cosines + steep, dtype=np.float32)

    def score(self, logits: FloatArray) -> FloatArray:
        """Logits (rows,) as scores: probabilities, but for the last twentieth, which goes evenly to what is left up to
        the very picture. A hundred garments that are all of the kind asked for are not all like it by 1.00."""
        sure, most = logit(_SURE), self.of_all_that_agrees + self.likeness + self.sameness * (1 - self.alike)
        further = np.clip((logits - sure) / max(most - sure, 1.0), 0, 1)
        return np.where(logits > sure, _SURE + (1 - _SURE) * further, probability(logits)).astype(np.float32)

    @property
    def of_all_that_agrees(self) -> float:
        """The most that the logit has but for likeness."""
        return self.bias + self.kind + self.family + self.place + self.color + self.audience


def load_weights(source: Path | None = None) -> Weights:
    """The shipped weights, or those of a file; raises :class:`ArtifactError`."""
    shown = source or "weights.toml"
    names = [entry.name for entry in fields(Weights)]
    try:
        text = (files("mapsi.search") / "weights.toml" if source is None else source).read_text("utf-8")
        table = tomllib.loads(text)["weights"]
        return Weights(**{name: float(table[name]) for name in names})
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError, ValueError) as error:
        raise ArtifactError(
            f"The weights of the score in {shown} cannot be used: {error}.", "Run benchmarks/fit_score.py."
        ) from error


class Agreements(NamedTuple):
    """What the score's ``logit`` has of the rows of each cell but for likeness, the part of it that is their
    ``color``'s, and how far the ``place`` agrees, 0..1: (cells,) each. Where no kind is asked for, every place
    agrees."""

    logit: FloatArray
    color: FloatArray
    place: FloatArray


def agreements(wish: Wish, columns: IndexColumns, weights: Weights) -> Agreements:
    """How far each cell's rows are what a wish asks for, their pictures apart.

    Black heels are asked for, ``color`` is 2 and ``place`` 1. Cells of black heels, red heels and black bags: the place
    agrees by (1, 1, 0), and of the colour's weight the logits have (2, 0, 0).
    """
    cells = columns.cells
    kinds = np.array([wish.of_kind(slug) for slug in columns.kind.values], np.float32).reshape(-1, 3)
    of_kind = kinds @ np.array([weights.kind, weights.family, weights.place], np.float32)
    of_color = np.array([wish.of_color(slug) for slug in columns.color.values], np.float32) * weights.color
    of_audience = np.array([wish.of_audience(slug) for slug in columns.audience.values], np.float32) * weights.audience
    place = (kinds[:, 2] if wish.kinds else np.ones(len(kinds), np.float32))[cells.kind]
    color = of_color[cells.color] * place
    of_all = weights.bias + of_kind[cells.kind] + color + of_audience[cells.audience]
    return Agreements(np.asarray(of_all, np.float32), color, place)


def probability(logits: FloatArray) -> FloatArray:
    """Logits as probabilities."""
    return np.asarray(1 / (1 + np.exp(-logits)), dtype=np.float32)


def logit(probability: float) -> float:
    """The inverse of :func:`probability`, for 0 < probability < 1; minus infinity for 0."""
    return float(np.log(probability / (1 - probability))) if probability else -np.inf
