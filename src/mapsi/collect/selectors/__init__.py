"""How a source's page is read, as versioned data: the TOML files of this folder."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Self

from mapsi.artifacts import read_toml
from mapsi.errors import ArtifactError


@dataclass(frozen=True, slots=True)
class Selector:
    """A way to find a piece of the page; ``seen`` is the month in which it was last reported to match."""

    css: str
    seen: str


@dataclass(frozen=True, slots=True)
class GoogleSelectors:
    """The ways to find each piece of Google Images' page, newest first, and the marks of its other pages."""

    version: str
    hosts: tuple[str, ...]
    thumbnail_hosts: tuple[str, ...]
    thumbnail_names: tuple[str, ...]
    cell: tuple[Selector, ...]
    thumbnail: tuple[Selector, ...]
    panel: tuple[Selector, ...]
    picture: tuple[Selector, ...]
    more: tuple[Selector, ...]
    consent: tuple[Selector, ...]
    consent_hosts: tuple[str, ...]
    consent_css: str
    consent_texts: tuple[str, ...]
    empty_texts: tuple[str, ...]
    traffic_path: str
    traffic_css: str
    traffic_texts: tuple[str, ...]

    @classmethod
    def read(cls, file: Path | None = None) -> Self:
        """Read the shipped file, or ``file``; raises :class:`ArtifactError` where it does not fit."""
        if file is None:
            return cls._of(tomllib.loads((files("mapsi.collect.selectors") / "google.toml").read_text("utf-8")))
        document = read_toml(file, "The file of selectors")
        try:
            return cls._of(document)
        except (KeyError, TypeError, AttributeError) as error:
            raise ArtifactError(
                f"The selectors {file} do not fit: {error!r}.", "See docs/collect-google.md."
            ) from error

    @classmethod
    def _of(cls, document: Mapping[str, Any]) -> Self:
        consent, traffic = document["consent_page"], document["unusual_traffic"]
        return cls(
            version=str(document["version"]),
            hosts=tuple(document["hosts"]),
            thumbnail_hosts=tuple(document["thumbnail_hosts"]),
            thumbnail_names=tuple(document["thumbnail_names"]),
            cell=_ways(document["cell"]),
            thumbnail=_ways(document["thumbnail"]),
            panel=_ways(document["panel"]),
            picture=_ways(document["picture"]),
            more=_ways(document["more"]),
            consent=_ways(document["consent"]),
            consent_hosts=tuple(consent["hosts"]),
            consent_css=consent["css"],
            consent_texts=tuple(consent["texts"]),
            empty_texts=tuple(document["empty"]["texts"]),
            traffic_path=traffic["path"],
            traffic_css=traffic["css"],
            traffic_texts=tuple(traffic["texts"]),
        )


def _ways(rows: Sequence[Mapping[str, str]]) -> tuple[Selector, ...]:
    ways = tuple(Selector(row["css"], row["seen"]) for row in rows)
    if [way.seen for way in ways] != sorted((way.seen for way in ways), reverse=True):
        raise ArtifactError("The selectors of one piece are not ordered by date, newest first.", "Order them.")
    return ways
