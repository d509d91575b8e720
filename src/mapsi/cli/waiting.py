"""A database that comes up later than what needs it: on a machine that boots, among containers."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from threading import Thread
from typing import Generic, TypeVar

from mapsi.errors import CatalogAwayError
from mapsi.stopping import stopping_on_sigterm

AGAIN = 2.0
"""Seconds between two tries."""

Opened = TypeVar("Opened")
Meanwhile = Callable[[], AbstractContextManager[None]]
Say = Callable[[str], object]


def when_there(attempt: Callable[[], Opened], say: Say, meanwhile: Meanwhile = nullcontext) -> Opened:
    """What ``attempt`` opens, as soon as the database answers. What it waits for is said once, and ``meanwhile`` is
    entered until it comes; how long that may take is for whoever started this to decide: SIGTERM and Ctrl-C end the
    process at once. What waiting cannot mend is raised."""
    try:
        with stopping_on_sigterm():
            return _waiting(attempt, say, meanwhile)
    except KeyboardInterrupt:
        sys.exit(0)


def _waiting(attempt: Callable[[], Opened], say: Say, meanwhile: Meanwhile) -> Opened:
    trying = _Try(attempt)
    if trying.away is None:
        return trying.result()
    with meanwhile():
        told = None
        while trying.away is not None:
            if str(trying.away) != told:
                told = str(trying.away)
                say(f"waiting for the database: {told}")
            time.sleep(AGAIN)
            trying = _Try(attempt)
    say("the database answers")
    return trying.result()


class _Try(Generic[Opened]):
    """One try, beside the main thread: that one hears of signals, and a name is looked up for as long as that takes."""

    def __init__(self, attempt: Callable[[], Opened]) -> None:
        self._attempt = attempt
        self._opened: list[Opened] = []
        self._error: Exception | None = None
        thread = Thread(target=self._run, name="opening", daemon=True)
        thread.start()
        thread.join()

    def _run(self) -> None:
        try:
            self._opened.append(self._attempt())
        except Exception as error:  # noqa: BLE001 - raised again for whoever asks for the result
            self._error = error

    @property
    def away(self) -> CatalogAwayError | None:
        return self._error if isinstance(self._error, CatalogAwayError) else None

    def result(self) -> Opened:
        if self._error is not None:
            raise self._error
        return self._opened[0]
