"""Words that mean the same, and families of colours, in both languages: what shops and shoppers call one thing.

Both are TOML files like the classes: ``synonyms.toml`` and ``colors.toml``. A word is added there and nowhere else.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from mapsi.errors import ArtifactError
from mapsi.taxonomy import Named, check_slug, parse_name


@dataclass(frozen=True, slots=True)
class ColorFamily(Named):
    """Colours that a shopper filters by as one. ``words`` mean the very colour, ``shades`` only belong to it."""

    shades: tuple[str, ...]

    @property
    def same(self) -> tuple[str, ...]:
        """Names and words, without repeats; a name of two colours (골드·실버) gives none."""
        names = [name for name in (self.name.ko, self.name.en.lower()) if "·" not in name and " " not in name]
        return tuple(dict.fromkeys((*names, *self.words)))

    @property
    def all_words(self) -> tuple[str, ...]:
        """Whatever names a colour of the family."""
        return (*self.same, *self.shades)


Group = tuple[str, ...]
"""Words that mean the same."""


def load_colors(source: Path | None = None) -> tuple[ColorFamily, ...]:
    """The families of colours, in the order of the file (the shipped one by default); raises :class:`ArtifactError`."""
    entries = _read(source, "colors")
    families = tuple(
        ColorFamily(
            check_slug("colors", entry.get("slug")),
            parse_name(f"colors, {entry.get('slug')}", entry),
            _texts(f"colors, {entry.get('slug')}", entry, "words"),
            _texts(f"colors, {entry.get('slug')}", entry, "shades"),
        )
        for entry in entries
    )
    _refuse_repeats("colors", [family.all_words for family in families])
    return families


def load_synonyms(source: Path | None = None) -> tuple[Group, ...]:
    """Groups of words that mean the same (of the shipped file by default); raises :class:`ArtifactError`."""
    groups = []
    for entry in _read(source, "synonyms"):
        where = f"synonyms, {entry.get('meaning')!r}"
        groups.append((*_texts(where, entry, "ko"), *_texts(where, entry, "en")))
    _refuse_repeats("synonyms", groups)
    return tuple(groups)


def _read(source: Path | None, name: str) -> Sequence[Mapping[str, Any]]:
    shown = source or f"{name}.toml"
    try:
        text = (files("mapsi.taxonomy") / f"{name}.toml" if source is None else source).read_text("utf-8")
        entries = tomllib.loads(text).get(name)
    except OSError as error:
        raise ArtifactError(f"The file {shown} cannot be read: {error.strerror}.", "Check the path.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ArtifactError(f"The file {shown} is not TOML: {error}.", "Mend the line it names.") from error
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ArtifactError(f"The file {shown} has no [[{name}]] tables.", "See docs/words.md.")
    return entries


def _texts(where: str, entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    texts = entry.get(key)
    if not isinstance(texts, list) or not all(isinstance(text, str) and text.strip() for text in texts):
        raise ArtifactError(f"{where}: {key} must be a list of texts.", f'Write {key} = ["...", "..."].')
    return tuple(texts)


def _refuse_repeats(where: str, groups: Iterable[Iterable[str]]) -> None:
    seen: set[str] = set()
    for group in groups:
        words = {word.casefold() for word in group}
        if seen & words:
            raise ArtifactError(f"{where}: {sorted(seen & words)[0]!r} stands in two groups.", "Keep one of them.")
        seen |= words
