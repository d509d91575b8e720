"""A catalogue with everything an operator can meet: sources in every state, made by real refreshes, and work in the
queue."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from mapsi.catalog import Catalog
from mapsi.catalog.operations.jobs import Job
from mapsi.errors import MapsiError
from mapsi.imaging import PhotoLimits
from mapsi.pictures.store import PictureStore
from mapsi.settings import Secret
from mapsi.web.accounts.passwords import hash_password
from offers import TAXONOMY
from refreshing import DAY, HOUR, Clock, Refreshing, feed, refresh_services
from shop_json_server import CLIENT_ID, CLIENT_SECRET, run_shop_json
from small_house import House

EMAIL = "operator@example.com"
PASSWORD = "a rather long sentence"
EVIL = "<script>alert(1)</script>"
CALLS = 10
STATES = {
    "haru-done": "done",
    "nuri-same": "unchanged",
    "daon-half": "partial",
    "gyeol-held": "held",
    "sora-broken": "failed",
    "bada-killed": "killed",
    "maru-running": "running",
    "areum-new": "never",
}
"""The sources by name, and the state of the last run of each."""


@dataclass(frozen=True)
class Desk:
    """A house whose operator is :data:`EMAIL`, with the feeds' folder and the clock."""

    house: House
    clock: Clock
    folder: Path

    @property
    def catalog(self) -> Catalog:
        return self.house.catalog

    @property
    def refreshing(self) -> Refreshing:
        return Refreshing(self.catalog, refresh_services(self.folder, daily_calls=CALLS))

    @property
    def pictures(self) -> PictureStore:
        return PictureStore(self.house.home / "pictures", PhotoLimits())

    def app(self, **changes: object) -> Flask:
        keys = {"naver_client_id": Secret(CLIENT_ID), "naver_client_secret": Secret(CLIENT_SECRET)}
        return self.house.app(**{**keys, "naver_daily_calls": CALLS, "login_rate": "1000 per minute", **changes})

    def client(self, **changes: object) -> FlaskClient:
        """A browser in which the operator is logged in."""
        client = self.app(**changes).test_client()
        assert log_in(client).status_code == 303
        return client


def log_in(client: FlaskClient, email: str = EMAIL, password: str = PASSWORD, **more: str) -> TestResponse:
    """Fill in the form of the log-in."""
    return post(client, "/account/login", page="/account/login", email=email, password=password, **more)


def post(client: FlaskClient, address: str, *, page: str = "/operator", **fields: str) -> TestResponse:
    """Send a form with the token of a page."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(page).text)
    assert found is not None
    return client.post(address, data={"csrf_token": found[1], **fields})


def write(folder: Path, name: str, text: str) -> Path:
    file = folder / f"{name}.csv"
    file.write_text(text, "utf-8")
    return file


def as_desk(house: House, clock: Clock) -> Desk:
    """The house, which goes by ``clock``, with an operator and, so far, the three shops that were imported by hand."""
    desk = Desk(house, clock, house.home / "feeds")
    desk.folder.mkdir()
    desk.catalog.accounts.add_operator(EMAIL, hash_password(PASSWORD))
    return desk


@contextmanager
def in_every_state(desk: Desk) -> Iterator[Desk]:
    """A source for each state a run can be in, jobs that wait, are done and failed, and searches that found nothing."""
    refreshing, clock = desk.refreshing, desk.clock
    _finish(refreshing, desk.folder, clock)
    _hold(refreshing, desk.folder)
    _break(refreshing, desk.folder)
    _do_in_part(refreshing, desk.folder)
    refreshing.add("areum-new", "https://areum.example.com/feed.xml", "merchant", every=DAY)
    killed = refreshing.add("bada-killed", write(desk.folder, "bada-killed", feed("abc")))
    run = desk.catalog.imports.begin(killed, TAXONOMY)
    run.__enter__()
    run.__exit__(None, None, None)  # lets go of the lock and, as a killed process, writes nothing in the log
    desk.catalog.sweep()
    for words, times in (("우주복", 3), ("<b>spacesuit</b>", 1), ("qwertz " * 12, 2)):
        for _ in range(times):
            desk.catalog.searches.note(words, 0)
    running = refreshing.add("maru-running", write(desk.folder, "maru-running", feed("abc")), every=HOUR)
    with desk.catalog.imports.begin(running, TAXONOMY) as going_on:
        clock.advance(timedelta(seconds=75))
        _queue(desk.catalog)
        yield desk
        going_on.end("unchanged")


def _finish(refreshing: Refreshing, folder: Path, clock: Clock) -> None:
    broken = feed(range(1200)) + f"x,{EVIL},https://shop.example.com/x,https://img.example.com/x.jpg,{EVIL}\n"
    broken += "".join(f"y{n},니트,https://shop.example.com/y,https://img.example.com/y.jpg,\n" for n in range(120))
    refreshing.add("haru-done", write(folder, "haru-done", broken), every=6 * HOUR, shop_name=f"하루 {EVIL}")
    refreshing.run("haru-done")
    refreshing.add("nuri-same", write(folder, "nuri-same", feed(range(20))), every=HOUR, time_to_live=3 * HOUR)
    refreshing.run("nuri-same")
    clock.advance(2 * HOUR)
    refreshing.run("nuri-same")


def _hold(refreshing: Refreshing, folder: Path) -> None:
    file = write(folder, "gyeol-held", feed(range(400)))
    refreshing.add("gyeol-held", file, every=DAY)
    refreshing.run("gyeol-held")
    write(folder, "gyeol-held", feed(range(7)))
    assert refreshing.run("gyeol-held").state == "held"


def _break(refreshing: Refreshing, folder: Path) -> None:
    refreshing.add("sora-broken", write(folder, "sora-broken", f"<html>{EVIL}</html>"), every=HOUR)
    with suppress(MapsiError):
        refreshing.run("sora-broken")


def _do_in_part(refreshing: Refreshing, folder: Path) -> None:
    with run_shop_json() as server:
        asked = Refreshing(refreshing.catalog, refresh_services(folder, hosts=(server.host,), daily_calls=CALLS))
        asked.add("daon-half", server.url, "shop-json", every=6 * HOUR)
        assert asked.run("daon-half").state == "partial"


def _queue(catalog: Catalog) -> None:
    catalog.jobs.put(Job("refresh", "sora-broken"))
    claim = catalog.jobs.claim("a worker")
    assert claim is not None
    catalog.jobs.fail(claim, f"The feed cannot be read: {EVIL}")
    catalog.jobs.put(Job("index"))
    assert catalog.jobs.claim("machine-1234-abcdef", Job("index")) is not None
    catalog.jobs.put(Job("prune"))
