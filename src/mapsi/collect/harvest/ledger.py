"""The ledger: one JSON line for each photo that a source named, with what became of it.

A line is added in one write and never changed. A process that is killed leaves at most a torn last line, which is cut
off when the ledger is opened again; the photo that it spoke of is then asked for again.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, cast

from mapsi.artifacts import cut_torn_line
from mapsi.collect.source import Origin
from mapsi.errors import ArtifactError

NAME = "ledger.jsonl"
LONGEST_ADDRESS = 2048
SAME_ADDRESS = "same address"
"""The reason of a line that says only that somebody else named the address too, and nothing of what lies there."""

Outcome = Literal["kept", "refused", "duplicate", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerLine(Origin):
    """A photo that ``source`` named for the class ``cls`` (``class`` in the file), by the words of ``query``.

    ``file`` is the photo's name in its class folder. ``sha256`` (of what came), ``hash`` (64 bits in hexadecimal, DCT),
    ``width`` and ``height`` (pixels, upright, as it came) are known of photos that were read. ``reason`` says in few
    words why a photo was not kept, ``detail`` in a sentence. ``time`` is UTC, ISO 8601.
    """

    outcome: Outcome
    cls: str
    source: str
    query: str
    language: str
    time: str
    reason: str = ""
    detail: str = ""
    file: str = ""
    sha256: str = ""
    hash: str = ""
    width: int = 0
    height: int = 0

    def to_json(self) -> dict[str, Any]:
        """The line as it is in the file, what became of the photo first: fields that say nothing are left out."""
        values = {**{name: getattr(self, name) for name in LedgerLine.__annotations__}, **self.origin()}
        named = {("class" if name == "cls" else name): value for name, value in values.items()}
        return {name: value for name, value in named.items() if value not in ("", 0)}


_TYPES = {("class" if f.name == "cls" else f.name): int if f.type == "int" else str for f in fields(LedgerLine)}
_NEEDED = {"outcome", "class", "source", "address"}


def short_address(address: str) -> str:
    """The address as the ledger writes it: a very long one (``data:``) by its beginning and its digest."""
    if len(address) <= LONGEST_ADDRESS:
        return address
    return f"{address[:64]}...sha256:{hashlib.sha256(address.encode()).hexdigest()}"


class Ledger:
    """The ledger of one folder, open for more lines. One process at a time.

    ``lines`` has what stands for each (class, source, address), in the order of the file; a later line takes the place
    of an earlier one. With ``failed_again`` the photos that failed to arrive count as never named, so that they are
    tried again.
    """

    def __init__(self, folder: Path, *, failed_again: bool = False) -> None:
        self._file = folder / NAME
        self._settled: dict[tuple[str, str, str], LedgerLine] = {}
        self._by_address: dict[str, LedgerLine] = {}
        cut_torn_line(self._file)
        for line in read_ledger(folder):
            if not (failed_again and line.outcome == "failed"):
                self._know(line)
        self._out = self._file.open("ab", buffering=0)

    @property
    def lines(self) -> list[LedgerLine]:
        return list(self._settled.values())

    def close(self) -> None:
        os.fsync(self._out.fileno())
        self._out.close()

    def is_settled(self, cls: str, source: str, address: str) -> bool:
        """Whether this source has named this address for this class before, and it is known what became of it."""
        return (cls, source, short_address(address)) in self._settled

    def earlier(self, address: str) -> LedgerLine | None:
        """What became of this address when it was first sent for, by any source for any class."""
        return self._by_address.get(short_address(address))

    def append(self, line: LedgerLine) -> None:
        """Write one line; when this returns, it outlives the process. Raises :class:`OSError` where the disk is
        full."""
        text = json.dumps(line.to_json(), ensure_ascii=False).encode() + b"\n"
        if self._out.write(text) != len(text):  # what is torn now is cut off by the next run
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._file))
        self._know(line)

    def forget(self, file: str) -> None:
        """Count the photo that was kept as ``file`` as never named; its line stays, until another takes its place."""
        for key, line in list(self._settled.items()):
            if line.file == file:
                del self._settled[key]
                self._by_address.pop(line.address, None)

    def _know(self, line: LedgerLine) -> None:
        self._settled[line.cls, line.source, line.address] = line
        if line.reason != SAME_ADDRESS:
            self._by_address.setdefault(line.address, line)


def read_ledger(folder: Path) -> Iterator[LedgerLine]:
    """The lines of a folder's ledger, a torn last one left out; raises :class:`ArtifactError`, naming a line that
    cannot be read. A folder without a ledger has no lines."""
    file = folder / NAME
    if not file.exists():
        return
    with file.open("rb") as lines:
        for number, line in enumerate(lines, start=1):
            if line.endswith(b"\n"):
                yield _parse(file, number, line)


def _parse(file: Path, number: int, text: bytes) -> LedgerLine:
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _damaged(file, number) from error
    known = {name: value for name, value in document.items() if name in _TYPES} if isinstance(document, dict) else {}
    if not known.keys() >= _NEEDED or not all(type(value) is _TYPES[name] for name, value in known.items()):
        raise _damaged(file, number)
    values = {"query": "", "language": "", "rank": 0, "time": "", **known, "cls": known["class"]}
    del values["class"]
    return LedgerLine(**cast(Any, values))


def _damaged(file: Path, number: int) -> ArtifactError:
    return ArtifactError(f"The ledger {file} is damaged in line {number}.", "Remove the line, or start a new folder.")
