"""All sources in one place: by what name each is asked for, what it needs, and what its terms allow.

A source of your own is a Python file with a function ``build(argument, parts)``, as each module below has one;
``docs/collect.md`` shows it.
"""

from __future__ import annotations

import runpy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import cast

from mapsi.collect.source import Source
from mapsi.collect.sources.parts import SourceParts
from mapsi.collect.sources.remembered import RememberingSource
from mapsi.errors import UsageError

Build = Callable[[str, SourceParts], Source]
"""(what follows the colon, parts) -> a source; raises :class:`UsageError` where a key or a consent is
missing."""


@dataclass(frozen=True, slots=True)
class SourceKind:
    """A row of the table. ``module`` has the function ``build``, or the one named behind a colon; it is imported where
    the source is used, since a browser needs a library that the others do without. ``noted`` sources have no API whose
    answers could be kept: what they named is noted down for a resume."""

    about: str
    needs: str
    terms: str
    module: str
    noted: bool = False


SOURCES: Mapping[str, SourceKind] = {
    "naver-hub": SourceKind(
        "Naver image search through NAVER API HUB",
        "MAPSI_NAVER_HUB_KEY_ID, MAPSI_NAVER_HUB_KEY",
        "25,000 requests a day. Names no creator and no licence: rights lie with whoever made each photo.",
        "mapsi.collect.sources.naver:build_hub",
    ),
    "naver": SourceKind(
        "Naver image search with keys of Naver Open API",
        "MAPSI_NAVER_CLIENT_ID, MAPSI_NAVER_CLIENT_SECRET",
        "Answers existing keys until 2027-06-30; 25,000 requests a day over all of Search. Its terms forbid "
        "storing results"
        " without permission, and it names no creator and no licence.",
        "mapsi.collect.sources.naver:build_open",
    ),
    "openverse": SourceKind(
        "Openly licensed photos of many archives",
        "MAPSI_COLLECT_CONTACT; MAPSI_OPENVERSE_CLIENT_ID and MAPSI_OPENVERSE_CLIENT_SECRET for 10,000 requests a day",
        "Each photo has its licence; openverse:commercial and openverse:modification narrow them.",
        "mapsi.collect.sources.openverse",
    ),
    "commons": SourceKind(
        "Freely licensed photos of Wikimedia Commons",
        "MAPSI_COLLECT_CONTACT",
        "A contact is required, one request at a time; thumbnails are fetched, not originals. Each photo has its "
        "licence.",
        "mapsi.collect.sources.commons",
    ),
    "google": SourceKind(
        "Google Images in a real browser, as in the paper; see docs/collect-google.md",
        "MAPSI_GOOGLE_TERMS_ACCEPTED=yes, Chromium or Chrome with its chromedriver, and mapsi[collect]",
        "There is no API, and Google's terms forbid searching by a program without permission: off until you "
        "take responsibility for it."
        " Names no creator and no licence.",
        "mapsi.collect.google.source",
        noted=True,
    ),
    "folder": SourceKind(
        "Photos of your own: folder:PATH with CLASS/*.jpg",
        "nothing",
        "Yours.",
        "mapsi.collect.sources.own_photos:build_folder",
    ),
    "addresses": SourceKind(
        "Addresses that you list by class: addresses:FILE",
        "nothing",
        "Whatever the sites you list say.",
        "mapsi.collect.sources.own_photos:build_addresses",
    ),
}


def open_source(asked: str, parts: SourceParts) -> Source:
    """The source that ``--source`` asks for: ``NAME``, ``NAME:ARGUMENT``, or ``FILE.py[:ARGUMENT]`` for one of your
    own.

    Raises :class:`UsageError` where there is none, or it lacks what it needs.
    """
    name, _, argument = asked.partition(":")
    if name.endswith(".py"):
        return _own_build(Path(name))(argument, parts)
    if name not in SOURCES:
        raise UsageError(f"There is no source {name!r}.", f"There are: {', '.join(SOURCES)}, or a FILE.py of your own.")
    module, _, function = SOURCES[name].module.partition(":")
    build = cast(Build, getattr(import_module(module), function or "build"))
    source = build(argument, parts)
    return RememberingSource(source, parts.kept / "named" / name, parts.clock) if SOURCES[name].noted else source


def _own_build(file: Path) -> Build:
    """The function ``build`` of a source of your own. Its code runs as the operator who named it."""
    if not file.is_file():
        raise UsageError(f"There is no file {file}.", "A source of your own is a Python file; see docs/collect.md.")
    build = runpy.run_path(str(file)).get("build")
    if not callable(build):
        raise UsageError(f"The file {file} has no function build(argument, parts).", "See docs/collect.md.")
    return cast(Build, build)
