"""Bytes from strangers -> a safe RGB picture -> the float32 array a model reads.

The same code serves training, indexing and answering, so that what was learned is what is asked. Owns Pillow.
"""

from __future__ import annotations

import hashlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from mapsi.arrays import FloatArray
from mapsi.colour_profiles import to_rgb
from mapsi.errors import ArtifactError, PhotoError, PhotoTooLargeError, PhotoTypeError
from mapsi.photo_bytes import ACCEPTED, MAX_SCANS, count_scans, is_high_efficiency, pixels_only
from mapsi.photo_process import Lend, decode_apart
from mapsi.pixel_budget import PixelBudget
from mapsi.settings import Settings

FORMATS = ("JPEG", "PNG", "WEBP")
"""Decoders that bytes from outside may reach in this process: those whose work can be counted before it is begun."""

RARE_FORMATS = ("AVIF", "GIF", "BMP", "TIFF")
"""Decoders that are reached in a process that can be killed, and that of HEIC; every other one stays shut
(``references/safety.md``). Of 14 kB a HEIC makes 25 s of work by naming one picture a hundred times."""

READ_SIDE = 640
"""Pixels of the shorter side that a photo keeps when it is decoded to be read: twice those of the largest input, which
the half of an outfit still fills."""

MAX_SIDE = 30_000
"""Pixels of the longer side; panoramas of phones have half of that."""

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_END_MARK = b"\xff\xd9"
_RARE = (b"GIF8", b"BM", b"II", b"MM")
# A decoded pixel costs 4 bytes, and once more where it is converted or turned: 400 MB at most, all threads together.
_BUDGET = PixelBudget(50_000_000)

_GROUP_COLOURS = (
    (245, 244, 240), (31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189), (140, 86, 75),
    (227, 119, 194), (199, 176, 153),
)  # fmt: skip

Fit = Literal["stretch", "crop"]
Box = tuple[float, float, float, float]
"""x and y of the upper left corner, width and height, as shares of a picture, 0..1."""


@dataclass(frozen=True, slots=True)
class PhotoLimits:
    """What a photo may weigh: ``max_bytes`` before it is read, ``max_pixels`` (width x height) before it is decoded."""

    max_bytes: int = 16 * 1024 * 1024
    max_pixels: int = 40_000_000

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The limits that the settings set."""
        return cls(settings.photo_bytes, settings.photo_megapixels * 1_000_000)


LARGEST = PhotoLimits(1 << 30, 200_000_000)
"""As large as the settings allow at most: for photos that a person named in a manifest. What is gathered into one,
checked or split is held to the settings themselves."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a picture becomes a model's input; a model folder carries its own.

    ``size`` is the side in pixels of the square the model reads, ``fit`` how a picture gets there: ``stretch`` keeps
    the whole garment and gives up its proportions, ``crop`` keeps the proportions and cuts the longer side. ``mean``
    and ``std`` are per channel, on RGB in 0..1. ``close_up`` in 0..1 asks for a second view, mirrored, of the middle of
    the picture: that share of its height and width; 1 is the whole picture mirrored, 0 no second view.
    """

    size: int
    fit: Fit
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    close_up: float = 0.0

    def to_json(self) -> dict[str, Any]:
        sides = {"size": self.size, "fit": self.fit, "close_up": self.close_up}
        return sides | {"mean": list(self.mean), "std": list(self.std)}

    @classmethod
    def from_json(cls, document: Any) -> Self:
        """Read what :meth:`to_json` wrote; raises :class:`ArtifactError` where it does not fit."""
        try:
            size, fit = int(document["size"]), document["fit"]
            mean, std = tuple(map(float, document["mean"])), tuple(map(float, document["std"]))
            close_up = float(document["close_up"])
        except (KeyError, TypeError, ValueError) as error:
            raise ArtifactError(
                "The preprocessing in the model folder cannot be read.", "Export the model again."
            ) from error
        if fit not in ("stretch", "crop") or not 16 <= size <= 4096 or not 0 <= close_up <= 1:
            raise ArtifactError("The preprocessing in the model folder makes no sense.", "Export the model again.")
        if len(mean) != 3 or len(std) != 3 or min(std) <= 0:
            raise ArtifactError("The preprocessing in the model folder makes no sense.", "Export the model again.")
        return cls(size, fit, mean, std, close_up)


def read_photo_bytes(path: Path, limits: PhotoLimits) -> bytes:
    """A photo file: at most one byte more than the limit, which is enough to refuse it. Raises :class:`PhotoError`."""
    try:
        with path.open("rb") as file:
            return file.read(limits.max_bytes + 1)
    except OSError as error:
        raise PhotoError(
            f"The file cannot be read: {error.strerror}.", "Check its path and its permissions."
        ) from error


def read_photo(path: Path, limits: PhotoLimits | None = None, *, at_least: int = 0) -> Image.Image:
    """The photo in a file, as :func:`decode_photo` gives it; its errors name the file."""
    limits = limits or PhotoLimits()
    try:
        return decode_photo(read_photo_bytes(path, limits), limits, at_least=at_least)
    except PhotoError as error:
        raise type(error)(f"{path}: {error.message}", error.hint) from error


def decode_photo(data: bytes, limits: PhotoLimits | None = None, *, at_least: int = 0) -> Image.Image:
    """Decode bytes from outside into an upright RGB picture without any metadata.

    The first frame of an animation; EXIF orientation applied; CMYK, 16-bit and palettes converted; transparency laid
    on white; colours in sRGB, as the photo's profile means them. ``at_least`` > 0 lets a large photo be divided by 2,
    4, 8, ... as long as both sides keep that many pixels: a JPEG then unpacks a part of its numbers only, and nothing
    of the photo's full size is kept. Whatever a model reads is decoded at least at :data:`READ_SIDE`, learned from or
    asked. Photos that are decoded at the same time share a budget of pixels.

    Raises :class:`PhotoTooLargeError`, :class:`PhotoTypeError` or :class:`PhotoError`.
    """
    limits = limits or PhotoLimits()
    if not data:
        raise PhotoError("The photo is empty.", "Choose another file.")
    if len(data) > limits.max_bytes:
        raise PhotoTooLargeError(
            f"The photo is larger than {limits.max_bytes / 1024 / 1024:.0f} MB.", "Choose a smaller one."
        )
    if _is_rare(data):
        return Image.frombuffer("RGB", *decode_apart(data, limits.max_pixels, at_least, _BUDGET.lend))
    return decode_here(data, limits, at_least, _BUDGET.lend)


def _is_rare(data: bytes) -> bool:
    return data[4:8] == b"ftyp" or data.startswith(_RARE)


def decode_here(data: bytes, limits: PhotoLimits, at_least: int, lend: Lend) -> Image.Image:
    """Decode a photo of any format in this process, once ``lend`` lends its pixels; :func:`decode_photo` but for the
    limit on bytes."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of odd but harmless EXIF and of bombs; the pixel limit below is the one that counts.
            warnings.simplefilter("ignore")
            return _decode(data, limits, at_least, lend)
    except UnidentifiedImageError as error:
        raise PhotoTypeError("This file is not a photo that can be read.", ACCEPTED) from error
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(limits) from error
    except PhotoError:
        raise
    except Exception as error:
        raise PhotoError("The photo is damaged or incomplete.", "Choose another one, or save it again.") from error


def _decode(data: bytes, limits: PhotoLimits, at_least: int, lend: Lend) -> Image.Image:
    with _open(data) as photo:
        if photo.format == "JPEG" and count_scans(data) > MAX_SCANS:
            raise PhotoError(f"The photo has more than {MAX_SCANS} scans.", "Save it again with another program.")
        try:
            return _load(photo, limits, at_least, lend)
        except OSError:
            if photo.format != "JPEG" or not _lacks_the_end_mark_only(data, lend):
                raise
    with _open(data.rstrip(b"\xff") + _END_MARK) as photo:
        return _load(photo, limits, at_least, lend)


def _lacks_the_end_mark_only(jpeg: bytes, lend: Lend) -> bool:
    """Whether all pixels of a JPEG are there. Where some are missing, what follows in their place shows in the
    picture."""
    shown = set()
    for filling in (b"", b"\x55" * 4096):
        with _open(jpeg.rstrip(b"\xff") + filling + _END_MARK) as photo, lend(photo.width * photo.height):
            photo.load()
            shown.add(hashlib.sha256(photo.tobytes()).digest())
    return len(shown) == 1


def _open(data: bytes) -> Image.Image:
    """Pillow's view of a photo, nothing decoded yet."""
    if not is_high_efficiency(data):
        return Image.open(io.BytesIO(pixels_only(data)), formats=RARE_FORMATS if _is_rare(data) else FORMATS)
    from pi_heif import register_heif_opener  # a library that most never need

    register_heif_opener()
    return Image.open(io.BytesIO(data), formats=("HEIF",))


def _load(photo: Image.Image, limits: PhotoLimits, at_least: int, lend: Lend) -> Image.Image:
    width, height = photo.size
    if width * height > limits.max_pixels:
        raise _too_many_pixels(limits)
    if max(width, height) > MAX_SIDE:
        raise PhotoTooLargeError(f"The photo is more than {MAX_SIDE:,} pixels wide or high.", "Choose a smaller one.")
    if min(width, height) < 1:
        raise PhotoError("The photo has no pixels.", "Choose another one.")
    factor = _fraction(photo.size, at_least)
    if factor > 1 and photo.format == "JPEG":
        photo.draft("RGB" if photo.mode != "CMYK" else "CMYK", (width // factor, height // factor))
        factor = _fraction(photo.size, at_least)
    with lend(_weight(photo)):
        photo.load()
        turn = _TURNS.get(_orientation(photo))
        picture = to_rgb(photo, factor)
        return picture if turn is None else picture.transpose(turn)


def _weight(photo: Image.Image) -> int:
    """Pixels that a photo takes of the budget: WebP's decoder keeps two pictures of its own beside what it gives."""
    return photo.width * photo.height * (2 if photo.format == "WEBP" else 1)


def _fraction(size: tuple[int, int], at_least: int) -> int:
    """The power of two by which both sides may be divided and keep ``at_least`` pixels."""
    times = min(size) // at_least if at_least else 1
    return 1 << max(0, times.bit_length() - 1)


def _orientation(photo: Image.Image) -> int:
    """How the camera was held, 1 to 8; nothing else of EXIF is read, and a broken one says nothing."""
    try:
        return int(photo.getexif().get(_ORIENTATION, 1))
    except Exception:  # noqa: BLE001 - whatever is wrong with metadata, the pixels are sound
        return 1


def _too_many_pixels(limits: PhotoLimits) -> PhotoTooLargeError:
    return PhotoTooLargeError(
        f"The photo has more than {limits.max_pixels / 1e6:.0f} million pixels.", "Choose a smaller one."
    )


def to_square(photo: Image.Image, size: int, fit: Fit) -> Image.Image:
    """A ``size`` x ``size`` picture of an RGB picture, by an antialiased bilinear filter."""
    if fit == "crop":
        return ImageOps.fit(photo, (size, size), Image.Resampling.BILINEAR)
    return photo.resize((size, size), Image.Resampling.BILINEAR)


def to_views(photo: Image.Image, size: int, fit: Fit, close_up: float) -> list[Image.Image]:
    """The ``size`` x ``size`` pictures in which a model sees an RGB picture: the whole one, and a mirrored close-up of
    ``close_up`` of its sides where that is not 0."""
    whole = to_square(photo, size, fit)
    if not close_up:
        return [whole]
    width, height = photo.size if fit == "stretch" else (min(photo.size), min(photo.size))
    across, down = width * close_up / 2, height * close_up / 2
    x, y = photo.width / 2, photo.height / 2
    box = (x - across, y - down, x + across, y + down)
    near = photo.resize((size, size), Image.Resampling.BILINEAR, box=box)
    return [whole, near.transpose(Image.Transpose.FLIP_LEFT_RIGHT)]


def to_input(photo: Image.Image, preprocessing: Preprocessing) -> FloatArray:
    """The views of an RGB picture as float32 of shape (views, 3, size, size), normalised as ``preprocessing`` says."""
    p = preprocessing
    pixels = np.stack([np.asarray(view) for view in to_views(photo, p.size, p.fit, p.close_up)])
    mean = np.asarray(p.mean, dtype=np.float32) * np.float32(255)
    std = np.asarray(p.std, dtype=np.float32) * np.float32(255)
    # In place and channel by channel: half the time of one expression over (size, size, 3), to the same bits.
    values = pixels.transpose(0, 3, 1, 2).astype(np.float32, order="C")
    values -= mean[:, None, None]
    values /= std[:, None, None]
    return values


def cut(photo: Image.Image, box: Box) -> Image.Image:
    """What is in a box (x, y, width, height, as shares of the picture), at least a pixel each way."""
    x, y, width, height = box
    left, top = min(int(x * photo.width), photo.width - 1), min(int(y * photo.height), photo.height - 1)
    right = min(photo.width, max(left + 1, round((x + width) * photo.width)))
    bottom = min(photo.height, max(top + 1, round((y + height) * photo.height)))
    return photo.crop((left, top, right, bottom))


def map_picture(groups: npt.NDArray[np.uint8], size: tuple[int, int]) -> Image.Image:
    """A map of group numbers (h, w) as a picture of ``size`` (width, height) whose values are the numbers, each shown
    in a colour of its own."""
    picture = Image.fromarray(groups).resize(size, Image.Resampling.NEAREST).convert("P")
    picture.putpalette([channel for colour in _GROUP_COLOURS for channel in colour])
    return picture


def encode_jpeg(photo: Image.Image, *, max_side: int, quality: int = 85) -> bytes:
    """A fresh JPEG without metadata, the longer side at most ``max_side`` pixels."""
    return _encode(photo, max_side, "JPEG", quality=quality, optimize=True)


def encode_webp(photo: Image.Image, *, max_side: int, quality: int = 82) -> bytes:
    """A fresh WebP without metadata, the longer side at most ``max_side`` pixels."""
    return _encode(photo, max_side, "WEBP", quality=quality, method=2)


def _encode(photo: Image.Image, max_side: int, kind: str, **options: Any) -> bytes:
    small = photo.copy()
    small.thumbnail((max_side, max_side), Image.Resampling.LANCZOS)
    out = io.BytesIO()
    small.save(out, kind, **options)
    return out.getvalue()


def focus_overlay(photo: Image.Image, focus: FloatArray) -> Image.Image:
    """Lay a class-activation map (h, w), values 0..1, over a picture: warm where the model looked, dim elsewhere."""
    if focus.ndim != 2:
        raise ValueError(f"expected a map of shape (h, w), got {focus.shape}")
    grey = Image.fromarray((np.clip(focus, 0, 1) * 255).astype(np.uint8))
    weight = np.asarray(grey.resize(photo.size, Image.Resampling.BICUBIC), dtype=np.float32)[..., None] / 255
    pixels = np.asarray(photo.convert("RGB"), dtype=np.float32)
    warm = np.array([255.0, 96.0, 32.0], dtype=np.float32)
    dimmed = pixels * (0.45 + 0.55 * weight)
    mixed = dimmed * (1 - 0.45 * weight) + warm * (0.45 * weight)
    return Image.fromarray(np.clip(mixed, 0, 255).astype(np.uint8))
