"""Connections with an end: each has a deadline, each client a share, and the oldest silent one makes room for a new
one."""

from __future__ import annotations

import asyncio
import ipaddress
from collections import Counter
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from mapsi.web.request.clients import client_of
from mapsi.web.server.bounds import HEAD_BYTES, Bounds

MOST_AHEAD = 100
"""Requests that a connection may send before the one that is worked on is answered. Each costs the event loop, in which
everybody's arrive."""

LAST_CALL = 1.0
"""Seconds for which a stopping server still takes requests on connections that are open: one may be on its way."""


class OpenConnections:
    """The connections that are open, and whose they are."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._of = Counter[str]()
        self._silent: dict[Connection, None] = {}
        self._open = 0

    def enter(self, connection: Connection, client: str) -> bool:
        """Let a connection in; false where its client has its share. Where all places are taken, the one that has been
        silent or slow for longest gives way."""
        if self._of[client] >= self.bounds.of_one and not _is_here(client):
            return False
        if self._open >= self.bounds.connections and self._silent:
            next(iter(self._silent)).drop()
        self._of[client] += 1
        self._open += 1
        self._silent[connection] = None
        return True

    def leave(self, connection: Connection, client: str) -> None:
        self._silent.pop(connection, None)
        self._open -= 1
        self._of[client] -= 1
        if not self._of[client]:
            del self._of[client]

    def mark(self, connection: Connection, *, silent: bool) -> None:
        """Whether a connection is to be waited for, or has sent a whole request."""
        if silent:
            self._silent[connection] = None
        else:
            self._silent.pop(connection, None)


def _is_here(client: str) -> bool:
    """Whether a client is this machine: a proxy, behind which everybody is, or its owner."""
    try:
        return ipaddress.ip_network(client).is_loopback
    except ValueError:
        return False


class Connection(HttpToolsProtocol):
    """A connection that is dropped where a request takes too long, to arrive or to be read."""

    def __init__(self, *arguments: Any, connections: OpenConnections, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._open = connections
        self._client = ""
        self._deadline: asyncio.TimerHandle | None = None
        self._head: int | None = 0  # bytes of a head that is not whole yet
        self._around: int | None = None  # bytes around a body that is not whole yet: sizes of chunks, and trailers
        self._parts: list[bytes] = []  # of a body, as they came at once
        self._stopping = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        client = client_of(self.client[0] if self.client else "")
        if self._open.enter(self, client):
            self._client = client
            self._end_in(self._open.bounds.head_seconds)
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._end_in(None)
        if self._client:
            self._open.leave(self, self._client)
            self._client = ""

    def data_received(self, data: bytes) -> None:
        if self._head == 0 and self._deadline is None:
            self._end_in(self._open.bounds.head_seconds)
        if self._head is not None:
            self._head += len(data)
        if self._around is not None:
            self._around += len(data)
        super().data_received(data)
        self._hand_over()
        if max(self._head or 0, self._around or 0) > HEAD_BYTES:
            self.drop()

    def on_headers_complete(self) -> None:
        self._head = None
        self._around = 0
        self._end_in(self._open.bounds.seconds)
        super().on_headers_complete()
        if self._stopping:
            self.cycle.keep_alive = False
        if len(self.pipeline) > MOST_AHEAD:
            raise ValueError("more requests than are answered on one connection")  # which makes it a 400

    def on_body(self, body: bytes) -> None:
        """What comes at once is handed over at once: added one by one, chunks of a byte would be copied thousands of
        times. As many bytes as a body has may stand around it, beside those of a head."""
        self._parts.append(body)
        if self._around is not None:
            self._around -= 2 * len(body)

    def _hand_over(self) -> None:
        if self._parts:
            super().on_body(b"".join(self._parts))
            self._parts.clear()

    def on_message_complete(self) -> None:
        self._around = None
        self._hand_over()
        super().on_message_complete()
        self._open.mark(self, silent=False)

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._client:
            self._open.mark(self, silent=True)
        self._head = 0
        if not self.transport.get_write_buffer_size():
            self._end_in(None)  # else the deadline stands until the last byte is taken

    def drop(self) -> None:
        """Close it at once, whatever is still to be sent."""
        self.transport.abort()

    def shutdown(self) -> None:
        """End with what is being answered or sent, after it; what has not begun is waited for a moment."""
        self._stopping = True
        if self.cycle is None or self.cycle.response_complete:
            self.loop.call_later(LAST_CALL, self._close_unless_begun)
        else:
            self.cycle.keep_alive = False

    def _close_unless_begun(self) -> None:
        if self.cycle is None or self.cycle.response_complete:
            self.transport.close()

    def _end_in(self, seconds: float | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = None if seconds is None else self.loop.call_later(seconds, self.drop)
