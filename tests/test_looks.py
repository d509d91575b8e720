"""A whole look is answered garment by garment in turn; a part of it, and a product, by themselves."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mapsi.catalog.query import Query
from mapsi.errors import NotFoundError, UsageError
from mapsi.infer.look import Garment, Look, Region
from mapsi.infer.reading import AxisReading, Guess, Reading
from mapsi.search.looks import interleaved, placed, prominence, read_look, worth_reading
from mapsi.search.ranking import Ranked, rank
from mapsi.taxonomy import load_taxonomy
from mapsi.web.pages.seen import view_spots
from small_house import House, asked_of, draw_garment, photo_bytes, photo_form

TAXONOMY = load_taxonomy()
NOWHERE = np.zeros((0, 0), np.uint8)


def _reading(kind: str, model: str = "") -> Reading:
    told = AxisReading("garment", True, (Guess(kind, 1.0),), np.zeros((1, 1), np.float32))
    return Reading(np.zeros(4, np.float32), {"garment": told}, model)


def _garment(kind: str, box: tuple[float, float, float, float]) -> Garment:
    return Garment("", 1.0, box, None, _reading(kind))


def _ranked(rows: list[int], fit: float = 0.9, score: float = 0.9) -> Ranked:
    return Ranked(np.array(rows, np.int64), *(np.full(len(rows), each, np.float32) for each in (score, fit)))


def test_garments_take_turns_by_their_weight() -> None:
    answers = [_ranked([0, 1, 2, 3]), _ranked([10, 11, 12])]
    assert interleaved(answers, [0.6, 0.3], np.arange(20)).rows.tolist() == [0, 1, 10, 2, 3, 11, 12]


def test_a_garment_that_nothing_is_like_comes_later() -> None:
    answers = [_ranked([0, 1, 2], 0.84), _ranked([10, 11, 12], 0.9)]
    assert interleaved(answers, [0.5, 0.5], np.arange(20)).rows.tolist()[:3] == [10, 11, 0]


def test_a_garment_comes_no_sooner_for_products_of_its_colour() -> None:
    of_no_colour, of_the_colour = _ranked([0, 1, 2], score=0.6), _ranked([10, 11, 12], score=0.99)
    found = interleaved([of_no_colour, of_the_colour], [0.5, 0.4], np.arange(20))
    assert found.rows.tolist()[:3] == [0, 10, 1]


def test_a_product_stands_in_a_look_once() -> None:
    groups = np.array([7, 8, 7, 9])
    found = interleaved([_ranked([0, 1]), _ranked([2, 3])], [1, 1], groups)
    assert sorted(groups[found.rows].tolist()) == [7, 8, 9]


@given(
    st.lists(st.lists(st.integers(0, 30), unique=True, max_size=12), max_size=4),
    st.integers(0, 20),
)
def test_a_look_holds_each_product_of_its_garments_as_far_as_it_reaches(parts: list[list[int]], pool: int) -> None:
    found = interleaved([_ranked(rows) for rows in parts], [1.0] * len(parts), np.arange(31), pool)
    products = {row for rows in parts for row in rows}
    assert len(found) == min(pool, len(products)) == len(set(found.rows.tolist()))
    assert set(found.rows.tolist()) <= products


def test_what_the_photo_is_of_is_more_prominent_than_what_fills_more_of_it() -> None:
    shirt, jeans = _garment("shirt", (0, 0, 1, 0.5)), _garment("jeans", (0, 0.5, 1, 0.4))
    of_jeans, of_shirt = prominence(Look(_reading("pants"), (shirt, jeans), (), NOWHERE), TAXONOMY)[::-1]
    assert of_jeans > of_shirt
    by_size = prominence(Look(_reading("watch"), (shirt, jeans), (), NOWHERE), TAXONOMY)
    assert by_size[0] > by_size[1]


def _unsure(group: str, confidence: float, **kinds: float) -> Garment:
    told = AxisReading(
        "garment", True, tuple(Guess(kind, share) for kind, share in kinds.items()), np.zeros((1, 1), np.float32)
    )
    return Garment(group, confidence, (0, 0, 1, 1), None, Reading(np.zeros(4, np.float32), {"garment": told}))


def _kinds(garment: Garment) -> dict[str, float]:
    return {guess.slug: round(guess.confidence, 2) for guess in garment.reading.axes["garment"].top}


def test_a_garment_is_read_as_what_is_worn_where_it_is_worn() -> None:
    cut_out, shoes = _unsure("one-piece", 0.5, skirt=0.6, dress=0.4), _unsure("shoes", 0.9, shoes=0.7, pants=0.3)
    look = placed(Look(_reading("watch"), (cut_out, shoes), (), NOWHERE), TAXONOMY)
    assert [_kinds(garment) for garment in look.garments] == [
        {"dress": 0.68, "skirt": 0.32},
        {"shoes": 0.95, "pants": 0.05},
    ]
    assert [garment.reading.axes["garment"].known for garment in look.garments] == [False, True]


def test_what_the_whole_photo_is_of_counts_for_what_is_worn_in_its_place() -> None:
    cut_out, shoes = _unsure("one-piece", 0.5, skirt=0.6, dress=0.4), _unsure("shoes", 0.9, shoes=0.7, pants=0.3)
    whole = _unsure("", 1.0, dress=0.9, shirt=0.1).reading
    look = placed(Look(whole, (cut_out, shoes), (), NOWHERE), TAXONOMY)
    assert _kinds(look.garments[0]) == {"dress": 0.79, "skirt": 0.21}


def _at(group: str, confidence: float, kind: str, box: tuple[float, float, float, float]) -> Garment:
    return Garment(group, confidence, box, None, _reading(kind))


SHIRT, JEANS = _at("upper", 0.8, "shirt", (0.3, 0.1, 0.4, 0.3)), _at("lower", 0.8, "jeans", (0.3, 0.4, 0.4, 0.5))
BAG, SCRAP = _at("bag", 0.8, "bag", (0.7, 0.4, 0.2, 0.2)), _at("lower", 0.4, "shorts", (0.1, 0.1, 0.6, 0.6))


def test_all_garments_of_an_outfit_are_for_the_one_who_wears_it() -> None:
    def worn(garment: Garment, whom: str) -> Garment:
        return replace(garment, reading=_for(garment.reading, whom))

    whole = _for(_reading("dress"), "women")
    garments = (worn(_unsure("upper", 0.9, shirt=1.0), "men"), worn(_unsure("lower", 0.9, skirt=1.0), "kids"))
    found = placed(Look(whole, garments, (), NOWHERE), TAXONOMY)
    assert [garment.reading.axes["audience"] for garment in found.garments] == [whole.axes["audience"]] * 2


def _for(reading: Reading, whom: str) -> Reading:
    told = AxisReading("audience", True, (Guess(whom, 0.9),), np.zeros((1, 1), np.float32))
    return replace(reading, axes={**reading.axes, "audience": told})


def test_the_garments_of_an_outfit_stand_by_their_prominence() -> None:
    look = placed(Look(_reading("jeans"), (BAG, SHIRT, JEANS), (), NOWHERE), TAXONOMY)
    assert [garment.group for garment in look.garments] == ["lower", "upper", "bag"]
    assert {garment.box for garment in look.garments} == {BAG.box, SHIRT.box, JEANS.box}


@pytest.mark.parametrize("seen", [(SHIRT, SCRAP), (SCRAP, SHIRT, _at("outer", 0.9, "jacket", (0.2, 0, 0.6, 0.5)))])
def test_a_photo_without_two_places_of_an_outfit_is_of_one_garment(seen: tuple[Garment, ...]) -> None:
    whole = _reading("cardigan")
    look = placed(Look(whole, seen, (), NOWHERE), TAXONOMY)
    assert [(garment.group, garment.box, garment.reading) for garment in look.garments] == [
        ("upper", (0.0, 0.0, 1.0, 1.0), whole)
    ]


def test_what_is_carried_stays_beside_the_one_garment_of_a_photo() -> None:
    scrap_of_bag = _at("bag", 0.3, "bag", (0, 0, 0.5, 0.5))
    look = placed(Look(_reading("cardigan"), (SHIRT, SCRAP, BAG, scrap_of_bag), (), NOWHERE), TAXONOMY)
    assert [garment.group for garment in look.garments] == ["upper", "bag"]
    assert placed(Look(_reading("handbag"), (SCRAP, BAG), (), NOWHERE), TAXONOMY).garments[0].box == (0, 0, 1, 1)


def _region(group: str, confidence: float, share: float = 0.25) -> Region:
    mask = np.zeros((10, 10), np.bool_)
    mask.flat[: round(100 * share)] = True
    return Region(group, confidence, (0, 0, 0.5, 0.5), mask)


@pytest.mark.parametrize(
    ("seen", "read"),
    [
        ([], []),
        (["upper"], [False]),
        (["upper", "lower"], [True, True]),
        (["upper", "lower", "bag"], [True, True, True]),
        (["upper", "outer"], [False, False]),
        (["upper", "outer", "bag"], [False, False, True]),
    ],
)
def test_only_garments_that_answer_by_themselves_are_read(seen: list[str], read: list[bool]) -> None:
    assert worth_reading([_region(group, 0.9) for group in seen]) == read


def test_what_is_hardly_seen_makes_no_outfit_and_is_not_read() -> None:
    assert worth_reading([_region("upper", 0.9), _region("lower", 0.3), _region("bag", 0.3)]) == [False] * 3
    assert worth_reading([_region("upper", 0.9), _region("lower", 0.9, 0.0)]) == [False] * 2


@pytest.mark.parametrize("seen", [["upper"], ["upper", "lower"], ["upper", "outer", "bag"], ["upper", "outer"]])
def test_a_look_answers_as_if_all_of_it_had_been_read(seen: list[str]) -> None:
    """But for the reading of a garment alone, which no answer is asked by: that of the whole photo."""
    model = _Seer([_region(group, 0.9) for group in seen])
    photo = Image.new("RGB", (10, 10))
    ours, all_read = read_look(model, photo, TAXONOMY), placed(model.garments(photo), TAXONOMY)  # type: ignore[arg-type]
    assert [(one.group, one.box) for one in ours.garments] == [(one.group, one.box) for one in all_read.garments]
    if len(ours.garments) > 1:
        for one, other in zip(ours.garments, all_read.garments, strict=True):
            assert one.reading.axes["garment"].top == other.reading.axes["garment"].top
    else:
        assert ours.garments[0].reading is ours.whole


class _Seer:
    """A model that sees the same regions in every photo, each garment as the kind that is worn there."""

    axes = (SimpleNamespace(axis="garment"),)
    kinds = {"upper": "shirt", "lower": "jeans", "outer": "jacket", "bag": "bag"}  # noqa: RUF012

    def __init__(self, regions: list[Region]) -> None:
        self._regions, self._whole = regions, _reading("shirt")

    def garments(self, photo: Image.Image, worth_reading: Any = None) -> Look:
        chosen = [True for _ in self._regions] if worth_reading is None else worth_reading(self._regions)
        garments = (
            Garment(one.group, one.confidence, one.box, one.mask, self._read(one) if is_chosen else self._whole)
            for one, is_chosen in zip(self._regions, chosen, strict=True)
        )
        return Look(self._whole, tuple(garments), (), NOWHERE)

    def _read(self, region: Region) -> Reading:
        return _reading(self.kinds[region.group])


def test_a_garment_to_tap_is_named_by_where_that_is_worn_which_the_line_calls_it(house: House) -> None:
    shorts = _at("one-piece", 0.9, "shorts", (0.2, 0.4, 0.6, 0.3))
    nameless = replace(SHIRT, reading=Reading(np.zeros(4, np.float32), {}, ""))
    with house.app().test_request_context(headers={"Accept-Language": "en"}):
        spots = view_spots(Look(_reading("shorts"), (shorts, nameless), (), NOWHERE), None, TAXONOMY)
    assert [spot.name for spot in spots] == ["Bottoms", "Top"]


def test_a_photo_of_one_garment_is_read_as_it_is() -> None:
    look = Look(_reading("dress"), (_unsure("one-piece", 0.5, skirt=0.6, dress=0.4),), (), NOWHERE)
    assert placed(look, TAXONOMY) is look


def test_a_look_of_two_garments_is_answered_with_both(house: House) -> None:
    finder = house.finder
    one, two = (finder.read(draw_garment(color)) for color in ("#c0392b", "#2a6fb0"))
    parts = (Garment("upper", 0.9, (0, 0, 1, 0.5), None, one), Garment("lower", 0.9, (0, 0.5, 1, 0.5), None, two))
    whole = finder.read(draw_garment("#7d3c98"))
    page = finder.by_look(Look(whole, parts, (), NOWHERE), Query(size=10))
    first = {product.id for part in (one, two) for product in finder.by_photo(part, Query(size=10)).products}
    assert {product.id for product in page.products} <= first
    by_price = finder.by_look(Look(whole, parts, (), NOWHERE), Query(sort="price-up", size=10)).products
    assert [p.lowest_price for p in by_price] == sorted(p.lowest_price for p in by_price)


def test_each_garment_is_answered_as_a_photo_of_it_would_be_and_is_ranked_once(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was pushed aside counts for the garments as for the look; their order is that of likeness."""
    finder = house.finder
    one, two = (finder.read(draw_garment(color)) for color in ("#c0392b", "#2a6fb0"))
    parts = (Garment("upper", 0.9, (0, 0, 1, 0.5), None, one), Garment("lower", 0.9, (0, 0.5, 1, 0.5), None, two))
    look = Look(one, parts, (), NOWHERE)
    first = finder.by_photo(one, Query()).products[0].id
    ranked: list[object] = []
    monkeypatch.setattr("mapsi.search.finder.rank", lambda *a, **k: ranked.append(a) or rank(*a, **k))
    for query in (Query(size=20), Query(size=5, page=2, sort="price-down", less=(first,))):
        ranked.clear()
        with asked_of(house.catalog) as asked:
            page, pages = finder.by_garment(look, query, 8)
        assert (len(asked), len(ranked)) == (2, len(parts))
        assert page == finder.by_look(look, query)
        assert pages == [finder.by_photo(reading, Query(size=8, less=query.less)) for reading in (one, two)]


def test_of_a_photo_of_one_garment_the_garments_answer_is_the_photos(house: House) -> None:
    one = house.finder.read(draw_garment("#c0392b"))
    look = Look(one, (Garment("", 1.0, (0, 0, 1, 1), None, one),), (), NOWHERE)
    page, pages = house.finder.by_garment(look, Query(size=5, page=2), 8)
    assert page == house.finder.by_photo(one, Query(size=5, page=2))
    assert pages == [house.finder.by_photo(one, Query(size=8))]
    assert house.finder.by_garment(Look(one, (), (), NOWHERE), Query(), 8)[1] == []


def test_a_photo_without_garments_is_answered_as_a_whole(house: House) -> None:
    whole = house.finder.read(draw_garment("#c0392b"))
    look = Look(whole, (), (), NOWHERE)
    page = house.finder.by_look(look, Query(size=10))
    assert page == house.finder.by_photo(whole, Query(size=10))


def test_a_part_of_a_photo_is_searched_for_by_itself(house: House) -> None:
    client = house.app().test_client()
    whole = client.post("/api/v1/search/image", **photo_form(photo_bytes())).get_json()
    part = client.post("/api/v1/search/image?box=0,0,0.5,0.5", **photo_form(photo_bytes())).get_json()
    assert whole["garments"][0]["box"] == [0, 0, 1, 1]
    assert whole["garments"][0]["products"] == whole["products"][:8]
    assert part["garments"] == []
    assert [p["similarity"] for p in part["products"]] != [p["similarity"] for p in whole["products"]]


@pytest.mark.parametrize("box", ["0,0,0,0", "0.5,0.5,0.6,0.5", "0,0,1", "a,b,c,d", "0,0,-1,1", "nan,0,1,1", "0,0,1,2"])
def test_a_box_outside_the_photo_or_without_area_is_refused(house: House, box: str) -> None:
    answer = house.app().test_client().post(f"/api/v1/search/image?box={box}", **photo_form(photo_bytes()))
    assert answer.status_code == 400
    assert "box" in answer.get_json()["error"]["message"]
    with pytest.raises(UsageError):
        house.finder.read_box(Image.new("RGB", (8, 8)), (0.5, 0.5, 0.6, 0.0))


def test_products_like_one_of_them_leave_it_out(house: House) -> None:
    product = house.catalog.listings.search(Query(size=1)).products[0]
    client = house.app().test_client()
    answer = client.get(f"/api/v1/products/{product.id}/similar?size=5").get_json()
    assert answer["product"]["id"] == str(product.id)
    assert len(answer["products"]) == 5
    assert str(product.id) not in {one["id"] for one in answer["products"]}
    scores = [one["similarity"] for one in answer["products"]]
    assert scores == sorted(scores, reverse=True)


def test_what_a_product_cost_is_reported(house: House) -> None:
    product = house.catalog.listings.search(Query(size=1)).products[0]
    told = house.app().test_client().get(f"/api/v1/products/{product.id}/prices").get_json()
    assert told["id"] == str(product.id)
    assert [price["lowest_price"] for price in told["prices"]] == [float(product.lowest_price)]


def test_a_product_that_is_gone_has_nothing_like_it_and_no_prices(house: House, tmp_path: Path) -> None:
    client = house.app().test_client()
    for address in ("similar", "prices"):
        assert client.get(f"/api/v1/products/999999999/{address}").status_code == 404
    with pytest.raises(NotFoundError):
        house.finder.similar(999_999_999, Query(size=5))
