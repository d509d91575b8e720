"""Workers: in the process, over Celery and a real Redis, and killed while they work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event

import pytest
from click.testing import CliRunner

from mapsi.catalog import Catalog, open_catalog
from mapsi.catalog.operations.jobs import LEASE, Job
from mapsi.cli import main
from mapsi.errors import CatalogError, FeedError, NotFoundError, RemoteError
from mapsi.work.celery_worker import announce, make_app
from mapsi.work.performing import JobActions, perform
from mapsi.work.schedule import DAILY, Schedule
from mapsi.work.worker import Worker
from refreshing import NOON, Clock, Refreshing, feed, refresh_services

pytestmark = pytest.mark.usefixtures("clock")

SOURCE = "haru"


class Told:
    """JobActions that remember what they did; ``changes`` is what a refresh tells."""

    def __init__(self, changes: bool = True) -> None:
        self.done: list[str] = []
        self.changes = changes

    def actions(
        self, refresh: Callable[[str], bool] | None = None, prune: Callable[[], object] | None = None
    ) -> JobActions:
        return JobActions(
            refresh=refresh or (lambda name: (self.done.append(f"refresh {name}"), self.changes)[1]),
            accept=lambda name: (self.done.append(f"accept {name}"), self.changes)[1],
            index=lambda: self.done.append("index"),
            prune=prune or (lambda: self.done.append("prune")),
            mail=lambda: self.done.append("mail"),
            preview=lambda name: self.done.append(f"preview {name}"),
        )


def add_source(catalog: Catalog, folder: Path, every: timedelta | None = timedelta(hours=6)) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "feed.csv").write_text(feed(range(5), 1000), "utf-8")
    Refreshing(catalog, refresh_services(folder)).add(SOURCE, folder / "feed.csv", every=every)


def test_a_worker_does_what_is_due_and_what_follows_from_it(catalog: Catalog, tmp_path: Path) -> None:
    add_source(catalog, tmp_path)
    told = Told()
    Worker(catalog, told.actions(), lambda _: None, now=lambda: NOON).run_once()
    assert set(told.done) == {f"refresh {SOURCE}", "index", "prune"}
    assert catalog.jobs.all() == []


def test_a_refresh_without_changes_brings_no_other_work_about(catalog: Catalog) -> None:
    catalog.jobs.put(Job("refresh", SOURCE))
    told = Told(changes=False)
    worker = Worker(catalog, told.actions(), lambda _: None)
    assert worker.step()
    assert not worker.step()
    assert told.done == [f"refresh {SOURCE}"]


def test_the_daily_jobs_are_asked_for_once_a_day(catalog: Catalog) -> None:
    schedule = Schedule(catalog)
    assert schedule.ask(NOON) == [Job("index"), Job("prune")]
    assert schedule.ask(NOON + DAILY / 2) == []
    for job in (Job("index"), Job("prune")):
        claim = catalog.jobs.claim("one", job)
        assert claim is not None
        catalog.jobs.finish(claim)
    assert schedule.ask(NOON + DAILY) == [Job("index"), Job("prune")]


def test_a_job_that_fails_is_told_and_tried_again(catalog: Catalog, clock: Clock) -> None:
    said: list[str] = []

    def broken(_name: str) -> bool:
        raise FeedError("The feed is cut off in line 7.", "Ask the shop.")

    catalog.jobs.put(Job("refresh", SOURCE))
    worker = Worker(catalog, Told().actions(broken), said.append)
    assert worker.step()
    assert said == [f"refresh {SOURCE}: The feed is cut off in line 7. Ask the shop. It is tried again later."]
    assert not worker.step()
    clock.advance(timedelta(minutes=1))
    assert worker.step()


def test_a_source_that_was_removed_meanwhile_is_no_failure(catalog: Catalog) -> None:
    def gone(name: str) -> bool:
        raise NotFoundError(f"There is no source {name!r}.")

    catalog.jobs.put(Job("refresh", SOURCE))
    assert Worker(catalog, Told().actions(gone), lambda _: None).step()
    assert catalog.jobs.all() == []


def test_an_interrupted_job_can_be_taken_at_once(catalog: Catalog) -> None:
    def interrupted(_name: str) -> bool:
        raise KeyboardInterrupt

    catalog.jobs.put(Job("refresh", SOURCE))
    claim = catalog.jobs.claim("one")
    assert claim is not None
    with pytest.raises(KeyboardInterrupt):
        perform(catalog, claim, Told().actions(interrupted), lambda _: None)
    assert catalog.jobs.claim("two") is not None


def test_a_fault_of_the_program_ends_no_worker_and_is_tried_again_later(
    catalog: Catalog, caplog: pytest.LogCaptureFixture
) -> None:
    said: list[str] = []

    def faulty(_name: str) -> bool:
        raise ZeroDivisionError("a fault")

    catalog.jobs.put(Job("refresh", SOURCE))
    worker = Worker(catalog, Told().actions(faulty), said.append)
    assert worker.step()
    assert not worker.step()
    (waiting,) = catalog.jobs.all()
    assert (waiting.failures, waiting.worker) == (1, "")
    assert said == [f"refresh {SOURCE}: an internal error; see the log. It is tried again later."]
    assert "ZeroDivisionError" in caplog.text


def test_who_takes_over_from_a_killed_worker_wants_the_index_even_where_nothing_is_new(
    catalog: Catalog, clock: Clock
) -> None:
    catalog.jobs.put(Job("refresh", SOURCE))
    assert catalog.jobs.claim("killed after the switch") is not None
    clock.advance(2 * LEASE)
    told = Told(changes=False)
    worker = Worker(catalog, told.actions(), lambda _: None)
    assert worker.step()
    assert worker.step()
    assert told.done == [f"refresh {SOURCE}", "index"]


def test_a_worker_waits_for_a_database_that_is_gone_for_a_while(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mapsi.work.worker.TICK", 0.01)
    said: list[str] = []
    told = Told(changes=False)
    stop = Event()
    worker = Worker(catalog, told.actions(prune=stop.set), said.append, stop=stop)
    tries = iter(range(3))

    def note_worker(name: str) -> None:
        if next(tries, None) is not None:
            raise CatalogError("The database server does not answer.", "Check that it runs.")

    monkeypatch.setattr(catalog.jobs, "note_worker", note_worker)
    worker.run()
    assert said[0] == "The database server does not answer. Check that it runs."
    assert [line for line in said if "does not answer" in line] == said[:1]
    assert told.done == ["index"]


CELERY = """
import sys, time
from pathlib import Path
from threading import Event
from mapsi.catalog import open_catalog
from mapsi.work import celery_worker
from mapsi.work.performing import JobActions
celery_worker.TICK = 0.5
url, broker, book, slow = sys.argv[1], sys.argv[2], Path(sys.argv[3]), float(sys.argv[4])

def write(line):
    with book.open("a") as out:
        print(line, file=out, flush=True)

def refresh(name):
    write(f"begin {name}")
    time.sleep(slow)
    write(f"end {name}")
    return False

with open_catalog(url) as catalog:
    actions = JobActions(refresh=refresh, accept=refresh, index=lambda: write("end index"), prune=lambda: write("end prune"), mail=lambda: None, preview=lambda name: None)
    celery_worker.work(celery_worker.make_app(broker), catalog, actions, lambda text: write(f"said {text}"))
"""


@contextmanager
def celery_worker(url: str, broker: str, book: Path, slow: float = 0.0) -> Iterator[subprocess.Popen[bytes]]:
    words = [sys.executable, "-c", CELERY, url, broker, str(book), str(slow)]
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield child
    finally:
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(timeout=30)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.1)


def lines(book: Path) -> list[str]:
    return book.read_text("utf-8").splitlines() if book.exists() else []


# The queue is held on both databases in test_jobs.py, and Celery asks it in one way only: each scenario here on one.


@pytest.mark.parametrize("catalog_url", ["mariadb"], indirect=True)
def test_several_workers_on_celery_share_the_jobs_and_do_each_once(
    catalog_url: str, redis_url: str, tmp_path: Path
) -> None:
    book = tmp_path / "book"
    with open_catalog(catalog_url) as catalog:
        for number in range(6):
            catalog.jobs.put(Job("refresh", f"shop {number}"))
        with celery_worker(catalog_url, redis_url, book, 0.3), celery_worker(catalog_url, redis_url, book, 0.3):
            wait_for(lambda: not catalog.jobs.all())
            assert len(catalog.jobs.workers()) == 2
    done = [line for line in lines(book) if line.startswith("end shop")]
    assert sorted(done) == [f"end shop {number}" for number in range(6)]


@pytest.mark.parametrize("catalog_url", ["sqlite"], indirect=True)
def test_a_job_of_a_killed_celery_worker_is_done_by_another(catalog_url: str, redis_url: str, tmp_path: Path) -> None:
    book = tmp_path / "book"
    with open_catalog(catalog_url) as catalog:
        catalog.jobs.put(Job("refresh", SOURCE))
        with celery_worker(catalog_url, redis_url, book, 60) as doomed:
            wait_for(lambda: f"begin {SOURCE}" in lines(book))
            doomed.send_signal(signal.SIGKILL)
            doomed.wait()
        assert f"end {SOURCE}" not in lines(book)
        assert [waiting.worker != "" for waiting in catalog.jobs.all() if waiting.job.kind == "refresh"] == [True]
        # The lease of the dead runs out: tests do not wait a minute for it.
        with open_catalog(catalog_url, lambda: datetime.now(UTC) + 2 * LEASE) as later:
            held = later.jobs.claim("a new worker", Job("refresh", SOURCE))
            assert held is not None
            later.jobs.release(held)
        with celery_worker(catalog_url, redis_url, book):
            wait_for(lambda: f"end {SOURCE}" in lines(book))


def test_a_broker_is_waited_for_without_an_end() -> None:
    conf = make_app("redis://127.0.0.1:1/0").conf
    assert (conf.broker_connection_retry_on_startup, conf.broker_connection_max_retries) == (True, None)


def test_a_broker_that_is_not_there_is_a_sentence_and_no_end() -> None:
    with pytest.raises(RemoteError, match="broker"):
        announce(make_app("redis://127.0.0.1:1/0"), Job("index"))


def test_the_command_does_what_is_due_and_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAPSI_HOME", str(tmp_path / "home"))
    done = CliRunner().invoke(main, ["worker", "--once"])
    assert done.exit_code == 0, done.output
    assert "2 jobs done" in done.output
    monkeypatch.setenv("MAPSI_QUEUE", "kafka://127.0.0.1")
    refused = CliRunner().invoke(main, ["worker"])
    assert refused.exit_code != 0
    assert "not the address of a broker" in refused.output


def test_the_command_ends_after_the_job_at_hand(tmp_path: Path) -> None:
    env = {**os.environ, "MAPSI_HOME": str(tmp_path / "home")}
    child = subprocess.Popen(
        [sys.executable, "-m", "mapsi", "worker"], env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    assert child.stdout is not None
    first = child.stdout.readline()
    assert "working" in first
    child.send_signal(signal.SIGTERM)
    rest, _ = child.communicate(timeout=60)
    assert child.returncode == 0, rest
    assert "stopping" in rest
