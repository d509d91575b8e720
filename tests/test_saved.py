"""Saved products: on the device, with what became cheaper and what is gone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from mapsi.catalog import Catalog
from mapsi.catalog.query import Query
from mapsi.web.saved.device import COOKIE, MOST, read_device, write_device
from offers import offer, take_in
from small_house import CopiedHouse, House

START = datetime(2026, 3, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)
KOREAN = {"Accept-Language": "ko"}
ENGLISH = {"Accept-Language": "en"}


# --- in the catalogue, on both databases


def numbers(catalog: Catalog) -> dict[str, int]:
    return {product.name: product.id for product in catalog.listings.search(Query(sort="price-up", size=100)).products}


def test_what_became_cheaper_since_it_was_saved_is_told_and_what_became_dearer_is_not(catalog: Catalog) -> None:
    take_in(catalog, offer("a", "a", 30000), offer("b", "b", 30000), offer("c", "c", 30000), now=START)
    ids = numbers(catalog)
    saved = dict.fromkeys(ids.values(), START + DAY)
    take_in(catalog, offer("a", "a", 27000), offer("b", "b", 33000), offer("c", "c", 30000), now=START + 2 * DAY)
    drops = {one.product.name: one.drop for one in catalog.saved.look_up(saved)}
    assert drops == {"a": Decimal(3000), "b": Decimal(0), "c": Decimal(0)}
    later = dict.fromkeys(ids.values(), START + 3 * DAY)
    assert {one.drop for one in catalog.saved.look_up(later)} == {Decimal(0)}


def test_a_price_in_another_currency_is_not_compared(catalog: Catalog) -> None:
    take_in(catalog, offer("a", "a", 30000), now=START)
    saved = dict.fromkeys(numbers(catalog).values(), START)
    take_in(catalog, offer("a", "a", 20, currency="USD"), now=START + DAY)
    (found,) = catalog.saved.look_up(saved)
    assert (found.price_then, found.drop) == (None, 0)


def test_a_product_that_is_gone_is_kept_as_it_last_was(catalog: Catalog) -> None:
    take_in(catalog, offer("a", "first"), offer("b", "second"), now=START)
    saved = {number: START + DAY * at for at, number in enumerate(numbers(catalog).values())}
    take_in(catalog, offer("b", "second"), now=START + 5 * DAY)
    assert {one.product.name: one.shown for one in catalog.saved.look_up(saved)} == {"first": False, "second": True}
    assert catalog.saved.look_up({}) == catalog.saved.look_up({10**9: START, 2**63: START}) == []


def test_the_latest_saved_comes_first(catalog: Catalog) -> None:
    take_in(catalog, *(offer(name, name) for name in "abcd"), now=START)
    ids = numbers(catalog)
    saved = {ids[name]: START + DAY * place for place, name in enumerate("cadb")}
    assert [one.product.name for one in catalog.saved.look_up(saved)] == list("bdac")


# --- on the device


@pytest.fixture(scope="module")
def app(house: House) -> Flask:
    return house.app()


@pytest.fixture
def client(house: House) -> FlaskClient:
    return house.app().test_client()


def hearts(page: TestResponse) -> dict[int, bool]:
    """The products of a page that can be saved, and whether they are."""
    found = re.findall(r'action="/saved/(\d+)".*?aria-pressed="(true|false)"', page.text, re.DOTALL)
    return {int(number): pressed == "true" for number, pressed in found}


def press(client: FlaskClient, product: int, *, page: str = "/search", keep: str | None = None) -> TestResponse:
    """Send the form of hearts by a product's heart as it stands on a page."""
    text = client.get(page).text
    form = re.search(r'<form id="hearts".*?</form>', text, re.DOTALL)
    heart = re.search(rf'<button[^>]* form="hearts" formaction="/saved/{product}"[^>]*>', text)
    assert form is not None
    assert heart is not None
    fields = dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[0] + heart[0]))
    return client.post(f"/saved/{product}", data={**fields, **({} if keep is None else {"keep": keep})})


def test_a_heart_saves_without_javascript_and_leads_back_to_its_card(client: FlaskClient) -> None:
    product = next(iter(hearts(client.get("/search?sort=price-up"))))
    answer = press(client, product, page="/search?sort=price-up")
    assert (answer.status_code, answer.headers["Location"]) == (303, f"/search?sort=price-up#p{product}")
    page = client.get("/search?sort=price-up")
    assert hearts(page)[product]
    assert f'id="p{product}"' in page.text
    assert hearts(client.get("/saved")) == {product: True}
    press(client, product, page="/saved")
    assert hearts(client.get("/saved")) == {}


def test_every_list_shows_what_is_saved(client: FlaskClient) -> None:
    product = next(iter(hearts(client.get("/"))))
    press(client, product, page="/")
    assert hearts(client.get("/"))[product]


def test_a_form_sent_twice_saves_once(client: FlaskClient) -> None:
    product = next(iter(hearts(client.get("/search"))))
    for _ in range(2):
        press(client, product, keep="1")
    assert hearts(client.get("/saved")) == {product: True}
    for _ in range(2):
        press(client, product, page="/search", keep="0")
    assert hearts(client.get("/saved")) == {}


def test_saving_needs_the_forms_token_and_leads_nowhere_else(client: FlaskClient) -> None:
    product = next(iter(hearts(client.get("/search"))))
    assert client.post(f"/saved/{product}", data={"keep": "1"}).status_code == 400
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/search").text)
    assert token is not None
    answer = client.post(f"/saved/{product}", data={"csrf_token": token[1], "keep": "1", "next": "//evil.example"})
    assert answer.headers["Location"] == f"/saved#p{product}"


def test_a_product_that_never_was_is_a_sentence(client: FlaskClient) -> None:
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/search").text)
    assert token is not None
    for number in (10**6, 2**70):
        assert client.post(f"/saved/{number}", data={"csrf_token": token[1], "keep": "1"}).status_code == 404


def test_a_full_device_says_so_and_loses_nothing(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mapsi.web.saved.device.MOST", 2)
    monkeypatch.setattr("mapsi.web.saved.keeping.MOST", 2)
    first, second, third, *_ = hearts(client.get("/search?lang=en"))
    for product in (first, second, third):
        answer = press(client, product)
    assert answer.headers["Location"] == "/saved"
    page = client.get("/saved")
    assert hearts(page).keys() == {first, second}
    assert "room for 2 saved products" in page.text


def test_the_saved_page_speaks_both_languages_and_is_kept_private(client: FlaskClient) -> None:
    assert "아직 담은 상품이 없어요" in client.get("/saved", headers=KOREAN).text
    page = client.get("/saved", headers=ENGLISH)
    assert "Nothing is saved yet" in page.text
    assert 'content="noindex"' in page.text
    assert page.headers["Cache-Control"] == "private, no-cache"


def test_what_became_cheaper_is_marked(copied_house: CopiedHouse) -> None:
    now = datetime.now(UTC)
    with copied_house() as house:
        catalog = house.catalog
        take_in(catalog, offer("a", "the coat", 40000), offer("b", "the hat", 9000), shop="drops", now=now)
        ids = numbers(catalog)
        client = house.app().test_client()
        for name in ("the coat", "the hat"):
            press(client, ids[name], page=f"/search?q={name}")
        take_in(catalog, offer("a", "the coat", 30000), shop="drops", now=now + DAY)
        page = client.get("/saved", headers=ENGLISH).text
        assert "₩10,000 cheaper <b>−25%</b>" in page
        assert "no longer on offer" in page


# --- the cookie


@given(st.dictionaries(st.integers(1, 2**40), st.integers(0, 10**7), max_size=MOST))
def test_what_a_device_keeps_is_read_back_and_fits_a_cookie(app: Flask, minutes: dict[int, int]) -> None:
    saved = {number: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=at) for number, at in minutes.items()}
    with app.test_request_context():
        response = app.response_class()
        write_device(response, saved)
    header = response.headers["Set-Cookie"]
    assert len(header) < 4096
    assert {"HttpOnly", "SameSite=Lax"} <= set(header.split("; "))
    with app.test_request_context(headers={"Cookie": header.partition(";")[0]}):
        assert read_device(datetime(2100, 1, 1, tzinfo=UTC)) == saved


@given(st.text(max_size=60) | st.from_regex(r"([0-9a-z]{1,12}-[0-9a-z]{1,8}\.?){1,5}", fullmatch=True))
def test_a_spoilt_cookie_saves_what_can_be_read_and_breaks_nothing(app: Flask, text: str) -> None:
    with app.test_request_context(environ_overrides={"HTTP_COOKIE": f"{COOKIE}={text.encode().decode('latin-1')}"}):
        now = datetime.now(UTC)
        assert all(number >= 0 and at <= now for number, at in read_device(now).items())
