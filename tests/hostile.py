"""Pictures made to cost: small files with much work in them."""

from __future__ import annotations

import base64
import struct
import zlib

HEIC = base64.b64decode(
    "AAAAHGZ0eXBoZWljAAAAAG1pZjFoZWljbWlhZgAAAX1tZXRhAAAAAAAAACFoZGxyAAAAAAAAAABwaWN0AAAAAAAAAAAAAAAAAAAAACJpbG9jAAAA"
    "AERAAAEAAQAAAAABoQABAAAAAAAAAKMAAAAjaWluZgAAAAAAAQAAABVpbmZlAgAAAAABAABodmMxAAAAAA5waXRtAAAAAAABAAAA/WlwcnAAAADd"
    "aXBjbwAAAHZodmNDAQNwAAAAkAAAAAAAHvAA/P34+AAADwNgAAEAGEABDAH//wNwAAADAJAAAAMAAAMAHroCQGEAAQAqQgEBA3AAAAMAkAAAAwAA"
    "AwAeoCCBBZbq5Ka5uAhoMCAAAAMDIAAAAwAhYgABAAZEAcFzwIkAAAATY29scm5jbHgAAQANAAaAAAAAFGlzcGUAAAAAAAAAQAAAAEAAAAAoY2xh"
    "cAAAAEAAAAABAAAAMAAAAAEAAAAAAAAAAv////AAAAACAAAAEHBpeGkAAAAAAwgICAAAABhpcG1hAAAAAAAAAAEAAQWBAgMFhAAAAKttZGF0AAAA"
    "nygBrwngPg6bnk23JU7rn7G6gBznayABCY3R0U3je9RSmCK+YzQ3n1mccb/826v+4VHfLE+t+hekzEpUQi+gY3Be3ezul5gomUPrKRh/DstO4pPr"
    "0rv+RXjHvhnFYYAY0zaT1wSDWeLbc9FukU6P7Ffv4pAV8XvIKv2TwzetznD9x10XTMzy4RuqVJe4vaaPfSQKA82tQy6mRm2QuCJMgA=="
)
"""The gradient at 64x48, written with libheif: what is installed here only reads it."""


def box(kind: bytes, *parts: bytes, version: int | None = None) -> bytes:
    inner = b"".join(parts)
    head = b"" if version is None else bytes([version, 0, 0, 0])
    return struct.pack(">I4s", 8 + len(head) + len(inner), kind) + head + inner


def folded_heic(heic: bytes, layers: int, wide: int) -> bytes:
    """A HEIC whose picture is laid together of ``wide`` pictures, each of which is laid together of ``wide``, and so
    on: ``wide ** layers`` pictures are to be decoded, of some kilobytes."""
    setup = heic[(at := heic.index(b"hvcC") - 4) : at + int.from_bytes(heic[at : at + 4])]
    coded = heic[heic.index(b"mdat") + 4 :]
    laid = struct.pack(">BB4HHH", 0, 0, 0, 0, 0, 65535, 64, 64) + bytes(4 * wide)
    count = 1 + wide * (layers - 1) + 1
    below = {number: [1] for number in range(2, 2 + wide)}
    for number in range(2 + wide, count + 1):
        first = 2 + wide * ((number - 2) // wide - 1)
        below[number] = list(range(first, first + wide))
    kinds = {number: b"iovl" if number in below else b"hvc1" for number in range(1, count + 1)}
    names = (box(b"infe", struct.pack(">HH", n, 0), kind, b"\0", version=2) for n, kind in kinds.items())
    links = (box(b"dimg", struct.pack(f">HH{len(to)}H", n, len(to), *to)) for n, to in below.items())
    sizes = box(b"ispe", struct.pack(">II", 64, 64), version=0)
    owned = (struct.pack(">HB", n, 1 + (n == 1)) + (b"\x81\x02" if n == 1 else b"\x02") for n in kinds)

    def meta(start: int) -> bytes:
        places = (
            struct.pack(
                ">HHHII",
                n,
                0,
                1,
                *((start, len(coded)) if n == 1 else (start + len(coded), 14 + 4 * len(below[n]) + 4)),
            )
            for n in kinds
        )
        return box(
            b"meta",
            box(b"hdlr", bytes(4), b"pict", bytes(13), version=0),
            box(b"pitm", struct.pack(">H", count), version=0),
            box(b"iloc", b"\x44\0", struct.pack(">H", count), *places, version=0),
            box(b"iinf", struct.pack(">H", count), *names, version=0),
            box(b"iref", *links, version=0),
            box(b"iprp", box(b"ipco", setup, sizes), box(b"ipma", struct.pack(">I", count), *owned, version=0)),
            version=0,
        )

    head = box(b"ftyp", b"heic", bytes(4), b"mif1heic")
    names, links, owned = list(names), list(links), list(owned)
    return head + meta(len(head) + len(meta(0)) + 8) + box(b"mdat", coded, laid)


def tiled_tiff(side: int) -> bytes:
    """A picture of 100 pixels in one tile of ``side`` x ``side``, which is unpacked whole; ``side`` is a multiple of 16."""
    packed = zlib.compress(bytes(side * side), 1)
    return _tiff({257: 10, 256: 10, 259: 8, 322: side, 323: side, 324: None, 325: len(packed)}, packed)


def striped_tiff(count: int) -> bytes:
    """A picture of one row that names ``count`` strips for it."""
    return _tiff({256: 30_000, 257: 1300, 259: 1, 278: 1, 279: 1, 273: (count, None)}, struct.pack("<I", 8) * count)


def _tiff(tags: dict[int, int | tuple[int, None] | None], data: bytes) -> bytes:
    """Tags with their values, ``None`` for where ``data`` lies, and how many numbers of it where it is a list."""
    tags = dict(sorted((tags | {258: 8, 262: 1, 277: 1}).items()))
    start = 8 + 2 + 12 * len(tags) + 4

    def entry(tag: int, value: int | tuple[int, None] | None) -> bytes:
        count, here = value if isinstance(value, tuple) else (1, value)
        return struct.pack("<HHII", tag, 4, count, start if here is None else here)

    entries = b"".join(entry(tag, value) for tag, value in tags.items())
    return b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + data
