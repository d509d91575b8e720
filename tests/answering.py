"""A process for ``mapsi.killable``: it sends back what it is sent, or hangs, or ends."""

from __future__ import annotations

import os
import socket
import time

from mapsi.killable import Channel

if __name__ == "__main__":
    line = Channel(socket.socket(fileno=0))
    while True:
        try:
            asked = bytes(line.receive())
        except EOFError:
            break
        if asked == b"hang":
            time.sleep(600)
        if asked == b"end":
            os._exit(1)
        line.send(str(os.getpid()).encode() if asked == b"who" else asked)
