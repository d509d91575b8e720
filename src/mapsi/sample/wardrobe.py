"""The words of ``lines.toml`` made into blocks, legs, fronts and cloths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mapsi.errors import ArtifactError
from mapsi.sample.cloth.fabrics import Fabric
from mapsi.sample.cloth.palette import COLORS
from mapsi.sample.garments.knits import CARDIGAN, SWEATER
from mapsi.sample.garments.lapels import Front
from mapsi.sample.garments.legs import CUTS
from mapsi.sample.garments.shirts import BLOUSE, SHIRT
from mapsi.sample.garments.skirts import SKIRTS
from mapsi.sample.garments.tees import TEE

BLOCKS = {
    "over-tee": replace(
        TEE,
        shoulder=146.0,
        slope=36.0,
        chest=140.0,
        waist=140.0,
        hem=140.0,
        armhole=112.0,
        sleeve=56.0,
        spread=30.0,
        cuff=46.0,
        length=420.0,
    ),
    "long-tee": replace(TEE, sleeve=276.0, spread=15.0, cuff=24.0),
    "over-sweater": replace(
        SWEATER, shoulder=138.0, slope=38.0, chest=138.0, waist=140.0, hem=130.0, sleeve=252.0, spread=11.0, cuff=32.0
    ),
    "slim-sweater": replace(SWEATER, shoulder=106.0, chest=106.0, waist=98.0, hem=98.0, cuff=23.0),
    "over-shirt": replace(
        SHIRT, shoulder=138.0, slope=36.0, chest=138.0, waist=138.0, hem=139.0, sleeve=274.0, spread=10.0, cuff=30.0
    ),
    "slim-shirt": replace(SHIRT, shoulder=112.0, chest=110.0, waist=100.0, hem=108.0),
    "short-shirt": replace(SHIRT, sleeve=70.0, spread=38.0, cuff=41.0),
    "short-blouse": replace(BLOUSE, sleeve=60.0, spread=38.0, cuff=38.0),
    "wide-cardigan": replace(
        CARDIGAN, shoulder=130.0, slope=36.0, chest=132.0, waist=132.0, hem=128.0, sleeve=262.0, cuff=31.0, spread=12.0
    ),
    "slim-cardigan": replace(
        CARDIGAN, shoulder=104.0, chest=103.0, waist=97.0, hem=98.0, length=360.0, cuff=23.0, neck_depth=150.0
    ),
    "long-cardigan": replace(
        CARDIGAN,
        top=50.0,
        shoulder=104.0,
        chest=104.0,
        waist=104.0,
        hem=108.0,
        length=490.0,
        sleeve=270.0,
        neck_depth=176.0,
    ),
    "crop-cardigan": replace(
        CARDIGAN,
        top=110.0,
        shoulder=108.0,
        chest=108.0,
        waist=106.0,
        hem=103.0,
        length=320.0,
        neck_depth=38.0,
        v_neck=False,
        cuff=25.0,
    ),
}
LEGS = {**CUTS, "palazzo": replace(CUTS["wide"], hem=80.0, knee=68.0, gap=2.0)}
FRONTS = {
    "double": Front(overlap=34, rows=2, peak=True, count=3, round_off=8),
    "trench": Front(overlap=34, rows=2, count=3, round_off=4, lapel=46, spacing=72),
}
_CLOTHS = ("rib", "trim", "tie", "shirt", "second", "sleeves", "brim")
_NAMED: dict[str, Mapping[str, Any]] = {"block": BLOCKS, "leg": LEGS, "cut": SKIRTS, "front": FRONTS}


def color(name: str) -> str:
    """The hex of a palette colour; raises :class:`ArtifactError` for a name that it lacks."""
    try:
        return COLORS[name].hex
    except KeyError:
        raise ArtifactError(
            f"The sample shop names an unknown colour {name!r}.", f"There are: {', '.join(COLORS)}."
        ) from None


def cloth(text: str) -> Fabric:
    """``ground weave [pattern accent ...]`` as a fabric."""
    ground, weave, *rest = text.split()
    pattern, *accents = rest or [""]
    return Fabric(color(ground), weave, pattern, tuple(color(name) for name in accents))


def option(key: str, value: Any) -> Any:
    """One option of a line as its cut's function takes it."""
    if key in _NAMED:
        return _NAMED[key][value]
    if key in _CLOTHS:
        return cloth(value)
    if isinstance(value, list):
        return tuple(color(name) for name in value)
    return COLORS[value].hex if isinstance(value, str) and value in COLORS else value


def options(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: option(key, value) for key, value in table.items()}
