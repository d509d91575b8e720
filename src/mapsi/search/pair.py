"""The model that reads photos and the index they are looked for in: always of one make, switched together.

``docs/decisions/0008-model-and-index-switch.md``.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mapsi.errors import ArtifactError, NotFoundError
from mapsi.infer import Model
from mapsi.search.snapshot import Snapshot, built_at, current_name, read_snapshot

HELD_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Pair:
    """A model and the index made with it; no index where none was built yet."""

    model: Model
    snapshot: Snapshot | None


class ServingPair:
    """The pair that serves. Any number of threads may ask at once.

    It begins with ``model``, and goes over to the one that the index was made with: ``open_model`` gives the model with a
    fingerprint, or raises a ``MapsiError``; without it no other model ever serves. For ``held_seconds`` after a switch, the
    index before is kept for readings that were made before it.
    """

    def __init__(
        self,
        model: Model,
        index_root: Path,
        open_model: Callable[[str], Model] | None = None,
        held_seconds: float = HELD_SECONDS,
    ) -> None:
        self._root = index_root
        self._open_model = open_model or _no_other_model
        self._held_seconds = held_seconds
        self._pair = Pair(model, None)
        self._before: tuple[Snapshot, float] | None = None
        self._lock = threading.Lock()

    def now(self) -> Pair:
        """The pair of the index that serves, opened where another one took its place.

        One thread opens; the others go on with the pair before meanwhile, or wait where there is none. Raises
        ``ArtifactError`` where the index is damaged or its model is not to be had.
        """
        name, pair = current_name(self._root), self._pair
        if name is None or _is(pair, name):
            return pair
        if self._lock.acquire(blocking=pair.snapshot is None):
            try:
                if not _is(self._pair, name):
                    self._switch(name)
            finally:
                self._lock.release()
        return self._pair

    def built(self) -> datetime | None:
        """When the index that serves was built (UTC); ``None`` where there is none. Raises as :meth:`now`."""
        snapshot = self.now().snapshot
        return None if snapshot is None else built_at(self._root, snapshot.name)

    def _switch(self, name: str) -> None:
        before, snapshot = self._pair, read_snapshot(self._root, name)
        same = snapshot.model == before.model.fingerprint
        model = before.model if same else self._open_model(snapshot.model)
        if not same and before.snapshot is not None:
            self._before = (before.snapshot, time.monotonic() + self._held_seconds)
        self._pair = Pair(model, snapshot)  # one assignment: no reader sees half of a switch

    def snapshot_for(self, model: str) -> Snapshot | None:
        """The index to look for a reading of this model in; an empty text means the one that serves. Raises
        :class:`NotFoundError` for a reading that is older than the index before."""
        pair = self.now()
        if model in ("", pair.model.fingerprint):
            return pair.snapshot
        before = self._before
        if before is not None and before[1] < time.monotonic():
            before = self._before = None
        if before is None or before[0].model != model:
            raise NotFoundError("This photo was read by a model that no longer serves.", "Choose the photo again.")
        return before[0]


def _no_other_model(fingerprint: str) -> Model:
    raise ArtifactError(
        "The index of product pictures was made with another model.", "Run `mapsi index build` with this model."
    )


def _is(pair: Pair, name: str) -> bool:
    return pair.snapshot is not None and pair.snapshot.name == name
