"""The fetcher: where it goes, where it never goes, and when it stops."""

from __future__ import annotations

import gzip
import ipaddress
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapsi.errors import RefusedAddressError, RemoteError, SettingError, UsageError
from mapsi.remote import Fetcher
from mapsi.remote.address import parse_address
from mapsi.remote.connection import MinimumRate, dial_address
from mapsi.remote.content import looks_like_html
from mapsi.remote.reach import is_public

PUBLIC = "93.184.215.14"
JPEG = b"\xff\xd8\xff\xe0" + bytes(2000)
Serve = Callable[[socket.socket], None]


def answer(body: bytes, *headers: str, status: str = "200 OK", length: int | None = None) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def redirect(to: str, status: str = "302 Found") -> bytes:
    return answer(b"", f"Location: {to}", status=status)


class Server(socketserver.ThreadingTCPServer):
    """A real server on loopback; ``pages`` maps a path to bytes to send, or to a function that does worse."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        self.pages: dict[str, bytes | Serve] = {}
        self.requests: list[str] = []
        self.over = threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    def url(self, path: str = "/") -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up in the middle is what most of these tests are about."""


class _Handler(socketserver.BaseRequestHandler):
    server: Server

    def handle(self) -> None:
        request = b""
        while b"\r\n\r\n" not in request:
            chunk = self.request.recv(65536)
            if not chunk:
                return
            request += chunk
        self.server.requests.append(request.decode())
        page = self.server.pages.get(request.split()[1].decode(), answer(b"", status="404 Not Found"))
        if isinstance(page, bytes):
            self.request.sendall(page)
        else:
            page(self.request)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.over.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def fetcher(server: Server) -> Fetcher:
    """One that the operator has allowed to visit the server."""
    return Fetcher(allow_hosts=(f"127.0.0.1:{server.port}",))


class Net:
    """A stand-in for the internet: names have the addresses given here, every connection ends at the test's server."""

    def __init__(self, server: Server, **names: list[str]) -> None:
        self.server = server
        self.names = {name.replace("_", "."): ips for name, ips in names.items()}
        self.resolved: list[str] = []
        self.dialled: list[tuple[str, int]] = []

    def resolve(self, name: str, port: int) -> list[str]:
        self.resolved.append(name)
        if name not in self.names:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return self.names[name]

    def dial(self, ip: str, port: int, seconds: float) -> socket.socket:
        self.dialled.append((ip, port))
        return dial_address("127.0.0.1", self.server.port, seconds)

    def fetcher(self, **options: object) -> Fetcher:
        return Fetcher(resolve=self.resolve, dial=self.dial, **options)  # type: ignore[arg-type]


def fetch(fetcher: Fetcher, url: str, *, max_bytes: int = 1 << 20, seconds: float = 5, **options: object) -> bytes:
    return fetcher.fetch(url, max_bytes=max_bytes, seconds=seconds, **options).data  # type: ignore[arg-type]


def never_resolve(name: str, port: int) -> list[str]:
    raise AssertionError(f"{name} was looked up")


def never_dial(ip: str, port: int, seconds: float) -> socket.socket:
    raise AssertionError(f"{ip} was connected to")


# --- what comes back -------------------------------------------------------------------------------------------------


def test_an_allowed_host_is_fetched_whole(server: Server, fetcher: Fetcher) -> None:
    server.pages["/a?b=%EC%98%B7"] = answer(JPEG, "Content-Type: image/jpeg")
    fetched = fetcher.fetch(server.url("/a?b=옷#part"), max_bytes=1 << 20, seconds=5, accept="picture")
    assert (fetched.status, fetched.data) == (200, JPEG)
    assert fetched.headers["content-type"] == "image/jpeg"
    assert fetched.url == server.url("/a?b=%EC%98%B7")


def test_the_request_says_the_original_host_and_carries_no_cookie_or_proxy(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    net = Net(server, shop_example=[PUBLIC])
    server.pages["/"] = answer(b"ok", "Set-Cookie: session=1")
    fetcher = net.fetcher(user_agent="tester")
    assert [fetch(fetcher, "http://shop.example/"), fetch(fetcher, "http://shop.example")] == [b"ok", b"ok"]
    assert net.dialled == [(PUBLIC, 80)] * 2
    for request in server.requests:
        assert "\r\nHost: shop.example\r\n" in request
        assert "\r\nUser-Agent: tester\r\n" in request
        assert "cookie" not in request.lower()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("deflate", lambda data: zlib.compress(data)[2:-4]),
        ("gzip", lambda data: gzip.compress(data[:500]) + gzip.compress(data[500:])),
        ("identity", bytes),
    ],
)
def test_packed_answers_are_unpacked(
    server: Server, fetcher: Fetcher, encoding: str, pack: Callable[[bytes], bytes]
) -> None:
    body = b"0123456789" * 50_000
    server.pages["/"] = answer(pack(body), f"Content-Encoding: {encoding}")
    assert fetch(fetcher, server.url()) == body


def test_chunked_answers_are_joined(server: Server, fetcher: Fetcher) -> None:
    server.pages["/"] = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    assert fetch(fetcher, server.url()) == b"abcde"


def test_a_download_is_written_whole_or_not_at_all(server: Server, fetcher: Fetcher, tmp_path: Path) -> None:
    body = b"<rss/>" * 100_000
    server.pages["/feed"] = answer(body)
    server.pages["/short"] = answer(body, length=len(body) + 1)
    target = tmp_path / "feed.xml"
    done = fetcher.download(server.url("/feed"), target, max_bytes=1 << 20, seconds=5, accept="feed")
    assert (done.size, target.read_bytes()) == (len(body), body)
    with pytest.raises(RemoteError, match="is cut off"):
        fetcher.download(server.url("/short"), target, max_bytes=1 << 20, seconds=5)
    assert target.read_bytes() == body
    assert list(tmp_path.iterdir()) == [target]


# --- where it never goes ---------------------------------------------------------------------------------------------

_REFUSED_WORDS = r"""
http://127.0.0.1/ http://127.0.0.1./ http://localhost.:8080/ http://2130706433/ http://017700000001/ http://0x7f000001/
http://0x7f.1/ http://127.1/ http://127.0.1/ http://0177.0.0.1/ http://127.0.0.01/ http://0/ http://0x/ http://1.2.3.4.5/
http://256.1.1.1/ http://１２７.0.0.1/ http://127。0。0。1/ http://①②⑦.0.0.1/ http://[::1]/ http://[::]/
http://[::ffff:169.254.169.254]/ http://[::ffff:a9fe:a9fe]/ http://[::127.0.0.1]/ http://[64:ff9b::a9fe:a9fe]/
http://[64:ff9b:1::1]/ http://[2002:7f00:1::]/ http://[2001:0:7f00:1::1]/ http://[fe80::1%25eth0]/ http://[fe80::1%eth0]/
http://[fe80::1]/ http://[fd00::1]/ http://[fec0::1]/ http://[ff02::1]/ http://[2001:db8::1]/ http://[::1]evil.example/
http://[127.0.0.1]/ http://[v1.a]/ http://[::1/ http://10.0.0.1/ http://172.16.0.1/ http://192.168.1.1/
http://169.254.169.254/ http://100.64.0.1/ http://100.127.255.254/ http://0.0.0.0/ http://192.0.0.8/ http://192.0.2.1/
http://192.88.99.1/ http://198.18.0.1/ http://224.0.0.1/ http://240.0.0.1/ http://255.255.255.255/
http://user@shop.example/ http://user:word@shop.example/ http://@shop.example/ http://shop.example:22/
http://shop.example:8080/ http://shop.example:0/ http://shop.example:99999/ http://shop.example:８０/ http://shop.example:-1/
http://shop.example:80:80/ http://shop..example/ http://.shop.example/ http://shop.example../ http://-shop.example/
http://shop%2eexample/ http://shop.example\@127.0.0.1/ http:\\shop.example/ http:///path http:shop.example http:// //shop.example/
ftp://shop.example/ file:///etc/passwd gopher://shop.example/ javascript:alert(1) data:text/plain,hi shop.example
http://sh*p.example/ http://shop.example,evil.example/ http://a℀b.example/
"""
REFUSED = [
    *_REFUSED_WORDS.split(),
    "",
    "http://shop.example/\r\nHost: evil",
    "http://shop\t.example/",
    "http://sh op.example/",
    "http://shop.example/\x00",
    "http://shop.example/\ud800",
    f"http://{'a' * 64}.example/",
    f"http://shop.example/{'a' * 9000}",
]


@pytest.mark.parametrize("url", REFUSED)
def test_an_odd_or_private_address_is_refused_before_any_connection(url: str) -> None:
    fetcher = Fetcher(resolve=lambda name, port: [PUBLIC] if name != "localhost" else ["127.0.0.1"], dial=never_dial)
    with pytest.raises(RefusedAddressError):
        fetch(fetcher, url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://shop.example/", "Only http and https"),
        ("http://user:word@shop.example/", "user name or a password"),
        ("http://[fe80::1%25eth0]/", "network interface"),
        ("http://0x7f.1/", "unusual way"),
        ("http://shop.example:22/", "ports 80 and 443"),
        ("http://10.0.0.1/", "not lead to a public server"),
    ],
)
def test_a_refusal_says_why_but_not_the_password(url: str, why: str) -> None:
    with pytest.raises(RefusedAddressError, match=why) as caught:
        fetch(_GUARDED, url)
    assert "word@" not in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize(
    "ips",
    [
        ["127.0.0.1"],
        [PUBLIC, "10.0.0.1"],
        ["2606:2800:21f:cb07::1", "::1"],
        ["::ffff:93.184.215.14"],
        ["64:ff9b::5db8:d70e"],
        ["2002:5db8:d70e::1"],
        ["fe80::1%eth0"],
        ["100.100.100.200"],
    ],
)
def test_a_name_is_refused_if_any_of_its_addresses_is_private(ips: list[str]) -> None:
    fetcher = Fetcher(resolve=lambda name, port: ips, dial=never_dial)
    with pytest.raises(RefusedAddressError) as caught:
        fetch(fetcher, "http://shop.example/")
    assert not any(ip in str(caught.value) for ip in ips)


def test_a_name_that_changes_its_address_is_asked_once_and_connected_to_as_checked(server: Server) -> None:
    answers = iter([[PUBLIC], ["127.0.0.1"]])
    net = Net(server)
    server.pages["/"] = answer(b"ok")
    fetcher = Fetcher(resolve=lambda name, port: next(answers), dial=net.dial)
    assert fetch(fetcher, "http://shop.example/") == b"ok"
    assert net.dialled == [(PUBLIC, 80)]
    with pytest.raises(RefusedAddressError):
        fetch(fetcher, "http://shop.example/")
    assert net.dialled == [(PUBLIC, 80)]


def test_an_international_name_has_one_spelling(server: Server) -> None:
    net = Net(server, **{"xn--r02bw6n_example": [PUBLIC]})
    server.pages["/"] = answer(b"ok")
    for name in ("맵시.example", "맵시。EXAMPLE", "맵시.example.", "XN--r02bw6n.example"):
        assert fetch(net.fetcher(), f"http://{name}/") == b"ok"
    assert set(net.resolved) == {"xn--r02bw6n.example"}


def test_only_the_host_and_port_that_the_operator_named_are_exceptions(server: Server) -> None:
    server.pages["/"] = answer(b"ok")
    with pytest.raises(RefusedAddressError):
        fetch(Fetcher(dial=never_dial), server.url())
    with pytest.raises(RefusedAddressError):
        fetch(Fetcher(allow_hosts=("127.0.0.1:1",), dial=never_dial), server.url())
    with pytest.raises(RefusedAddressError):
        fetch(Fetcher(allow_hosts=("nas.example",), resolve=never_resolve, dial=never_dial), server.url())
    assert fetch(Fetcher(allow_hosts=("127.0.0.1",)), server.url()) == b"ok"
    named = Fetcher(allow_hosts=("NAS.example.",), resolve=lambda name, port: ["127.0.0.1"])
    assert fetch(named, f"http://nas.example:{server.port}/") == b"ok"


@pytest.mark.parametrize(
    "entry", ["", "http://nas", "nas:port", "nas:0", "nas:99999", "a b", "[::1", "0x7f.1", "u@nas"]
)
def test_an_exception_that_is_no_host_is_a_setting_error(entry: str) -> None:
    with pytest.raises(SettingError, match="allowed host"):
        Fetcher(allow_hosts=(entry,))


def test_an_ipv6_exception_may_be_written_with_and_without_brackets(server: Server) -> None:
    net = Net(server)
    server.pages["/"] = answer(b"ok")
    for entry in ("fd00::1", "[fd00::1]", "[FD00:0::1]:8080"):
        assert fetch(net.fetcher(allow_hosts=(entry,)), "http://[fd00::1]:8080/") == b"ok"
    assert "Host: [fd00::1]:8080" in server.requests[0]


# --- redirects -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
def test_redirects_are_followed_to_the_end(server: Server, fetcher: Fetcher, status: str) -> None:
    server.pages["/a/b"] = redirect("../c?옷", status)
    server.pages["/c?%EC%98%B7"] = answer(b"there")
    fetched = fetcher.fetch(server.url("/a/b"), max_bytes=100, seconds=5)
    assert (fetched.data, fetched.url) == (b"there", server.url("/c?%EC%98%B7"))


@pytest.mark.parametrize(
    "to",
    [
        "http://169.254.169.254/latest/meta-data/",
        "//169.254.169.254/",
        "http://[::ffff:169.254.169.254]/",
        "http://0x7f.1/",
        "http://inner.example/",
        "http://shop.example:22/",
        "file:///etc/passwd",
        "http://user@shop.example/",
        "http://[::1/",
    ],
)
def test_a_redirect_to_a_refused_address_is_refused(server: Server, to: str) -> None:
    net = Net(server, shop_example=[PUBLIC], inner_example=["10.0.0.7"])
    server.pages["/"] = redirect(to)
    for fetcher, url in (
        (net.fetcher(), "http://shop.example/"),
        (net.fetcher(allow_hosts=("nas.local", "127.0.0.1")), "http://127.0.0.1/"),
    ):
        net.dialled.clear()
        with pytest.raises(RefusedAddressError):
            fetch(fetcher, url)
        assert len(net.dialled) == 1


def test_a_circle_of_redirects_ends(server: Server, fetcher: Fetcher) -> None:
    server.pages["/a"], server.pages["/b"] = redirect("/b"), redirect("/a")
    with pytest.raises(RemoteError, match="more than 5 times"):
        fetch(fetcher, server.url("/a"))
    assert len(server.requests) == 6


def test_headers_of_the_caller_stay_with_the_host_they_were_meant_for(server: Server) -> None:
    net = Net(server, shop_example=[PUBLIC], other_example=["93.184.215.15"])
    server.pages["/"], server.pages["/2"] = redirect("/2"), redirect("http://other.example/3")
    server.pages["/3"] = answer(b"ok")
    assert fetch(net.fetcher(), "http://shop.example/", headers={"X-Key": "secret", "host": "evil"}) == b"ok"
    assert ["X-Key: secret" in request for request in server.requests] == [True, True, False]
    assert not any("evil" in request for request in server.requests)


def test_a_header_cannot_smuggle_another(fetcher: Fetcher, server: Server) -> None:
    with pytest.raises(UsageError):
        fetch(fetcher, server.url(), headers={"X": "a\r\nHost: evil"})


# --- when it stops ---------------------------------------------------------------------------------------------------


def drip(sock: socket.socket, what: bytes, over: threading.Event) -> None:
    while not over.wait(0.02):
        sock.sendall(what)


@pytest.mark.parametrize("start", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_slow_drip_ends_at_the_deadline(server: Server, fetcher: Fetcher, start: bytes) -> None:
    def serve(sock: socket.socket) -> None:
        sock.sendall(start)
        drip(sock, b"x", server.over)

    server.pages["/"] = serve
    began = time.monotonic()
    with pytest.raises(RemoteError, match="within the time"):
        fetch(fetcher, server.url(), seconds=0.4)
    assert 0.3 < time.monotonic() - began < 30


@pytest.mark.parametrize(
    "start", [b"H", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n", b"HTTP/1.1 302 F\r\nLocation: /"]
)
def test_an_answer_that_is_slower_than_its_pace_ends_long_before_the_deadline(server: Server, start: bytes) -> None:
    def serve(sock: socket.socket) -> None:
        sock.sendall(start)
        drip(sock, b"x", server.over)

    server.pages["/"] = serve
    fetcher = Fetcher(allow_hosts=(f"127.0.0.1:{server.port}",), pace=MinimumRate(begin=60, seconds=0.3, least=1000))
    with pytest.raises(RemoteError, match="too slowly"):
        fetch(fetcher, server.url(), seconds=60)


def test_an_answer_that_does_not_begin_ends_before_the_deadline(server: Server) -> None:
    def serve(_sock: socket.socket) -> None:
        server.over.wait(60)

    server.pages["/"] = serve
    fetcher = Fetcher(allow_hosts=(f"127.0.0.1:{server.port}",), pace=MinimumRate(begin=0.2))
    with pytest.raises(RemoteError, match="too slowly"):
        fetch(fetcher, server.url(), seconds=60)


def test_a_slow_answer_that_keeps_its_pace_is_read_whole(server: Server) -> None:
    def serve(sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        for _ in range(20):
            server.over.wait(0.05)
            sock.sendall(b"x" * 500)

    server.pages["/"] = serve
    fetcher = Fetcher(allow_hosts=(f"127.0.0.1:{server.port}",), pace=MinimumRate(begin=60, seconds=0.7, least=1000))
    assert fetch(fetcher, server.url(), seconds=60) == b"x" * 10_000


def test_the_deadline_holds_over_all_redirects_together(server: Server, fetcher: Fetcher) -> None:
    def serve(sock: socket.socket) -> None:
        server.over.wait(0.15)
        sock.sendall(redirect("/"))

    server.pages["/"] = serve
    with pytest.raises(RemoteError, match="within the time"):
        fetch(fetcher, server.url(), seconds=0.4)


def test_a_name_server_that_does_not_answer_ends_at_the_deadline() -> None:
    over = threading.Event()
    fetcher = Fetcher(resolve=lambda name, port: [PUBLIC] if over.wait(10) else [], dial=never_dial)
    with pytest.raises(RemoteError, match="within the time"):
        fetch(fetcher, "http://shop.example/", seconds=0.2)
    over.set()


def test_an_endless_body_is_cut_at_the_limit(server: Server, fetcher: Fetcher) -> None:
    def serve(sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not server.over.is_set():
            sock.sendall(bytes(65536))

    server.pages["/"] = serve
    with pytest.raises(RemoteError, match="larger than the 1,000,000 bytes"):
        fetch(fetcher, server.url(), max_bytes=1_000_000)


def test_an_announced_length_over_the_limit_is_refused_without_reading(server: Server, fetcher: Fetcher) -> None:
    server.pages["/"] = answer(b"", length=1001)
    with pytest.raises(RemoteError, match="larger"):
        fetch(fetcher, server.url(), max_bytes=1000)


def test_exactly_the_limit_is_read(server: Server, fetcher: Fetcher) -> None:
    server.pages["/"] = answer(bytes(1000))
    assert len(fetch(fetcher, server.url(), max_bytes=1000)) == 1000


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_is_not_unpacked(server: Server, fetcher: Fetcher, encoding: str) -> None:
    pack = gzip.compress if encoding == "gzip" else zlib.compress
    server.pages["/"] = answer(pack(bytes(50_000_000)), f"Content-Encoding: {encoding}")
    with pytest.raises(RemoteError, match="larger"):
        fetch(fetcher, server.url(), max_bytes=100_000)


def test_packed_bytes_count_even_where_they_unpack_to_nothing(server: Server, fetcher: Fetcher) -> None:
    def serve(sock: socket.socket) -> None:
        sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Encoding: deflate\r\n\r\n" + zlib.compress(b"")[:2])
        while not server.over.is_set():
            sock.sendall(b"\x00\x00\x00\xff\xff" * 10_000)

    server.pages["/"] = serve
    with pytest.raises(RemoteError, match="larger"):
        fetch(fetcher, server.url(), max_bytes=1_000_000)


# --- what does not count as an answer --------------------------------------------------------------------------------

CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
DAMAGED = {
    "nothing": b"",
    "no HTTP": b"SSH-2.0-OpenSSH\r\n",
    "half a header": b"HTTP/1.1 200 OK\r\nContent-Le",
    "shorter than announced": answer(b"abc", length=10),
    "a bad chunk size": CHUNKED + b"zz\r\nabc\r\n",
    "a chunk that ends early": CHUNKED + b"ff\r\nabc",
    "no last chunk": CHUNKED + b"3\r\nabc\r\n",
    "a header without end": b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000,
    "too many headers": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
    "no gzip": answer(b"abc", "Content-Encoding: gzip"),
    "half a gzip": answer(gzip.compress(bytes(range(256)) * 99)[:-9], "Content-Encoding: gzip"),
    "another packing": answer(b"abc", "Content-Encoding: br"),
    "two packings": answer(b"abc", "Content-Encoding: gzip, gzip"),
    "not found": answer(b"SECRET", status="404 Not Found"),
    "an error": answer(b"SECRET", status="500 SECRET"),
    "not modified": answer(b"", status="304 Not Modified"),
    "a redirect to nowhere": answer(b"SECRET", status="302 Found"),
}


@pytest.mark.parametrize("page", DAMAGED.values(), ids=DAMAGED.keys())
def test_a_damaged_answer_is_an_error_that_repeats_nothing_of_it(server: Server, fetcher: Fetcher, page: bytes) -> None:
    server.pages["/"] = page
    with pytest.raises(RemoteError) as caught:
        fetch(fetcher, server.url())
    assert "SECRET" not in str(caught.value)
    assert caught.value.hint


@pytest.mark.parametrize("body", [b"<html>", b"<svg/>", b"", b"\xff\xd8", b"%PDF-1.7", b"RIFF....WAVE"])
def test_what_is_no_picture_by_content_is_refused_whatever_it_is_called(
    server: Server, fetcher: Fetcher, body: bytes
) -> None:
    server.pages["/"] = answer(body, "Content-Type: image/jpeg")
    with pytest.raises(RemoteError, match="no picture"):
        fetch(fetcher, server.url(), accept="picture")


@pytest.mark.parametrize(
    "head", [b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\0\0\0\0WEBP", b"BM", b"II*\0", b"MM\0*", b"\xff\xd8\xff"]
)
def test_pictures_are_known_by_their_first_bytes(server: Server, fetcher: Fetcher, head: bytes) -> None:
    server.pages["/"] = answer(head + bytes(5000), "Content-Type: text/html")
    assert fetch(fetcher, server.url(), accept="picture") == head + bytes(5000)


@pytest.mark.parametrize(
    "body",
    [b" \n<!DOCTYPE HTML><p>", b"\xef\xbb\xbf<html>", "\ufeff<html>".encode("utf-16-le"), b"<!-- hi -->\n<HEAD >"],
)
def test_a_web_page_is_no_feed(server: Server, fetcher: Fetcher, body: bytes) -> None:
    server.pages["/"] = answer(body, "Content-Type: application/rss+xml")
    with pytest.raises(RemoteError, match="web page"):
        fetch(fetcher, server.url(), accept="feed")


def test_a_head_made_to_be_hard_to_read_takes_no_time() -> None:
    began = time.process_time()
    assert not looks_like_html(b"<!---->" * 50_000)
    assert not looks_like_html(b"<?x>" * 50_000 + b"<rss>")
    assert time.process_time() - began < 1


def test_a_feed_is_read_whatever_its_name(server: Server, fetcher: Fetcher) -> None:
    server.pages["/"] = answer(b"<?xml version='1.0'?><rss/>", "Content-Type: text/html")
    assert fetch(fetcher, server.url(), accept="feed").endswith(b"<rss/>")


def test_a_closed_port_is_told_in_a_sentence() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(RemoteError, match="cannot be reached"):
        fetch(Fetcher(allow_hosts=("127.0.0.1",)), f"http://127.0.0.1:{port}/")


def test_an_unknown_name_is_told_in_a_sentence(server: Server) -> None:
    with pytest.raises(RemoteError, match=r"shop\.example is not known"):
        fetch(Net(server).fetcher(), "http://shop.example/")


def test_the_next_address_is_tried_where_the_first_is_dead(server: Server) -> None:
    net = Net(server, shop_example=["2606:2800:21f:cb07::1", PUBLIC])
    server.pages["/"] = answer(b"ok")

    def dial(ip: str, port: int, seconds: float) -> socket.socket:
        if ":" in ip:
            raise OSError("no route")
        return net.dial(ip, port, seconds)

    assert fetch(Fetcher(resolve=net.resolve, dial=dial), "http://shop.example/") == b"ok"


# --- TLS -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    openssl = shutil.which("openssl")
    assert openssl, "the openssl command is needed to make a certificate"
    folder = tmp_path_factory.mktemp("tls")
    command = (
        f"{openssl} req -x509 -newkey rsa:2048 -nodes -days 2 -keyout key.pem -out cert.pem -subj /CN=shop.example"
    )
    subprocess.run(
        [*command.split(), "-addext", "subjectAltName=DNS:shop.example"], cwd=folder, check=True, capture_output=True
    )
    return folder


def test_the_certificate_is_checked_against_the_name_not_the_address(server: Server, certificate: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate / "cert.pem", certificate / "key.pem")
    asked: list[str | None] = []

    def remember(_sock: ssl.SSLSocket, name: str | None, _context: ssl.SSLContext) -> None:
        asked.append(name)

    context.sni_callback = remember  # type: ignore[assignment]
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.pages["/"] = answer(b"safe")
    net = Net(server, shop_example=[PUBLIC], other_example=[PUBLIC])
    trusting = net.fetcher(tls=ssl.create_default_context(cafile=certificate / "cert.pem"))
    assert fetch(trusting, "https://shop.example/") == b"safe"
    assert net.dialled == [(PUBLIC, 443)]
    assert "Host: shop.example\r\n" in server.requests[0]
    for fetcher, url in ((trusting, "https://other.example/"), (net.fetcher(), "https://shop.example/")):
        with pytest.raises(RemoteError, match="certificate"):
            fetch(fetcher, url)
    assert asked == ["shop.example", "other.example", "shop.example"]
    assert len(server.requests) == 1


def test_a_server_that_speaks_no_tls_is_told_in_a_sentence(server: Server) -> None:
    net = Net(server, shop_example=[PUBLIC])
    with pytest.raises(RemoteError, match=r"cannot be reached|within the time"):
        fetch(net.fetcher(), "https://shop.example/", seconds=0.5)


# --- for every spelling ----------------------------------------------------------------------------------------------

PRIVATE = [
    ipaddress.ip_network(block)
    for block in ("127.0.0.0/8", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "169.254.0.0/16", "100.64.0.0/10")
]


@st.composite
def private_spellings(draw: st.DrawFn) -> str:
    """A private IPv4 address in one of the ways that some reader, somewhere, understands."""
    block = draw(st.sampled_from(PRIVATE))
    number = int(block.network_address) + draw(st.integers(0, block.num_addresses - 1))
    octets = [number >> shift & 255 for shift in (24, 16, 8, 0)]
    parts = draw(st.sampled_from([octets, [number], [octets[0], number & 0xFFFFFF], [*octets[:2], number & 0xFFFF]]))
    ways: list[Callable[[int], str]] = [str, hex, lambda n: f"0{n:o}", lambda n: f"{n:04d}"]
    written = [draw(st.sampled_from(ways))(part) for part in parts]
    dotted = ".".join(written)
    high, low = f"{number >> 16:x}", f"{number & 0xFFFF:x}"
    wide = dotted.translate({ord(str(digit)): 0xFF10 + digit for digit in range(10)})
    spelling = draw(
        st.sampled_from(
            [
                dotted,
                f"{dotted}.",
                wide,
                dotted.replace(".", "。"),
                dotted.upper(),
                f"[::ffff:{high}:{low}]",
                f"[::{high}:{low}]",
                f"[64:ff9b::{high}:{low}]",
                f"[2002:{high}:{low}::1]",
                f"[2001:0:{high}:{low}::1]",
                f"user@{dotted}",
                f"shop.example@{dotted}",
                f"shop.example\\@{dotted}",
            ]
        )
    )
    return draw(st.sampled_from(["http://", "https://", "HTTP://", "//", "http:\\\\", ""])) + spelling + "/"


@given(private_spellings())
def test_no_spelling_of_a_private_address_is_ever_connected_to(url: str) -> None:
    with pytest.raises(RefusedAddressError):
        fetch(_GUARDED, url)


_GUARDED = Fetcher(resolve=never_resolve, dial=never_dial)


@given(st.text(max_size=60) | st.from_regex(r"https?://[^/]{0,40}(/.{0,20})?", fullmatch=True))
def test_any_text_is_read_as_an_address_or_refused(text: str) -> None:
    try:
        address = parse_address(text)
    except RefusedAddressError:
        return
    assert address.url.isascii()
    assert address.url.isprintable()
    assert parse_address(address.url) == address


@given(st.ip_addresses())
def test_nothing_is_public_that_the_standard_library_calls_private(ip: ipaddress.IPv4Address) -> None:
    if is_public(str(ip)):
        assert ip.is_global
        assert not any((ip.is_private, ip.is_loopback, ip.is_link_local, ip.is_multicast, ip.is_reserved))


def test_the_open_internet_is_public() -> None:
    assert all(map(is_public, [PUBLIC, "1.1.1.1", "8.8.8.8", "2606:4700::1111", "2a00:1450::1", "223.130.192.1"]))


# --- statuses that the caller understands ----------------------------------------------------------------------------


def test_a_status_that_the_caller_understands_comes_back_with_its_body(server: Server, fetcher: Fetcher) -> None:
    server.pages["/"] = answer(b'{"errorCode": "010"}', "Retry-After: 7", status="429 Too Many Requests")
    told = fetcher.fetch(server.url(), max_bytes=1 << 10, seconds=5, statuses=range(400, 600))
    assert (told.status, told.data, told.headers["retry-after"]) == (429, b'{"errorCode": "010"}', "7")
    with pytest.raises(RemoteError, match="status 429"):
        fetcher.fetch(server.url(), max_bytes=1 << 10, seconds=5, statuses=(304, 500))


def test_a_download_that_is_not_modified_leaves_the_file_as_it_was(
    server: Server, fetcher: Fetcher, tmp_path: Path
) -> None:
    server.pages["/"] = b'HTTP/1.1 304 Not Modified\r\nETag: "2"\r\n\r\n'
    target = tmp_path / "feed"
    target.write_bytes(b"old")
    told = fetcher.download(server.url(), target, max_bytes=10, seconds=5, statuses=(304,))
    assert (told.status, told.size, told.headers["etag"]) == (304, 0, '"2"')
    assert target.read_bytes() == b"old"
    with pytest.raises(RemoteError, match="status 304"):
        fetcher.download(server.url(), target, max_bytes=10, seconds=5)
