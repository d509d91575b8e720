"""A server of one's own that may be attacked, and what is counted of an attack."""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from servers import free_port, wait_for_port

HOST = "127.0.0.1"
PATIENCE = 30.0
RATES = ("MAPSI_IMAGE_RATE", "MAPSI_WORDS_RATE", "MAPSI_SUGGEST_RATE", "MAPSI_LOGIN_RATE")


@dataclass
class Outcome:
    """What came of one kind of attack.

    ``refused`` are answers of 4xx and 503 and connections that the server ended before a request was whole; ``broken``
    answers of 5xx but 503; ``lost`` whole requests that were not answered, and what a kill took away; ``let_in`` what
    should have been refused. ``peak`` and ``after`` are the memory of the server and its processes in bytes, of which
    ``most`` and ``most_after`` are allowed; ``wait`` is a bystander's longest, in seconds; ``None`` where nobody stood
    by.
    """

    kind: str
    tried: int = 0
    refused: int = 0
    broken: int = 0
    lost: int = 0
    let_in: int = 0
    peak: int | None = None
    after: int | None = None
    most: int | None = None
    most_after: int | None = None
    wait: float | None = None

    def note(self, status: int | None, *, must_be_refused: bool = False) -> None:
        """Count the answer to a whole request; ``None`` is that none came."""
        self.tried += 1
        if status is None:
            self.lost += 1
        elif 400 <= status < 500 or status == 503:
            self.refused += 1
        elif status >= 500:
            self.broken += 1
        else:
            self.let_in += must_be_refused

    @property
    def faults(self) -> int:
        beyond = _is_above(self.peak, self.most) + _is_above(self.after, self.most_after)
        return self.broken + self.lost + self.let_in + beyond


def _is_above(value: int | None, most: int | None) -> bool:
    return value is not None and most is not None and value > most


@dataclass(frozen=True)
class Target:
    """A running server."""

    process: subprocess.Popen[bytes]
    port: int
    patience: float = PATIENCE

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> tuple[int | None, bytes, str]:
        """Status, body and cookie of an answer; no status where none came within ``patience``, in
        seconds."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=self.patience)
        try:
            connection.request(method, path, body, {name.replace("_", "-"): text for name, text in headers.items()})
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers.get("Set-Cookie", "").partition(";")[0]
        except (OSError, http.client.HTTPException):
            return None, b"", ""
        finally:
            connection.close()

    def visit(self) -> tuple[str, str]:
        """The token of forms and the cookie of somebody who has just come."""
        _, page, cookie = self.ask("GET", "/")
        return re.findall(rb'name="csrf_token"[^>]*value="([^"]+)"', page)[0].decode(), cookie

    @contextmanager
    def watched(self, kind: str) -> Iterator[Outcome]:
        """An attack, while somebody else asks for ``/healthz``; their longest wait and the peak of memory are noted."""
        outcome, done = Outcome(kind, wait=0.0), threading.Event()
        bystander = threading.Thread(target=self._stand_by, args=(outcome, done))
        for process in self._processes():
            Path(f"/proc/{process}/clear_refs").write_text("5", "ascii")  # the peak counts from here
        bystander.start()
        try:
            yield outcome
        finally:
            done.set()
            bystander.join(2 * PATIENCE)
            outcome.peak, outcome.after = self.memory("VmHWM"), self.memory("VmRSS")

    def _stand_by(self, outcome: Outcome, done: threading.Event) -> None:
        while not done.wait(0.05):
            begun = time.monotonic()
            status, *_ = self.ask("GET", "/healthz")
            outcome.wait = max(outcome.wait or 0.0, time.monotonic() - begun)
            outcome.lost += status is None
            outcome.broken += status is not None and status != 200

    def _processes(self) -> list[int]:
        """The server and what it started."""
        children = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        return [self.process.pid, *(int(child) for file in children for child in file.read_text("ascii").split())]

    def memory(self, kind: str) -> int:
        """Bytes, all processes together; of peaks their sum, which may be more than there ever was at once."""
        states = (Path(f"/proc/{process}/status").read_text("utf-8") for process in self._processes())
        return sum(int(re.findall(kind + r":\s+(\d+) kB", state)[0]) * 1024 for state in states)


@contextmanager
def attackable(home: Path, *command: str, patience: float = 60) -> Iterator[Target]:
    """``mapsi`` with a command that serves ``home`` on loopback, without limits by client, so that what lies behind
    them is attacked; its log is ``home``/server.log. Killed at the end if it still runs."""
    port = free_port()
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAPSI_")}
    environment = {**kept, **dict.fromkeys(RATES, "100000 per minute"), "MAPSI_HOME": str(home)}
    words = [sys.executable, "-m", "mapsi", *command, "--port", str(port)]
    with (
        (home / "server.log").open("wb") as log,
        subprocess.Popen(words, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            wait_for_port(port, process, patience)
            yield Target(process, port)
        finally:
            process.kill()
