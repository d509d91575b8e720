"""The model that reads photos and the index they are looked for in: always of one make, switched together.

``docs/decisions/0008-model-and-index-switch.md``.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from mapsi.errors import ArtifactError, MapsiError, NotFoundError
from mapsi.infer import Model
from mapsi.search.index import VectorDatabase
from mapsi.search.snapshot import Snapshot, built_at, current_name, read_snapshot

HELD_SECONDS = 3600.0
RETRY_SECONDS = 15.0
"""After so long, an index that could not be opened is tried again: its disk may be back."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pair:
    """A model and the index made with it; no index where none was built yet."""

    model: Model
    snapshot: Snapshot | None


@dataclass(frozen=True, slots=True)
class _Fault:
    """Why the index ``name`` cannot serve; it is not tried again before ``until``."""

    name: str | None
    error: MapsiError
    until: float


class ServingPair:
    """The pair that serves. Any number of threads may ask at once.

    It begins with ``model``, and goes over to the one that the index was made with: ``open_model`` gives the model with
    a fingerprint, or raises a ``MapsiError``; without it no other model ever serves. For ``held_seconds`` after a
    switch, the index before is kept for readings that were made before it. The ``database`` keeps vectors that lie in
    no file.
    """

    def __init__(
        self,
        model: Model,
        index_root: Path,
        open_model: Callable[[str], Model] | None = None,
        held_seconds: float = HELD_SECONDS,
        database: VectorDatabase | None = None,
    ) -> None:
        self._root = index_root
        self._open_model = open_model or _no_other_model
        self._held_seconds = held_seconds
        self._database = database
        self._pair = Pair(model, None)
        self._before: tuple[Snapshot, float] | None = None
        self._fault: _Fault | None = None
        self._lock = threading.Lock()

    def now(self) -> Pair:
        """The pair of the index that serves, opened where another one took its place.

        One thread opens; the others keep using the previous pair meanwhile, or wait where there is none. An index that
        is damaged, or whose model is not to be had, changes nothing where there is a pair with one; else its error is
        raised.
        """
        pair, fault = self.look()
        if fault is not None and pair.snapshot is None:
            raise fault
        return pair

    def look(self) -> tuple[Pair, MapsiError | None]:
        """The pair that serves, and what is wrong with the index that ought to."""
        try:
            name = current_name(self._root)
        except ArtifactError as error:
            return self._pair, self._note(None, error)
        if name is None or _is(self._pair, name):
            self._fault = None
        elif not self._is_known_fault(name) and self._lock.acquire(blocking=self._pair.snapshot is None):
            try:
                if not _is(self._pair, name) and not self._is_known_fault(name):
                    self._try(name)
            finally:
                self._lock.release()
        return self._pair, self._fault.error if self._fault is not None else None

    def _try(self, name: str) -> None:
        try:
            self._switch(name)
        except MapsiError as error:
            self._note(name, error)
        else:
            self._fault = None

    def _note(self, name: str | None, error: MapsiError) -> MapsiError:
        if self._fault is None or self._fault.name != name:
            _log.error("%s", error)
        self._fault = _Fault(name, error, time.monotonic() + RETRY_SECONDS)
        return error

    def _is_known_fault(self, name: str) -> bool:
        fault = self._fault
        return fault is not None and fault.name == name and time.monotonic() < fault.until

    def built(self) -> datetime | None:
        """When the index that serves was built (UTC); ``None`` where there is none. Raises like :meth:`now`."""
        snapshot = self.now().snapshot
        return None if snapshot is None else built_at(self._root, snapshot.name)

    def _switch(self, name: str) -> None:
        before, snapshot = self._pair, read_snapshot(self._root, name, self._database)
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
            raise NotFoundError("This photo was read by a model that is no longer in use.", "Choose the photo again.")
        return before[0]


def _no_other_model(fingerprint: str) -> Model:
    raise ArtifactError(
        "The index of product pictures was made with another model.", "Run `mapsi index build` with this model."
    )


def _is(pair: Pair, name: str) -> bool:
    return pair.snapshot is not None and pair.snapshot.name == name
