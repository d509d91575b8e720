"""Work in a process of its own that can be killed: for libraries in C, which no deadline reaches in a thread."""

from __future__ import annotations

import atexit
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_LENGTH = struct.Struct(">Q")


class Channel:
    """One end of a connection between two processes, over which messages of bytes pass whole."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def send(self, *parts: bytes) -> None:
        """Send one message, its parts one behind the other. Raises :class:`OSError` where nobody is there."""
        self._end.settimeout(None)
        self._end.sendall(_LENGTH.pack(sum(map(len, parts))))
        for part in parts:
            self._end.sendall(part)

    def receive(self, seconds: float | None = None) -> bytearray:
        """The next message. Raises :class:`EOFError` where the other end is gone, :class:`TimeoutError` where it has
        not come whole after so many seconds."""
        until = None if seconds is None else time.monotonic() + seconds
        (length,) = _LENGTH.unpack(self._take(_LENGTH.size, until))
        return self._take(length, until)

    def close(self) -> None:
        self._end.close()

    def _take(self, length: int, until: float | None) -> bytearray:
        taken = bytearray(length)
        rest = memoryview(taken)
        while rest:
            self._end.settimeout(None if until is None else max(0.001, until - time.monotonic()))
            try:
                count = self._end.recv_into(rest)
            except ConnectionError as error:
                raise EOFError from error
            if not count:
                raise EOFError
            rest = rest[count:]
        return taken


class Killable:
    """A process that runs ``python -m module`` and is asked over its standard input, a socket, by one thread at a time.
    It is started when it is first asked, and ends with the process that started it. Whoever leaves a turn by an error,
    a time-out above all, leaves it killed; the next one starts it anew."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._free = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._line: Channel | None = None
        atexit.register(self.kill)

    @contextmanager
    def turn(self, seconds: float) -> Iterator[Channel]:
        """Have the process to oneself. Raises :class:`TimeoutError` where others have it for longer than that."""
        if not self._free.acquire(timeout=seconds):
            raise TimeoutError("the process is taken")
        try:
            yield self._running()
        except BaseException:
            self.kill()
            raise
        finally:
            self._free.release()

    def kill(self) -> None:
        """End the process if there is one."""
        if self._line is not None:
            self._line.close()
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            self._process.wait()
        self._process = self._line = None

    def _running(self) -> Channel:
        if self._line is None or self._process is None or self._process.poll() is not None:
            self.kill()
            ours, its = socket.socketpair()
            with its:
                self._process = subprocess.Popen([sys.executable, "-m", self._module], stdin=its.fileno())  # noqa: S603 - ours
            self._line = Channel(ours)
        return self._line
