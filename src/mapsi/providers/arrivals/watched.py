"""Feeds on this machine: one file, or a folder into which a shop puts one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

from mapsi.artifacts import file_digest
from mapsi.errors import FeedError
from mapsi.providers.arrivals.arrival import Arrived

SUFFIXES = (".xml", ".rss", ".atom", ".tsv", ".txt", ".csv", ".json", ".jsonl", ".gz")
"""The names of feeds in a folder where no pattern is given."""

UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".filepart", ".crdownload", ".swp", "~")
"""The endings that copying programs give to a file that is not complete yet."""

_SHORT = 16


class _Stamp(NamedTuple):
    """What changes when a file is written to. Orders by time."""

    mtime_ns: int
    size: int


class Watch:
    """Looks at files, and counts those as complete that have not changed for ``settled_after`` seconds."""

    def __init__(self, settled_after: float, clock: Callable[[], float], sleep: Callable[[float], None]) -> None:
        self._settled_after = settled_after
        self._clock = clock
        self._sleep = sleep

    def file(self, path: Path, remembered: Mapping[str, str]) -> tuple[Arrived, ...]:
        """The file, unless it is the one that is remembered. Raises :class:`FeedError` while it is being written."""
        settled = self._settled([path])
        if not settled:
            raise FeedError("The file is still being written.", "Start again when it is whole.")
        digest = _digest(path)
        return () if digest == remembered.get("digest") else (Arrived(file=path, remember={"digest": digest}),)

    def folder(
        self, folder: Path, pattern: str, remembered: Mapping[str, str], partial: Callable[[Path], bool]
    ) -> tuple[Arrived, ...]:
        """The newest whole feed and the changes since then, as far as they are new. Whole feeds that a newer one has
        overtaken, and changes older than the newest whole feed, are never taken.

        Raises :class:`FeedError` where the folder holds no feed, or where one is none.
        """
        named = _named(folder, pattern)
        if not named:
            raise FeedError(
                "The folder has no feed in it.", f"Feeds end in {', '.join(SUFFIXES)}; others are named by a pattern."
            )
        settled = self._settled(named)
        in_order = sorted(settled, key=lambda file: (settled[file].mtime_ns, file.name))
        whole, changes = _since_whole(in_order, partial)
        return _new(whole, settled[whole].mtime_ns if whole else 0, changes, remembered)

    def _settled(self, files: Iterable[Path]) -> dict[Path, _Stamp]:
        """The files that are not being written, with their stamps; waits once where some are too fresh to tell."""
        before = _stamps(files)
        now = self._clock()
        wait = max(
            (self._settled_after - max(0.0, now - stamp.mtime_ns / 1e9) for stamp in before.values()), default=0.0
        )
        if wait <= 0:
            return before
        self._sleep(wait)
        after = _stamps(before)
        return {file: stamp for file, stamp in after.items() if stamp == before[file]}


def _stamps(files: Iterable[Path]) -> dict[Path, _Stamp]:
    """The stamps of those files that are there (still)."""
    stamps = {}
    for file in files:
        try:
            stat = file.stat()
        except FileNotFoundError:
            continue
        except OSError as error:
            raise FeedError(f"{file.name} cannot be read: {error.strerror}.", "Check its permissions.") from error
        stamps[file] = _Stamp(stat.st_mtime_ns, stat.st_size)
    return stamps


def _named(folder: Path, pattern: str) -> list[Path]:
    try:
        files = [file for file in folder.iterdir() if file.is_file()]
    except OSError as error:
        raise FeedError(f"The folder cannot be read: {error.strerror}.", "Check its permissions.") from error
    return [
        file
        for file in files
        if not file.name.startswith(".")
        and not file.name.lower().endswith(UNFINISHED)
        and fnmatchcase(file.name, pattern)
        and (pattern != "*" or file.name.lower().endswith(SUFFIXES))
    ]


def _since_whole(in_order: list[Path], partial: Callable[[Path], bool]) -> tuple[Path | None, list[Path]]:
    """The newest whole feed, if there is one, and the feeds of changes after it, oldest first."""
    changes: list[Path] = []
    for file in reversed(in_order):
        try:
            if not partial(file):
                return file, changes[::-1]
        except FeedError as error:
            raise FeedError(
                f"{file.name}: {error.message}", f"{error.hint} Where it is no feed, name the feeds by a pattern."
            ) from error
        changes.append(file)
    return None, changes[::-1]


def _new(
    whole: Path | None, whole_time: int, changes: list[Path], remembered: Mapping[str, str]
) -> tuple[Arrived, ...]:
    """What of these is not taken over yet, each with all that is taken over once it is.

    A whole feed of the same bytes is the one that is remembered, unless changes have come since and it was put there
    again: then it takes them back.
    """
    full, taken = remembered.get("whole", ""), remembered.get("changes", "").split()
    arrived = []
    if whole is not None:
        digest, time = _digest(whole), str(whole_time)
        if digest != full or (taken and time != remembered.get("whole_time")):
            full, taken = digest, []
            arrived.append(Arrived(file=whole, remember={"whole": full, "whole_time": time}))
        state = {"whole": full, "whole_time": time}
    else:
        state = {name: text for name, text in remembered.items() if name != "changes"}
    marks = [(file, _digest(file)[:_SHORT]) for file in changes]
    # What has gone from the folder does not come back.
    taken = [mark for mark in taken if mark in {mark for _, mark in marks}]
    for file, mark in marks:
        if mark not in taken:
            taken = [*taken, mark]
            arrived.append(Arrived(file=file, remember={**state, "changes": " ".join(taken)}))
    return tuple(arrived)


def _digest(file: Path) -> str:
    try:
        return file_digest(file)
    except OSError as error:
        raise FeedError(f"{file.name} cannot be read: {error.strerror}.", "Check its permissions.") from error
