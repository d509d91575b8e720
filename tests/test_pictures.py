"""Product pictures: fetched once, asked about again, copied in sizes where that is allowed, politely, whatever
fails."""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from mapsi.catalog import Catalog
from mapsi.catalog.pictures.fetching import FetchedPicture
from mapsi.catalog.records import PictureCopy
from mapsi.errors import NotFoundError
from mapsi.imaging import PhotoLimits, encode_webp
from mapsi.pictures.copying import CopyReport, PictureSource, RecheckSchedule, copy_pictures
from mapsi.pictures.courtesy import CONNECTIONS, LONGEST, REST, AskedToWaitError, Courtesy
from mapsi.pictures.store import FULL, SIDES, PictureStore, covering_side, smaller_sides
from mapsi.pictures.threads import in_threads
from mapsi.progress import Advance, no_progress
from mapsi.remote import Fetcher
from offers import offer, take_in
from picture_server import PictureServer, run_picture_server
from refreshing import Clock

START = datetime(2026, 1, 1, tzinfo=UTC)
WEEK = timedelta(days=7)


def photo(colour: str, size: tuple[int, int] = (60, 80)) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def server() -> Iterator[PictureServer]:
    with run_picture_server() as running:
        yield running


@dataclass
class Home:
    """A catalogue, a store and a clock that tests move on."""

    catalog: Catalog
    store: PictureStore
    server: PictureServer
    now: datetime = START
    reports: list[CopyReport] = field(default_factory=list)

    def copy(self, after: timedelta = timedelta()) -> CopyReport:
        self.now += after
        source = PictureSource(Fetcher(allow_hosts=(self.server.host,)), 1 << 16, 2.0, Courtesy(clock=lambda: self.now))
        return copy_pictures(self.catalog, source, self.store, no_progress, clock=lambda: self.now)

    def pictures(self, *offer_ids: int) -> list[str]:
        return [product.picture for product in self.catalog.listings.products(offer_ids)]


@pytest.fixture
def home(catalog: Catalog, server: PictureServer, tmp_path: Path) -> Home:
    return Home(catalog, PictureStore(tmp_path / "pictures", PhotoLimits()), server)


# --- copies ----------------------------------------------------------------------------------------------------------


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(16, 512))
def test_what_a_model_reads_comes_from_the_smallest_copy_that_covers_it(width: int, height: int, least: int) -> None:
    shrunk = min(1.0, FULL / max(width, height))
    width, height = max(1, round(width * shrunk)), max(1, round(height * shrunk))
    side = covering_side(width, height, least)
    covered = {at: min(width, height) * at / max(width, height) >= least for at in smaller_sides(width, height)}
    assert side == min((at for at, covers in covered.items() if covers), default=FULL)


def test_a_small_picture_has_one_copy_and_is_never_blown_up(tmp_path: Path) -> None:
    store = PictureStore(tmp_path, PhotoLimits())
    copy = store.add(photo("red", (180, 240)))
    assert (copy.width, copy.height) == (180, 240)
    assert [file.name for file in tmp_path.rglob("*.webp")] == [f"{copy.digest}.webp"]


def test_a_store_of_one_size_works_on_and_gets_the_others(tmp_path: Path) -> None:
    store = PictureStore(tmp_path, PhotoLimits())
    digest = "ab" * 32
    (tmp_path / "ab").mkdir()
    (tmp_path / "ab" / f"{digest}.webp").write_bytes(encode_webp(Image.new("RGB", (480, 640)), max_side=640))
    assert store.open(digest, 240).size == (480, 640)
    copy = PictureCopy(digest, 480, 640)
    assert store.lacks(copy) == [240, 480]
    assert store.complete(copy)
    assert [store.open(digest, side).size for side in SIDES] == [(180, 240), (360, 480), (480, 640)]
    assert not store.complete(PictureCopy("cd" * 32, 480, 640))


@pytest.mark.parametrize("in_the_way", ["a folder", "a circle", "its folder in a circle", "a file for its folder"])
def test_what_is_in_the_place_of_a_copy_is_no_copy_and_goes_with_the_next(tmp_path: Path, in_the_way: str) -> None:
    store, data = PictureStore(tmp_path / "pictures", PhotoLimits()), photo("red", (900, 1200))
    copy = store.add(data)
    for side in (SIDES[0], FULL):
        file = store.path(copy.digest, side)
        assert file is not None
        if "its folder" in in_the_way or "for its" in in_the_way:
            shutil.rmtree(file.parent, ignore_errors=True)
            file = file.parent
        file.unlink(missing_ok=True)
        if in_the_way == "a folder":
            file.mkdir()
        elif "circle" in in_the_way:
            file.symlink_to(file.name)
        else:
            file.write_text("x")
        assert side in store.lacks(copy)
        assert FULL in store.lacks(copy) or store.complete(copy)
        store.add(data)
        assert store.lacks(copy) == []


def test_a_copy_that_may_not_be_read_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither its file nor, which Python tells otherwise, its folder."""
    store = PictureStore(tmp_path, PhotoLimits())
    copy = store.add(photo("red", (90, 120)))
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setattr(Path, "is_file", lambda path: os.stat("/nowhere/to/be/read").st_size)
    assert store.path(copy.digest) is None
    with pytest.raises(NotFoundError):
        store.open(copy.digest)


def test_a_killed_copy_leaves_no_picture_that_counts_as_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store, data = PictureStore(tmp_path, PhotoLimits()), photo("red", (900, 1200))
    real, written = PictureStore._write, []

    def stop_at_the_last(self: PictureStore, digest: str, side: int, picture: Image.Image) -> None:
        if side == FULL:
            raise KeyboardInterrupt
        written.append(side)
        real(self, digest, side, picture)

    with monkeypatch.context() as patched:
        patched.setattr(PictureStore, "_write", stop_at_the_last)
        with pytest.raises(KeyboardInterrupt):
            store.add(data)
    assert written == [240, 480]
    assert not any(store.path(file.name[:64]) for file in tmp_path.rglob("*.webp"))
    assert store.lacks(store.add(data)) == []


# --- fetching --------------------------------------------------------------------------------------------------------


def test_a_picture_is_fetched_once_for_all_offers_that_show_it(home: Home) -> None:
    url = home.server.put("/a.png", photo("red"))
    take_in(home.catalog, offer("1", image=url), offer("2", image=url))
    assert home.copy().copied == 1
    assert home.copy().copied == 0
    take_in(home.catalog, offer("1", image=url), offer("2", image=url), offer("3", image=url))
    assert home.copy().copied == 0
    assert home.server.asked == {("/a.png", 200): 1}
    assert len(set(home.pictures(1, 2, 3))) == 1


def test_an_unchanged_picture_is_confirmed_by_its_validator(home: Home) -> None:
    take_in(home.catalog, offer("1", image=home.server.put("/a.png", photo("red"))))
    home.copy()
    before = home.pictures(1)
    assert home.copy(after=WEEK / 2).unchanged == 0, "its time has not come"
    assert home.copy(after=WEEK).unchanged == 1
    assert home.copy().unchanged == 0
    assert home.server.asked == {("/a.png", 200): 1, ("/a.png", 304): 1}
    assert home.pictures(1) == before


def test_a_picture_replaced_behind_its_address_is_noticed(home: Home) -> None:
    take_in(home.catalog, offer("1", image=home.server.put("/a.png", photo("red"))))
    home.copy()
    (before,) = home.pictures(1)
    home.server.put("/a.png", photo("blue"))
    report = home.copy(after=2 * WEEK)
    assert (report.copied, report.changed) == (0, 1)
    (after,) = home.pictures(1)
    assert after != before
    assert home.store.path(after)
    assert [picture.digest for picture in home.catalog.readings.missing("m")] == [after]


def test_a_server_without_validators_is_asked_again_and_compared_by_content(home: Home) -> None:
    take_in(home.catalog, offer("1", image=home.server.put("/a.png", photo("red"), validated=False)))
    home.copy()
    assert home.copy(after=2 * WEEK).unchanged == 1
    home.server.put("/a.png", photo("blue"), validated=False)
    assert home.copy(after=2 * WEEK).changed == 1


def test_a_recheck_asks_at_once(home: Home) -> None:
    take_in(home.catalog, offer("1", image=home.server.put("/a.png", photo("red"))))
    home.copy()
    home.catalog.pictures.recheck()
    assert home.copy().unchanged == 1


def test_a_new_address_in_the_feed_is_fetched_at_once(home: Home) -> None:
    take_in(home.catalog, offer("1", image=home.server.put("/a.png", photo("red"))))
    home.copy()
    (before,) = home.pictures(1)
    take_in(home.catalog, offer("1", image=home.server.put("/b.png", photo("blue"))))
    assert home.copy().copied == 1
    assert home.pictures(1) != [before]


def test_gone_offers_are_asked_no_more(home: Home) -> None:
    take_in(home.catalog, offer("1", image=home.server.put("/a.png", photo("red"))), offer("2", image="/nowhere.png"))
    home.copy()
    take_in(home.catalog, offer("2", image="/nowhere.png"))
    home.copy(after=2 * WEEK)
    assert home.server.asked == {("/a.png", 200): 1}


def test_what_is_broken_is_told_and_stops_nothing(home: Home) -> None:
    put = home.server.put
    images = {
        "good": put("/good.png", photo("red")),
        "moved": put("/moved.png", b"", status=301, headers={"Location": "/good.png"}),
        "missing": put("/missing.png", b"", status=404),
        "text": put("/text.png", b"no picture"),
        "cut": put("/cut.png", photo("red", (50, 50))[:60]),
        "huge": put("/huge.png", b"\xff\xd8\xff" + bytes(1 << 17)),
        "slow": put("/slow.png", photo("red"), seconds=3.0),
        "away": put("/away.png", b"", status=302, headers={"Location": "http://10.0.0.1/x.png"}),
    }
    take_in(home.catalog, *(offer(name, image=url) for name, url in images.items()))
    report = home.copy()
    assert (report.copied, report.failed_count) == (2, 6)
    assert sorted(image for image, _ in report.failed) == sorted(
        set(images.values()) - {images["good"], images["moved"]}
    )
    assert all(reason.endswith(".") for _, reason in report.failed)
    count, faults = home.catalog.pictures.faults(3)
    assert (count, len(faults)) == (6, 3)
    assert home.catalog.status().shops[0].pictures_failed == 6


def test_a_picture_that_an_import_overtook_is_not_the_new_ones(home: Home) -> None:
    old, new = (home.server.put(f"/{colour}.png", photo(colour)) for colour in ("red", "blue"))
    take_in(home.catalog, offer("1", image=old), offer("2", image=old))
    (task,) = home.catalog.pictures.to_fetch(home.now)
    take_in(home.catalog, offer("1", image=new), offer("2", image=old))  # while it is on its way
    copy = home.store.add(photo("red"))
    home.catalog.pictures.save(task, FetchedPicture(copy=copy), home.now, home.now + WEEK)
    assert home.pictures(1, 2) == ["", copy.digest]
    assert home.copy().copied == 1
    assert home.pictures(1)[0] == hashlib.sha256(photo("blue")).hexdigest()


def test_what_only_offers_of_the_past_named_is_no_fault_any_more(home: Home) -> None:
    urls = [home.server.put(f"/{name}.png", photo("red")) for name in "ab"]
    gone = [home.server.put(f"/{name}.png", b"", status=404) for name in "cd"]
    take_in(home.catalog, *(offer(str(number), image=url) for number, url in enumerate(urls + gone)))
    home.copy()
    for name in "ab":
        home.server.put(f"/{name}.png", b"", status=404)
    home.copy(after=timedelta(days=14))
    assert {fault.image for fault in home.catalog.pictures.faults(9)[1]} == {*urls, *gone}
    take_in(home.catalog, offer("0", image=urls[0]), offer("2", image=gone[0]))
    count, faults = home.catalog.pictures.faults(9)
    assert (count, {fault.image for fault in faults}) == (2, {urls[0], gone[0]})


def test_failures_rest_for_longer_each_time_and_imports_do_not_change_that(home: Home) -> None:
    url = home.server.put("/a.png", b"", status=404)
    asked = []
    for hours in (0, 0.5, 1, 1, 4, 16, 64):
        take_in(home.catalog, offer("1", image=url))
        home.copy(after=timedelta(hours=hours))
        asked.append(home.server.asked["/a.png", 404])
        assert home.catalog.status().shops[0].pictures_failed == 1
    assert asked == [1, 1, 2, 2, 3, 4, 5]
    home.server.put("/a.png", photo("red"))
    assert home.copy(after=timedelta(days=14)).copied == 1
    assert home.catalog.pictures.faults(9) == (0, [])


def test_a_picture_that_vanished_from_its_address_is_kept(home: Home) -> None:
    take_in(home.catalog, offer("1", image=home.server.put("/a.png", photo("red"))))
    home.copy()
    before = home.pictures(1)
    home.server.put("/a.png", b"", status=410)
    assert home.copy(after=2 * WEEK).failed_count == 1
    assert home.pictures(1) == before != [""]


def test_a_host_that_asks_to_wait_is_left_alone_for_as_long(home: Home) -> None:
    put, wait = home.server.put, {"Retry-After": "1800"}
    urls = [put(f"/{n}.png", b"", status=429, headers=wait) for n in range(40)]
    take_in(home.catalog, *(offer(str(n), image=url) for n, url in enumerate(urls)))
    report = home.copy()
    assert (report.waiting, report.failed_count) == (40, 0)
    assert home.server.asked.total() <= CONNECTIONS, "those under way, and nobody after them"
    for n in range(40):
        put(f"/{n}.png", photo("red", (n + 1, 9)))
    assert home.copy(after=timedelta(minutes=29)).copied == 0
    assert home.copy(after=timedelta(minutes=2)).copied == 40


def test_one_host_is_asked_few_things_at_once(home: Home) -> None:
    urls = [home.server.put(f"/{n}.png", photo("red", (n + 1, 9)), seconds=0.05) for n in range(30)]
    take_in(home.catalog, *(offer(str(n), image=url) for n, url in enumerate(urls)))
    assert home.copy().copied == 30
    assert home.server.busiest <= CONNECTIONS


@given(st.text(max_size=40))
def test_whatever_a_host_asks_it_is_left_alone_for_a_day_at_most(header: str) -> None:
    courtesy = Courtesy(clock=lambda: START)
    until = courtesy.leave_alone("http://h/", {"retry-after": header}, timedelta(minutes=1)).until
    assert START < until <= START + LONGEST


@given(st.text(min_size=1, max_size=30))
def test_rechecks_are_spread_around_their_time(image: str) -> None:
    due = RecheckSchedule(every=WEEK).after_success(image, START)
    assert START + WEEK * 0.75 <= due <= START + WEEK * 1.25


def test_a_file_is_looked_at_again_by_its_time_and_size(home: Home, tmp_path: Path) -> None:
    file = tmp_path / "a.png"
    take_in(home.catalog, offer("1", image=str(file)))
    assert home.copy().failed_count == 1
    file.write_bytes(photo("red"))
    assert home.copy().copied == 1, "a file is not waited for: looking costs nothing"
    os.utime(file, (1, 1))
    assert home.copy(after=2 * WEEK).unchanged == 1
    file.write_bytes(photo("blue"))
    assert home.copy(after=2 * WEEK).changed == 1


def test_a_lost_copy_is_fetched_again_though_its_address_did_not_change(home: Home) -> None:
    take_in(home.catalog, offer("1", image=home.server.put("/a.png", photo("red"))))
    home.copy()
    (digest,) = home.pictures(1)
    home.store.remove(digest)
    report = home.copy()
    assert (report.lost, report.copied) == (1, 1)
    assert home.server.asked == {("/a.png", 200): 2}
    assert home.store.path(digest)


# --- terms -----------------------------------------------------------------------------------------------------------


def test_where_the_terms_allow_no_copy_the_shops_own_picture_is_shown(home: Home) -> None:
    url = home.server.put("/a.png", photo("red"))
    take_in(home.catalog, offer("1", image=url), copies=False)
    report = home.copy()
    assert (report.copied, report.linked) == (1, 1)
    (product,) = home.catalog.listings.products([1])
    assert (product.picture, product.linked_picture) == ("", url)
    (unread,) = home.catalog.readings.missing("m")
    assert not unread.kept
    assert home.store.path(unread.digest) is None
    assert home.store.held(unread.digest) is not None
    assert home.copy(after=2 * WEEK).unchanged == 1


def test_terms_that_change_take_the_copy_away_or_bring_it(home: Home) -> None:
    url = home.server.put("/a.png", photo("red"))
    take_in(home.catalog, offer("1", image=url))
    home.copy()
    (digest,) = home.pictures(1)
    take_in(home.catalog, offer("1", image=url), copies=False)
    home.copy()
    assert home.store.path(digest) is None
    take_in(home.catalog, offer("1", image=url))
    home.copy()
    assert home.store.path(digest) is not None
    assert home.pictures(1) == [digest]


def test_hosts_that_do_not_answer_take_one_thread_each_and_rest_after_two_addresses(home: Home) -> None:
    with run_picture_server() as slow:
        urls = [slow.put(f"/{n}.png", photo("red"), seconds=2.0) for n in range(200)]
        urls += [home.server.put(f"/{n}.png", photo("red", (n + 1, 9))) for n in range(20)]
        take_in(home.catalog, *(offer(str(n), image=url) for n, url in enumerate(urls)))
        source = PictureSource(Fetcher(allow_hosts=(slow.host, home.server.host)), 1 << 16, 0.6)
        report = copy_pictures(home.catalog, source, home.store, no_progress)
        assert (report.copied, report.failed_count, report.waiting) == (20, 2, 198)
        assert slow.busiest == 2, "visits in all, the first of which it still works on when the second is given up"


def test_a_host_that_answers_in_time_again_is_asked_as_before() -> None:
    courtesy = Courtesy(clock=lambda: START)
    assert courtesy.width("h") == 1
    for seconds in (0.1, 9.5, 0.1, 9.5):
        courtesy.note("https://h/1.png", seconds, most=10)
        assert courtesy.width("h") == (1 if seconds > 2 else CONNECTIONS)
    with courtesy.visit("https://h/2.png"):
        pass
    courtesy.note("https://h/2.png", 9.5, most=10)
    with (
        pytest.raises(AskedToWaitError, match="does not answer in time and is left alone"),
        courtesy.visit("https://h/3.png"),
    ):
        pass


def test_a_host_that_is_slow_but_in_time_takes_one_thread_for_ten_minutes_and_goes_on_in_an_hour() -> None:
    clock = Clock(START)
    courtesy = Courtesy(clock=clock)
    for round_ in range(2):
        asked = 0
        with suppress(AskedToWaitError):
            while asked < 1000:
                with courtesy.visit("https://slow/1.png"):
                    asked += 1
                    courtesy.note("https://slow/1.png", 7.5, most=10)
                    assert courtesy.width("slow") == 1
        assert asked == 80, round_
        clock.advance(REST)
    for _ in range(100_000):
        courtesy.note("https://quick/1.png", 0.3, most=10)
    with courtesy.visit("https://quick/2.png"):
        assert courtesy.width("quick") == CONNECTIONS


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(1, 3)), max_size=40), st.integers(1, 4))
def test_every_item_of_every_lane_is_worked_on_once_and_no_lane_is_wider_than_it_may_be(
    items: list[tuple[str, int]], threads: int
) -> None:
    busy: Counter[str] = Counter()
    most: Counter[str] = Counter()
    lock = threading.Lock()

    def work(item: tuple[int, tuple[str, int]]) -> int:
        name = item[1][0]
        with lock:
            busy[name] += 1
            most[name] = max(most[name], busy[name])
        with lock:
            busy[name] -= 1
        return item[0]

    widths = {"a": 1, "b": 2, "c": 100}
    done = in_threads(work, enumerate(items), threads, lane=lambda item: item[1][0], width=widths.__getitem__)
    assert sorted(done) == list(range(len(items)))
    assert all(most[name] <= widths[name] for name in most)


def test_copying_is_no_slower_for_one_slow_host(home: Home) -> None:
    """The slow one answers nothing before the other's pictures are all there."""
    with run_picture_server() as slow:
        urls = [slow.put(f"/{n}.png", photo("red")) for n in range(4)]
        urls += [home.server.put(f"/{n}.png", photo("red", (n + 1, 9))) for n in range(40)]
        take_in(home.catalog, *(offer(str(n), image=url) for n, url in enumerate(urls)))
        fetcher = Fetcher(allow_hosts=(slow.host, home.server.host))
        finished = itertools.count(1)
        slow.answering.clear()

        def progress(_step: str, _total: int) -> Advance:
            return lambda _count: slow.answering.set() if next(finished) == 40 else None

        source = PictureSource(fetcher, 1 << 16, 30.0)
        assert copy_pictures(home.catalog, source, home.store, progress).copied == 44
