"""A source that is asked by queries, against a real server of ``shop.json``: quota, going on, and what is kept
between."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from mapsi.catalog import Catalog, open_catalog
from mapsi.catalog.query import Query
from mapsi.errors import FeedError
from mapsi.refresh.refreshing import RefreshServices, calls_left
from mapsi.remote import Fetcher
from mapsi.taxonomy import load_taxonomy
from refreshing import DAY, HOUR, Clock, Refreshing, refresh_services
from shop_json_server import Fault, ShopJsonServer, run_shop_json

WORDS = ("니트", "코트", "원피스", "셔츠")
CLASSES = """
[axis.kind]
ko = "종류"
en = "Kind"
[axis.kind.groups]
all = { ko = "전체", en = "All" }
"""


class Unhurried(Fetcher):
    """Never rests: how long the pace and repeated tries wait is held in test_providers_shop_json.py."""

    def rest(self, seconds: float) -> None:
        pass


@pytest.fixture
def server(clock: Clock) -> Iterator[ShopJsonServer]:
    with run_shop_json(totals=dict.fromkeys(WORDS, 150)) as running:
        yield running


@pytest.fixture
def house(catalog: Catalog, clock: Clock, server: ShopJsonServer, tmp_path: Path) -> Refreshing:
    """A catalogue with a source of four queries, two calls each."""
    file = tmp_path / "kinds.toml"
    entries = (
        f'[[axis.kind.classes]]\nslug = "k{n}"\nko = "{word}"\nen = "K{n}"\ngroup = "all"\nwords = ["{word}"]\n'
        for n, word in enumerate(WORDS)
    )
    file.write_text(CLASSES + "".join(entries), "utf-8")
    made = Refreshing(catalog, unhurried(tmp_path, server), load_taxonomy([file]))
    made.add("naver", server.url, "shop-json")
    return made


def unhurried(folder: Path, server: ShopJsonServer, daily_calls: int = 100) -> RefreshServices:
    return replace(refresh_services(folder, daily_calls=daily_calls), fetcher=Unhurried(allow_hosts=(server.host,)))


def with_calls(house: Refreshing, tmp_path: Path, server: ShopJsonServer, daily_calls: int) -> Refreshing:
    return Refreshing(house.catalog, unhurried(tmp_path, server, daily_calls), house.taxonomy)


def test_each_classs_words_are_a_query(house: Refreshing, server: ShopJsonServer) -> None:
    report = house.refresh("naver")
    assert set(server.queries) == set(WORDS)
    assert (report.run.state, report.calls_left) == ("done", 100 - 8)
    living = house.catalog.status().living
    assert 300 < living == report.run.new < 600
    product = house.catalog.listings.search(Query(size=1)).products[0]
    assert product.linked_picture.startswith(server.url)
    assert product.shop == "naver"
    assert product.shop_name != "naver"


def test_a_source_whose_address_begins_in_capitals_is_asked(house: Refreshing, server: ShopJsonServer) -> None:
    house.catalog.sources.remove("naver")
    house.add("naver", server.url.replace("http://", "HTTP://"), "shop-json")
    assert house.run("naver").state == "done"
    assert set(server.queries) == set(WORDS)


def test_the_same_answers_again_change_nothing(house: Refreshing) -> None:
    first = house.run("naver")
    again = house.run("naver")
    assert (again.state, again.new, again.changed, again.unchanged, again.gone) == ("done", 0, 0, first.new, 0)


def test_a_product_that_several_queries_find_is_one_offer(house: Refreshing) -> None:
    house.run("naver")
    page = house.catalog.listings.search(Query(words="공용 가방", size=100))
    assert 0 < page.total <= 15
    assert house.catalog.runs.latest("naver")[0].broken == 0


def test_a_spent_quota_ends_in_part_and_the_next_run_goes_on(
    house: Refreshing, server: ShopJsonServer, clock: Clock, tmp_path: Path
) -> None:
    poor = with_calls(house, tmp_path, server, 5)
    report = poor.refresh("naver")
    assert (report.run.state, report.calls_left) == ("partial", 0)
    assert "2 of 4 queries are answered" in report.run.reason
    assert "Korean time" in report.run.reason
    assert server.queries == {"니트": 2, "코트": 2, "원피스": 1}
    part = house.catalog.status().living
    assert part == report.run.new > 100
    clock.advance(HOUR)
    again = poor.run("naver")
    assert (again.state, again.new, sum(server.queries.values())) == ("partial", 0, 5)
    clock.advance(13 * HOUR)
    rest = poor.run("naver")
    assert rest.state == "done"
    assert (server.queries["니트"], server.queries["셔츠"]) == (2, 2)
    assert rest.unchanged == part
    assert house.catalog.status().living == part + rest.new
    assert house.catalog.answers.of(house.catalog.sources.find("naver")) == []


def test_where_a_provider_is_slow_a_run_ends_in_part_and_the_next_one_goes_on(
    house: Refreshing, server: ShopJsonServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mapsi.refresh.queries.LONGEST_RUN", 0.0)
    for answered in (1, 2, 3):
        run = house.run("naver")
        assert run.state == "partial"
        assert run.reason == (
            f"The provider answers slowly. So far {answered} of 4 queries are answered; the next run asks the others."
        )
    assert house.run("naver").state == "done"
    assert len(server.queries) == 4


def test_calls_are_counted_across_processes(
    house: Refreshing, server: ShopJsonServer, clock: Clock, catalog_url: str
) -> None:
    house.run("naver")
    with open_catalog(catalog_url, clock) as elsewhere:
        source = elsewhere.sources.find("naver")
        assert calls_left(elsewhere, source, house.services.account) == 92
        clock.advance(DAY)
        assert calls_left(elsewhere, source, house.services.account) == 100


def test_a_provider_that_says_its_quota_is_spent_is_believed(house: Refreshing, server: ShopJsonServer) -> None:
    server.daily = 3
    report = house.refresh("naver")
    assert (report.run.state, report.calls_left) == ("partial", 0)
    asked = len(server.asked)
    assert house.run("naver").state == "partial"
    assert len(server.asked) == asked


def test_a_run_that_fails_keeps_what_was_answered(house: Refreshing, server: ShopJsonServer) -> None:
    server.fail(*[Fault(code="SE99")] * 10, after=4)
    with pytest.raises(FeedError):
        house.run("naver")
    assert house.catalog.status().living == 0
    assert house.catalog.runs.latest("naver")[0].state == "failed"
    server.reset()
    assert house.run("naver").state == "done"
    assert set(server.queries) == {"원피스", "셔츠"}


def test_answers_past_their_time_are_asked_again(
    house: Refreshing, server: ShopJsonServer, clock: Clock, tmp_path: Path
) -> None:
    poor = with_calls(house, tmp_path, server, 4)
    poor.run("naver")
    clock.advance(DAY + HOUR)
    assert house.catalog.listings.facets().offers == 0
    server.reset()
    report = poor.run("naver")
    assert (report.state, set(server.queries)) == ("partial", {"원피스", "셔츠"})
    assert house.catalog.listings.facets().offers > 0


def test_offers_that_only_some_queries_renewed_expire_one_by_one(
    house: Refreshing, server: ShopJsonServer, clock: Clock, tmp_path: Path
) -> None:
    house.run("naver")
    everything = house.catalog.listings.facets().offers
    clock.advance(timedelta(hours=20))
    poor = with_calls(house, tmp_path, server, 4)
    assert poor.run("naver").state == "partial"
    assert house.catalog.listings.facets().offers == everything
    clock.advance(timedelta(hours=5))
    renewed = house.catalog.listings.facets().offers
    assert 0 < renewed < everything
    assert len(house.catalog.listings.products(range(1, 2000))) == renewed
    assert house.catalog.listings.search(Query(sort="price-up", size=1)).total == renewed
    living = house.catalog.status().living
    assert house.catalog.sweep() == living - house.catalog.status().living > 0
    assert house.catalog.listings.facets().offers == renewed
    clock.advance(timedelta(hours=20))
    assert house.catalog.listings.facets().offers == 0


def test_a_shrunken_answer_is_held_and_accepted_without_another_call(house: Refreshing, server: ShopJsonServer) -> None:
    house.run("naver")
    before = house.catalog.status().living
    server.totals = dict.fromkeys(WORDS, 10)
    assert house.run("naver").state == "held"
    assert house.catalog.status().living == before
    asked = len(server.asked)
    report = house.run("naver", accept=True)
    assert (report.state, len(server.asked)) == ("done", asked)
    assert house.catalog.status().living < before / 2


def test_a_dry_run_keeps_nothing_but_the_count_of_its_calls(house: Refreshing, server: ShopJsonServer) -> None:
    (preview,) = house.preview("naver")
    assert preview.new > 300
    source = house.catalog.sources.find("naver")
    assert (house.catalog.status().living, house.catalog.answers.of(source)) == (0, [])
    assert calls_left(house.catalog, source, house.services.account) == 92
    assert house.run("naver").new == preview.new
