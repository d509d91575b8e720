"""A source whose answers cost clicks: what it named is noted down, and asked again only for what comes after."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mapsi.artifacts import cut_torn_line
from mapsi.collect.pace import Clock
from mapsi.collect.source import Found, Query, Source
from mapsi.collect.sources.kept_answers import KEPT_SECONDS

_END = {"end": True}


class RememberingSource:
    """``source`` with a memory in ``folder``: a file per class and query, a line per photo, kept for a week.

    A search that is resumed gives the noted photos first. Where more are wanted, and the source had not come to
    its end, it is searched again and the photos that it names again are skipped.
    """

    def __init__(self, source: Source, folder: Path, clock: Clock) -> None:
        self._source = source
        self._folder = folder
        self._clock = clock

    @property
    def name(self) -> str:
        return self._source.name

    def search(self, query: Query) -> Iterator[Found]:
        file = self._file(query)
        noted = self._noted(file)
        yield from (found for found in noted if found is not None)
        if noted and noted[-1] is None:
            return
        known = {found.address for found in noted if found is not None}
        with ExitStack() as stack:
            results: Any = self._source.search(query)
            if hasattr(results, "close"):
                stack.callback(results.close)
            out = stack.enter_context(file.open("ab", buffering=0))
            for found in results:
                if found.address not in known:
                    known.add(found.address)
                    out.write(_line(asdict(found)))
                    yield found
            out.write(_line(_END))

    def _file(self, query: Query) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        digest = hashlib.sha256(f"{query.cls.slug}\n{query.text}".encode()).hexdigest()
        return self._folder / f"{digest[:32]}.jsonl"

    def _noted(self, file: Path) -> list[Found | None]:
        """What was noted, None for the source's end. Damaged or old notes count as none: the source can be asked
        again."""
        cut_torn_line(file)
        if not file.exists():
            return []
        try:
            if self._clock.now() - file.stat().st_mtime <= KEPT_SECONDS:
                lines = [json.loads(line) for line in file.read_bytes().splitlines()]
                return [None if line == _END else Found(**line) for line in lines]
        except (ValueError, TypeError, RecursionError):
            pass
        file.unlink()
        return []


def _line(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False).encode() + b"\n"
