"""How every plot looks, and how it becomes a file. Owns, with its neighbours ``plots`` and ``curves``, matplotlib."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from matplotlib import font_manager, rc_context
from matplotlib.figure import Figure

from mapsi.artifacts import atomic_file

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5D5D5D")
"""Told apart by colour-blind people as well (Okabe and Ito, 2008); black and yellow left out."""

STYLES = ("-", "--", "-.", ":")
INK, SOFT, FAINT = "#1d1b19", "#6a655e", "#d9d5ce"
DOTS_PER_INCH = 150

HANGUL_FONTS = (
    "Pretendard",
    "Noto Sans KR",
    "Noto Sans CJK KR",
    "NanumGothic",
    "NanumBarunGothic",
    "NanumSquare",
    "Apple SD Gothic Neo",
    "Malgun Gothic",
    "Baekmuk Gulim",
    "UnDotum",
)
"""Fonts with Korean letters on the usual systems, the first one found is taken."""


def font_with(texts: Iterable[str]) -> str | None:
    """The first font that has every letter of ``texts``; None where there is none."""
    letters = {ord(letter) for text in texts for letter in text}
    files = {entry.name: entry.fname for entry in font_manager.fontManager.ttflist}
    for name in ("DejaVu Sans", *HANGUL_FONTS):
        if name in files and letters <= font_manager.get_font(files[name]).get_charmap().keys():
            return name
    return None


def drawable(names: Mapping[str, str]) -> dict[str, str]:
    """``names`` by slug if a font here has all their letters, else the slugs themselves: a plot shows no empty
    boxes."""
    return dict(names) if font_with(names.values()) else {slug: slug for slug in names}


@contextmanager
def drawing(file: Path, width: float, height: float, texts: Iterable[str] = ()) -> Iterator[Figure]:
    """Give a figure of ``width`` x ``height`` inches to draw on; ``file`` becomes a PNG of it when the block ends well.

    ``texts`` are those from outside that it will show: its font is chosen by them.
    """
    with rc_context(_look(font_with(texts))):
        figure = Figure(figsize=(width, height), dpi=DOTS_PER_INCH, layout="constrained")
        yield figure
        with atomic_file(file) as beside:
            figure.savefig(beside, format="png")


def _look(font: str | None) -> Any:  # the stub of rc_context names every key there is
    return {
        "font.family": [font or "DejaVu Sans"],
        "font.size": 10,
        "axes.unicode_minus": False,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.edgecolor": SOFT,
        "axes.labelcolor": INK,
        "axes.titlesize": 11,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.grid": True,
        "axes.axisbelow": True,
        "grid.color": FAINT,
        "grid.linewidth": 0.6,
        "xtick.color": SOFT,
        "ytick.color": SOFT,
        "xtick.labelcolor": INK,
        "ytick.labelcolor": INK,
        "text.color": INK,
        "legend.frameon": False,
        "lines.linewidth": 1.8,
        "text.parse_math": False,
    }
