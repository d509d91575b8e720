"""The server in a thread of the test, and clients that misbehave by the byte."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from flask import Flask, Response, request

from mapsi.web.server.bounds import Bounds
from mapsi.web.server.gate import Gate
from mapsi.web.server.serving import server_of

PATIENCE = 20.0


@dataclass
class Probe:
    """An application whose ``/wait`` takes until ``release`` is set; ``begun`` are the paths it was asked for."""

    release: threading.Event = field(default_factory=threading.Event)
    begun: list[str] = field(default_factory=list)

    def app(self) -> Flask:
        app = Flask("probe")
        app.config["MAX_CONTENT_LENGTH"] = 100_000
        app.before_request(lambda: self.begun.append(request.full_path.rstrip("?")))

        @app.route("/wait")
        def wait() -> str:
            assert self.release.wait(PATIENCE)
            return "waited"

        @app.route("/", methods=["GET", "POST"])
        def count() -> str:
            return f"{request.method} {len(request.get_data())}"

        @app.route("/large")
        def large() -> Response:
            return Response(b"x" * 30_000_000)

        @app.route("/headers", methods=["GET", "POST"])
        def headers() -> dict[str, str]:
            return dict(request.headers)

        @app.route("/path/<path:rest>")
        def path(rest: str) -> str:
            return rest

        @app.route("/healthz")
        def health() -> str:
            return "ok"

        return app


@contextmanager
def serving(app: Flask, **bounds: float) -> Iterator[Served]:
    """Serve ``app`` in a thread within ``bounds``, one thread of work unless they say otherwise; stopped at the end."""
    asked: dict[str, float] = {"threads": 1, "largest": app.config["MAX_CONTENT_LENGTH"], **bounds}
    made = Bounds(**asked)  # type: ignore[arg-type]
    gate = Gate(app.wsgi_app, made)
    server = server_of(gate, made)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(100)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        try:
            yield Served(
                gate,
                listening.getsockname()[1],
                lambda: setattr(server, "should_exit", True),
                lambda: len(server.server_state.connections),
            )
        finally:
            server.should_exit = server.force_exit = True
            thread.join(PATIENCE)
            gate.close()


@dataclass(frozen=True)
class Served:
    """Where the server is, how to tell it to stop, and how many connections it has open."""

    gate: Gate
    port: int
    stop: Callable[[], None]
    connections: Callable[[], int]

    def connect(self, sent: bytes = b"") -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        opened.sendall(sent)
        return opened

    def ask(self, path: str, **headers: str) -> bytes:
        """The whole answer to one request on a connection of its own."""
        with self.connect(get(path, **headers)) as opened:
            return everything(opened)


def get(path: str, **headers: str) -> bytes:
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: a",
        "Connection: close",
        *(f"{name}: {text}" for name, text in headers.items()),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def everything(opened: socket.socket) -> bytes:
    """All that comes until the other side ends the connection."""
    parts = []
    try:
        while part := opened.recv(65536):
            parts.append(part)
    except ConnectionResetError:
        pass
    return b"".join(parts)


def eventually(holds: Callable[[], bool]) -> bool:
    """Whether something becomes true before the test's patience ends."""
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
