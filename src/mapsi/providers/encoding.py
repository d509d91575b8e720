"""A feed's file -> text: unpacked where it is gzip, decoded as its mark, its declaration or its bytes say."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO, cast

from mapsi.errors import FeedError
from mapsi.remote.content import SNIFFED, looks_like_html

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_BYTES = 4 << 30
"""Largest feed, unpacked, that is read: about four million products. A packed one of a few megabytes could be endless."""

_CHUNK = 1 << 18
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (b"<\x00", "utf-16-le"),
    (b"\x00<", "utf-16-be"),
)
_DECLARATION = re.compile(rb"""\s*<\?xml\b[^>]*?\bencoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_KOREAN = frozenset({"euc_kr", "cp949"})
_FAMILIES = ("iso8859", "cp125", "koi8", "shift_jis", "cp932", "euc_jp", "gb", "big5")


@contextmanager
def open_text(file: Path, max_bytes: int = MAX_BYTES) -> Iterator[TextIO]:
    """Open a feed as text, line ends as they stand.

    Raises :class:`FeedError`, also for what goes wrong while the block reads: a file that is missing, empty, a web page,
    in no known encoding, larger than ``max_bytes`` unpacked, or packed and damaged or broken off.
    """
    try:
        with _open_bytes(file) as unpacked, io.BufferedReader(_Limited(unpacked, max_bytes), _CHUNK) as raw:
            head = raw.read(SNIFFED)
            _check_head(head)
            raw.seek(0)
            encoding = _encoding_of(raw, head)
            raw.seek(0)
            yield io.TextIOWrapper(raw, encoding, newline="")
    except UnicodeError as error:
        raise FeedError(
            "The feed is neither in UTF-8 nor in CP949, nor in the encoding that it declares.", "Save it as UTF-8."
        ) from error
    except EOFError as error:
        raise FeedError("The packed feed breaks off.", "Fetch it again.") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise FeedError("The packed feed is damaged.", "Fetch it again.") from error
    except OSError as error:
        raise FeedError(f"The feed cannot be read: {error.strerror}.", "Check the path.") from error


def _open_bytes(file: Path) -> BinaryIO:
    with file.open("rb") as opened:
        packed = opened.read(2) == b"\x1f\x8b"
    return cast(BinaryIO, gzip.open(file)) if packed else file.open("rb")


class _Limited(io.RawIOBase):
    """The same bytes up to ``max_bytes``; reading beyond them raises :class:`FeedError`, in whatever encoding they are."""

    def __init__(self, raw: BinaryIO, max_bytes: int) -> None:
        self._raw = raw
        self._max_bytes = max_bytes

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        return self._raw.tell()

    def readinto(self, buffer: WriteableBuffer) -> int:
        count = self._raw.readinto(buffer)  # type: ignore[attr-defined]
        if self._raw.tell() > self._max_bytes:
            raise FeedError(f"The feed is larger than {_in_units(self._max_bytes)}.", "Split it.")
        return cast(int, count)


def _in_units(size: int) -> str:
    return f"{size >> 30} GiB" if size >= 1 << 30 else f"{size:,} bytes"


def _check_head(head: bytes) -> None:
    if not head.strip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"):
        raise FeedError("The feed is empty.", "Export or fetch it again.")
    if looks_like_html(head):
        raise FeedError("The file is a web page, not a feed.", "Check the address; it may ask to log in.")


def _encoding_of(raw: BinaryIO, head: bytes) -> str:
    """The encoding of the whole file. Without a mark the bytes themselves decide, read once in advance: Korean letters may
    first come after megabytes of ASCII, and declarations of UTF-8 over CP949 are common."""
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    declared = _declared(head)
    return _first_that_decodes(raw, ["utf-8", declared] if declared else ["utf-8", "cp949"])


def _declared(head: bytes) -> str | None:
    """The encoding that an XML declaration names, ``None`` where that says no more than the bytes do."""
    match = _DECLARATION.match(head)
    if match is None:
        return None
    try:
        name = codecs.lookup(match[1].decode("ascii")).name.replace("-", "_")
    except LookupError:
        name = "unknown"
    if name in _KOREAN:
        return "cp949"  # what shops write under the older name
    if name.startswith(("utf", "ascii")):
        return None
    if not name.startswith(_FAMILIES):
        raise FeedError("The feed declares an encoding that is not known.", "Save it as UTF-8.")
    return name


def _first_that_decodes(raw: BinaryIO, encodings: list[str]) -> str:
    """The first of two encodings if it decodes the file, else the second, which the reading itself then proves."""
    decoder = codecs.getincrementaldecoder(encodings[0])()
    try:
        while chunk := raw.read(_CHUNK):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return encodings[1]
    except EOFError:
        pass  # broken off: what is there decodes, and the reading itself meets the end again
    return encodings[0]
