"""The shop window in memory against the database: after any change, in any process, answers are those of a fresh one."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from mapsi.catalog import Catalog, open_catalog
from mapsi.catalog.filters import Filters
from mapsi.catalog.listings import listing_index
from mapsi.catalog.offer import Offer
from mapsi.catalog.store import changes
from offers import TAXONOMY, offer, take_in, take_in_all

QUERIES = ("", "니트", "블랙 셔츠", "shirt", "검정")


def answers(catalog: Catalog) -> list[object]:
    found: list[object] = []
    for text in QUERIES:
        if text:
            page = catalog.search_words(text, Filters(), "likeness", 1, 1000, exact=True)
        else:
            page = catalog.browse(Filters(), "price-up", 1, 1000)
        found += [page, catalog.facets(text)]
    return [*found, catalog.suggest("니", TAXONOMY)]


def random_feed(chance: random.Random) -> list[Offer]:
    return [
        offer(
            str(number),
            chance.choice(("니트", "니트 블랙", "셔츠 블랙", "Black shirt", "mug")),
            chance.choice((1000, 2000, 3000)),
            group=chance.choice(("", "g1", "g2")),
            availability=chance.choice(("in_stock", "in_stock", "out_of_stock")),
        )
        for number in range(30)
        if chance.random() < 0.8
    ]


def test_catching_up_gives_what_reading_anew_gives(catalog: Catalog) -> None:
    chance, url = random.Random(11), catalog._database.engine.url.render_as_string(hide_password=False)
    for round_ in range(12):
        take_in_all(catalog, [*random_feed(chance), offer("x")], shop=f"shop{round_ % 3}")
        with open_catalog(url) as fresh:
            assert answers(catalog) == answers(fresh)


def test_another_process_sees_an_import_with_its_next_question(catalog: Catalog) -> None:
    url = catalog._database.engine.url.render_as_string(hide_password=False)
    with open_catalog(url) as other:
        assert other.facets().offers == 0
        take_in(catalog, offer("1", "니트"), offer("2", "셔츠"))
        assert other.search_words("니트", Filters(), "likeness", 1, 9).total == 1
        take_in(catalog, offer("2", "니트"))
        assert [p.name for p in other.search_words("니트", Filters(), "likeness", 1, 9).products] == ["니트"]
        assert other.facets().offers == 1


def test_many_changes_are_read_anew(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MOST", 5)
    monkeypatch.setattr(listing_index, "_MOST_BESIDE", 3)
    for number in range(4):
        take_in_all(catalog, (offer(str(n), f"니트 {number}") for n in range(4 + number)))
        assert catalog.search_words(f"니트 {number}", Filters(), "likeness", 1, 9).total == 4 + number


def test_what_is_past_its_time_is_found_and_counted_no_more(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    take_in(catalog, offer("1", "니트 하나"), shop="brief", now=begin, time_to_live=timedelta(hours=1))
    take_in(catalog, offer("1", "니트 둘"), shop="lasting", now=begin)
    monkeypatch.setattr(catalog._database, "now", lambda: begin + timedelta(minutes=30))
    assert catalog.search_words("니트", Filters(), "likeness", 1, 9).total == 2
    monkeypatch.setattr(catalog._database, "now", lambda: begin + timedelta(hours=2))
    assert [p.name for p in catalog.search_words("니트", Filters(), "likeness", 1, 9).products] == ["니트 둘"]
    assert catalog.facets("니트").offers == 1
