"""What schemathesis, which asks an API whatever its description allows and forbids, is told of ours.

    cd benchmarks
    uvx --with pillow schemathesis run http://127.0.0.1:8000/api/v1/openapi.json --max-time 240

The server is ``mapsi demo`` with MAPSI_IMAGE_RATE, MAPSI_WORDS_RATE and MAPSI_SUGGEST_RATE at "100000 per minute".
schemathesis comes by ``uvx``, and nothing else here needs it; ``schemathesis.toml`` beside this file names it. Exit 0
says that nothing was found.

It is given drawn photos, of the kinds that Pillow writes, whole and damaged: its own are random bytes, refused before
anything is asked of them. And it is told the refusals and the leniencies that are meant, though no schema can say so
(:func:`refused_rightly`, :func:`sent_empty`); all else is judged by its own checks.
"""

from __future__ import annotations

import io
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs, urlsplit

import schemathesis  # type: ignore[import-not-found]
from hypothesis import strategies as st
from PIL import Image
from schemathesis.specs.openapi import checks as known  # type: ignore[import-not-found]

KINDS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
SIDES, CHANNEL = st.integers(1, 300), st.integers(0, 255)
DAMAGE = b"damaged on purpose"


def draw(kind: str, width: int, height: int, colour: tuple[int, int, int]) -> bytes:
    """A picture of one colour as a file of ``kind``; sides in pixels."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(out, kind)
    return out.getvalue()


def damage(photo: bytes, share: float, rest: bool) -> bytes:
    """``photo`` overwritten with ``DAMAGE`` behind that share of it, with or without what follows."""
    at = int(len(photo) * share)
    return photo[:at] + DAMAGE + (photo[at + len(DAMAGE) :] if rest else b"")


WHOLE = st.builds(draw, st.sampled_from(KINDS), SIDES, SIDES, st.tuples(CHANNEL, CHANNEL, CHANNEL))
PHOTOS = WHOLE | st.builds(damage, WHOLE, st.floats(0, 1), st.booleans())

for name in ("jpeg", "png", "webp", "avif", "heic", "gif", "bmp", "tiff"):
    schemathesis.openapi.media_type(f"image/{name}", PHOTOS)


@schemathesis.check  # type: ignore[untyped-decorator]
def what_is_allowed_is_answered(ctx: Any, response: Any, case: Any) -> None:
    """schemathesis' own check, but for refusals that are right."""
    allowed = case.meta is not None and case.meta.generation.mode.is_positive
    if not (allowed and refused_rightly(response)):
        known.positive_data_acceptance(ctx, response, case)


@schemathesis.check  # type: ignore[untyped-decorator]
def what_is_forbidden_is_refused(ctx: Any, response: Any, case: Any) -> None:
    """schemathesis' own check, but for parameters that are empty: they count as absent, as forms send them."""
    if not sent_empty(asked(response)):
        known.negative_data_rejection(ctx, response, case)


def asked(response: Any) -> dict[str, list[str]]:
    """The parameters as they were sent."""
    return parse_qs(urlsplit(response.request.url).query, keep_blank_values=True)


def refused_rightly(response: Any) -> bool:
    """Whether a refusal of what is written as described is right: of a damaged photo, or of values that make no sense
    together or here."""
    damaged = DAMAGE in (response.request.body or b"")
    if response.status_code == 400:
        return makes_no_sense(asked(response)) or not_words(response)
    return damaged and response.status_code in (415, 422)


def not_words(response: Any) -> bool:
    """Whether the service found no letter or digit in what should be words, or more than 24 words: where one ends, no
    schema can say of Korean."""
    return response.json()["error"]["code"] == "bad_request" and not {"q", "words"}.isdisjoint(asked(response))


def makes_no_sense(query: dict[str, list[str]]) -> bool:
    """Whether it may be a page after the last one, a lowest price above the highest, a box that is empty or leaves the
    photo, or no words but spaces."""
    first = {name: values[0] for name, values in query.items()}
    low, high = first.get("min_price"), first.get("max_price")
    return (
        first.get("page", "1") != "1"
        or bool(low and high and Decimal(low) > Decimal(high))
        or bool(first.get("box") and not inside(first["box"]))
        or not any(letter.isprintable() and letter != " " for letter in first.get("q", "-"))
    )


def inside(box: str) -> bool:
    """Whether a box has a place and lies within the photo."""
    x, y, width, height = map(float, box.split(","))
    return 0 < width <= 1 - x and 0 < height <= 1 - y


def sent_empty(query: dict[str, list[str]]) -> bool:
    """Whether a parameter has no value."""
    return any(value == "" for values in query.values() for value in values)
