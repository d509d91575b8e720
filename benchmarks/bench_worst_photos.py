"""What the worst photo that passes the limits costs, format by format: seconds and memory.

    python benchmarks/bench_worst_photos.py

Each is made here (some take half a minute), then decoded as serving does, in a process of its own.
"""

from __future__ import annotations

import re
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from mapsi.errors import PhotoError
from mapsi.imaging import READ_SIDE, decode_photo
from mapsi.photo_bytes import MAX_SCANS, count_scans

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from hostile import HEIC, folded_heic, striped_tiff, tiled_tiff
from test_imaging_attacks import chunk, written

WIDTH, HEIGHT = 8000, 5000  # 40 million pixels
EMPTY_SCAN = b"\xff\xda\x00\x08\x01\x01\x00\x01\x3f\x00"


def worst() -> Iterator[tuple[str, bytes]]:
    """Pictures of 40 million pixels, and small files with as much work."""
    rng = np.random.default_rng(0)
    grain = Image.fromarray(rng.integers(70, 130, (HEIGHT, WIDTH, 3), np.uint8))
    yield (
        "progressive JPEG, 64 scans",
        _with_all_scans(written(grain, "JPEG", progressive=True, quality=30, subsampling=0)),
    )
    small = written(Image.new("RGB", (64, 64)), "JPEG")
    yield "JPEG with 4 million comments", small[:2] + b"\xff\xfe\x00\x02" * 3_900_000 + small[2:]
    yield "JPEG with 15 million fill bytes", small[:2] + b"\xff" * 15_000_000 + small[2:]
    yield "PNG, 16 bit, interlaced", _interlaced_png()
    yield "WebP, lossy", written(grain, "WEBP", quality=20, method=0)
    flat = Image.fromarray(np.repeat(rng.integers(0, 2, (HEIGHT, WIDTH, 1), np.uint8), 3, axis=2))
    yield "WebP, lossless", written(flat, "WEBP", lossless=True, quality=0, method=0)
    yield "AVIF, 4:4:4", written(grain, "AVIF", quality=50, speed=10, subsampling="4:4:4")
    yield "GIF", written(Image.fromarray(rng.integers(0, 256, (1500, 7000), np.uint8)), "GIF")
    yield "BMP, runs of one pixel", _run_length_bmp()
    yield "TIFF in one tile of 400 million pixels", tiled_tiff(20_000)
    yield "TIFF with 3.5 million strips", striped_tiff(3_500_000)
    yield "HEIC of 30^20 pictures", folded_heic(HEIC, 20, 30)


def _with_all_scans(jpeg: bytes) -> bytes:
    return jpeg[:-2] + EMPTY_SCAN * (MAX_SCANS - count_scans(jpeg)) + jpeg[-2:]


def _interlaced_png() -> bytes:
    rows = bytearray()
    for y, x, down, right in (
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    ):
        rows += (b"\x04" + bytes(8 * len(range(x, WIDTH, right)))) * len(range(y, HEIGHT, down))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, 16, 6, 0, 0, 1))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(rows), 9)) + chunk(b"IEND", b"")


def _run_length_bmp() -> bytes:
    runs = (b"\x01\x05" * 8000 + b"\0\0") * 1000
    head = struct.pack("<IiiHHIIiiII", 40, 8000, 1000, 1, 8, 1, len(runs), 0, 0, 256, 0)
    return b"BM" + struct.pack("<IHHI", 1078 + len(runs), 0, 0, 1078) + head + bytes(range(256)) * 4 + runs


def measure(path: Path) -> str:
    """Decode one photo; seconds, the peak of memory beyond what the process had, and what came of it."""
    data = path.read_bytes()
    Path("/proc/self/clear_refs").write_text("5", "ascii")  # the peak counts from here
    before, began = _peak(), time.monotonic()
    try:
        told = "{} x {}".format(*decode_photo(data, at_least=READ_SIDE).size)
    except PhotoError as error:
        told = error.message
    return f"{len(data) / 1e6:.2f} MB | {time.monotonic() - began:.2f} s | {_peak() - before:.0f} MB | {told} |"


def _peak() -> float:
    """The peak of this process's memory in MB."""
    return int(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text("utf-8"))[0]) / 1e3


def main() -> None:
    print("| photo | size | time | memory | comes out as |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo"
        for name, data in worst():
            path.write_bytes(data)
            asked = subprocess.run([sys.executable, __file__, str(path)], capture_output=True, text=True, check=True)
            print(f"| {name} | {asked.stdout.strip()}", flush=True)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(measure(Path(sys.argv[1])))
    else:
        main()
