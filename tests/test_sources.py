"""Sources of offers: added, listed, removed, and due; one scenario on SQLite and MariaDB."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from mapsi.catalog import Catalog
from mapsi.catalog.imports.sources import NewSource
from mapsi.catalog.offer import Withdrawal
from mapsi.catalog.query import Query
from mapsi.errors import BusyError, FeedError, NotFoundError, RefusedAddressError, UsageError
from mapsi.refresh.admitting import admit_source
from offers import TAXONOMY, offer, take_in
from refreshing import DAY, HOUR


def new(name: str = "haru", **more: Any) -> NewSource:
    return NewSource(**({"name": name, "format": "csv", "address": "https://shop.example.com/feed.csv"} | more))


def test_a_source_is_kept_as_it_was_added(catalog: Catalog) -> None:
    added = catalog.sources.add(
        new("Haru 하루", every=6 * HOUR, time_to_live=3 * DAY, shrink=0.2, shop_name="하루 상점")
    )
    assert catalog.sources.all() == [added]
    assert (added.name, added.shop, added.shop_name) == ("Haru 하루", "haru-하루", "하루 상점")
    assert (added.every, added.time_to_live, added.shrink) == (6 * HOUR, 3 * DAY, 0.2)
    assert catalog.sources.find("Haru 하루") == catalog.sources.find("haru-하루") == added


def test_sources_stand_by_name(catalog: Catalog) -> None:
    for name in ("b", "c", "a"):
        catalog.sources.add(new(name))
    assert [source.name for source in catalog.sources.all()] == ["a", "b", "c"]


def test_adding_twice_says_what_to_do(catalog: Catalog) -> None:
    catalog.sources.add(new("Haru"))
    for name in ("Haru", "haru", "HARU"):
        with pytest.raises(UsageError, match="already") as caught:
            catalog.sources.add(new(name))
        assert "mapsi catalog sources remove haru" in caught.value.hint


def test_an_unknown_source_is_told_with_those_there_are(catalog: Catalog) -> None:
    with pytest.raises(NotFoundError, match="'haru'"):
        catalog.sources.find("haru")
    catalog.sources.add(new("nuri"))
    with pytest.raises(NotFoundError) as caught:
        catalog.sources.remove("haru")
    assert "nuri" in caught.value.hint


def test_a_source_takes_over_the_shop_of_that_name(catalog: Catalog) -> None:
    take_in(catalog, offer("1"), shop="haru")
    catalog.sources.add(new("haru"))
    (shop,) = catalog.status().shops
    assert (shop.slug, shop.living) == ("haru", 1)
    take_in(catalog, offer("1"), shop="A+")
    with pytest.raises(UsageError, match="'A\\+'"):
        catalog.sources.add(new("A"))


def test_removing_takes_the_offers_and_leaves_the_books(catalog: Catalog) -> None:
    source = catalog.sources.add(new("haru"))
    with catalog.imports.begin(source, TAXONOMY) as run:
        run.take([offer("1", price=20_000), offer("2")])
    take_in(catalog, offer("1", "of another"), shop="other")
    removed, gone = catalog.sources.remove("haru")
    assert (removed.name, gone) == ("haru", 2)
    assert [product.name for product in catalog.listings.search(Query(size=10)).products] == ["of another"]
    assert catalog.sources.all() == []
    assert [run.state for run in catalog.runs.latest("haru")] == ["done"]
    assert [point.lowest_price for point in catalog.listings.prices(1)] == [20_000]
    again = catalog.sources.add(new("haru"))
    with catalog.imports.begin(again, TAXONOMY) as run:
        assert run.take([offer("1", price=20_000)]).changed == 1
    assert catalog.listings.products([1])[0].name == "린넨 셔츠"


def test_a_source_is_not_removed_while_it_is_refreshed(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    for file in ("sources", "run"):
        monkeypatch.setattr(f"mapsi.catalog.imports.{file}.PATIENCE", 0)
    source = catalog.sources.add(new("haru"))
    with catalog.imports.begin(source, TAXONOMY) as run:
        with pytest.raises(BusyError, match="haru"):
            catalog.sources.remove("haru")
        with pytest.raises(BusyError, match="running"), catalog.imports.begin(source, TAXONOMY):
            pass
        run.take([offer("1")])
    assert catalog.listings.facets().offers == 1


def test_what_is_due_is_told_by_the_last_run(catalog: Catalog) -> None:
    started = catalog.now()
    catalog.sources.add(new("by hand"))
    hourly = catalog.sources.add(new("hourly", every=HOUR))
    daily = catalog.sources.add(new("daily", every=DAY))
    later = started + timedelta(seconds=10)
    assert {source.name for source in catalog.sources.due(later)} == {"hourly", "daily"}
    for source in (hourly, daily):
        with catalog.imports.begin(source, TAXONOMY) as run:
            run.take([offer("1")])
    assert catalog.sources.due(later) == []
    assert [source.name for source in catalog.sources.due(later + HOUR)] == ["hourly"]
    assert [source.name for source in catalog.sources.due(later + DAY)] == ["hourly", "daily"]


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"name": " "}, "not a name"),
        ({"name": "***"}, "not a name"),
        ({"name": "x" * 101}, "not a name"),
        ({"name": "a\nb"}, "not a name"),
        ({"format": "xml"}, "no format"),
        ({"at": "ftp://shop.example.com/feed"}, "neither"),
        ({"at": "nowhere/feed.csv"}, "no file or folder"),
        ({"at": "nowhere/*.csv"}, "no file or folder"),
        ({"shop_name": "x" * 101}, "name for a shop"),
        ({"shop_name": "a\nb"}, "name for a shop"),
        ({"every": timedelta(days=100_000)}, "longer than 3650 days"),
        ({"time_to_live": timedelta(days=100_000)}, "longer than 3650 days"),
        ({"shrink": 1.5}, "1.5"),
        ({"every": timedelta(seconds=5)}, "once a minute"),
        ({"every": 2 * DAY, "time_to_live": DAY}, "past their time"),
        ({"format": "shop-json", "time_to_live": 2 * DAY}, "24 hours at most"),
    ],
)
def test_what_does_not_fit_is_a_sentence(catalog: Catalog, asked: dict[str, Any], named: str) -> None:
    facts = {"name": "haru", "format": "csv", "at": "https://shop.example.com/feed.csv", **asked}
    with pytest.raises(UsageError, match=named):
        catalog.sources.add(admit_source(facts.pop("name"), **facts))
    assert catalog.sources.all() == []


def test_an_address_that_is_never_visited_is_refused_at_once() -> None:
    with pytest.raises(RefusedAddressError, match="password"):
        admit_source("haru", format="csv", at="https://user:sesame@shop.example.com/feed.csv")


def test_offers_live_as_long_as_the_terms_say_or_shorter(tmp_path: Path) -> None:
    assert admit_source("a", format="shop-json", at="https://api.example.com").time_to_live == DAY
    assert admit_source("a", format="naver-ep", at=str(tmp_path)).time_to_live == 3 * DAY
    assert admit_source("a", format="naver-ep", at=str(tmp_path), time_to_live=HOUR).time_to_live == HOUR
    assert admit_source("a", format="csv", at=str(tmp_path / "*.csv")).time_to_live is None


def test_pictures_are_copied_where_the_terms_allow_it(catalog: Catalog, tmp_path: Path) -> None:
    assert catalog.sources.add(admit_source("mine", format="csv", at=str(tmp_path))).copies
    assert not catalog.sources.add(admit_source("theirs", format="shop-json", at="https://api.example.com")).copies


def test_a_linked_picture_is_the_shops_own(catalog: Catalog) -> None:
    source = catalog.sources.add(admit_source("theirs", format="shop-json", at="https://api.example.com"))
    with catalog.imports.begin(source, TAXONOMY) as run:
        run.take([offer("1", seller="옷장"), offer("2")])
    first, second = catalog.listings.products([1, 2])
    assert (first.picture, first.linked_picture) == ("", "https://img.example.com/1.jpg")
    assert (first.shop, first.shop_name) == ("theirs", "옷장")
    assert second.shop_name == "theirs"


def test_the_runs_are_a_book(catalog: Catalog) -> None:
    source = catalog.sources.add(new("haru"))
    with catalog.imports.begin(source, TAXONOMY) as run:
        run.take([offer("1"), offer("", "broken"), offer("2")])
    with catalog.imports.begin(source, TAXONOMY) as run:
        run.renew()
    with pytest.raises(ValueError, match="odd"), catalog.imports.begin(source, TAXONOMY):
        raise ValueError("odd")
    take_in(catalog, offer("1"), shop="other")
    failed, renewed, done = catalog.runs.latest("haru")
    assert (failed.state, renewed.state, done.state) == ("failed", "unchanged", "done")
    assert (done.new, done.broken, done.faults[0].reason) == (2, 1, "The id '' does not have 1 to 50 characters.")
    assert renewed.unchanged == 2
    assert "ValueError" in failed.reason
    assert all(run.finished is not None and run.finished >= run.started for run in (failed, renewed, done))
    assert len(catalog.runs.latest()) == 4
    assert [run.shop for run in catalog.runs.latest(limit=1)] == ["other"]


def test_the_latest_runs_are_kept_and_those_that_offers_come_from(catalog: Catalog) -> None:
    source = catalog.sources.add(new("haru"))
    with catalog.imports.begin(source, TAXONOMY) as run:
        run.take([offer("1"), offer("", "broken"), offer("2")])
    with catalog.imports.begin(source, TAXONOMY) as run:
        run.take([offer("2")])  # 1 is gone; the first run stays, since it was the last to bring it
    for _ in range(5):
        with catalog.imports.begin(source, TAXONOMY) as run:
            run.renew()
    take_in(catalog, offer("1"), shop="other")
    before = [run.id for run in catalog.runs.latest("haru")]
    assert catalog.runs.prune(keep=2) == 3
    assert [run.id for run in catalog.runs.latest("haru")] == [*before[:2], *before[-2:]]
    assert catalog.runs.prune(keep=2) == 0
    assert catalog.runs.find(before[-1]).broken == 1
    assert len(catalog.runs.latest("other")) == 1


def test_a_book_without_its_old_runs_has_lost_their_broken_rows_too(catalog: Catalog) -> None:
    source = catalog.sources.add(new("haru"))
    with pytest.raises(FeedError), catalog.imports.begin(source, TAXONOMY) as run:
        run.take([offer("", "broken")])
    with catalog.imports.begin(source, TAXONOMY) as run:
        run.take([offer("1"), offer("", "broken")])
    with catalog.imports.begin(source, TAXONOMY) as run:
        run.take([offer("1")])
    assert catalog.runs.prune(keep=1) == 2
    assert [(run.state, run.faults) for run in catalog.runs.latest("haru")] == [("done", ())]


def test_calls_are_counted_a_day_and_an_account(catalog: Catalog) -> None:
    calls, today, tomorrow = catalog.calls, "2026-11-23", "2026-11-24"
    assert [calls.spend("a", today, 2) for _ in range(3)] == [True, True, False]
    assert calls.used("a", today) == 2
    assert calls.spend("a", tomorrow, 2)
    assert calls.spend("b", today, 2)
    calls.exhaust("b", today, 2)
    assert not calls.spend("b", today, 2)
    assert calls.used("nobody", today) == 0


def test_what_a_query_brought_comes_back_as_it_was(catalog: Catalog) -> None:
    source = catalog.sources.add(new("haru"))
    offers = [
        offer("1", "셔츠 \\ \" '", "12.50", currency="USD", sale_price=None),
        offer("2", sale_price=offer("x").price),
    ]
    catalog.answers.save(source, "셔츠", [offer("0")])
    catalog.answers.save(source, "셔츠", offers)
    (answer,) = catalog.answers.of(source)
    assert (answer.query, answer.taken) == ("셔츠", False)
    assert catalog.answers.offers(source, "셔츠") == offers


def test_a_whole_feed_cannot_keep_what_it_withdraws(catalog: Catalog) -> None:
    source = catalog.sources.add(new("haru"))
    with catalog.imports.begin(source, TAXONOMY) as run:
        run.take([offer("1"), offer("2")])
    with catalog.imports.begin(source, TAXONOMY) as run:
        report = run.take([offer("1"), Withdrawal("2"), Withdrawal("3")])
    assert (report.unchanged, report.gone) == (1, 1)
    assert catalog.status().living == 1
