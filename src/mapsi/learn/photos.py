"""Photos for training: decoded once into one memory-mapped array, augmented on the fly."""

from __future__ import annotations

import errno
import hashlib
import math
import shutil
from collections.abc import Container, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from scipy import ndimage
from torch import Tensor
from torch.utils.data import Dataset

from mapsi.arrays import UInt8Array
from mapsi.artifacts import atomic_file
from mapsi.cores import cores
from mapsi.dataset.photos import Sample
from mapsi.errors import ArtifactError, PhotoError
from mapsi.imaging import LARGEST, READ_SIDE, Box, Fit, cut, read_photo, to_square, to_views
from mapsi.learn.augmentation import MAP_STRIDE, UNKNOWN, augment, crop_and_flip

STORE_SIDE = 192
Augmentation = Literal["none", "crop", "strong"]
FIT: Fit = "stretch"
_LITTLE = 0.1


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
            _fill(store, samples)
            store.flush()
    mapped: UInt8Array = np.load(file, mmap_mode="r")
    return mapped


def _fill(store: UInt8Array, samples: Sequence[Sample]) -> None:
    """Decode each sample into its row, on all cores: the decoders let other threads run."""
    side = store.shape[1]

    def put(row: int) -> None:
        store[row] = read_square(samples[row].path, side, at_least=2 * side, box=samples[row].box)

    with ThreadPoolExecutor(cores()) as pool:
        # The first photo in order that cannot be read is the one that is named, whichever thread met it first.
        for _ in pool.map(put, range(len(samples))):
            pass


def read_masks(samples: Sequence[Sample], side: int, groups: int) -> UInt8Array | None:
    """The masks as uint8 (n, side, side), :data:`UNKNOWN` where a sample has none; ``None`` where no sample has.

    Raises :class:`ArtifactError`, naming the mask, for one that cannot be read or holds a number that is no group's.
    """
    if not any(sample.mask for sample in samples):
        return None
    masks = np.full((len(samples), side, side), UNKNOWN, dtype=np.uint8)
    for i, sample in enumerate(samples):
        if sample.mask is not None:
            masks[i] = read_mask(sample, (side, side), groups)
    return masks


def read_mask(sample: Sample, shape: tuple[int, int], groups: int) -> UInt8Array:
    """A sample's mask as uint8 of ``shape`` (height, width), by nearest neighbour; raises as :func:`read_masks`."""
    assert sample.mask is not None
    try:
        with Image.open(sample.mask, formats=["PNG"]) as picture:
            whole = picture if sample.box is None else cut(picture, sample.box)
            mask = np.asarray(whole.resize(shape[::-1], Image.Resampling.NEAREST), dtype=np.uint8)
    except (OSError, ValueError) as error:
        raise ArtifactError(
            f"The mask {sample.mask} cannot be read: {error}.", "Make it a grey PNG of numbers."
        ) from error
    strange = np.setdiff1d(mask, [*range(groups), UNKNOWN])
    if mask.ndim != 2 or len(strange):
        raise ArtifactError(
            f"The mask {sample.mask} holds {strange[:1].tolist() or 'colours'}, which is not a group.",
            f"Number the groups from 0 to {groups - 1}, and unknown pixels {UNKNOWN}.",
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
        raise PhotoError(error.message, "Remove it from the manifest, or repair it.") from error


def background_mask(pixels: UInt8Array) -> npt.NDArray[np.bool_]:
    """Where a photo (h, w, 3) is pure white or pure black from the border inwards: (h, w), all false if that is little.

    Product photos are on white, some sources mask people's backgrounds black; both would give the class away.
    """
    red, green, blue = pixels[..., 0], pixels[..., 1], pixels[..., 2]
    low, high = np.minimum(np.minimum(red, green), blue), np.maximum(np.maximum(red, green), blue)
    white, black = low >= 243, high <= 12
    mask = np.zeros(low.shape, dtype=np.bool_)
    if (white | black).mean() < _LITTLE:  # Most photos; labelling regions takes longer than all else here.
        return mask
    for candidate in (white, black):
        regions, _ = ndimage.label(candidate)
        border = np.unique(np.concatenate([regions[0], regions[-1], regions[:, 0], regions[:, -1]]))
        mask |= np.isin(regions, border[border > 0])
    if mask.mean() < _LITTLE:
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
        photo, groups = Image.fromarray(pixels), None if mask is None else Image.fromarray(mask)
        if self.augmentation == "none":
            photo = photo.resize((self.size, self.size), Image.Resampling.BILINEAR)
            side = self.size // MAP_STRIDE
            groups = None if groups is None else groups.resize((side, side), Image.Resampling.NEAREST)
        elif self.augmentation == "crop":
            photo, groups = crop_and_flip(photo, groups, self.size, rng, 0.08)
        else:
            photo, groups = augment(photo, groups, self.size, rng, gentle=number in self.gentle)
        told = torch.zeros((0, 0), dtype=torch.uint8) if groups is None else torch.from_numpy(np.array(groups))
        return torch.from_numpy(np.array(photo)).permute(2, 0, 1), told, number

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
    """(h, h) -> (side, side), by nearest neighbour."""
    places = np.arange(side) * len(mask) // side
    return mask[places[:, None], places[None]]
