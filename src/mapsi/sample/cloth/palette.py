"""Colours of the sample shop: cloth colours by name in two languages, and the backgrounds that carry them."""

from __future__ import annotations

import colorsys
from typing import NamedTuple


class Color(NamedTuple):
    """A cloth colour: sRGB hex and its names on the label."""

    hex: str
    ko: str
    en: str


COLORS = {
    "white": Color("#f3f1ec", "화이트", "White"),
    "ivory": Color("#ebe3d1", "아이보리", "Ivory"),
    "cream": Color("#e9dcc0", "크림", "Cream"),
    "oatmeal": Color("#d6c8b0", "오트밀", "Oatmeal"),
    "sand": Color("#cdb792", "샌드", "Sand"),
    "beige": Color("#c9ad86", "베이지", "Beige"),
    "camel": Color("#b3824d", "카멜", "Camel"),
    "tan": Color("#a5764a", "탄", "Tan"),
    "brown": Color("#6b4a35", "브라운", "Brown"),
    "chocolate": Color("#4a3328", "초콜릿", "Chocolate"),
    "black": Color("#26262a", "블랙", "Black"),
    "charcoal": Color("#47484d", "차콜", "Charcoal"),
    "grey": Color("#8b8d91", "그레이", "Grey"),
    "melange": Color("#b7b8ba", "멜란지", "Melange Grey"),
    "silver": Color("#c9ccd0", "실버", "Silver"),
    "navy": Color("#27334e", "네이비", "Navy"),
    "indigo": Color("#36486c", "인디고", "Indigo"),
    "denim": Color("#5f7fa3", "데님 블루", "Denim Blue"),
    "lightblue": Color("#a6c1dc", "라이트 블루", "Light Blue"),
    "sky": Color("#bcd3e6", "스카이", "Sky"),
    "blue": Color("#3f66a8", "블루", "Blue"),
    "teal": Color("#2f6668", "틸", "Teal"),
    "sage": Color("#9dab8b", "세이지", "Sage"),
    "olive": Color("#6b6b43", "올리브", "Olive"),
    "khaki": Color("#8c8160", "카키", "Khaki"),
    "forest": Color("#2f4a3b", "포레스트", "Forest Green"),
    "mint": Color("#b6d4c3", "민트", "Mint"),
    "burgundy": Color("#6d2836", "버건디", "Burgundy"),
    "red": Color("#b5373a", "레드", "Red"),
    "brick": Color("#a4523b", "브릭", "Brick"),
    "coral": Color("#dd8570", "코랄", "Coral"),
    "rose": Color("#cf9a9a", "로즈", "Rose"),
    "pink": Color("#e7bfc3", "핑크", "Pink"),
    "lavender": Color("#b9afd0", "라벤더", "Lavender"),
    "plum": Color("#5d3a55", "플럼", "Plum"),
    "mustard": Color("#c6963a", "머스터드", "Mustard"),
    "butter": Color("#efdc9e", "버터", "Butter Yellow"),
}

BACKGROUNDS = (
    "#f4f1ec",
    "#eeeeee",
    "#e9e3d8",
    "#e4e8df",
    "#e6eaee",
    "#f1e7e2",
    "#ebe8f0",
    "#f6f6f4",
    "#dfe3e2",
    "#efe9dd",
)


def rgb(color: str) -> tuple[int, int, int]:
    """``#rrggbb`` as three numbers from 0 to 255."""
    return int(color[1:3], 16), int(color[3:5], 16), int(color[5:7], 16)


def mix(first: str, second: str, share: float) -> str:
    """``first`` with ``share`` (0..1) of ``second``, in sRGB."""
    pairs = zip(rgb(first), rgb(second), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def darker(color: str, share: float = 0.2) -> str:
    return mix(color, "#141216", share)


def lighter(color: str, share: float = 0.2) -> str:
    return mix(color, "#ffffff", share)


def brightness(color: str) -> float:
    """Luma of a colour, 0 (black) to 1 (white)."""
    r, g, b = rgb(color)
    return (0.299 * r + 0.587 * g + 0.114 * b) / 255


def contrast(color: str, share: float = 0.3) -> str:
    """A tone that shows up on ``color``: lighter on dark cloth, darker on light cloth."""
    return lighter(color, share) if brightness(color) < 0.4 else darker(color, share)


def turned(color: str, degrees: float) -> str:
    """``color`` with its hue turned, saturation and lightness kept."""
    hue, light, sat = colorsys.rgb_to_hls(*(part / 255 for part in rgb(color)))
    back = colorsys.hls_to_rgb((hue + degrees / 360) % 1, light, sat)
    return "#" + "".join(f"{round(part * 255):02x}" for part in back)
