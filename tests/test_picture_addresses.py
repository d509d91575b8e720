"""A picture's address from a stranger, against a real server: whatever lies there is a picture or a sentence, in
time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from feed_server import FeedServer, Page, served
from mapsi.remote import Fetcher
from mapsi.settings import Settings
from mapsi.web.pages.page_pictures import fetch_picture
from small_house import House, photo_bytes

ENGLISH = {"Accept-Language": "en"}
LIMIT = 200_000
"""The bytes that a photo may have here."""


@pytest.fixture(scope="module")
def shop() -> Iterator[FeedServer]:
    """A shop on loopback; the application is told that this very host and port may be visited."""
    server = FeedServer()
    picture = f'<html><meta property="og:image" content="{server.url("/picture.jpg")}">'
    loop = f'<html><meta property="og:image" content="{server.url("/itself")}">'
    private = '<html><meta property="og:image" content="http://169.254.169.254/latest/meta-data">'
    server.pages = {
        "/picture.jpg": Page(body=photo_bytes()),
        "/page": Page(body=picture.encode()),
        "/huge": Page(body=b"\xff\xd8\xff" + bytes(LIMIT)),
        "/unpacks": Page(body=bytes(50 * LIMIT), packed=True),
        "/endless": Page(body=b"\xff\xd8\xff" + bytes(LIMIT), chunked=True),
        "/cut": Page(body=photo_bytes(), cut=500),
        "/itself": Page(body=loop.encode()),
        "/names-private": Page(body=private.encode()),
        "/round": Page(redirect=server.url("/round")),
        "/there": Page(redirect=server.url("/back")),
        "/back": Page(redirect=server.url("/there")),
        "/to-private": Page(redirect="http://10.0.0.1/picture.jpg"),
        "/to-file": Page(redirect="file:///etc/passwd"),
        "/broken": Page(status=500),
        "/text": Page(body=b"just words"),
    }
    with served(server):
        yield server


@pytest.fixture
def client(house: House, shop: FeedServer) -> FlaskClient:
    return make_client(house, shop)


def make_client(house: House, shop: FeedServer, **settings: object) -> FlaskClient:
    app = house.app(allow_hosts=(shop.host,), photo_bytes=LIMIT, image_rate="1000 per minute", **settings)
    return app.test_client()


def search(client: FlaskClient, address: str) -> TestResponse:
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/").text)
    assert token is not None
    form = {"address": address, "csrf_token": token[1]}
    return client.post("/search/address", data=form, headers=ENGLISH)


@pytest.mark.parametrize("path", ["/picture.jpg", "/page"])
def test_a_picture_or_a_page_that_names_one_is_searched_by(client: FlaskClient, shop: FeedServer, path: str) -> None:
    assert search(client, shop.url(path)).status_code == 303


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/huge", 422, "got no picture"),
        ("/unpacks", 422, "got no picture"),
        ("/endless", 422, "got no picture"),
        ("/cut", 422, "got no picture"),
        ("/round", 422, "got no picture"),
        ("/there", 422, "got no picture"),
        ("/broken", 422, "got no picture"),
        ("/nothing", 422, "got no picture"),
        ("/itself", 415, "not a photo"),
        ("/text", 415, "not a photo"),
        ("/to-private", 400, "do not visit"),
        ("/to-file", 400, "do not visit"),
        ("/names-private", 400, "do not visit"),
    ],
)
def test_an_address_without_a_picture_is_a_sentence_and_stays_in_its_field(
    client: FlaskClient, shop: FeedServer, path: str, status: int, sentence: str
) -> None:
    answer = search(client, shop.url(path))
    assert (answer.status_code, sentence in answer.text) == (status, True)
    assert f'value="{shop.url(path)}"' in answer.text


@pytest.mark.parametrize("address", ["http://127.0.0.1:1/a", "http://192.168.0.1/a.jpg", "https://[::1]/a.jpg"])
def test_a_private_address_is_not_visited(client: FlaskClient, shop: FeedServer, address: str) -> None:
    before = len(shop.asked)
    assert search(client, address).status_code == 400
    assert len(shop.asked) == before


def test_an_address_that_does_not_answer_is_given_up(house: House, shop: FeedServer) -> None:
    shop.pages["/slow"] = Page(body=photo_bytes(), wait=3600)
    assert search(make_client(house, shop, fetch_seconds=1), shop.url("/slow")).status_code == 422


@pytest.mark.parametrize(
    ("typed", "visited"),
    [
        ("shop.kr/p/1", "https://shop.kr/p/1"),
        ("www.shop.kr", "https://www.shop.kr"),
        ("http://shop.kr/p", "http://shop.kr/p"),
        ("file:///etc/passwd", "file:///etc/passwd"),  # which the fetcher refuses
    ],
)
def test_an_address_is_typed_as_people_say_it(
    house: House, monkeypatch: pytest.MonkeyPatch, typed: str, visited: str
) -> None:
    asked: list[str] = []
    fetcher = Fetcher()

    def fetch(address: str, **_: object) -> SimpleNamespace:
        asked.append(address)
        return SimpleNamespace(url=address, data=photo_bytes())

    monkeypatch.setattr(fetcher, "fetch", fetch)
    assert fetch_picture(fetcher, typed, Settings(home=house.home)) == photo_bytes()
    assert asked == [visited]
