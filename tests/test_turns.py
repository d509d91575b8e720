"""Shops that are slow: others are refreshed meanwhile, by a worker of one thread and by the command alike."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from feed_server import FeedServer, Page, run_feed_server
from mapsi.catalog import Catalog, open_catalog
from mapsi.catalog.operations.jobs import Job
from mapsi.cli import main
from mapsi.remote import Fetcher
from mapsi.remote.connection import MinimumRate
from mapsi.work.performing import JobActions
from mapsi.work.turns import stepping_aside
from mapsi.work.worker import Worker
from refreshing import Refreshing, feed, refresh_services
from served import eventually

# The queue and the lock of a shop are held on both databases in test_jobs.py and test_locks.py.
pytestmark = pytest.mark.parametrize("catalog_url", ["sqlite"], indirect=True)

SLOW = ("silent", "headers", "body", "redirect", "answers")
QUICK = feed(range(5)).encode()


@dataclass
class Street:
    """A slow shop of every kind, and a quick one; and a worker that says ``said``."""

    catalog: Catalog
    server: FeedServer
    worker: Worker
    said: list[str]
    begins: threading.Event

    def want(self, *names: str) -> None:
        for name in names:
            self.catalog.jobs.put(Job("refresh", name))

    def run_of(self, name: str) -> tuple[str, str]:
        run = self.catalog.runs.latest(name, 1)[0]
        return run.state, run.reason


@pytest.fixture
def street(request: pytest.FixtureRequest, catalog: Catalog, tmp_path: Path) -> Iterator[Street]:
    """A test may give the pace below which a shop is given up."""
    begins = threading.Event()
    with run_feed_server() as server:
        body = QUICK + b"\n" * 500  # at this drip for longer than any test
        server.pages = {
            "/silent": Page(body=body, until=begins),
            "/headers": Page(drip=0.1),
            "/body": Page(body=body, drip=0.01),
            "/redirect": Page(redirect="/" + "x" * 500, drip=0.01),
            "/v1/search/shop.json": Page(body=body, drip=0.1),
            "/quick": Page(body=QUICK),
        }
        at_work = refresh_services(tmp_path)
        pace = getattr(request, "param", MinimumRate())
        fetcher = Fetcher(allow_hosts=(server.host,), waiting=stepping_aside, pace=pace)
        refreshing = Refreshing(catalog, replace(at_work, fetcher=fetcher))
        for name in ("silent", "headers", "body", "redirect", "quick"):
            refreshing.add(name, server.url(f"/{name}"))
        refreshing.add("answers", server.url(""), "shop-json")
        said: list[str] = []
        worker = Worker(catalog, actions(refreshing, said), said.append)
        yield Street(catalog, server, worker, said, begins)
        begins.set()
        server.ended.set()
        worker.run_once()


def actions(refreshing: Refreshing, said: list[str]) -> JobActions:
    def refresh(name: str) -> bool:
        return bool(refreshing.run(name).new)

    return JobActions(
        refresh=refresh,
        accept=refresh,
        index=lambda: said.append("index"),
        prune=lambda: None,
        mail=lambda: None,
        preview=refreshing.preview,
    )


def test_a_slow_shop_holds_up_no_other(street: Street) -> None:
    street.want(*SLOW)
    for _ in SLOW:
        assert street.worker.step()
    street.want("quick")
    assert street.worker.step()
    assert eventually(lambda: street.run_of("quick")[0] == "done")
    assert {name: street.run_of(name)[0] for name in SLOW} == dict.fromkeys(SLOW, "running")


@pytest.mark.parametrize("street", [MinimumRate(begin=0.3, seconds=0.3, least=1 << 20)], indirect=True)
def test_a_shop_that_stays_slow_is_given_up_with_a_sentence(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mapsi.providers.shop_json._TRIES", 1)
    street.want(*SLOW)
    street.worker.run_once()
    assert [name for name in SLOW if "127.0.0.1 sends its answer too slowly." not in street.run_of(name)[1]] == []
    assert {waiting.job.argument for waiting in street.catalog.jobs.all() if waiting.failures} == set(SLOW)


def test_a_feed_that_comes_in_the_end_is_taken_over(street: Street) -> None:
    street.want("silent")
    assert street.worker.step()
    street.begins.set()
    street.worker.run_once()
    assert street.run_of("silent")[0] == "done"
    assert "index" in street.said


def test_where_many_wait_other_jobs_are_done(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mapsi.work.turns.MOST", 1)
    street.want("silent", "quick")
    assert street.worker.step()
    street.catalog.jobs.put(Job("index"))
    assert street.worker.step()
    assert street.said == ["index", "index: done"]
    assert not street.worker.step()
    street.begins.set()
    street.worker.run_once()
    assert street.run_of("quick")[0] == "done"


def test_a_worker_that_ends_gives_back_what_waits(street: Street) -> None:
    street.want("silent")
    assert street.worker.step()
    street.worker.stop.set()
    street.worker.run()
    assert [waiting.worker for waiting in street.catalog.jobs.all() if waiting.job.argument == "silent"] == [""]
    street.begins.set()
    assert eventually(lambda: street.run_of("silent")[0] == "failed")
    assert street.catalog.listings.facets().offers == 0, "what comes after the end is not taken"


def test_the_command_refreshes_others_while_one_keeps_it_waiting(
    catalog_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with run_feed_server() as server:
        taken = threading.Event()
        server.pages = {"/a": Page(body=QUICK, until=taken), "/b": Page(body=QUICK)}
        monkeypatch.setenv("MAPSI_HOME", str(tmp_path / "home"))
        monkeypatch.setenv("MAPSI_DATABASE_URL", catalog_url)
        monkeypatch.setenv("MAPSI_ALLOW_HOSTS", server.host)
        for name in "ab":
            adding = ["catalog", "sources", "add", name, "--format", "csv", "--at", server.url(f"/{name}")]
            assert CliRunner().invoke(main, adding).exit_code == 0
        threading.Thread(target=_tell_once_one_is_taken, args=(catalog_url, taken), daemon=True).start()
        done = CliRunner().invoke(main, ["catalog", "refresh", "--no-index"])
        assert done.exit_code == 0, done.output
        assert [path for path, _ in server.asked] == ["/a", "/b"]
        assert done.output.index("b:") < done.output.index("a:")


def _tell_once_one_is_taken(catalog_url: str, taken: threading.Event) -> None:
    with open_catalog(catalog_url) as catalog:
        eventually(lambda: catalog.status().living > 0)
    taken.set()
