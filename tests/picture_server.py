"""A shop's picture server on loopback: validators, pictures replaced behind their address, and everything that goes
wrong."""

from __future__ import annotations

import hashlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Served:
    """What an address gives: a status with headers, after some seconds. ``validated`` answers 304 to what it knows."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    validated: bool = True

    @property
    def etag(self) -> str:
        return f'"{hashlib.sha256(self.body).hexdigest()[:16]}"'


@dataclass
class PictureServer:
    """``served`` may be changed while it runs; while ``answering`` is cleared, nothing is answered. ``asked`` counts
    answers by (path, status), ``busiest`` is the largest number of requests that were in work at once."""

    port: int
    served: dict[str, Served] = field(default_factory=dict)
    asked: Counter[tuple[str, int]] = field(default_factory=Counter)
    busiest: int = 0
    working: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    answering: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.answering.set()

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"

    def put(self, path: str, body: bytes, **more: object) -> str:
        self.served[path] = Served(body, **more)  # type: ignore[arg-type]
        return self.url(path)


@contextmanager
def run_picture_server() -> Iterator[PictureServer]:
    listening = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    listening.daemon_threads = True
    server = PictureServer(listening.server_address[1])
    listening.pictures = server  # type: ignore[attr-defined]
    thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        server: PictureServer = self.server.pictures  # type: ignore[attr-defined]
        found = server.served.get(self.path, Served(status=404))
        with server.lock:
            server.working += 1
            server.busiest = max(server.busiest, server.working)
        time.sleep(found.seconds)
        server.answering.wait(60)
        with server.lock:  # before the answer: with its last byte the client is free to ask again
            server.working -= 1
        self._answer(server, found)

    def _answer(self, server: PictureServer, found: Served) -> None:
        known = found.validated and self.headers.get("If-None-Match") == found.etag
        status = 304 if known and found.status == 200 else found.status
        server.asked[self.path, status] += 1
        self.send_response(status)
        for name, value in found.headers.items():
            self.send_header(name, value)
        if found.status == 200 and found.validated:
            self.send_header("ETag", found.etag)
        if status != 304:
            self.send_header("Content-Length", str(len(found.body)))
        self.end_headers()
        if status != 304:
            self.wfile.write(found.body)

    def log_message(self, format: str, *words: object) -> None:
        """Silent: tests count requests themselves."""
