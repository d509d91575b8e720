"""A database that comes up after what needs it: waited for, said once, and ended at once where that is asked."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path

import pymysql
import pytest

from mapsi.catalog.store import refusals
from mapsi.cli import waiting
from mapsi.errors import CatalogAwayError, CatalogError
from served import eventually
from servers import free_port, mariadb_is_installed, require, run_mariadb


@contextmanager
def started(home: Path, url: str, *words: str) -> Iterator[subprocess.Popen[str]]:
    """A command over the database at ``url``; what it says is in ``home/said``."""
    home.mkdir(exist_ok=True)
    env = {**os.environ, "MAPSI_HOME": str(home), "MAPSI_DATABASE_URL": url}
    with (home / "said").open("w", encoding="utf-8") as said:
        child = subprocess.Popen([sys.executable, "-m", "mapsi", *words], env=env, stdout=said, stderr=said, text=True)
    try:
        yield child
    finally:
        child.kill()
        child.wait()


def said(home: Path) -> str:
    return (home / "said").read_text("utf-8")


def ask(port: int, path: str, **headers: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and text of an answer; 0 where nobody listens."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
    except OSError:
        return 0, {}, ""
    finally:
        connection.close()


def test_a_server_and_a_worker_wait_for_a_database_that_comes_after_them(tmp_path: Path) -> None:
    require(mariadb_is_installed(), "MariaDB")
    database, port = free_port(), free_port()
    url = f"mariadb://mapsi:sesame@127.0.0.1:{database}/test?ssl_mode=disabled"
    web, work = tmp_path / "web", tmp_path / "work"
    with started(web, url, "serve", "--port", str(port)) as server, started(work, url, "worker") as worker:
        assert eventually(lambda: ask(port, "/healthz")[0] == 503)
        status, headers, text = ask(port, "/healthz")
        assert json.loads(text)["status"] == "unavailable"
        assert headers["retry-after"]
        assert ask(port, "/api/v1/search/words?q=knit")[1]["content-type"] == "application/json"
        status, _, text = ask(port, "/")
        assert (status, "준비" in text, "is starting" in text) == (503, True, True)
        assert eventually(lambda: "waiting for the database: The database server does not answer." in said(work))
        time.sleep(2 * waiting.AGAIN)
        with run_mariadb(tmp_path, port=database):
            assert eventually(lambda: ask(port, "/healthz")[0] == 200)
            assert eventually(lambda: "working" in said(work))
            for home in (web, work):
                assert said(home).count("waiting for the database") == 1
                assert said(home).count("the database answers") == 1
            for child in (server, worker):
                child.send_signal(signal.SIGTERM)
                assert child.wait(30) == 0


@pytest.mark.parametrize("words", [("serve",), ("worker",)])
def test_sigterm_ends_the_waiting_at_once(tmp_path: Path, words: tuple[str, ...]) -> None:
    port = ("--port", str(free_port())) if words == ("serve",) else ()
    with started(tmp_path, f"mariadb://a:sesame@127.0.0.1:{free_port()}/test", *words, *port) as child:
        assert eventually(lambda: "waiting for the database" in said(tmp_path))
        began = time.monotonic()
        child.send_signal(signal.SIGTERM)
        assert child.wait(20) == 0
        assert time.monotonic() - began < waiting.AGAIN
        assert "Traceback" not in said(tmp_path)
        assert "sesame" not in said(tmp_path)


def test_sigterm_ends_a_try_that_is_under_way(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection and never greets
        url = f"mariadb://a:sesame@127.0.0.1:{silent.getsockname()[1]}/test"
        with started(tmp_path, url, "worker") as child:
            with silent.accept()[0]:
                began = time.monotonic()
                child.send_signal(signal.SIGTERM)
                assert child.wait(20) == 0
            assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mariadb://mapsi:s3cret@127.0.0.1:{port}/test?ssl_mode=disabled", "refused the user or the password"),
        ("mariadb://mapsi:sesame@127.0.0.1:{port}/nowhere?ssl_mode=disabled", "no such database"),
        ("mariadb://mapsi:sesame@" + "x" * 70 + "/test", "cannot be used"),
        ("mariadb://mapsi:sesame@127.0.0.1:{port}/test?ssl_mode=required", "TLS"),
    ],
)
def test_what_waiting_cannot_mend_is_told_at_once(mariadb: object, tmp_path: Path, url: str, says: str) -> None:
    with started(tmp_path, url.format(port=mariadb.port), "worker") as child:  # type: ignore[attr-defined]
        assert child.wait(60) == CatalogError.exit_code
    assert says in said(tmp_path)
    assert "waiting" not in said(tmp_path)


def test_a_worker_that_is_to_come_again_by_itself_does_not_wait(tmp_path: Path) -> None:
    with started(tmp_path, f"mariadb://a:b@127.0.0.1:{free_port()}/test", "worker", "--once") as child:
        assert child.wait(60) == CatalogError.exit_code


def test_a_port_in_use_is_told_before_the_database_is_waited_for(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        words = ("serve", "--port", str(taken.getsockname()[1]))
        with started(tmp_path, f"mariadb://a:b@127.0.0.1:{free_port()}/test", *words) as child:
            assert child.wait(60) == 2
    assert "in use" in said(tmp_path)


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (pymysql.err.OperationalError(2003, "refused"), True),
        (pymysql.err.OperationalError(1040, "Too many connections"), True),
        (pymysql.err.OperationalError(1047, "WSREP has not yet prepared node for application use"), True),
        (pymysql.err.OperationalError(1053, "Server shutdown in progress"), True),
        (pymysql.err.OperationalError(2006, "gone away"), True),
        (pymysql.err.OperationalError(3032, "The server is currently in offline mode"), True),
        (socket.gaierror(-3, "Temporary failure in name resolution"), True),
        (socket.gaierror(-2, "Name or service not known"), True),
        (FileNotFoundError(2, "no socket yet"), True),
        (PermissionError(13, "not yours"), False),
        (pymysql.err.OperationalError(1045, "Access denied"), False),
        (pymysql.err.OperationalError(1049, "Unknown database"), False),
        (pymysql.err.OperationalError(1130, "Host not allowed"), False),
        (pymysql.err.OperationalError(1290, "read-only"), False),
        (UnicodeError("label empty or too long"), False),
    ],
)
def test_what_passes_by_itself_and_what_does_not(error: Exception, passes: bool) -> None:
    assert isinstance(refusals.explain(error), CatalogAwayError) is passes


def test_another_reason_is_said_again_and_the_rest_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "AGAIN", 0.0)
    outcomes = [CatalogAwayError("A.", ""), CatalogAwayError("A.", ""), CatalogAwayError("B.", ""), CatalogError("C.")]
    heard: list[str] = []

    def attempt() -> None:
        raise outcomes.pop(0)

    with pytest.raises(CatalogError, match="C"):
        waiting.when_there(attempt, heard.append)
    assert heard == ["waiting for the database: A.", "waiting for the database: B.", "the database answers"]


def test_the_server_that_says_that_it_starts_leaves_its_port_to_the_next(tmp_path: Path) -> None:
    from mapsi.web.server.starting import answering_that_it_starts

    port = free_port()
    before = threading.active_count()
    with answering_that_it_starts("127.0.0.1", port), socket.create_connection(("127.0.0.1", port)) as silent:
        assert ask(port, "/")[0] == 503
        with suppress(OSError):
            silent.sendall(b"GET / HT")
    assert ask(port, "/")[0] == 0
    assert threading.active_count() == before
    with socket.create_server(("127.0.0.1", port)):
        pass
