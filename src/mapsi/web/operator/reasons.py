"""Reasons as an operator reads them. They are kept in English, as they were given; ``reasons.toml`` has them in
Korean."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from mapsi.web.request.languages import language


@dataclass(frozen=True, slots=True)
class Reason:
    """A reason in the reader's ``language``, or in English where it is one that ``reasons.toml`` lacks."""

    text: str
    language: str


def in_words(reason: str) -> Reason:
    """A reason in the language of the current request."""
    korean = _in_korean(reason) if language() == "ko" else None
    return Reason(reason, "en") if korean is None else Reason(korean, "ko")


@dataclass(frozen=True, slots=True)
class _Sentence:
    english: re.Pattern[str]
    korean: str


@dataclass(frozen=True, slots=True)
class _Book:
    sentences: tuple[_Sentence, ...]
    words: Mapping[str, str]


@cache
def _book() -> _Book:
    table = tomllib.loads((files("mapsi.web.operator") / "reasons.toml").read_text("utf-8"))
    # The one with the most words of its own first, so that "The {} {} is not a price." does not take another's place.
    ordered = sorted(table["sentences"].items(), key=lambda pair: -len(pair[0].replace("{}", "")))
    return _Book(tuple(_Sentence(_pattern(english), korean) for english, korean in ordered), table["words"])


def _pattern(english: str) -> re.Pattern[str]:
    """A sentence at the start of a text, ending where the text does or before a space."""
    parts = [re.escape(part) for part in english.split("{}")]
    return re.compile("(.{1,300}?)".join(parts) + r"(?=\s|\Z)", re.DOTALL)


def _in_korean(text: str) -> str | None:
    """All sentences of a text; ``None`` where one is not known. What a sentence is about may hold whole sentences
    itself, so the shortest reading of which the rest is known too counts."""
    if not text:
        return ""
    for sentence in _book().sentences:
        found = sentence.english.match(text)
        rest = _in_korean(text[found.end() :].lstrip()) if found else None
        leads_in = sentence.korean.endswith(":")  # ... to what must follow
        if found and (rest or (rest == "" and not leads_in)):
            about = [_book().words.get(part, part) for part in found.groups()]
            return f"{sentence.korean.format(*about)} {rest}".strip()
    return None
