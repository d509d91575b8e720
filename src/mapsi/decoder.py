"""The process in which photos of rare formats are decoded, ``python -m mapsi.decoder``: what they may cost cannot be
counted beforehand, so that it has an end by a limit on memory and by being killed."""

from __future__ import annotations

import os
import signal
import socket
from contextlib import suppress

from mapsi.imaging import PhotoLimits, decode_here
from mapsi.killable import Channel
from mapsi.memory import give_freed_memory_back, limit_memory
from mapsi.photo_process import Lend, answer_one, memory_for


def main() -> None:
    """Answer on the standard input until nobody asks any more."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that asks says when this one ends
    os.nice(5)  # usual photos, pages and words go first
    give_freed_memory_back()
    line = Channel(socket.socket(fileno=0))
    with suppress(EOFError, BrokenPipeError):
        while True:
            answer_one(line, _decode)


def _decode(data: bytes, max_pixels: int, at_least: int, lend: Lend) -> tuple[tuple[int, int], bytes]:
    limit_memory(memory_for(max_pixels))
    photo = decode_here(data, PhotoLimits(len(data), max_pixels), at_least, lend)
    return photo.size, photo.tobytes()


if __name__ == "__main__":
    main()
