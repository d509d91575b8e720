"""How photos are handed to the process that decodes rare formats (``mapsi.decoder``), and pixels back."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any

from mapsi import errors
from mapsi.killable import Channel, Killable

Lend = Callable[[int], AbstractContextManager[None]]
"""Waits until so many pixels may be decoded."""

SECONDS = 20.0
"""For opening a photo, for decoding it, and for waiting until one's turn comes: the largest sound ones take 3."""

_MODULE = "mapsi.decoder"
_BESIDE = 256 << 20  # bytes for the libraries and their threads
_OF_A_PIXEL = 12  # bytes: a decoder's frame, RGBA and what is handed back
_ASKED = struct.Struct(">QQ")


def decode_apart(data: bytes, max_pixels: int, at_least: int, lend: Lend) -> tuple[tuple[int, int], bytearray]:
    """Size and RGB of a photo, as :func:`mapsi.imaging.decode_photo` has them, decoded in another process that takes
    turns. Raises its errors, and :class:`PhotoError` where it takes too long, too much memory, or the decoder ends."""
    try:
        with _decoder(os.getpid()).turn(SECONDS) as line:
            line.send(_ASKED.pack(max_pixels, at_least))
            line.send(data)
            said = json.loads(line.receive(SECONDS))
            if "pixels" in said:
                with lend(said["pixels"]):
                    line.send(b"")
                    said = json.loads(line.receive(SECONDS))
                    if "size" in said:
                        return said["size"], line.receive(SECONDS)
    except TimeoutError as error:
        raise errors.PhotoError("The photo takes too long to read.", "Save it as JPEG and try again.") from error
    except (EOFError, OSError) as error:
        raise errors.PhotoError("The photo is damaged or incomplete.", "Choose another one.") from error
    raise _error(said)


def answer_one(line: Channel, decode: Callable[[bytes, int, int, Lend], tuple[tuple[int, int], bytes]]) -> None:
    """The other side: take one photo and answer by ``decode``. Raises :class:`EOFError` where nobody asks any more."""
    max_pixels, at_least = _ASKED.unpack(line.receive())
    data = bytes(line.receive())

    @contextmanager
    def lend(pixels: int) -> Iterator[None]:
        line.send(json.dumps({"pixels": pixels}).encode())
        line.receive()
        yield

    try:
        size, pixels = decode(data, max_pixels, at_least, lend)
    except errors.PhotoError as error:
        line.send(json.dumps({"error": type(error).__name__, "says": [error.message, error.hint]}).encode())
    else:
        line.send(json.dumps({"size": size}).encode())
        line.send(pixels)


def memory_for(max_pixels: int) -> int:
    """Bytes that decoding a photo of so many pixels may take, all told."""
    return _BESIDE + _OF_A_PIXEL * max_pixels


def _error(said: dict[str, Any]) -> errors.PhotoError:
    kind: type[errors.PhotoError] = getattr(errors, said["error"])
    return kind(*said["says"])


@cache
def _decoder(process: int) -> Killable:
    """That of this process: one that was forked has none of its parent's."""
    return Killable(_MODULE)
