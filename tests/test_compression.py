"""Pages are sent compressed, and what they say of their visitor is not read out of their length."""

from __future__ import annotations

import gzip
from itertools import chain

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mapsi.web.request.compression import gzipped, noise
from mapsi.web.request.forms import mask, unmask
from small_house import House, photo_bytes, photo_form
from test_web import Page, answered

SAME_CLIENT = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
"""One client serves all examples of a property: it keeps nothing of a request that was refused."""


@pytest.fixture
def client(house: House) -> FlaskClient:
    return house.app().test_client()


@pytest.mark.parametrize("address", ["/", "/search?q=shirt", "/api/v1/search/words?q=shirt", "/openapi.json"])
def test_whatever_is_text_is_compressed_for_who_takes_it_so(client: FlaskClient, address: str) -> None:
    plain, packed = client.get(address), client.get(address, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert len(packed.data) < len(plain.data) / 2
    assert "Accept-Encoding" in plain.headers["Vary"]


def test_the_answer_to_a_photo_weighs_less_than_100_kb_with_all_that_it_needs(client: FlaskClient) -> None:
    page = client.get(answered(client), headers={"Accept-Encoding": "gzip"})
    found = Page(client.get("/"))
    files = [link["href"] for link in found.all("link", rel="stylesheet")] + [one["src"] for one in found.all("script")]
    sent = 0
    for address in [*files, "/static/box.js"]:
        with client.get(str(address), headers={"Accept-Encoding": "gzip"}) as file:
            sent += len(file.data)
    assert len(page.data) + sent < 60_000


def test_the_token_of_forms_is_other_text_in_each_answer_and_the_same_in_one(client: FlaskClient) -> None:
    answers = [{field["value"] for field in Page(client.get("/")).all("input", name="csrf_token")} for _ in range(3)]
    assert [len(tokens) for tokens in answers] == [1, 1, 1]
    tokens = [str(token) for token in chain.from_iterable(answers)]
    assert len(set(tokens)) == 3
    assert len({unmask(token).partition(".")[0] for token in tokens}) == 1
    for token in tokens:  # each of them is good
        assert client.post("/search/photo", **photo_form(photo_bytes(), csrf_token=token)).status_code == 303


@given(st.text())
def test_what_was_masked_comes_back_and_never_looks_the_same(token: str) -> None:
    assert unmask(mask(token)) == token
    assert len(token) < 4 or mask(token) != mask(token)


@SAME_CLIENT
@given(st.text() | st.binary().map(lambda data: data.decode("latin-1")))
def test_a_token_that_was_never_made_is_none(client: FlaskClient, token: str) -> None:
    assert client.post("/search/photo", data={"csrf_token": token}).status_code == 400
    assert isinstance(unmask(token), str)


def test_a_page_that_another_site_asks_for_with_our_cookies_does_not_tell_by_its_length(client: FlaskClient) -> None:
    asked = {"Accept-Encoding": "gzip", "Sec-Fetch-Site": "cross-site"}
    stranger = client.application.test_client()
    assert stranger.get("/", headers=asked).headers["Content-Encoding"] == "gzip"  # nothing is known of them yet
    stranger.get("/?lang=ko")
    assert "Content-Encoding" not in stranger.get("/", headers=asked).headers


def test_the_length_of_a_compressed_page_is_blurred() -> None:
    data = b"<p>The same page.</p>" * 100
    assert len({len(gzipped(data, noise())) for _ in range(50)}) > 10
    assert all(gzip.decompress(gzipped(data, noise())) == data for _ in range(10))
