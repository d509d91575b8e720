"""What a source of photos is to the rest of mapsi: a name, and an answer to search words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from mapsi.taxonomy import Class


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """The words that one class is searched by in one language; ``language`` is ``ko`` or ``en``."""

    text: str
    language: str
    cls: Class


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A photo that a source named. ``rank`` counts from 1 within its query.

    ``address`` is an absolute http(s) address, or a path for a source that lies on this machine. Empty texts are not
    known. ``licence`` is a short name such as ``CC BY-SA 4.0``.
    """

    address: str
    rank: int
    page: str = ""
    title: str = ""
    creator: str = ""
    licence: str = ""
    licence_address: str = ""


class Source(Protocol):
    """A place that answers search words with photos.

    ``search`` yields lazily, so that no more is asked of a source than is wanted, and yields the same photos in the same
    order when it is asked again soon after. It raises a ``MapsiError`` of :mod:`mapsi.collect.faults` where the source
    cannot answer, possibly after many photos; what was yielded before stays good.
    """

    @property
    def name(self) -> str:
        """The name it is asked for by, in small letters."""

    def search(self, query: Query) -> Iterator[Found]:
        """Photos for ``query``, the best first."""
