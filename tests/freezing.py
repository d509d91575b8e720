"""A way to a server that can be frozen: connections stay open, and nothing passes any more."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Way:
    """Passes bytes between clients and ``target``, a port of this machine, until it is frozen. ``taken`` counts the
    connections that came."""

    def __init__(self, target: int) -> None:
        self.frozen = False
        self.taken = 0
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._other: dict[socket.socket, socket.socket] = {}
        self._ended = threading.Event()
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listening, selectors.EVENT_READ)

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    def run(self) -> None:
        while not self._ended.is_set():
            for key, _ in self._selector.select(0.05):
                if key.fileobj is self._listening:
                    self._take()
                elif not self.frozen and key.fileobj in self._other:  # not closed a moment ago with its other end
                    self._pass(key.fileobj)  # type: ignore[arg-type]
            if self.frozen:
                self._ended.wait(0.01)
        for opened in (self._listening, *self._other):
            opened.close()

    def _take(self) -> None:
        near, _ = self._listening.accept()
        self.taken += 1
        far = socket.create_connection(("127.0.0.1", self._target))
        self._other |= {near: far, far: near}
        for opened in (near, far):
            self._selector.register(opened, selectors.EVENT_READ)

    def _pass(self, opened: socket.socket) -> None:
        try:
            data = opened.recv(65536)
            self._other[opened].sendall(data)
        except OSError:
            data = b""
        if not data:
            for end in (opened, self._other.pop(opened)):
                self._other.pop(end, None)
                self._selector.unregister(end)
                end.close()

    def end(self) -> None:
        self._ended.set()


@contextmanager
def way_to(target: int) -> Iterator[Way]:
    way = Way(target)
    thread = threading.Thread(target=way.run)
    thread.start()
    try:
        yield way
    finally:
        way.end()
        thread.join()
