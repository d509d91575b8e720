"""What an origin delivers, and within which limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mapsi.providers.arrivals.encoding import MAX_BYTES


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much a feed may be (bytes), how long its download may take, and how long a file must have lain still to count
    as complete (seconds)."""

    max_bytes: int = MAX_BYTES
    seconds: float = 1800
    settled_after: float = 5


DEFAULTS = Limits()


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """A feed's file that is to be taken over.

    ``base`` goes to :class:`mapsi.providers.provider.Read`. ``remember`` takes the place of what was remembered, **once
    this file has been taken over**: kept too early, a feed that failed would count as known.
    """

    file: Path
    base: str = ""
    remember: Mapping[str, str] = field(default_factory=dict)
