"""What names of categories, shops' own, Naver's and Google's, say about a product's kind: ``categories.toml``."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from mapsi.errors import ArtifactError
from mapsi.taxonomy import Axis, shipped_once

KIND_AXIS = "garment"
"""The axis whose classes are kinds of product."""
COLOR_AXIS, AUDIENCE_AXIS = "colour", "audience"
"""The axes that a picture may be read on of which offers have a column: families of colours, and for whom."""
OTHER = "other"
"""What is none of the kinds: in place of a class's slug."""


@dataclass(frozen=True, slots=True)
class Categories:
    """The mapping, whatever the taxonomy has of it. Kinds are slugs, ``other``, ``@group`` or ``@set``.

    ``names`` has those of single names of a path, in lower case; ``google`` those of Google's categories by number
    and by English path, in lower case too. ``sets`` are the named lists that ``@`` may stand for beside groups.
    ``parts`` are last words that make a mere part of a thing, ``departments`` Google's that sell none of the kinds."""

    names: Mapping[str, tuple[str, ...]]
    google: Mapping[str, tuple[str, ...]]
    departments: frozenset[str]
    sets: Mapping[str, tuple[str, ...]]
    parts: frozenset[str]

    def kinds(self, axis: Axis, told: Iterable[str]) -> frozenset[str]:
        """The classes of ``axis``, and ``other``, that ``told`` stands for, with all that are kinds of these. What the
        axis does not have is left out: a taxonomy of your own may be smaller."""
        return frozenset(slug for name in told for slug in self._of(axis, name))

    def _of(self, axis: Axis, name: str) -> Iterable[str]:
        if not name.startswith("@"):
            return (OTHER,) if name == OTHER else axis.kinds(name) if name in axis.by_slug else ()
        group = name.removeprefix("@")
        if group in self.sets:
            return self.kinds(axis, self.sets[group])
        return (cls.slug for cls in axis.classes if cls.group == group)


@shipped_once
def load_categories(source: Path | None) -> Categories:
    """The mapping of a file (by default the shipped one); raises :class:`ArtifactError`, naming the entry."""
    shown = source or "categories.toml"
    try:
        text = (files("mapsi.taxonomy") / "categories.toml" if source is None else source).read_text("utf-8")
        document = tomllib.loads(text)
        google = document["google"]
        return Categories(
            names={name.casefold(): _told(f"{shown}, {name}", told) for name, told in document["names"].items()},
            google=_google_rows(str(shown), google["rows"]),
            departments=frozenset(name.casefold() for name in google["departments_without_clothes"]),
            sets={name: _told(f"{shown}, {name}", told) for name, told in document["sets"].items()},
            parts=frozenset(document["parts"]["words"]),
        )
    except OSError as error:
        raise ArtifactError(f"The file {shown} cannot be read: {error.strerror}.", "Check the path.") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ArtifactError(f"The file {shown} is not TOML: {error}.", "Fix the line it names.") from error
    except (KeyError, TypeError, AttributeError) as error:
        raise ArtifactError(
            f"The file {shown} lacks or misplaces {error}.", "Compare it with the shipped one."
        ) from error


def _google_rows(shown: str, rows: Iterable[Any]) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for number, path, told in rows:
        found[str(number)] = found[path.casefold()] = _told(f"{shown}, {path}", told)
    return found


def _told(where: str, told: Any) -> tuple[str, ...]:
    if not isinstance(told, list) or not all(isinstance(kind, str) and kind for kind in told):
        raise ArtifactError(f"{where}: the kinds must be a list of strings.", 'Write ["dress"].')
    return tuple(told)
