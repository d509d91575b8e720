"""Colours as a photo's profile means them -> sRGB, which models learn from and screens show."""

from __future__ import annotations

import io
from functools import lru_cache

import numpy as np
from PIL import Image, ImageCms

from mapsi.photo_bytes import MAX_PROFILE

_SPACES = {"RGB": "RGB ", "RGBA": "RGB ", "RGBX": "RGB ", "CMYK": "CMYK", "L": "GRAY"}
_STRIP = 1 << 20  # pixels that are converted at once
_KEPT = 8  # a shop's pictures share one or two profiles

Transform = ImageCms.ImageCmsTransform


def to_rgb(photo: Image.Image, factor: int) -> Image.Image:
    """An RGB picture without metadata, its sides divided by ``factor``; of one that is RGB already and stays as large,
    the same pixels and no copy of them."""
    profile = photo.info.get("icc_profile") or b""
    if photo.mode == "RGB" and not profile and "transparency" not in photo.info:
        return _without_metadata(photo if factor == 1 else photo.reduce(factor))
    top = _brightest(photo)
    whole = Image.new("RGB", (-(-photo.width // factor), -(-photo.height // factor)))
    rows = max(1, _STRIP // photo.width // factor) * factor
    for y in range(0, photo.height, rows):
        strip = photo.crop((0, y, photo.width, min(photo.height, y + rows)))
        whole.paste(_strip_to_rgb(strip, profile, top).reduce(factor), (0, y // factor))
    return whole


def _strip_to_rgb(strip: Image.Image, profile: bytes, top: float) -> Image.Image:
    if strip.mode.startswith("I;16") or strip.mode in ("I", "F"):
        grey = np.clip(np.asarray(strip).astype(np.float32) * np.float32(255.0 / top), 0, 255)
        strip = Image.fromarray(grey.astype(np.uint8))
    layered = strip.mode in ("RGBA", "LA", "PA", "RGBa", "La") or "transparency" in strip.info
    if layered:
        strip = strip.convert("RGBA")
    elif strip.mode == "LAB":
        strip = _lab_to_srgb(strip)
    elif strip.mode not in ("RGB", "CMYK", "L"):
        strip = strip.convert("RGB")
    strip = (_to_srgb(strip, profile) if profile else None) or strip
    if not layered:
        return strip.convert("RGB")
    white = Image.new("RGB", strip.size, (255, 255, 255))
    white.paste(strip, mask=strip.getchannel("A"))
    return white


def _brightest(photo: Image.Image) -> float:
    """What 16-bit grey calls white: 65535, or 255 in pictures that use no more of it."""
    if photo.mode not in ("I", "F"):
        return 65535.0
    high = photo.getextrema()[1]
    return 255.0 if isinstance(high, int | float) and high <= 255 else 65535.0


def _without_metadata(photo: Image.Image) -> Image.Image:
    clean = Image.new("RGB", (1, 1))
    clean.im = photo.im  # the pixels themselves: a copy of 40 million of them takes 160 MB
    clean._size = photo.size
    return clean


def _to_srgb(strip: Image.Image, profile: bytes) -> Image.Image | None:
    """A picture in sRGB, its transparency kept; ``None`` where its profile is broken, of other colours than the
    picture's, or sRGB itself, so that there is nothing to convert."""
    transform = _transform(profile, strip.mode)
    return None if transform is None else ImageCms.applyTransform(strip, transform)


def _lab_to_srgb(strip: Image.Image) -> Image.Image:
    """A picture of the mode ``LAB`` in sRGB."""
    converted = ImageCms.applyTransform(strip, _lab())
    assert converted is not None  # it is only where the picture is converted in place
    return converted


@lru_cache(maxsize=1)
def _lab() -> Transform:
    lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
    return ImageCms.buildTransform(lab, srgb, "LAB", "RGB")


@lru_cache(maxsize=_KEPT)
def _transform(profile: bytes, mode: str) -> Transform | None:
    if len(profile) > MAX_PROFILE or mode not in _SPACES:
        return None
    try:
        meant = ImageCms.getOpenProfile(io.BytesIO(profile))
        if meant.profile.xcolor_space != _SPACES[mode] or _is_srgb(meant):
            return None
        srgb = ImageCms.createProfile("sRGB")
        return ImageCms.buildTransform(meant, srgb, mode, "RGBA" if mode == "RGBA" else "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


def _is_srgb(profile: ImageCms.ImageCmsProfile) -> bool:
    name = profile.profile.profile_description or ""
    return "srgb" in name.lower() and "linear" not in name.lower()
