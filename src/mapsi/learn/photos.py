"""Photos for training: decoded once into one memory-mapped array, augmented on the fly."""

from __future__ import annotations

import errno
import hashlib
import math
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from PIL.Image import Image
from scipy import ndimage
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.transforms.v2 import functional as tvf

from mapsi.arrays import UInt8Array
from mapsi.artifacts import atomic_file
from mapsi.dataset.photos import Sample
from mapsi.errors import PhotoError
from mapsi.imaging import LARGEST, READ_SIDE, Fit, read_photo, to_square, to_views

STORE_SIDE = 192
Augmentation = Literal["none", "crop", "strong"]
FIT: Fit = "stretch"


def open_store(samples: Sequence[Sample], folder: Path, side: int = STORE_SIDE) -> UInt8Array:
    """All photos as uint8 of shape (n, side, side, 3), decoded once and then mapped from ``folder``.

    The file is named after the paths, their sizes and times, so that a changed photo is decoded again. Raises
    :class:`PhotoError`, naming the photo, for one that cannot be read, and :class:`OSError` where the disk is full.
    """
    key = hashlib.sha256(f"{side} {FIT}".encode())
    for sample in samples:
        stat = sample.path.stat()
        key.update(f"{sample.path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    file = folder / f"photos-{key.hexdigest()[:16]}.npy"
    if not file.exists():
        with atomic_file(file) as beside:
            shape = (len(samples), side, side, 3)
            _reserve(beside, math.prod(shape))
            store = np.lib.format.open_memmap(beside, mode="w+", dtype=np.uint8, shape=shape)
            for i, sample in enumerate(samples):
                store[i] = read_square(sample.path, side, at_least=2 * side)
            store.flush()
    mapped: UInt8Array = np.load(file, mmap_mode="r")
    return mapped


def _reserve(file: Path, size: int) -> None:
    """Raises :class:`OSError` where the disk has no room: a mapped file would end the program without a word."""
    free = shutil.disk_usage(file.parent).free
    if free < size:
        raise OSError(errno.ENOSPC, f"the photos need {size / 1e6:,.0f} MB there, and {free / 1e6:,.0f} MB are free")


def read_square(path: Path, side: int, *, at_least: int = READ_SIDE) -> UInt8Array:
    """A photo as uint8 (side, side, 3), as serving reads it; ``at_least`` as in :func:`decode_photo`, faster and a little
    different. Raises :class:`PhotoError`, naming the photo."""
    return np.asarray(to_square(_decode(path, at_least), side, FIT))


def read_views(path: Path, side: int, close_up: float) -> UInt8Array:
    """The views of a photo as uint8 (views, side, side, 3), as serving reads it. Raises :class:`PhotoError`, naming it."""
    return np.stack([np.asarray(view) for view in to_views(_decode(path), side, FIT, close_up)])


def _decode(path: Path, at_least: int = READ_SIDE) -> Image:
    try:
        return read_photo(path, LARGEST, at_least=at_least)
    except PhotoError as error:
        raise PhotoError(error.message, "Take it out of the manifest, or put it right.") from error


def background_mask(pixels: UInt8Array) -> npt.NDArray[np.bool_]:
    """Where a photo (h, w, 3) is pure white or pure black from the border inwards: (h, w), all false if that is little.

    Product photos stand on white, some sources mask people's backgrounds black; both would give the class away.
    """
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    low, high = np.minimum(np.minimum(red, green), blue), np.maximum(np.maximum(red, green), blue)
    mask = np.zeros(low.shape, dtype=np.bool_)
    for candidate in (low >= 243, high <= 12):
        regions, _ = ndimage.label(candidate)
        border = np.unique(np.concatenate([regions[0], regions[-1], regions[:, 0], regions[:, -1]]))
        mask |= np.isin(regions, border[border > 0])
    if mask.mean() < 0.1:
        return np.zeros_like(mask)
    return mask


class TrainingPhotos(Dataset[tuple[Tensor, int]]):
    """Augmented photos of one size, each with its number: (uint8 (3, size, size), index).

    ``numbers`` are the rows of ``store`` that are trained on. The generator is seeded by (seed, epoch, index), so that
    an epoch is the same in any number of worker processes and after a resume.
    """

    def __init__(
        self,
        store: UInt8Array,
        numbers: Sequence[int],
        size: int,
        seed: int,
        epoch: int,
        augmentation: Augmentation = "strong",
    ) -> None:
        self.store = store
        self.numbers = list(numbers)
        self.size = size
        self.seed = seed
        self.epoch = epoch
        self.augmentation = augmentation

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, i: int) -> tuple[Tensor, int]:
        number = self.numbers[i]
        rng = np.random.default_rng((self.seed, self.epoch, number))
        pixels = np.array(self.store[number])
        if self.augmentation == "strong" and rng.random() < 0.6:
            pixels = self._new_background(pixels, rng)
        photo = torch.from_numpy(pixels).permute(2, 0, 1)
        if self.augmentation == "none":
            return tvf.resize(photo, [self.size, self.size], antialias=True), number
        if self.augmentation == "crop":
            return crop_and_flip(photo, self.size, rng, 0.08), number
        return augment(photo, self.size, rng), number

    def _new_background(self, pixels: UInt8Array, rng: np.random.Generator) -> UInt8Array:
        mask = background_mask(pixels)
        if not mask.any():
            return pixels
        if rng.random() < 0.5:
            other = np.array(self.store[self.numbers[rng.integers(len(self.numbers))]])
            behind = other[::-1] if rng.random() < 0.5 else other
        else:
            corners = rng.integers(0, 256, (2, 2, 3)).astype(np.float32)
            behind = gradient(corners, pixels.shape[0], pixels.shape[1])
        replaced: UInt8Array = np.where(mask[..., None], behind, pixels)
        return replaced


def gradient(corners: npt.NDArray[np.float32], height: int, width: int) -> UInt8Array:
    """A bilinear gradient between four colours, (2, 2, 3) -> uint8 (height, width, 3)."""
    y = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    x = np.linspace(0, 1, width, dtype=np.float32)[None, :, None]
    mixed = (corners[0, 0] * (1 - x) + corners[0, 1] * x) * (1 - y) + (corners[1, 0] * (1 - x) + corners[1, 1] * x) * y
    blended: UInt8Array = mixed.astype(np.uint8)
    return blended


def crop_and_flip(photo: Tensor, size: int, rng: np.random.Generator, least: float) -> Tensor:
    """A random crop of ``least`` to all of the area of a uint8 (3, H, W) photo, mirrored by toss: uint8 (3, size, size)."""
    height, width = photo.shape[1:]
    area = rng.uniform(least, 1.0) * height * width
    ratio = np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3)))
    h, w = min(height, round(np.sqrt(area / ratio))), min(width, round(np.sqrt(area * ratio)))
    top, left = rng.integers(0, height - h + 1), rng.integers(0, width - w + 1)
    photo = tvf.resized_crop(photo, int(top), int(left), int(h), int(w), [size, size], antialias=True)
    return tvf.horizontal_flip(photo) if rng.random() < 0.5 else photo


def augment(photo: Tensor, size: int, rng: np.random.Generator) -> Tensor:
    """A random crop, flip, small rotation, light and colour of a uint8 (3, H, W) photo: uint8 (3, size, size)."""
    photo = crop_and_flip(photo, size, rng, 0.35)
    if rng.random() < 0.3:
        photo = tvf.rotate(photo, float(rng.uniform(-15, 15)), interpolation=tvf.InterpolationMode.BILINEAR)
    if rng.random() < 0.8:
        photo = tvf.adjust_brightness(photo, float(rng.uniform(0.65, 1.35)))
        photo = tvf.adjust_contrast(photo, float(rng.uniform(0.7, 1.35)))
        photo = tvf.adjust_saturation(photo, float(rng.uniform(0.6, 1.4)))
    if rng.random() < 0.3:
        photo = tvf.adjust_hue(photo, float(rng.uniform(-0.08, 0.08)))
    if rng.random() < 0.25:
        photo = _erase(photo, rng)
    return photo


def _erase(photo: Tensor, rng: np.random.Generator) -> Tensor:
    """A grey-noise rectangle of 2 to 20 % of the area (random erasing, Zhong et al., 2020)."""
    size = photo.shape[-1]
    h, w = (max(1, int(size * np.sqrt(rng.uniform(0.02, 0.2)))) for _ in range(2))
    top, left = int(rng.integers(0, size - h + 1)), int(rng.integers(0, size - w + 1))
    erased = photo.clone()
    erased[:, top : top + h, left : left + w] = torch.from_numpy(rng.integers(0, 256, (3, h, w), dtype=np.uint8))
    return erased
