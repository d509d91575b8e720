"""``review.csv``: what was decided about each photo, one line per decision, never changed again; undoing is a line too.

Columns ``time`` (UTC, ISO 8601), ``path`` (in the folder), ``decision``, ``class``, ``to``. Decisions of a person are
``keep``, ``drop``, ``move`` and ``undo``; carrying them out adds ``moving`` before a file is moved (``to`` is its new
path) and ``moved`` when all of them are (with an empty ``to`` for a photo that was gone by then). Paths are composed
(NFC), whatever the disk has; a spreadsheet may have saved the file in another encoding.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import Literal, Self, cast, get_args

from mapsi.artifacts import cut_torn_line
from mapsi.encodings import decode
from mapsi.errors import ArtifactError
from mapsi.file_names import composed

NAME = "review.csv"
COLUMNS = ("time", "path", "decision", "class", "to")
DROPPED = ".dropped"

Verdict = Literal["keep", "drop", "move"]
Kind = Literal["keep", "drop", "move", "undo", "moving", "moved"]


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a photo: it stays in the class ``cls``, goes there, or is dropped (``cls`` is ``None``)."""

    verdict: Verdict
    cls: str | None


@dataclass(frozen=True, slots=True)
class Move:
    """A file on its way from one path in the folder to another; ``cls`` is ``None`` for a dropped one."""

    path: str
    to: str
    cls: str | None


@dataclass(frozen=True, slots=True)
class _Row:
    path: str
    kind: Kind
    cls: str
    to: str = ""


class Journal:
    """The journal of one folder. Threads take turns outside; between processes the caller holds a lock."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._stacks: dict[str, list[Decision]] = {}
        self._order: list[str] = []
        self._moving: dict[str, Move] = {}
        self._settled: dict[str, str] = {}

    @classmethod
    def read(cls, folder: Path) -> Self:
        """The journal as it stands, a torn last line left out; a folder without one has no decisions."""
        journal = cls(folder / NAME)
        for row in _rows(journal._file):
            journal._know(row)
        return journal

    @classmethod
    def open(cls, folder: Path) -> Self:
        """The journal, ready for more lines: what a killed process wrote of a line is cut off."""
        cut_torn_line(folder / NAME)
        return cls.read(folder)

    def decisions(self) -> dict[str, Decision]:
        """What is decided about each photo and not yet carried out, in the order in which the photos came up."""
        return {path: stack[-1] for path, stack in self._stacks.items() if stack}

    def decision(self, path: str) -> Decision | None:
        """What is decided about a photo; a photo that was moved by a decision stays where it is."""
        path = composed(path)
        stack = self._stacks.get(path)
        if stack:
            return stack[-1]
        return Decision("keep", self._settled[path]) if path in self._settled else None

    def decide(self, path: str, decision: Decision) -> None:
        """Write a decision; when this returns, it outlives the process and the machine."""
        self._write(_Row(composed(path), decision.verdict, decision.cls or ""))

    def undo(self, cls: str) -> str | None:
        """Take back the latest decision about a photo in the folder of ``cls``; its path, or ``None`` if there is
        none."""
        path = next((path for path in reversed(self._order) if path.partition("/")[0] == cls), None)
        if path is not None:
            self._write(_Row(path, "undo", ""))
        return path

    def begin_moves(self, moves: list[Move]) -> None:
        """Write where files are about to go, in one write for all."""
        self._write(*(_Row(move.path, "moving", move.cls or "", move.to) for move in moves))

    def end_moves(self, moves: list[Move]) -> None:
        """Write that the files, and the labels with them, are where they were to go."""
        self._write(*(_Row(move.path, "moved", move.cls or "", move.to) for move in moves))

    def moves_under_way(self) -> list[Move]:
        """Moves that were begun and not ended."""
        return list(self._moving.values())

    def _write(self, *rows: _Row) -> None:
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        if not self._file.exists():
            writer.writerow(COLUMNS)
        time = datetime.now(UTC).isoformat(timespec="seconds")
        for row in rows:
            writer.writerow([time, row.path, row.kind, row.cls, row.to])
        try:
            with self._file.open("ab") as lines:
                lines.write(out.getvalue().encode())
                lines.flush()
                os.fsync(lines.fileno())
        except OSError:
            # A full disk takes half a line, which the next one must not be joined to.
            cut_torn_line(self._file)
            raise
        for row in rows:
            self._know(row)

    def _know(self, row: _Row) -> None:
        match row.kind:
            case "keep" | "drop" | "move":
                self._stacks.setdefault(row.path, []).append(Decision(row.kind, row.cls or None))
                self._order.append(row.path)
            case "undo":
                self._take_back(row.path)
            case "moving":
                self._moving[row.path] = Move(row.path, row.to, row.cls or None)
            case "moved":
                self._moving.pop(row.path, None)
                self._stacks.pop(row.path, None)
                self._settled.pop(row.path, None)
                self._order = [path for path in self._order if path != row.path]
                if row.cls and row.to:
                    self._settled[row.to] = row.cls

    def _take_back(self, path: str) -> None:
        if self._stacks.get(path):
            self._stacks[path].pop()
            last = len(self._order) - 1 - self._order[::-1].index(path)
            del self._order[last]


def _leads_out(path: str) -> bool:
    """Whether a path of the journal, which may come with a stranger's folder, is none inside it."""
    parts = PurePosixPath(path)
    return parts.is_absolute() or ".." in parts.parts


def _rows(file: Path) -> Iterator[_Row]:
    try:
        text = decode(file.read_bytes())
    except FileNotFoundError:
        return
    except (OSError, UnicodeError) as error:
        raise ArtifactError(f"The journal {file} cannot be read: {error}.", "Check the file.") from error
    whole = text[: text.rfind("\n") + 1]
    for number, row in enumerate(csv.reader(io.StringIO(whole)), start=1):
        if number == 1 and row == list(COLUMNS):
            continue
        if len(row) != len(COLUMNS) or row[2] not in get_args(Kind) or not row[1]:
            raise ArtifactError(f"The journal {file} is damaged in line {number}.", "Remove the line.")
        if any(_leads_out(path) for path in (row[1], row[3], row[4])):
            raise ArtifactError(
                f"The journal {file} names a path outside its folder in line {number}.", "Remove the line."
            )
        yield _Row(composed(row[1]), cast(Kind, row[2]), row[3], composed(row[4]))
