"""What the review's views work with, handed to the application once and found again from the request."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast

from flask import Flask, current_app

from mapsi.collect.review.session import Review
from mapsi.imaging import PhotoLimits

_KEY = "mapsi.review"


@dataclass(frozen=True, slots=True)
class ReviewServices:
    """The review, the folder of its photos, and the token that every address begins with."""

    review: Review
    folder: Path
    token: str
    limits: PhotoLimits


def attach(app: Flask, services: ReviewServices) -> None:
    """Hand ``services`` to ``app``."""
    app.extensions[_KEY] = services


def current_services() -> ReviewServices:
    """What the application of the current request works with."""
    return cast(ReviewServices, current_app.extensions[_KEY])
