"""Pictures on the pages: small ones for phones, kept by browsers for good, or the shop's own where no copy is
allowed."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from PIL import Image

from mapsi.catalog.query import Query
from mapsi.documents import product_image
from mapsi.pictures.store import FULL, PictureStore
from mapsi.web.lists.cards import view_picture
from offers import product
from small_house import House

DIGEST = "ab" * 32
PRODUCT = product(picture=DIGEST, picture_size=(540, 720))
LINKED = replace(PRODUCT, picture="", picture_size=(0, 0), linked_picture="https://img.example.com/1.jpg")


@pytest.fixture
def client(house: House) -> FlaskClient:
    return house.app().test_client()


def test_cards_name_every_size_with_its_width(client: FlaskClient) -> None:
    page = client.get("/search").get_data(as_text=True)
    cards = re.findall(r'<img src="([^"]+)" srcset="([^"]+)" sizes="([^"]+)"', page)
    assert len(cards) > 10
    for src, srcset, sizes in cards:
        assert "50vw" in sizes
        for entry in srcset.split(", "):
            address, width = entry.split()
            with client.get(address) as answer:
                assert Image.open(io.BytesIO(answer.data)).width == int(width.removesuffix("w"))
                assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert srcset.split(", ")[-1].startswith(src)


def test_a_browser_that_has_a_picture_is_sent_no_other(client: FlaskClient) -> None:
    page = client.get("/search").get_data(as_text=True)
    address = re.findall(r"/pictures/\w+-240\.webp", page)[0]
    with client.get(address) as first:
        etag = first.headers["ETag"]
    with client.get(address, headers={"If-None-Match": etag}) as again:
        assert again.status_code == 304
    with client.get(address.replace("-240", "")) as full:
        assert full.headers["ETag"] != etag


def test_a_size_that_is_not_made_yet_is_stood_in_for_a_while(house: House, client: FlaskClient) -> None:
    product = house.catalog.listings.search(Query(size=1)).products[0]
    small = house.finder.pictures.path(product.picture, 240)
    assert small is not None
    hidden = small.rename(small.with_suffix(".away"))
    try:
        with client.get(f"/pictures/{product.picture}-240.webp") as answer:
            assert answer.status_code == 200
            assert answer.headers["Cache-Control"] == "public, max-age=3600"
    finally:
        hidden.rename(small)


@pytest.mark.parametrize("name", [DIGEST, f"{DIGEST}-240", f"{DIGEST}-999", f"{DIGEST}-1", "x", f"{DIGEST}-24a"])
def test_other_addresses_hold_no_picture(client: FlaskClient, name: str) -> None:
    assert client.get(f"/pictures/{name}.webp").status_code == 404


def test_a_picture_without_smaller_copies_needs_no_choice(house: House) -> None:
    with house.app().test_request_context():
        small = view_picture(replace(PRODUCT, picture_size=(180, 240)))
        large = view_picture(PRODUCT)
    assert small is not None
    assert large is not None
    assert small.srcset == ""
    assert [entry.split()[1] for entry in large.srcset.split(", ")] == ["180w", "360w", "540w"]
    assert PictureStore(Path(), None).path(DIGEST, FULL) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://img.example.com/1.jpg", True),
        ("http://img.example.com/1.jpg", False),
        ("javascript:alert(1)", False),
        ("/etc/passwd", False),
        ("", False),
    ],
)
def test_a_linked_picture_is_shown_from_its_shop_over_https_only(house: House, address: str, shown: bool) -> None:
    app = house.app()
    product = replace(LINKED, linked_picture=address)

    @app.get("/one-card")
    def one_card() -> str:
        from flask import get_template_attribute

        view = view_picture(product)
        if view is None:
            return "nothing"
        draw = get_template_attribute("_products.html", "product_picture")
        return str(draw(view, "", 4, 5, "", False))

    answer = app.test_client().get("/one-card")
    page, policy = answer.get_data(as_text=True), answer.headers["Content-Security-Policy"]
    assert (f'src="{address}"' in page) == shown
    assert ('referrerpolicy="no-referrer"' in page) == shown
    assert ("img-src 'self' blob: data: https:;" in policy) == shown


def test_pages_without_linked_pictures_let_in_our_own_only(client: FlaskClient) -> None:
    assert "https:" not in client.get("/search").headers["Content-Security-Policy"]


def test_the_api_gives_the_linked_address_where_no_copy_is_kept() -> None:
    assert product_image(PRODUCT, "http://here") == f"http://here/pictures/{DIGEST}.webp"
    assert product_image(LINKED, "http://here") == "https://img.example.com/1.jpg"
    assert product_image(replace(LINKED, linked_picture="/a/path.png"), "http://here") is None
    assert product_image(PRODUCT, "") is None
