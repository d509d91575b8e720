"""Corrections of classes: seen on a wall of pictures, and kept over refreshes and models."""

from __future__ import annotations

import re

import pytest

from mapsi.catalog import Catalog
from mapsi.catalog.filters import Filters
from mapsi.catalog.operations.jobs import Job
from mapsi.catalog.query import Query
from mapsi.errors import UsageError
from offers import TAXONOMY, offer, take_in
from operated import Desk, post
from test_readings import digest, embedding, give_picture, label

AXIS = "style"
FIRST, SECOND, THIRD = [one.slug for one in TAXONOMY.axes[AXIS].classes][:3]


def products(catalog: Catalog) -> dict[str, int]:
    return {one.name: one.id for one in catalog.listings.search(Query(sort="price-up", size=50)).products}


def classes(catalog: Catalog, name: str) -> dict[str, str]:
    return dict(catalog.listings.products([products(catalog)[name]])[0].classes)


def in_class(catalog: Catalog, slug: str) -> set[str]:
    return {
        one.name
        for one in catalog.listings.search(
            Query(filters=Filters(classes={AXIS: (slug,)}), sort="price-up", size=50)
        ).products
    }


def test_a_correction_holds_at_once_and_over_changes_of_the_feed(catalog: Catalog) -> None:
    take_in(catalog, offer("a", "니트 가디건"), offer("b", "이것저것"))
    before = classes(catalog, "니트 가디건")
    generation = catalog.generation()
    assert catalog.corrections.correct([products(catalog)["니트 가디건"]], AXIS, SECOND, TAXONOMY) == 1
    assert catalog.generation() > generation
    assert classes(catalog, "니트 가디건") == {**before, AXIS: SECOND}
    assert "니트 가디건" in in_class(catalog, SECOND)
    take_in(catalog, offer("a", "니트 가디건", 12000), offer("b", "이것저것"))
    assert classes(catalog, "니트 가디건") == {**before, AXIS: SECOND}
    take_in(catalog, offer("b", "이것저것"))
    take_in(catalog, offer("a", "니트 가디건 새로"), offer("b", "이것저것"))
    assert "니트 가디건 새로" in in_class(catalog, SECOND), "gone and back again"
    catalog.corrections.correct([products(catalog)["니트 가디건 새로"]], AXIS, THIRD, TAXONOMY)
    assert in_class(catalog, SECOND) == set()
    assert in_class(catalog, THIRD) == {"니트 가디건 새로"}


def test_a_correction_stands_above_the_model_also_where_it_is_none(catalog: Catalog) -> None:
    take_in(catalog, offer("a", "이것저것"), offer("b", "그것"))
    ids = products(catalog)
    for name, slug in (("이것저것", SECOND), ("그것", "")):
        catalog.corrections.correct([ids[name]], AXIS, slug, TAXONOMY)
    for number in ids.values():
        give_picture(catalog, number)
    catalog.readings.save(
        "model", [(digest(number), embedding(number), {AXIS: label(FIRST)}) for number in ids.values()]
    )
    for _ in range(2):
        catalog.classify_by_model("model", TAXONOMY)
        assert classes(catalog, "이것저것").get(AXIS) == SECOND
        assert AXIS not in classes(catalog, "그것")
    assert catalog.classify_by_model("model", TAXONOMY) == 0, "nothing to do again and again"


def test_all_variants_of_a_product_are_put_right(catalog: Catalog) -> None:
    take_in(catalog, offer("a", "빨강", 9000, group="g"), offer("b", "파랑", 9500, group="g"), offer("c", "다른"))
    assert catalog.corrections.correct([products(catalog)["빨강"]], AXIS, SECOND, TAXONOMY) == 2
    take_in(catalog, offer("b", "파랑", 9500, group="g"), offer("c", "다른"))
    assert in_class(catalog, SECOND) == {"파랑"}
    assert catalog.corrections.count() == 2


def test_what_a_card_shows_of_several_shops_is_put_right_in_all_of_them(catalog: Catalog) -> None:
    """Or the card would stay on the wall, as another shop's."""
    take_in(catalog, offer("a", "니트 가디건", 30000, gtin="8801234567893"), shop="dear")
    take_in(catalog, offer("b", "니트 가디건", 25000, gtin="8801234567893"), offer("c", "치마"), shop="cheap")
    [knit] = [one for one in products(catalog).items() if one[0] == "니트 가디건"]
    first = classes(catalog, "니트 가디건")[AXIS]
    assert catalog.corrections.correct([knit[1]], AXIS, SECOND if first != SECOND else THIRD, TAXONOMY) == 2
    assert "니트 가디건" not in in_class(catalog, first)


def test_a_variant_that_comes_later_is_as_its_product_was_put_right(catalog: Catalog) -> None:
    red, blue, white = (
        offer("a", "빨강", 9000, group="g"),
        offer("b", "파랑", 9500, group="g"),
        offer("c", "하양", 9900),
    )
    take_in(catalog, red, white)
    catalog.corrections.correct([products(catalog)["빨강"]], AXIS, SECOND, TAXONOMY)
    take_in(catalog, red, blue, white)
    assert catalog.corrections.count() == 2
    take_in(catalog, blue, white)
    assert in_class(catalog, SECOND) == {"파랑"}
    catalog.corrections.correct([products(catalog)["파랑"]], AXIS, THIRD, TAXONOMY)
    take_in(catalog, blue, white, offer("d", "검정", 9700, group="g"))
    assert catalog.corrections.count() == 3
    take_in(catalog, white, offer("d", "검정", 9700, group="g"))
    assert in_class(catalog, THIRD) == {"검정"}


def test_an_unknown_class_is_refused(catalog: Catalog) -> None:
    take_in(catalog, offer("a"))
    for axis, slug in ((AXIS, "nothing"), ("nothing", FIRST), ("nothing", "")):
        with pytest.raises(UsageError, match="no class"):
            catalog.corrections.correct([1], axis, slug, TAXONOMY)
    assert catalog.corrections.correct([10**9], AXIS, FIRST, TAXONOMY) == 0


def test_a_wall_shows_a_class_and_moves_what_is_ticked(desk: Desk) -> None:
    client = desk.client()
    overview = client.get("/operator?lang=en").text
    address = re.search(r'href="(/operator/classes/\w+/[\w-]+)"', overview)
    assert address is not None
    axis, slug = address[1].split("/")[-2:]
    page = client.get(address[1])
    ticks = re.findall(r'name="product" value="(\d+)"', page.text)
    assert ticks
    assert f"/search?class={axis}:{slug}" in page.text.replace("%3A", ":")
    other = re.search(r'<option value="([^"]+)">', page.text)
    assert other is not None
    answer = post(client, address[1], page=address[1], product=ticks[0], to=other[1])
    assert answer.status_code == 303
    again = client.get(address[1])
    assert "have been corrected, for good" in again.text
    assert f'value="{ticks[0]}"' not in again.text
    assert f'value="{ticks[0]}"' in client.get(f"/operator/classes/{axis}/{other[1]}").text
    assert Job("index") in [one.job for one in desk.catalog.jobs.all()]
    nothing = post(client, address[1], page=address[1], to=other[1])
    assert nothing.status_code == 303
    assert "Nothing was ticked" in client.get(address[1]).text
    for bad in ("/operator/classes/style/nothing", "/operator/classes/nothing/knit"):
        assert client.get(bad).status_code == 404
    assert post(client, address[1], page=address[1], product=ticks[0], to="nothing").status_code == 400
    assert client.get(f"{address[1]}?page=x").status_code == client.get(f"{address[1]}?page=99").status_code == 200
