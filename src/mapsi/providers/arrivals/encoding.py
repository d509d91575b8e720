"""A feed's file -> text: unpacked where it is gzip, decoded as its mark, its declaration or its bytes say."""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO, cast

from mapsi.encodings import SNIFFED, encoding_of
from mapsi.errors import FeedError
from mapsi.remote.content import looks_like_html

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_BYTES = 4 << 30
"""Largest feed, uncompressed, that is read: about four million products. A compressed one of a few megabytes could be
endless."""

_CHUNK = 1 << 18
_MOST_PACKED = 2
_BEHIND_THE_END = "Not a gzipped file"  # how Python tells that no further part begins there
_DECLARATION = re.compile(rb"""<\?xml\b[^>]*?\bencoding\s*=\s*["']\s*([A-Za-z0-9._-]+)\s*["']""")
_KOREAN = re.compile(r"euc_kr|.*949|.*euc_?kr|.*ksc?_?c?_?5601.*|hangul")
"""Names of the Korean code page: Python's own, and those of Java, Windows and databases, which it does not know."""
_FAMILIES = ("iso8859", "cp125", "koi8", "shift_jis", "cp932", "euc_jp", "gb", "big5")
_OTHERS = (  # first bytes of what shops send instead of a feed, what it is, and what to do
    (b"PK\x03\x04", "packed with zip", "Use gzip, or unpack it."),
    (b"PK\x05\x06", "an empty zip archive", "Export it again."),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook (xls)", "Save it as CSV UTF-8."),
    (b"BZh", "packed with bzip2", "Use gzip, or unpack it."),
    (b"\xfd7zXZ\x00", "packed with xz", "Use gzip, or unpack it."),
    (b"(\xb5/\xfd", "packed with zstd", "Use gzip, or unpack it."),
    (b"7z\xbc\xaf", "packed with 7-Zip", "Use gzip, or unpack it."),
    (b"Rar!", "packed with rar", "Use gzip, or unpack it."),
    (b"%PDF", "a PDF document", "Export it as a table or as XML."),
    (b"\x89PNG", "a picture", "Check the path."),
    (b"\xff\xd8\xff", "a picture", "Check the path."),
)
_WORKBOOK = re.compile(rb"PK\x03\x04.*?(?:\[Content_Types\]\.xml|_rels/|xl/|mimetype)", re.DOTALL)


@contextmanager
def open_text(file: Path, max_bytes: int = MAX_BYTES) -> Iterator[TextIO]:
    """Open a feed as text, line ends as they stand.

    Raises :class:`FeedError`, also for what goes wrong while the block reads: a file that is missing, empty, a web
    page, in no known encoding, larger than ``max_bytes`` unpacked, or packed and damaged or broken off.
    """
    try:
        with _open_bytes(file) as unpacked, io.BufferedReader(_Limited(unpacked, max_bytes), _CHUNK) as raw:
            head = raw.read(SNIFFED)
            _check_head(head)
            raw.seek(0)
            encoding = _encoding_of(raw, head)
            raw.seek(0)
            yield io.TextIOWrapper(raw, encoding, errors="replace", newline="")
    except UnicodeError as error:
        raise FeedError(
            "The feed is neither in UTF-8 nor in CP949, nor in the encoding that it declares.", "Save it as UTF-8."
        ) from error
    except EOFError as error:
        raise FeedError("The compressed feed is cut off.", "Fetch it again.") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise FeedError("The compressed feed is damaged.", "Fetch it again.") from error
    except OSError as error:
        raise FeedError(f"The feed cannot be read: {error.strerror}.", "Check the path.") from error


@contextmanager
def _open_bytes(file: Path) -> Iterator[BinaryIO]:
    """The bytes of a file, unpacked; twice where a server packed once more what was packed."""
    with ExitStack() as opened:
        raw: BinaryIO = opened.enter_context(file.open("rb"))
        for _ in range(_MOST_PACKED):
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            if not packed:
                break
            raw = cast(BinaryIO, opened.enter_context(gzip.GzipFile(fileobj=raw, mode="rb")))
        yield raw


class _Limited(io.RawIOBase):
    """The same bytes up to ``max_bytes``; reading beyond them raises :class:`FeedError`, in whatever encoding they
    are."""

    def __init__(self, raw: BinaryIO, max_bytes: int) -> None:
        self._raw = raw
        self._max_bytes = max_bytes
        self._is_over = False

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._is_over = False
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        return self._raw.tell()

    def readinto(self, buffer: WriteableBuffer) -> int:
        count = 0 if self._is_over else self._read_unpacked(buffer)
        if self._raw.tell() > self._max_bytes:
            raise FeedError(f"The feed is larger than {_in_units(self._max_bytes)}.", "Split it.")
        return count

    def _read_unpacked(self, buffer: WriteableBuffer) -> int:
        """The next bytes; what a server appended to a packed feed is no part of it, as for every program that
        unpacks. Read piece by piece: a larger reading would lose what came before its fault."""
        try:
            return cast(int, self._raw.readinto1(buffer))  # type: ignore[attr-defined]
        except gzip.BadGzipFile as error:
            if not str(error).startswith(_BEHIND_THE_END):
                raise
            self._is_over = True
            return 0


def _in_units(size: int) -> str:
    return f"{size >> 30} GiB" if size >= 1 << 30 else f"{size:,} bytes"


def _check_head(head: bytes) -> None:
    if not head.strip(b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"):
        raise FeedError("The feed is empty.", "Export or fetch it again.")
    if looks_like_html(head):
        raise FeedError("The file is a web page, not a feed.", "Check the address; it may ask to log in.")
    if _WORKBOOK.match(head):
        raise FeedError("The file is a workbook of a spreadsheet (xlsx, ods), not a feed.", "Save it as CSV UTF-8.")
    for mark, name, hint in _OTHERS:
        if head.startswith(mark):
            raise FeedError(f"The file is {name}, not a feed.", hint)


def _encoding_of(raw: BinaryIO, head: bytes) -> str:
    """The encoding of a whole feed. A declaration that nobody knows is no harm where the bytes are UTF-8."""
    declared = _declared(head)
    encoding = encoding_of(raw, declared or "cp949")
    if declared or encoding.startswith("utf"):
        return encoding
    raise FeedError("The feed declares an encoding that is not known.", "Save it as UTF-8.")


def _declared(head: bytes) -> str:
    """The encoding that an XML declaration names, the Korean code page where that says no more than the bytes do,
    nothing where nobody knows what it names."""
    match = _DECLARATION.search(head)
    if match is None:
        return "cp949"
    written = match[1].decode("ascii")
    try:
        name = codecs.lookup(written).name.replace("-", "_")
    except LookupError:
        name = written.lower().replace("-", "_")
    if _KOREAN.fullmatch(name) or name.startswith(("utf", "ascii")):
        return "cp949"  # what shops write under the older name, and under declarations of UTF-8
    return name if name.startswith(_FAMILIES) else ""
