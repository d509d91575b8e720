"""Searching by a photo: how it comes in, its page, and its pictures."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from flask import (
    Blueprint,
    Response,
    current_app,
    flash,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from mapsi.errors import NotFoundError
from mapsi.imaging import cut, decode_photo, encode_jpeg, focus_overlay
from mapsi.infer.look import WHOLE
from mapsi.web.lists.lists import gather, listing, read_refined
from mapsi.web.pages.page_pictures import fetch_picture
from mapsi.web.pages.seen import corrected, view_axes, view_spots, view_words
from mapsi.web.request.faults import prefers_json
from mapsi.web.request.languages import language
from mapsi.web.request.languages import translate as _
from mapsi.web.request.parameters import read_box, write_box
from mapsi.web.request.security import keep_private
from mapsi.web.request.uploads import decode_asked, take_photo
from mapsi.web.sharing.owning import note_own_photo, require_own_photo
from mapsi.web.state.photo_answers import PhotoAnswer
from mapsi.web.state.services import current_services

if TYPE_CHECKING:
    from PIL.Image import Image

EXAMPLES = ("shirt", "dress", "coat", "shoes")
"""Drawings of our own to search by: ``static/examples/NAME.webp``."""
SHOWN_SIDE = 960
"""Longer side, in pixels, of the photo as it is held and shown again: sharp on a phone, and enough to read a part
of."""
PART_SIDE = 160
"""Longer side, in pixels, of a garment on its button."""

photos = Blueprint("photos", __name__)


@photos.post("/search/photo")
def search_photo() -> AnyResponse:
    """Read the photo that was sent."""
    return lead_to_answer(take_photo(request, current_services().settings))


@photos.post("/search/address")
def search_address() -> AnyResponse:
    """Read the picture at an address, or the one that a page at it names."""
    services = current_services()
    g.address = request.form.get("address", "").strip()  # is in its field again where nothing came of it
    picture = fetch_picture(services.fetcher, g.address, services.settings)
    return lead_to_answer(decode_asked(picture, services.settings))


@photos.post("/search/example")
def search_example() -> AnyResponse:
    """Read one of our own drawings, for those who have no photo at hand."""
    name = request.form.get("example", "")
    if name not in EXAMPLES:
        raise NotFoundError("There is no such example.", "Choose one of those on the front page.")
    return lead_to_answer(decode_photo(Path(str(current_app.static_folder), "examples", f"{name}.webp").read_bytes()))


def lead_to_answer(photo: Image) -> AnyResponse:
    """Hold the answer to a photo, and lead to its page; our own script is told the way in JSON. Of a photo with several
    garments it leads to the most prominent one."""
    services = current_services()
    look = services.finder.look(photo)
    token = services.answers.keep(PhotoAnswer(encode_jpeg(photo, max_side=SHOWN_SIDE), photo.width, photo.height, look))
    note_own_photo(token)
    box = write_box(look.garments[0].box) if len(look.garments) > 1 else None
    target = url_for("photos.photo", token=token, box=box)
    if prefers_json():
        return keep_private(make_response(jsonify(location=target), 201))
    return redirect(target, 303)


@photos.get("/photo/<token>")
def photo(token: str) -> Response:
    """What the photo, or the part of it in ``box``, shows, and the products like it."""
    services = current_services()
    answer, box = services.answers.find(token), read_box(request.args)
    reading = answer.read_part(box, services.finder.read_box)
    asked = read_refined()

    finder = services.finder
    if box is None:
        find, count = partial(finder.by_look, answer.look), partial(finder.facets_by_look, answer.look)
    else:
        find, count = partial(finder.by_photo, reading), partial(finder.facets_by_photo, reading)
    filters = asked.query.filters
    kept = {"box": write_box(box)} if box else {}
    facets, found = count(asked.query), gather(find, asked)
    shown = listing("photos.photo", {"token": token}, asked, found, facets, kept)
    page = render_template(
        "photo.html",
        token=token,
        answer=answer,
        box=box,
        framed=box not in (None, WHOLE),
        spots=view_spots(answer.look, box, services.taxonomy),
        frame=_frame(answer),
        axes=view_axes(reading, services.taxonomy, language()),
        words=view_words(reading, filters, services.taxonomy, language(), services.names),
        corrected=corrected,
        sure=reading.known,
        listing=shown,
    )
    return keep_private(make_response(page, 400 if asked.faults else 200))


_FRAMES = ((0.7, "slim"), (0.88, "tall"), (1.15, "square"), (1.6, "wide"))


def _frame(answer: PhotoAnswer) -> str:
    """The name of the photo's shape, by its width over its height."""
    shape = answer.width / answer.height
    return next((name for widest, name in _FRAMES if shape < widest), "long")


@photos.get("/photo/<token>/photo.jpg")
def photo_picture(token: str) -> Response:
    """The photo, made afresh and small."""
    return _jpeg(current_services().answers.find(token).picture)


@photos.get("/photo/<token>/part.jpg")
def photo_part(token: str) -> Response:
    """The part of the photo in ``box``, small."""
    answer, box = current_services().answers.find(token), read_box(request.args)
    whole = decode_photo(answer.picture)
    return _jpeg(encode_jpeg(cut(whole, box) if box else whole, max_side=PART_SIDE))


@photos.get("/photo/<token>/focus/<axis>.jpg")
def photo_focus(token: str, axis: str) -> Response:
    """The photo, or the part in ``box``, with the places lit up that the answer on ``axis`` came from."""
    answer, box = current_services().answers.find(token), read_box(request.args)
    reading = answer.read_part(box, current_services().finder.read_box)
    if axis not in reading.axes:
        raise NotFoundError("The photo has no answer on this axis.", "Choose one of the axes on its page.")
    whole = decode_photo(answer.picture)
    overlay = focus_overlay(cut(whole, box) if box else whole, reading.axes[axis].focus)
    return _jpeg(encode_jpeg(overlay, max_side=SHOWN_SIDE))


def _jpeg(data: bytes) -> Response:
    return keep_private(Response(data, mimetype="image/jpeg"))


@photos.post("/photo/<token>/forget")
def forget_photo(token: str) -> AnyResponse:
    """Drop the photo and its answer at once; only who searched with it can."""
    require_own_photo(token)
    current_services().answers.forget(token)
    flash(_("Your photo is gone from our memory."))
    return redirect(url_for("pages.home"), 303)
