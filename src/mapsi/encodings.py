"""Bytes of a stranger's text -> the encoding that they are in: UTF-8, UTF-16, UTF-32, or the code page of Korean
Windows.

Rows of both encodings may stand in one text, as where a program appends to what another one wrote: then each line is
taken for what it is. A broken letter costs the place where it stands and not the text: :func:`encoding_of` says what
the whole is in, and whoever reads takes U+FFFD for what cannot be decoded (``errors="replace"``).
"""

from __future__ import annotations

import codecs
import io
import itertools
import re
from collections.abc import Iterable
from functools import cache
from typing import Any, BinaryIO

SNIFFED = 1024
"""How many first bytes are looked at before all of them are."""

KOREAN = "cp949"
BY_LINE = "mapsi_utf8_or_cp949"
"""A codec of ours: each line in the one of the two encodings that it is in."""

_CHUNK = 1 << 18
_LONG_LINE = 1 << 16
_LARGE = re.compile(rb"(?:[\xe1-\xec\xee\xef][\x80-\xbf]|\xe0[\xa0-\xbf]|\xed[\x80-\x9f])[\x80-\xbf]")
"""A letter of three bytes in UTF-8: Hangul and what comes behind it."""

_ITEMS = re.compile(rb"(?<=</item>)|(?<=</entry>)|(?<=</product>)|(?<=</offer>)", re.IGNORECASE)
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_FIRST = 8
_FIRST_LETTERS = {"x000": "utf-32-le", "000x": "utf-32-be", "x0": "utf-16-le", "0x": "utf-16-be"}
"""Which of the first bytes are NUL where two or four ASCII letters come first."""


def encoding_of(raw: BinaryIO, otherwise: str = KOREAN) -> str:
    """The encoding of all that ``raw``, at its beginning, holds. Raises :class:`UnicodeError` where it is no text.

    Without a byte-order mark the bytes themselves decide, read once in advance: Korean letters may first come after
    megabytes of ASCII. What decodes as UTF-8 is UTF-8; where some places do not, it still is if the letters that do are
    far more, for other code pages look like UTF-8 by chance only. Else it is in the encoding ``otherwise``; where that
    is the Korean code page and there are lines of both, it is :data:`BY_LINE`.
    """
    head = raw.read(SNIFFED)
    raw.seek(0)
    marked = _marked(head)
    if marked:
        return marked
    if _decodes(raw, "utf-8"):
        return "utf-8"
    if otherwise == KOREAN and {"utf-8", KOREAN} <= _encodings_of_lines(raw):
        return _registered()
    if _mostly(raw, "utf-8"):
        return "utf-8"
    if _decodes(raw, otherwise) or _mostly(raw, otherwise):
        return otherwise
    raise UnicodeError("no text in a known encoding")


def decode(data: bytes, otherwise: str = KOREAN) -> str:
    """A short text of strangers, U+FFFD for what is broken in it; raises :class:`UnicodeError` where it is no text."""
    return data.decode(encoding_of(io.BytesIO(data), otherwise), errors="replace")


def _marked(head: bytes) -> str | None:
    """What a byte-order mark says, or the NULs in the letters of ASCII that a table or a feed begins with."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    first = "".join("0" if byte == 0 else "x" for byte in head[:_FIRST])
    for pattern, encoding in _FIRST_LETTERS.items():
        if len(first) >= len(pattern) and first == (pattern * _FIRST)[: len(first)]:
            return encoding
    for at, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        empty, other = head[at::2], head[1 - at :: 2]
        if len(head) > 3 and not empty[0] and 10 * other.count(0) < 2 * empty.count(0) > len(empty):
            return encoding
    return None


def _pieces(raw: BinaryIO) -> Iterable[bytes]:
    """The bytes to their end, or to where a packed file breaks off: what is there decodes, and whoever reads meets the
    end."""
    raw.seek(0)
    try:
        while chunk := raw.read(_CHUNK):
            yield chunk
    except EOFError:
        return


def _decodes(raw: BinaryIO, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for chunk in _pieces(raw):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _mostly(raw: BinaryIO, encoding: str) -> bool:
    """Whether letters beyond ASCII, each weighed by the bytes that UTF-8 adds for it, are more than twice the places
    that do not decode."""
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    whole = broken = 0
    for chunk in _pieces(raw):
        text = decoder.decode(chunk)
        lost = text.count("\ufffd")
        broken += lost
        whole += len(text.encode()) - len(text) - 2 * lost
    return whole > 2 * broken


def _encodings_of_lines(raw: BinaryIO) -> set[str]:
    """What the lines are in that leave no doubt, each whole."""
    found: set[str] = set()
    decoder = _LineDecoder()
    for chunk in itertools.chain(_pieces(raw), (b"",)):
        for line in decoder.whole_lines(chunk, final=not chunk):
            encoding = _encoding_of_line(line)
            if encoding and encoding not in found and _is_in(encoding, line):
                found.add(encoding)
    return found


def _encoding_of_line(line: bytes) -> str:
    """UTF-8 where letters of three bytes are no fewer than broken places: few come about by chance. The Korean code
    page where far more is broken, and more than one letter that was cut. Empty for all others."""
    if line.isascii() or _is_in("utf-8", line):
        return "utf-8" if _LARGE.search(line) else ""
    large = len(_LARGE.findall(line))
    lost = line.decode("utf-8", "replace").count("\ufffd")
    if large and large >= lost:
        return "utf-8"
    return KOREAN if lost > 1 + 2 * large and _is_in(KOREAN, line) else ""


def _is_in(encoding: str, line: bytes) -> bool:
    try:
        line.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


class _LineDecoder(codecs.IncrementalDecoder):
    """Decodes each line, and each item of a feed within one, in its own encoding. A line without an end is cut where an
    ASCII mark stands that is in no letter of either encoding."""

    def __init__(self, errors: str = "strict") -> None:
        super().__init__(errors)
        self._rest = b""

    def decode(self, data: Any, final: bool = False) -> str:
        return "".join(map(self._decoded, self.whole_lines(data, final)))

    def whole_lines(self, data: Any, final: bool) -> list[bytes]:
        held = self._rest + bytes(data)
        cut = len(held) if final else held.rfind(b"\n") + 1
        if not cut and len(held) > _LONG_LINE:
            cut = max(held.rfind(mark) for mark in (b">", b",", b" ", b"\t")) + 1
        self._rest = held[cut:]
        lines = held[:cut].splitlines(keepends=True)
        return [item for line in lines for item in (_ITEMS.split(line) if b"</" in line else (line,))]

    def _decoded(self, line: bytes) -> str:
        return line.decode(_encoding_of_line(line) or "utf-8", self.errors)

    def reset(self) -> None:
        self._rest = b""

    def getstate(self) -> tuple[bytes, int]:
        return self._rest, 0

    def setstate(self, state: tuple[bytes, int]) -> None:
        self._rest = state[0]


def _decode_lines(data: Any, errors: str = "strict") -> tuple[str, int]:
    return _LineDecoder(errors).decode(data, final=True), len(data)


def _refuse_to_encode(text: str, errors: str = "strict") -> tuple[bytes, int]:
    raise UnicodeError("texts are written in UTF-8")


@cache
def _registered() -> str:
    """:data:`BY_LINE`, known to Python's text files from here on."""
    own = codecs.CodecInfo(_refuse_to_encode, _decode_lines, incrementaldecoder=_LineDecoder, name=BY_LINE)
    codecs.register(lambda name: own if name == BY_LINE else None)
    return BY_LINE
