"""What a random garment of each class consists of: cut, fabric and options."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np

from mapsi.sample.cloth.fabrics import Fabric
from mapsi.sample.cloth.palette import COLORS, brightness
from mapsi.sample.garments.knits import SWEATER
from mapsi.sample.garments.lapels import Front
from mapsi.sample.garments.legs import CUTS
from mapsi.sample.garments.shirts import BLOUSE, SHIRT
from mapsi.sample.garments.skirts import SKIRTS
from mapsi.sample.garments.tees import TEE
from mapsi.sample.garments.tops import Block

Rng = np.random.Generator


T = TypeVar("T")


Recipe = tuple[str, Fabric, dict[str, Any]]
"""The name of a cut, its cloth, and the options of the cut's function."""

CHECKS = ("gingham", "tartan", "buffalo", "windowpane", "tattersall", "glen")


STRIPES = ("stripes", "wide-stripes", "pinstripe")


PRINTS = ("floral", "ditsy", "dots", "brush")


NEUTRALS = (
    "white",
    "ivory",
    "oatmeal",
    "sand",
    "beige",
    "brown",
    "black",
    "charcoal",
    "grey",
    "melange",
    "navy",
    "olive",
    "khaki",
)


LEATHERS = ("black", "black", "chocolate", "brown", "tan", "burgundy", "white", "ivory")

DENIMS = ("denim", "indigo", "lightblue", "black", "white", "navy")


def pick(rng: Rng, options: Sequence[T]) -> T:
    return options[int(rng.integers(len(options)))]


def chance(rng: Rng, share: float) -> bool:
    return bool(rng.random() < share)


def any_color(rng: Rng) -> str:
    return pick(rng, tuple(COLORS.values())).hex


def neutral(rng: Rng) -> str:
    return COLORS[pick(rng, NEUTRALS)].hex


def accents(rng: Rng, ground: str, count: int = 3) -> tuple[str, ...]:
    """Colours that stand out from ``ground``."""
    far = [color.hex for color in COLORS.values() if abs(brightness(color.hex) - brightness(ground)) > 0.22]
    return tuple(pick(rng, far) for _ in range(count))


def cloth(
    rng: Rng, weaves: Sequence[str], patterns: Sequence[str] = (), share: float = 0.35, colors: Sequence[str] = ()
) -> Fabric:
    """A fabric of one of ``weaves``, with one of ``patterns`` in ``share`` of the cases."""
    color = COLORS[pick(rng, colors)].hex if colors else (neutral(rng) if chance(rng, 0.5) else any_color(rng))
    pattern = pick(rng, patterns) if patterns and chance(rng, share) else ""
    return Fabric(color, pick(rng, weaves), pattern, accents(rng, color), float(rng.uniform(0.75, 1.35)))


def loosened(rng: Rng, block: Block, amount: float = 0.08) -> Block:
    """A block a little wider or narrower, longer or shorter."""
    wide = float(rng.uniform(1 - amount, 1 + amount))
    longer = float(rng.uniform(1 - amount, 1 + amount * 0.6))
    changed = replace(
        block,
        shoulder=block.shoulder * wide,
        chest=block.chest * wide,
        waist=block.waist * wide,
        hem=block.hem * wide * float(rng.uniform(0.95, 1.05)),
    )
    return replace(
        changed,
        length=block.length * longer,
        spread=block.spread * float(rng.uniform(0.7, 1.35)),
        sleeve=block.sleeve * float(rng.uniform(0.94, 1.05)),
    )


def _tee(rng: Rng) -> Recipe:
    fabric = cloth(
        rng, ("jersey", "cotton"), ("breton", "breton", "wide-stripes", "dots", "camo", "floral", "brush", "block"), 0.3
    )
    options: dict[str, Any] = {"block": loosened(rng, TEE, 0.12), "pocket": chance(rng, 0.2)}
    if not fabric.pattern and chance(rng, 0.45):
        options |= {
            "motif": pick(rng, ("stripes", "sun", "bolt", "arches")),
            "inks": accents(rng, fabric.color),
            "pocket": False,
        }
    return "tee", fabric, options


def _long(rng: Rng) -> Recipe:
    form = rng.random()
    if form < 0.3:
        fabric = cloth(rng, ("jersey", "waffle"), ("breton", "breton", "block"), 0.35)
        block = loosened(rng, replace(TEE, sleeve=276.0, spread=16.0, cuff=24.0), 0.1)
        options = (
            {"motif": "arches", "inks": accents(rng, fabric.color)} if not fabric.pattern and chance(rng, 0.3) else {}
        )
        return "tee", fabric, {"block": block, **options}
    if form < 0.5:
        return (
            "hoodie",
            cloth(rng, ("fleece", "jersey")),
            {"zipped": chance(rng, 0.35), "block": loosened(rng, SWEATER, 0.1)},
        )
    weave, patterns = pick(
        rng,
        (
            ("knit", ("argyle", "breton", "houndstooth")),
            ("cable", ()),
            ("rib", ()),
            ("fleece", ()),
            ("wool", ("breton", "block")),
        ),
    )
    return (
        "sweater",
        cloth(rng, (weave,), patterns, 0.4),
        {"neck": pick(rng, ("crew", "crew", "v", "turtle", "mock", "half-zip")), "block": loosened(rng, SWEATER, 0.1)},
    )


def _shirt(rng: Rng) -> Recipe:
    if chance(rng, 0.25):
        fabric = cloth(rng, ("chiffon", "satin", "poplin", "cotton"), PRINTS, 0.4)
        return (
            "blouse",
            fabric,
            {
                "neck": pick(rng, ("bow", "ruffle", "peter-pan", "v")),
                "block": loosened(rng, BLOUSE),
                "puff": float(rng.uniform(0, 14)),
            },
        )
    fabric = cloth(rng, ("poplin", "cotton", "linen", "denim"), CHECKS * 2 + STRIPES + PRINTS, 0.5)
    block = loosened(rng, SHIRT)
    if chance(rng, 0.25):
        block = replace(block, sleeve=70.0, spread=40.0, cuff=40.0)
    return (
        "shirt",
        fabric,
        {
            "block": block,
            "collar": pick(rng, ("point", "point", "button-down", "band", "camp")),
            "pockets": int(rng.integers(3)),
            "flaps": chance(rng, 0.3),
            "button": pick(rng, ("#f4f1e8", "#3a322c", "#8a6d4f")),
        },
    )


def _tailored(rng: Rng, form: str) -> Recipe:
    """A blazer, coat or trench coat."""
    trench, long = form == "trench", form != "blazer"
    patterns = ("glen", "windowpane", "houndstooth", "pinstripe")
    weaves = ("cotton",) if trench else ("suiting", "wool", "tweed")
    fabric = cloth(rng, weaves, patterns, 0.25, (*NEUTRALS, "camel", "camel"))
    double = trench or chance(rng, 0.35)
    front = Front(
        overlap=34 if double else 10,
        rows=2 if double else 1,
        peak=double,
        count=3 if double or long else 2,
        round_off=6 if double or long else 44,
        lapel=float(rng.uniform(34, 50)),
        spacing=72 if long else 52,
    )
    extra = {"belt": True, "flaps": True} if trench else {}
    return ("coat" if long else "blazer"), fabric, {"front": front, **extra}


def _varsity(rng: Rng) -> Recipe:
    sleeves = Fabric(pick(rng, ("#ebe3d1", "#f3f1ec", "#26262a")), "leather")
    return "bomber", cloth(rng, ("wool",)), {"sleeves": sleeves, "snaps": True, "letter": any_color(rng)}


def _shell(rng: Rng) -> Recipe:
    options = {"anorak": chance(rng, 0.4), "straps": chance(rng, 0.3), "accent": any_color(rng)}
    return "shell", cloth(rng, ("nylon",)), options


def _biker(rng: Rng) -> Recipe:
    return "biker", cloth(rng, ("leather",), colors=LEATHERS), {"studs": chance(rng, 0.3), "belt": chance(rng, 0.7)}


CASUAL: dict[str, Callable[[Rng], Recipe]] = {
    "biker": _biker,
    "varsity": _varsity,
    "shell": _shell,
    "denim-jacket": lambda rng: ("denim-jacket", cloth(rng, ("denim",), colors=DENIMS), {}),
    "bomber": lambda rng: ("bomber", cloth(rng, ("nylon", "cotton")), {}),
    "puffer": lambda rng: ("puffer", cloth(rng, ("nylon",)), {}),
    "vest": lambda rng: ("puffer", cloth(rng, ("nylon",)), {"vest": True}),
}


def _outwear(rng: Rng) -> Recipe:
    form = pick(rng, ("blazer", "blazer", "coat", "coat", "trench", *CASUAL))
    return CASUAL[form](rng) if form in CASUAL else _tailored(rng, form)


def _pants(rng: Rng) -> Recipe:
    form = pick(rng, ("trousers", "trousers", "jeans", "jeans", "joggers"))
    if form == "trousers":
        leg = CUTS[pick(rng, ("slim", "straight", "tapered", "wide", "flare"))]
        return (
            form,
            cloth(rng, ("suiting", "cotton", "linen", "corduroy"), ("glen", "pinstripe", "windowpane"), 0.2),
            {"leg": leg, "pleats": chance(rng, 0.3), "turn_up": chance(rng, 0.2), "crease": chance(rng, 0.6)},
        )
    if form == "jeans":
        leg = CUTS[pick(rng, ("slim", "straight", "tapered", "wide", "flare"))]
        return (
            form,
            cloth(
                rng,
                ("denim",),
                colors=("denim", "denim", "indigo", "lightblue", "navy", "black", "charcoal", "grey", "ivory"),
            ),
            {"leg": leg, "ripped": chance(rng, 0.25), "wash": float(rng.uniform(0, 0.5))},
        )
    stripes = accents(rng, COLORS["grey"].hex, 2) if chance(rng, 0.4) else ()
    cargo = chance(rng, 0.35)
    return (
        form,
        cloth(rng, ("fleece", "nylon", "jersey")),
        {
            "leg": CUTS[pick(rng, ("jogger", "straight", "tapered", "legging"))],
            "side_stripes": stripes,
            "cargo": cargo,
            "cuffed": chance(rng, 0.6),
        },
    )


def _shorts(rng: Rng) -> Recipe:
    kind = pick(rng, ("chino", "jean", "sport", "pleated"))
    base = CUTS["shorts"]
    leg = replace(
        base, hem=base.hem * float(rng.uniform(0.94, 1.22)), length=base.length * float(rng.uniform(0.78, 1.12))
    )
    if kind == "jean":
        return (
            "shorts",
            cloth(rng, ("denim",), colors=("denim", "indigo", "lightblue", "black", "white")),
            {"kind": kind, "leg": leg},
        )
    weaves = ("nylon", "fleece") if kind == "sport" else ("cotton", "linen", "suiting")
    return (
        "shorts",
        cloth(rng, weaves, (*CHECKS, "camo", "floral", "stripes"), 0.3),
        {"kind": kind, "leg": leg, "stripe": (any_color(rng),) if kind == "sport" and chance(rng, 0.5) else ()},
    )


def _skirt(rng: Rng) -> Recipe:
    name = pick(rng, tuple(SKIRTS))
    cut = SKIRTS[name]
    cut = replace(cut, hem=cut.hem * float(rng.uniform(0.9, 1.08)), length=cut.length * float(rng.uniform(0.85, 1.08)))
    if name == "mini" and chance(rng, 0.5):
        return (
            "skirt",
            cloth(rng, ("denim",), colors=("denim", "indigo", "lightblue", "black", "white")),
            {"cut": cut, "denim": True},
        )
    patterns = (*CHECKS, "floral", "ditsy", "dots", "pinstripe", "houndstooth")
    fabric = cloth(rng, ("wool", "cotton", "satin", "chiffon", "linen", "corduroy"), patterns, 0.45)
    return (
        "skirt",
        fabric,
        {
            "cut": cut,
            "pleats": int(rng.integers(9, 17)) if name == "pleated" else 0,
            "buttons": "#5b4636" if name == "a-line" and chance(rng, 0.3) else "",
            "elastic": chance(rng, 0.2),
        },
    )


def _dress(rng: Rng) -> Recipe:
    neck = pick(rng, ("round", "round", "v", "v", "bow", "peter-pan", "shirt", "slip"))
    sleeve = "none" if neck == "slip" else pick(rng, ("none", "short", "short", "puff", "long"))
    fabric = cloth(rng, ("cotton", "chiffon", "satin", "linen", "knit"), (*PRINTS, "stripes", "gingham", "tartan"), 0.5)
    waves = pick(rng, (0, 5, 8, 10))
    hem = float(rng.uniform(80, 100) if not waves else rng.uniform(112, 170))
    return (
        "dress",
        fabric,
        {
            "neck": neck,
            "sleeve": sleeve,
            "hem": hem,
            "waves": waves,
            "length": float(rng.uniform(200, 340)),
            "belt": any_color(rng) if chance(rng, 0.25) else "",
            "tiers": 3 if waves > 5 and chance(rng, 0.25) else 0,
        },
    )


def _hat(rng: Rng) -> Recipe:
    form = pick(rng, ("cap", "cap", "beanie", "bucket", "brimmed", "straw", "beret"))
    if form == "cap":
        brim = Fabric(any_color(rng), "canvas") if chance(rng, 0.25) else None
        return (
            form,
            cloth(rng, ("canvas", "corduroy", "denim"), ("camo", "gingham"), 0.12),
            {
                "brim": brim,
                "badge": any_color(rng) if chance(rng, 0.6) else "",
                "mark": pick(rng, ("bar", "letter", "hill")),
            },
        )
    if form == "beanie":
        return (
            form,
            cloth(rng, ("knit", "cable"), ("breton", "block"), 0.2),
            {"pompom": chance(rng, 0.35), "label": any_color(rng) if chance(rng, 0.6) else ""},
        )
    if form == "bucket":
        return form, cloth(rng, ("canvas", "denim", "cotton"), ("gingham", "camo", "dots", "floral"), 0.3), {}
    if form == "beret":
        return form, cloth(rng, ("wool",)), {}
    if form == "straw":
        return (
            "brimmed",
            Fabric(pick(rng, ("#e0c68f", "#d4b176", "#e9dcc0")), "canvas"),
            {"straw": True, "wide": float(rng.uniform(190, 228)), "band": any_color(rng)},
        )
    return form, cloth(rng, ("wool",)), {"band": neutral(rng), "wide": float(rng.uniform(180, 216))}


def _shoes(rng: Rng) -> Recipe:
    kind = pick(
        rng, ("sneaker", "sneaker", "sneaker", "canvas", "loafer", "oxford", "boot", "chelsea", "heel", "slide")
    )
    if kind in ("sneaker", "canvas"):
        fabric = cloth(rng, ("leather", "canvas") if kind == "sneaker" else ("canvas",))
        return "shoes", fabric, {"kind": kind, "second": Fabric(any_color(rng), fabric.weave)}
    if kind in ("heel", "slide"):
        return "shoes", cloth(rng, ("leather", "satin")), {"kind": kind}
    return "shoes", cloth(rng, ("leather",), colors=LEATHERS), {"kind": kind}


GARMENTS: dict[str, Callable[[Rng], Recipe]] = {
    "dress": _dress,
    "hat": _hat,
    "longsleeve": _long,
    "outwear": _outwear,
    "pants": _pants,
    "shirt": _shirt,
    "shoes": _shoes,
    "shorts": _shorts,
    "skirt": _skirt,
    "t-shirt": _tee,
}
"""What a random garment of each class of the axis ``garment`` consists of."""
