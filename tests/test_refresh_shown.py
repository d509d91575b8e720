"""Past its time to live an offer is shown on no page and in no answer, long before a sweep takes it out."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from mapsi.catalog import open_catalog
from mapsi.catalog.filters import Filters
from mapsi.catalog.imports.sources import NewSource
from mapsi.catalog.query import Query
from mapsi.errors import NotFoundError
from offers import TAXONOMY
from refreshing import HOUR, Clock
from small_house import CopiedHouse, House, photo_bytes, photo_form


@pytest.fixture
def house(copied_house: CopiedHouse, clock: Clock) -> Iterator[House]:
    """The shops Haru, whose offers live for an hour, and Nuri and Drawn, whose offers live on."""
    with copied_house(clock) as opened:
        with open_catalog(f"sqlite:///{opened.home / 'catalog.db'}", clock) as catalog:
            address = "https://haru.example.com/feed"
            source = catalog.sources.add(NewSource(name="Haru", format="csv", address=address, time_to_live=HOUR))
            with catalog.imports.begin(source, TAXONOMY) as run:
                run.renew()
        yield opened


def shops_in_photo_search(client: FlaskClient) -> set[str]:
    answer = client.post("/api/v1/search/image?size=100", **photo_form(photo_bytes()))
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    assert answer.json["total"] == len(answer.json["products"])
    return {product["shop"] for product in answer.json["products"]}


def shops_in_word_search(client: FlaskClient) -> set[str]:
    answer = client.get("/api/v1/search/words?q=셔츠&size=100")
    assert answer.json is not None
    return {product["shop"] for product in answer.json["products"]}


def test_an_expired_offer_is_shown_nowhere(house: House, clock: Clock) -> None:
    client = house.app(page_size=100).test_client()
    pages = ("/", "/search", "/search?q=셔츠", "/search?sort=price-up", "/search?shop=nuri")
    expired = {
        product.id
        for product in house.catalog.listings.search(Query(filters=Filters(shops=("haru",)), size=100)).products
    }
    assert len(expired) == 30
    assert sum("haru" in client.get(page).text.lower() for page in pages) > 1
    assert shops_in_photo_search(client) == shops_in_word_search(client) == {"Haru", "Nuri", "Drawn"}

    clock.advance(HOUR)
    assert not [page for page in pages if "haru" in client.get(page).text.lower()]
    assert shops_in_photo_search(client) == shops_in_word_search(client) == {"Nuri", "Drawn"}
    assert {shop.slug for shop in house.catalog.listings.facets().shops} == {"nuri", "drawn"}
    for product_id in expired:
        with pytest.raises(NotFoundError):
            house.finder.product(product_id)


def test_the_answer_to_a_photo_on_its_page_loses_them_too(house: House, clock: Clock) -> None:
    client = house.app(page_size=100).test_client()
    token = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', client.get("/").text)
    assert token is not None
    there = client.post("/search/photo", **photo_form(photo_bytes(), csrf_token=token[1])).headers["Location"]
    assert "haru" in client.get(there).text
    clock.advance(HOUR)
    assert "haru" not in client.get(there).text
