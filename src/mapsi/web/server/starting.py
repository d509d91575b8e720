"""What the port of a server says while there is nothing to serve from yet."""

from __future__ import annotations

import threading
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from mapsi.errors import CatalogError
from mapsi.web.server.bounds import Bounds
from mapsi.web.server.refused import RefusedError, told
from mapsi.web.server.serving import BACKLOG, bind, server_of
from mapsi.web.server.wsgi import Scope

Message = MutableMapping[str, Any]

_BOUNDS = Bounds(threads=1, largest=1 << 20, seconds=10, connections=200)
_STARTING = RefusedError(503, CatalogError.code, "The service is starting.", "Try again in a moment.")


@contextmanager
def answering_that_it_starts(host: str, port: int) -> Iterator[None]:
    """Answer everybody with 503 and Retry-After, ``/healthz`` too, while the block runs. Raises :class:`UsageError`
    where the address cannot be used."""
    server = server_of(_tell, _BOUNDS)
    with bind(host, port) as listening:
        listening.listen(BACKLOG)
        thread = threading.Thread(target=server.run, args=([listening],), name="starting")
        thread.start()
        try:
            yield
        finally:
            server.should_exit = server.force_exit = True
            thread.join()


async def _tell(
    scope: Scope, receive: Callable[[], Awaitable[Message]], send: Callable[[Message], Awaitable[None]]
) -> None:
    answer = told(_STARTING, scope)
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    await send({"type": "http.response.body", "body": answer.body})
