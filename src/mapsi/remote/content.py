"""What arrives: unpacked within a limit, and known by its first bytes, never by what the sender calls it."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Literal

from mapsi.errors import RemoteError
from mapsi.photo_bytes import ACCEPTED

Accept = Literal["picture", "feed", "any"]

SNIFFED = 1024
"""How many first bytes tell the type."""

_PICTURE = re.compile(
    rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|GIF8[79]a|RIFF....WEBP|....ftyp(?:avi[fs]|he[iv][cxms]|m[is]f1)|BM|II\*\x00|MM\x00\*",
    re.DOTALL,
)
_HTML = re.compile(  # possessive throughout: a row of comments must not be tried in every grouping
    rb"(?:<!--(?:(?!-->).)*+-->|<\?[^>]*+>|\s++)*+<(?:!doctype\s+html|html|head|body|script|title|meta)\b",
    re.DOTALL | re.IGNORECASE,
)
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")


def looks_like_picture(head: bytes) -> bool:
    """Whether the first bytes are those of a JPEG, PNG, GIF, WebP, AVIF, HEIC, BMP or TIFF file."""
    return _PICTURE.match(head) is not None


def looks_like_html(head: bytes) -> bool:
    """Whether the first bytes are those of an HTML page: what a shop answers instead of a feed when it asks to log
    in."""
    for mark in _BYTE_ORDER_MARKS:
        head = head.removeprefix(mark)
    return _HTML.match(head.replace(b"\x00", b"")) is not None


def limited(chunks: Iterator[bytes], max_bytes: int) -> Iterator[bytes]:
    """The same chunks; raises :class:`RemoteError` as soon as they are more than ``max_bytes`` together."""
    total = 0
    for chunk in chunks:
        total += len(chunk)
        if total > max_bytes:
            raise too_large(max_bytes)
        yield chunk


def too_large(max_bytes: int) -> RemoteError:
    return RemoteError(f"The answer is larger than the {max_bytes:,} bytes that are read.", "Give a smaller file.")


def unpacked(chunks: Iterator[bytes], encoding: str) -> Iterator[bytes]:
    """Undo a ``Content-Encoding``, a little at a time, so that a small answer cannot unfold in memory.

    Raises :class:`RemoteError` for an encoding that was not asked for, :class:`zlib.error` for damaged data.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return chunks
        case "gzip" | "x-gzip":
            return _inflated(chunks, zlib.MAX_WBITS | 16)
        case "deflate":
            return _deflated(chunks)
        case _:
            raise RemoteError("The answer is compressed in a way that was not asked for.", "Try again later.")


def _deflated(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """``deflate`` means the zlib format, but some servers send it without its header; the first byte tells."""
    for first in chunks:
        bits = zlib.MAX_WBITS if first[0] & 0x0F == zlib.DEFLATED else -zlib.MAX_WBITS
        yield from _inflated(_chained(first, chunks), bits)


def _inflated(chunks: Iterator[bytes], bits: int, step: int = 1 << 16) -> Iterator[bytes]:
    packer = zlib.decompressobj(bits)
    fresh = True
    for chunk in chunks:
        rest = chunk
        while rest:
            if packer.eof:  # a gzip file may be several, one after the other
                packer = zlib.decompressobj(bits)
            yield packer.decompress(rest, step)
            rest = packer.unconsumed_tail or packer.unused_data
            fresh = False
    while not fresh and not packer.eof:
        more = packer.decompress(b"", step)
        if not more:
            raise zlib.error("the compressed data is cut off")
        yield more


def checked(chunks: Iterator[bytes], accept: Accept) -> Iterator[bytes]:
    """The same bytes; raises :class:`RemoteError` before giving out any where their beginning is not of the kind asked
    for."""
    head = b""
    for chunk in chunks:
        head += chunk
        if len(head) >= SNIFFED:
            break
    if accept == "picture" and not looks_like_picture(head):
        raise RemoteError("There is no picture at the address.", ACCEPTED)
    if accept == "feed" and looks_like_html(head):
        raise RemoteError("There is a web page at the address, not a feed.", "Check the address; it may ask to log in.")
    yield from _chained(head, chunks)


def _chained(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest
