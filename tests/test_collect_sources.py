"""The API sources: what they ask, what they make of answers, and what they say of answers that are none."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import format_datetime
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from collecting import USER_AGENT, WoundClock, asking, query, settings_of
from mapsi.collect.faults import (
    ContactMissingError,
    KeyMissingError,
    SourceChanged,
    SourceExhausted,
    SourceFault,
    SourceRefused,
    SourceUnreachable,
)
from mapsi.collect.pace import SystemClock
from mapsi.collect.source import Found, Query, Remarking, Source
from mapsi.collect.sources.commons import Commons, as_thumbnail
from mapsi.collect.sources.kept_answers import KEPT_SECONDS, KeptAnswers
from mapsi.collect.sources.naver import NaverHub, NaverOpen
from mapsi.collect.sources.openverse import Openverse, licence_name
from mapsi.collect.sources.parts import SourceParts
from mapsi.collect.sources.remembered import RememberingSource
from mapsi.collect.sources.sources import SOURCES, open_source
from mapsi.errors import ArtifactError, UsageError
from mapsi.settings import Secret
from mapsi.taxonomy import load_taxonomy
from photo_sources import CLIENT, CONTACT, HUB_KEYS, OPEN_KEYS, PhotoSources, Reply, reply_json, run_photo_sources

API_SOURCES = ("naver-hub", "naver", "openverse", "commons")


@pytest.fixture
def server() -> Iterator[PhotoSources]:
    with run_photo_sources() as (running,):
        yield running


@pytest.fixture
def clock() -> WoundClock:
    return WoundClock()


@pytest.fixture
def build(server: PhotoSources, tmp_path: Path, clock: WoundClock) -> Callable[..., Source]:
    """A source by its name, led to the server."""

    def built(name: str, contact: str = CONTACT, folder: str = "answers", **wanted: Any) -> Source:
        using = asking(tmp_path / folder / name, clock)
        match name:
            case "naver-hub":
                return NaverHub(*map(Secret, wanted.get("keys", HUB_KEYS)), using, base=server.url)
            case "naver":
                return NaverOpen(*map(Secret, wanted.get("keys", OPEN_KEYS)), using, base=server.url)
            case "openverse":
                identity = map(Secret, wanted.get("client", ("", "")))
                client_id, client_secret = identity
                return Openverse(contact, using, client_id=client_id, client_secret=client_secret, base=server.url)
            case _:
                return Commons(contact, using, base=server.url)

    return built


def found(source: Source, text: str = "니트", most: int = 10_000) -> list[Found]:
    return list(islice(source.search(query(text)), most))


# --- what is asked and read ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", API_SOURCES)
def test_a_source_gives_all_photos_in_order_over_all_pages(
    build: Callable[..., Source], server: PhotoSources, name: str
) -> None:
    server.stock = lambda api, text: server.items(api, text, 130)
    expected = [item.address for item in server.stock(name, "니트")]
    photos = found(build(name))
    assert [photo.address for photo in photos] == expected
    assert [photo.rank for photo in photos] == list(range(1, 131))


@pytest.mark.parametrize("name", API_SOURCES)
def test_no_more_pages_are_asked_for_than_are_wanted(
    build: Callable[..., Source], server: PhotoSources, name: str
) -> None:
    server.stock = lambda api, text: server.items(api, text, 1000)
    assert len(found(build(name), most=15)) == 15
    assert sum(server.asked.values()) == 1


@pytest.mark.parametrize("name", API_SOURCES)
def test_words_that_nothing_fits_are_an_empty_answer_and_no_fault(
    build: Callable[..., Source], server: PhotoSources, name: str
) -> None:
    server.stock = lambda api, text: []
    assert found(build(name)) == []


@pytest.mark.parametrize("name", API_SOURCES)
def test_what_was_answered_is_not_asked_again(build: Callable[..., Source], server: PhotoSources, name: str) -> None:
    server.stock = lambda api, text: server.items(api, text, 130)
    first = found(build(name))
    asked = dict(server.asked)
    assert found(build(name)) == first
    assert dict(server.asked) == asked


def test_answers_are_kept_for_a_week_and_then_removed(
    build: Callable[..., Source], server: PhotoSources, clock: WoundClock, tmp_path: Path
) -> None:
    found(build("naver-hub"))
    clock.sleep(KEPT_SECONDS + 1)
    folder = tmp_path / "answers" / "naver-hub"
    assert list(folder.iterdir())
    KeptAnswers(folder, clock)
    assert not list(folder.iterdir())


def test_a_damaged_kept_answer_is_asked_for_again(
    build: Callable[..., Source], server: PhotoSources, tmp_path: Path
) -> None:
    first = found(build("naver-hub"))
    for file in (tmp_path / "answers" / "naver-hub").iterdir():
        file.write_text(file.read_text("utf-8")[:40])
    assert found(build("naver-hub")) == first
    assert server.twice()


def test_no_key_is_kept_with_the_answers(build: Callable[..., Source], tmp_path: Path) -> None:
    for name, keys in (("naver-hub", HUB_KEYS), ("naver", OPEN_KEYS), ("openverse", CLIENT)):
        found(build(name, client=CLIENT))
        kept = "".join(file.read_text("utf-8") for file in (tmp_path / "answers" / name).iterdir())
        assert kept
        assert not any(key in kept for key in keys)


def test_naver_goes_as_far_as_its_paging_and_no_farther(build: Callable[..., Source], server: PhotoSources) -> None:
    server.stock = lambda api, text: server.items(api, text, 5000)
    assert len(found(build("naver-hub"))) == 1099
    assert sum(server.asked.values()) == 11


def test_naver_titles_come_without_markup_and_sizes_as_numbers(build: Callable[..., Source]) -> None:
    photo = found(build("naver-hub"))[0]
    assert photo.title == "니트 0 & more"
    assert (photo.width, photo.height) == (320, 400)
    assert (photo.creator, photo.licence, photo.page) == ("", "", "")


def test_openverse_tells_creator_licence_and_page(build: Callable[..., Source]) -> None:
    photo = found(build("openverse"))[0]
    assert photo.creator == "openverse creator 0"
    assert photo.licence == "CC BY-SA 4.0"
    assert photo.licence_address == "https://creativecommons.org/licenses/by-sa/4.0/"
    assert photo.page.startswith("https://pages.example.com/")


@pytest.mark.parametrize(
    ("code", "version", "name"),
    [
        ("by-nc-nd", "2.0", "CC BY-NC-ND 2.0"),
        ("cc0", "1.0", "CC0 1.0"),
        ("pdm", "1.0", "Public Domain Mark 1.0"),
        ("", "", ""),
    ],
)
def test_licences_are_named_as_people_know_them(code: str, version: str, name: str) -> None:
    assert licence_name(code, version) == name


def test_openverse_asks_twenty_a_page_anonymously_and_fifty_as_a_client(
    build: Callable[..., Source], server: PhotoSources
) -> None:
    server.stock = lambda api, text: server.items(api, text, 100)
    found(build("openverse"))
    assert server.count("page_size=20") == 5
    found(build("openverse", client=CLIENT))
    assert server.count("page_size=50") == 2
    assert server.count("auth_tokens") == 1


def test_an_openverse_token_is_renewed_when_its_time_ends(
    build: Callable[..., Source], server: PhotoSources, clock: WoundClock
) -> None:
    source = build("openverse", client=CLIENT)
    found(source)
    clock.sleep(36_000)
    found(source, "코트")
    assert server.count("auth_tokens") == 2


def test_commons_gives_thumbnails_and_takes_markup_out_of_creators(
    build: Callable[..., Source], server: PhotoSources
) -> None:
    photo = found(build("commons"))[0]
    assert photo.creator == "commons creator 0"
    assert photo.title == "니트 0"
    assert photo.licence == "CC BY-SA 4.0"
    assert photo.page.startswith("https://commons.wikimedia.org/wiki/File:")
    assert server.count("iiurlwidth=960") == 1
    assert server.count("maxlag=5") == 1
    assert not server.count("/original/")


def test_originals_on_wikimedias_server_are_asked_for_as_thumbnails() -> None:
    base = "https://upload.wikimedia.org/wikipedia/commons"
    large = Found(address=f"{base}/1/1c/A_suit.jpg", rank=1, width=4000, height=3000)
    thumbnail = as_thumbnail(large)
    assert thumbnail.address == f"{base}/thumb/1/1c/A_suit.jpg/960px-A_suit.jpg"
    assert (thumbnail.width, thumbnail.height) == (960, 720)
    for other in (
        Found(address=large.address, rank=1, width=900, height=800),
        Found(address=large.address, rank=1),
        Found(address=f"{base}/1/1c/A_suit.tif", rank=1, width=4000, height=3000),
        Found(address="https://img.example.com/1/1c/A_suit.jpg", rank=1, width=4000, height=3000),
    ):
        assert as_thumbnail(other) == other


def test_every_request_names_the_contact(build: Callable[..., Source], server: PhotoSources) -> None:
    for name in API_SOURCES:
        found(build(name))
    assert server.agents == {USER_AGENT}


@pytest.mark.parametrize("name", ["openverse", "commons"])
def test_without_a_contact_openverse_and_commons_do_not_start(build: Callable[..., Source], name: str) -> None:
    with pytest.raises(ContactMissingError, match="MAPSI_COLLECT_CONTACT"):
        build(name, contact="")


@pytest.mark.parametrize("name", ["naver-hub", "naver"])
def test_without_keys_naver_does_not_start(build: Callable[..., Source], name: str) -> None:
    with pytest.raises(KeyMissingError, match="MAPSI_NAVER_"):
        build(name, keys=("", ""))


# --- pace and patience -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "apart"), [("commons", 1.0), ("openverse", 3.0), ("naver-hub", 0.2), ("naver", 0.2)])
def test_requests_keep_their_distance(
    build: Callable[..., Source], server: PhotoSources, clock: WoundClock, name: str, apart: float
) -> None:
    server.stock = lambda api, text: server.items(api, text, 300)
    began = clock.now()
    found(build(name))
    requests = sum(server.asked.values())
    assert requests >= 3
    assert clock.now() - began == pytest.approx((requests - 1) * apart)


@pytest.mark.parametrize("name", API_SOURCES)
def test_retry_after_is_obeyed_to_the_second(
    build: Callable[..., Source], server: PhotoSources, clock: WoundClock, name: str
) -> None:
    server.trouble(name, Reply(b"slow down", 429, {"Retry-After": "37"}))
    assert len(found(build(name))) == 8
    assert sum(clock.slept) == pytest.approx(37)


def test_retry_after_may_be_a_date(build: Callable[..., Source], server: PhotoSources, clock: WoundClock) -> None:
    date = format_datetime(datetime.fromtimestamp(clock.now() + 50, UTC), usegmt=True)
    server.trouble("openverse", Reply(b"", 503, {"Retry-After": date}))
    assert len(found(build("openverse"))) == 8
    assert sum(clock.slept) == pytest.approx(50)


@pytest.mark.parametrize("name", API_SOURCES)
def test_a_source_that_wants_hours_is_left_alone_and_its_hour_told(
    build: Callable[..., Source], server: PhotoSources, clock: WoundClock, name: str
) -> None:
    server.always[name] = Reply(b"", 429, {"Retry-After": "7200"})
    with pytest.raises(SourceExhausted, match=r"Run the same command again after \d{4}-\d\d-\d\d \d\d:\d\d"):
        found(build(name))
    assert sum(server.asked.values()) == 1
    assert sum(clock.slept) < 5


def test_a_spent_rate_limit_rests_before_the_next_page(
    build: Callable[..., Source], server: PhotoSources, clock: WoundClock
) -> None:
    server.stock = lambda api, text: server.items(api, text, 40)
    page = {
        "page_count": 2,
        "results": [{"url": item.address} for item in server.stock("openverse", "니트")[:20]],
    }
    server.trouble(
        "openverse", reply_json(page, X_RateLimit_Limit_anon_burst="20/min", X_RateLimit_Available_anon_burst="0")
    )
    assert len(found(build("openverse"))) == 40
    assert sum(clock.slept) == pytest.approx(60)


def test_a_spent_day_ends_the_search_after_the_page_that_spent_it(
    build: Callable[..., Source], server: PhotoSources
) -> None:
    page = {"page_count": 9, "results": [{"url": "https://img.example.com/1.jpg"}]}
    server.trouble(
        "openverse",
        reply_json(page, X_RateLimit_Limit_anon_sustained="200/day", X_RateLimit_Available_anon_sustained="0"),
    )
    results = build("openverse").search(query())
    assert next(results).address == "https://img.example.com/1.jpg"
    with pytest.raises(SourceExhausted, match="Run the same command again after"):
        next(results)
    assert sum(server.asked.values()) == 1


def test_commons_waits_when_its_databases_lag(
    build: Callable[..., Source], server: PhotoSources, clock: WoundClock
) -> None:
    lag = {"error": {"code": "maxlag", "info": "Waiting for 10.0.0.1: 7 seconds lagged", "lag": 7}}
    server.trouble("commons", reply_json(lag, Retry_After="7"), reply_json(lag))
    assert len(found(build("commons"))) == 8
    assert sum(clock.slept) == pytest.approx(7 + 5)


@pytest.mark.parametrize("name", API_SOURCES)
def test_a_stumble_of_the_server_is_forgiven(build: Callable[..., Source], server: PhotoSources, name: str) -> None:
    server.trouble(name, Reply(b"oops", 502), Reply(b'{"items": [', 200, {"Content-Length": "500"}))
    assert len(found(build(name))) == 8


# --- faults as sentences ---------------------------------------------------------------------------------------------


NAVER_CODES = (
    ("naver-hub", "200", 401, SourceRefused, 1, "MAPSI_NAVER_HUB_KEY_ID"),
    ("naver-hub", "210", 401, SourceRefused, 1, "does not accept the key"),
    ("naver-hub", "300", 404, SourceRefused, 1, "no such service"),
    ("naver-hub", "400", 429, SourceExhausted, 1, "tomorrow"),
    ("naver-hub", "410", 429, SourceExhausted, 4, "limit is used up"),
    ("naver-hub", "420", 429, SourceExhausted, 4, "limit is used up"),
    ("naver-hub", "430", 413, SourceChanged, 1, "too large"),
    ("naver-hub", "500", 500, SourceUnreachable, 4, "error of its own"),
    ("naver-hub", "510", 504, SourceUnreachable, 4, "error of its own"),
    ("naver-hub", "900", 500, SourceUnreachable, 4, "error of its own"),
    ("naver", "024", 401, SourceRefused, 1, "MAPSI_NAVER_CLIENT_ID"),
    ("naver", "024", 403, SourceRefused, 1, "not switched on"),
    ("naver", "012", 429, SourceExhausted, 4, "tomorrow"),
    ("naver", "SE01", 400, SourceChanged, 1, "SE01"),
    ("naver", "SE05", 404, SourceChanged, 1, "SE05"),
    ("naver", "SE99", 500, SourceUnreachable, 4, "SE99"),
)


@pytest.mark.parametrize(("name", "code", "status", "fault", "requests", "word"), NAVER_CODES)
def test_the_codes_of_navers_gateway_and_of_its_old_api_become_sentences(
    build: Callable[..., Source],
    server: PhotoSources,
    name: str,
    code: str,
    status: int,
    fault: type[SourceFault],
    requests: int,
    word: str,
) -> None:
    told = {"errorCode": code, "message": "their own text", "errorMessage": "their own text"}
    server.always[name] = reply_json({"error": told} if name == "naver-hub" else told, status)
    with pytest.raises(fault) as caught:
        found(build(name))
    assert word in str(caught.value)
    assert "their own text" not in str(caught.value)
    assert caught.value.source == name
    assert caught.value.hint
    assert sum(server.asked.values()) == requests


def test_a_client_that_openverse_does_not_know_is_reported(build: Callable[..., Source]) -> None:
    with pytest.raises(SourceRefused, match="MAPSI_OPENVERSE_CLIENT_ID"):
        found(build("openverse", client=("wrong", "client")))


@pytest.mark.parametrize("name", API_SOURCES)
def test_a_refusal_without_a_code_is_a_refusal(build: Callable[..., Source], server: PhotoSources, name: str) -> None:
    server.always[name] = Reply(b"<html>Forbidden</html>", 403)
    with pytest.raises(SourceRefused):
        found(build(name))


BROKEN = {
    "html": Reply(b"<!doctype html><title>Log in</title>"),
    "truncated": Reply(b'{"items": [{"link": "http'),
    "not an object": Reply(b"[1, 2, 3]"),
    "deep": Reply(b"[" * 200_000),
    "empty": Reply(b""),
    "list is a number": Reply(b'{"items": 5, "results": 5, "query": {"pages": 5}}'),
    "entries are texts": Reply(b'{"items": ["a"], "results": ["a"], "query": {"pages": ["a"]}}'),
    "no addresses": Reply(
        b'{"items": [{"link": 7}], "results": [{"url": null}], "query": {"pages": [{"imageinfo": [{"url": "file:///etc"}]}]}}'
    ),
}


@pytest.mark.parametrize("name", API_SOURCES)
@pytest.mark.parametrize("kind", BROKEN)
def test_an_answer_in_no_known_form_is_a_changed_source(
    build: Callable[..., Source], server: PhotoSources, name: str, kind: str
) -> None:
    server.always[name] = BROKEN[kind]
    with pytest.raises(SourceChanged) as caught:
        found(build(name))
    assert name in str(caught.value)


@pytest.mark.parametrize("name", API_SOURCES)
def test_a_broken_answer_is_not_kept(build: Callable[..., Source], server: PhotoSources, name: str) -> None:
    server.trouble(name, BROKEN["html"])
    with pytest.raises(SourceChanged):
        found(build(name))
    assert len(found(build(name))) == 8


def test_fields_of_wrong_types_cost_their_value_and_no_photo(
    build: Callable[..., Source], server: PhotoSources
) -> None:
    odd = {"url": "https://img.example.com/a.jpg", "title": 7, "creator": ["x"], "license": None, "width": "wide"}
    server.trouble("openverse", reply_json({"page_count": "many", "results": [odd]}), reply_json({"results": []}))
    assert found(build("openverse")) == [Found(address="https://img.example.com/a.jpg", rank=1)]


def test_a_huge_answer_is_given_up(build: Callable[..., Source], server: PhotoSources) -> None:
    server.always["naver"] = Reply(b'{"items": [' + b" " * (9 * 1024 * 1024))
    with pytest.raises(SourceUnreachable, match="larger"):
        found(build("naver"))


def test_a_slow_answer_is_given_up(server: PhotoSources, tmp_path: Path) -> None:
    server.always["naver-hub"] = Reply(b"{}", wait=2)
    source = NaverHub(*map(Secret, HUB_KEYS), asking(tmp_path, seconds=0.25), base=server.url)
    with pytest.raises(SourceUnreachable, match="time allowed"):
        found(source)
    assert sum(server.asked.values()) == 4


@pytest.mark.parametrize("name", API_SOURCES)
def test_a_server_that_is_not_there_is_unreachable(
    build: Callable[..., Source], server: PhotoSources, name: str
) -> None:
    source = build(name)
    server.shutdown()
    server.server_close()
    with pytest.raises(SourceUnreachable):
        found(source)


@pytest.mark.parametrize("name", API_SOURCES)
def test_the_same_page_for_ever_ends_the_search(build: Callable[..., Source], server: PhotoSources, name: str) -> None:
    item = {"link": "https://img.example.com/1.jpg", "url": "https://img.example.com/1.jpg"}
    endless = {
        "items": [item] * 100,
        "results": [item],
        "query": {"pages": [{"title": "File:x", "index": 1, "imageinfo": [item]}]},
        "continue": {"gsroffset": 1, "continue": "-"},
    }
    server.always[name] = reply_json(endless)
    assert len(found(build(name))) == 1
    assert sum(server.asked.values()) == 2


# --- one's own photos, and the table ---------------------------------------------------------------------------------


@pytest.fixture
def parts(server: PhotoSources, tmp_path: Path, clock: WoundClock) -> SourceParts:
    using = asking(tmp_path, clock)
    return SourceParts(settings_of(server), using.fetcher, clock, tmp_path / "kept")


def test_every_source_of_the_table_can_be_built(parts: SourceParts, tmp_path: Path) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "list.txt").write_text("")
    arguments = {"folder": f":{tmp_path / 'own'}", "addresses": f":{tmp_path / 'list.txt'}"}
    for name, kind in SOURCES.items():
        assert kind.about
        assert kind.terms
        if name != "google":  # has its own tests, and asks for a browser
            assert open_source(name + arguments.get(name, ""), parts).name == name


@pytest.mark.parametrize("asked", ["bing", "", "nowhere.py", "folder:", "folder:nowhere", "openverse:free"])
def test_an_unknown_source_is_refused_in_a_sentence(parts: SourceParts, asked: str) -> None:
    with pytest.raises(UsageError) as caught:
        open_source(asked, parts)
    assert caught.value.hint


def test_openverse_can_be_narrowed_to_licences(parts: SourceParts, server: PhotoSources) -> None:
    found(open_source("openverse:commercial,modification", parts))
    assert server.count("license_type=commercial,modification") == 1


def test_a_list_of_addresses_may_be_lines_or_a_table(parts: SourceParts, tmp_path: Path) -> None:
    lines = tmp_path / "list.txt"
    lines.write_text("# mine\nknit https://img.example.com/1.jpg\n\nsuit https://img.example.com/2.jpg\n", "utf-8")
    assert [f.address for f in found(open_source(f"addresses:{lines}", parts))] == ["https://img.example.com/1.jpg"]
    table = tmp_path / "list.csv"
    table.write_text("\ufeffaddress,class,creator,licence\nhttps://img.example.com/3.jpg,knit,Kim,CC0 1.0\n", "utf-8")
    (photo,) = found(open_source(f"addresses:{table}", parts))
    assert (photo.address, photo.creator, photo.licence) == ("https://img.example.com/3.jpg", "Kim", "CC0 1.0")


@pytest.mark.parametrize("encoding", ["utf-8", "cp949", "utf-16"])
def test_a_list_is_read_as_spreadsheets_save_it(parts: SourceParts, tmp_path: Path, encoding: str) -> None:
    table = tmp_path / "list.csv"
    table.write_bytes("sep=;\r\nClass;Address;Creator\r\nknit;https://img.example.com/3.jpg;김\r\n".encode(encoding))
    (photo,) = found(open_source(f"addresses:{table}", parts))
    assert (photo.address, photo.creator) == ("https://img.example.com/3.jpg", "김")


def test_lines_and_folders_that_no_class_asks_for_are_reported(parts: SourceParts, tmp_path: Path) -> None:
    style = load_taxonomy().axes["style"]
    lines = tmp_path / "list.txt"
    lines.write_text(
        "knit https://a.example/1\nKnits https://a.example/2\nKnits https://a.example/3\nzzz https://a.example/4\n",
        "utf-8",
    )
    listed = open_source(f"addresses:{lines}", parts)
    assert isinstance(listed, Remarking)
    assert listed.remarks(style) == [
        "2 lines skipped: Knits is not a class of style; is knit meant?",
        "1 line skipped: zzz is not a class of style.",
    ]
    for name in ("knit", "Suit", "@eaDir"):
        (tmp_path / "photos" / name).mkdir(parents=True)
    (tmp_path / "photos" / "knit" / "clip.mp4").write_bytes(b"x")
    folder = open_source(f"folder:{tmp_path / 'photos'}", parts)
    assert isinstance(folder, Remarking)
    assert folder.remarks(style) == [
        "The folder Suit is not a class of style; is suit meant?",
        "knit/clip.mp4 is skipped: its name does not end like a photo's.",
        "Skipped as system files: @eaDir.",
    ]


@pytest.mark.parametrize("text", ["knit\n", "class,address\nknit,\n", "class,address\n,https://img.example.com\n"])
def test_a_line_without_class_or_address_is_named(parts: SourceParts, tmp_path: Path, text: str) -> None:
    file = tmp_path / "list.txt"
    file.write_text(text, "utf-8")
    with pytest.raises(ArtifactError, match=r"line [12]"):
        open_source(f"addresses:{file}", parts)


def test_a_folder_gives_its_photos_with_their_senders(parts: SourceParts, tmp_path: Path) -> None:
    own = tmp_path / "own"
    (own / "knit").mkdir(parents=True)
    for name in ("b.jpg", "a.png", "notes.txt"):
        (own / "knit" / name).write_bytes(b"x")
    (own / "labels.csv").write_text("path,sender\nknit/b.jpg,Lee\n", "utf-8")
    photos = found(open_source(f"folder:{own}", parts))
    assert [(Path(p.address).name, p.creator, p.local) for p in photos] == [("a.png", "", True), ("b.jpg", "Lee", True)]
    assert found(open_source(f"folder:{own}", parts), most=0) == []


# --- sources with a memory -------------------------------------------------------------------------------------------


class Clicking:
    """A source that counts what it names, fails after ``good`` photos where that is set, and is closed."""

    name = "clicking"

    def __init__(self, count: int, good: int | None = None) -> None:
        self.count = count
        self.good = good
        self.clicks = 0
        self.closed = 0

    def search(self, query: Query) -> Iterator[Found]:
        try:
            for n in range(self.count):
                if n == self.good:
                    raise SourceUnreachable("clicking", "The page is gone.", "Try again later.")
                self.clicks += 1
                yield Found(address=f"https://img.example.com/{query.text}/{n}.jpg", rank=n + 1, title="옷")
        finally:
            self.closed += 1


def test_noted_photos_are_given_again_without_a_click(tmp_path: Path) -> None:
    source = Clicking(9)
    first = found(RememberingSource(source, tmp_path, SystemClock()), most=4)
    assert source.clicks == 4
    assert found(RememberingSource(source, tmp_path, SystemClock()), most=4) == first
    assert source.clicks == 4
    whole = found(RememberingSource(source, tmp_path, SystemClock()))
    assert [photo.rank for photo in whole] == list(range(1, 10))
    assert found(RememberingSource(Clicking(0), tmp_path, SystemClock())) == whole  # it had come to its end


def test_what_was_noted_before_a_fault_and_a_torn_line_stays(tmp_path: Path) -> None:
    with pytest.raises(SourceUnreachable):
        found(RememberingSource(Clicking(9, good=3), tmp_path, SystemClock()))
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes() + b'{"address": "https://img.exa')
    assert [photo.rank for photo in found(RememberingSource(Clicking(5), tmp_path, SystemClock()))] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("damage", [b"{half of a line\n", b'{"address": "x", "rank": 1, "colour": "red"}\n', b"7\n"])
def test_a_damaged_memory_counts_as_none(tmp_path: Path, damage: bytes) -> None:
    found(RememberingSource(Clicking(3), tmp_path, SystemClock()))
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage + file.read_bytes())
    again = Clicking(2)
    assert found(RememberingSource(again, tmp_path, SystemClock())) == found(Clicking(2))
    assert again.clicks == 2


def test_a_memory_lasts_for_a_week(tmp_path: Path) -> None:
    found(RememberingSource(Clicking(3), tmp_path, SystemClock()))
    later = WoundClock(SystemClock().now() + KEPT_SECONDS + 60)
    assert found(RememberingSource(Clicking(2), tmp_path, later), most=9) == found(Clicking(2))


def test_a_search_that_is_given_up_closes_its_source(tmp_path: Path) -> None:
    source = Clicking(9)
    results = RememberingSource(source, tmp_path, SystemClock()).search(query())
    next(results)
    results.close()  # type: ignore[attr-defined]
    assert source.closed == 1
