"""What the tests of collecting share: a clock that is wound by hand, and a collection in one process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mapsi.collect.harvest.filing import held
from mapsi.collect.harvest.harvest import Order, collect, open_tools
from mapsi.collect.harvest.report import ClassReport
from mapsi.collect.harvest.screening import Screen
from mapsi.collect.harvest.visit import Visitor
from mapsi.collect.source import Found, Query, Source
from mapsi.collect.sources.api import Asking
from mapsi.collect.sources.kept_answers import KeptAnswers
from mapsi.collect.sources.parts import SourceParts
from mapsi.collect.sources.sources import open_source
from mapsi.errors import MapsiError
from mapsi.imaging import PhotoLimits
from mapsi.remote import Fetcher
from mapsi.settings import Settings, read_settings
from mapsi.taxonomy import Axis, Class, load_taxonomy
from photo_sources import CONTACT, PhotoSources

USER_AGENT = f"mapsi/test ({CONTACT})"


class WoundClock:
    """A clock that stands still until somebody sleeps; ``slept`` tells how long each time."""

    def __init__(self, now: float = 1_790_000_000.0) -> None:
        self._now = now
        self.slept: list[float] = []

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._now += seconds


def style_axis() -> Axis:
    return load_taxonomy(["paper17"]).axes["style"]


def query(text: str = "니트", language: str = "ko", slug: str = "knit") -> Query:
    return Query(text=text, language=language, cls=style_axis().find(slug))


def settings_of(server: PhotoSources, **environment: str) -> Settings:
    return read_settings({**server.environment(), **environment})


def fetcher() -> Fetcher:
    """Reaches servers on this machine."""
    return Fetcher(allow_hosts=("127.0.0.1",), user_agent=USER_AGENT)


def asking(folder: Path, clock: WoundClock | None = None, seconds: float = 20) -> Asking:
    clock = clock or WoundClock()
    return Asking(fetcher(), clock, KeptAnswers(folder, clock), seconds)


@dataclass
class Canned:
    """A source with photos by class and a fault at their end, where one is given."""

    name: str
    photos: dict[str, list[Found]]
    fault: MapsiError | None = None
    asked: list[str] = field(default_factory=list)

    def search(self, query: Query) -> Iterator[Found]:
        self.asked.append(query.text)
        yield from self.photos.get(query.cls.slug, []) if query.text == query.cls.name.ko else []
        if self.fault is not None:
            raise self.fault


def founds(addresses: Sequence[str], **about: Any) -> list[Found]:
    return [Found(address=address, rank=rank, **about) for rank, address in enumerate(addresses, start=1)]


class Silent:
    """Nobody looks on; ``kept_count`` counts what was kept."""

    def __init__(self) -> None:
        self.kept_count = 0

    def begin(self, cls: Class, has: int, asked: int) -> None: ...

    def kept(self) -> None:
        self.kept_count += 1

    def end(self, report: ClassReport) -> None: ...


@dataclass
class Run:
    """A collection in this process, with a clock that does not wait."""

    folder: Path
    min_side: int = 100
    clock: WoundClock = field(default_factory=WoundClock)
    max_bytes: int = 1 << 20
    seconds: float = 2

    def named(
        self, server: PhotoSources, names: Sequence[str], slugs: Sequence[str], **order: Any
    ) -> list[ClassReport]:
        """Collect from real sources by their names."""
        with held(self.folder) as inner:
            parts = SourceParts(settings_of(server), fetcher(), self.clock, inner)
            return self._collect([open_source(name, parts) for name in names], slugs, **order)

    def given(self, sources: Sequence[Source], slugs: Sequence[str] = ("knit",), **order: Any) -> list[ClassReport]:
        """Collect from sources of the test's own."""
        with held(self.folder):
            return self._collect(sources, slugs, **order)

    def _collect(self, sources: Sequence[Source], slugs: Sequence[str], **order: Any) -> list[ClassReport]:
        axis = style_axis()
        screen = Screen(PhotoLimits(self.max_bytes, 4_000_000), self.min_side)
        visitor = Visitor(fetcher(), self.clock, screen, self.seconds)
        with open_tools(self.folder, axis, sources, visitor, self.clock, Order(**order)) as tools:
            return collect(self.folder, [axis.find(slug) for slug in slugs], tools, Silent())
