"""What one format of shops' products is to the rest of mapsi."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mapsi.catalog.offer import BrokenRow, Offer


@dataclass(frozen=True, slots=True)
class Provider:
    """A format by the ``name`` it is asked for, a sentence on it, and its reader.

    ``read`` yields lazily and raises :class:`FeedError`, possibly after many offers, where the file as a whole cannot be
    used; whoever reads must then take over nothing.
    """

    name: str
    summary: str
    read: Callable[[Path], Iterator[Offer | BrokenRow]]
