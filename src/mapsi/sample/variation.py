"""Any number of drawings: garments of a class in random cuts, colours, patterns and surroundings, to learn from."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from mapsi.errors import UsageError
from mapsi.imaging import encode_jpeg
from mapsi.progress import Advance, no_advance
from mapsi.sample.cloth.lighting import Scene
from mapsi.sample.cloth.palette import BACKGROUNDS, brightness, mix
from mapsi.sample.drawing import Spec, draw
from mapsi.sample.recipes import GARMENTS, Rng, any_color, chance, pick


def surroundings(rng: Rng) -> Scene:
    """A random ground, light, turn and place; mostly pale, sometimes a strong or dark ground."""
    background = (
        pick(rng, BACKGROUNDS) if chance(rng, 0.6) else mix(any_color(rng), "#ffffff", float(rng.uniform(0, 0.6)))
    )
    shift = (float(rng.uniform(-16, 16)), float(rng.uniform(-20, 20)))
    return Scene(background, float(rng.normal(0, 6)), float(rng.uniform(0.8, 1.12)), shift, float(rng.uniform(60, 140)))


def vary(garment: str, rng: Rng) -> Spec:
    """A random specification of class ``garment``."""
    cut, fabric, options = GARMENTS[garment](rng)
    spec = Spec(cut, fabric, options, surroundings(rng), int(rng.integers(2**32)))
    if brightness(spec.scene.background) < brightness(fabric.color) + 0.04 and brightness(fabric.color) < 0.25:
        spec = replace(spec, scene=replace(spec.scene, background=pick(rng, BACKGROUNDS)))
    return spec


def write_drawings(folder: Path, per_class: int, seed: int, progress: Advance = no_advance) -> int:
    """Write ``CLASS/*.jpg`` of random drawings, 256 by 320 pixels, for the ten classes of the axis ``garment``.

    ``progress`` is told of each picture. The same ``seed`` writes the same pictures, and a larger
    ``per_class`` adds to them. Returns how many were written.
    """
    if per_class < 1:
        raise UsageError("At least one drawing a class is needed.", "Ask for a number from 1 up.")
    done = 0
    for index, garment in enumerate(GARMENTS):
        (folder / garment).mkdir(parents=True, exist_ok=True)
        for number in range(per_class):
            rng = np.random.default_rng((seed, index, number))
            picture = draw(vary(garment, rng), width=256, oversample=1.0)
            path = folder / garment / f"drawn-{seed}-{number:04d}.jpg"
            path.write_bytes(encode_jpeg(picture, max_side=320, quality=90))
            done += 1
            progress(1)
    return done
