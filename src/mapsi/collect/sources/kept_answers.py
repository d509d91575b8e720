"""What sources' APIs have answered, kept for a while so that a collection that is continued asks nothing twice."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from mapsi.artifacts import read_json, write_json
from mapsi.collect.pace import Clock
from mapsi.errors import ArtifactError

KEPT_SECONDS = 7 * 86400
"""A week: long enough to finish a collection, short enough that the addresses in an answer still hold their photos."""


class KeptAnswers:
    """A folder of JSON answers by the address that was asked, which holds no key: keys go in headers.

    Answers that are older than a week are removed when the folder is opened.
    """

    def __init__(self, folder: Path, clock: Clock) -> None:
        self._folder = folder
        self._clock = clock
        for file in folder.glob("*.json"):
            if self._opened(file) is None:
                file.unlink(missing_ok=True)

    def find(self, address: str) -> Any:
        """The answer kept for ``address``, None where there is none."""
        entry = self._opened(self._file(address))
        return entry.get("answer") if entry is not None and entry.get("address") == address else None

    def keep(self, address: str, answer: Any) -> None:
        write_json(self._file(address), {"address": address, "time": self._clock.now(), "answer": answer})

    def _file(self, address: str) -> Path:
        return self._folder / f"{hashlib.sha256(address.encode()).hexdigest()[:32]}.json"

    def _opened(self, file: Path) -> dict[str, Any] | None:
        """An entry that is still good. A damaged one counts as none: the source can be asked again."""
        if not file.exists():
            return None
        try:
            entry = read_json(file, "An answer kept for a resume")
        except ArtifactError:
            return None
        time = entry.get("time") if isinstance(entry, dict) else None
        return entry if isinstance(time, int | float) and self._clock.now() - time <= KEPT_SECONDS else None
