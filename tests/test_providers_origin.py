"""Where feeds come from: an address asked with conditions, a file, and a folder that is watched."""

from __future__ import annotations

import gzip
import os
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from feed_server import FeedServer, Page, run_feed_server
from mapsi.catalog.offer import Offer
from mapsi.errors import FeedError, RefusedAddressError, RemoteError, UsageError
from mapsi.providers import FORMATS, read_offers
from mapsi.providers.arrivals.origin import Arrived, Limits, open_origin
from mapsi.remote import Fetcher

NOW = 1_790_000_000.0
FEED = "id,title,link,image_link,price\nA1,셔츠,/p/1,1.jpg,100\n".encode()
OTHER = FEED.replace(b"100", b"200")
EP = "\t".join(("id", "title", "price_pc", "link", "image_link", "category_name1", "shipping"))
EP_ROW = "\t".join(("1", "셔츠", "100", "https://shop.example/1", "https://img.example/1.jpg", "옷", "0"))


def whole(tag: str = "") -> str:
    return f"{EP}\n{EP_ROW}{tag}\n"


def changes(tag: str = "") -> str:
    return f"{EP}\tclass\n{EP_ROW}{tag}\tU\n"


class Refresh:
    """Does what a refresh does with an origin: takes the files over one by one, and remembers what they say."""

    def __init__(self, into: Path, fetcher: Fetcher, format: str = "csv") -> None:
        self.into = into
        self.remembered: Mapping[str, str] = {}
        self.slept: list[float] = []
        self.while_waiting: Callable[[], object] = lambda: None
        self.limits = Limits(max_bytes=1 << 20, seconds=5)
        self._fetcher = fetcher
        self._partial = FORMATS[format].partial

    def look(self, at: str | Path) -> tuple[Arrived, ...]:
        return open_origin(
            str(at),
            remembered=self.remembered,
            into=self.into,
            fetcher=self._fetcher,
            partial=self._partial,
            limits=self.limits,
            clock=lambda: NOW + sum(self.slept),
            sleep=self._sleep,
        )

    def take(self, at: str | Path, failing_at: int | None = None) -> list[str]:
        """The names of the files that were taken over; the ``failing_at``-th is not."""
        names = []
        for number, arrived in enumerate(self.look(at)):
            if number == failing_at:
                break
            names.append(arrived.file.name)
            self.remembered = arrived.remember
        assert all(isinstance(text, str) for pair in self.remembered.items() for text in pair)
        return names

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.while_waiting()


def put(folder: Path, name: str, text: str | bytes, age: float = 1000) -> Path:
    """A file that was last written ``age`` seconds before now."""
    file = folder / name
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    os.utime(file, (NOW - age, NOW - age))
    return file


@pytest.fixture
def server() -> Iterator[FeedServer]:
    with run_feed_server() as running:
        yield running


@pytest.fixture
def refresh(tmp_path: Path, server: FeedServer) -> Refresh:
    return Refresh(tmp_path / "downloads", Fetcher(allow_hosts=(server.host,)))


@pytest.fixture
def local(tmp_path: Path) -> Refresh:
    """One that can reach no server, and reads Naver's format."""
    return Refresh(tmp_path / "downloads", Fetcher(), "naver-ep")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "feeds"
    path.mkdir()
    return path


# --- an address ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "page",
    [Page(body=FEED), Page(body=FEED, packed=True), Page(body=gzip.compress(FEED)), Page(body=FEED, chunked=True)],
    ids=["plain", "packed by header", "packed by content", "chunked"],
)
def test_a_feed_is_downloaded_whole_and_read_as_lying_where_it_came_from(
    server: FeedServer, refresh: Refresh, page: Page
) -> None:
    server.pages["/shop/feed"] = page
    (arrived,) = refresh.look(server.url("/shop/feed"))
    (offer,) = read_offers("csv", arrived.file, arrived.base)
    assert isinstance(offer, Offer)
    assert (offer.link, offer.image) == (server.url("/p/1"), server.url("/shop/1.jpg"))


@pytest.mark.parametrize(
    ("page", "header"),
    [
        (Page(body=FEED, etag='"one"'), ("If-None-Match", '"one"')),
        (Page(body=FEED, etag='W/"one"'), ("If-None-Match", 'W/"one"')),
        (Page(body=FEED, modified=1_700_000_000), ("If-Modified-Since", "Tue, 14 Nov 2023 22:13:20 GMT")),
    ],
)
def test_an_unchanged_feed_is_asked_for_with_a_condition_and_not_sent_again(
    server: FeedServer, refresh: Refresh, page: Page, header: tuple[str, str]
) -> None:
    server.pages["/feed"] = page
    assert len(refresh.take(server.url())) == 1
    assert refresh.take(server.url()) == []
    assert refresh.take(server.url()) == []
    (_, first), (_, second), (_, third) = server.asked
    assert (first[header[0]], second[header[0]], third[header[0]]) == (None, header[1], header[1])


def test_a_changed_feed_is_sent_and_remembered_in_its_place(server: FeedServer, refresh: Refresh) -> None:
    server.pages["/feed"] = Page(body=FEED, etag='"1"', modified=1_700_000_000)
    refresh.take(server.url())
    server.pages["/feed"] = Page(body=OTHER, etag='"2"')
    (arrived,) = refresh.look(server.url())
    assert arrived.file.read_bytes() == OTHER
    refresh.remembered = arrived.remember
    refresh.take(server.url())
    assert server.asked[-1][1]["If-None-Match"] == '"2"'
    assert server.asked[-1][1]["If-Modified-Since"] is None


def test_a_server_without_validators_is_known_by_what_it_sends(server: FeedServer, refresh: Refresh) -> None:
    server.pages["/feed"] = Page(body=FEED)
    assert len(refresh.take(server.url())) == 1
    assert refresh.take(server.url()) == []
    assert list(refresh.into.iterdir()) == []
    server.pages["/feed"] = Page(body=OTHER, packed=True)
    assert len(refresh.take(server.url())) == 1


def test_a_feed_that_was_not_taken_over_comes_again(server: FeedServer, refresh: Refresh) -> None:
    server.pages["/feed"] = Page(body=FEED, etag='"1"')
    assert refresh.take(server.url(), failing_at=0) == []
    assert len(refresh.take(server.url())) == 1


def test_what_is_remembered_of_one_address_says_nothing_of_another(server: FeedServer, refresh: Refresh) -> None:
    server.pages["/feed"] = server.pages["/moved"] = Page(body=FEED, etag='"1"')
    refresh.take(server.url())
    assert len(refresh.take(server.url("/moved"))) == 1
    assert server.asked[-1][1]["If-None-Match"] is None


def test_redirects_are_followed_and_the_last_address_is_the_base(server: FeedServer, refresh: Refresh) -> None:
    server.pages["/feed"] = Page(redirect="/cdn/today.csv")
    server.pages["/cdn/today.csv"] = Page(body=FEED, etag='"1"')
    (arrived,) = refresh.look(server.url())
    assert arrived.base == server.url("/cdn/today.csv")
    refresh.remembered = arrived.remember
    assert refresh.take(server.url()) == []


def test_a_redirect_to_another_server_loses_the_condition_but_not_the_knowledge(
    server: FeedServer, tmp_path: Path
) -> None:
    with run_feed_server() as other:
        server.pages["/feed"] = Page(redirect=other.url("/feed"))
        other.pages["/feed"] = Page(body=FEED, etag='"1"')
        refresh = Refresh(tmp_path / "into", Fetcher(allow_hosts=(server.host, other.host)))
        assert len(refresh.take(server.url())) == 1
        assert refresh.take(server.url()) == []
        assert other.asked[-1][1]["If-None-Match"] is None


@pytest.mark.parametrize("cut", [0, 10, len(FEED) - 1])
def test_a_download_that_breaks_off_leaves_nothing_behind(server: FeedServer, refresh: Refresh, cut: int) -> None:
    server.pages["/feed"] = Page(body=FEED)
    refresh.take(server.url())
    before = (refresh.into / "feed").read_bytes()
    server.pages["/feed"] = Page(body=OTHER, cut=cut)
    with pytest.raises(RemoteError, match=r"is cut off|closed the connection"):
        refresh.look(server.url())
    assert [file.read_bytes() for file in refresh.into.iterdir()] == [before]


@pytest.mark.parametrize(
    ("page", "message"),
    [
        (Page(status=404), "status 404"),
        (Page(status=500), "status 500"),
        (Page(body=b"<!doctype html><html>Log in"), "a web page at the address, not a feed"),
        (Page(body=b"x" * (1 << 20) + b"x"), "larger than the 1,048,576 bytes"),
        (Page(body=b"x" * (2 << 20), packed=True), "larger than the 1,048,576 bytes"),
        (Page(redirect="file:///etc/passwd"), "Only http and https"),
    ],
)
def test_an_address_that_gives_no_feed_is_reported(
    server: FeedServer, refresh: Refresh, page: Page, message: str
) -> None:
    server.pages["/feed"] = page
    with pytest.raises(RemoteError, match=message):
        refresh.look(server.url())
    assert not refresh.into.exists() or list(refresh.into.iterdir()) == []


def test_a_server_that_knows_a_feed_unchanged_which_it_never_sent_is_not_believed(
    server: FeedServer, refresh: Refresh
) -> None:
    server.pages["/feed"] = Page(status=304)
    with pytest.raises(FeedError, match="none was ever fetched"):
        refresh.look(server.url())


@pytest.mark.parametrize("etag", ['"é"', '"' + "x" * 2000 + '"'])
def test_a_validator_that_no_header_can_carry_back_is_forgotten(
    server: FeedServer, refresh: Refresh, etag: str
) -> None:
    server.pages["/feed"] = Page(body=FEED, etag=etag)
    refresh.take(server.url())
    assert refresh.take(server.url()) == []
    assert server.asked[-1][1]["If-None-Match"] is None


def test_what_is_remembered_holds_no_address(server: FeedServer, refresh: Refresh) -> None:
    server.pages["/feed?token=secret"] = Page(body=FEED)
    refresh.take(server.url("/feed?token=secret"))
    assert "secret" not in str(refresh.remembered)


def test_private_servers_and_other_schemes_are_not_visited(server: FeedServer, tmp_path: Path, local: Refresh) -> None:
    with pytest.raises(RefusedAddressError):
        local.look(server.url())
    with pytest.raises(UsageError, match="http or https address, a file or a folder"):
        local.look("ftp://shop.example/feed.xml")
    assert not server.asked


def test_a_folder_for_downloads_that_cannot_be_written_is_reported(server: FeedServer, refresh: Refresh) -> None:
    server.pages["/feed"] = Page(body=FEED)
    refresh.into.write_text("a file where a folder should be")
    with pytest.raises(FeedError, match="cannot be stored"):
        refresh.look(server.url())


# --- a file ----------------------------------------------------------------------------------------------------------


def test_a_file_is_taken_once_until_its_bytes_change(folder: Path, local: Refresh) -> None:
    file = put(folder, "feed.csv", FEED)
    assert local.take(file) == ["feed.csv"]
    put(folder, "feed.csv", FEED, age=500)
    assert local.take(file) == []
    put(folder, "feed.csv", OTHER)
    assert local.take(file) == ["feed.csv"]
    assert local.slept == []


def test_a_fresh_file_is_waited_for(folder: Path, local: Refresh) -> None:
    file = put(folder, "feed.csv", FEED, age=2)
    assert local.take(file) == ["feed.csv"]
    assert local.slept == [pytest.approx(3)]


def test_a_file_from_the_future_is_waited_for_no_longer_than_a_fresh_one(folder: Path, local: Refresh) -> None:
    file = put(folder, "feed.csv", FEED, age=-10_000)
    assert local.take(file) == ["feed.csv"]
    assert local.slept == [5]


def test_a_file_that_is_being_written_is_an_error(folder: Path, local: Refresh) -> None:
    file = put(folder, "feed.csv", FEED, age=0)
    local.while_waiting = lambda: put(folder, "feed.csv", FEED + b"A2,", age=0)
    with pytest.raises(FeedError, match="still being written"):
        local.look(file)
    put(folder, "feed.csv", FEED, age=-5)
    local.while_waiting = file.unlink
    with pytest.raises(FeedError, match="still being written"):
        local.look(file)


def test_what_is_neither_file_nor_folder_is_reported(folder: Path, local: Refresh) -> None:
    for at in (folder / "none.csv", folder / "none" / "*.csv"):
        with pytest.raises(FeedError, match="There is no file or folder"):
            local.look(at)


# --- a folder --------------------------------------------------------------------------------------------------------


def test_of_a_folder_the_newest_whole_feed_comes_once(folder: Path, local: Refresh) -> None:
    put(folder, "monday.tsv", whole(), age=300)
    put(folder, "tuesday.tsv", whole("1"), age=200)
    assert local.take(folder) == ["tuesday.tsv"]
    assert local.take(folder) == []
    put(folder, "wednesday.tsv.gz", gzip.compress(whole("2").encode()), age=100)
    assert local.take(folder) == ["wednesday.tsv.gz"]
    assert local.take(folder) == []


def test_changes_come_after_their_whole_feed_in_the_order_of_time_and_then_of_name(
    folder: Path, local: Refresh
) -> None:
    put(folder, "s1.tsv", changes("too old"), age=400)
    put(folder, "full.tsv", whole(), age=300)
    put(folder, "s9.tsv", changes("9"), age=200)
    put(folder, "s3.tsv", changes("3"), age=100)
    put(folder, "s2.tsv", changes("2"), age=100)
    assert local.take(folder) == ["full.tsv", "s9.tsv", "s2.tsv", "s3.tsv"]
    assert local.take(folder) == []
    put(folder, "s4.tsv", changes("4"), age=50)
    assert local.take(folder) == ["s4.tsv"]


def test_changes_that_arrive_late_are_still_taken(folder: Path, local: Refresh) -> None:
    put(folder, "full.tsv", whole(), age=300)
    put(folder, "s2.tsv", changes("2"), age=100)
    local.take(folder)
    put(folder, "s1.tsv", changes("1"), age=200)
    assert local.take(folder) == ["s1.tsv"]


def test_a_new_whole_feed_takes_the_place_of_all_before_it(folder: Path, local: Refresh) -> None:
    put(folder, "full1.tsv", whole(), age=300)
    put(folder, "s1.tsv", changes("1"), age=200)
    local.take(folder)
    put(folder, "s2.tsv", changes("2"), age=150)
    put(folder, "full2.tsv", whole("2"), age=100)
    put(folder, "s3.tsv", changes("1"), age=50)
    assert local.take(folder) == ["full2.tsv", "s3.tsv"]
    assert local.take(folder) == []


def test_a_whole_feed_put_there_anew_takes_back_the_changes_since(folder: Path, local: Refresh) -> None:
    put(folder, "full.tsv", whole(), age=300)
    local.take(folder)
    put(folder, "full.tsv", whole(), age=250)
    assert local.take(folder) == []
    put(folder, "s1.tsv", changes("1"), age=200)
    assert local.take(folder) == ["s1.tsv"]
    put(folder, "full.tsv", whole(), age=100)
    assert local.take(folder) == ["full.tsv"]
    assert local.take(folder) == []


def test_changes_alone_are_taken_where_there_is_no_whole_feed(folder: Path, local: Refresh) -> None:
    put(folder, "s1.tsv", changes("1"), age=200)
    assert local.take(folder) == ["s1.tsv"]
    assert local.take(folder) == []
    put(folder, "s2.tsv", changes("2"), age=100)
    assert local.take(folder) == ["s2.tsv"]
    (folder / "s1.tsv").unlink()
    assert local.take(folder) == []


def test_a_refresh_that_ends_in_the_middle_goes_on_with_the_rest(folder: Path, local: Refresh) -> None:
    put(folder, "full.tsv", whole(), age=300)
    for number in (1, 2, 3):
        put(folder, f"s{number}.tsv", changes(str(number)), age=200 - number)
    assert local.take(folder, failing_at=2) == ["full.tsv", "s1.tsv"]
    assert local.take(folder, failing_at=0) == []
    assert local.take(folder) == ["s2.tsv", "s3.tsv"]


def test_a_feed_that_is_still_being_written_is_left_for_the_next_time(folder: Path, local: Refresh) -> None:
    put(folder, "old.tsv", whole(), age=300)
    put(folder, "new.tsv", whole("1"), age=1)
    local.while_waiting = lambda: put(folder, "new.tsv", whole("11"), age=-1)
    assert local.take(folder) == ["old.tsv"]
    assert local.slept == [pytest.approx(4)]
    local.while_waiting = lambda: None
    assert local.take(folder) == ["new.tsv"]


def test_copies_under_way_and_other_files_are_not_feeds(folder: Path, local: Refresh) -> None:
    for name in (".feed.tsv.x7", "feed.tsv.part", "feed.tsv.filepart", "feed.tsv~", "feed.tmp", "readme.md", "1.jpg"):
        put(folder, name, whole())
    (folder / "photos.tsv").mkdir()
    with pytest.raises(FeedError, match="has no feed in it"):
        local.look(folder)
    put(folder, "FEED.TSV", whole())
    assert local.take(folder) == ["FEED.TSV"]


def test_a_pattern_names_the_feeds_of_one_shop(folder: Path, local: Refresh) -> None:
    put(folder, "a_full.ep", whole("a"), age=200)
    put(folder, "b_full.ep", whole("b"), age=100)
    assert local.take(folder / "a_*.ep") == ["a_full.ep"]
    with pytest.raises(FeedError, match="has no feed in it"):
        local.look(folder / "c_*")


def test_a_file_in_the_folder_that_is_no_feed_is_named(folder: Path, local: Refresh) -> None:
    put(folder, "full.tsv", whole(), age=300)
    put(folder, "notes.txt", "call the shop", age=100)
    with pytest.raises(FeedError, match=r"notes\.txt: The first line .* name the feeds by a pattern"):
        local.look(folder)


def test_a_folder_of_whole_feeds_only_gives_the_newest(folder: Path, tmp_path: Path) -> None:
    merchant = Refresh(tmp_path, Fetcher(), "merchant")
    for number in range(4):
        put(folder, f"{number}.xml", f"<rss>{number}", age=100 - number)
    assert merchant.take(folder) == ["3.xml"]
    assert merchant.take(folder) == []


def test_whatever_comes_in_whatever_order_the_last_state_is_what_a_replay_gives(tmp_path: Path, local: Refresh) -> None:
    """Files appear one by one, some refreshes fail in the middle; in the end all since the newest whole feed was taken,
    in order, exactly once."""
    for seed in range(40):
        chance = random.Random(seed)
        folder = tmp_path / f"f{seed}"
        folder.mkdir()
        local.remembered = {}
        state: list[str] = []
        names: list[str] = []
        for number in range(chance.randint(1, 8)):
            kind = whole if chance.random() < 0.3 else changes
            name = f"{number}-{kind.__name__}.tsv"
            put(folder, name, kind(str(number)), age=1000 - number)
            names.append(name)
            if chance.random() < 0.6:
                for taken in local.take(folder, failing_at=chance.choice([None, None, 0, 1])):
                    state = [taken] if "whole" in taken else [*state, taken]
        for taken in local.take(folder):
            state = [taken] if "whole" in taken else [*state, taken]
        wholes = [at for at, name in enumerate(names) if "whole" in name]
        assert state == names[wholes[-1] if wholes else 0 :], seed
