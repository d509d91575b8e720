"""One request over one socket, with a deadline that holds for all of it.

``http.client`` reads the answer; it does not connect, follow, decode or look at the environment.
"""

from __future__ import annotations

import http.client
import io
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, cast
from urllib.parse import urlencode

from mapsi.errors import UsageError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Dial = Callable[[str, int, float], socket.socket]
"""(IP address, port, seconds) -> a connected socket; raises :class:`OSError`."""

CHUNK = 64 * 1024
_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class MinimumRate:
    """How slow an answer may be, in seconds of waiting for it: ``begin`` until it begins, then ``seconds`` for every
    ``least`` bytes, headers among them. Time in which nobody reads (a slow disk) does not count."""

    begin: float = 300
    seconds: float = 60
    least: int = 64 << 10


USUAL = MinimumRate()
"""A kilobyte a second: a tenth of what the slowest line carries, and some shops make a feed when they are asked."""


class TooSlowError(TimeoutError):
    """An answer that is slower than its pace."""


class Deadline:
    """The moment by which everything has to be done; a timeout on each read alone would let an answer drip for ever.
    Long before a generous one, an answer that drips ends by its ``pace``."""

    def __init__(self, seconds: float, pace: MinimumRate = USUAL) -> None:
        self._end = time.monotonic() + seconds
        self.pace = pace

    def remaining(self) -> float:
        """Seconds left, above 0; raises :class:`TimeoutError` where there are none."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def bound(self, call: Callable[[], _Result]) -> _Result:
        """Run a call that knows no timeout (name look-up) and give up on it at the deadline.

        The thread is left behind then: nothing can interrupt the system's resolver, which ends by itself.
        """
        results: queue.SimpleQueue[tuple[_Result | None, Exception | None]] = queue.SimpleQueue()

        def work() -> None:
            try:
                results.put((call(), None))
            except Exception as error:  # noqa: BLE001 - handed over to the thread that waits
                results.put((None, error))

        threading.Thread(target=work, name="resolve", daemon=True).start()
        try:
            result, error = results.get(timeout=self.remaining())
        except queue.Empty:
            raise TimeoutError from None
        if error is not None:
            raise error
        return cast(_Result, result)


def resolve_name(name: str, port: int) -> list[str]:
    """The system's answer for a name: its IP addresses, IPv6 and IPv4."""
    return [str(entry[4][0]) for entry in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)]


def dial_address(ip: str, port: int, seconds: float) -> socket.socket:
    """Connect to an IP address; no name is looked up here."""
    sock = socket.socket(socket.AF_INET6 if ":" in ip else socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.settimeout(seconds)
        sock.connect((ip, port))
    except BaseException:
        sock.close()
        raise
    return sock


def dial_first(ips: Sequence[str], port: int, dial: Dial, deadline: Deadline) -> socket.socket:
    """Connect to the first address that answers; each may take its share of the time left, so a dead one costs not
    all."""
    *others, last = ips
    for tried, ip in enumerate(others):
        try:
            return dial(ip, port, deadline.remaining() / (len(ips) - tried))
        except OSError:
            continue
    return dial(last, port, deadline.remaining())


def start_tls(sock: socket.socket, context: ssl.SSLContext, name: str, deadline: Deadline) -> socket.socket:
    """TLS over a connected socket, the certificate checked against ``name``; closes the socket where that fails."""
    try:
        sock.settimeout(deadline.remaining())
        return context.wrap_socket(sock, server_hostname=name)
    except BaseException:
        sock.close()
        raise


def get(sock: socket.socket, target: str, headers: Mapping[str, str], deadline: Deadline) -> http.client.HTTPResponse:
    """Send a GET and read the answer's status and headers; its body is read under the same deadline."""
    return _exchange(sock, "GET", target, headers, b"", deadline)


def post(
    sock: socket.socket, target: str, headers: Mapping[str, str], form: Mapping[str, str], deadline: Deadline
) -> http.client.HTTPResponse:
    """Send a form by POST; the rest as in :func:`get`."""
    body = urlencode(form).encode("ascii")
    about = {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": str(len(body))}
    return _exchange(sock, "POST", target, {**headers, **about}, body, deadline)


def _exchange(
    sock: socket.socket, method: str, target: str, headers: Mapping[str, str], body: bytes, deadline: Deadline
) -> http.client.HTTPResponse:
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if any(not line.isascii() or not line.isprintable() for line in lines):
        raise UsageError("A header for the request holds characters that a header cannot carry.", "Mend the header.")
    sock.settimeout(deadline.remaining())
    sock.sendall("\r\n".join([*lines, "", ""]).encode("ascii") + body)
    response = http.client.HTTPResponse(cast(socket.socket, _TimedSocket(sock, deadline)), method=method)
    response.begin()
    if response.headers.defects:  # the rest of the headers would be taken for the body
        raise http.client.HTTPException("unreadable headers")
    return response


def read_body(response: http.client.HTTPResponse) -> Iterator[bytes]:
    """The body as it arrives; raises :class:`http.client.IncompleteRead` where it ends before its announced length."""
    while chunk := response.read1(CHUNK):
        yield chunk
    if response.length:
        raise http.client.IncompleteRead(b"", response.length)


class _TimedSocket:
    """What ``HTTPResponse`` needs of a socket: a file to read from."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._reader = _TimedReader(sock, deadline)

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self._reader, CHUNK)


class _TimedReader(io.RawIOBase):
    """Reads a socket, each time with what is left until the deadline and of the pace."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline
        self._patience = deadline.pace.begin
        self._lacking = 1  # bytes that have to come within it

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        left = self._deadline.remaining()
        self._sock.settimeout(min(left, self._patience))
        asked = time.monotonic()
        try:
            count = self._sock.recv_into(buffer)
        except TimeoutError as error:
            if self._patience < left:
                raise TooSlowError from error
            raise
        self._note(count, time.monotonic() - asked)
        return count

    def _note(self, count: int, waited: float) -> None:
        self._lacking -= count
        self._patience -= waited
        if self._lacking <= 0:
            self._lacking, self._patience = self._deadline.pace.least, self._deadline.pace.seconds
        elif self._patience <= 0:
            raise TooSlowError
