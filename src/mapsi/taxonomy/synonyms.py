"""Words that mean the same, brands and families of colours, in both languages: what shops and shoppers call one thing.

All are TOML files like the classes: ``synonyms.toml``, ``brands.toml`` and ``colors.toml``. A word is added there and
nowhere else; what names a class of garments stands with the class, in ``garment.toml``.
"""

from __future__ import annotations

import tomllib
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from mapsi.errors import ArtifactError
from mapsi.taxonomy import Axis, Class, Named, check_slug, load_taxonomy, parse_name, shipped_once
from mapsi.taxonomy.categories import KIND_AXIS


@dataclass(frozen=True, slots=True)
class ColorFamily(Named):
    """Colours that a shopper filters by as one. ``words`` mean the very colour; ``shades``, each with the words that
    mean it, only belong to it."""

    shades: tuple[tuple[str, ...], ...]

    @property
    def same(self) -> tuple[str, ...]:
        """Names and words, without repeats; a name of two colours (골드·실버) gives none."""
        names = [name for name in (self.name.ko, self.name.en.lower()) if "·" not in name and " " not in name]
        return tuple(dict.fromkeys((*names, *self.words)))

    @property
    def all_words(self) -> tuple[str, ...]:
        """Whatever names a colour of the family."""
        return (*self.same, *(word for shade in self.shades for word in shade))


@dataclass(frozen=True, slots=True, kw_only=True)
class Meaning:
    """One thing that words mean, and the ``forms``, of either language, that say it.

    A ``kind`` is what a product can be: one of the kinds ``under`` whose names it stands, and shown after those of
    ``near`` to a kind of which there are few. ``audience`` and ``color`` are the values of the filters that it stands
    for; a ``shade`` is one of the colours of its filter. A ``use`` is a season, a place or an occasion."""

    name: str
    forms: tuple[str, ...]
    kind: bool = False
    under: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    audience: str = ""
    color: str = ""
    shade: bool = False
    brand: bool = False
    use: bool = False


_KEYS = {"meaning", "class", "ko", "en", "kind", "under", "near", "audience", "use"}


@shipped_once
def load_colors(source: Path | None) -> tuple[ColorFamily, ...]:
    """The families of colours, in the order of the file (the shipped one by default); raises :class:`ArtifactError`."""
    entries = _read(source, "colors")
    families = tuple(
        ColorFamily(
            check_slug("colors", entry.get("slug")),
            parse_name(f"colors, {entry.get('slug')}", entry),
            _texts(f"colors, {entry.get('slug')}", entry, "words"),
            _shades(f"colors, {entry.get('slug')}", entry),
        )
        for entry in entries
    )
    _refuse_repeats("colors", [family.all_words for family in families])
    return families


@shipped_once
def load_synonyms(source: Path | None) -> tuple[Meaning, ...]:
    """What words mean (of the shipped file by default); raises :class:`ArtifactError`."""
    entries = _read(source, "synonyms")
    classes = load_taxonomy([KIND_AXIS]).find(KIND_AXIS)
    said = {form.casefold() for entry in entries for form in _forms(entry)}
    meanings = tuple(_parse_meaning(entry, classes, said) for entry in entries)
    _refuse_repeats("synonyms", [meaning.forms for meaning in meanings])
    kinds = {meaning.name for meaning in meanings if meaning.kind}
    for meaning in meanings:
        unknown = {*meaning.under, *meaning.near} - kinds
        if unknown:
            raise ArtifactError(
                f"synonyms, {meaning.name!r}: there is no kind {sorted(unknown)[0]!r}.", "Name one of the kinds."
            )
    return meanings


@shipped_once
def load_brands(source: Path | None) -> tuple[Meaning, ...]:
    """Brands in both scripts (of the shipped file by default); raises :class:`ArtifactError`."""
    meanings = tuple(
        Meaning(
            name=f"brand {entry.get('en', ['?'])[0]}",
            forms=(*_texts("brands", entry, "ko"), *_texts("brands", entry, "en")),
            brand=True,
        )
        for entry in _read(source, "brands")
    )
    _refuse_repeats("brands", [meaning.forms for meaning in meanings])
    return meanings


def _parse_meaning(entry: Mapping[str, Any], classes: Axis, said: Container[str]) -> Meaning:
    """``said`` are the forms that any entry says itself, in lower case: no class's word, then."""
    where = _place(entry)
    unknown = entry.keys() - _KEYS
    if unknown:
        raise ArtifactError(
            f"{where}: there is no key {sorted(unknown)[0]!r}.", f"There are: {', '.join(sorted(_KEYS))}."
        )
    slug = entry.get("class")
    if slug is not None and slug not in classes.by_slug:
        raise ArtifactError(f"{where}: there is no class {slug!r}.", f"There are: {', '.join(classes.by_slug)}.")
    of_class = [word for word in _class_words(classes.find(slug)) if word not in said] if slug else []
    return Meaning(
        name=str(entry.get("meaning")),
        forms=tuple(dict.fromkeys((*_forms(entry), *of_class))),
        kind=bool(slug or entry.get("kind")),
        under=_texts(where, entry, "under") if "under" in entry else (),
        near=_texts(where, entry, "near") if "near" in entry else (),
        audience=str(entry.get("audience", "")),
        use=bool(entry.get("use")),
    )


def _place(entry: Mapping[str, Any]) -> str:
    return f"synonyms, {entry.get('meaning')!r}"


def _forms(entry: Mapping[str, Any]) -> tuple[str, ...]:
    """What an entry says itself; it may leave that to its class."""
    keys = ("ko", "en") if "class" not in entry else [key for key in ("ko", "en") if key in entry]
    return tuple(form for key in keys for form in _texts(_place(entry), entry, key))


def _class_words(cls: Class) -> Iterable[str]:
    """Names and words in lower case; a name of two words (니트·스웨터), each a word of its own, gives none."""
    return (word.casefold() for word in cls.all_words if "·" not in word)


def _read(source: Path | None, name: str) -> Sequence[Mapping[str, Any]]:
    shown = source or f"{name}.toml"
    try:
        text = (files("mapsi.taxonomy") / f"{name}.toml" if source is None else source).read_text("utf-8")
        entries = tomllib.loads(text).get(name)
    except OSError as error:
        raise ArtifactError(f"The file {shown} cannot be read: {error.strerror}.", "Check the path.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ArtifactError(f"The file {shown} is not TOML: {error}.", "Fix the line it names.") from error
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ArtifactError(f"The file {shown} has no [[{name}]] tables.", "See docs/words.md.")
    return entries


def _texts(where: str, entry: Mapping[str, Any], key: str) -> tuple[str, ...]:
    texts = entry.get(key)
    if not isinstance(texts, list) or not all(isinstance(text, str) and text.strip() for text in texts):
        raise ArtifactError(f"{where}: {key} must be a list of strings.", f'Write {key} = ["...", "..."].')
    return tuple(texts)


def _shades(where: str, entry: Mapping[str, Any]) -> tuple[tuple[str, ...], ...]:
    shades = entry.get("shades")
    if not isinstance(shades, list):
        raise ArtifactError(f"{where}: shades must be a list of lists.", 'Write shades = [["카키", "khaki"], ...].')
    return tuple(_texts(where, {"each of shades": shade}, "each of shades") for shade in shades)


def _refuse_repeats(where: str, groups: Iterable[Iterable[str]]) -> None:
    seen: set[str] = set()
    for group in groups:
        words = {word.casefold() for word in group}
        if seen & words:
            raise ArtifactError(f"{where}: {sorted(seen & words)[0]!r} is in two groups.", "Keep one of them.")
        seen |= words
