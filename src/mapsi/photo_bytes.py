"""Photos as bytes, before any decoder sees them: what could hold one up is counted or left out."""

from __future__ import annotations

import re
import struct
import zlib
from collections.abc import Iterator

ACCEPTED = "JPEG, PNG, WebP, AVIF, HEIC, GIF, BMP and TIFF pictures are accepted."

MAX_SCANS = 64
"""Scans of a JPEG that are decoded. Cameras and programs write 1 to 15; each passes over all pixels, and an empty one
is ten bytes long: 8 kB of them held a core for 4.4 s."""

MAX_SEGMENTS = 10_000
"""Segments of a JPEG, before its first scan and in all: 16 MB of empty ones took ten seconds and 521 MB to look at."""

MAX_CHUNKS = 100_000
MAX_PROFILE = 4 << 20
"""Bytes of a colour profile, unpacked, that are read; those of printers have up to three million."""

_PNG = b"\x89PNG\r\n\x1a\n"
_PNG_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_KEPT_CHUNKS = frozenset({b"tRNS", b"sRGB", b"eXIf"})
_ITEMS = 4096  # first bytes, in which an AVIF lists what it holds
_JPEG = b"\xff\xd8"
_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]")  # not a stuffed byte, not a restart
_SEGMENT = re.compile(rb"(?:\xff+\x00)*\xff+([^\x00\xff])")  # the marker that begins one, behind what fills a gap
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_ALONE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without anything behind them
_NOTES = frozenset({0xFE, *range(0xE0, 0xF0)})  # comments and what programs leave: APP0 to APP15
_NEEDED = re.compile(rb"JFIF\0|Exif\0\0|ICC_PROFILE\0|Adobe")
_BRANDS = re.compile(rb"....ftyp(?:(avif|avis)|(heic|heix|heim|heis|hevc|hevx|mif1|msf1))", re.DOTALL)


def count_scans(jpeg: bytes) -> int:
    """The scans of the first picture in a JPEG file. Counting ends beyond :data:`MAX_SCANS`, which more than
    :data:`MAX_SEGMENTS` segments count for as well."""
    scans, segments, at = 0, 0, 2
    while scans <= MAX_SCANS and (marker := _MARKER.search(jpeg, at)) is not None:
        kind = jpeg[marker.start() + 1]
        segments += 1
        if kind == _END_OF_IMAGE:
            break
        if segments > MAX_SEGMENTS:
            return MAX_SCANS + 1
        scans += kind == _START_OF_SCAN
        length = jpeg[marker.end() : marker.end() + 2]
        at = marker.end() + max(2, int.from_bytes(length, "big")) if len(length) == 2 else len(jpeg)
    return scans


def is_high_efficiency(data: bytes) -> bool:
    """Whether bytes begin as HEIC does, the format of iPhones' photos."""
    match = _BRANDS.match(data)
    return match is not None and match[2] is not None


def pixels_only(data: bytes) -> bytes:
    """A photo without what is no picture: texts, dates, pictures after the first, profiles that are too large. They are
    read before the first pixel and may be packed a thousandfold. Of EXIF what is needed to turn a photo stays; an AVIF
    says elsewhere how it stands. The end mark of a PNG is put back where it is missing. What has nothing of this, and
    other files, stay as they are."""
    if data.startswith(_PNG):
        return _bare_png(data)
    if data.startswith(_JPEG):
        return _bare_jpeg(data)
    is_avif = _BRANDS.match(data) is not None and not is_high_efficiency(data)
    head = data[:_ITEMS] if is_avif else b""
    return head.replace(b"Exif", b"free") + data[_ITEMS:] if b"Exif" in head else data


def _bare_jpeg(jpeg: bytes) -> bytes:
    """Up to the first scan without comments, texts, small pictures, and bytes that fill gaps; one with more segments
    than :data:`MAX_SEGMENTS` breaks off there."""
    kept, seen, at = [_JPEG], set[bytes](), 2
    for _ in range(MAX_SEGMENTS):
        marker = _SEGMENT.match(jpeg, at)
        if marker is None or (kind := marker[1][0]) in (_START_OF_SCAN, _END_OF_IMAGE):
            kept.append(jpeg[at:])
            break
        at = marker.end()
        if kind in _ALONE:
            continue
        end = at + max(2, int.from_bytes(jpeg[at : at + 2], "big"))
        if kind not in _NOTES or _is_needed(jpeg[at + 2 : end], seen):
            kept.append(b"\xff" + marker[1] + jpeg[at:end])
        at = end
    return jpeg if sum(map(len, kept)) == len(jpeg) else b"".join(kept)


def _is_needed(note: bytes, seen: set[bytes]) -> bool:
    """Whether a note says something of the pixels: of each kind the first, of a colour profile all its parts."""
    named = _NEEDED.match(note)
    if named is None or named[0] in seen:
        return False
    if not named[0].startswith(b"ICC"):
        seen.add(named[0])
    return True


def _bare_png(png: bytes) -> bytes:
    kept, whole = [_PNG], True
    for number, (kind, chunk) in enumerate(_chunks(png)):
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
    return png if whole else b"".join(kept)


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
