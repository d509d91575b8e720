"""Whether a model tells clothes or the background: measured by exchanging flat backgrounds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mapsi.infer import Model
from mapsi.learn.export.backgrounds import BATCH, BackgroundTrial, exchange_background
from mapsi.taxonomy import load_taxonomy
from small_house import write_colour_model

RNG = np.random.default_rng(0)
MANY = BATCH + 3
"""More than are answered at once."""


def _on(colour: int, garment: tuple[int, int, int]) -> np.ndarray:
    pixels = np.full((64, 64, 3), colour, np.uint8)
    pixels[16:48, 16:48] = garment
    return pixels


def test_the_garment_stays_and_the_background_goes() -> None:
    pixels = _on(255, (120, 40, 40))
    exchanged = exchange_background(pixels, RNG)
    assert exchanged is not None
    assert np.array_equal(exchanged[16:48, 16:48], pixels[16:48, 16:48])
    assert (exchanged[:16] != 255).any(axis=-1).mean() > 0.9


def test_a_photo_without_a_flat_background_is_left_out() -> None:
    assert exchange_background(RNG.integers(30, 220, (64, 64, 3), dtype=np.uint8), RNG) is None


def test_a_model_that_looks_at_the_background_is_found_out(tmp_path: Path) -> None:
    """The colour model sees the whole picture: its answers move with the background."""
    model = Model.open(write_colour_model(tmp_path / "model", load_taxonomy()), threads=1)
    flat = [Image.fromarray(_on(255 if number % 2 else 0, tuple(RNG.integers(40, 200, 3)))) for number in range(MANY)]
    grey = Image.fromarray(np.full((64, 64, 3), 120, np.uint8))
    truth = np.arange(MANY) % 10

    def measure(photos: list[Image.Image], **truths: np.ndarray) -> dict[str, dict[str, Any]]:
        trial = BackgroundTrial(model, list(truths), RNG)
        for row, photo in enumerate(photos):
            trial.show(row, photo)
        return trial.figures(truths)

    few = np.where(np.arange(MANY + 1) < 4, 0, -1)
    found = measure([*flat, grey], garment=np.array([*truth, 0]), style=few)
    assert (found["garment"]["n"], found["style"]["n"]) == (MANY, 4)
    assert found["garment"]["same_answer"] < 0.9
    assert measure([grey], garment=np.array([0])) == {}
    assert measure(flat, garment=np.full(MANY, 0), style=np.full(MANY, -1)).keys() == {"garment"}
