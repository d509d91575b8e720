"""How long steps tell how far they are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol


class Progress(Protocol):
    """Told how far a long step is, so that an edge can draw a bar."""

    def __call__(self, step: str, total: int) -> Callable[[int], object]:
        """Begin ``step`` of ``total`` parts; the answer is told how many more are done."""


def no_progress(step: str, total: int) -> Callable[[int], object]:
    """Tells nobody."""
    return lambda count: None
