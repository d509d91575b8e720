"""Sources from the operator's pages: added, changed, tried out and removed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from mapsi.catalog.operations.jobs import Job
from mapsi.errors import NotFoundError
from mapsi.providers import FORMATS
from mapsi.refresh.refreshing import preview_source
from offers import TAXONOMY
from operated import Desk, post, write
from refreshing import HOUR, feed, refresh_services

NEW = "/operator/sources/new"
FEED = "https://haru.example.com/feed.xml"
FIELDS = {"name": "haru two", "format": "merchant", "at": FEED, "every": "6h", "shrink": "30", "shop_name": "하루"}


@pytest.fixture
def desk(opened_desk: Desk) -> Iterator[Desk]:
    yield opened_desk
    for one in opened_desk.catalog.sources.all():
        opened_desk.catalog.sources.remove(one.name)


@pytest.fixture
def client(desk: Desk) -> FlaskClient:
    client = desk.client()
    client.get("/operator?lang=en")
    return client


def test_a_source_is_added_and_its_first_refresh_is_wanted(desk: Desk, client: FlaskClient) -> None:
    answer = post(client, "/operator/sources", page=NEW, **FIELDS)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/operator/sources/haru-two")
    added = desk.catalog.sources.find("haru two")
    assert (added.format, added.address, added.every, added.shop_name) == ("merchant", FEED, 6 * HOUR, "하루")
    assert added.shrink == pytest.approx(0.3)
    assert Job("refresh", "haru two") in [one.job for one in desk.catalog.jobs.all()]


def test_the_form_of_a_source_sent_twice_adds_it_once_and_another_of_its_name_is_refused(
    desk: Desk, client: FlaskClient
) -> None:
    for fields in (FIELDS, FIELDS, {**FIELDS, "name": " haru two "}):
        answer = post(client, "/operator/sources", page=NEW, **fields)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/operator/sources/haru-two")
    other = post(client, "/operator/sources", page=NEW, **{**FIELDS, "every": "3h"})
    assert (other.status_code, "already" in other.text) == (400, True)
    assert [one.every for one in desk.catalog.sources.all()] == [6 * HOUR]
    assert [one.job for one in desk.catalog.jobs.all()].count(Job("refresh", "haru two")) == 1
    change = {**FIELDS, "every": "3h"}
    for _ in range(2):
        assert post(client, "/operator/sources/haru-two/edit", page=NEW, **change).status_code == 303
    assert [one.every for one in desk.catalog.sources.all()] == [3 * HOUR]
    desk.catalog.sources.remove("haru two")
    assert post(client, "/operator/sources", page=NEW, **FIELDS).status_code == 303, "the same shop as before"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("at", "/etc/passwd", "is not an address"),
        ("at", "file:///etc/passwd", "neither an http"),
        ("at", "https://127.0.0.1/feed", ""),
        ("every", "often", "not a duration"),
        ("time_to_live", "-3h", "not a duration"),
        ("shrink", "half", "not a number"),
        ("shrink", "nan", ""),
        ("shrink", "300", ""),
        ("format", "nothing", "no format"),
        ("name", "", "not a name"),
    ],
)
def test_what_does_not_fit_is_told_and_what_was_typed_stays(
    desk: Desk, client: FlaskClient, field: str, value: str, said: str
) -> None:
    answer = post(client, "/operator/sources", page=NEW, **{**FIELDS, field: value})
    if field == "at" and value.startswith("https://127"):
        assert answer.status_code in (303, 400)  # refused when it is fetched, at the latest
        return
    assert answer.status_code == 400
    assert said in answer.text
    assert FIELDS["shop_name"] in answer.text
    assert desk.catalog.sources.all() == []


def test_a_source_is_changed_and_keeps_its_name_and_its_offers(desk: Desk, client: FlaskClient) -> None:
    file = write(desk.folder, "daon", feed("abc"))
    desk.refreshing.add("daon", file, every=HOUR)
    desk.refreshing.run("daon")
    page = client.get("/operator/sources/daon/edit").text
    assert f'value="{file}"' in page
    fields = {
        "format": "csv",
        "at": str(file),
        "every": "2h",
        "time_to_live": "5h",
        "shrink": "10",
        "shop_name": "다온",
    }
    answer = post(client, "/operator/sources/daon/edit", page="/operator/sources/daon/edit", **fields)
    assert answer.status_code == 303
    changed = desk.catalog.sources.find("daon")
    assert (changed.every, changed.time_to_live, changed.shop_name) == (2 * HOUR, 5 * HOUR, "다온")
    assert desk.refreshing.run("daon").state == "unchanged", "the same place and format: it is known again"
    elsewhere = post(
        client, "/operator/sources/daon/edit", page="/operator/sources/daon/edit", **{**fields, "at": "/etc/passwd"}
    )
    assert elsewhere.status_code == 400
    assert client.get("/operator/sources/nobody/edit").status_code == 404


def test_a_feed_that_lies_elsewhere_is_read_anew(desk: Desk) -> None:
    from mapsi.refresh.admitting import admit_source

    for name in ("one", "two"):
        write(desk.folder, name, feed("abc"))
    desk.refreshing.add("daon", desk.folder / "one.csv")
    desk.refreshing.run("daon")
    desk.catalog.sources.change(admit_source("daon", format="csv", at=str(desk.folder / "two.csv")))
    assert desk.refreshing.run("daon").state == "done"
    with pytest.raises(NotFoundError):
        desk.catalog.sources.change(admit_source("nobody", format="csv", at=str(desk.folder / "two.csv")))


def test_a_dry_run_shows_what_would_change_and_changes_nothing(desk: Desk, client: FlaskClient) -> None:
    file = write(desk.folder, "daon", feed(range(20)))
    desk.refreshing.add("daon", file)
    desk.refreshing.run("daon")
    write(desk.folder, "daon", feed(range(5, 22)))
    assert "Tells what a refresh would change" in client.get("/operator/sources/daon").text
    post(client, "/operator/sources/daon/preview", page="/operator/sources/daon")
    assert Job("preview", "daon") in [one.job for one in desk.catalog.jobs.all()]
    source = desk.catalog.sources.find("daon")
    living = desk.catalog.status().living
    desk.catalog.previews.keep(source, preview_source(desk.catalog, source, refresh_services(desk.folder), TAXONOMY))
    page = client.get("/operator/sources/daon").text
    assert "2 would be new, 0 would change in price, 0 in something else, 5 would be gone; 15 would stay" in page
    assert desk.catalog.status().living == living
    desk.catalog.sources.remove("daon")
    desk.catalog.previews.keep(source, ())
    assert desk.catalog.previews.latest(source) is None


def test_a_dry_run_tells_prices_as_the_operator_reads_them(desk: Desk, client: FlaskClient) -> None:
    desk.refreshing.add("daon", write(desk.folder, "daon", feed("abc")))
    desk.refreshing.run("daon")
    write(desk.folder, "daon", feed("abc", price=12345))
    source = desk.catalog.sources.find("daon")
    desk.catalog.previews.keep(source, preview_source(desk.catalog, source, refresh_services(desk.folder), TAXONOMY))
    assert "→ 12,345원" in client.get("/operator/sources/daon?lang=ko").text
    assert "→ ₩12,345" in client.get("/operator/sources/daon?lang=en").text


def test_formats_are_called_as_shops_call_them_and_sent_by_their_names(client: FlaskClient) -> None:
    form = client.get(NEW).text
    assert '<option value="merchant" selected>Google Merchant feed</option>' in form
    for name in FORMATS:
        assert f'<option value="{name}"' in form
        assert f">{name}</option>" not in form


def test_a_source_is_removed_with_its_offers(desk: Desk, client: FlaskClient) -> None:
    desk.refreshing.add("daon", write(desk.folder, "daon", feed("abc")), every=timedelta(hours=1))
    desk.refreshing.run("daon")
    desk.catalog.jobs.put(Job("refresh", "daon"))
    answer = post(client, "/operator/sources/daon/remove", page="/operator/sources/daon")
    assert answer.status_code == 303
    assert "with its 3 offers" in client.get("/operator").text
    assert "daon" not in [one.job.argument for one in desk.catalog.jobs.all()]
    assert desk.catalog.sources.all() == []
    for form in ("remove", "edit", "preview", "refresh", "accept"):
        late = post(client, f"/operator/sources/daon/{form}", page="/operator", **FIELDS)
        assert (late.status_code, "no longer here" in late.text) == (404, True)
    assert desk.catalog.sources.all() == []
