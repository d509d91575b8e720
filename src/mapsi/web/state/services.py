"""What every view works with, handed to the application once and found again from the request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from flask import Flask, current_app

from mapsi.remote import Fetcher
from mapsi.settings import Settings
from mapsi.taxonomy import Taxonomy
from mapsi.web.state.attempts import Attempts
from mapsi.web.state.notes import Notes
from mapsi.web.state.photo_answers import PhotoAnswers
from mapsi.web.state.shelf import Shelf

if TYPE_CHECKING:
    from mapsi.catalog import Catalog
    from mapsi.catalog.text.photo_words import PhotoWordReader
    from mapsi.search.finder import Finder
    from mapsi.web.state.shared_answers import SharedPhotoAnswers

_KEY = "mapsi"


@dataclass(frozen=True, slots=True)
class Services:
    """The values one application runs with. ``names`` says which kinds of garment a class is by its name (slacks)."""

    settings: Settings
    finder: Finder
    taxonomy: Taxonomy
    answers: PhotoAnswers | SharedPhotoAnswers
    shelf: Shelf
    notes: Notes
    attempts: Attempts
    fetcher: Fetcher
    names: PhotoWordReader

    @property
    def catalog(self) -> Catalog:
        """The catalogue that is answered from."""
        return self.finder.catalog


def attach(app: Flask, services: Services) -> None:
    """Hand ``services`` to ``app``."""
    app.extensions[_KEY] = services


def current_services() -> Services:
    """The services of the application that answers the current request."""
    return cast(Services, current_app.extensions[_KEY])
