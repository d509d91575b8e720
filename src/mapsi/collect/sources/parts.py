"""What a source is built with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mapsi.collect.pace import Clock
from mapsi.collect.sources.api import Asking
from mapsi.collect.sources.kept_answers import KeptAnswers
from mapsi.remote import Fetcher
from mapsi.settings import Settings


@dataclass(frozen=True, slots=True)
class SourceParts:
    """The parts that sources share. ``kept`` is the folder of this collection for what is needed to continue."""

    settings: Settings
    fetcher: Fetcher
    clock: Clock
    kept: Path

    def asking(self, name: str) -> Asking:
        """What the API source ``name`` asks with."""
        answers = KeptAnswers(self.kept / "answers" / name, self.clock)
        return Asking(self.fetcher, self.clock, answers, self.settings.fetch_seconds)

    def base(self, name: str, official: str) -> str:
        """The address that the operator set for the source ``name``, else the official one."""
        return dict(self.settings.collect_bases).get(name, official)
