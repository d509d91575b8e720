"""The application on a port, by uvicorn: an event loop for the network, threads for the work."""

from __future__ import annotations

import errno
import resource
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, cast

import uvicorn
from flask import Flask

from mapsi.errors import UsageError
from mapsi.stopping import answering_signals
from mapsi.web.server.bounds import Bounds
from mapsi.web.server.connections import Connection, OpenConnections
from mapsi.web.server.gate import Gate

KEPT_SECONDS = 75
"""How long a connection without a request is kept for the next one: longer than proxies and most readers wait (nginx
keeps its own for 60), since a browser that asks while the connection closes shows a page without its styles. It costs
next to nothing: where all places are taken the one that is silent for longest gives way."""

LAST_SECONDS = 25
"""What is being sent or answered when the server is told to stop has this long to end. (Docker kills after 10 unless
told otherwise: compose.yaml says 30.)"""

BACKLOG = 2048
CONNECTIONS_OF_ONE = 100
MOST_CONNECTIONS = 4000
_OTHER_FILES = 256


def serve(
    app: Flask,
    host: str,
    port: int,
    threads: int,
    *,
    seconds: int = 60,
    proxied: bool = False,
    path: str = "",
    ready: Callable[[str], object] | None = None,
) -> None:
    """Serve ``app`` until Ctrl-C or SIGTERM, and say where; port 0 takes a free one.

    A request has ``seconds`` from its first byte to the last of its answer. When told to stop, the server takes no more
    connections, and what is being sent or answered has :data:`LAST_SECONDS` to end.

    Where the server is ``proxied``, all connections are the proxy's, and no share of one client is counted.

    ``path`` is what follows in the address that is said; ``ready`` is told that address once it can be opened. Raises
    :class:`UsageError` where the address cannot be used.
    """
    room = _room()
    share = room if proxied else min(room, CONNECTIONS_OF_ONE)
    bounds = Bounds(threads=threads, largest=_largest(app), seconds=seconds, connections=room, of_one=share)
    gate = Gate(app.wsgi_app, bounds)
    server = server_of(gate, bounds)
    try:
        with bind(host, port) as listening, _told_to_stop(server):
            listening.listen(BACKLOG)
            address = f"{_address(host, listening.getsockname()[1])}{path}"
            sys.stdout.write(f"mapsi is at {address} (Ctrl-C stops it)\n")
            sys.stdout.flush()
            if ready is not None:
                ready(address)
            server.run(sockets=[listening])
    finally:
        gate.close()


def _told_to_stop(server: uvicorn.Server) -> AbstractContextManager[None]:
    """Let Ctrl-C and SIGTERM end ``server``, and nothing else, from before it runs until after it has ended.

    uvicorn listens to signals only once its event loop runs; a KeyboardInterrupt that comes while the loop is built, or
    that uvicorn raises again at its end, would leave half a loop and a traceback.
    """
    return answering_signals((signal.SIGINT, signal.SIGTERM), server.handle_exit)


def bind(host: str, port: int) -> socket.socket:
    """A socket of our own, to say why an address cannot be used; raises :class:`UsageError`."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listening = socket.socket(family, kind, protocol)
        try:
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listening.bind(address)
        except OSError:
            listening.close()
            raise
    except OSError as error:
        raise UsageError(_why_not(error, host, port), "Choose another one with --host and --port.") from error
    return listening


def server_of(gate: Any, bounds: Bounds) -> uvicorn.Server:
    """The server that lets requests through ``gate``, an ASGI application; its ``run`` ends when told to, by a signal
    or ``should_exit``."""
    config = uvicorn.Config(
        gate,
        http=cast(Any, partial(Connection, connections=OpenConnections(bounds))),
        loop="asyncio",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="error",
        access_log=False,
        server_header=False,
        # The application itself believes as many proxies as the settings say, and none by default.
        proxy_headers=False,
        timeout_keep_alive=KEPT_SECONDS,
        timeout_graceful_shutdown=LAST_SECONDS,
    )
    return uvicorn.Server(config)


def _largest(app: Flask) -> int:
    return int(app.config["MAX_CONTENT_LENGTH"])


def _room() -> int:
    """How many connections fit this process, which may open as many files as its hard limit says."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_CONNECTIONS + _OTHER_FILES
    if soft < wanted and soft != resource.RLIM_INFINITY:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return MOST_CONNECTIONS if soft == resource.RLIM_INFINITY else max(16, min(MOST_CONNECTIONS, soft - _OTHER_FILES))


def _why_not(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"Port {port} on {host} is in use by another program."
        case errno.EACCES:
            return f"Port {port} on {host} may not be used by this account."
        case _:
            return f"The address {host}, port {port}, cannot be served: {error.strerror or error}."


def _address(host: str, port: int) -> str:
    shown = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104 - compared, not bound
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
