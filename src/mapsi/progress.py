"""How long steps tell how far they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

Advance = Callable[[int], object]
"""Told how many more parts of a step are done."""


class Progress(Protocol):
    """Told how far a long step is, so that an edge can draw a bar."""

    def __call__(self, step: str, total: int) -> Advance:
        """Begin ``step`` of ``total`` parts; the answer is told as they are done."""


def no_progress(step: str, total: int) -> Advance:
    """Tells nobody of any step."""
    return no_advance


def no_advance(count: int) -> None:
    """Tells nobody."""
