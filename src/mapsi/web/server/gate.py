"""Between the connections and the application: bodies gathered without a thread, a queue with an end, lanes for health
and for files.

What waits on the network waits in the event loop, where it costs some kilobytes; a thread works on nothing but requests
that have arrived whole. ``docs/decisions/0011-server.md`` has the measurements.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from mapsi.memory import give_back_now
from mapsi.web.server.bounds import Bounds
from mapsi.web.server.refused import HEALTH, RefusedError, told
from mapsi.web.server.wsgi import Response, Scope, call, environ_of

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

FILES = ("/static/", "/operator/assets/", "/pictures/")
"""Where pages have their style sheets, scripts and pictures. They are read in a fraction of a millisecond, and a page
that was let in without them is a ruin: they have a lane of their own, as long as there are connections."""

WORTH_GIVING_BACK = 64 << 20
"""Bytes of bodies that were in memory at once, from which on their memory is given back once most of them are gone:
they arrive in small parts, which left holes all over the heap, 780 MB for good after 128 uploads of 15 MB at once."""


class _GoneError(Exception):
    """The client left before its request was whole."""


class Gate:
    """An ASGI application over a WSGI one. Requests beyond ``bounds`` are answered at once, without a thread."""

    def __init__(self, app: WSGIApplication, bounds: Bounds) -> None:
        self._app = app
        self._bounds = bounds
        self._workers = ThreadPoolExecutor(bounds.threads, "mapsi")
        self._files = ThreadPoolExecutor(1, "mapsi-files")
        self._health = ThreadPoolExecutor(1, "mapsi-health")
        self._checking: asyncio.Future[Response] | None = None
        self._admitted = 0
        self._held = self._most_held = 0
        self._lock = threading.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            answer = await self._answer(scope, receive)
        except RefusedError as refused:
            answer = told(refused, scope)
        except _GoneError:
            return
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body, "more_body": False})

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        body = _Body(self, scope, self._bounds)
        try:
            whole = await body.gather(receive)
            if scope["path"] == HEALTH:
                return await self._check_health(scope)
            return await self._work(scope, whole, receive, body.sent)
        finally:
            self.hold(-body.size)

    @property
    def admitted(self) -> int:
        """Requests that are worked on or wait for it."""
        return self._admitted

    def hold(self, count: int) -> bool:
        """Count bytes of bodies in memory, all told; whether they fit."""
        self._held += count
        self._most_held = max(self._most_held, self._held)
        if self._most_held > max(WORTH_GIVING_BACK, 4 * self._held):
            self._most_held = self._held
            threading.Thread(target=give_back_now, name="mapsi-memory", daemon=True).start()
        return self._held <= self._bounds.held

    async def _check_health(self, scope: Scope) -> Response:
        """A lane of its own: who asks while a check runs is told what that one finds."""
        if self._checking is None:
            loop = asyncio.get_running_loop()
            self._checking = loop.run_in_executor(self._health, call, self._app, environ_of(scope, b""))
            self._checking.add_done_callback(lambda _: setattr(self, "_checking", None))
        return await asyncio.shield(self._checking)

    async def _work(self, scope: Scope, body: bytes, receive: Receive, sent: int) -> Response:
        job = asyncio.wrap_future(self._begin(scope, body, sent))
        gone = asyncio.ensure_future(_until_gone(receive))
        either: set[asyncio.Future[Any]] = {job, gone}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        gone.cancel()
        if job.done():
            return job.result()
        job.cancel()  # what still waits is never begun
        raise _GoneError

    def _begin(self, scope: Scope, body: bytes, sent: int) -> Future[Response]:
        if scope["path"].startswith(FILES):
            return self._files.submit(call, self._app, environ_of(scope, body, sent))
        return self._admit(scope, body, sent)

    def _admit(self, scope: Scope, body: bytes, sent: int) -> Future[Response]:
        with self._lock:
            if self._admitted >= self._bounds.admitted:
                raise RefusedError(
                    503, "busy", "There are more requests than can be answered at once.", "Try again in a moment."
                )
            self._admitted += 1
        job = self._workers.submit(call, self._app, environ_of(scope, body, sent))
        job.add_done_callback(self._leave)
        return job

    def _leave(self, job: Future[Response]) -> None:
        with self._lock:
            self._admitted -= 1

    def close(self) -> None:
        """Begin nothing more; what runs ends by itself."""
        self._workers.shutdown(wait=False, cancel_futures=True)
        self._files.shutdown(wait=False, cancel_futures=True)
        self._health.shutdown(wait=False, cancel_futures=True)


async def _until_gone(receive: Receive) -> None:
    """After its body, a request has nothing to say but that its client left."""
    while (await receive())["type"] != "http.disconnect":
        pass


class _Body:
    """The body of one request as it arrives: ``size`` bytes of it are in memory, ``sent`` are on their way all told, as
    far as is known."""

    def __init__(self, gate: Gate, scope: Scope, bounds: Bounds) -> None:
        self._gate = gate
        self._bounds = bounds
        self._said = next((int(value) for name, value in scope["headers"] if name == b"content-length"), 0)
        self._arrived = self.size = 0

    @property
    def sent(self) -> int:
        return max(self._arrived, self._said)

    async def gather(self, receive: Receive) -> bytes:
        """The whole body; of one that is too large nothing, so that the application can say so by its length."""
        parts: list[bytes] = []
        more = True
        try:
            async with asyncio.timeout(self._bounds.body_seconds):
                while more:
                    message = await receive()
                    if message["type"] != "http.request":
                        raise _GoneError
                    self._take(parts, message.get("body", b""))
                    more = message.get("more_body", False)
        except TimeoutError:
            raise RefusedError(
                408, "too_slow", "The request took too long to arrive.", "Send a smaller photo."
            ) from None
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def _take(self, parts: list[bytes], data: bytes) -> None:
        self._arrived += len(data)
        if self.sent > self._bounds.drained:
            raise RefusedError(
                413, "photo_too_large", "The request is larger than the service accepts.", "Send a smaller photo."
            )
        if self.sent > self._bounds.kept:
            self._gate.hold(-self.size)
            self.size = 0
            parts.clear()
            return
        self.size += len(data)
        fits = self._gate.hold(len(data))
        if not fits:
            raise RefusedError(503, "busy", "More is being sent than there is room for.", "Try again in a moment.")
        parts.append(data)
