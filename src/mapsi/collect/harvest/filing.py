"""The folder of a collection: photos by class, the ledger, and what is needed to continue.

FOLDER/CLASS/NAME.jpg     NAME is the beginning of the SHA-256 of what came
FOLDER/ledger.jsonl       one line per photo that was named
FOLDER/labels.csv         path, label, source, sender, page, licence: what `mapsi dataset` and `mapsi train` read
FOLDER/report.json        how it ended
FOLDER/.collect/          answers of APIs, photos on their way; may be deleted when nothing is running
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from mapsi.artifacts import atomic_file, locked_file
from mapsi.collect.faults import FolderBusyError
from mapsi.collect.harvest.ledger import Ledger, LedgerLine
from mapsi.collect.harvest.screening import ScreenedPhoto
from mapsi.dataset.twins import TWIN_DISTANCE, join
from mapsi.errors import UsageError

KEPT = ".collect"
LABEL_COLUMNS = ("path", "label", "source", "sender", "page", "licence")
NOBODY = frozenset({"", "unknown", "anonymous", "unknown author", "unknown photographer", "not known", "n/a"})
"""Creators that are not one person."""


@contextmanager
def held(folder: Path) -> Iterator[Path]:
    """Hold ``folder`` for one collection and give its inner folder; raises :class:`FolderBusyError`."""
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"{folder} is a file.", "Name a folder.")
    inner = folder / KEPT
    inner.mkdir(parents=True, exist_ok=True)
    with locked_file(inner / "lock", seconds=0) as is_ours:
        if not is_ours:
            raise FolderBusyError(f"Another collection is working in {folder}.", "Wait for it, or name another folder.")
        yield inner


class Collection:
    """The photos of a collection, and whether a new one is like one of them.

    A photo whose file is gone from the class folders was taken away by a person: neither it nor its twin comes back.
    One that lies in another class's folder was moved there, and counts there.
    """

    def __init__(self, folder: Path, ledger: Ledger, classes: Iterable[str]) -> None:
        self._folder = folder
        self._ledger = ledger
        self._incoming = folder / KEPT / "incoming"
        self._incoming.mkdir(parents=True, exist_ok=True)
        self._finish_filing()
        self._class_of: dict[str, str] = {}
        known = {line.file for line in ledger.lines if line.outcome == "kept"}
        for slug in classes:
            for file in (folder / slug).glob("*.jpg"):
                if file.name in known and not self._is_lost(file):
                    self._class_of[file.name] = slug
        self._counts = Counter(self._class_of.values())
        self._known = {line.sha256: line for line in ledger.lines if line.outcome == "kept"}
        self._hashes = [(int(line.hash, 16), line) for line in self._known.values() if line.hash]

    def count(self, cls: str) -> int:
        """How many photos of the ledger lie in the class's folder."""
        return self._counts[cls]

    def twin(self, photo: ScreenedPhoto) -> tuple[str, LedgerLine] | None:
        """What is already known of the same picture, in any class: ("same file" or "twin", its line)."""
        if (same := self._known.get(photo.sha256)) is not None:
            return "same file", same
        for known, line in self._hashes:
            if (known ^ photo.hash).bit_count() <= TWIN_DISTANCE:
                return "twin", line
        return None

    def file(self, line: LedgerLine, photo: ScreenedPhoto) -> None:
        """Write a photo and its line so that a kill at any point leaves both or none.

        First the photo on its way, then the line, then the photo in its place: a line whose photo is still on its way
        is put right when the folder is opened again, and a photo without a line is not one yet. Nothing is forced onto
        the disk here, which costs a tenth of a second on a busy one: a machine that loses its power may leave empty
        photos, and those are noticed and asked for again.
        """
        (self._incoming / line.file).write_bytes(photo.jpeg)
        self._ledger.append(line)
        self._place(line)
        self._class_of[line.file] = line.cls
        self._counts[line.cls] += 1
        self._known[line.sha256] = line
        self._hashes.append((photo.hash, line))

    def lines(self) -> list[tuple[str, LedgerLine]]:
        """(class folder that it lies in, line) of each photo that is there, by the ledger's order."""
        kept = (line for line in self._ledger.lines if line.outcome == "kept")
        return [(self._class_of[line.file], line) for line in kept if line.file in self._class_of]

    def write_labels(self) -> None:
        """Rewrite ``labels.csv``."""
        lines = self.lines()
        senders = senders_of([line for _, line in lines])
        with atomic_file(self._folder / "labels.csv") as beside, beside.open("w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(LABEL_COLUMNS)
            for (slug, line), sender in zip(lines, senders, strict=True):
                writer.writerow([f"{slug}/{line.file}", slug, line.source, sender, line.page, line.licence])

    def _is_lost(self, photo: Path) -> bool:
        """Whether the machine went down before the photo's content reached the disk; its line is forgotten then."""
        if photo.stat().st_size:
            return False
        photo.unlink()
        self._ledger.forget(photo.name)
        return True

    def _finish_filing(self) -> None:
        """Put photos whose line was written in their place; drop those without a line."""
        lines = {line.file: line for line in self._ledger.lines if line.outcome == "kept"}
        for photo in self._incoming.iterdir():
            if photo.name in lines:
                self._place(lines[photo.name])
            else:
                photo.unlink()

    def _place(self, line: LedgerLine) -> None:
        target = self._folder / line.cls / line.file
        target.parent.mkdir(exist_ok=True)
        os.replace(self._incoming / line.file, target)


def senders_of(lines: Sequence[LedgerLine]) -> list[str]:
    """One name per photo, the same for photos by one creator or from one page; empty where neither is known."""
    first: dict[tuple[str, str], int] = {}
    ties = [_ties(line) for line in lines]
    pairs = [(first.setdefault(tie, i), i) for i, of_photo in enumerate(ties) for tie in of_photo]
    return [_sender(ties[root]) if ties[i] else "" for i, root in enumerate(join(len(lines), pairs))]


def _ties(line: LedgerLine) -> list[tuple[str, str]]:
    """What binds a photo to others: its creator at its source, its page."""
    creator = line.creator if line.creator.casefold() not in NOBODY else ""
    return [tie for tie in ((line.source, creator), ("page", line.page)) if tie[1]]


def _sender(ties: Sequence[tuple[str, str]]) -> str:
    kind, name = ties[0]
    return name if kind == "page" else f"{kind}: {name}"
