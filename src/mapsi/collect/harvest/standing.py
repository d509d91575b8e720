"""Which sources are still asked in this run, and why the others are not."""

from __future__ import annotations

from mapsi.collect.faults import SourceFault
from mapsi.errors import MapsiError

STRIKES = 3
"""Faults of a source, one after the other, after which it is asked no more in this run."""


class Standing:
    """The sources' record in one run."""

    def __init__(self) -> None:
        self._out: dict[str, str] = {}
        self._strikes: dict[str, int] = {}

    def answered(self, source: str) -> None:
        """The source gave a photo: earlier faults are forgiven."""
        self._strikes.pop(source, None)

    def failed(self, source: str, error: MapsiError) -> None:
        """The source could not answer. A lasting fault, or the third one in a row, puts it out."""
        self._strikes[source] = self._strikes.get(source, 0) + 1
        lasting = error.lasting if isinstance(error, SourceFault) else True
        if lasting or self._strikes[source] >= STRIKES:
            self._out[source] = str(error)

    def why_out(self, source: str) -> str | None:
        """The fault that put a source out; None where it is still asked."""
        return self._out.get(source)
