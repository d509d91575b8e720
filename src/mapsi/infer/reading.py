"""What a model says of one photo."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mapsi.arrays import FloatArray


@dataclass(frozen=True, slots=True)
class Guess:
    """A class and the calibrated probability, 0..1, that it is the right one."""

    slug: str
    confidence: float


@dataclass(frozen=True, slots=True)
class AxisReading:
    """The answer on one axis. ``top`` holds all classes of the model, the likeliest first. ``known`` is false where the
    model would rather not say: the first guess is then a guess and must be shown as one. ``focus`` is the
    class-activation map of the first guess, (h, w), 0..1."""

    axis: str
    known: bool
    top: tuple[Guess, ...]
    focus: FloatArray

    @property
    def best(self) -> Guess:
        return self.top[0]


@dataclass(frozen=True, slots=True)
class Reading:
    """All that a model says of one photo: an embedding of unit length, (width,), and an answer per axis. ``model`` is
    the fingerprint of the model: embeddings of two models cannot be compared."""

    embedding: FloatArray
    axes: Mapping[str, AxisReading]
    model: str = ""

    @property
    def known(self) -> bool:
        """Whether any axis is known; where none is, the photo may show no garment at all."""
        return any(axis.known for axis in self.axes.values())
