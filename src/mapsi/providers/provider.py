"""What one format of shops' products is to the rest of mapsi: how it is read, and what its terms allow."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal, Protocol

from mapsi.catalog.offer import BrokenRow, Offer, Withdrawal

FeedRow = Offer | BrokenRow | Withdrawal
"""What a reader yields; a :class:`Withdrawal` only for a feed of changes."""

DisplayRule = Literal["nothing_between", "addresses_unaltered", "no_advertisements"]
"""What a page that shows offers must respect: put nothing before, after or between them; lead to the very addresses
that were given; show no advertisement beside them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What may be done with the offers of a format.

    ``hours`` is how long an offer is shown after the last time that its source named it, ``None`` for
    indefinitely; ``reason`` says in a sentence why that long. ``copies_pictures`` tells whether pictures may be kept
    here; where not, pages link to them.
    """

    hours: int | None
    reason: str
    copies_pictures: bool = True
    display: frozenset[DisplayRule] = frozenset()


class Read(Protocol):
    """A reader: the rows of ``file``, lazily, in memory that does not grow with their number.

    ``base`` is the http(s) address that the file came from: relative links and pictures are taken from there. Without
    one, a relative picture lies beside the file and a relative link is a broken row. ``now`` is the moment that an
    offer's dates are held against; without one it is that of the call.

    Raises :class:`FeedError`, possibly after many rows, where the file as a whole cannot be used; whoever reads must
    then take over nothing.
    """

    def __call__(self, file: Path, base: str = "", now: datetime | None = None) -> Iterator[FeedRow]: ...


def _never(_file: Path) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class Provider:
    """A format by the ``name`` it is asked for, a sentence on it, its reader and its terms.

    ``partial`` tells whether a file says only what changed since the one before (then what it does not name stays, and
    the rows of one id come merged to the latest), or is the whole of what there is (then what it does not name is
    gone). It raises :class:`FeedError` where the file is no such feed.
    """

    name: str
    summary: str
    read: Read
    terms: Terms
    partial: Callable[[Path], bool] = _never
