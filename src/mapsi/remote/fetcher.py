"""Fetch an address that a stranger named, without being led where it must not go."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Container, Mapping
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mapsi.artifacts import atomic_file
from mapsi.errors import RemoteError
from mapsi.remote.address import Address, parse_address
from mapsi.remote.connection import (
    USUAL,
    Deadline,
    Dial,
    MinimumRate,
    dial_address,
    dial_first,
    get,
    post,
    resolve_name,
    start_tls,
)
from mapsi.remote.content import Accept
from mapsi.remote.reach import Reach, Resolve
from mapsi.remote.response import Response, as_remote_errors

USER_AGENT = "Mozilla/5.0 (compatible; mapsi)"
"""Says who asks, behind the word without which some shops' servers answer nobody."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(frozen=True, slots=True)
class Answered:
    """How a server answered. ``url`` is where the redirects ended, ``status`` from 200 to 299 or one that the caller
    understands, the names in ``headers`` in lower case."""

    url: str
    status: int
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Fetched(Answered):
    """A whole answer in memory, its ``data`` unpacked."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Downloaded(Answered):
    """An answer that was written to a file of ``size`` bytes; with a status outside 200 to 299 nothing was."""

    size: int


@cache
def _trusted() -> ssl.SSLContext:
    """What trusts the system's certificates. Reading them takes 20 ms, so they are read once a process."""
    return ssl.create_default_context()


class Fetcher:
    """Fetches http(s) addresses of public servers, and of the hosts in ``allow_hosts`` (``host`` or ``host:port``).

    Every address, those of redirects too, is parsed, resolved once and checked; the connection goes to the very IP
    address that was checked. No cookies, no proxies, nothing kept between calls, so one fetcher may serve many threads.
    ``resolve``, ``dial`` and ``tls`` replace the system's resolver, its connections and its trusted certificates. A
    server is waited for inside the context that ``waiting`` gives, and no longer than ``pace`` says.
    """

    def __init__(
        self,
        *,
        allow_hosts: tuple[str, ...] = (),
        user_agent: str = USER_AGENT,
        max_redirects: int = 5,
        resolve: Resolve = resolve_name,
        dial: Dial = dial_address,
        tls: ssl.SSLContext | None = None,
        waiting: Callable[[], AbstractContextManager[object]] = nullcontext,
        pace: MinimumRate = USUAL,
    ) -> None:
        self._reach = Reach(allow_hosts, resolve)
        self._user_agent = user_agent
        self._max_redirects = max_redirects
        self._dial = dial
        self._tls = tls or _trusted()
        self._waiting = waiting
        self._pace = pace

    def rest(self, seconds: float) -> None:
        """Sleep, as while a server is waited for."""
        with self._waiting():
            time.sleep(seconds)

    def fetch(
        self,
        url: str,
        *,
        max_bytes: int,
        seconds: float,
        accept: Accept = "any",
        headers: Mapping[str, str] | None = None,
        statuses: Container[int] = (),
        form: Mapping[str, str] | None = None,
    ) -> Fetched:
        """Fetch ``url`` into memory: at most ``max_bytes``, packed or unpacked, all of it within ``seconds``.

        ``accept`` refuses by content what is no picture, or what is an HTML page instead of a feed. ``headers`` go
        along only as long as redirects stay on the same scheme, host and port, since they may hold a key. ``statuses``
        are those outside 200 to 299 that the caller understands (304, an API's own errors): they come back instead of
        an error. A ``form`` is posted to the address, and to no other: a redirect is then an error.

        Raises :class:`RefusedAddressError` where the address may not be visited and :class:`RemoteError` where nothing
        usable came back; neither repeats the answer, or tells which IP address a name led to.
        """
        deadline = Deadline(seconds, self._pace)
        with self._waiting(), self._visit(url, headers or {}, deadline, statuses, form) as answer:
            data = b"".join(answer.body(max_bytes, accept))
        return Fetched(answer.address.url, answer.status, answer.headers, data)

    def download(
        self,
        url: str,
        target: Path,
        *,
        max_bytes: int,
        seconds: float,
        accept: Accept = "any",
        headers: Mapping[str, str] | None = None,
        statuses: Container[int] = (),
    ) -> Downloaded:
        """Fetch ``url`` into the file ``target``, written whole or not at all; the rest as in :meth:`fetch`. The body
        of an answer outside 200 to 299 is left unread and ``target`` as it was."""
        size, deadline = 0, Deadline(seconds, self._pace)
        with self._waiting(), self._visit(url, headers or {}, deadline, statuses) as answer:
            if 200 <= answer.status < 300:
                with atomic_file(target) as beside, beside.open("wb") as file:
                    for chunk in answer.body(max_bytes, accept):
                        size += file.write(chunk)
        return Downloaded(answer.address.url, answer.status, answer.headers, size)

    def _visit(
        self,
        url: str,
        headers: Mapping[str, str],
        deadline: Deadline,
        statuses: Container[int],
        form: Mapping[str, str] | None = None,
    ) -> Response:
        """Follow redirects to an answer that holds something; each hop starts from scratch."""
        address = parse_address(url)
        for _ in range(self._max_redirects + 1):
            answer = self._ask(address, headers, deadline, form)
            if answer.status not in _REDIRECTS or form is not None:
                return answer.expected(statuses)
            with closing(answer):
                onward = answer.redirect()
            if onward.origin != address.origin:
                headers = {}
            address = onward
        raise RemoteError(f"The address redirects more than {self._max_redirects} times.", "Give the last address.")

    def _ask(
        self, address: Address, headers: Mapping[str, str], deadline: Deadline, form: Mapping[str, str] | None
    ) -> Response:
        with as_remote_errors(address):
            ips = deadline.bound(lambda: self._reach.addresses(address))
            sock = dial_first(ips, address.port, self._dial, deadline)
            if address.scheme == "https":
                sock = start_tls(sock, self._tls, address.host, deadline)
            try:
                sent = self._headers(address, headers)
                if form is None:
                    return Response(address, sock, get(sock, address.target, sent, deadline))
                return Response(address, sock, post(sock, address.target, sent, form, deadline))
            except BaseException:
                sock.close()
                raise

    def _headers(self, address: Address, given: Mapping[str, str]) -> dict[str, str]:
        return {name.title(): value for name, value in given.items()} | {
            "Host": address.host_header,
            "User-Agent": self._user_agent,
            "Accept-Encoding": "gzip, deflate",
            "Connection": "close",
        }
