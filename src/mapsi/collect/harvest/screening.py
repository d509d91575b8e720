"""What came from an address -> a photo fit to learn from, or the reason why it is not."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

import imagehash

from mapsi.errors import PhotoError, PhotoTooLargeError, PhotoTypeError
from mapsi.imaging import PhotoLimits, decode_photo, encode_jpeg

KEPT_SIDE = 1024
"""Longer side, in pixels, that a photo is stored at: far more than any input size, a tenth of the original's bytes."""

KEPT_QUALITY = 92
ROBOT = "mapsi"
_NO_AI = frozenset({"noai", "noimageai"})
_VALUED = frozenset({"max-image-preview", "max-snippet", "max-video-preview", "unavailable_after"})
"""Rules whose value follows a colon, as a robot's rules do."""
_ROBOT_NAME = re.compile(r"\s*([^\s:]+)\s*:")


@dataclass(frozen=True, slots=True)
class ScreenedPhoto:
    """A photo that was read. ``sha256`` is of what came, ``hash`` the 64 bits of its DCT hash, ``size`` its
    upright width and height in pixels as it came; ``jpeg`` is the fresh copy without metadata, its longer side at most
    1024 pixels."""

    sha256: str
    hash: int
    size: tuple[int, int]
    jpeg: bytes


class Unfit(Exception):  # noqa: N818 - an outcome that the ledger takes down, not an error
    """Why something is not kept: ``reason`` in few words that can be counted, ``detail`` in a sentence."""

    def __init__(self, reason: str, detail: str, outcome: Literal["refused", "failed"] = "refused") -> None:
        super().__init__(detail)
        self.reason = reason
        self.detail = detail
        self.outcome = outcome


@dataclass(frozen=True, slots=True)
class Screen:
    """The rules: how much a photo may weigh, and how many pixels its shorter side needs."""

    limits: PhotoLimits
    min_side: int

    def check_size(self, width: int, height: int) -> None:
        """Raises :class:`Unfit` where a known size (0: not known) is too small."""
        if 0 < min(width, height) < self.min_side:
            raise Unfit(
                "too small", f"It is {width} x {height} pixels; {self.min_side} are the least for the shorter side."
            )

    def read(self, data: bytes, headers: Mapping[str, str]) -> ScreenedPhoto:
        """The photo in ``data``, which came with ``headers`` (names in lower case); raises :class:`Unfit`."""
        if forbids_learning(headers.get("x-robots-tag", "")):
            raise Unfit("no AI", "Its server says noai or noimageai (X-Robots-Tag): it is not to be learned from.")
        try:
            picture = decode_photo(data, self.limits)
        except PhotoTypeError as error:
            raise Unfit("not a photo", error.message) from error
        except PhotoTooLargeError as error:
            raise Unfit("too large", error.message) from error
        except PhotoError as error:
            raise Unfit("damaged", error.message) from error
        self.check_size(*picture.size)
        if all(low == high for low, high in cast(tuple[tuple[int, int], ...], picture.getextrema())):
            raise Unfit("one colour", "There is nothing in it but one colour.")
        return ScreenedPhoto(
            sha256=hashlib.sha256(data).hexdigest(),
            hash=int(str(imagehash.phash(picture)), 16),
            size=picture.size,
            jpeg=encode_jpeg(picture, max_side=KEPT_SIDE, quality=KEPT_QUALITY),
        )


def forbids_learning(header: str) -> bool:
    """Whether ``X-Robots-Tag`` holds ``noai`` or ``noimageai`` for everybody or for us.

    A rule after ``NAME:`` is meant for the robot of that name alone, and so are the ones that follow it in the same
    line.
    """
    return any(_line_forbids(line) for line in header.lower().splitlines())


def _line_forbids(line: str) -> bool:
    robot = ""
    for part in line.split(","):
        found, rule = _ROBOT_NAME.match(part), part
        if found is not None and found[1] not in _VALUED:
            robot, rule = found[1], part[found.end() :]
        if rule.strip() in _NO_AI and robot in ("", "*", ROBOT):
            return True
    return False
