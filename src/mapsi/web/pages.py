"""The pages that a shopper sees."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
    send_file,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from mapsi.catalog.product import Product, ProductPage
from mapsi.catalog.query import Query
from mapsi.catalog.records import Facets
from mapsi.catalog.text.tokens import NoWordsError
from mapsi.documents import error_document
from mapsi.errors import MapsiError, NotFoundError, UsageError
from mapsi.imaging import PhotoLimits, cut, decode_photo, encode_jpeg, focus_overlay
from mapsi.pictures.store import FULL
from mapsi.web.accounts.sessions import visitor
from mapsi.web.answers import PhotoAnswer
from mapsi.web.faults import from_mapsi, prefers_json
from mapsi.web.languages import language
from mapsi.web.languages import translate as _
from mapsi.web.messages import Explanation, explain
from mapsi.web.page_pictures import fetch_picture
from mapsi.web.parameters import (
    PRICES,
    Arguments,
    ParameterError,
    check_page,
    read_aside,
    read_box,
    read_first,
    read_query,
    read_words,
    write_box,
)
from mapsi.web.security import keep_private
from mapsi.web.seen import corrected, view_axes, view_spots, view_words
from mapsi.web.services import services
from mapsi.web.sharing.owning import note_own_photo, require_own_photo
from mapsi.web.uploads import take_photo
from mapsi.web.view import Asked, Listing, view_card

if TYPE_CHECKING:
    from PIL.Image import Image

EXAMPLES = ("shirt", "dress", "coat", "shoes")
"""Drawings of our own to search by: ``static/examples/NAME.webp``."""
SHOWN_SIDE = 960
"""Longer side, in pixels, of the photo as it is held and shown again: sharp on a phone, and enough to read a part
of."""
PART_SIDE = 160
"""Longer side, in pixels, of a garment on its button."""

pages = Blueprint("pages", __name__)
_COPY = re.compile(r"([0-9a-f]{64})(?:-([0-9]{3}))?")


@pages.get("/")
def home() -> str:
    """The three steps, and a shelf of products."""
    house = services()
    shelf = _listing("pages.words", {}, Asked(Query()), house.shelf.page(), house.catalog.listings.facets())
    return render_template("home.html", shelf=shelf, examples=EXAMPLES)


@pages.post("/search/photo")
def search_photo() -> AnyResponse:
    """Read the photo that was sent."""
    return lead_to_answer(take_photo(request, services().settings))


@pages.post("/search/address")
def search_address() -> AnyResponse:
    """Read the picture at an address, or the one that a page at it names."""
    house = services()
    g.address = request.form.get("address", "").strip()  # stands in its field again where nothing came of it
    picture = fetch_picture(house.fetcher, g.address, house.settings)
    return lead_to_answer(decode_photo(picture, PhotoLimits.of(house.settings)))


@pages.post("/search/example")
def search_example() -> AnyResponse:
    """Read one of our own drawings, for who has no photo at hand."""
    name = request.form.get("example", "")
    if name not in EXAMPLES:
        raise NotFoundError("There is no such example.", "Choose one of those on the front page.")
    return lead_to_answer(decode_photo(Path(str(current_app.static_folder), "examples", f"{name}.webp").read_bytes()))


def lead_to_answer(photo: Image) -> AnyResponse:
    """Hold the answer to a photo, and lead to its page; our own script is told the way in JSON. Of a photo with several
    garments it leads to the most prominent one."""
    house = services()
    look = house.finder.look(photo)
    token = house.answers.keep(PhotoAnswer(encode_jpeg(photo, max_side=SHOWN_SIDE), photo.width, photo.height, look))
    note_own_photo(token)
    box = write_box(look.garments[0].box) if len(look.garments) > 1 else None
    target = url_for("pages.photo", token=token, box=box)
    if prefers_json():
        return keep_private(make_response(jsonify(location=target), 201))
    return redirect(target, 303)


@pages.get("/photo/<token>")
def photo(token: str) -> Response:
    """What the photo, or the part of it in ``box``, shows, and the products like it."""
    house = services()
    answer, box = house.answers.find(token), read_box(request.args)
    reading = answer.read_part(box, house.finder.read_box)
    asked = _read_refined()

    def find(query: Query) -> ProductPage:
        return house.finder.by_look(answer.look, query) if box is None else house.finder.by_photo(reading, query)

    filters = asked.query.filters
    kept = {"box": write_box(box)} if box else {}
    facets, found = house.finder.photo_facets(reading, asked.query), _gather(find, asked)
    listing = _listing("pages.photo", {"token": token}, asked, found, facets, kept)
    page = render_template(
        "photo.html",
        token=token,
        answer=answer,
        box=box,
        spots=view_spots(answer.look, box),
        frame=_frame(answer),
        axes=view_axes(reading, house.taxonomy, language()),
        words=view_words(reading, filters, house.taxonomy, language()),
        corrected=corrected,
        sure=reading.known,
        listing=listing,
    )
    return keep_private(make_response(page, 400 if asked.faults else 200))


_FRAMES = ((0.7, "slim"), (0.88, "tall"), (1.15, "square"), (1.6, "wide"))


def _frame(answer: PhotoAnswer) -> str:
    """The name of the photo's shape, by its width over its height."""
    shape = answer.width / answer.height
    return next((name for widest, name in _FRAMES if shape < widest), "long")


def _gather(find: Callable[[Query], ProductPage], asked: Asked) -> ProductPage:
    """The page asked for, with those above it that are shown as well."""
    query = asked.query
    last = check_page(find(query))
    above = [find(replace(query, page=number)).products for number in range(asked.first or query.page, query.page)]
    return replace(last, products=tuple(chain(*above, last.products)))


@pages.get("/photo/<token>/photo.jpg")
def photo_picture(token: str) -> Response:
    """The photo, made anew and small."""
    return _jpeg(services().answers.find(token).picture)


@pages.get("/photo/<token>/part.jpg")
def photo_part(token: str) -> Response:
    """The part of the photo in ``box``, small."""
    answer, box = services().answers.find(token), read_box(request.args)
    whole = decode_photo(answer.picture)
    return _jpeg(encode_jpeg(cut(whole, box) if box else whole, max_side=PART_SIDE))


@pages.get("/photo/<token>/focus/<axis>.jpg")
def photo_focus(token: str, axis: str) -> Response:
    """The photo, or the part in ``box``, with the places lit up that the answer on ``axis`` came from."""
    answer, box = services().answers.find(token), read_box(request.args)
    reading = answer.read_part(box, services().finder.read_box)
    if axis not in reading.axes:
        raise NotFoundError("The photo has no answer on this axis.", "Choose one of the axes on its page.")
    whole = decode_photo(answer.picture)
    overlay = focus_overlay(cut(whole, box) if box else whole, reading.axes[axis].focus)
    return _jpeg(encode_jpeg(overlay, max_side=SHOWN_SIDE))


def _jpeg(data: bytes) -> Response:
    return keep_private(Response(data, mimetype="image/jpeg"))


@pages.post("/photo/<token>/forget")
def forget_photo(token: str) -> AnyResponse:
    """Drop the photo and its answer at once; only who searched with it can."""
    require_own_photo(token)
    services().answers.forget(token)
    flash(_("Your photo is gone from our memory."))
    return redirect(url_for("pages.home"), 303)


@pages.get("/search")
def words() -> Response:
    """Products by words; without words all products, to browse by filters."""
    asked = _read_query()
    try:
        asked = replace(asked, query=replace(asked.query, words=read_words(request.args) or None))
        found, facets = _find(asked)
    except UsageError as error:
        if isinstance(error, ParameterError) and error.parameter != "q":
            raise
        asked = replace(asked, faults={**asked.faults, "q": _explain_words(error)})
        found, facets = replace(asked.query, page=1).nothing, services().catalog.listings.facets()
    listing = _listing("pages.words", {}, asked, found, facets)
    return make_response(render_template("search.html", listing=listing), 400 if asked.faults else 200)


def _find(asked: Asked) -> tuple[ProductPage, Facets]:
    query, listings, notes = asked.query, services().catalog.listings, services().notes
    found = _gather(listings.search, asked)
    if query.words:
        notes.search(query, found)
        account = visitor()
        if account is not None and account.keeps_history:
            notes.history(account.id, query)
    if not found.total and not query.filters.narrows:
        return found, listings.facets()  # where to go from a list without products
    return found, listings.facets(query)


@pages.get("/product/<int:product_id>")
def product(product_id: int) -> str:
    """One product: what each shop that has it asks for it, the lowest price first, or that it is a sample."""
    house = services()
    offers = house.finder.offers(product_id)
    shown = next((one for one in offers if one.id == product_id), offers[0])
    return render_template(
        "product.html",
        product=shown,
        card=view_card(shown, house.taxonomy, language()),
        offers=[view_card(one, house.taxonomy, language()) for one in offers],
    )


@pages.get("/product/<int:product_id>/similar")
def similar(product_id: int) -> Response:
    """Products like one of the catalogue's."""
    house = services()
    product = house.finder.product(product_id)
    asked = _read_refined()
    found = _gather(partial(house.finder.similar, product_id), asked)
    listing = _listing("pages.similar", {"product_id": product_id}, asked, found, house.catalog.listings.facets())
    card = view_card(product, house.taxonomy, language())
    return make_response(render_template("similar.html", card=card, listing=listing), 400 if asked.faults else 200)


@pages.get("/pictures/<digest>.webp")
def picture(digest: str) -> Response:
    """Our copy of a product picture, ``DIGEST`` or a smaller one, ``DIGEST-SIDE``: its name is its content, so that a
    browser keeps it for good. Where that size is not made yet, the full one stands in for an hour."""
    asked, store = _COPY.fullmatch(digest), services().finder.pictures
    exact = store.path(asked[1], int(asked[2] or FULL)) if asked else None
    path = exact or (store.path(asked[1], FULL) if asked else None)
    if path is None:
        raise NotFoundError("There is no such picture.", "Search for the product again.")
    response = send_file(path, mimetype="image/webp", conditional=True, etag=path.stem)
    response.headers["Cache-Control"] = "public, max-age=31536000, immutable" if exact else "public, max-age=3600"
    return response


@pages.get("/about")
def about() -> str:
    """What happens with a photo, and what the model can and cannot do."""
    return render_template("about.html", settings=services().settings, taxonomy=services().taxonomy)


@pages.get("/healthz")
def health() -> AnyResponse:
    """200 where the catalogue answers, else 503; ``incomplete`` where photos find nothing, or not all, for want of an
    index."""
    try:
        status = services().finder.status()
    except MapsiError as error:
        fault = from_mapsi(error)
        body = {"status": "unavailable", **error_document(fault.code, fault.message, fault.hint)}
        return keep_private(make_response(jsonify(body), 503))
    whole = status["index"] == "ok"
    return keep_private(jsonify(status="ok" if whole else "incomplete", **status))


@pages.get("/robots.txt")
def robots() -> Response:
    """Search engines may list the front page and the products' shelf, not searches and photos."""
    lines = (
        "User-agent: *",
        "Disallow: /photo/",
        "Disallow: /search",
        "Disallow: /api/",
        "Disallow: /go/",
        "Disallow: /share/",
        "",
    )
    return Response("\n".join(lines), mimetype="text/plain")


@pages.get("/favicon.ico")
def favicon() -> Response:
    """The icon, for browsers that ask without looking at the page."""
    return current_app.send_static_file("favicon.svg")


def _read_query() -> Asked:
    """What the address asks for: a price that cannot be read is left out, and told beside its field. All else that is
    wrong is an error."""
    house = services()
    shops = [shop.slug for shop in house.catalog.listings.facets().shops]

    def read(arguments: Arguments, faults: Mapping[str, Explanation]) -> Asked:
        query = read_query(arguments, taxonomy=house.taxonomy, shops=shops, size=house.settings.page_size)
        return Asked(query, read_first(arguments, query.page), faults)

    try:
        return read(request.args, {})
    except ParameterError as error:
        if error.parameter not in PRICES:
            raise
        rest = Arguments((name, text) for name, text in request.args.items(multi=True) if name not in PRICES)
        return read(rest, {error.parameter: _explain(error.parameter)})


def _read_refined() -> Asked:
    """The same with what refines a list of what is alike; words that are too many stay in their field."""
    asked = _read_query()
    query = replace(asked.query, less=read_aside(request.args))
    try:
        return replace(asked, query=replace(query, words=read_words(request.args, "words") or None))
    except ParameterError as error:
        return replace(asked, query=query, faults={**asked.faults, "words": _explain_words(error)})


def _explain_words(error: UsageError) -> Explanation:
    code = "no_words" if isinstance(error, NoWordsError) else "too_many_words"
    return explain(code, "q", services().settings)


def _explain(parameter: str) -> Explanation:
    return explain(ParameterError.code, parameter, services().settings)


def _aside(query: Query) -> list[Product]:
    return services().catalog.listings.products(list(query.less)) if query.less else []


def _listing(
    endpoint: str,
    values: dict[str, Any],
    asked: Asked,
    found: ProductPage,
    facets: Facets,
    kept: Mapping[str, str] | None = None,
) -> Listing:
    house = services()
    speech = language()
    return Listing(
        asked=asked,
        page=found,
        cards=[view_card(product, house.taxonomy, speech) for product in found.products],
        facets=facets,
        shop_names={shop.slug: shop.name for shop in house.catalog.listings.facets().shops},
        taxonomy=house.taxonomy,
        language=speech,
        endpoint=endpoint,
        values=values,
        kept=kept or {},
        typed={name: request.args[name] for name in asked.faults if name in request.args},
        aside=[view_card(product, house.taxonomy, speech) for product in _aside(asked.query)],
    )
