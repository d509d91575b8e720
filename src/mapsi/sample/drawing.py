"""A picture from a specification: the same specification always gives the same picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from PIL import Image

from mapsi.sample.cloth.fabrics import Fabric
from mapsi.sample.cloth.lighting import HEIGHT, WIDTH, Scene, illuminate
from mapsi.sample.cloth.sheet import Sheet
from mapsi.sample.garments.bottoms import lay_jeans, lay_joggers, lay_shorts, lay_trousers
from mapsi.sample.garments.hats import lay_beanie, lay_beret, lay_brimmed, lay_bucket, lay_cap
from mapsi.sample.garments.jackets import lay_blazer, lay_coat, lay_suit, lay_waistcoat
from mapsi.sample.garments.knits import lay_cardigan, lay_hoodie, lay_sweater
from mapsi.sample.garments.outerwear import lay_biker, lay_bomber, lay_denim_jacket
from mapsi.sample.garments.quilted import lay_puffer
from mapsi.sample.garments.shells import lay_shell
from mapsi.sample.garments.shirts import lay_blouse, lay_shirt
from mapsi.sample.garments.shoes import lay_pair
from mapsi.sample.garments.skirts import lay_dress, lay_skirt
from mapsi.sample.garments.tees import lay_tee

CUTTERS: dict[str, Callable[..., Any]] = {
    "tee": lay_tee,
    "sweater": lay_sweater,
    "hoodie": lay_hoodie,
    "cardigan": lay_cardigan,
    "shirt": lay_shirt,
    "blouse": lay_blouse,
    "blazer": lay_blazer,
    "coat": lay_coat,
    "suit": lay_suit,
    "waistcoat": lay_waistcoat,
    "biker": lay_biker,
    "bomber": lay_bomber,
    "denim-jacket": lay_denim_jacket,
    "puffer": lay_puffer,
    "shell": lay_shell,
    "trousers": lay_trousers,
    "jeans": lay_jeans,
    "joggers": lay_joggers,
    "shorts": lay_shorts,
    "skirt": lay_skirt,
    "dress": lay_dress,
    "cap": lay_cap,
    "beanie": lay_beanie,
    "bucket": lay_bucket,
    "brimmed": lay_brimmed,
    "beret": lay_beret,
    "shoes": lay_pair,
}
"""What can be drawn: by the name of the cut, the function that lays it on a sheet."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One picture: a cut of :data:`CUTTERS` with its options, a fabric, what lies around it, and a seed for its
    folds."""

    cut: str
    fabric: Fabric
    options: Mapping[str, Any] = field(default_factory=dict)
    scene: Scene = field(default_factory=Scene)
    seed: int = 0


def draw(spec: Spec, *, width: int = WIDTH, oversample: float = 1.25) -> Image.Image:
    """An RGB picture of ``width`` x ``width * 5 / 4`` pixels, computed ``oversample`` times as large.

    Raises :class:`mapsi.errors.ExtraMissingError` where the drawing library is not installed.
    """
    rng = np.random.default_rng(spec.seed)
    sheet = Sheet()
    CUTTERS[spec.cut](sheet, spec.fabric, rng, **spec.options)
    # The raster's height is a whole number of pixels only for widths that 4 divides.
    large = max(round(width * oversample / 4), 8) * 4
    picture = illuminate(sheet, spec.fabric.feel, spec.scene, rng, large)
    return picture.resize((width, width * HEIGHT // WIDTH), Image.Resampling.LANCZOS)
