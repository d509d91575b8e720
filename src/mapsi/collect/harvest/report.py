"""How a collection ended: for each class, source by source, what was found and what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mapsi.collect.harvest.ledger import LedgerLine

_COLUMNS = ("class", "asked", "kept", "found", "refused", "duplicate", "failed", "waiting")


@dataclass(slots=True)
class Tally:
    """What one source did for one class. ``found`` counts different addresses; each is kept, refused, a duplicate,
    failed (all by reason), or waits for another run because its host asked so (``waiting``, by host).

    ``end`` says in a sentence why the source gave no more; empty where it was not asked for more.
    """

    kept: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    duplicate: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    waiting: Counter[str] = field(default_factory=Counter)
    end: str = ""

    @property
    def found(self) -> int:
        return self.kept + sum(c.total() for c in (self.refused, self.duplicate, self.failed, self.waiting))

    def add(self, line: LedgerLine) -> None:
        match line.outcome:
            case "kept":
                self.kept += 1
            case "refused":
                self.refused[line.reason] += 1
            case "duplicate":
                self.duplicate[line.reason] += 1
            case "failed":
                self.failed[line.reason] += 1

    def to_json(self) -> dict[str, Any]:
        counters = {name: dict(getattr(self, name)) for name in ("refused", "duplicate", "failed", "waiting")}
        return {"found": self.found, "kept": self.kept, **counters, "end": self.end}


@dataclass(slots=True)
class ClassReport:
    """One class: how many photos were ``asked`` for, how many it ``has`` now (by whichever run), and its sources."""

    slug: str
    asked: int
    has: int
    sources: dict[str, Tally]

    @property
    def is_short(self) -> bool:
        return self.has < self.asked

    def to_json(self) -> dict[str, Any]:
        sources = {name: tally.to_json() for name, tally in self.sources.items()}
        return {"asked": self.asked, "has": self.has, "sources": sources}

    def why(self) -> list[str]:
        """Why the class is short: a sentence about it and one about each source."""
        sentences = [f"{self.slug} has {self.has} of {self.asked} photos."]
        return sentences + [f"  {name}: {_account(tally)}" for name, tally in self.sources.items()]


def tally_lines(lines: Iterable[LedgerLine], cls: str, sources: Sequence[str]) -> dict[str, Tally]:
    """The ledger's account of one class: ``sources`` first, then those of earlier runs."""
    tallies = {name: Tally() for name in sources}
    for line in lines:
        if line.cls == cls:
            tallies.setdefault(line.source, Tally()).add(line)
    return tallies


def table(reports: Sequence[ClassReport]) -> str:
    """The classes as a table for a terminal."""
    rows = [_COLUMNS, *(_row(report.slug, report.asked, report.has, report.sources.values()) for report in reports)]
    if len(reports) > 1:
        everything = [tally for report in reports for tally in report.sources.values()]
        rows.append(_row("all", sum(r.asked for r in reports), sum(r.has for r in reports), everything))
    widths = [max(len(row[i]) for row in rows) for i in range(len(_COLUMNS))]
    return "\n".join(
        "  ".join(
            [row[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True))]
        )
        for row in rows
    )


def _row(name: str, asked: int, has: int, tallies: Iterable[Tally]) -> tuple[str, ...]:
    listed = list(tallies)
    sums = [
        sum(counts)
        for counts in (
            (t.found for t in listed),
            (t.refused.total() for t in listed),
            (t.duplicate.total() for t in listed),
            (t.failed.total() for t in listed),
            (t.waiting.total() for t in listed),
        )
    ]
    return (name, str(asked), str(has), *map(str, sums))


def _account(tally: Tally) -> str:
    """One source's account in a sentence or two."""
    if not tally.found:
        return f"found nothing. {tally.end}".strip()
    parts = [f"{tally.kept} kept"]
    for word, counts in (("refused", tally.refused), ("duplicates", tally.duplicate), ("failed", tally.failed)):
        if counts:
            parts.append(f"{counts.total()} {word} ({reasons(counts)})")
    if tally.waiting:
        parts.append(f"{tally.waiting.total()} left for another run ({reasons(tally.waiting)})")
    return f"found {tally.found}: {', '.join(parts)}. {tally.end}".strip()


def reasons(counts: Mapping[str, int]) -> str:
    """Counts as words, the most first: ``42 too small, 3 damaged``."""
    return ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items(), key=lambda item: -item[1]))
