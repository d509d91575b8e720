"""The way to a Milvus, for the vectors of pictures and for words. The only file that knows pymilvus and grpc.

One connection for all threads. A Milvus that does not answer is asked again once a second by one of those who ask; the
others are told at once.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TypeVar

from mapsi.errors import ArtifactError, ExtraMissingError, IndexUnavailableError, MapsiError

try:
    from grpc import RpcError
    from pymilvus import DataType, MilvusClient, MilvusException
except ImportError as error:
    raise ExtraMissingError(
        "pymilvus, which talks to Milvus, is not installed.", 'pip install "mapsi[milvus]"'
    ) from error

__all__ = ["DataType", "MilvusClient", "MilvusConnection", "MilvusException"]

SECONDS = 3.0
"""Seconds to wait for an answer: one takes some 10 milliseconds."""
REST_SECONDS = 1.0
"""For so long after a failure nobody asks again: everybody would wait."""
LOAD_SECONDS = 3600.0
MOST = 16_384
"""Hits of one question at most, Milvus's own limit."""
_MISSING, _NOT_LOADED = 100, 101

_Answer = TypeVar("_Answer")
_log = logging.getLogger(__name__)


class MilvusConnection:
    """The Milvus at ``url``, connected to with the first question. Any number of threads may ask at once. ``away`` and
    ``gone`` are what is said, with what to do, where it does not answer and where it has not what is asked for."""

    def __init__(self, url: str, *, away: tuple[str, str], gone: tuple[str, str]) -> None:
        self._url = url
        self._away, self._gone = away, gone
        self._client: MilvusClient | None = None
        self._lock, self._connecting = threading.Lock(), threading.Lock()
        self._fault: MapsiError | None = None
        self._failed_at = self._resting_until = 0.0
        # It logs each failure with a page of its own; ours has a sentence.
        logging.getLogger("pymilvus").setLevel(logging.CRITICAL)

    @property
    def fault(self) -> MapsiError | None:
        """Why it did not answer the last time. After a rest it is asked again, so that it is known when it is back."""
        if self._fault is not None and time.monotonic() >= self._resting_until:
            with suppress(MapsiError):
                self.ask(lambda client: client.list_collections(timeout=REST_SECONDS))
        return self._fault

    def ask(self, question: Callable[[MilvusClient], _Answer]) -> _Answer:
        """The answer to a question. Raises :class:`IndexUnavailableError` where none comes, at once where none came a
        moment ago, and :class:`ArtifactError` where what is asked for is gone."""
        begun = time.monotonic()
        with self._lock:
            if self._fault is not None and begun < self._resting_until:
                raise IndexUnavailableError(*self._away)
            # Of those who ask after a rest, one waits for the answer.
            self._resting_until = begun + SECONDS
        try:
            answer = question(self._connected(begun))
        except (MilvusException, RpcError) as error:
            raise self._noted(error) from error
        self._fault = None
        return answer

    def ask_of(self, collection: str, question: Callable[[MilvusClient], _Answer]) -> _Answer:
        """The same of a collection. That of a Milvus which came back has to be loaded first."""

        def loaded(client: MilvusClient) -> _Answer:
            try:
                return question(client)
            except MilvusException as error:
                if error.code != _NOT_LOADED:
                    raise
            client.load_collection(collection, timeout=SECONDS)
            return question(client)

        return self.ask(loaded)

    def _connected(self, begun: float) -> MilvusClient:
        """The connection; one thread makes it for all who began to ask before it failed."""
        with self._connecting:
            if self._client is None:
                if self._failed_at > begun:
                    raise IndexUnavailableError(*self._away)
                try:
                    self._client = self._connect()
                except (MilvusException, RpcError):
                    self._failed_at = time.monotonic()
                    raise
            return self._client

    def _connect(self) -> MilvusClient:
        """A new connection; one that is refused at once is tried once more: a server that has just told an older one
        to go (too many pings) takes the next."""
        connect = partial(MilvusClient, uri=self._url, timeout=SECONDS, dedicated=True)
        begun = time.monotonic()
        try:
            return connect()
        except (MilvusException, RpcError):
            if time.monotonic() - begun > SECONDS / 4:
                raise
            return connect()

    def _noted(self, error: Exception) -> MapsiError:
        if getattr(error, "code", None) == _MISSING:
            self._fault = None
            return ArtifactError(*self._gone)
        if self._fault is None:
            _log.error("Milvus does not answer: %s", error)
        with self._lock:
            # A connection that broke waits longer and longer before it tries again; a new one does not.
            broken, self._client = self._client, None
            fault = self._fault = IndexUnavailableError(*self._away)
            self._resting_until = time.monotonic() + REST_SECONDS
        if broken is not None:
            broken.close()
        return fault
