"""A source's refresh against real servers and files: what is taken over, held back, renewed, and for how long shown."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from feed_server import FeedServer, Page, run_feed_server
from mapsi.catalog import Catalog
from mapsi.catalog.filters import Filters
from mapsi.catalog.offer import Offer
from mapsi.catalog.query import Query
from mapsi.errors import BusyError, FeedError, NotFoundError, RefusedAddressError, RemoteError
from mapsi.refresh.feeds import beside
from mapsi.taxonomy import load_taxonomy
from offers import TAXONOMY, take_in
from offers import offer as an_offer
from refreshing import DAY, HOUR, NOON, Clock, Refreshing, feed, naver_feed, refresh_services


@pytest.fixture
def house(catalog: Catalog, clock: Clock, tmp_path: Path) -> Refreshing:
    """A catalogue on each database with a clock in the test's hand."""
    return Refreshing(catalog, refresh_services(tmp_path))


@pytest.fixture
def shop() -> Iterator[FeedServer]:
    with run_feed_server() as server:
        yield server


@pytest.fixture
def online(house: Refreshing, shop: FeedServer, tmp_path: Path) -> Refreshing:
    """The same, that may reach the shop's server."""
    return Refreshing(house.catalog, refresh_services(tmp_path, hosts=(shop.host,)))


def shown(catalog: Catalog) -> dict[str, int]:
    """Names and prices, as a shopper who browses sees them."""
    page = catalog.listings.search(Query(sort="price-up", size=1000))
    assert page.total == len(page.products) == catalog.listings.facets().offers
    return {product.name: int(product.lowest_price) for product in page.products}


# --- what is taken over ----------------------------------------------------------------------------------------------


def test_a_feed_takes_the_place_of_the_one_before(house: Refreshing, clock: Clock, tmp_path: Path) -> None:
    file = tmp_path / "feed.csv"
    file.write_text(feed("abc"), "utf-8")
    house.add("haru", file)
    assert house.counts("haru") == ("done", 3, 0, 0, 0)
    clock.advance(HOUR)
    file.write_text(feed("bcd", price=9_000), "utf-8")
    assert house.counts("haru") == ("done", 1, 2, 0, 1)
    assert shown(house.catalog) == {"니트 b": 9_000, "니트 c": 9_000, "니트 d": 9_000}
    assert [int(point.lowest_price) for point in house.catalog.listings.prices(2)] == [10_000, 9_000]


def test_pictures_beside_a_feed_are_found_there(house: Refreshing, tmp_path: Path) -> None:
    (tmp_path / "feed.csv").write_text(
        "id,title,link,image_link,price\na,니트,https://shop.example.com/a,p/a.jpg,9000\n"
    )
    house.add("haru", tmp_path / "feed.csv")
    house.run("haru")
    (task,) = house.catalog.pictures.to_fetch(NOON)
    assert task.image == str(tmp_path / "p" / "a.jpg")


def test_a_feed_behind_an_address_is_asked_for_changes_only(online: Refreshing, shop: FeedServer) -> None:
    shop.pages["/feed"] = Page(body=feed("abc").encode(), etag='"1"')
    online.add("haru", shop.url())
    assert online.counts("haru") == ("done", 3, 0, 0, 0)
    assert online.counts("haru") == ("unchanged", 0, 0, 3, 0)
    assert shop.asked[-1][1]["If-None-Match"] == '"1"'
    shop.pages["/feed"] = Page(body=feed("abcd").encode(), etag='"2"')
    assert online.counts("haru") == ("done", 1, 0, 3, 0)


def test_what_was_downloaded_does_not_stay(online: Refreshing, shop: FeedServer) -> None:
    shop.pages["/feed"] = Page(body=feed("abc").encode())
    online.add("haru", shop.url())
    (online.services.folder / "haru").mkdir(parents=True)
    (online.services.folder / "haru" / ".feed.left-by-a-killed-run").write_text("x")
    online.run("haru")
    assert list(online.services.folder.iterdir()) == []


def test_a_feed_that_breaks_off_changes_nothing(online: Refreshing, shop: FeedServer) -> None:
    whole = feed(range(3000)).encode()
    shop.pages["/feed"] = Page(body=feed("ab").encode(), etag='"1"')
    online.add("haru", shop.url())
    online.run("haru")
    for page in (
        Page(body=whole, cut=50_000),
        Page(body=whole[:60_000]),
        Page(status=500),
        Page(body=b"<html>sorry</html>"),
    ):
        shop.pages["/feed"] = page
        with pytest.raises((FeedError, RemoteError)):
            online.run("haru")
        assert set(shown(online.catalog)) == {"니트 a", "니트 b"}
    last = online.catalog.runs.latest("haru")[0]
    assert (last.state, last.reason != "") == ("failed", True)
    shop.pages["/feed"] = Page(body=feed("ab").encode(), etag='"1"')
    assert online.counts("haru") == ("unchanged", 0, 0, 2, 0)


def test_an_address_that_is_not_public_is_refused(house: Refreshing, shop: FeedServer) -> None:
    shop.pages["/feed"] = Page(body=feed("a").encode())
    house.add("haru", shop.url())
    with pytest.raises(RefusedAddressError):
        house.run("haru")
    assert shop.asked == []
    assert house.catalog.runs.latest("haru")[0].state == "failed"


def test_readers_see_the_feed_before_until_the_switch(house: Refreshing, tmp_path: Path) -> None:
    file = tmp_path / "feed.csv"
    file.write_text(feed(range(2500)), "utf-8")
    house.add("haru", file)
    house.run("haru")
    file.write_text(feed(range(2000, 5000), price=9_000), "utf-8")
    seen: list[tuple[int, int]] = []

    read = 0

    def look(more: int) -> None:
        nonlocal read
        read += more
        if read < 3000:
            facets = house.catalog.listings.facets()
            seen.append((facets.offers, int(facets.price_max or 0)))

    house.run("haru", accept=True, progress=look)
    assert seen == [(2500, 10_000), (2500, 10_000)]
    assert house.catalog.listings.facets().price_max == 9_000


def test_a_refresh_of_one_source_leaves_the_others(house: Refreshing, tmp_path: Path) -> None:
    for name in ("haru", "nuri"):
        (tmp_path / f"{name}.csv").write_text(feed([f"{name}1"]), "utf-8")
        house.add(name, tmp_path / f"{name}.csv")
        house.run(name)
    (tmp_path / "haru.csv").write_text(feed(["haru2"]), "utf-8")
    house.run("haru", accept=True)
    assert set(shown(house.catalog)) == {"니트 haru2", "니트 nuri1"}


def test_other_classes_to_tell_apart_are_found_in_an_unchanged_feed(house: Refreshing, tmp_path: Path) -> None:
    (tmp_path / "feed.csv").write_text(feed("a", title="원피스"), "utf-8")
    house.add("haru", tmp_path / "feed.csv")
    house.run("haru")
    assert dict(house.catalog.listings.products([1])[0].classes) == {"garment": "dress", "style": "one-piece"}
    house.taxonomy = load_taxonomy(["garment"])
    assert house.counts("haru") == ("done", 0, 1, 0, 0)
    assert dict(house.catalog.listings.products([1])[0].classes) == {"garment": "dress"}
    assert house.counts("haru")[0] == "unchanged"


def test_an_import_by_hand_does_not_hide_the_feed_from_the_next_refresh(house: Refreshing, tmp_path: Path) -> None:
    (tmp_path / "feed.csv").write_text(feed("ab"), "utf-8")
    house.add("haru", tmp_path / "feed.csv", time_to_live=DAY)
    house.run("haru")
    take_in(house.catalog, an_offer("z"), shop="haru")
    assert house.counts("haru", accept=True) == ("done", 0, 2, 0, 1)
    assert set(shown(house.catalog)) == {"니트 a", "니트 b"}


# --- feeds of changes ------------------------------------------------------------------------------------------------


def test_a_feed_of_changes_leaves_what_it_does_not_name(house: Refreshing, tmp_path: Path) -> None:
    folder = tmp_path / "naver"
    folder.mkdir()
    house.add("haru", folder, "naver-ep")
    (folder / "1-whole.tsv").write_text(naver_feed(["1:1000", "2:2000", "3:3000"]), "utf-8")
    assert house.counts("haru") == ("done", 3, 0, 0, 0)
    (folder / "2-changes.tsv").write_text(naver_feed(["2:2500:U", "3:0:D", "4:4000:I", "9:0:D"], changes=True), "utf-8")
    assert house.counts("haru") == ("done", 1, 1, 0, 1)
    assert shown(house.catalog) == {"니트 1": 1000, "니트 2": 2500, "니트 4": 4000}
    assert house.counts("haru") == ("unchanged", 0, 0, 3, 0)


def test_a_whole_feed_and_the_changes_after_it_are_taken_in_their_order(house: Refreshing, tmp_path: Path) -> None:
    folder = tmp_path / "naver"
    folder.mkdir()
    house.add("haru", folder, "naver-ep")
    (folder / "1.tsv").write_text(naver_feed(["1:1000", "2:2000"]), "utf-8")
    (folder / "2.tsv").write_text(naver_feed(["1:0:D", "2:2500:U"], changes=True), "utf-8")
    (folder / "3.tsv").write_text(naver_feed(["1:1100:I"], changes=True), "utf-8")
    assert house.counts("haru") == ("done", 2, 2, 0, 1)
    assert shown(house.catalog) == {"니트 1": 1100, "니트 2": 2500}


def test_withdrawing_everything_one_by_one_is_no_shrunken_feed(house: Refreshing, tmp_path: Path) -> None:
    folder = tmp_path / "naver"
    folder.mkdir()
    house.add("haru", folder, "naver-ep")
    (folder / "1.tsv").write_text(naver_feed(["1:1000"]), "utf-8")
    house.run("haru")
    (folder / "2.tsv").write_text(naver_feed(["1:0:D"], changes=True), "utf-8")
    assert house.counts("haru") == ("done", 0, 0, 0, 1)
    assert shown(house.catalog) == {}


# --- held back -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("left", "held"), [(6, False), (5, False), (4, True), (1, True)])
def test_a_feed_that_shrank_too_far_waits_for_a_person(
    house: Refreshing, tmp_path: Path, left: int, held: bool
) -> None:
    file = tmp_path / "feed.csv"
    file.write_text(feed(range(10)), "utf-8")
    house.add("haru", file)
    house.run("haru")
    before, generation = shown(house.catalog), house.catalog.generation()
    file.write_text(feed(range(left), price=5_000), "utf-8")
    state = house.run("haru").state
    assert state == ("held" if held else "done")
    assert (shown(house.catalog) == before) is held
    assert (house.catalog.generation() == generation) is held


def test_a_held_feed_stays_held_until_it_is_accepted(house: Refreshing, tmp_path: Path) -> None:
    file = tmp_path / "feed.csv"
    file.write_text(feed(range(10)), "utf-8")
    house.add("haru", file, shrink=0.3)
    house.run("haru")
    file.write_text(feed(range(6)), "utf-8")
    for _ in range(2):
        report = house.run("haru")
        assert report.state == "held"
        assert "4 of 10 offers would be gone, more than the 30%" in report.reason
    assert house.catalog.runs.latest("haru")[0].state == "held"
    assert house.counts("haru", accept=True) == ("done", 0, 0, 6, 4)
    assert house.counts("haru")[0] == "unchanged"


def test_new_offers_do_not_make_up_for_those_that_are_gone(house: Refreshing, tmp_path: Path) -> None:
    file = tmp_path / "feed.csv"
    file.write_text(feed(range(10)), "utf-8")
    house.add("haru", file)
    house.run("haru")
    file.write_text(feed(range(100, 200)), "utf-8")
    report = house.run("haru")
    assert (report.state, report.reason[:30]) == ("held", "All 10 offers would be gone. T")


def test_what_was_gone_already_does_not_count(house: Refreshing, tmp_path: Path) -> None:
    file = tmp_path / "feed.csv"
    file.write_text(feed(range(12)), "utf-8")
    house.add("haru", file)
    for ids in (range(10), range(6), range(4)):
        file.write_text(feed(ids), "utf-8")
        assert house.run("haru").state == "done"


# --- the dry run -----------------------------------------------------------------------------------------------------


def test_a_dry_run_tells_what_would_change_and_changes_nothing(house: Refreshing, tmp_path: Path) -> None:
    file = tmp_path / "feed.csv"
    file.write_text(feed("abcdef"), "utf-8")
    house.add("haru", file)
    house.run("haru")
    changed = feed("ab") + feed("c", price=9_000).partition("\n")[2] + feed("d", title="코트").partition("\n")[2]
    file.write_text(
        changed + feed("xyz").partition("\n")[2] + "bad,no price,https://shop.example.com,a.jpg,\n", "utf-8"
    )
    before, generation, runs = shown(house.catalog), house.catalog.generation(), house.catalog.runs.latest()
    (preview,) = house.preview("haru")
    counts = (preview.new, preview.repriced, preview.changed, preview.unchanged, preview.gone, preview.broken_count)
    assert counts == (3, 1, 1, 2, 2, 1)
    (price,) = preview.price_examples
    assert (price.title, int(price.old), int(price.new), price.new_currency) == ("니트 c", 10_000, 9_000, "KRW")
    assert preview.changed_examples == ("코트 d",)
    assert set(preview.gone_examples) == {"니트 e", "니트 f"}
    assert preview.held == ""
    assert (shown(house.catalog), house.catalog.generation(), house.catalog.runs.latest()) == (
        before,
        generation,
        runs,
    )
    report = house.run("haru")
    assert (report.new, report.changed, report.unchanged, report.gone) == (3, 2, 2, 2)


def test_a_dry_run_says_what_would_be_held_back_and_what_is_no_news(house: Refreshing, tmp_path: Path) -> None:
    file = tmp_path / "feed.csv"
    file.write_text(feed("abcdef"), "utf-8")
    house.add("haru", file)
    house.run("haru")
    assert house.preview("haru") == ()
    file.write_text(feed("ab"), "utf-8")
    assert "4 of 6" in house.preview("haru")[0].held


# --- time to live ----------------------------------------------------------------------------------------------------


def is_shown_nowhere(catalog: Catalog) -> bool:
    everywhere = (
        catalog.listings.search(Query(size=10)).total,
        catalog.listings.search(Query(sort="price-up", size=10)).total,
        catalog.listings.search(Query(words="니트", size=10)).total,
        len(catalog.listings.products(range(100))),
        catalog.listings.facets().offers,
    )
    assert everywhere == (0,) * 5 or all(everywhere)
    return not any(everywhere)


def test_past_its_time_to_live_an_offer_is_shown_nowhere(house: Refreshing, clock: Clock, tmp_path: Path) -> None:
    (tmp_path / "feed.csv").write_text(feed("abc"), "utf-8")
    house.add("haru", tmp_path / "feed.csv", time_to_live=6 * HOUR)
    house.run("haru")
    clock.advance(6 * HOUR - timedelta(seconds=1))
    assert not is_shown_nowhere(house.catalog)
    clock.advance(timedelta(seconds=1))
    assert is_shown_nowhere(house.catalog)
    assert house.catalog.sweep() == 3
    assert is_shown_nowhere(house.catalog)
    assert house.catalog.status().living == 0
    assert house.catalog.sweep() == 0


def test_an_unchanged_feed_renews_its_offers(online: Refreshing, shop: FeedServer, clock: Clock) -> None:
    shop.pages["/feed"] = Page(body=feed("abc").encode(), etag='"1"')
    online.add("haru", shop.url(), time_to_live=6 * HOUR)
    online.run("haru")
    generation = online.catalog.generation()
    for _ in range(3):
        clock.advance(5 * HOUR)
        assert online.run("haru").state == "unchanged"
    assert (len(shown(online.catalog)), online.catalog.generation()) == (3, generation)
    clock.advance(6 * HOUR)
    assert is_shown_nowhere(online.catalog)


def test_a_feed_that_failed_or_was_held_renews_nothing(online: Refreshing, shop: FeedServer, clock: Clock) -> None:
    shop.pages["/feed"] = Page(body=feed("abcdef").encode())
    online.add("haru", shop.url(), time_to_live=6 * HOUR)
    online.run("haru")
    clock.advance(5 * HOUR)
    shop.pages["/feed"] = Page(body=feed("a").encode())
    assert online.run("haru").state == "held"
    shop.pages["/feed"] = Page(status=503)
    with pytest.raises(RemoteError):
        online.run("haru")
    clock.advance(HOUR)
    assert is_shown_nowhere(online.catalog)


def test_expired_offers_come_back_with_the_very_same_feed(online: Refreshing, shop: FeedServer, clock: Clock) -> None:
    shop.pages["/feed"] = Page(body=feed("abc").encode(), etag='"1"')
    online.add("haru", shop.url(), time_to_live=6 * HOUR)
    online.run("haru")
    clock.advance(DAY)
    assert online.counts("haru") == ("done", 0, 3, 0, 0)
    assert len(shown(online.catalog)) == 3


def test_only_what_has_expired_is_hidden(house: Refreshing, clock: Clock, tmp_path: Path) -> None:
    for name, lives in (("haru", HOUR), ("nuri", 3 * HOUR), ("dasom", None)):
        (tmp_path / f"{name}.csv").write_text(feed([name]), "utf-8")
        house.add(name, tmp_path / f"{name}.csv", time_to_live=lives)
        house.run(name)
    clock.advance(2 * HOUR)
    assert set(shown(house.catalog)) == {"니트 nuri", "니트 dasom"}
    clock.advance(30 * DAY)
    assert set(shown(house.catalog)) == {"니트 dasom"}
    assert house.catalog.sweep() == 2
    assert set(shown(house.catalog)) == {"니트 dasom"}


def test_a_sweep_leaves_a_shop_that_is_being_refreshed(house: Refreshing, clock: Clock, tmp_path: Path) -> None:
    (tmp_path / "feed.csv").write_text(feed("abc"), "utf-8")
    source = house.add("haru", tmp_path / "feed.csv", time_to_live=HOUR)
    house.run("haru")
    clock.advance(HOUR)
    with house.catalog.imports.begin(source, TAXONOMY) as run:
        assert house.catalog.sweep() == 0
        run.renew()
    assert len(shown(house.catalog)) == 3


# --- two at once, and killed ones ------------------------------------------------------------------------------------


def test_the_dry_run_names_what_would_go_also_where_as_much_is_new(house: Refreshing, tmp_path: Path) -> None:
    file = tmp_path / "feed.csv"
    file.write_text(feed("abc"), "utf-8")
    house.add("haru", file)
    house.run("haru")
    file.write_text(feed("xyz"), "utf-8")
    (preview,) = house.preview("haru")
    assert (preview.new, preview.gone) == (3, 3)
    assert preview.new_examples == ("니트 x", "니트 y", "니트 z")
    assert preview.gone_examples == ("니트 a", "니트 b", "니트 c")


def test_a_second_refresh_is_told_that_one_runs(
    house: Refreshing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mapsi.catalog.imports.run.PATIENCE", 0)
    (tmp_path / "feed.csv").write_text(feed("abc"), "utf-8")
    source = house.add("haru", tmp_path / "feed.csv")
    with house.catalog.imports.begin(source, TAXONOMY) as run:
        with pytest.raises(BusyError, match="running") as caught:
            house.run("haru")
        assert caught.value.exit_code == 11
        assert [run.state for run in house.catalog.runs.latest("haru")] == ["running"]
        run.end("unchanged")
    assert house.run("haru").state == "done"


def test_a_run_that_was_killed_does_not_run_for_ever(house: Refreshing, clock: Clock, tmp_path: Path) -> None:
    (tmp_path / "feed.csv").write_text(feed("abc"), "utf-8")
    source = house.add("haru", tmp_path / "feed.csv")
    entered = house.catalog.imports.begin(source, TAXONOMY)
    entered.__enter__()
    left_behind = house.catalog.runs.latest("haru")[0].id
    house.catalog.sweep()
    assert house.catalog.runs.latest("haru")[0].state == "running"
    entered.__exit__(None, None, None)  # lets go of the lock and, as a killed process, writes nothing in the log
    house.catalog.sweep()
    run = house.catalog.runs.latest("haru")[0]
    assert (run.id, run.state, run.finished) == (left_behind, "killed", clock())


def test_an_unknown_name_is_reported(house: Refreshing) -> None:
    with pytest.raises(NotFoundError):
        house.run("nobody")


def test_times_in_the_book_are_the_clocks(house: Refreshing, clock: Clock, tmp_path: Path) -> None:
    (tmp_path / "feed.csv").write_text(feed("abc"), "utf-8")
    house.add("haru", tmp_path / "feed.csv", every=HOUR)
    house.run("haru")
    run = house.catalog.runs.latest("haru")[0]
    assert (run.started, run.finished) == (NOON, NOON)
    due: list[datetime] = [NOON + HOUR]
    clock.now = due[0]
    assert [source.name for source in house.catalog.sources.due(clock())] == ["haru"]


@pytest.mark.parametrize(("on_disk", "in_feed"), [("NFD", "NFC"), ("NFC", "NFD"), ("NFD", "NFD")])
def test_a_picture_beside_the_feed_is_found_however_its_letters_are_written(
    tmp_path: Path, on_disk: str, in_feed: str
) -> None:
    there = tmp_path / unicodedata.normalize(on_disk, "원피스.jpg")
    there.write_bytes(b"x")
    row = an_offer("1", image=unicodedata.normalize(in_feed, "원피스.jpg"))
    (found,) = beside([row], tmp_path)
    assert isinstance(found, Offer)
    assert found.image == str(there)


# --- dates within a feed ---------------------------------------------------------------------------------------------


def dated(ids: Iterable[str], **fields: str) -> str:
    """The feed with these fields in each row."""
    rows = feed(ids).replace("price\n", ",".join(["price", *fields]) + "\n")
    return rows.replace("10000\n", ",".join(["10000", *fields.values()]) + "\n")


def sale(first: datetime | str, last: datetime | str) -> dict[str, str]:
    span = "/".join(moment if isinstance(moment, str) else moment.isoformat() for moment in (first, last))
    return {"sale_price": "5000", "sale_price_effective_date": span}


@pytest.fixture
def started(house: Refreshing, tmp_path: Path) -> Callable[[str], Refreshing]:
    """A source of a feed, refreshed once."""

    def start(written: str) -> Refreshing:
        (tmp_path / "feed.csv").write_text(written, "utf-8")
        house.add("haru", tmp_path / "feed.csv")
        assert house.run("haru").state == "done"
        return house

    return start


@pytest.mark.parametrize("swept", [False, True])
def test_a_sale_begins_and_ends_by_the_clock_between_two_refreshes(
    started: Callable[[str], Refreshing], clock: Clock, swept: bool
) -> None:
    house = started(dated("ab", **sale(NOON + HOUR, NOON + 2 * HOUR)))
    for price in (10_000, 5000, 10_000, 10_000):
        if swept:
            house.catalog.sweep()
        assert shown(house.catalog) == {"니트 a": price, "니트 b": price}
        assert int(house.catalog.listings.products([1])[0].lowest_price) == price
        clock.advance(HOUR)
    assert house.counts("haru") == ("unchanged", 0, 0, 2, 0)


def test_a_sweep_puts_a_price_of_now_where_products_are_ordered_and_counted(
    started: Callable[[str], Refreshing], clock: Clock
) -> None:
    house = started(
        dated("a", **sale("2026-01-01", NOON + HOUR)) + feed("b", 7000).partition("\n")[2].replace("7000", "7000,,")
    )
    assert list(shown(house.catalog)) == ["니트 a", "니트 b"]
    clock.advance(HOUR)
    before = house.catalog.generation()
    assert house.catalog.sweep() == 0
    assert house.catalog.generation() > before
    assert list(shown(house.catalog).items()) == [("니트 b", 7000), ("니트 a", 10_000)]
    assert house.catalog.listings.facets().price_max == 10_000
    assert house.catalog.listings.search(Query(filters=Filters(max_price=Decimal(6000)))).total == 0
    history = [(point.seen_at, int(point.lowest_price)) for point in house.catalog.listings.prices(1)]
    assert history == [(NOON, 5000), (NOON + HOUR, 10_000)]
    again = house.catalog.generation()
    assert house.catalog.sweep() == 0
    assert house.catalog.generation() == again


@pytest.mark.parametrize("swept", [0, 1])
def test_an_offer_is_gone_from_the_moment_that_its_feed_names(
    started: Callable[[str], Refreshing], clock: Clock, swept: int
) -> None:
    ended = dated("a", expiration_date=(NOON + HOUR).isoformat())
    house = started(ended + feed("b").partition("\n")[2].replace("10000\n", "10000,\n"))
    assert len(shown(house.catalog)) == 2
    clock.advance(HOUR)
    if swept:
        assert house.catalog.sweep() == 1
        assert house.catalog.status().living == 1
    assert list(shown(house.catalog)) == ["니트 b"]
    assert house.catalog.listings.products([1]) == []
    assert house.counts("haru") == ("unchanged", 0, 0, 1, 0)


def test_a_date_that_is_put_off_counts(started: Callable[[str], Refreshing], clock: Clock, tmp_path: Path) -> None:
    house = started(dated("a", **sale("2026-01-01", NOON + HOUR)))
    (tmp_path / "feed.csv").write_text(dated("a", **sale("2026-01-01", NOON + 3 * HOUR)), "utf-8")
    assert house.counts("haru") == ("done", 0, 1, 0, 0)
    clock.advance(2 * HOUR)
    assert shown(house.catalog) == {"니트 a": 5000}
    assert house.catalog.sweep() == 0
    clock.advance(HOUR)
    assert shown(house.catalog) == {"니트 a": 10_000}
