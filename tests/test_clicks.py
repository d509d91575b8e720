"""Ways to shops: counted by day, shop and class, and leading nowhere but to the shop."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from mapsi.catalog import Catalog
from mapsi.catalog.operations.clicks import KEPT, ClickCount
from mapsi.catalog.query import Query
from mapsi.web.state.services import current_services
from offers import offer, take_in
from refreshing import DAY, Clock
from small_house import House


def test_clicks_are_counted_by_day_shop_and_class(catalog: Catalog, clock: Clock) -> None:
    take_in(catalog, offer("a", "니트 가디건"), shop="haru")
    take_in(catalog, offer("b", "이것저것"), shop="nuri")
    knit, other = (
        replace(one, classes=one.classes) for one in catalog.listings.search(Query(sort="price-up", size=9)).products
    )
    knit, other = (knit, other) if knit.classes else (other, knit)
    for product, times in ((knit, 3), (other, 1)):
        for _ in range(times):
            catalog.clicks.note(product)
    first = f"{clock():%Y-%m-%d}"
    clock.advance(DAY)
    catalog.clicks.note(knit)
    assert catalog.clicks.by_day() == [ClickCount(f"{clock():%Y-%m-%d}", 1), ClickCount(first, 4)]
    assert catalog.clicks.by_shop() == [ClickCount(knit.shop, 4), ClickCount(other.shop, 1)]
    assert {one.times for one in catalog.clicks.by_class()} == {4}
    assert {one.name for one in catalog.clicks.by_class()} == {f"{axis}:{slug}" for axis, slug in knit.classes}
    assert catalog.clicks.by_shop(days=1) == [ClickCount(knit.shop, 1)]
    clock.advance(KEPT + timedelta(days=2))
    catalog.clicks.note(knit)
    assert len(catalog.clicks.by_day(days=10_000)) == 1, "older days go"


def test_the_way_to_a_shop_leads_there_and_is_counted_without_who_went(house: House) -> None:
    app = house.app()
    client = app.test_client()
    real = next(
        one for one in house.catalog.listings.search(Query(sort="price-up", size=90)).products if one.shop == "haru"
    )
    answer = client.get(f"/go/{real.id}?to=https://evil.example&next=//evil.example")
    assert (answer.status_code, answer.headers["Location"]) == (302, real.link)
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers.getlist("Set-Cookie") == []
    client.head(f"/go/{real.id}")
    client.get(f"/go/{real.id}", headers={"Sec-Purpose": "prefetch"})
    with app.app_context():
        current_services().notes.close()
    assert [(one.name, one.times) for one in house.catalog.clicks.by_shop()] == [("haru", 1)]


def test_what_has_no_page_in_a_shop_is_a_sentence(house: House) -> None:
    client = house.app().test_client()
    sample = next(one for one in house.catalog.listings.search(Query(sort="price-up", size=90)).products if one.sample)
    for address in (f"/go/{sample.id}", "/go/999999", f"/go/{2**70}", "/go/https://evil.example", "/go/-1"):
        assert client.get(address).status_code == 404
    assert "Disallow: /go/" in client.get("/robots.txt").text
