"""Carrying a review out: files move to their class or to ``.dropped/CLASS``, ``labels.csv`` follows, nothing is
deleted.

What is about to move is written to the journal first, so that a process that is killed at any point is continued: a
file lies either where it was or where it goes, and the labels are written before the journal calls the move done.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mapsi.artifacts import atomic_file
from mapsi.collect.review.journal import DROPPED, Decision, Journal, Move
from mapsi.dataset.photos import read_labels
from mapsi.file_names import OnDisk

LABELS = "labels.csv"


@dataclass(frozen=True, slots=True)
class Applied:
    """How many photos went to another class, how many were dropped, and which were no longer there."""

    moved: int
    dropped: int
    missing: tuple[str, ...]


def apply_review(folder: Path, journal: Journal) -> Applied:
    """Carry out what the journal says and has not been carried out yet. The caller holds the folder's lock."""
    begun, disk = journal.moves_under_way(), OnDisk()
    decided = {path: one for path, one in journal.decisions().items() if one.verdict != "keep"}
    for move in begun:
        decided.pop(move.path, None)
    there = {path: one for path, one in decided.items() if disk.find(folder / path).is_file()}
    gone = [Move(path, "", None) for path in decided if path not in there]
    fresh = _plan(folder, there, taken={move.to for move in begun})
    if fresh:
        journal.begin_moves(fresh)
    moves = [*begun, *fresh]
    for move in moves:
        _move(folder, disk, move)
    if moves or gone:
        _write_labels(folder / LABELS, moves)
        journal.end_moves([*moves, *gone])
    dropped = sum(move.cls is None for move in moves)
    return Applied(len(moves) - dropped, dropped, tuple(sorted(move.path for move in gone)))


def _plan(folder: Path, decided: Mapping[str, Decision], taken: set[str]) -> list[Move]:
    moves = []
    for path, decision in decided.items():
        cls = None if decision.verdict == "drop" else decision.cls
        name = PurePosixPath(path).name
        shelf = f"{DROPPED}/{path.partition('/')[0]}" if cls is None else cls
        to = _free(folder, f"{shelf}/{name}", taken)
        taken.add(to)
        moves.append(Move(path, to, cls))
    return moves


def _free(folder: Path, wanted: str, taken: set[str]) -> str:
    """``wanted``, or with a number in its name where another photo lies there."""
    path, number = PurePosixPath(wanted), 2
    free = path
    while free.as_posix() in taken or (folder / free).exists():
        free = path.with_stem(f"{path.stem}-{number}")
        number += 1
    return free.as_posix()


def _move(folder: Path, disk: OnDisk, move: Move) -> None:
    """Move a file that has not been moved yet; one that is no longer there was taken away by a person meanwhile."""
    source, target = disk.find(folder / move.path), folder / move.to
    if source.is_file() and not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        source.rename(target)


def _write_labels(file: Path, moves: Sequence[Move]) -> None:
    """Let the rows of ``labels.csv`` follow their photos; rows of dropped ones go. No file, no rows."""
    if not file.exists():
        return
    rows, by_path = read_labels(file), {move.path: move for move in moves}
    columns = list(next(iter(rows.values()), {}))
    with atomic_file(file) as beside, beside.open("w", encoding="utf-8", newline="") as out:
        writer = csv.DictWriter(out, columns)
        writer.writeheader()
        for path, row in rows.items():
            move = by_path.get(path)
            if move is None:
                writer.writerow(row)
            elif move.cls is not None:
                writer.writerow(_relabelled(row, move))


def _relabelled(row: Mapping[str, str], move: Move) -> dict[str, str]:
    old = move.path.partition("/")[0]
    # The class is in a column `label` in folders that `mapsi collect` filled, and in any that names it elsewhere.
    changed = {name: move.cls or "" for name, value in row.items() if name == "label" and value == old}
    return {**row, **changed, "path": move.to}
