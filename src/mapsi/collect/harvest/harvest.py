"""The harvest: class by class, until each has what was asked for or no source has more; each class's account is written
down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mapsi.artifacts import write_json
from mapsi.collect.faults import NothingCollectedError
from mapsi.collect.harvest.class_work import ClassWork, Standing, Tools
from mapsi.collect.harvest.downloads import Downloads
from mapsi.collect.harvest.filing import Collection
from mapsi.collect.harvest.lanes import NamedPhoto
from mapsi.collect.harvest.ledger import Ledger
from mapsi.collect.harvest.report import ClassReport
from mapsi.collect.harvest.screening import ScreenedPhoto, Unfit
from mapsi.collect.harvest.visit import Visitor, host_of
from mapsi.collect.pace import Clock
from mapsi.collect.source import Source
from mapsi.taxonomy import Axis, Class


class Watcher(Protocol):
    """What is told how a harvest proceeds."""

    def begin(self, cls: Class, has: int, asked: int) -> None:
        """Work on a class begins; it has this many photos from earlier runs."""

    def kept(self) -> None:
        """The class has one photo more."""

    def end(self, report: ClassReport) -> None:
        """The class has what was asked for, or no source has more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What is asked for: photos per class, the languages of the search words, whether photos that failed to arrive in
    an earlier run are tried again, and how many downloads run at once."""

    per_class: int
    languages: tuple[str, ...] = ("ko", "en")
    failed_again: bool = False
    threads: int = 8


@contextmanager
def open_tools(
    folder: Path, axis: Axis, sources: Sequence[Source], visitor: Visitor, clock: Clock, order: Order
) -> Iterator[Tools]:
    """Open the folder of a collection, which is held by the caller, and put right what a killed run left there."""
    downloads: Downloads[NamedPhoto, ScreenedPhoto | Unfit] = Downloads(visitor.visit, host_of, clock, order.threads)
    with closing(Ledger(folder, failed_again=order.failed_again)) as ledger, closing(downloads):
        yield Tools(
            ledger=ledger,
            collection=Collection(folder, ledger, axis.by_slug),
            sources=sources,
            standing=Standing(),
            screen=visitor.screen,
            downloads=downloads,
            clock=clock,
            per_class=order.per_class,
            languages=order.languages,
        )


def collect(folder: Path, classes: Sequence[Class], tools: Tools, watcher: Watcher) -> list[ClassReport]:
    """Collect photos for all classes into ``folder``; gives each one's account, also in ``report.json``.

    A stop at any point loses the photos that are on their way, and nothing else: the same call continues from there.
    """
    reports: list[ClassReport] = []
    for cls in classes:
        watcher.begin(cls, tools.collection.count(cls.slug), tools.per_class)
        work = ClassWork(cls, tools, watcher.kept)
        try:
            work.run()
        finally:
            work.close()
            tools.collection.write_labels()
        reports.append(work.report())
        _write_report(folder, reports, tools, finished=len(reports) == len(classes))
        watcher.end(reports[-1])
    return reports


def _write_report(folder: Path, reports: Sequence[ClassReport], tools: Tools, *, finished: bool) -> None:
    write_json(
        folder / "report.json",
        {
            "time": tools.moment(),
            "finished": finished,
            "asked_per_class": tools.per_class,
            "classes": {report.slug: report.to_json() for report in reports},
        },
    )


def refuse_nothing(reports: Sequence[ClassReport]) -> None:
    """Raises :class:`NothingCollectedError`, naming them, where classes ended without a single photo."""
    empty = [report.slug for report in reports if report.has == 0]
    if empty:
        listed = ", ".join(empty[:5]) + (f" and {len(empty) - 5} more" if len(empty) > 5 else "")
        raise NothingCollectedError(
            f"No photo at all was kept for {listed}.", "The lines above say why, source by source."
        )
