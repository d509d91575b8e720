"""Photos for schemathesis, which asks an API whatever its description allows: drawn ones of kinds that Pillow writes.

    cd benchmarks
    SCHEMATHESIS_HOOKS=api_photos uvx --with pillow schemathesis run http://127.0.0.1:8000/api/v1/openapi.json

The server is ``mapsi demo`` with MAPSI_IMAGE_RATE, MAPSI_WORDS_RATE and MAPSI_SUGGEST_RATE at "100000 per minute".
schemathesis comes by ``uvx``, and nothing else here needs it. Without these hooks its photos are random bytes, refused
before anything is asked of them.
"""

from __future__ import annotations

import io

import schemathesis  # type: ignore[import-not-found]
from hypothesis import strategies as st
from PIL import Image

KINDS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
SIDES, CHANNEL = st.integers(1, 300), st.integers(0, 255)


def draw(kind: str, width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    """A picture of one colour as a file of ``kind``; sides in pixels."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, kind)
    return out.getvalue()


PHOTOS = st.builds(draw, st.sampled_from(KINDS), SIDES, SIDES, st.tuples(CHANNEL, CHANNEL, CHANNEL))

for name in ("jpeg", "png", "webp", "avif", "heic", "gif", "bmp", "tiff"):
    schemathesis.openapi.media_type(f"image/{name}", PHOTOS)
