"""Connections: what is slow or silent costs nobody anything, what is too much is refused at once, what is begun is
ended."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack
from types import SimpleNamespace
from typing import Any, cast

import pytest

from mapsi.web.server.bounds import WAITING_PER_THREAD, Bounds
from mapsi.web.server.connections import MOST_AHEAD, Connection, OpenConnections
from served import PATIENCE, Probe, eventually, everything, get, serving

POST = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"


@pytest.fixture
def probe() -> Iterator[Probe]:
    made = Probe()
    yield made
    made.release.set()


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1]) if answer else 0


def test_slow_and_silent_connections_take_no_thread(probe: Probe) -> None:
    """One thread works here: any of these would have it."""
    slow = (b"", b"GET / HT", b"GET / HTTP/1.1\r\nX-Long: a", POST % 1000 + b"half of")
    with serving(probe.app()) as server, ExitStack() as held:
        for sent in slow * 20:
            held.enter_context(server.connect(sent))
        assert status(server.ask("/")) == 200
        late = held.enter_context(server.connect(POST % 4))
        assert status(server.ask("/")) == 200
        late.sendall(b"late")
        assert everything(late).endswith(b"POST 4")


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nX-Long: a"])
def test_a_head_that_does_not_arrive_ends_the_connection(probe: Probe, sent: bytes) -> None:
    with serving(probe.app(), head_seconds=0.2) as server, server.connect(sent) as opened:
        assert everything(opened) == b""


def test_a_head_sent_byte_by_byte_has_no_more_time_than_one_at_once(probe: Probe) -> None:
    with serving(probe.app(), head_seconds=0.5) as server, server.connect() as opened:
        opened.settimeout(0.1)
        seen: list[bytes] = []

        def dropped() -> bool:
            try:
                opened.sendall(b"G")
                seen.append(opened.recv(1))
            except TimeoutError:
                return False
            except OSError:
                return True
            return seen[-1] == b""

        assert eventually(dropped)


def test_a_body_that_does_not_arrive_is_told_so(probe: Probe) -> None:
    with serving(probe.app(), seconds=0.4) as server, server.connect(POST % 1000 + b"half") as opened:
        answer = everything(opened)
    assert (status(answer), b"connection: close" in answer) == (408, True)
    assert probe.begun == []


def test_an_answer_that_nobody_reads_ends_with_its_deadline(probe: Probe) -> None:
    with serving(probe.app(), seconds=1) as server, server.connect(get("/large")) as opened:
        assert eventually(lambda: probe.begun == ["/large"])
        assert eventually(lambda: server.connections() == 0)
        assert len(everything(opened)) < 30_000_000


def test_a_head_without_end_is_cut_off(probe: Probe) -> None:
    with serving(probe.app()) as server, server.connect(b"GET / HTTP/1.1\r\n") as opened:
        line = b"X-Long: " + b"a" * 1000 + b"\r\n"

        def refused() -> bool:
            try:
                opened.sendall(line * 10)
            except OSError:
                return True
            return False

        assert eventually(refused)


CHUNKED = b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("begun", "more"),
    [
        (b"0\r\n", b"X-Trailer: a\r\n"),
        (b"5\r\nabcde\r\n0\r\n", b"X: a\r\n"),
        (b"0\r\nX: ", b"a" * 1000),
        (b"0\r\n", b"a" * 1000),
        (b"5;", b"a" * 1000),
        (b"5", b";a=b" * 100),
        (b"", b"1\r\na\r\n" * 100),
    ],
)
def test_what_stands_around_a_body_without_end_is_cut_off(probe: Probe, begun: bytes, more: bytes) -> None:
    """All of it would lie in memory: 171 MB of trailers took 1.4 GB."""
    with serving(probe.app()) as server, server.connect(CHUNKED + begun) as opened:

        def refused() -> bool:
            try:
                opened.sendall(more * 100)
            except OSError:
                return True
            return False

        assert eventually(refused)


def test_a_body_may_come_in_small_chunks_and_have_a_trailer(probe: Probe) -> None:
    with serving(probe.app()) as server:
        for body in (b"8\r\naaaaaaaa\r\n" * 6250, b"c350\r\n" + b"a" * 50_000 + b"\r\n"):
            with server.connect(CHUNKED + body + b"0\r\nX-Trailer: a\r\n\r\n") as opened:
                assert everything(opened).endswith(b"POST 50000")


def test_requests_that_come_at_once_are_each_answered(probe: Probe) -> None:
    many = get("/", Cookie="a" * 2000).replace(b"Connection: close", b"X: y")
    with serving(probe.app()) as server, server.connect(many * 100 + get("/")) as opened:
        assert everything(opened).count(b"HTTP/1.1 200") == 101


def test_who_sends_requests_without_end_is_served_no_more_of_them_and_holds_up_nobody(probe: Probe) -> None:
    with (
        serving(probe.app(), threads=2) as server,
        server.connect(get("/wait").replace(b"close", b"keep-alive")) as many,
    ):
        many.settimeout(0.1)
        began = time.monotonic()
        while time.monotonic() - began < PATIENCE:
            try:
                many.sendall(get("/").replace(b"close", b"keep-alive") * 1000)
            except TimeoutError:
                continue
            except OSError:
                break
        else:
            pytest.fail("it goes on")
        assert status(server.ask("/")) == 200
        assert len(probe.begun) <= 2 + MOST_AHEAD
        probe.release.set()


def test_beyond_the_queue_everybody_is_told_to_come_back_and_health_still_answers(probe: Probe) -> None:
    room = 1 + WAITING_PER_THREAD
    with serving(probe.app()) as server, ExitStack() as held:
        waiting = [held.enter_context(server.connect(get("/wait"))) for _ in range(room)]
        assert eventually(lambda: server.gate.admitted == room)
        refused = server.ask("/")
        assert b"retry-after: 2" in refused
        assert "잠시 뒤에" in refused.decode()
        document = json.loads(server.ask("/api/v1/search/words").partition(b"\r\n\r\n")[2])
        assert document["error"]["code"] == "busy"
        assert server.ask("/healthz").endswith(b"ok")
        probe.release.set()
        assert {status(everything(opened)) for opened in waiting} == {200}
        assert status(server.ask("/")) == 200


@pytest.mark.parametrize("path", ["/static/mapsi.css", "/operator/assets/operator.css", "/pictures/0.webp"])
def test_what_a_page_is_made_of_is_served_however_long_the_queue_is(probe: Probe, path: str) -> None:
    """A page that was let in just before would stand there without its style sheet."""
    app = probe.app()
    app.add_url_rule(path, path, lambda: "file")
    room = 1 + WAITING_PER_THREAD
    with serving(app) as server, ExitStack() as held:
        for _ in range(room):
            held.enter_context(server.connect(get("/wait")))
        assert eventually(lambda: server.gate.admitted == room)
        assert status(server.ask("/")) == 503
        assert server.ask(path).endswith(b"file")


def test_who_leaves_the_queue_is_not_worked_for(probe: Probe) -> None:
    with serving(probe.app()) as server, server.connect(get("/wait")) as waiting:
        with server.connect(get("/path/left")), server.connect(get("/path/left")):
            assert eventually(lambda: server.gate.admitted == 3)
        assert eventually(lambda: server.gate.admitted == 1)
        probe.release.set()
        assert status(everything(waiting)) == 200
        assert server.ask("/path/last").endswith(b"last")
    assert probe.begun == ["/wait", "/path/last"]


def test_bodies_have_one_room_together(probe: Probe) -> None:
    with serving(probe.app(), held=150_000) as server, server.connect(POST % 90_000 + b"x" * 80_000):
        assert eventually(lambda: status(_posted(server.connect, 90_000)) == 503)
    with serving(probe.app(), held=150_000) as server:
        assert [status(_posted(server.connect, 90_000)) for _ in range(3)] == [200, 200, 200]


def _posted(connect: Any, size: int) -> bytes:
    with connect(POST % size + b"x" * size) as opened:
        return everything(opened)


def test_a_body_too_large_is_the_applications_to_refuse_without_being_kept_and_a_huge_one_is_not_read(
    probe: Probe,
) -> None:
    with serving(probe.app(), held=250_000) as server:
        assert status(_posted(server.connect, 100_001)) == 413
        for _ in range(2):
            assert status(_posted(server.connect, 3_000_000)) == 413
        assert probe.begun == ["/"] * 3
        with server.connect(POST % 10**12) as opened:
            opened.sendall(b"x")
            answer = everything(opened)
    assert (status(answer), b"connection: close" in answer, probe.begun) == (413, True, ["/"] * 3)


def test_what_is_served_and_what_is_being_sent_is_ended_when_the_server_stops(probe: Probe) -> None:
    with serving(probe.app(), threads=2) as server, ExitStack() as held:
        served = [held.enter_context(server.connect(get("/wait"))) for _ in range(4)]
        sent = held.enter_context(server.connect(POST % 4 + b"ha"))
        fresh = held.enter_context(server.connect())
        assert eventually(lambda: probe.begun.count("/wait") == 2)
        server.stop()
        assert eventually(lambda: _refused(server.port))
        fresh.sendall(get("/"))
        sent.sendall(b"lf")
        probe.release.set()
        assert [status(everything(opened)) for opened in served] == [200] * 4
        assert everything(sent).endswith(b"POST 4")
        assert everything(fresh).endswith(b"GET 0")


def _refused(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return False
    except OSError:
        return True


def test_a_request_is_told_as_it_was_sent(probe: Probe) -> None:
    with serving(probe.app()) as server:
        assert server.ask("/path/%ED%95%9C%2f%E2%80%a6").decode().endswith("한/…")
        headers = json.loads(server.ask("/headers", Host_Name="x", X_Two="y", Cookie="a=1").partition(b"\r\n\r\n")[2])
        assert headers == {"Host": "a", "Connection": "close", "Cookie": "a=1"}
        two = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" + get("/path/second")
        with server.connect(two) as opened:
            both = everything(opened)
        assert both.index(b"GET 0") < both.index(b"second")
        chunked = (
            b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: "
            b"chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
        )
        with server.connect(chunked) as opened:
            assert everything(opened).endswith(b"POST 3")
        with server.connect(b"HEAD /path/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n") as opened:
            assert everything(opened).endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01",
        b"GET /\xff HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nContent-Length: x\r\n\r\n",
        b"\r\n\r\nNO\r\n",
    ],
)
def test_what_is_no_request_is_a_400_and_the_next_one_is_served(probe: Probe, sent: bytes) -> None:
    with serving(probe.app()) as server:
        with server.connect(sent) as opened:
            assert status(everything(opened)) == 400
        assert status(server.ask("/")) == 200


class Door:
    """A connection as :class:`OpenConnections` sees it."""

    def __init__(self) -> None:
        self.dropped = False

    def drop(self) -> None:
        self.dropped = True


def _connections(**bounds: int) -> tuple[OpenConnections, Any]:
    connections = OpenConnections(Bounds(threads=1, largest=1, **bounds))

    def enter(client: str) -> Any:
        door = Door()
        return SimpleNamespace(door=door, let_in=connections.enter(cast(Connection, door), client))

    return connections, enter


def test_one_client_has_its_share_of_the_connections() -> None:
    connections, enter = _connections(of_one=2)
    first = enter("203.0.113.9")
    assert [enter("203.0.113.9").let_in for _ in range(3)] == [True, False, False]
    assert enter("203.0.113.10").let_in
    connections.leave(first.door, "203.0.113.9")
    assert enter("203.0.113.9").let_in


def test_behind_a_proxy_on_this_machine_all_clients_share_its_address() -> None:
    _, enter = _connections(of_one=2)
    assert all(enter("127.0.0.1").let_in for _ in range(10))


def test_where_all_places_are_taken_the_oldest_silent_one_gives_way() -> None:
    connections, enter = _connections(connections=3)
    first, second, third = (enter(f"203.0.113.{i}") for i in range(3))
    connections.mark(first.door, silent=False)
    assert enter("203.0.113.9").let_in
    assert (first.door.dropped, second.door.dropped, third.door.dropped) == (False, True, False)
