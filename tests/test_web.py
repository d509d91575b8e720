"""The pages: what they show, whom they believe, and that nothing a stranger sends breaks them."""

from __future__ import annotations

import io
import logging
import re
import threading
import time
import weakref
from dataclasses import replace
from decimal import Decimal
from functools import cache
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import numpy as np
import pytest
from babel.messages import Catalog as Messages
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from flask.testing import FlaskClient
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

import mapsi.web
from mapsi.catalog.filters import SORTS, Filters
from mapsi.catalog.product import ProductPage
from mapsi.catalog.query import Query
from mapsi.catalog.records import Facets, PriceRange
from mapsi.catalog.text.photo_words import PhotoWordReader
from mapsi.documents import product_keyword
from mapsi.errors import RefusedAddressError, RemoteError, SettingError
from mapsi.http_address import is_http
from mapsi.infer.look import WHOLE, Garment, Look
from mapsi.infer.reading import AxisReading, Guess, Reading
from mapsi.remote import Fetched
from mapsi.taxonomy import Name, Taxonomy, load_taxonomy
from mapsi.taxonomy.names import class_name
from mapsi.web.lists.cards import view_card
from mapsi.web.lists.titles import Title, title_for
from mapsi.web.lists.view import ListPage, ListRequest
from mapsi.web.pages.page_pictures import find_pictures
from mapsi.web.pages.photos import EXAMPLES
from mapsi.web.pages.seen import view_axes, view_words
from mapsi.web.request.languages import format_price
from mapsi.web.request.parameters import AUDIENCES, read_query, write_query
from mapsi.web.state.photo_answers import PhotoAnswer, PhotoAnswers, PhotoExpiredError
from mapsi.web.state.shelf import Shelf
from offers import product
from small_house import House, grey_bytes, photo_bytes, photo_form

KOREAN = {"Accept-Language": "ko-KR,ko;q=0.9"}
ENGLISH = {"Accept-Language": "en-GB,en;q=0.9"}
PICKED = {"Accept": "application/json"}


@pytest.fixture
def client(house: House) -> FlaskClient:
    return house.app(photo_bytes=1 << 20, photo_megapixels=2).test_client()


@pytest.fixture(scope="module")
def visitor(house: House) -> FlaskClient:
    """For tests of many examples: the application takes longer than a question to it."""
    return house.app().test_client()


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, answer: TestResponse) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [
            found
            for name, found in self.tags
            if name == tag and all(found.get(key.strip("_")) == value for key, value in wanted.items())
        ]


def form_token(client: FlaskClient) -> str:
    """Of a page that asks the catalogue for nothing: the front page's shelf takes ten times as long."""
    return str(Page(client.get("/about")).all("input", name="csrf_token")[0]["value"])


def upload(client: FlaskClient, data: bytes, **headers: str) -> TestResponse:
    form = photo_form(data, csrf_token=form_token(client))
    return client.post("/search/photo", **form, headers=headers)


def answered(client: FlaskClient, data: bytes | None = None) -> str:
    """The address of the answer to a photo."""
    answer = upload(client, photo_bytes() if data is None else data)
    assert answer.status_code == 303, answer.text
    return answer.headers["Location"]


# --- the way of a photo


def test_the_front_page_shows_the_way_and_a_shelf(client: FlaskClient) -> None:
    page = Page(client.get("/"))
    chosen = page.all("input", type="file", name="photo")
    assert {field["accept"] for field in chosen} == {"image/*,.heic,.heif,.avif"}
    assert page.all("input", capture="environment")
    assert page.all("form", action="/search/photo", enctype="multipart/form-data")
    assert page.all("input", type="search", name="q")
    assert len(page.all("img", width="400")) == 12


def test_the_shelf_shows_a_little_of_everything_and_follows_the_catalogue(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf(house.catalog)
    page = shelf.page()
    products = page.products
    assert page.total == house.catalog.listings.search(Query(size=1)).total
    assert len({product.id for product in products}) == 12
    shown = {classes for product in products for classes in product.classes}
    assert {("style", slug) for slug, _count in house.catalog.listings.facets().classes["style"]} <= shown
    assert shelf.page() is page
    changed = replace(house.catalog.listings.facets(), offers=91)
    monkeypatch.setattr(house.catalog.listings, "facets", lambda: changed)
    assert shelf.page() is not page


def test_a_photo_leads_to_its_own_page_with_confidence_and_products(client: FlaskClient) -> None:
    address = answered(client)
    assert re.fullmatch(r"/photo/[\w-]{22}", address)
    page = Page(client.get(address, headers=ENGLISH))
    assert "What we see" in page.text
    assert re.search(r"\d+%", page.text)
    assert len(page.all("img", class_="axis-focus")) == 2
    cards = page.all("a", class_="product")
    assert len(cards) == 24
    assert all(image["loading"] == "lazy" for image in page.all("img", width="400")[6:])


def test_our_own_script_is_told_the_way_in_json(client: FlaskClient) -> None:
    answer = upload(client, photo_bytes(), **PICKED)
    assert answer.status_code == 201
    assert client.get(answer.json["location"]).status_code == 200


def test_the_photo_is_shown_small_and_without_what_it_says_about_its_sender(client: FlaskClient) -> None:
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x010F] = "A camera of mine"
    Image.new("RGB", (1200, 800), "#c0392b").save(out, "JPEG", exif=exif)
    shown = client.get(answered(client, out.getvalue()) + "/photo.jpg")
    picture = Image.open(io.BytesIO(shown.data))
    assert max(picture.size) == 960
    assert not picture.getexif()
    assert b"camera of mine" not in shown.data


@pytest.mark.parametrize("axis", ["style", "garment"])
def test_where_the_model_looked_is_a_picture_for_each_axis(client: FlaskClient, axis: str) -> None:
    address = answered(client)
    photo = Image.open(io.BytesIO(client.get(f"{address}/photo.jpg").data))
    focus = Image.open(io.BytesIO(client.get(f"{address}/focus/{axis}.jpg").data))
    assert focus.size == photo.size
    assert focus.tobytes() != photo.tobytes()
    assert client.get(f"{address}/focus/nothing.jpg").status_code == 404


def test_an_unsure_answer_says_so_and_still_shows_the_nearest_products(client: FlaskClient) -> None:
    page = Page(client.get(answered(client, grey_bytes()), headers=ENGLISH))
    assert "We are not sure about this one" in page.text
    assert page.text.count("Just a guess") == 2
    assert "products that come closest" in page.text
    assert len(page.all("a", class_="product")) == 24


def test_everything_about_a_photo_is_kept_out_of_caches_and_search_engines(client: FlaskClient) -> None:
    address = answered(client)
    for path in (address, f"{address}/photo.jpg", f"{address}/focus/style.jpg"):
        headers = client.get(path).headers
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Robots-Tag"] == "noindex"


def test_a_forgotten_photo_is_gone_at_once(client: FlaskClient) -> None:
    address = answered(client)
    forgotten = client.post(f"{address}/forget", data={"csrf_token": form_token(client)}, headers=ENGLISH)
    assert (forgotten.status_code, forgotten.headers["Location"]) == (303, "/")
    assert "gone from our memory" in client.get("/", headers=ENGLISH).text
    for path in (address, f"{address}/photo.jpg", f"{address}/focus/style.jpg"):
        assert client.get(path).status_code == 404


def test_an_expired_photo_is_a_friendly_page_that_takes_another_one(client: FlaskClient) -> None:
    answer = client.get("/photo/AAAAAAAAAAAAAAAAAAAAAA", headers=ENGLISH)
    assert answer.status_code == 404
    assert "We no longer hold this photo." in answer.text
    assert Page(answer).all("form", action="/search/photo")


ANSWER = PhotoAnswer(b"", 1, 1, Look(Reading(None, {}), (), (), None))  # type: ignore[arg-type]


def test_answers_leave_memory_when_there_are_too_many() -> None:
    answers = PhotoAnswers(2, 60)
    tokens = [answers.keep(ANSWER) for _ in range(3)]
    assert len(set(tokens)) == 3
    assert len(answers) == 2
    with pytest.raises(PhotoExpiredError):
        answers.find(tokens[0])
    assert answers.find(tokens[2]) is ANSWER


def test_answers_leave_memory_after_their_time() -> None:
    answers, pixels = PhotoAnswers(2, 0.01), np.zeros((1, 1), np.uint8)
    token, kept = answers.keep(replace(ANSWER, look=replace(ANSWER.look, map=pixels))), weakref.ref(pixels)
    del pixels
    until = time.monotonic() + 60
    while kept() is not None and time.monotonic() < until:
        time.sleep(0.01)
    assert kept() is None, "though nobody asks"
    with pytest.raises(PhotoExpiredError):
        answers.find(token)
    assert answers.find(answers.keep(ANSWER)) is ANSWER


def test_however_many_answers_are_held_one_thread_watches_their_time() -> None:
    answers, before = PhotoAnswers(1000, 60), threading.active_count()
    for _ in range(100):
        answers.keep(ANSWER)
    assert threading.active_count() <= before + 1


def test_an_uploaded_photo_never_reaches_a_disk(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object, **named: object) -> None:
        raise AssertionError("a temporary file was opened")

    client = house.app().test_client()
    form = photo_form(photo_bytes(kind="BMP", size=(1200, 1000)), csrf_token=form_token(client))
    monkeypatch.setattr("werkzeug.formparser.SpooledTemporaryFile", refuse)
    assert client.post("/search/photo", **form).status_code == 303


def test_a_part_of_a_photo_is_read_by_itself_and_stays_in_every_address(client: FlaskClient) -> None:
    picture = Image.new("RGB", (200, 400), "#c0392b")
    picture.paste("#2a6fb0", (0, 200, 200, 400))
    out = io.BytesIO()
    picture.save(out, "PNG")
    address = answered(client, out.getvalue())

    def words(query: str) -> list[str]:
        return re.findall(r"seen-word[^>]*>([^<]+)<", client.get(f"{address}{query}", headers=ENGLISH).text)

    lower = f"{address}?box=0,0.5,1,0.5"
    solid = answered(client, _solid("#2a6fb0"))
    assert words("?box=0,0.5,1,0.5") == re.findall(r"seen-word[^>]*>([^<]+)<", client.get(solid, headers=ENGLISH).text)
    assert words("?box=0,0.5,1,0.5") != words("?box=0,0,1,0.5")
    page = Page(client.get(lower))
    kept = [str(link["href"]) for link in page.all("a") if str(link.get("href")).startswith(f"{address}?")]
    assert all("box=" in link for link in kept if "sort=" in link)
    assert page.all("input", type="hidden", name="box", value="0,0.5,1,0.5")
    part = Image.open(io.BytesIO(client.get(f"{address}/part.jpg?box=0,0.5,1,0.5").data))
    assert part.width == part.height


def _solid(colour: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (200, 200), colour).save(out, "PNG")
    return out.getvalue()


@pytest.mark.parametrize(
    "box", ["0,0,0,0", "0.5,0.5,0.6,0.5", "-1,0,1,1", "a", "0,0,1", "nan,0,1,1", "1e-9,0,1,1", "9" * 400]
)
def test_a_box_that_is_no_part_of_the_photo_is_a_sentence(client: FlaskClient, box: str) -> None:
    address = answered(client)
    for path in ("", "/part.jpg", "/focus/style.jpg"):
        assert client.get(f"{address}{path}", query_string={"box": box}).status_code == 400


def test_a_word_of_what_is_seen_can_be_corrected_and_left_open_again(client: FlaskClient) -> None:
    address = answered(client)
    page = Page(client.get(address, headers=ENGLISH))
    links = [str(link["href"]) for link in page.all("a", class_="chip")]
    skirt = next(link for link in links if "class=garment:skirt" in link)
    corrected = client.get(skirt, headers=ENGLISH)
    assert re.search(r'class="seen-word" id="seen-garment"[^>]*>Skirt<', corrected.text)
    assert "Any" in Page(corrected).text


def test_the_line_says_what_it_is_for_whom_and_in_which_colour_then_what_else_is_sure() -> None:
    def said(*answers: tuple[str, str, float], **chosen: str) -> list[str]:
        axes = {
            axis: AxisReading(axis, known=sure > 0.5, top=(Guess(slug, sure),), focus=np.zeros((1, 1), np.float32))
            for axis, slug, sure in answers
        }
        filters = Filters(classes={axis: (slug,) for axis, slug in chosen.items()})
        words = view_words(Reading(np.zeros(4, np.float32), axes), filters, load_taxonomy(), "ko")
        return [word.text + ("" if word.known else "?") for word in words]

    seen = (("style", "knit", 0.9), ("colour", "black", 0.3), ("garment", "sweater", 0.9), ("audience", "women", 0.9))
    assert said(*seen) == ["니트·스웨터", "여성", "색?"]  # 니트 stands in it already
    assert said(("style", "dandy", 0.9), *seen[1:]) == ["니트·스웨터", "여성", "색?", "댄디 룩"]
    assert said(("style", "dandy", 0.2), *seen[1:]) == ["니트·스웨터", "여성", "색?"]
    assert said(("garment", "hat", 0.2), ("colour", "black", 0.5), ("audience", "men", 0.49)) == [
        "모자?",
        "누구용?",
        "블랙?",
    ]
    assert said(("style", "dandy", 0.2), *seen[1:], style="preppy")[-1] == "프레피 룩"
    assert said(("style", "dandy", 0.2)) == ["스타일?"]  # a model of styles alone


def test_a_word_is_corrected_to_what_is_likely_or_worn_in_the_same_place_before_all_else() -> None:
    shares = {"dress": 0.9, "shirt": 0.05, "sunglasses": 0.004, "watch": 0.003, "jumpsuit": 0.001}
    taxonomy = load_taxonomy()
    unlikely = [slug for slug in reversed(taxonomy.axes["garment"].by_slug) if slug not in shares]
    top = tuple(Guess(slug, shares.get(slug, 0.0)) for slug in (*shares, *unlikely))
    read = {"garment": AxisReading("garment", True, top, np.zeros((1, 1), np.float32))}
    [word] = view_words(Reading(np.zeros(4, np.float32), read), Filters(), taxonomy, "en")
    offered = ["dress", "shirt", "jumpsuit", "swimwear", "sunglasses", "watch"]  # swimwear is worn as dresses are
    assert [other.slug for other in word.others[:6]] == offered
    order = [*taxonomy.axes["garment"].by_slug]
    assert [order.index(other.slug) for other in word.rest] == sorted(order.index(other.slug) for other in word.rest)
    assert len(word.others) + len(word.rest) == len(order)


@pytest.mark.parametrize(
    ("kind", "style", "goes"),
    [
        ("jeans", "slacks", False),
        ("pants", "slacks", True),  # slacks are pants
        ("jeans", "wide-pants", True),
        ("skirt", "wide-pants", False),
        ("t-shirt", "linen-shirt", False),
        ("dress", "knit", False),
        ("dress", "suit", False),
        ("blazer", "suit", True),
        ("jeans", "rock-chic", True),  # a style that is no garment
    ],
)
def test_no_style_in_the_line_is_another_kind_than_the_line_says(kind: str, style: str, goes: bool) -> None:
    taxonomy = load_taxonomy()
    names = PhotoWordReader(taxonomy)

    def said(read: str, **chosen: str) -> list[str]:
        axes = {
            axis: AxisReading(axis, True, (Guess(slug, 0.9),), np.zeros((1, 1), np.float32))
            for axis, slug in (("style", style), ("garment", read))
        }
        filters = Filters(classes={axis: (slug,) for axis, slug in chosen.items()})
        reading = Reading(np.zeros(4, np.float32), axes)
        return [word.axis for word in view_words(reading, filters, taxonomy, "ko", names)]

    assert ("style" in said(kind)) == goes
    assert ("style" in said("hat", garment=kind)) == goes  # a kind that the shopper put right
    assert "style" in said(kind, style=style)  # what the shopper chose is said whatever it is


def test_a_kind_that_the_shopper_put_right_does_not_come_back_as_a_style() -> None:
    """A blouse is a kind of shirt, so "Blouse" goes with "Shirt": but not where "Shirt" was said in its place."""
    taxonomy = load_taxonomy()
    axes = {
        axis: AxisReading(axis, True, (Guess("blouse", 0.9),), np.zeros((1, 1), np.float32))
        for axis in ("garment", "style")
    }
    reading, names = Reading(np.zeros(4, np.float32), axes), PhotoWordReader(taxonomy)
    filters = Filters(classes={"garment": ("shirt",)})
    assert [word.text for word in view_words(reading, filters, taxonomy, "en", names)] == ["Shirt"]


def test_the_filters_of_what_is_alike_count_with_each_other(client: FlaskClient) -> None:
    def counts(address: str, kind: str) -> dict[str, str]:
        found = re.findall(rf'name="{kind}" value="([^"]+)".*?<small>([^<]+)</small>', client.get(address).text)
        return dict(found)

    address = f"/product/{_some_product(client)}/similar"
    every = counts(address, "class")
    (chosen, _), *_ = counts(address, "audience").items()
    narrowed = counts(f"{address}?audience={chosen}", "class")
    assert narrowed != every
    assert all(int(narrowed[one].rstrip("+")) <= int(every[one].rstrip("+")) for one in narrowed)


def test_words_beside_the_photo_narrow_its_answer_and_are_taken_back(client: FlaskClient) -> None:
    address = answered(client)
    page = Page(client.get(f"{address}?words=린넨&sort=price-up&box=0,0,1,0.5", headers=ENGLISH))
    assert page.all("input", name="words", value="린넨", id="refine-words")
    found = re.findall(r'product-name"[^>]*>([^<]+)<', client.get(f"{address}?words=린넨", headers=ENGLISH).text)
    assert found
    assert all("Linen" in name or "린넨" in name for name in found)
    links = [str(link["href"]) for link in page.all("a", class_="chip")]
    assert f"{address}?box=0,0,1,0.5&sort=price-up" in [unquote(link) for link in links]
    for form, kept in (("refine-words", "sort"), ("min_price", "words")):
        assert page.all("input", id=form)
        assert page.all("input", type="hidden", name=kept)
    missing = client.get(f"{address}?words=qqzz wwxx", headers=ENGLISH)
    assert "We found nothing for “qqzz wwxx”." in Page(missing).text
    ways_on = {str(link["href"]) for link in Page(missing).all("a", class_="chip")}
    assert {address, f"{address}?words=qqzz", f"{address}?words=wwxx"} <= ways_on


def test_words_that_are_too_many_beside_a_photo_stay_in_their_field_and_are_reported(client: FlaskClient) -> None:
    answer = client.get(f"{answered(client)}?words={'린넨 ' * 100}", headers=ENGLISH)
    assert answer.status_code == 400
    field = Page(answer).all("input", id="refine-words")[0]
    assert str(field["value"]).startswith("린넨 린넨")
    assert field["aria-invalid"] == "true"
    assert "That is too long to search for." in answer.text


def test_less_like_this_pushes_a_product_aside_and_takes_it_back(client: FlaskClient) -> None:
    for address in (answered(client), f"/product/{_some_product(client)}/similar"):
        page = Page(client.get(f"{address}?sort=price-down", headers=ENGLISH))
        first = page.all("li", class_="card-cell")[0]["id"]
        less = page.all("a", class_="product-less")[0]
        assert str(less["aria-label"]).startswith("Less like this: ")
        without = Page(client.get(str(less["href"]), headers=ENGLISH))
        assert first not in [card["id"] for card in without.all("li", class_="card-cell")]
        taken_back = without.all("a", class_="chip chip-aside")
        assert [chip["href"] for chip in taken_back] == [f"{address}?sort=price-down"]
    assert not Page(client.get("/search?q=린넨")).all("a", class_="product-less")


def _some_product(client: FlaskClient) -> str:
    return str(Page(client.get("/search")).all("li", class_="card-cell")[0]["id"]).removeprefix("p")


@pytest.mark.parametrize("less", ["x", "-1", "1.5", "9" * 19, "&less=".join(map(str, range(30)))])
def test_what_names_no_product_to_push_aside_is_a_sentence(client: FlaskClient, less: str) -> None:
    assert client.get(f"{answered(client)}?less={less}").status_code == 400


def test_an_address_that_is_sent_to_somebody_shows_what_it_leads_to_and_never_the_photo(client: FlaskClient) -> None:
    def told(address: str) -> dict[str, str]:
        tags = Page(client.get(address, headers=ENGLISH)).all("meta")
        return {str(tag["property"])[3:]: str(tag["content"]) for tag in tags if "og:" in str(tag.get("property"))}

    product = _some_product(client)
    assert told("/search?q=린넨")["title"] == "“린넨”"
    assert told("/search?q=린넨")["description"] == "18 products"
    assert told(f"/product/{product}/similar")["title"].startswith("More like this: ")
    for address in ("/search?q=린넨", f"/product/{product}/similar"):
        picture = told(address)["image"]
        assert picture.startswith("http://localhost/pictures/")
        with client.get(picture) as copy:
            assert copy.status_code == 200
    for address in ("/", answered(client), "/search?q=qqzzwwxx"):
        assert "icon-512" in told(address)["image"]


def test_garments_that_were_found_are_tapped_and_the_most_prominent_is_answered_first(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = house.app().test_client()
    whole = house.finder.read(Image.new("RGB", (200, 400), "#c0392b"))
    boxes = ((0.1, 0.1, 0.8, 0.4), (0.2, 0.5, 0.6, 0.4567891))
    jeans = replace(whole.axes["garment"], top=(Guess("jeans", 1.0),))
    readings = whole, replace(whole, axes={**whole.axes, "garment": jeans})
    found = [Garment("upper", 0.9, box, None, reading) for box, reading in zip(boxes, readings, strict=True)]
    monkeypatch.setattr(house.finder, "look", lambda photo: Look(whole, tuple(found), (), None))  # type: ignore[arg-type]
    page = Page(client.get(answered(client), headers=ENGLISH))
    links = [
        (str(link["href"]).partition("=")[2], link.get("aria-current"))
        for link in page.all("a")
        if str(link.get("class")).split()[:1] == ["garment"]
    ]
    assert links == [("", None), ("0.1,0.1,0.8,0.4", "true"), ("0.2,0.5,0.6,0.457", None)]
    assert len(page.all("svg", class_="spots")) == 1
    assert "Bottoms" in page.text


def test_a_garment_that_is_the_whole_photo_has_no_frame_and_no_all_beside_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = house.finder.read(Image.new("RGB", (200, 400), "#c0392b"))
    found = (Garment("upper", 0.9, WHOLE, None, whole), Garment("bag", 0.9, (0.2, 0.5, 0.3, 0.3), None, whole))
    look = Look(whole, found, (), np.zeros((0, 0), np.uint8))
    monkeypatch.setattr(house.finder, "look", lambda photo: look)
    client = house.app().test_client()
    page = Page(client.get(answered(client), headers=ENGLISH))
    assert [link.get("aria-current") for link in page.all("a", class_="garment")] == ["true", None]
    assert not page.all("a", id="garment-all")
    assert [link["href"] for link in page.all("a", tabindex="-1")] == [page.all("a", class_="garment")[1]["href"]]
    assert page.all("div", id="look")[0]["data-box"] == ""


def test_every_word_of_the_line_is_put_right_by_a_filter_that_the_page_then_says(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The colour and the audience that a model reads are no classes of products: they are filters of their own."""
    whole = house.finder.read(Image.new("RGB", (200, 400), "#c0392b"))
    read = {
        axis: AxisReading(axis, False, tuple(Guess(slug, 0.3) for slug in slugs), np.zeros((1, 1), np.float32))
        for axis, slugs in (("audience", ("women", "men", "kids")), ("colour", ("red", "black")))
    }
    look = Look(replace(whole, axes={**whole.axes, **read}), (), (), np.zeros((0, 0), np.uint8))
    monkeypatch.setattr(house.finder, "look", lambda photo: look)
    client = house.app().test_client()
    page = client.get(answered(client), headers=ENGLISH).text
    for axis, chosen in (("audience", "audience=men"), ("colour", "color=black"), ("garment", "class=garment:dress")):
        sheet = page.partition(f'id="fix-{axis}"')[2].partition("</section>")[0]
        links = [unescape(link) for link in re.findall(r'class="chip[^"]*" href="([^"]+)"', sheet)]
        link = next(link for link in links if chosen in unquote(link))
        corrected = client.get(link, headers=ENGLISH)
        assert corrected.status_code == 200
        assert re.search(rf'class="seen-word" id="seen-{axis}"[^>]*>(Men|Black|Dress)<', corrected.text)
        assert f'id="fix-{axis}"' in corrected.text.partition(">Any<")[0], "and taken back"
    assert "Something else" in page


# --- other ways in


def _page(head: str) -> bytes:
    return f"<!doctype html><html><head>{head}</head><body>x</body></html>".encode()


PRODUCT_PAGE = """<meta property="og:image" content="/og.jpg"><script type="application/ld+json">
{"@graph": [{"@type": "BreadcrumbList", "image": "no.jpg"}, {"@type": ["Product"], "image": [{"url": "img/a.jpg"}, "b.jpg"]}]}
</script>"""


@pytest.mark.parametrize(
    ("head", "pictures"),
    [
        (PRODUCT_PAGE, ["https://s.kr/p/img/a.jpg", "https://s.kr/p/b.jpg", "https://s.kr/og.jpg"]),
        ('<meta name="twitter:image" content="//cdn.kr/t.png">', ["https://cdn.kr/t.png"]),
        ('<link rel="image_src" href="x.png"><meta property="og:image" content="">', ["https://s.kr/p/x.png"]),
        ('<script type="application/ld+json">{"@type": "Product", "image": </script>', []),
        (
            '<script type="application/ld+json">' + "[" * 9999 + "</script><meta property=og:image content=a>",
            ["https://s.kr/p/a"],
        ),
        ("<title>nothing</title>", []),
    ],
)
def test_a_page_names_its_own_picture(head: str, pictures: list[str]) -> None:
    assert list(find_pictures(_page(head).decode(), "https://s.kr/p/1")) == pictures


PIECES = (
    "<meta ",
    "<script type=application/ld+json>",
    "</script>",
    "<link rel=image_src ",
    "property=og:image ",
    "content=",
)
PIECES += ("href=//[", ">", '{"@type": "Product", "image": ', '["x", {"url": 1}]', "}", "<!--", "&#0;", "://", "\ud800")


@given(st.text(max_size=100) | st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_no_page_breaks_the_search_for_its_picture(page: str) -> None:
    assert all(isinstance(address, str) for address in find_pictures(page, "https://s.kr/"))


class _Shop:
    """Answers in place of the fetcher; an error where an address is not known."""

    def __init__(self, answers: dict[str, bytes]) -> None:
        self.answers = answers

    def fetch(self, url: str, **limits: object) -> Fetched:
        if url not in self.answers:
            raise (
                RemoteError("It did not answer.") if url.startswith("https://s.kr") else RefusedAddressError("Private.")
            )
        return Fetched(url, 200, {}, self.answers[url])


def test_an_address_of_a_picture_or_of_a_page_is_searched_by_and_a_bad_one_is_a_sentence(house: House) -> None:
    app = house.app()
    named = b'<meta property="og:image" content="/og.jpg">'
    shop = _Shop(
        {
            "https://s.kr/a.jpg": photo_bytes(),
            "https://s.kr/p": _page(named.decode()),
            "https://s.kr/og.jpg": photo_bytes(),
        }
    )
    shop.answers |= {"https://s.kr/none": _page(""), "https://s.kr/text": b"hello"}
    app.extensions["mapsi"] = replace(app.extensions["mapsi"], fetcher=shop)
    client = app.test_client()

    def send(address: str) -> TestResponse:
        form = {"address": address, "csrf_token": form_token(client)}
        return client.post("/search/address", data=form, headers=ENGLISH)

    for address in ("https://s.kr/a.jpg", " https://s.kr/p "):
        found = send(address)
        assert found.status_code == 303, found.text
        assert client.get(found.headers["Location"]).status_code == 200
    for address, status, sentence in (
        ("https://s.kr/none", 422, "found no product picture"),
        ("https://s.kr/away", 422, "got no picture"),
        ("https://s.kr/text", 415, "not a photo"),
        ("http://10.0.0.1/", 400, "do not visit"),
        ("", 400, "do not visit"),
    ):
        answer = send(address)
        assert (answer.status_code, sentence in answer.text) == (status, True), address
        assert Page(answer).all("input", name="address")[0]["value"] == address


def test_a_large_photo_is_unpacked_as_far_as_it_is_read_wherever_it_comes_from(house: House) -> None:
    out = io.BytesIO()
    Image.new("RGB", (3000, 2000), "red").save(out, "JPEG")
    app = house.app()
    shop = _Shop({"https://s.kr/large.jpg": out.getvalue()})
    app.extensions["mapsi"] = replace(app.extensions["mapsi"], fetcher=shop)
    client = app.test_client()
    form = {"address": "https://s.kr/large.jpg", "csrf_token": form_token(client)}
    for answer in (
        client.post("/search/address", data=form),
        client.post("/shared-here", **photo_form(out.getvalue())),
    ):
        token = answer.headers["Location"].partition("/photo/")[2].partition("?")[0]
        held = app.extensions["mapsi"].answers.find(token)
        assert (held.width, held.height) == (1500, 1000)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_drawing_of_the_front_page_can_be_searched_by(client: FlaskClient, name: str) -> None:
    form = {"example": name, "csrf_token": form_token(client)}
    assert client.get(client.post("/search/example", data=form).headers["Location"]).status_code == 200


def test_what_a_phone_shares_is_searched_by_unless_another_site_sends_it(client: FlaskClient) -> None:
    manifest = client.get("/manifest.webmanifest", headers=KOREAN)
    assert manifest.headers["Cache-Control"] == "private, no-cache", "a language may be chosen"
    assert manifest.mimetype == "application/manifest+json"
    target = manifest.json["share_target"]
    assert target["params"]["files"][0]["name"] == "photo"
    for icon in manifest.json["icons"]:
        with client.get(icon["src"]) as answer:
            assert f"{Image.open(io.BytesIO(answer.data)).width}" in icon["sizes"]
    assert client.post(target["action"], **photo_form(photo_bytes())).status_code == 303
    assert (
        client.post(target["action"], **photo_form(photo_bytes()), headers={"Sec-Fetch-Site": "cross-site"}).status_code
        == 400
    )
    assert client.post(target["action"], data={"text": "see http://127.0.0.1/x", "photo": ""}).status_code == 400


# --- bad photos


BAD_PHOTOS = [
    (b"", 422, "damaged or incomplete"),
    (b"hello, I am a photo", 415, "not a photo we can read"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", 415, "not a photo we can read"),
    (photo_bytes()[:1500], 422, "damaged or incomplete"),
    (photo_bytes(size=(1500, 1500)), 413, "Up to 1 MB and 2 million pixels work."),
    (b"\0" * (1 << 20) + b"x", 413, "Up to 1 MB and 2 million pixels work."),
    (b"\0" * (2 << 20), 413, "Up to 1 MB and 2 million pixels work."),
]


@pytest.mark.parametrize(("data", "status", "sentence"), BAD_PHOTOS)
def test_a_bad_photo_is_a_sentence_as_page_and_as_json(
    client: FlaskClient, data: bytes, status: int, sentence: str
) -> None:
    page = upload(client, data, **ENGLISH)
    assert (page.status_code, page.mimetype) == (status, "text/html")
    assert sentence in page.text
    assert Page(page).all("form", action="/search/photo")
    told = upload(client, data, **ENGLISH, **PICKED)
    assert told.status_code == status
    assert sentence in f"{told.json['error']['message']} {told.json['error']['hint']}"


def test_a_form_without_a_photo_is_told_so(client: FlaskClient) -> None:
    token = form_token(client)
    empty = client.post("/search/photo", **photo_form(b"", name="", csrf_token=token), headers=ENGLISH)
    assert (empty.status_code, "No photo arrived." in empty.text) == (400, True)
    plain = client.post("/search/photo", data={"csrf_token": token}, headers=ENGLISH)
    assert (plain.status_code, "No photo arrived." in plain.text) == (415, True)


# --- lists


def test_real_products_lead_straight_to_their_shop_and_samples_to_their_page(client: FlaskClient) -> None:
    real = Page(client.get("/search?shop=haru")).all("a", class_="product")
    assert real
    for link in real:
        assert client.get(str(link["href"])).headers["Location"].startswith("https://shop.example.com/haru/p/")
        assert (link["target"], link["rel"]) == ("_blank", "noopener nofollow")
    samples = Page(client.get("/search?shop=drawn")).all("a", class_="product")
    assert all(re.fullmatch(r"/product/\d+", str(link["href"])) for link in samples)
    landing = client.get(str(samples[0]["href"]), headers=ENGLISH)
    assert "This is a sample" in landing.text
    assert "/go/1" in client.get("/product/1").text
    assert client.get("/product/999999").status_code == 404


def test_every_card_leads_to_products_like_it(client: FlaskClient) -> None:
    page = Page(client.get("/search?shop=haru"))
    links = [str(link["href"]) for link in page.all("a", class_="product-alike")]
    assert len(links) == len(page.all("a", class_="product"))
    shown = client.get(links[0], headers=ENGLISH)
    assert shown.status_code == 200
    cards = Page(shown).all("li", class_="card-cell")
    assert f"p{links[0].split('/')[2]}" not in {card["id"] for card in cards}
    narrowed = client.get(f"{links[0]}?sort=price-up&max_price=30000", headers=ENGLISH)
    assert "Most similar" in narrowed.text
    assert client.get("/product/999999/similar").status_code == 404


def test_a_list_keeps_its_words_filters_and_order_from_page_to_page(client: FlaskClient) -> None:
    start = "/search?q=dress&shop=haru&shop=nuri&class=garment:dress&min_price=10000&sort=price-up"
    client = _with_small_pages(client)
    page = Page(client.get(start))
    (following,) = page.all("a", rel="next")
    assert sorted(parse_qsl(urlsplit(str(following["href"])).query)) == sorted(
        [*parse_qsl(urlsplit(start).query), ("page", "2"), ("from", "1")]
    )
    second = Page(client.get(f"{start}&page=2"))
    assert second.all("a", rel="prev")
    assert not set(_links(page)) & set(_links(second))


def _with_small_pages(client: FlaskClient) -> FlaskClient:
    house = client.application.extensions["mapsi"]
    return House(house.finder, house.taxonomy, house.settings.home).app(page_size=5).test_client()


def _links(page: Page) -> list[str | None]:
    return [link["href"] for link in page.all("a", class_="product")]


def test_more_shows_the_next_page_below_and_then_goes_on_by_itself(client: FlaskClient) -> None:
    client, address, seen = _with_small_pages(client), "/search?q=dress&sort=price-up", []
    for shown in (5, 10, 15):
        page = Page(client.get(address))
        assert len(_links(page)) == shown
        assert _links(page)[: len(seen)] == seen
        seen, (following,) = _links(page), [str(link["href"]) for link in page.all("a", rel="next")]
        address = following.partition("#")[0]
        assert page.all("li", id=following.partition("#")[2])


@given(last=st.integers(1, 60), here=st.integers(1, 60), above=st.integers(0, 4))
def test_every_product_of_a_list_is_reached_by_more(
    house: House, visitor: FlaskClient, last: int, here: int, above: int
) -> None:
    here = min(here, last)
    query, first = Query(page=here), max(1, here - above) if above and here > 1 else 0
    page = ProductPage(products=(), total=last, number=here, size=1)
    listing = ListPage(ListRequest(query, first), page, [], Facets(), {}, house.taxonomy, "en", "pages.words", {})
    with visitor.application.test_request_context():
        asked = dict(parse_qsl(urlsplit(listing.more_url).query))
        assert bool(asked) is (here < last)
        assert not asked or (
            int(asked["page"]) == here + 1 and int(asked.get("from", here + 1)) in (first or here, here + 1)
        )
        assert bool(listing.earlier_url) is ((first or here) > 1)


def test_a_filter_can_be_taken_off_alone(client: FlaskClient) -> None:
    page = Page(client.get("/search?shop=haru&audience=women&class=garment:dress&max_price=50000"))
    chips = [str(chip["href"]) for chip in page.all("a", class_="chip") if "sort=" not in str(chip["href"])]
    assert len(chips) == 4
    assert not any(
        "shop=" in chip and "audience=" in chip and "class=" in chip and "max_price=" in chip for chip in chips
    )
    assert any("shop=" not in chip for chip in chips)


def test_filters_of_a_photo_keep_its_address(client: FlaskClient) -> None:
    address = answered(client)
    page = Page(client.get(f"{address}?class=garment:pants&sort=price-up"))
    (form,) = [form for form in page.all("form") if "data-filters" in form]
    assert (form["action"], form["method"]) == (address, "get")
    assert page.all("input", type="hidden", name="sort", value="price-up")


def test_nothing_found_offers_classes_to_tap(client: FlaskClient) -> None:
    answer = client.get("/search?q=qqqq", headers=ENGLISH)
    page = Page(answer)
    assert answer.status_code == 200
    assert "We found nothing for “qqqq”." in page.text
    chips = [str(chip["href"]) for chip in page.all("a", class_="chip")]
    assert "class=garment:" in chips[0].replace("%3A", ":")
    assert all("product" in client.get(chip).text for chip in chips[:3])
    names = re.findall(r'class="chip"[^>]*>([^<]+)<', answer.text)
    assert len(names) == len(set(names))


def test_words_and_titles_are_text_and_never_markup(client: FlaskClient) -> None:
    answer = client.get("/search", query_string={"q": "<script>alert(1)</script>\"'>"})
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text


BAD_QUERIES = ["from=3", "page=9&from=2", "page=-1", "page=999999", "page=99", "sort=x", "shop=x", "color=x", "exact=x"]


@pytest.mark.parametrize("query", [*BAD_QUERIES, "class=style:x", "class=x", "audience=x"])
def test_a_parameter_that_cannot_be_used_is_a_page_with_a_sentence(client: FlaskClient, query: str) -> None:
    for address in (f"/search?q=dress&{query}", f"{answered(client)}?{query}"):
        answer = client.get(address, headers=KOREAN)
        assert answer.status_code == 400
        assert "<h1>" in answer.text


@pytest.mark.parametrize(("query", "field"), [("min_price=abc", "min_price"), ("min_price=9&max_price=8", "min_price")])
def test_a_mistyped_price_is_told_beside_its_field(client: FlaskClient, query: str, field: str) -> None:
    for address in (f"/search?q=dress&shop=haru&{query}", f"{answered(client)}?shop=haru&{query}"):
        answer = client.get(address, headers=ENGLISH)
        page = Page(answer)
        assert answer.status_code == 400
        assert "We cannot use this price range." in page.text
        (told,) = page.all("input", name=field)
        assert (told["aria-invalid"], told["aria-describedby"]) == ("true", "price-fault")
        assert told["value"] == query.split("&", maxsplit=1)[0].partition("=")[2]
        assert page.all("a", class_="product")
        assert page.all("input", type="checkbox", name="shop", value="haru")[0].get("checked", "no") is None


@pytest.mark.parametrize("words", ["!?", "😀", "..."])
def test_words_without_letters_are_told_beside_the_field(client: FlaskClient, words: str) -> None:
    answer = client.get("/search", query_string={"q": words}, headers=ENGLISH)
    page = Page(answer)
    assert answer.status_code == 400
    assert "These words have no letter or digit." in page.text
    assert page.all("input", name="q")[0]["aria-describedby"] == "words-fault"
    assert page.all("a", class_="chip")


def test_words_over_the_limit_stay_in_the_field_and_are_told_as_what_they_are(client: FlaskClient) -> None:
    long = "linen shirt " * 20
    for words in (long.strip(), "가나다라마 " * 50):
        answer = client.get("/search", query_string={"q": words}, headers=ENGLISH)
        assert answer.status_code == 400
        assert "That is too long to search for." in answer.text
        assert Page(answer).all("input", name="q")[0]["value"] == words


def test_other_words_are_named_and_the_way_back_leads_to_the_words_as_typed(client: FlaskClient) -> None:
    page = Page(client.get("/search?q=wied+pants", headers=ENGLISH))
    assert "We found nothing for “wied pants”, so these are the results for “wide pants”." in page.text
    assert page.all("a", class_="product")
    (back,) = [str(a["href"]) for a in page.all("a") if "exact=1" in str(a.get("href"))]
    assert "We found nothing for “wied pants”." in client.get(back, headers=ENGLISH).text


def test_filters_count_the_search_and_not_the_catalogue(client: FlaskClient) -> None:
    page = Page(client.get("/search?q=dress&shop=haru", headers=ENGLISH))
    shops = {str(tick["value"]): "checked" in tick for tick in page.all("input", name="shop")}
    assert shops == {"haru": True, "nuri": False, "drawn": False}
    assert {str(tick["value"]) for tick in page.all("input", name="class")} == {"garment:dress", "style:one-piece"}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(
                (
                    "q",
                    "page",
                    "sort",
                    "min_price",
                    "max_price",
                    "shop",
                    "class",
                    "audience",
                    "lang",
                    "_scheme",
                    "endpoint",
                )
            ),
            st.text(max_size=12) | st.sampled_from(("1", "haru", "style:knit", "women", "ko", "javascript", "9" * 40)),
        ),
        max_size=5,
    )
)
def test_no_address_breaks_the_search(visitor: FlaskClient, pairs: list[tuple[str, str]]) -> None:
    answer = visitor.get("/search", query_string=MultiDict(pairs))
    assert answer.status_code in (200, 400)
    assert all(str(link.get("href", "/")).startswith(("/", "#", "https://shop.")) for link in Page(answer).all("a"))


prices = st.none() | st.decimals(min_value=0, max_value=10**12 - 1, places=2)


@given(
    low=prices,
    high=prices,
    sort=st.sampled_from(SORTS),
    page=st.integers(1, 1000),
    shops=st.lists(st.sampled_from(("haru", "nuri")), unique=True),
    audiences=st.lists(st.sampled_from(AUDIENCES), unique=True),
    classes=st.dictionaries(st.just("style"), st.just(("knit", "slacks")), max_size=1),
)
def test_an_address_written_is_read_back_the_same(
    low: Decimal | None, high: Decimal | None, sort: Any, page: int, shops: Any, audiences: Any, classes: Any
) -> None:
    if low is not None and high is not None and low > high:
        low, high = high, low
    filters = Filters(min_price=low, max_price=high, shops=tuple(shops), audiences=tuple(audiences), classes=classes)
    query = Query(filters=filters, sort=sort, page=page, size=24)
    written = write_query(query)
    assert read_query(written, taxonomy=load_taxonomy(), shops=lambda: ("haru", "nuri"), size=24) == query


def test_an_empty_catalogue_has_pages_too(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*arguments: object) -> ProductPage:
        return ProductPage(products=(), total=0, number=1, size=24)

    app = house.app()
    monkeypatch.setattr(house.catalog.listings, "search", nothing)
    monkeypatch.setattr(house.finder, "by_look", nothing)
    client = app.test_client()
    assert client.get("/").status_code == 200
    assert "There are no products here yet." in client.get("/search", headers=ENGLISH).text
    assert client.get(answered(client)).status_code == 200


# --- languages


def test_the_language_is_asked_for_then_remembered_then_the_browsers(house: House) -> None:
    client = house.app(language="en").test_client()
    assert client.get("/").headers["Content-Language"] == "en"
    assert client.get("/", headers={"Accept-Language": "fr"}).headers["Content-Language"] == "en"
    assert client.get("/", headers=KOREAN).headers["Content-Language"] == "ko"
    asked = client.get("/?lang=ko")
    assert asked.headers["Content-Language"] == "ko"
    assert "HttpOnly" in next(cookie for cookie in asked.headers.getlist("Set-Cookie") if cookie.startswith("lang=ko"))
    assert client.get("/", headers=ENGLISH).headers["Content-Language"] == "ko"
    assert client.get("/?lang=xx", headers=ENGLISH).headers["Content-Language"] == "ko"


@pytest.mark.parametrize(
    "address", ["//evil.example/", "///evil.example/..", "/search?_scheme=javascript&_external=1&endpoint=x&q=a"]
)
def test_the_switch_of_language_stays_on_this_site(client: FlaskClient, address: str) -> None:
    page = Page(client.get(address, headers=ENGLISH, follow_redirects=False))
    for link in page.all("a", hreflang="ko"):
        assert re.match(r"/(\?|search\?)", str(link["href"]))


def test_prices_are_written_as_the_language_writes_them() -> None:
    assert format_price(Decimal(29000), "KRW", "ko") == "29,000원"
    assert format_price(Decimal(29000), "KRW", "en") == "₩29,000"
    assert format_price(Decimal("19.9"), "USD", "en") == "$19.90"
    assert format_price(Decimal("19.9"), "EUR", "ko") == "€19.90"


def _folder() -> Path:
    return Path(str(mapsi.web.__file__)).parent


@cache
def _messages(language: str) -> Messages:
    with (_folder() / "translations" / language / "LC_MESSAGES" / "messages.po").open("rb") as opened:
        return read_po(opened, locale=language)


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_compiled_catalogue_is_as_fresh_as_its_source(language: str) -> None:
    compiled = io.BytesIO()
    write_mo(compiled, _messages(language))
    assert (_folder() / "translations" / language / "LC_MESSAGES" / "messages.mo").read_bytes() == compiled.getvalue()


def _texts() -> set[str]:
    with (_folder() / "translations" / "babel.cfg").open(encoding="utf-8") as opened:
        methods, options = parse_mapping_cfg(opened)
    found = extract_from_dir(str(_folder()), methods, options)
    return {message[0] if isinstance(message, tuple) else message for _, _, message, _, _ in found}


@pytest.mark.parametrize("language", ["ko", "en"])
def test_every_text_is_in_the_catalogues_and_no_other_is(language: str) -> None:
    assert {message.id[0] if isinstance(message.id, tuple) else message.id for message in _messages(language)} - {
        ""
    } == _texts()


def test_every_text_has_its_korean() -> None:
    for message in _messages("ko"):
        if not message.id:
            continue
        strings = message.string if isinstance(message.string, tuple | list) else (message.string,)
        assert all(strings), message.id
        assert not message.fuzzy
        assert not list(message.check(_messages("ko"))), message.id


def test_a_percent_sign_in_a_text_is_doubled() -> None:
    """Templates fill every text in by ``%``, also one without values."""
    for language in ("ko", "en"):
        for message in _messages(language):
            for text in message.string if isinstance(message.string, tuple | list) else (message.string,):
                assert "%" not in re.sub(r"%%|%\(\w+\)[ds]", "", text), text


def test_a_page_in_korean_has_no_english_sentence_left(client: FlaskClient) -> None:
    pages = ("/", "/about", "/search?q=qqqq", "/search?q=dress", answered(client), answered(client, grey_bytes()), "/x")
    english = {text for text in _texts() if len(text) > 12 and "%" not in text}
    for address in pages:
        text = client.get(address, headers=KOREAN).text
        assert not {sentence for sentence in english if sentence in text}, address


# --- safety


def test_every_answer_carries_the_headers_that_protect_it(client: FlaskClient) -> None:
    for address in ("/", "/search?q=a", "/nothing", "/api/v1/openapi.json", "/static/mapsi.css", "/healthz"):
        with client.get(address) as answer:
            policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
            assert (policy["default-src"], policy["script-src"], policy["style-src"]) == ("'none'", "'self'", "'self'")
            assert (policy["base-uri"], policy["frame-ancestors"], policy["form-action"]) == (
                "'none'",
                "'none'",
                "'self'",
            )
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert answer.headers["Referrer-Policy"] == "same-origin"
            assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
            assert "camera=()" in answer.headers["Permissions-Policy"]


def test_no_page_has_a_script_or_a_style_of_its_own(client: FlaskClient) -> None:
    for address in ("/", "/about", "/search", answered(client), "/nothing"):
        answer = client.get(address)
        page = Page(answer)
        assert all(script.get("src") for script in page.all("script"))
        assert not page.all("style")
        assert not [found for _, found in page.tags if "style" in found or any(key.startswith("on") for key in found)]
        assert not re.search(r"""(src|href)="(https?:)?//(?!shop\.example\.com)""", answer.text)


@pytest.mark.parametrize("parameter", ["box=0,0,0,0", "box=nan,0,1,1", "page=x", "class=garment:nothing", "less=-1"])
def test_what_an_address_cannot_ask_for_is_left_out_at_a_press_and_nothing_else_is_lost(
    client: FlaskClient, parameter: str
) -> None:
    address = f"{answered(client)}?sort=price-up"
    refused = client.get(f"{address}&{parameter}", headers=ENGLISH)
    told = "No part of the photo lies in that box." if parameter.startswith("box") else "we do not have"
    assert (refused.status_code, told in refused.text) == (400, True)
    assert [link["href"] for link in Page(refused).all("a", class_="btn btn-ink")] == [address]


def test_a_form_without_its_token_is_refused(client: FlaskClient) -> None:
    address = answered(client)
    for path, form in (("/search/photo", photo_form(photo_bytes())), (f"{address}/forget", {})):
        refused = client.post(path, **form, headers=ENGLISH)
        assert refused.status_code == 400
        assert "open for too long" in refused.text
    assert client.get(address).status_code == 200


@pytest.mark.parametrize("behind_tls", [False, True])
def test_cookies_are_for_this_site_only_and_secure_behind_tls(house: House, behind_tls: bool) -> None:
    cookies = house.app(behind_tls=behind_tls).test_client().get("/?lang=ko").headers.getlist("Set-Cookie")
    assert len(cookies) == 2
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert ("Secure" in cookie) is behind_tls


def test_only_trusted_proxies_are_believed(house: House) -> None:
    claim = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "mapsi.example"}
    for proxies, image in ((0, "http://localhost/"), (1, "https://mapsi.example/")):
        client = house.app(trusted_proxies=proxies, words_rate="1 per minute").test_client()
        first = client.get("/api/v1/search/words?q=coat", headers=claim)
        assert first.json["products"][0]["image"].startswith(image)
        other = client.get("/api/v1/search/words?q=coat", headers={**claim, "X-Forwarded-For": "203.0.113.10"})
        assert other.status_code == (200 if proxies else 429)


def test_too_many_searches_are_a_page_that_says_to_wait(house: House) -> None:
    client = house.app(words_rate="1 per minute").test_client()
    assert client.get("/search?q=a").status_code == 200
    refused = client.get("/search?q=a", headers=ENGLISH)
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) > 0
    assert "a lot of searches" in refused.text


def test_a_malformed_rate_is_reported_when_the_application_is_made(house: House) -> None:
    with pytest.raises(SettingError, match="MAPSI_IMAGE_RATE"):
        house.app(image_rate="often")


@pytest.mark.parametrize("digest", ["..%2f..%2fcatalog", "0", "z" * 64, "0" * 64, "A" * 64, "%00" * 8])
def test_only_pictures_of_ours_are_given_out(client: FlaskClient, digest: str) -> None:
    assert client.get(f"/pictures/{digest}.webp").status_code == 404


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "", "ftp://x/", " https://x"]
)
def test_only_web_addresses_are_linked(link: str) -> None:
    assert not is_http(link)


def test_an_unexpected_error_is_a_calm_page(
    house: House, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*arguments: object) -> None:
        raise RuntimeError("sesame")

    app = house.app()
    monkeypatch.setattr(house.catalog.listings, "search", fail)
    with caplog.at_level(logging.ERROR):
        answer = app.test_client().get("/", headers=ENGLISH)
    assert answer.status_code == 500
    assert "Something went wrong on our side." in answer.text
    assert "sesame" not in answer.text
    assert "sesame" in caplog.text


# --- files


def test_style_sheets_and_scripts_are_named_by_content_kept_and_compressed(client: FlaskClient) -> None:
    page = Page(client.get("/"))
    addresses = [str(link["href"]) for link in page.all("link", rel="stylesheet")]
    addresses += [str(script["src"]) for script in page.all("script")]
    assert len(addresses) == 9
    for address in addresses:
        assert re.search(r"\?v=[0-9a-f]{12}$", address)
        with client.get(address) as plain, client.get(address, headers={"Accept-Encoding": "gzip"}) as packed:
            assert "immutable" in plain.headers["Cache-Control"]
            assert packed.headers["Content-Encoding"] == "gzip"
            assert len(packed.data) < len(plain.data) / 2


def test_robots_and_the_icon_are_there(client: FlaskClient) -> None:
    assert "Disallow: /photo/" in client.get("/robots.txt").text
    with client.get("/favicon.ico") as icon:
        assert icon.mimetype == "image/svg+xml"


@pytest.mark.parametrize("address", ["/", "/search", "/search?q=qqqq", "/product/1/similar", "/saved", "/nowhere"])
def test_every_icon_is_drawn_once_on_its_page(client: FlaskClient, address: str) -> None:
    page = client.get(address).text
    drawn = re.findall(r'<symbol id="(icon-\w+)"', page)
    assert len(drawn) == len(set(drawn))
    assert set(re.findall(r'<use href="#(icon-\w+)"', page)) <= set(drawn)


# --- words about products


@pytest.mark.parametrize(
    ("name", "language", "title"),
    [
        ("린넨 셔츠 · 로즈 / Linen Shirt, Rose", "ko", Title("린넨 셔츠 · 로즈")),
        ("린넨 셔츠 · 로즈 / Linen Shirt, Rose", "en", Title("Linen Shirt, Rose")),
        ("Linen Shirt | 린넨 셔츠", "ko", Title("린넨 셔츠")),
        ("Linen Shirt", "ko", Title("Linen Shirt", "en")),
        ("린넨 셔츠", "en", Title("린넨 셔츠", "ko")),
        ("블랙 / 화이트 티셔츠", "ko", Title("블랙 / 화이트 티셔츠")),
        ("501", "ko", Title("501")),
    ],
)
def test_a_title_in_two_languages_is_shown_in_the_readers_and_another_is_marked(
    name: str, language: str, title: Title
) -> None:
    assert title_for(name, language) == title


@pytest.mark.parametrize(
    ("currencies", "lowest", "told"),
    [
        (["KRW", "KRW"], "9000", ["Up to ₩50,000", "From ₩50,001"]),
        (["USD"], "9.50", ["Up to $50,000.00", "From $50,001.00"]),
        (["KRW", "USD"], "9000", []),
        (["KRW"], "9.50", []),  # of the first page; others of the list cost dollars
    ],
)
def test_ranges_of_prices_are_offered_where_all_are_of_one_currency(
    house: House, currencies: list[str], lowest: str, told: list[str]
) -> None:
    one = house.catalog.listings.search(Query(size=1)).products[0]
    products = tuple(replace(one, currency=currency) for currency in currencies)
    ranges = (
        PriceRange(low=None, high=Decimal(50000), count=3),
        PriceRange(low=Decimal(50001), high=None, count=2),
    )
    facets = Facets(price_min=Decimal(lowest), price_max=Decimal(90000), prices=ranges)
    page = ProductPage(products=products, total=5, number=1, size=24)
    listing = ListPage(ListRequest(Query()), page, [], facets, {}, house.taxonomy, "en", "pages.words", {})
    with house.app().test_request_context(headers=ENGLISH):
        assert [choice.name for choice in listing.price_choices] == told
        assert listing.has_several_currencies == (told == [])
        assert listing.high_hint == ("90,000" if told else "Highest")


def test_a_shop_with_a_name_in_each_language_is_called_by_the_readers(house: House) -> None:
    product = house.catalog.listings.search(Query(size=1)).products[0]
    with house.app().test_request_context():
        for name, language, shown in (
            ("맵시 샘플 / Mapsi samples", "en", Title("Mapsi samples")),
            ("맵시 샘플 / Mapsi samples", "ko", Title("맵시 샘플")),
            ("하루", "en", Title("하루", "ko")),
        ):
            assert view_card(replace(product, shop_name=name), house.taxonomy, language).shop == shown


def test_a_sale_shows_what_is_saved_beside_the_old_price(client: FlaskClient) -> None:
    muffler = product(lowest_price=Decimal(39200), regular_price=Decimal(49000), category="Accessories > Mufflers")
    with client.application.test_request_context():
        card = view_card(muffler, load_taxonomy(), "ko")
        assert (card.price, card.regular_price, card.saving) == ("39,200원", "49,000원", 20)
        assert card.keyword == ""
        assert view_card(muffler, load_taxonomy(), "en").keyword == "Mufflers"
        full = view_card(replace(muffler, regular_price=Decimal(39200)), load_taxonomy(), "ko")
        assert (full.regular_price, full.saving) == ("", 0)


def test_a_keyword_is_the_style_then_the_garment_then_the_category() -> None:
    taxonomy = load_taxonomy()

    def keyword(classes: tuple[tuple[str, str], ...], category: str = "") -> str:
        return product_keyword(product(classes=classes, category=category), taxonomy, "ko")

    assert keyword((("garment", "shirt"), ("style", "linen-shirt"))) == "린넨 셔츠"
    assert keyword((("garment", "pants"),), "Men > Trousers") == "바지"
    assert keyword((), "Men > Trousers") == "Trousers"
    assert keyword(()) == ""


def test_a_class_that_the_taxonomy_lacks_is_named_by_its_slug() -> None:
    assert class_name(Taxonomy({}), "style", "knit") == Name("knit", "knit")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("blouse", "There is no “blouse” here. These come closest:"),
        ("linen xyzzy", "No product matches all of this. Without “xyzzy”, these come closest:"),
    ],
)
def test_that_nothing_matches_is_said_of_one_word_otherwise_than_of_several(
    client: FlaskClient, words: str, told: str
) -> None:
    page = client.get("/search", query_string={"q": words}, headers=ENGLISH).text
    assert told in page
    assert "“blouse”, these" not in page


def test_guesses_are_said_in_words_that_fit_their_confidence(client: FlaskClient) -> None:
    def words(confidence: float, known: bool, **others: AxisReading) -> str:
        reading = AxisReading("style", known, (Guess("knit", confidence),), None)  # type: ignore[arg-type]
        with client.application.test_request_context(headers=ENGLISH):
            views = view_axes(Reading(None, {"style": reading, **others}), load_taxonomy(), "en")  # type: ignore[arg-type]
        return next(view.words for view in views if view.slug == "style")

    assert [words(share, True) for share in (0.95, 0.7, 0.4)] == ["Almost certain", "Fairly sure", "Probably"]
    alone = {share: words(share, False) for share in (0.97, 0.73)}  # a photo of which nothing is known
    assert alone == {0.97: "Likely, but not certain", 0.73: "Just a guess"}
    sure = AxisReading("audience", True, (Guess("women", 0.9),), None)  # type: ignore[arg-type]
    told = {share: words(share, False, audience=sure) for share in (0.73, 0.3)}
    assert told == {0.73: "Likely, but not certain", 0.3: "Just a guess"}
