"""One product of several shops on pages, in the API and on the command line, and the operator's word against it."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from mapsi.catalog import Catalog
from mapsi.catalog.operations.jobs import Job
from mapsi.catalog.query import Query
from mapsi.cli import main
from offers import offer, take_in
from operated import Desk, post
from test_readings import IMAGE, give_picture

GTIN = "8801234567893"
WORDS = "크로셰"


@pytest.fixture(scope="module")
def desk(opened_desk: Desk) -> Desk:
    """Two shops sell one shirt."""
    take_in(opened_desk.catalog, offer("a", f"{WORDS} 셔츠", 30000, gtin=GTIN), shop="dear", shop_name="Dear")
    take_in(opened_desk.catalog, offer("b", f"{WORDS} shirt", 25000, gtin=GTIN), shop="cheap", shop_name="Cheap")
    return opened_desk


def found(catalog: Catalog) -> list[tuple[str, int]]:
    return [(one.shop, one.shops) for one in catalog.listings.search(Query(words=WORDS)).products]


def test_a_card_leads_to_what_each_shop_asks(desk: Desk) -> None:
    shopper = desk.app().test_client()
    (card,) = shopper.get(f"/api/v1/search/words?q={WORDS}").get_json()["products"]
    assert (card["shop"], card["shops"], card["lowest_price"]) == ("Cheap", 2, 25000)
    offers = shopper.get(f"/api/v1/products/{card['id']}/offers").get_json()["offers"]
    assert [(one["shop"], one["lowest_price"]) for one in offers] == [("Cheap", 25000), ("Dear", 30000)]
    listed = shopper.get(f"/search?q={WORDS}&lang=en").text
    assert f'href="/product/{card["id"]}"' in listed
    assert "2 shops" in listed
    page = shopper.get(f"/product/{card['id']}?lang=en").text
    assert page.index("25,000") < page.index("30,000")
    assert all(f"/go/{one['id']}" in page for one in offers)


def test_a_product_of_one_shop_has_its_page_too(desk: Desk) -> None:
    take_in(desk.catalog, offer("c", "하나뿐인 셔츠"), shop="third", shop_name="Third")
    shopper = desk.app().test_client()
    (card,) = shopper.get("/api/v1/search/words?q=하나뿐인&exact=1").get_json()["products"]
    assert card["shops"] == 1
    assert [one["id"] for one in shopper.get(f"/api/v1/products/{card['id']}/offers").get_json()["offers"]] == [
        card["id"]
    ]
    assert "Third" in shopper.get(f"/product/{card['id']}").text
    assert shopper.get("/api/v1/products/999999/offers").status_code == 404
    assert shopper.get(f"/api/v1/products/{card['id']}/offers?lang=xx").status_code == 400


def test_an_operator_sees_why_and_parts_it(desk: Desk) -> None:
    client, address = desk.client(), "/operator/joins?lang=en"
    page = client.get(address).text
    assert f"GTIN {GTIN}" in page
    number = desk.catalog.listings.search(Query(words=WORDS)).products[0].id
    assert post(client, f"/operator/joins/{number}/part", page=address).status_code == 303
    assert sorted(found(desk.catalog)) == [("cheap", 1), ("dear", 1)]
    assert Job("index") in [one.job for one in desk.catalog.jobs.all()]
    assert "Join it again" in client.get(address).text
    assert post(client, f"/operator/joins/{number}/allow", page=address).status_code == 303
    assert found(desk.catalog) == [("cheap", 2)]
    assert desk.app().test_client().get("/operator/joins").status_code == 303


def test_the_command_lists_parts_and_allows(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAPSI_HOME", str(desk.house.home))
    monkeypatch.setenv("MAPSI_DATABASE_URL", desk.catalog._database.engine.url.render_as_string(hide_password=False))

    def run(*words: str) -> str:
        result = CliRunner().invoke(main, ["catalog", "joins", *words])
        return f"{result.exit_code} {result.output}"

    number = str(desk.catalog.listings.search(Query(words=WORDS)).products[0].id)
    assert f"GTIN {GTIN.zfill(14)}" in run("list")
    assert json.loads(run("list", "--json")[2:])[0]["offers"][0]["id"] == number
    assert run("part", number).startswith("0 ")
    assert [one.job for one in desk.catalog.jobs.all()] == [Job("index")], "the pictures' index joins them as well"
    assert "0 products" in run("list")
    assert "1 others" in run("allow", number)
    assert run("part", "999999").startswith("3 ")


def test_what_copies_of_a_picture_joined_is_told_so(desk: Desk) -> None:
    for shop in ("first", "second"):
        take_in(desk.catalog, offer("p", "누빔 조끼", image=IMAGE, brand="나이키"), shop=shop, shop_name=shop.title())
    taken = [one.id for one in desk.catalog.listings.search(Query(words="누빔 조끼")).products]
    give_picture(desk.catalog, *taken)
    desk.catalog.joins.renew()
    client = desk.client()
    assert "copies of one picture, brand NIKE" in client.get("/operator/joins?lang=en").text
    assert "같은 사진(크기·압축만 다른 것 포함), 브랜드 NIKE" in client.get("/operator/joins?lang=ko").text
    (part, _) = desk.catalog.joins.of(taken[0])
    assert part.shares[0].told == f"copies of picture {part.shares[0].value[:12]}, brand NIKE"
