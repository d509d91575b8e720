"""A local server for feeds, as shops' servers are: validators, packing, redirects, and answers that break off."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from email.utils import formatdate, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, kw_only=True)
class Page:
    """What lies behind a path, with whatever query.

    ``etag`` (with its quotation marks) and ``modified`` (seconds since 1970) are sent and asked for where they are
    given. ``packed`` sends the body as ``Content-Encoding: gzip``. ``redirect`` is where the path leads instead.
    ``cut`` is after how many bytes of the announced body the server hangs up. ``chunked`` sends no length; ``wait``
    seconds pass before the answer, unless the server is stopped; ``until`` is waited for as well. ``drip`` sends the
    answer, its first line too, byte by byte with so many seconds between them.
    """

    body: bytes = b""
    etag: str = ""
    modified: float | None = None
    packed: bool = False
    redirect: str = ""
    cut: int | None = None
    chunked: bool = False
    status: int = 200
    wait: float = 0
    until: threading.Event | None = None
    drip: float = 0


class FeedServer(ThreadingHTTPServer):
    """``pages`` by path; ``asked`` are the requests so far, each a path and its headers."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, Page] = {}
        self.ended = threading.Event()
        self.asked: list[tuple[str, Message]] = []

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def url(self, path: str = "/feed") -> str:
        return f"http://{self.host}{path}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Clients that hang up are what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    server: FeedServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.close_connection = True
        self.server.asked.append((self.path, self.headers))
        bare = self.path.partition("?")[0]
        page = self.server.pages.get(self.path, self.server.pages.get(bare, Page(status=404)))
        self.server.ended.wait(page.wait)
        if page.until is not None:
            page.until.wait(60)
        if page.drip:
            self._drip(page)
        elif page.redirect:
            self._head(302, {"Location": page.redirect, "Content-Length": "0"})
        elif self._is_known(page):
            self._head(304, _validators(page))
        else:
            self._send(page)

    def _is_known(self, page: Page) -> bool:
        """RFC 9110, 13.2.2: where ``If-None-Match`` is sent, ``If-Modified-Since`` does not count."""
        etags, since = self.headers.get("If-None-Match"), self.headers.get("If-Modified-Since")
        if etags is not None:
            return bool(page.etag) and page.etag.removeprefix("W/") in [
                etag.strip().removeprefix("W/") for etag in etags.split(",")
            ]
        return since is not None and page.modified is not None and page.modified <= _seconds(since)

    def _send(self, page: Page) -> None:
        body = gzip.compress(page.body, mtime=0) if page.packed else page.body
        headers = _validators(page) | ({"Content-Encoding": "gzip"} if page.packed else {})
        if page.chunked:
            headers["Transfer-Encoding"] = "chunked"
            body = b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in (body[:1000], body[1000:]) if part)
            body += b"0\r\n\r\n"
        else:
            headers["Content-Length"] = str(len(body))
        self._head(page.status, headers)
        self.wfile.write(body if page.cut is None else body[: page.cut])

    def _drip(self, page: Page) -> None:
        moved = f"HTTP/1.1 302 Found\r\nLocation: {page.redirect}\r\n\r\n".encode()
        found = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(page.body), page.body)
        for byte in moved if page.redirect else found:
            self.wfile.write(bytes([byte]))
            if self.server.ended.wait(page.drip):
                return

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Nothing to the terminal."""


def _validators(page: Page) -> dict[str, str]:
    headers = {"ETag": page.etag} if page.etag else {}
    return headers | ({} if page.modified is None else {"Last-Modified": formatdate(page.modified, usegmt=True)})


def _seconds(date: str) -> float:
    return parsedate_to_datetime(date).timestamp()


@contextmanager
def served(server: ThreadingHTTPServer) -> Iterator[None]:
    """Run a server in a thread for as long as the block lasts."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield
    finally:
        if isinstance(server, FeedServer):
            server.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def run_feed_server() -> Iterator[FeedServer]:
    """A running server on a free port of this machine."""
    server = FeedServer()
    with served(server):
        yield server
