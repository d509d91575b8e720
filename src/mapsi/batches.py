"""Any number of things, so many at a time: ``itertools.batched`` as Python has it from 3.12 on, in lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

T = TypeVar("T")


def batched(values: Iterable[T], size: int) -> Iterator[list[T]]:
    """``values`` in lists of ``size``, the last one shorter: 1, 2, 3, 4, 5 by two is [1, 2], [3, 4], [5]. No more is
    taken from ``values`` than is asked for."""
    stream = iter(values)
    while batch := list(islice(stream, size)):
        yield batch
