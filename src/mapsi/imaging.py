"""Bytes from strangers -> a safe RGB picture -> the float32 array a model reads.

The same code serves training, indexing and answering, so that what was learned is what is asked. Owns Pillow.
"""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps, UnidentifiedImageError

from mapsi.errors import ArtifactError, PhotoError, PhotoTooLargeError, PhotoTypeError
from mapsi.settings import Settings

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
"""Decoders that bytes from outside may reach; every other one stays shut (``references/safety.md``)."""

_GROUP_COLOURS = (
    (245, 244, 240), (31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40), (148, 103, 189), (140, 86, 75),
    (227, 119, 194), (199, 176, 153),
)  # fmt: skip

FloatArray = npt.NDArray[np.float32]
Fit = Literal["stretch", "crop"]

_TAKEN = "JPEG, PNG, WebP, GIF, BMP and TIFF pictures are taken."


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
"""As large as the settings allow at most: for photos that a person named in a manifest. What is gathered into one, checked or
split is held to the settings themselves."""


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """How a picture becomes a model's input; a model folder carries its own.

    ``size`` is the side in pixels of the square the model reads, ``fit`` how a picture gets there: ``stretch`` keeps the
    whole garment and gives up its proportions, ``crop`` keeps the proportions and cuts the longer side. ``mean`` and
    ``std`` are per channel, on RGB in 0..1. ``close_up`` in 0..1 asks for a second view, mirrored, of the middle of the
    picture: that share of its height and width; 1 is the whole picture mirrored, 0 no second view.
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


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a photo: its left upper corner, width and height as shares of the photo, 0..1.

    Raises ``ValueError`` where it has no area or reaches out of the photo.
    """

    x: float
    y: float
    width: float
    height: float

    def __post_init__(self) -> None:
        inside = self.x >= 0 and self.y >= 0 and self.x + self.width <= 1 + 1e-6 and self.y + self.height <= 1 + 1e-6
        if not (inside and self.width > 0 and self.height > 0):
            raise ValueError(f"not a part of a photo: {self}")

    def cut(self, photo: Image.Image) -> Image.Image:
        """This part of ``photo``, at least a pixel wide and high."""
        left, top = (
            min(round(self.x * photo.width), photo.width - 1),
            min(round(self.y * photo.height), photo.height - 1),
        )
        right = max(left + 1, round((self.x + self.width) * photo.width))
        bottom = max(top + 1, round((self.y + self.height) * photo.height))
        return photo.crop((left, top, min(right, photo.width), min(bottom, photo.height)))


def decode_photo(data: bytes, limits: PhotoLimits | None = None, *, at_least: int = 0) -> Image.Image:
    """Decode bytes from outside into an upright RGB picture without any metadata.

    The first frame of an animation; EXIF orientation applied; CMYK, 16-bit and palettes converted; transparency laid
    on white. ``at_least`` > 0 lets a large JPEG be decoded at a fraction of its size, both sides keeping at least that
    many pixels: twice as fast (6.3 against 11.8 ms at 900x1200), at the price of another antialiasing. What is
    learned from is decoded so, at twice its stored side; serving and measuring do without.

    Raises :class:`PhotoTooLargeError`, :class:`PhotoTypeError` or :class:`PhotoError`.
    """
    limits = limits or PhotoLimits()
    if not data:
        raise PhotoError("The photo is empty.", "Choose another file.")
    if len(data) > limits.max_bytes:
        raise PhotoTooLargeError(
            f"The photo is larger than {limits.max_bytes / 1024 / 1024:.0f} MB.", "Choose a smaller one."
        )
    try:
        with warnings.catch_warnings():
            # Pillow warns of odd but harmless EXIF and of bombs; the pixel limit below is the one that counts.
            warnings.simplefilter("ignore")
            with Image.open(io.BytesIO(data), formats=FORMATS) as photo:
                return _load(photo, limits, at_least)
    except UnidentifiedImageError as error:
        raise PhotoTypeError("This file is not a photo that can be read.", _TAKEN) from error
    except Image.DecompressionBombError as error:
        raise _too_many_pixels(limits) from error
    except PhotoError:
        raise
    except Exception as error:
        raise PhotoError("The photo is damaged or incomplete.", "Choose another one, or save it again.") from error


def _load(photo: Image.Image, limits: PhotoLimits, at_least: int) -> Image.Image:
    width, height = photo.size
    if width * height > limits.max_pixels:
        raise _too_many_pixels(limits)
    if min(width, height) < 1:
        raise PhotoError("The photo has no pixels.", "Choose another one.")
    if at_least and photo.format in ("JPEG", "MPO"):
        photo.draft("RGB" if photo.mode != "CMYK" else "CMYK", (at_least, at_least))
    photo.load()
    upright = ImageOps.exif_transpose(photo)
    return _to_rgb(upright)


def _to_rgb(photo: Image.Image) -> Image.Image:
    if photo.mode.startswith("I;16") or photo.mode in ("I", "F"):
        return _sixteen_bit_to_rgb(photo)
    if photo.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in photo.info:
        layered = photo.convert("RGBA")
        white = Image.new("RGB", layered.size, (255, 255, 255))
        white.paste(layered, mask=layered.getchannel("A"))
        return white
    return _without_metadata(photo.convert("RGB"))


def _sixteen_bit_to_rgb(photo: Image.Image) -> Image.Image:
    values = np.asarray(photo)
    if values.dtype == np.uint16:
        grey = (values >> 8).astype(np.uint8)
    else:
        top = 255.0 if values.max(initial=0) <= 255 else 65535.0
        grey = np.clip(values * np.float32(255.0 / top), 0, 255).astype(np.uint8)
    return Image.fromarray(grey).convert("RGB")


def _without_metadata(photo: Image.Image) -> Image.Image:
    clean = photo.copy()
    clean.info = {}
    return clean


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


def cut(photo: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    """What is in a box (x, y, width, height, as shares of the picture), at least a pixel each way."""
    x, y, width, height = box
    left, top = min(int(x * photo.width), photo.width - 1), min(int(y * photo.height), photo.height - 1)
    right = min(photo.width, max(left + 1, round((x + width) * photo.width)))
    bottom = min(photo.height, max(top + 1, round((y + height) * photo.height)))
    return photo.crop((left, top, right, bottom))


def map_picture(groups: npt.NDArray[np.uint8], size: tuple[int, int]) -> Image.Image:
    """A map of group numbers (h, w) as a picture of ``size`` (width, height) whose values are the numbers, each shown in a
    colour of its own."""
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
