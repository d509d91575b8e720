"""A process that can be killed: whatever it does, whoever asks has an answer or an error, and the next one an answer."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mapsi.killable import Killable

HERE = Path(__file__).parent
ASKING = """
import time
from mapsi.killable import Killable

process = Killable("answering")
with process.turn(30) as line:
    line.send(b"who")
    print(line.receive().decode(), flush=True)
time.sleep(600)
"""


@pytest.fixture
def process(monkeypatch: pytest.MonkeyPatch) -> Iterator[Killable]:
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    process = Killable("answering")
    yield process
    process.kill()


def ask(process: Killable, question: bytes, seconds: float | None = 60) -> bytes:
    with process.turn(60) as line:
        line.send(question)
        return bytes(line.receive(seconds))


def test_messages_pass_whole_and_one_process_answers_them_all(process: Killable) -> None:
    large = bytes(range(256)) * 40_000
    assert ask(process, b"") == b""
    who = ask(process, b"who")
    assert ask(process, large) == large
    assert ask(process, b"who") == who


def test_one_that_hangs_is_killed_and_the_next_question_is_answered(process: Killable) -> None:
    who = ask(process, b"who")
    with pytest.raises(TimeoutError):
        ask(process, b"hang", 0.1)
    assert not is_running(int(who))
    assert ask(process, b"who") != who


def test_one_that_ends_is_an_error_for_one_alone(process: Killable) -> None:
    with pytest.raises(EOFError):
        ask(process, b"end")
    assert ask(process, b"again") == b"again"


def test_one_that_ended_between_two_questions_is_started_anew(process: Killable) -> None:
    who = int(ask(process, b"who"))
    subprocess.run(["kill", "-9", str(who)], check=True)
    wait_until_gone(who)
    assert ask(process, b"again") == b"again"


def test_turns_are_taken_and_waiting_for_one_has_an_end(process: Killable) -> None:
    taken, done = threading.Event(), threading.Event()

    def hold() -> None:
        with process.turn(60):
            taken.set()
            done.wait()

    holder = threading.Thread(target=hold)
    holder.start()
    taken.wait()
    with pytest.raises(TimeoutError), process.turn(0.01):
        pass
    done.set()
    holder.join()
    assert ask(process, b"mine") == b"mine"


def test_it_ends_with_whoever_started_it_however_that_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(HERE))
    with subprocess.Popen([sys.executable, "-c", ASKING], stdout=subprocess.PIPE) as asking:
        assert asking.stdout is not None
        who = int(asking.stdout.readline())
        assert is_running(who)
        asking.send_signal(signal.SIGKILL)
    wait_until_gone(who)


def is_running(process: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        stat = Path(f"/proc/{process}/stat").read_text("utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"


def wait_until_gone(process: int) -> None:
    until = time.monotonic() + 30
    while is_running(process):
        assert time.monotonic() < until
        time.sleep(0.01)
