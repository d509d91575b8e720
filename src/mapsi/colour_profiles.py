"""Colours as a photo's profile means them -> sRGB, which models learn from and screens show."""

from __future__ import annotations

import io
from functools import lru_cache

from PIL import Image, ImageCms

from mapsi.photo_bytes import MAX_PROFILE

_SPACES = {"RGB": "RGB ", "RGBA": "RGB ", "RGBX": "RGB ", "CMYK": "CMYK", "L": "GRAY"}
_KEPT = 8  # a shop's pictures share one or two profiles

Transform = ImageCms.ImageCmsTransform


def to_srgb(strip: Image.Image, profile: bytes) -> Image.Image | None:
    """A picture in sRGB, its transparency kept; ``None`` where its profile is broken, of other colours than the
    picture's, or sRGB itself, so that there is nothing to convert."""
    transform = _transform(profile, strip.mode)
    return None if transform is None else ImageCms.applyTransform(strip, transform)


def lab_to_srgb(strip: Image.Image) -> Image.Image:
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
