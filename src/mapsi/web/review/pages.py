"""The review's views: a class in a grid, its photos, and the decisions that come in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, jsonify, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from mapsi.collect.review.journal import Decision
from mapsi.collect.review.session import ReviewPhoto, ReviewProgress
from mapsi.errors import UsageError
from mapsi.imaging import decode_photo, encode_jpeg, read_photo_bytes
from mapsi.taxonomy import Class
from mapsi.web.request.languages import LANGUAGES, language
from mapsi.web.review.services import current_services

pages = Blueprint("review", __name__, template_folder="templates", static_folder="static", static_url_path="/assets")

THUMBNAIL = 320
LARGE = 1600


@pages.url_value_preprocessor
def take_token(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Keep the token of the address for the check; the views need none."""
    g.token = values.pop("token", "") if values else ""


@pages.url_defaults
def give_token(endpoint: str, values: dict[str, Any]) -> None:
    """Let every address of the review begin with the token."""
    values["token"] = current_services().token


@dataclass(frozen=True, slots=True)
class Tile:
    """A photo as the grid shows it; ``version`` changes with the file."""

    photo: ReviewPhoto
    decision: Decision | None
    version: str


@pages.get("/")
def home() -> AnyResponse:
    """To the first class that is not finished."""
    return redirect(url_for("review.of_class", slug=current_services().review.unfinished(), lang=_wish()))


@pages.get("/classes/<slug>")
def of_class(slug: str) -> str:
    """The photos of one class."""
    review = current_services().review
    tiles = [Tile(photo, review.decision(photo.path), _version(photo.path)) for photo in review.photos(slug)]
    return render_template(
        "review/class.html",
        folder=current_services().folder.name,
        current=review.axis.by_slug[slug],
        tiles=tiles,
        tallies={cls.slug: review.tally(cls.slug) for cls in review.classes},
        classes=review.classes,
        following=_following(slug),
        choices=[_choice(cls) for cls in review.axis.classes],
        scored=any(tile.photo.share is not None for tile in tiles),
    )


@pages.get("/thumbnails/<path:path>")
def thumbnail(path: str) -> Response:
    """A photo at the size of the grid."""
    return _picture(path, THUMBNAIL)


@pages.get("/photos/<path:path>")
def photo(path: str) -> Response:
    """A photo at the size of a screen."""
    return _picture(path, LARGE)


@pages.post("/decisions")
def decide() -> Response:
    """Take a decision: ``{"path", "decision": keep | drop | move, "class"}``."""
    asked, review = _document(), current_services().review
    decision = review.decide(_text(asked, "path"), _text(asked, "decision"), _text(asked, "class") or None)
    return jsonify(path=asked["path"], **_told(decision))


@pages.post("/undo")
def undo() -> Response:
    """Take back the latest decision in a class, ``{"class"}``; ``path`` in the answer is empty where there is none."""
    undone = current_services().review.undo(_text(_document(), "class"))
    if undone is None:
        return jsonify(path="", **_told(None))
    path, decision = undone
    return jsonify(path=path, **_told(decision))


def _wish() -> str | None:
    """The language that the address asks for, to be handed on."""
    asked = request.args.get("lang")
    return asked if asked in LANGUAGES else None


def _following(slug: str) -> Class | None:
    """The next class with photos about which nothing is decided."""
    review = current_services().review
    slugs = [cls.slug for cls in review.classes]
    here = slugs.index(slug)
    for other in (*slugs[here + 1 :], *slugs[:here]):
        tally: ReviewProgress = review.tally(other)
        if tally.decided < tally.photos:
            return review.axis.by_slug[other]
    return None


def _choice(cls: Class) -> dict[str, str]:
    """A class to move to, with the words that it is found by."""
    return {"slug": cls.slug, "name": cls.name.in_language(language()), "words": f"{cls.name.ko} {cls.name.en}".lower()}


def _version(path: str) -> str:
    try:
        return str((current_services().folder / path).stat().st_mtime_ns)
    except OSError:
        return "gone"


def _picture(path: str, side: int) -> Response:
    """A fresh JPEG of a photo of the review; never the bytes of the file."""
    current_services().review.class_of(path)
    data = read_photo_bytes(current_services().folder / path, current_services().limits)
    # Twice the side before it is made small: a large JPEG is then decoded at a fraction of its size.
    answer = Response(
        encode_jpeg(decode_photo(data, current_services().limits, at_least=side), max_side=side), mimetype="image/jpeg"
    )
    answer.headers["Cache-Control"] = "private, max-age=31536000, immutable"
    return answer


def _document() -> dict[str, Any]:
    document = request.get_json(silent=True)
    if not isinstance(document, dict):
        raise UsageError("The request is not JSON.", "Load the page again.")
    return document


def _text(document: dict[str, Any], name: str) -> str:
    value = document.get(name, "")
    if not isinstance(value, str):
        raise UsageError(f"The field {name} is not text.", "Load the page again.")
    return value


def _told(decision: Decision | None) -> dict[str, str]:
    return {"decision": decision.verdict, "class": decision.cls or ""} if decision else {"decision": "", "class": ""}
