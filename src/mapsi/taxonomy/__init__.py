"""Axes and classes: what can be told about a photo, in which words.

A taxonomy is one or more TOML files. An *axis* is one question (which style? which kind of garment?), a *class* one
answer with its slug, its Korean and English names, its group and the words that shops and shoppers use for it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property, wraps
from importlib.resources import files
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from mapsi.arrays import BoolArray
from mapsi.artifacts import read_toml
from mapsi.errors import ArtifactError, NotFoundError

SHIPPED = ("paper17", "garment", "audience", "colors")
FORMER = {"garment10": "garment"}
"""What shipped taxonomies were called before: commands that people wrote down with a fault name them so."""

_SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


@dataclass(frozen=True, slots=True)
class Name:
    """A name in the two languages that the pages speak."""

    ko: str
    en: str

    def in_language(self, language: str) -> str:
        """The name in ``language`` (``ko`` or ``en``)."""
        return self.ko if language == "ko" else self.en


@dataclass(frozen=True, slots=True)
class Named:
    """Something that shops and shoppers have words for. ``words`` are of either language, the names not among them."""

    slug: str
    name: Name
    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Class(Named):
    """One answer on an axis. ``parent`` is the class that it is a kind of (sneakers are shoes), empty for none."""

    group: str
    parent: str = ""

    @property
    def all_words(self) -> tuple[str, ...]:
        """Names and search words, without repeats."""
        return tuple(dict.fromkeys((self.name.ko, self.name.en, *self.words)))


@dataclass(frozen=True)
class Axis:
    """One question about a photo, with its classes in the order of the file. ``listed`` says whether offers are classed
    on it, and so found and filtered by it; the catalogue keeps audiences and colours in columns of their own."""

    slug: str
    name: Name
    groups: Mapping[str, Name]
    classes: tuple[Class, ...]
    listed: bool = True

    @cached_property
    def by_slug(self) -> Mapping[str, Class]:
        return {cls.slug: cls for cls in self.classes}

    def find(self, slug: str) -> Class:
        """The class named ``slug``; raises :class:`NotFoundError`."""
        try:
            return self.by_slug[slug]
        except KeyError:
            known = ", ".join(self.by_slug)
            raise NotFoundError(f"The axis {self.slug} has no class {slug!r}.", f"It has: {known}.") from None

    @cached_property
    def kinship(self) -> BoolArray:
        """How classes are related, (3, classes, classes): one is the other or a kind of it, or the other way round;
        they are of one family (heels and sneakers are shoes); they are worn in the same place."""
        lines = [self.lineage(cls.slug) for cls in self.classes]
        return np.array(
            [
                [[one[0] in other or other[0] in one for other in lines] for one in lines],
                [[one[-1] == other[-1] for other in lines] for one in lines],
                [[one.group == other.group for other in self.classes] for one in self.classes],
            ],
            np.bool_,
        )

    def lineage(self, slug: str) -> tuple[str, ...]:
        """``slug``, its parent, the parent's parent and so on: ``("sneakers", "shoes")``."""
        found = [slug]
        while parent := self.find(found[-1]).parent:
            found.append(parent)
        return tuple(found)

    def counted_as(self, slug: str, labels: Container[str]) -> str:
        """The nearest of ``labels`` that ``slug`` is or is a kind of; ``slug`` itself where it is none's."""
        return next((one for one in self.lineage(slug) if one in labels), slug)

    def kinds(self, slug: str) -> tuple[str, ...]:
        """``slug`` and all classes that are kinds of it, in the order of the file: who asks for shoes is shown
        these."""
        return tuple(cls.slug for cls in self.classes if slug in self.lineage(cls.slug))


@dataclass(frozen=True)
class Taxonomy:
    """All axes that one installation knows, by slug."""

    axes: Mapping[str, Axis]

    @cached_property
    def listed(self) -> Mapping[str, Axis]:
        """The axes on which offers are classed."""
        return {slug: axis for slug, axis in self.axes.items() if axis.listed}

    def find(self, axis: str) -> Axis:
        """The axis named ``axis``; raises :class:`NotFoundError`."""
        try:
            return self.axes[axis]
        except KeyError:
            raise NotFoundError(f"There is no axis {axis!r}.", f"There are: {', '.join(self.axes)}.") from None


T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Load(Protocol[T_co]):
    """Reads a file, by default the shipped one."""

    def __call__(self, source: Path | None = None) -> T_co: ...


def shipped_once(load: Callable[[Path | None], T]) -> Load[T]:
    """Have the shipped file read once in a process, any other one each time. What is read must not be changed."""
    shipped = cache(lambda: load(None))

    @wraps(load)
    def read(source: Path | None = None) -> T:
        return shipped() if source is None else load(source)

    return read


def load_taxonomy(sources: Sequence[str | Path] = SHIPPED) -> Taxonomy:
    """Read one or more taxonomy files, each a path or the name of a shipped one (``paper17``), into one taxonomy.

    Raises :class:`ArtifactError`, naming the file and the entry, where a file cannot be read as a taxonomy.
    """
    axes: dict[str, Axis] = {}
    for source in sources:
        for axis in _read_file(source):
            if axis.slug in axes:
                raise ArtifactError(f"The axis {axis.slug!r} is in two taxonomy files.", f"Rename the one in {source}.")
            axes[axis.slug] = axis
    return Taxonomy(axes)


def _read_file(source: str | Path) -> list[Axis]:
    source = FORMER.get(str(source), source)
    if str(source) in SHIPPED:
        document = tomllib.loads((files("mapsi.taxonomy") / f"{source}.toml").read_text("utf-8"))
    else:
        document = read_toml(Path(source), "The taxonomy file", f"Shipped are: {', '.join(SHIPPED)}.")
    tables = document.get("axis")
    if not isinstance(tables, dict) or not tables:
        raise ArtifactError(f"The taxonomy file {source} has no [axis.NAME] table.", "See docs/taxonomy.md.")
    if "colors" in document:
        # The families of colours are the classes of their file's axis; `synonyms.load_colors` reads what else they say.
        tables = {slug: {**table, "classes": document["colors"]} for slug, table in tables.items()}
    return [_parse_axis(str(source), slug, table) for slug, table in tables.items()]


def _parse_axis(source: str, slug: str, table: Mapping[str, Any]) -> Axis:
    where = f"{source}: axis {slug}"
    groups = {name: parse_name(f"{where}, group {name}", entry) for name, entry in table.get("groups", {}).items()}
    classes = tuple(_parse_class(where, groups, entry) for entry in table.get("classes", []))
    slugs = [cls.slug for cls in classes]
    repeated = {name for name in slugs if slugs.count(name) > 1}
    if repeated:
        raise ArtifactError(f"{where}: the class {sorted(repeated)[0]!r} is there twice.", "Keep one of them.")
    if len(classes) < 2:
        raise ArtifactError(f"{where} has fewer than two classes.", "An axis needs at least two answers.")
    listed = table.get("listed", True)
    if not isinstance(listed, bool):
        raise ArtifactError(f"{where}: listed is {listed!r}.", "Write true or false.")
    axis = Axis(check_slug(where, slug), parse_name(where, table), groups, classes, listed)
    for cls in classes:
        _check_parents(where, axis, cls)
    return axis


def _check_parents(where: str, axis: Axis, cls: Class) -> None:
    """Raises :class:`ArtifactError` where a parent is missing, or where classes are each other's."""
    seen = {cls.slug}
    while cls.parent:
        if cls.parent not in axis.by_slug:
            raise ArtifactError(f"{where}, class {cls.slug}: there is no parent {cls.parent!r}.", "Name a class of it.")
        if cls.parent in seen:
            raise ArtifactError(f"{where}: the class {cls.parent} is its own parent.", "Remove one of the parents.")
        seen.add(cls.parent)
        cls = axis.by_slug[cls.parent]


def _parse_class(where: str, groups: Mapping[str, Name], entry: Mapping[str, Any]) -> Class:
    slug = check_slug(where, entry.get("slug"))
    where = f"{where}, class {slug}"
    group, parent = entry.get("group", ""), entry.get("parent", "")
    if not isinstance(group, str) or (groups and group not in groups):
        raise ArtifactError(f"{where}: the group {group!r} is not among [groups].", f"There are: {', '.join(groups)}.")
    words = entry.get("words", [])
    if not isinstance(words, list) or not all(isinstance(word, str) and word.strip() for word in words):
        raise ArtifactError(f"{where}: words must be a list of strings.", 'Write words = ["...", "..."].')
    if not isinstance(parent, str):
        raise ArtifactError(f"{where}: parent is {parent!r}.", "Write the slug of another class.")
    return Class(slug, parse_name(where, entry), tuple(words), group, parent)


def parse_name(where: str, entry: Mapping[str, Any]) -> Name:
    """The Korean and English name in a TOML table; ``where`` names it in the :class:`ArtifactError`."""
    ko, en = entry.get("ko"), entry.get("en")
    if not (isinstance(ko, str) and ko.strip() and isinstance(en, str) and en.strip()):
        raise ArtifactError(f"{where} needs a Korean and an English name.", 'Write ko = "..." and en = "...".')
    return Name(ko, en)


def check_slug(where: str, slug: object) -> str:
    """``slug``, if it is one; raises :class:`ArtifactError`."""
    if not isinstance(slug, str) or not _SLUG.fullmatch(slug):
        raise ArtifactError(f"{where}: {slug!r} is not a slug.", "Use lower-case letters, digits and single hyphens.")
    return slug
