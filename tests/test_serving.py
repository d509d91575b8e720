"""The server: where it says it is, how it ends, and what it does with bodies and ports."""

from __future__ import annotations

import http.client
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest
from flask import Flask

from mapsi.errors import UsageError
from mapsi.web.server.serving import serve

PROGRAM = """
import signal
import tempfile
from flask import Flask, request
from mapsi.web.server.serving import serve

# A process begun in the background of a shell ignores Ctrl-C, and so would this one.
signal.signal(signal.SIGINT, signal.default_int_handler)

def refuse(*arguments):
    raise AssertionError("a temporary file was opened")

tempfile.TemporaryFile = tempfile.SpooledTemporaryFile = tempfile.NamedTemporaryFile = refuse
app = Flask("probe")
app.config["MAX_CONTENT_LENGTH"] = 2_000_000

@app.post("/")
def count():
    return str(len(request.get_data()))

serve(app, "127.0.0.1", 0, 2)
print("ended")
"""


@contextmanager
def running() -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server of its own process, and the address that it says."""
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    with program:
        try:
            assert program.stdout is not None
            yield program, program.stdout.readline()
        finally:
            program.kill()


def post(address: str, size: int) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(address).netloc, timeout=20)
    try:
        connection.request("POST", "/", body=b"x" * size)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def test_it_says_where_it_is_keeps_bodies_in_memory_and_ends_on_sigterm() -> None:
    with running() as (program, line):
        address = line.split()[3]
        assert line.startswith("mapsi is at http://127.0.0.1:")
        assert post(address, 1_900_000) == (200, b"1900000")
        assert post(address, 2_000_001)[0] == 413
        program.send_signal(signal.SIGTERM)
        assert program.wait(timeout=20) == 0
        assert program.stdout is not None
        assert program.stdout.read() == "ended\n"


def test_ctrl_c_ends_it_quietly() -> None:
    with running() as (program, _line):
        program.send_signal(signal.SIGINT)
        assert program.wait(timeout=20) == 0
        assert program.stderr is not None
        assert "Traceback" not in program.stderr.read()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_that_comes_before_its_loop_runs_ends_it_as_quietly(number: signal.Signals) -> None:
    def told(_address: str) -> None:
        signal.raise_signal(number)

    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    serve(_app(), "127.0.0.1", 0, 1, ready=told)
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before


def _app() -> Flask:
    app = Flask("probe")
    app.config["MAX_CONTENT_LENGTH"] = 1000
    return app


def test_a_port_in_use_is_a_sentence_that_says_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(UsageError, match=f"Port {port} on 127.0.0.1 is in use") as caught:
            serve(_app(), "127.0.0.1", port, 1)
    assert "--port" in caught.value.hint


def test_a_host_that_is_none_of_this_machine_is_a_sentence() -> None:
    with pytest.raises(UsageError, match="cannot be served"):
        serve(_app(), "203.0.113.1", 0, 1)


def test_a_name_that_is_no_host_is_a_sentence() -> None:
    with pytest.raises(UsageError, match="cannot be served"):
        serve(_app(), "no such host", 0, 1)
