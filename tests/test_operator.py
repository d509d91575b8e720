"""The operator's pages: what they show of sources in every state, and what their buttons set going."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from html import unescape
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient

from mapsi.catalog import open_catalog
from mapsi.catalog.operations.jobs import Job
from mapsi.cli.worker import job_actions
from mapsi.pictures.copying import PictureSource, copy_pictures
from mapsi.refresh.feeds import import_feed
from mapsi.remote import Fetcher
from mapsi.search.finder import Finder
from mapsi.search.pair import ServingPair
from mapsi.settings import Settings
from mapsi.web.accounts.passwords import hash_password
from mapsi.web.operator.runs import view_state
from mapsi.web.request.times import view_duration, view_time
from mapsi.web.state.services import current_services
from mapsi.work.performing import JobActions
from mapsi.work.worker import Worker
from operated import EMAIL, EVIL, PASSWORD, STATES, Desk, as_desk, in_every_state, post, write
from refreshing import HOUR, Clock, feed
from served import eventually
from small_house import CopiedHouse

ENGLISH = {"Accept-Language": "en"}
MINUTE = timedelta(minutes=1)


@pytest.fixture(scope="module")
def busy(copied_house: CopiedHouse) -> Iterator[Desk]:
    """A catalogue with everything, to be looked at only."""
    clock = Clock()
    with copied_house(clock) as house, in_every_state(as_desk(house, clock)) as desk:
        yield desk


@pytest.fixture(scope="module")
def reader(busy: Desk) -> FlaskClient:
    client = busy.client()
    client.get("/operator?lang=en")
    return client


@pytest.fixture
def desk(opened_desk: Desk) -> Iterator[Desk]:
    """A catalogue to change: each test adds a source of its own, and leaves no job."""
    yield opened_desk
    while claim := opened_desk.catalog.jobs.claim("the end"):
        opened_desk.catalog.jobs.finish(claim)


def english(client: FlaskClient) -> FlaskClient:
    client.get("/operator?lang=en")
    return client


def words(html: str) -> str:
    """What a person reads, in one line."""
    return unescape(" ".join(re.sub(r"<[^>]+>", " ", html).split()))


def part(page: str, id: str) -> str:
    """The words of one part of the page."""
    found = re.search(rf'id="{id}" data-part.*?(?=data-part|</main>)', page, re.S)
    assert found is not None, id
    return words(found[0])


def row(page: str, name: str) -> str:
    """The words of a source's row."""
    rows = re.findall(r"<tr[^>]*>\s*<th scope=\"row\">.*?</tr>", page, re.S)
    return next(found for found in map(words, rows) if found.startswith(f"{name} "))


def test_every_state_has_a_word_a_colour_and_a_mark(busy: Desk, reader: FlaskClient) -> None:
    page = reader.get("/operator").text
    for name, state in STATES.items():
        with busy.app().test_request_context(headers=ENGLISH):
            view = view_state(state)
        assert view.word in row(page, name), name
        pill = rf'<span class="pill tone-{view.tone}"[^>]*>\s*<svg.*?</svg>\s*{view.word}\s*</span>'
        assert re.search(pill, page, re.S), name


def test_no_two_states_look_alike(busy: Desk) -> None:
    with busy.app().test_request_context(headers=ENGLISH):
        views = [view_state(state) for state in STATES.values()]
    for seen in ("word", "mark", "meaning"):
        assert len({getattr(view, seen) for view in views}) == len(STATES)


def test_a_row_tells_where_offers_come_from_and_how_many_there_are(reader: FlaskClient) -> None:
    told = row(reader.get("/operator").text, "haru-done")
    assert "csv · " in told
    assert "haru-done.csv" in told
    assert "1,200 1,200 living, 0 gone" in told
    assert "done 2 hours ago" in told
    assert "+1,200 new ~0 changed −0 gone" in told
    assert "121 rows skipped" in told
    assert "in 4 hours" in told


def test_a_source_by_queries_tells_the_calls_that_are_left(reader: FlaskClient) -> None:
    page = reader.get("/operator").text
    assert "0 calls left today" in row(page, "daon-half")
    assert "calls left" not in row(page, "haru-done")
    assert "Calls left today 0" in words(reader.get("/operator/sources/daon-half").text)


def test_a_held_feed_is_loud_and_says_why(reader: FlaskClient) -> None:
    page = reader.get("/operator").text
    told = part(page, "urgent")
    assert told.index("gyeol-held") < told.index("bada-killed") < told.index("sora-broken")
    assert "393 of 400 offers would be gone" in told
    assert "Check it with a dry run first." in told
    assert "Import it" in told
    assert part(page, "sources").index("gyeol-held") < part(page, "sources").index("areum-new")
    assert "haru-done" not in told


def test_without_a_worker_a_plain_warning_names_the_command(busy: Desk, reader: FlaskClient) -> None:
    assert "No worker is running." in (told := part(reader.get("/operator").text, "urgent"))
    assert "mapsi worker" in told
    busy.catalog.jobs.note_worker("machine-1")
    page = reader.get("/operator").text
    assert "No worker is running." not in page
    assert "Working: machine-1" in part(page, "work")
    busy.catalog.jobs.note_worker("machine-1")


def test_the_queue_tells_what_is_being_done_what_waits_and_why_it_failed(reader: FlaskClient) -> None:
    told = part(reader.get("/operator").text, "work")
    assert "in progress Pictures and index machine-1234-abcdef" in told
    assert "waiting Tidy up due just now" in told
    assert f"failed 1× Refresh sora-broken next try in 1 minute The feed cannot be read: {EVIL}" in told
    assert "Refresh now" in row(reader.get("/operator").text, "sora-broken"), "not only when its pause is over"


def test_the_searches_that_found_nothing_are_counted(reader: FlaskClient) -> None:
    told = part(reader.get("/operator").text, "queries")
    assert re.search(r"우주복 3× .* 2× .*<b>spacesuit</b> 1×", told)


@pytest.mark.parametrize(
    ("language", "near", "matches"),
    [("en", r"near ones? (is|are) shown", r"products? by now"), ("ko", r"가까운 상품 \d+개 표시", r"이제 \d+개 일치")],
)
def test_a_search_that_no_product_matched_says_what_is_shown_near_it_and_what_matches_by_now(
    desk: Desk, language: str, near: str, matches: str
) -> None:
    for asked in ("린넨 셔츠", "벨벳 셔츠", "달나라"):
        desk.catalog.searches.note(asked, 0)
    told = part(desk.client().get(f"/operator?lang={language}").text, "queries")
    for asked, now in (("린넨 셔츠", matches), ("벨벳 셔츠", near), ("달나라", "")):
        found = re.search(rf"{asked} \d+\s?[×회] (\d+ )?({now})", told)
        assert found, told
        assert bool(now) == bool(found[2])


def test_products_are_counted_by_class_on_both_axes(busy: Desk, reader: FlaskClient) -> None:
    page = reader.get("/operator").text
    facets = busy.house.catalog.listings.facets()
    axes = re.findall(r'<ul class="bars">(.*?)</ul>', page, re.S)
    assert len(axes) == 2
    for axis, shown in zip(busy.house.taxonomy.listed, axes, strict=True):
        bars = re.findall(r'class="number">([\d,]+)</span>\s*<progress class="bar" max="(\d+)" value="(\d+)"', shown)
        assert all(int(told.replace(",", "")) == int(value) <= int(most) for told, most, value in bars)
        counts = [int(value) for _told, _most, value in bars]
        assert counts[: len(facets.classes[axis])] == [count for _slug, count in facets.classes[axis]]
        known = busy.house.taxonomy.axes[axis].by_slug
        kinds = [count for slug, count in facets.classes[axis] if known[slug].parent]
        assert sum(counts) - sum(kinds) == facets.offers, "those without a class are counted too, kinds of a class once"


def test_the_index_tells_its_model_its_size_and_its_age(reader: FlaskClient) -> None:
    told = part(reader.get("/operator").text, "index")
    assert "Model colours 2026-01-01" in told
    assert "Index 90 offers built" in told
    assert "The catalogue has changed since." in told
    assert "offers still have none" in told


def test_an_index_that_cannot_serve_does_not_take_the_page_along(desk: Desk) -> None:
    client = english(desk.client())
    current = desk.house.home / "index" / "current"
    name = current.read_text()
    current.write_text("nowhere")
    page = client.get("/operator")
    current.write_text(name)
    assert page.status_code == 200
    told = part(page.text, "index")
    assert "The index of product pictures is damaged" in told
    assert "mapsi index build" in told
    assert "90 offers" in told, "the one before goes on"


def test_pictures_that_could_not_be_had_are_told_with_the_reason(desk: Desk) -> None:
    file = write(desk.folder, "torn", feed("ab").replace("https://img.example.com/", ""))
    (desk.folder / "a.jpg").write_text("no picture")
    import_feed(desk.catalog, file, format="csv", shop="torn", taxonomy=desk.house.taxonomy)
    source = PictureSource(Fetcher(), 1 << 20, 5)
    copy_pictures(desk.catalog, source, desk.pictures, lambda *_: lambda _: 0)
    told = part(english(desk.client()).get("/operator").text, "index")
    assert "2 offers still have none" in told
    assert "2 pictures could not be fetched" in told
    reasons = {fault.reason for fault in desk.catalog.pictures.faults(9)[1]}
    assert len(reasons) == 2
    assert all(reason in told for reason in reasons)


def test_a_run_tells_its_broken_rows_with_line_and_reason(reader: FlaskClient) -> None:
    page = reader.get("/operator").text
    link = re.search(r'href="(/operator/runs/\d+)">\s*<svg.*?</svg>\s*121 rows skipped', page, re.S)
    assert link is not None
    run = reader.get(link[1])
    told = words(run.text)
    assert f"1,202 The price '{EVIL}' is not a price." in told
    assert "1,203 The row has no price." in told
    assert "Rows that were skipped: 121" in told
    assert "and 21 more" in told
    assert "New 1,200" in told
    assert reader.get("/operator/runs/123456").status_code == 404


def test_a_sources_page_has_its_settings_and_the_book_of_its_runs(reader: FlaskClient) -> None:
    told = words(reader.get("/operator/sources/nuri-same").text)
    assert "Refreshed every 1 hr" in told
    assert "for 3 hr after a refresh" in told
    assert "if more than 50% would disappear at once" in told
    assert told.index("State Took") < told.index("unchanged", told.index("State Took")) < told.rindex("+20 new")
    assert reader.get("/operator/sources/nobody").status_code == 404


def test_a_shop_imported_by_hand_has_a_page_and_no_button(reader: FlaskClient) -> None:
    page = reader.get("/operator/sources/haru").text
    assert "Refresh now" not in page
    assert "done" in words(page)
    assert "imported by hand" in row(reader.get("/operator").text, "Haru")


def test_what_shops_and_strangers_wrote_is_text_and_never_markup(busy: Desk, reader: FlaskClient) -> None:
    runs = [f"/operator/runs/{run.id}" for run in busy.catalog.runs.latest(limit=50)]
    sources = [f"/operator/sources/{name}" for name in STATES]
    seen = 0
    for address in ("/operator", *sources, *runs):
        page = reader.get(address).text
        seen += EVIL in unescape(page)
        assert "<script>" not in page
        assert "<b>spacesuit" not in page
        assert " style=" not in page
        assert not re.search(r"<script(?![^>]* src=)", page)
    assert seen >= 3


@pytest.mark.parametrize("language", ["ko", "en"])
def test_times_and_numbers_are_written_as_the_operator_reads_them(busy: Desk, language: str) -> None:
    noon = datetime(2026, 11, 23, 12, tzinfo=ZoneInfo("Asia/Seoul"))
    with busy.app().test_request_context(headers={"Accept-Language": language}):
        told = [view_time(noon - span, noon).relative for span in (timedelta(0), 3 * MINUTE, 26 * HOUR, -2 * HOUR)]
        exact = view_time(noon, noon).exact
        lasted = [view_duration(timedelta(seconds=s)) for s in (0.2, 59, 90, 3600, 90_061)]
    assert (
        told
        == {
            "ko": ["방금", "3분 전", "1일 전", "2시간 후"],
            "en": ["just now", "3 minutes ago", "1 day ago", "in 2 hours"],
        }[language]
    )
    assert (
        lasted
        == {
            "ko": ["1초 미만", "59초", "1분 30초", "1시간", "1일 1시간"],
            "en": ["under a second", "59 sec", "1 min 30 sec", "1 hr", "1 day 1 hr"],
        }[language]
    )
    assert re.fullmatch({"ko": r"2026\. 11\. 23\. ", "en": r"Nov 23, 2026 "}[language] + r"\d\d:00:00 .+", exact)


def test_a_page_in_korean_has_no_english_sentence_left(busy: Desk) -> None:
    client = busy.client()
    for address in ("/operator?lang=ko", "/operator/sources/gyeol-held", "/operator/sources/haru-done"):
        page = re.sub(r'lang="en">.*?<|<code.*?</code>', "", client.get(address).text, flags=re.S)
        shown = words(re.sub(r"<head>.*?</head>|<nav class=\"speak\".*?</nav>", "", page, flags=re.S))
        sentences = re.findall(r"[A-Za-z]{2,} [a-z]{2,} [a-z]{2,}", shown.replace("qwertz", ""))
        assert sentences == [], address


def test_an_empty_catalogue_tells_the_first_command(desk: Desk, empty_sqlite: str) -> None:
    with open_catalog(empty_sqlite, desk.clock) as empty:
        finder = Finder(
            empty,
            ServingPair(desk.house.finder.serving().model, desk.folder / "index"),
            desk.pictures,
            desk.house.taxonomy,
        )
        hired = replace(desk, house=replace(desk.house, finder=finder))
        empty.accounts.add_operator(EMAIL, hash_password(PASSWORD))
        page = english(hired.client()).get("/operator")
    assert page.status_code == 200
    assert "There is no source yet." in page.text
    assert "mapsi catalog sources add haru --format merchant" in page.text
    assert "Index none yet" in part(page.text, "index")
    assert "No worker is running." not in page.text


# --- what the buttons do ---------------------------------------------------------------------------------------------


def work(desk: Desk) -> list[str]:
    """Have a worker do what waits, with real refreshes; what it says."""
    said: list[str] = []

    def take(name: str, *, accept: bool) -> bool:
        report = desk.refreshing.run(name, accept=accept)
        return bool(report.new or report.changed or report.gone)

    actions = JobActions(
        refresh=partial(take, accept=False),
        accept=partial(take, accept=True),
        index=lambda: None,
        prune=lambda: None,
        mail=lambda: None,
        preview=lambda name: None,
    )
    worker = Worker(desk.catalog, actions, said.append, now=desk.clock)
    desk.catalog.jobs.note_worker(worker.name)
    while worker.step():
        pass
    return said


def test_refresh_now_is_done_by_a_worker_and_shown(desk: Desk) -> None:
    desk.refreshing.add("new shop", write(desk.folder, "feed", feed(range(5))))
    client = english(desk.client())
    assert "never run" in row(client.get("/operator").text, "new shop")

    answer = post(client, "/operator/sources/new-shop/refresh")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/operator")
    page = client.get("/operator").text
    assert "new shop: it is in the queue." in page
    assert "waiting Refresh new shop" in part(page, "work")
    assert "in the queue" in row(page, "new shop")
    assert "Refresh now" not in row(page, "new shop")

    assert work(desk)[0] == "refresh new shop: done"
    page = client.get("/operator").text
    assert "done just now" in row(page, "new shop")
    assert "+5 new" in row(page, "new shop")
    assert "Nothing is waiting." in part(page, "work")
    assert "No worker is running." not in page


def test_a_held_feed_is_taken_at_the_press_of_a_button(desk: Desk) -> None:
    file = write(desk.folder, "feed", feed(range(10)))
    desk.refreshing.add("haru-held", file)
    desk.refreshing.run("haru-held")
    write(desk.folder, "feed", feed(range(2)))
    desk.refreshing.run("haru-held")
    client = english(desk.client())
    post(client, "/operator/sources/haru-held/refresh")
    assert work(desk) == ["refresh haru-held: done"]
    assert "held back" in row(client.get("/operator").text, "haru-held"), "a refresh alone does not take it"

    seen = str(desk.catalog.runs.latest("haru-held", 1)[0].id)
    post(client, "/operator/sources/haru-held/accept", run=seen)
    assert "waiting Import the held feed haru-held" in part(client.get("/operator").text, "work")
    assert work(desk) == ["accept haru-held: done", "index: done"]
    told = row(client.get("/operator").text, "haru-held")
    assert "done just now" in told
    assert "−8 gone" in told
    assert "2 2 living, 8 gone" in told


def test_nobody_accepts_a_feed_they_have_not_seen(desk: Desk) -> None:
    desk.refreshing.add("haru-moved", write(desk.folder, "feed", feed(range(10))))
    desk.refreshing.run("haru-moved")
    write(desk.folder, "feed", feed(range(2)))
    desk.refreshing.run("haru-moved")
    seen = str(desk.catalog.runs.latest("haru-moved", 1)[0].id)
    write(desk.folder, "feed", feed(range(1)))
    desk.refreshing.run("haru-moved")
    client = english(desk.client())
    for run in (seen, "", "x"):
        post(client, "/operator/sources/haru-moved/accept", run=run)
        assert "haru-moved: there has been another run in the meantime." in client.get("/operator").text
    write(desk.folder, "feed", feed(range(10)))
    desk.refreshing.run("haru-moved")
    post(client, "/operator/sources/haru-moved/accept", run=str(desk.catalog.runs.latest("haru-moved", 1)[0].id))
    assert desk.catalog.jobs.all() == [], "nor one that is not held at all"


def test_the_workers_command_takes_a_feed_that_was_accepted(desk: Desk) -> None:
    desk.refreshing.add("haru-command", write(desk.folder, "feed", feed(range(10))))
    desk.refreshing.run("haru-command")
    shrunk = write(desk.folder, "feed", feed(range(2)))
    minutes_ago = time.time() - 300
    os.utime(shrunk, (minutes_ago, minutes_ago))  # it has lain still: a worker steps aside from one that has not
    assert desk.refreshing.run("haru-command").state == "held"
    worker = Worker(desk.catalog, job_actions(Settings(home=desk.house.home), desk.catalog), lambda _: None)
    for kind, state, left in (("refresh", "held", []), ("accept", "done", ["index"])):
        desk.catalog.jobs.put(Job(kind, "haru-command"))  # type: ignore[arg-type]
        assert worker.step()  # until it waits for the file to be whole, aside
        assert eventually(lambda left=left: [one.job.kind for one in desk.catalog.jobs.all()] == left)
        assert desk.catalog.runs.latest("haru-command", 1)[0].state == state


def test_pictures_and_index_are_brought_up_to_date_on_demand(desk: Desk) -> None:
    client = desk.client()
    assert post(client, "/operator/index").status_code == 303
    assert [one.job for one in desk.catalog.jobs.all()] == [Job("index")]


@pytest.mark.parametrize("address", ["/operator/sources/nobody/refresh", "/operator/sources/haru/accept"])
def test_what_is_no_source_is_not_put_into_the_queue(desk: Desk, address: str) -> None:
    client = desk.client()
    assert post(client, address).status_code == 404
    assert desk.catalog.jobs.all() == []


def test_the_live_document_changes_with_what_the_page_shows(desk: Desk) -> None:
    desk.refreshing.add("haru-live", write(desk.folder, "feed", feed(range(3))))
    client = desk.client()

    def version() -> str:
        document = client.get("/operator/live").json
        assert document is not None
        return str(document["version"])

    seen = [version()]
    assert f'data-version="{seen[0]}"' in client.get("/operator").text
    assert version() == seen[0]
    desk.clock.advance(MINUTE)
    assert version() == seen[0], "time alone changes nothing"
    for change in (
        lambda: desk.catalog.jobs.put(Job("refresh", "haru-live")),
        lambda: desk.catalog.jobs.claim("one"),
        lambda: desk.refreshing.run("haru-live"),
        lambda: desk.catalog.jobs.note_worker("one"),
    ):
        change()
        seen.append(version())
    assert len(set(seen)) == len(seen)


def test_the_live_document_says_what_is_going_on(busy: Desk) -> None:
    document = busy.client().get("/operator/live").json
    assert document is not None
    failed = next(job for job in document["jobs"] if job["failures"])
    assert (failed["kind"], failed["argument"], failed["worker"]) == ("refresh", "sora-broken", "")
    assert datetime.fromisoformat(failed["due"]).astimezone(UTC) > busy.clock()
    assert document["runs"][0] == {"id": document["runs"][0]["id"], "shop": "maru-running", "state": "running"}


# --- searches that find nothing --------------------------------------------------------------------------------------


def test_a_search_that_finds_nothing_is_noted_by_page_and_api(desk: Desk) -> None:
    app = desk.app()
    client = app.test_client()
    client.get("/search?q=우주복")
    client.get("/api/v1/search/words?q=우주복")
    client.get("/api/v1/search/words?q=Spacesuit")
    with app.app_context():
        current_services().notes.close()
    noted = {one.words: one.times for one in desk.catalog.searches.unanswered()}
    assert (noted["우주복"], noted["spacesuit"]) == (2, 1)


def test_what_finds_something_or_is_narrowed_is_not_noted(desk: Desk) -> None:
    app = desk.app()
    client = app.test_client()
    before = desk.catalog.searches.unanswered()
    for asked in ("q=셔츠", "q=달나라&shop=haru", "q=달나라&page=2", "", "q=%3F%3F", "q=셔츠&min_price=99999999"):
        client.get(f"/search?{asked}")
    with app.app_context():
        current_services().notes.close()
    assert desk.catalog.searches.unanswered() == before
