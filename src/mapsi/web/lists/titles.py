"""Product titles as a reader sees them: the half that is in the reader's language, and the language of what is not."""

from __future__ import annotations

import re
from dataclasses import dataclass

_HALVES = re.compile(r"\s+[/|]\s+")
_HANGUL = re.compile(r"[가-힣]")
_LATIN = re.compile(r"[A-Za-z]{2}")


@dataclass(frozen=True, slots=True)
class Title:
    """``language`` is empty where it is the page's own, or where the letters do not tell."""

    text: str
    language: str = ""


def title_for(name: str, language: str) -> Title:
    """``name`` for a reader of ``language``, ``ko`` or ``en``.

    ``린넨 셔츠 / Linen Shirt`` is two titles, of which a reader needs one; ``블랙 / 화이트`` is one, since both halves
    are in one script. ``Linen Shirt`` on a Korean page is marked as English, so that it is read aloud as such.
    """
    halves = _HALVES.split(name)
    scripts = [_script(half) for half in halves]
    if len(halves) == 2 and set(scripts) == {"ko", "en"}:
        return Title(halves[scripts.index(language)])
    script = _script(name)
    return Title(name, script if script != language else "")


def _script(text: str) -> str:
    """Korean where there is any Hangul, English where there are words in Latin letters, else nothing."""
    if _HANGUL.search(text):
        return "ko"
    return "en" if _LATIN.search(text) else ""
