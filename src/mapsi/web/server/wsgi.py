"""One request as WSGI has it: a whole body in memory, a whole answer back."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

Scope = Mapping[str, Any]
"""What ASGI says of a request."""

Headers = list[tuple[bytes, bytes]]
_BODILESS = (204, 304)


@dataclass(frozen=True, slots=True)
class Response:
    """``headers`` have names in lower case, as ASGI wants them."""

    status: int
    headers: Headers
    body: bytes


def call(app: WSGIApplication, environ: dict[str, Any]) -> Response:
    """What ``app`` answers, collected: a slow reader keeps bytes waiting, never the thread that made them."""
    started: list[tuple[str, list[tuple[str, str]]]] = []

    def start_response(status: str, headers: list[tuple[str, str]], error: object = None) -> Any:
        started[:] = [(status, headers)]
        return _refuse_write

    parts: Iterable[bytes] = app(environ, start_response)
    try:
        body = b"".join(parts)
    finally:
        close = getattr(parts, "close", None)
        if close is not None:
            close()
    status, said = started[0]
    number = int(status.split(" ", 1)[0])
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in said]
    if number not in _BODILESS and not any(name == b"content-length" for name, _ in headers):
        headers.append((b"content-length", str(len(body)).encode()))
    return Response(number, headers, body)


def _refuse_write(data: bytes) -> None:
    raise NotImplementedError("WSGI's write() is not offered; return the body")


def environ_of(scope: Scope, body: bytes, sent: int = 0) -> dict[str, Any]:
    """The environment of PEP 3333 for a request whose body is here, or of whose ``sent`` bytes nothing was kept. The
    path is in Latin-1 for its bytes; a header with an underscore in its name, which would pass for one with a
    hyphen, is left out."""
    host, port = scope.get("server") or ("", 0)
    client = scope.get("client") or ("", 0)
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope["method"],
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(scope["raw_path"]).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": host,
        "SERVER_PORT": str(port),
        "REMOTE_ADDR": client[0],
        "REMOTE_PORT": str(client[1]),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }
    for name, value in scope["headers"]:
        if b"_" not in name:
            _add_header(environ, name.decode("latin-1"), value.decode("latin-1"))
    environ.pop("HTTP_TRANSFER_ENCODING", None)
    if body or sent or "CONTENT_LENGTH" in environ:
        environ["CONTENT_LENGTH"] = str(len(body) or sent)
    return environ


def _add_header(environ: dict[str, Any], name: str, value: str) -> None:
    plain = name.upper().replace("-", "_")
    key = plain if plain in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{plain}"
    if key in environ:
        value = f"{environ[key]}{'; ' if key == 'HTTP_COOKIE' else ','}{value}"
    environ[key] = value
