"""Figures where a page of the manual has a mark for them: ``<!-- MARK -->`` ... ``<!-- end -->``."""

from __future__ import annotations

import re
from pathlib import Path


def put_figures(page: Path, mark: str, told: str) -> None:
    """Put what was measured, whole lines, in place of what stands between the ``mark`` of a ``page`` and its end."""
    place = re.compile(rf"(?<=<!-- {mark} -->\n).*?(?=<!-- end -->)", re.DOTALL)
    page.write_text(place.sub(lambda _: told, page.read_text("utf-8"), count=1), "utf-8")
