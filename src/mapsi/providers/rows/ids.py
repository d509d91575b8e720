"""Which ids of a shop's offers came before: of several offers with one id, the first counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

from mapsi.catalog.offer import Offer

_Row = TypeVar("_Row")


class Ids:
    """Ids that came so far, remembered as 64-bit hashes: a million of any length take less than 100 MB, and the chance
    that two of a million are taken for one is one in thirty million."""

    def __init__(self) -> None:
        self._hashes: set[int] = set()

    def is_new(self, id: str) -> bool:
        """Whether ``id`` comes for the first time; from now on it has come."""
        before = len(self._hashes)
        self._hashes.add(hash(id))
        return len(self._hashes) > before


def each_once(rows: Iterable[_Row]) -> Iterator[_Row]:
    """The rows as they come, of offers with one id the first; what is no offer passes."""
    ids = Ids()
    return (row for row in rows if not isinstance(row, Offer) or ids.is_new(row.id))
