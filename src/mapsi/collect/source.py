"""What a source of photos is to the rest of mapsi: a name, and an answer to search words."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any, Protocol, runtime_checkable

from mapsi.taxonomy import Axis, Class


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """The words that one class is searched by in one language; ``language`` is ``ko`` or ``en``."""

    text: str
    language: str
    cls: Class


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a photo is from, as a source says. ``rank`` counts from 1 within its query. Empty texts are not known;
    ``licence`` is a short name such as ``CC BY-SA 4.0``."""

    address: str
    rank: int
    page: str = ""
    title: str = ""
    creator: str = ""
    licence: str = ""
    licence_address: str = ""

    def origin(self) -> dict[str, Any]:
        """These fields by name, for another record that has them."""
        return {field.name: getattr(self, field.name) for field in fields(Origin)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Found(Origin):
    """A photo that a source named.

    ``address`` is an absolute http(s) address; with ``local`` it is a path on this machine, which a source sets of
    itself and never because an answer from outside says so. ``width`` and ``height`` are what the source says of the
    photo at the address, in pixels, 0 where it says nothing: a photo that is too small then needs no visit.
    """

    width: int = 0
    height: int = 0
    local: bool = False


class Source(Protocol):
    """A place that answers search words with photos.

    ``search`` yields lazily, so that no more is asked of a source than is wanted, and yields the same photos in the
    same order when it is asked again soon after. It raises a ``MapsiError`` of :mod:`mapsi.collect.faults` where the
    source cannot answer, possibly after many photos; what was yielded before stays good.
    """

    @property
    def name(self) -> str:
        """The name it is asked for by, in lower case."""

    def search(self, query: Query) -> Iterator[Found]:
        """Photos for ``query``, the best first."""


@runtime_checkable
class Remarking(Protocol):
    """A source that knows beforehand what of it nobody will ask for."""

    def remarks(self, axis: Axis) -> list[str]:
        """Sentences on what belongs to no class of the axis."""
