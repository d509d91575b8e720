"""Photos as bytes, before any decoder sees them: what could hold one up is counted or left out."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator

MAX_SCANS = 64
"""Scans of a JPEG that are decoded. Cameras and programs write 1 to 15; each passes over all pixels, and an empty one
is ten bytes long: 8 kB of them held a core for 4.4 s."""

MAX_CHUNKS = 100_000
MAX_PROFILE = 4 << 20
"""Bytes of a colour profile, unpacked, that are read; those of printers have up to three million."""

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_KEPT_CHUNKS = frozenset({b"tRNS", b"sRGB", b"eXIf"})
_ITEMS = 4096  # first bytes, in which an AVIF lists what it holds
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # not a stuffed byte, not a restart
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_BRANDS = re.compile(rb"....ftyp(?:(avif|avis)|(heic|heix|heim|heis|hevc|hevx|mif1|msf1))", re.DOTALL)


def count_scans(jpeg: bytes) -> int:
    """The scans of the first picture in a JPEG file; counting ends beyond :data:`MAX_SCANS`."""
    scans, at = 0, 2
    while scans <= MAX_SCANS and (marker := _MARKER.search(jpeg, at)) is not None:
        kind = jpeg[marker.start() + 1]
        if kind == _END_OF_IMAGE:
            break
        scans += kind == _START_OF_SCAN
        length = jpeg[marker.end() : marker.end() + 2]
        at = marker.end() + max(2, int.from_bytes(length, "big")) if len(length) == 2 else len(jpeg)
    return scans


def is_high_efficiency(data: bytes) -> bool:
    """Whether bytes begin as HEIC does, the format of iPhones' photos."""
    match = _BRANDS.match(data)
    return match is not None and match[2] is not None


def pixels_only(data: bytes) -> bytes:
    """A PNG without what is no picture: texts, dates, pictures after the first, profiles that are too large. They are
    read before the first pixel and may be packed a thousandfold; the end mark is put back where it is missing. An AVIF
    without its EXIF: how it stands is told elsewhere in it. Other files stay as they are."""
    if not data.startswith(_PNG):
        is_avif = _BRANDS.match(data) is not None and not is_high_efficiency(data)
        head = data[:_ITEMS] if is_avif else b""
        return head.replace(b"Exif", b"free") + data[_ITEMS:] if b"Exif" in head else data
    kept, whole = [_PNG], True
    for number, (kind, chunk) in enumerate(_chunks(data)):
        if number > MAX_CHUNKS:
            break
        if kind[0] & 0x20 and kind not in _KEPT_CHUNKS and not (kind == b"iCCP" and _is_small(chunk)):
            whole = False
        else:
            kept.append(chunk)
        if kind == b"IEND":
            break
    else:
        kept.append(_PNG_END)
        whole = False
    return data if whole else b"".join(kept)


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Type and bytes of each chunk, the last one as far as it goes."""
    at = len(_PNG)
    while at + 8 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        yield kind, png[at : at + 12 + length]
        at += 12 + length


def _is_small(profile: bytes) -> bool:
    name, _, packed = profile[8:-4].partition(b"\x00")
    if len(name) > 79:
        return False
    try:
        return len(zlib.decompressobj().decompress(packed[1:], MAX_PROFILE + 1)) <= min(MAX_PROFILE, 1 << 20)
    except zlib.error:
        return False
