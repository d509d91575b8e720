"""Photos for training: decoded once into one memory-mapped array, augmented on the fly."""

from __future__ import annotations

import errno
import hashlib
import math
import shutil
from collections.abc import Container, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from scipy import ndimage
from torch import Tensor
from torch.utils.data import Dataset
from torchvision.transforms.v2 import functional as tvf

from mapsi.arrays import UInt8Array
from mapsi.artifacts import atomic_file
from mapsi.dataset.photos import Sample
from mapsi.errors import ArtifactError, PhotoError
from mapsi.imaging import LARGEST, READ_SIDE, Box, Fit, cut, read_photo, to_square, to_views

STORE_SIDE = 192
UNKNOWN = 255
"""Where a mask does not say what there is."""
Augmentation = Literal["none", "crop", "strong"]
FIT: Fit = "stretch"
MAP_STRIDE = 4
_NEAREST = tvf.InterpolationMode.NEAREST


def open_store(samples: Sequence[Sample], folder: Path, side: int = STORE_SIDE) -> UInt8Array:
    """All photos as uint8 of shape (n, side, side, 3), decoded once and then mapped from ``folder``.

    The file is named after the paths, their sizes and times, so that a changed photo is decoded again. Raises
    :class:`PhotoError`, naming the photo, for one that cannot be read, and :class:`OSError` where the disk is full.
    """
    key = hashlib.sha256(f"{side} {FIT}".encode())
    for sample in samples:
        stat = sample.path.stat()
        key.update(f"{sample.path}\0{stat.st_size}\0{stat.st_mtime_ns}{sample.box or ''}\n".encode())
    file = folder / f"photos-{key.hexdigest()[:16]}.npy"
    if not file.exists():
        with atomic_file(file) as beside:
            shape = (len(samples), side, side, 3)
            _reserve(beside, math.prod(shape))
            store = np.lib.format.open_memmap(beside, mode="w+", dtype=np.uint8, shape=shape)
            for i, sample in enumerate(samples):
                store[i] = read_square(sample.path, side, at_least=2 * side, box=sample.box)
            store.flush()
    mapped: UInt8Array = np.load(file, mmap_mode="r")
    return mapped


def read_masks(samples: Sequence[Sample], side: int, groups: int) -> UInt8Array | None:
    """The masks as uint8 (n, side, side), :data:`UNKNOWN` where a sample has none; ``None`` where no sample has.

    Raises :class:`ArtifactError`, naming the mask, for one that cannot be read or holds a number that is no group's.
    """
    if not any(sample.mask for sample in samples):
        return None
    masks = np.full((len(samples), side, side), UNKNOWN, dtype=np.uint8)
    for i, sample in enumerate(samples):
        if sample.mask is not None:
            masks[i] = _read_mask(sample, side, groups)
    return masks


def _read_mask(sample: Sample, side: int, groups: int) -> UInt8Array:
    assert sample.mask is not None
    try:
        with Image.open(sample.mask, formats=["PNG"]) as picture:
            whole = picture if sample.box is None else cut(picture, sample.box)
            mask = np.asarray(whole.resize((side, side), Image.Resampling.NEAREST), dtype=np.uint8)
    except (OSError, ValueError) as error:
        raise ArtifactError(
            f"The mask {sample.mask} cannot be read: {error}.", "Make it a grey PNG of numbers."
        ) from error
    strange = np.setdiff1d(mask, [*range(groups), UNKNOWN])
    if mask.ndim != 2 or len(strange):
        raise ArtifactError(
            f"The mask {sample.mask} holds {strange[:1].tolist() or 'colours'}, which is no group.",
            f"Number the groups from 0 to {groups - 1}, and what is not known {UNKNOWN}.",
        )
    return mask


def _reserve(file: Path, size: int) -> None:
    """Raises :class:`OSError` where the disk has no room: a mapped file would end the program without a word."""
    free = shutil.disk_usage(file.parent).free
    if free < size:
        raise OSError(errno.ENOSPC, f"the photos need {size / 1e6:,.0f} MB there, and {free / 1e6:,.0f} MB are free")


def read_square(path: Path, side: int, *, at_least: int = READ_SIDE, box: Box | None = None) -> UInt8Array:
    """A photo, or a box of it, as uint8 (side, side, 3), as serving reads it; ``at_least`` as in :func:`decode_photo`,
    faster and a little different. Raises :class:`PhotoError`, naming the photo."""
    return np.asarray(to_square(decode(path, at_least=at_least, box=box), side, FIT))


def read_views(path: Path, side: int, close_up: float, box: Box | None = None) -> UInt8Array:
    """The views of a photo, or of a box of it, as uint8 (views, side, side, 3), as serving reads it. Raises
    :class:`PhotoError`, naming it."""
    return np.stack([np.asarray(view) for view in to_views(decode(path, box=box), side, FIT, close_up)])


def decode(path: Path, *, at_least: int = READ_SIDE, box: Box | None = None) -> Image.Image:
    """A photo file as serving decodes it; raises :class:`PhotoError`, naming the photo."""
    try:
        photo = read_photo(path, LARGEST, at_least=at_least)
        return photo if box is None else cut(photo, box)
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


class TrainingPhotos(Dataset[tuple[Tensor, Tensor, int]]):
    """Augmented photos of one size, each with its mask and its number: uint8 (3, size, size), uint8 (size / 4, size /
    4), index. The mask is empty, (0, 0), where there are no ``masks`` (n, side, side).

    ``numbers`` are the rows of ``store`` that are trained on; those in ``gentle`` keep their colours. The generator is
    seeded by (seed, epoch, index), so that an epoch is the same in any number of worker processes and after a resume.
    """

    def __init__(
        self,
        store: UInt8Array,
        numbers: Sequence[int],
        size: int,
        seed: int,
        epoch: int,
        augmentation: Augmentation = "strong",
        masks: UInt8Array | None = None,
        gentle: Container[int] = (),
    ) -> None:
        self.store = store
        self.numbers = list(numbers)
        self.size = size
        self.seed = seed
        self.epoch = epoch
        self.augmentation = augmentation
        self.masks = masks
        self.gentle = gentle

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, i: int) -> tuple[Tensor, Tensor, int]:
        number = self.numbers[i]
        rng = np.random.default_rng((self.seed, self.epoch, number))
        pixels = np.array(self.store[number])
        mask = None if self.masks is None else self.masks[number]
        if self.augmentation == "strong" and rng.random() < 0.6:
            pixels = self._new_background(pixels, mask, rng)
        photo = torch.from_numpy(pixels).permute(2, 0, 1)
        groups = None if mask is None else torch.from_numpy(np.array(mask))[None]
        if self.augmentation == "none":
            photo = tvf.resize(photo, [self.size, self.size], antialias=True)
        elif self.augmentation == "crop":
            photo, groups = crop_and_flip(photo, groups, self.size, rng, 0.08)
        else:
            photo, groups = augment(photo, groups, self.size, rng, gentle=number in self.gentle)
        if groups is None:
            return photo, torch.zeros((0, 0), dtype=torch.uint8), number
        side = self.size // MAP_STRIDE
        return photo, tvf.resize(groups, [side, side], _NEAREST, antialias=False)[0], number

    def _new_background(self, pixels: UInt8Array, groups: UInt8Array | None, rng: np.random.Generator) -> UInt8Array:
        ground = None if groups is None or not (groups == 0).any() else groups == 0
        mask = background_mask(pixels) if ground is None else _enlarged(ground, pixels.shape[0])
        if not mask.any() or mask.all():
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


def _enlarged(mask: npt.NDArray[np.bool_], side: int) -> npt.NDArray[np.bool_]:
    """(h, h) -> (side, side), each place the nearest one's."""
    places = np.arange(side) * len(mask) // side
    return mask[places[:, None], places[None]]


def crop_and_flip(
    photo: Tensor, groups: Tensor | None, size: int, rng: np.random.Generator, least: float
) -> tuple[Tensor, Tensor | None]:
    """A random crop of ``least`` to all of the area of a uint8 (3, H, W) photo, mirrored by toss: uint8 (3, size,
    size); and the same of its mask (1, h, w), of which the part alone is taken."""
    height, width = photo.shape[1:]
    area = rng.uniform(least, 1.0) * height * width
    ratio = np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3)))
    h, w = min(height, round(np.sqrt(area / ratio))), min(width, round(np.sqrt(area * ratio)))
    top, left = rng.integers(0, height - h + 1), rng.integers(0, width - w + 1)
    photo = tvf.resized_crop(photo, int(top), int(left), int(h), int(w), [size, size], antialias=True)
    if groups is not None:
        finer, side = height / groups.shape[-1], groups.shape[-1]
        box = [int(top / finer), int(left / finer), max(1, round(h / finer)), max(1, round(w / finer))]
        groups = tvf.resized_crop(groups, *box, [side, side], _NEAREST, antialias=False)
    if rng.random() < 0.5:
        return tvf.horizontal_flip(photo), None if groups is None else tvf.horizontal_flip(groups)
    return photo, groups


def augment(
    photo: Tensor, groups: Tensor | None, size: int, rng: np.random.Generator, *, gentle: bool = False
) -> tuple[Tensor, Tensor | None]:
    """A random crop, flip, small rotation, light and colour of a uint8 (3, H, W) photo: uint8 (3, size, size); and the
    same of its mask (1, h, w). A ``gentle`` one keeps most of its area and, within two fifths of that range, its
    colours."""
    photo, groups = crop_and_flip(photo, groups, size, rng, 0.6 if gentle else 0.35)
    if rng.random() < 0.3:
        angle = float(rng.uniform(-15, 15))
        photo = tvf.rotate(photo, angle, interpolation=tvf.InterpolationMode.BILINEAR)
        groups = None if groups is None else tvf.rotate(groups, angle, _NEAREST, fill=[UNKNOWN])
    strength = 0.4 if gentle else 1.0
    if rng.random() < 0.8:
        photo = tvf.adjust_brightness(photo, 1 + strength * float(rng.uniform(-0.35, 0.35)))
        photo = tvf.adjust_contrast(photo, 1 + strength * float(rng.uniform(-0.3, 0.35)))
        photo = tvf.adjust_saturation(photo, 1 + strength * float(rng.uniform(-0.4, 0.4)))
    if not gentle and rng.random() < 0.3:
        photo = tvf.adjust_hue(photo, float(rng.uniform(-0.08, 0.08)))
    if rng.random() < 0.25:
        photo = _erase(photo, rng)
    return photo, groups


def _erase(photo: Tensor, rng: np.random.Generator) -> Tensor:
    """A grey-noise rectangle of 2 to 20 % of the area (random erasing, Zhong et al., 2020)."""
    size = photo.shape[-1]
    h, w = (max(1, int(size * np.sqrt(rng.uniform(0.02, 0.2)))) for _ in range(2))
    top, left = int(rng.integers(0, size - h + 1)), int(rng.integers(0, size - w + 1))
    erased = photo.clone()
    erased[:, top : top + h, left : left + w] = torch.from_numpy(rng.integers(0, 256, (3, h, w), dtype=np.uint8))
    return erased
