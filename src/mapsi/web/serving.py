"""The application on a port, by waitress."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import waitress
from flask import Flask

from mapsi.errors import UsageError
from mapsi.stopping import stopping_on_sigterm


def serve(
    app: Flask, host: str, port: int, threads: int, *, path: str = "", ready: Callable[[str], object] | None = None
) -> None:
    """Serve ``app`` until Ctrl-C or SIGTERM, and say where; port 0 takes a free one.

    ``path`` is what follows in the address that is said; ``ready`` is told that address once it can be opened. Raises
    :class:`UsageError` where the address cannot be had.
    """
    with _bind(host, port) as listening, suppress(KeyboardInterrupt), stopping_on_sigterm():
        server = _server(app, listening, threads)
        address = f"{_address(host, listening.getsockname()[1])}{path}"
        try:
            sys.stdout.write(f"mapsi is at {address} (Ctrl-C stops it)\n")
            sys.stdout.flush()
            if ready is not None:
                ready(address)
            server.run()
        finally:
            server.close()


def _bind(host: str, port: int) -> socket.socket:
    """A socket of our own: waitress leaves one open where the address cannot be had, and says less about why."""
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


def _server(app: Flask, listening: socket.socket, threads: int) -> Any:
    largest = int(app.config["MAX_CONTENT_LENGTH"])
    return waitress.create_server(
        app,
        sockets=[listening],
        threads=threads,
        # Of the 100 connections that are held, a silent one gives its place to another after half a minute.
        channel_timeout=30,
        cleanup_interval=10,
        ident=None,
        # A body somewhat over the limit is read so that the application can say so; a larger one is cut off.
        max_request_body_size=2 * largest,
        # Photos stay in memory, at the price of `connection_limit` (100) such bodies at worst: waitress would write
        # all above 512 kB to a temporary file.
        inbuf_overflow=2 * largest,
        # The application itself believes as many proxies as the settings say, and none by default.
        clear_untrusted_proxy_headers=False,
    )


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
