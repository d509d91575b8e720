"""Training photos as they might have been taken: what changes, what stays, and what goes along with the mask."""

from __future__ import annotations

import colorsys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mapsi.arrays import UInt8Array
from mapsi.learn.augmentation import MAP_STRIDE, UNKNOWN, augment, colour_matrix, crop_and_flip, recolour

GREYS = np.repeat(np.arange(0, 256, 5, dtype=np.uint8)[None, :, None], 3, axis=2)


def random_photo(side: int = 40) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8))


def halves(side: int = 64) -> tuple[Image.Image, Image.Image]:
    """A photo whose right half is bright, and a mask, half as large, that says 3 there."""
    numbers = np.zeros((side, side), dtype=np.uint8)
    numbers[:, side // 2 :] = 3
    pixels = np.where(numbers[..., None] == 3, 220, 20).astype(np.uint8).repeat(3, axis=2)
    return Image.fromarray(pixels), Image.fromarray(numbers[::2, ::2].copy())


def plain_colours(pixels: UInt8Array, brightness: float, contrast: float, saturation: float) -> UInt8Array:
    """Brighten, stretch about the middle, then pull from grey: a step at a time."""
    values = pixels.astype(np.float64) * brightness
    values = (values - 128) * contrast + 128
    light = (values @ [0.299, 0.587, 0.114])[..., None]
    return np.clip(np.rint((values - light) * saturation + light), 0, 255).astype(np.uint8)


@given(st.floats(0.65, 1.35), st.floats(0.7, 1.35), st.floats(0.6, 1.4))
def test_one_matrix_does_what_three_steps_do(brightness: float, contrast: float, saturation: float) -> None:
    photo = random_photo()
    made = np.asarray(recolour(photo, colour_matrix(brightness, contrast, saturation, 0.0)))
    expected = plain_colours(np.asarray(photo), brightness, contrast, saturation)
    # In a corner of the cube a step may leave it and the next come back, so that order tells.
    assert np.abs(made.astype(int) - expected).max() <= 1


@given(st.floats(-0.08, 0.08))
def test_a_turn_of_hues_leaves_greys_as_they_are(turn: float) -> None:
    turned = np.asarray(recolour(Image.fromarray(GREYS), colour_matrix(1, 1, 1, turn)))
    assert np.abs(turned.astype(int) - GREYS).max() <= 1


@pytest.mark.parametrize("turn", [-0.08, 0.08])
def test_a_turn_of_hues_moves_a_colour_around_the_circle(turn: float) -> None:
    photo = Image.new("RGB", (1, 1), (150, 90, 100))
    red, green, blue = np.asarray(recolour(photo, colour_matrix(1, 1, 1, turn)))[0, 0] / 255
    before = colorsys.rgb_to_hsv(150 / 255, 90 / 255, 100 / 255)[0]
    moved = (colorsys.rgb_to_hsv(red, green, blue)[0] - before + 0.5) % 1 - 0.5
    assert abs(moved) == pytest.approx(0.08, abs=0.03)


@pytest.mark.parametrize("seed", range(12))
def test_a_mask_goes_with_its_photo_through_crop_flip_and_turn(seed: int) -> None:
    photo, mask = halves()
    made, groups = augment(photo, mask, 48, np.random.default_rng(seed))
    assert groups is not None
    assert (made.size, groups.size) == ((48, 48), (48 // MAP_STRIDE, 48 // MAP_STRIDE))
    bright = np.asarray(made.convert("L").resize(groups.size, Image.Resampling.BOX)) > 115
    numbers = np.asarray(groups)
    known = numbers != UNKNOWN
    # What is hidden by noise agrees by chance alone.
    assert ((numbers == 3) == bright)[known].mean() > 0.75


@pytest.mark.parametrize(("gentle", "least"), [(True, 0.6), (False, 0.35)])
def test_a_gentle_crop_keeps_most_of_the_area(gentle: bool, least: float) -> None:
    down, across = np.mgrid[:100, :100].astype(np.uint8) * 2
    photo = Image.fromarray(np.stack([down, across, down], axis=2))
    for seed in range(40):
        rng, same = (np.random.default_rng(seed) for _ in range(2))
        augment(photo, None, 100, rng, gentle=gentle)
        made, _ = crop_and_flip(photo, None, 100, same, least)
        spans = [float(np.ptp(np.asarray(made)[..., channel])) / 198 for channel in (0, 1)]
        assert spans[0] * spans[1] > least - 0.05


def test_colours_of_a_gentle_one_move_two_fifths_as_far() -> None:
    def change(gentle: bool) -> float:
        photo = Image.new("RGB", (32, 32), (120, 140, 90))
        made = (augment(photo, None, 32, np.random.default_rng(seed), gentle=gentle)[0] for seed in range(150))
        return float(np.mean([np.abs(np.median(np.asarray(p), axis=(0, 1)) - (120, 140, 90)).mean() for p in made]))

    assert change(gentle=True) < 0.6 * change(gentle=False)
