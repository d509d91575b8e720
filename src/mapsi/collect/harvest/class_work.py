"""The work on one class: candidates from the sources in turn, visits, and a line in the ledger for what became of
each."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from mapsi.collect.faults import SourceFault
from mapsi.collect.harvest.downloads import Downloads, Postponed
from mapsi.collect.harvest.filing import Collection
from mapsi.collect.harvest.lanes import Lane, NamedPhoto, queries_of
from mapsi.collect.harvest.ledger import SAME_ADDRESS, Ledger, LedgerLine, Outcome, short_address
from mapsi.collect.harvest.report import ClassReport, tally_lines
from mapsi.collect.harvest.screening import Screen, ScreenedPhoto, Unfit
from mapsi.collect.harvest.visit import NOT_VISITED
from mapsi.collect.pace import Clock, moment
from mapsi.collect.source import Source
from mapsi.errors import MapsiError
from mapsi.taxonomy import Class

IN_FLIGHT = 24
"""How many photos are fetched at once: enough to keep several hosts busy."""

STRIKES = 3
"""Consecutive faults after which a source is not asked again in this run."""

NO_MORE = "It has no more."
NAME_LENGTH = 20
"""How many hexadecimal digits of the SHA-256 name a photo's file."""


class Standing:
    """Which sources are still being asked in this run, and why the others are not."""

    def __init__(self) -> None:
        self._out: dict[str, str] = {}
        self._strikes: dict[str, int] = {}

    def answered(self, source: str) -> None:
        """The source gave a photo: earlier faults are forgiven."""
        self._strikes.pop(source, None)

    def failed(self, source: str, error: MapsiError) -> None:
        """The source could not answer. A lasting fault, or the third one in a row, rules it out."""
        self._strikes[source] = self._strikes.get(source, 0) + 1
        lasting = error.lasting if isinstance(error, SourceFault) else True
        if lasting or self._strikes[source] >= STRIKES:
            self._out[source] = str(error)

    def why_out(self, source: str) -> str | None:
        """The fault that ruled a source out; None where it is still asked."""
        return self._out.get(source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tools:
    """What the work on every class of a run shares."""

    ledger: Ledger
    collection: Collection
    sources: Sequence[Source]
    standing: Standing
    screen: Screen
    downloads: Downloads[NamedPhoto, ScreenedPhoto | Unfit]
    clock: Clock
    per_class: int
    languages: tuple[str, ...]

    def moment(self) -> str:
        """The clock's time, UTC, as the ledger writes it."""
        return moment(self.clock).isoformat(timespec="seconds")


class ClassWork:
    """One class in one run; ``kept`` is called for each photo that is kept."""

    def __init__(self, cls: Class, tools: Tools, kept: Callable[[], None]) -> None:
        self._cls = cls
        self._tools = tools
        self._kept = kept
        self._lanes: deque[Lane] = deque()
        self._ends: dict[str, str] = {}
        self._on_way: dict[str, str] = {}
        self._postponed: dict[tuple[str, str], Postponed] = {}
        queries = queries_of(cls, tools.languages)
        for source in tools.sources:
            if (why := tools.standing.why_out(source.name)) is not None:
                self._ends[source.name] = f"It is no longer asked: {why}"
            else:
                self._lanes.append(Lane(source, queries))

    def run(self) -> None:
        """Work until the class has as many photos as were asked for, or no source has more."""
        downloads = self._tools.downloads
        while (missing := self._missing()) > 0:
            while downloads.in_flight < min(missing, IN_FLIGHT) and (named := self._next()) is not None:
                self._admit(named)
            if not downloads.in_flight:
                return
            for done, result in downloads.finished():
                self._settle(done, result)

    def close(self) -> None:
        """Let the sources release what they hold for their searches."""
        for lane in self._lanes:
            lane.close()

    def report(self) -> ClassReport:
        """The account of the class as it stands."""
        names = list(dict.fromkeys(source.name for source in self._tools.sources))
        tallies = tally_lines(self._tools.ledger.lines, self._cls.slug, names)
        for (source, _), postponed in self._postponed.items():
            until = f" (until {postponed.until})" if postponed.until else ""
            tallies[source].waiting[f"{postponed.host}{until}"] += 1
        report = ClassReport(
            self._cls.slug, self._tools.per_class, self._tools.collection.count(self._cls.slug), tallies
        )
        if report.is_short:
            for name, end in self._ends.items():
                tallies[name].end = end
        return report

    def _missing(self) -> int:
        return self._tools.per_class - self._tools.collection.count(self._cls.slug)

    def _next(self) -> NamedPhoto | None:
        """The next source's next photo; None where no source has more."""
        while self._lanes:
            lane = self._lanes.popleft()
            name = lane.source.name
            try:
                named = lane.take()
            except MapsiError as error:
                self._tools.standing.failed(name, error)
                self._ends[name] = str(error)
                if self._tools.standing.why_out(name) is None:
                    self._lanes.append(lane)
                continue
            if named is None:
                self._ends.setdefault(name, NO_MORE)
                continue
            self._tools.standing.answered(name)
            self._lanes.append(lane)
            return named
        return None

    def _admit(self, named: NamedPhoto) -> None:
        """Have a photo fetched, unless what becomes of it is already known."""
        source, found = named.source, named.found
        ledger = self._tools.ledger
        named_before = self._on_way.get(found.address)
        if (
            ledger.is_settled(self._cls.slug, source, found.address)
            or (source, found.address) in self._postponed
            or named_before == source
        ):
            return
        if named_before is not None:
            self._write(named, "duplicate", SAME_ADDRESS, f"{named_before} named it too.")
        elif (earlier := ledger.earlier(found.address)) is not None and earlier.reason != NOT_VISITED:
            self._repeat(named, earlier)
        else:
            self._send_for(named)

    def _send_for(self, named: NamedPhoto) -> None:
        try:
            self._tools.screen.check_size(named.found.width, named.found.height)
        except Unfit as unfit:
            self._write(named, unfit.outcome, unfit.reason, unfit.detail)
            return
        self._on_way[named.found.address] = named.source
        self._tools.downloads.add(named)

    def _repeat(self, named: NamedPhoto, earlier: LedgerLine) -> None:
        """An address that another source or class has named before meets the same fate, without a second visit."""
        if earlier.outcome == "kept":
            self._write(named, "duplicate", SAME_ADDRESS, f"It is {earlier.cls}/{earlier.file}.")
        else:
            self._write(named, earlier.outcome, earlier.reason, earlier.detail)

    def _settle(self, named: NamedPhoto, result: ScreenedPhoto | Unfit | Postponed) -> None:
        self._on_way.pop(named.found.address, None)
        match result:
            case Postponed():
                self._postponed[named.source, named.found.address] = result
            case Unfit():
                self._write(named, result.outcome, result.reason, result.detail)
            case ScreenedPhoto():
                self._keep(named, result)

    def _keep(self, named: NamedPhoto, photo: ScreenedPhoto) -> None:
        read = replace(
            self._line(named, "kept"),
            sha256=photo.sha256,
            hash=f"{photo.hash:016x}",
            width=photo.size[0],
            height=photo.size[1],
        )
        if (twin := self._tools.collection.twin(photo)) is not None:
            reason, known = twin
            detail = f"It shows the same picture as {known.cls}/{known.file}."
            self._tools.ledger.append(replace(read, outcome="duplicate", reason=reason, detail=detail))
            return
        self._tools.collection.file(replace(read, file=f"{photo.sha256[:NAME_LENGTH]}.jpg"), photo)
        self._kept()

    def _write(self, named: NamedPhoto, outcome: Outcome, reason: str, detail: str) -> None:
        self._tools.ledger.append(replace(self._line(named, outcome), reason=reason, detail=detail))

    def _line(self, named: NamedPhoto, outcome: Outcome) -> LedgerLine:
        found, query = named.found, named.query
        return LedgerLine(
            outcome=outcome,
            cls=self._cls.slug,
            source=named.source,
            query=query.text,
            language=query.language,
            time=self._tools.moment(),
            **found.origin() | {"address": short_address(found.address)},
        )
