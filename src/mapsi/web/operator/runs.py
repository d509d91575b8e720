"""Runs as the operator sees them: the state in a word, a colour and a mark, when, how long, and what changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from mapsi.catalog.records import RunRecord
from mapsi.web.request.languages import translate as _
from mapsi.web.request.times import TimeView, view_duration, view_time


@dataclass(frozen=True, slots=True)
class StateView:
    """``tone`` chooses the colour (good, busy, look, bad, quiet), ``mark`` the icon, so that colour never stands
    alone."""

    slug: str
    word: str
    tone: str
    mark: str
    meaning: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """One run. ``took`` is empty while it is in progress; ``unseen`` counts the broken rows that were not kept."""

    record: RunRecord
    state: StateView
    started: TimeView
    finished: TimeView | None
    took: str

    @property
    def lasting(self) -> bool:
        """Whether it took long enough to be worth showing in a list."""
        finished, started = self.record.finished, self.record.started
        return finished is not None and finished - started >= timedelta(seconds=1)

    @property
    def counted(self) -> bool:
        """Whether it took anything over, so that its counts say something."""
        return self.state.slug in ("done", "partial")

    @property
    def unseen(self) -> int:
        return max(0, self.record.broken - len(self.record.faults))


def view_run(run: RunRecord, now: datetime) -> RunView:
    """A run as seen at ``now``."""
    return RunView(
        record=run,
        state=view_state(run.state),
        started=view_time(run.started, now),
        finished=view_time(run.finished, now) if run.finished else None,
        took=view_duration(run.finished - run.started) if run.finished else "",
    )


def view_state(state: str) -> StateView:
    """A run's state in words; ``never`` stands for no run at all."""
    return _STATES[state]()


_STATES: dict[str, Callable[[], StateView]] = {
    "never": lambda: StateView("never", _("never run"), "quiet", "dots", _("Nothing was fetched yet.")),
    "running": lambda: StateView("running", _("running"), "busy", "turn", _("It is being fetched and read.")),
    "done": lambda: StateView("done", _("done"), "good", "check", _("The whole feed was imported.")),
    "unchanged": lambda: StateView(
        "unchanged", _("unchanged"), "good", "equal", _("The feed was the same as last time.")
    ),
    "partial": lambda: StateView(
        "partial", _("in part"), "look", "half", _("Part of it was imported; the next run continues.")
    ),
    "held": lambda: StateView(
        "held",
        _("held back"),
        "look",
        "pause",
        _("So many offers would disappear that nothing was changed. Someone has to check."),
    ),
    "failed": lambda: StateView("failed", _("failed"), "bad", "cross", _("Nothing was changed.")),
    "killed": lambda: StateView(
        "killed", _("interrupted"), "bad", "bolt", _("None of it was imported, and nothing is lost.")
    ),
}
