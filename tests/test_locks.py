"""The lock of a shop while its feed is on its way: it holds up nobody, and no other run comes between."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from feed_server import FeedServer, Page, run_feed_server
from mapsi.catalog import open_catalog
from mapsi.catalog.records import ImportReport
from mapsi.catalog.store import database as databases
from mapsi.catalog.store import locks
from mapsi.catalog.store.database import Database, open_database
from mapsi.errors import BusyError
from refreshing import Refreshing, feed, refresh_services
from served import eventually


@dataclass
class Slow:
    """A catalogue, and two sources: ``slow``, whose server waits for ``sent``, and ``quick``, a file."""

    url: str
    folder: Path
    server: FeedServer
    sent: threading.Event

    @contextmanager
    def refreshing(self) -> Iterator[Refreshing]:
        with open_catalog(self.url) as catalog:
            yield Refreshing(catalog, refresh_services(self.folder, hosts=(self.server.host,)))

    def run(self) -> ImportReport:
        with self.refreshing() as refreshing:
            return refreshing.run("slow")

    @contextmanager
    def on_its_way(self) -> Iterator[Future[ImportReport]]:
        """A refresh of ``slow`` that is waiting for its feed."""
        self.sent.clear()
        asked = len(self.server.asked)
        with ThreadPoolExecutor(1) as pool:
            run = pool.submit(self.run)
            try:
                assert eventually(lambda: len(self.server.asked) > asked)
                yield run
            finally:
                self.sent.set()

    @contextmanager
    def database(self) -> Iterator[Database]:
        opened = open_database(self.url)
        yield opened
        opened.close()


@pytest.fixture
def slow(catalog_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Slow]:
    """On both databases; a server takes the lock from who says nothing for two seconds."""
    monkeypatch.setattr(databases, "IDLE_LOCK", 2)
    monkeypatch.setattr(locks, "BEAT", 0.3)
    with run_feed_server() as server:
        slow = Slow(catalog_url, tmp_path, server, threading.Event())
        server.pages["/feed"] = Page(body=feed(range(3)).encode(), until=slow.sent)
        (tmp_path / "quick.csv").write_text(feed(range(100, 105)), "utf-8")
        with slow.refreshing() as refreshing:
            refreshing.add("slow", server.url())
            refreshing.add("quick", tmp_path / "quick.csv")
        yield slow
        slow.sent.set()


def test_a_feed_that_takes_its_time_holds_up_nobody(slow: Slow) -> None:
    with slow.on_its_way() as run, slow.refreshing() as others:
        begun = time.monotonic()
        assert others.run("quick").new == 5
        assert others.catalog.sweep() == 0
        assert others.catalog.runs.latest("slow", 1)[0].state == "running", "a sweep does not take it for dead"
        time.sleep(max(0.0, begun + 3 - time.monotonic()))  # longer than a server waits for a sign of life
        with pytest.raises(BusyError, match="Another import"):
            others.run("slow")
        with pytest.raises(BusyError, match="being refreshed"):
            others.catalog.sources.remove("slow")
        slow.sent.set()
        assert (run.result(30).state, run.result().new) == ("done", 3)
        assert others.catalog.listings.facets().offers == 8


OPEN = """
SELECT COUNT(*) FROM information_schema.innodb_trx JOIN information_schema.processlist ON id = trx_mysql_thread_id
WHERE db = DATABASE() AND id <> CONNECTION_ID()
"""


def test_while_a_feed_is_on_its_way_no_transaction_is_open(slow: Slow) -> None:
    with slow.on_its_way(), slow.database() as database:
        if database.kind == "mariadb":
            with database.read() as connection:
                assert connection.scalar(text(OPEN)) == 0
        with database.write() as connection:  # SQLite has one writer at a time
            connection.execute(text("UPDATE state SET generation = generation"))


def holder(database: Database) -> int | None:
    """The connection that holds the lock of ``slow``."""
    assert database.guarding is not None
    with database.read() as connection:
        found = connection.scalar(text("SELECT IS_USED_LOCK(:key)"), {"key": locks.key_of(database, "import/slow")})
    return None if found is None else int(found)


def cut(database: Database, connection_id: int | None) -> None:
    with database.read() as connection:
        connection.execute(text(f"KILL {connection_id}"))


@pytest.mark.parametrize("catalog_url", ["mariadb"], indirect=True)
def test_a_lock_that_is_lost_on_the_way_is_taken_again(slow: Slow) -> None:
    with slow.on_its_way() as run, slow.database() as database:
        first = holder(database)
        cut(database, first)
        assert eventually(lambda: holder(database) not in (None, first))
        slow.sent.set()
        assert run.result(30).new == 3
        assert holder(database) is None


@pytest.mark.parametrize("catalog_url", ["mariadb"], indirect=True)
def test_a_run_that_lost_its_lock_to_another_takes_nothing_over(slow: Slow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "BEAT", 60)
    with slow.on_its_way() as run, slow.database() as database, slow.refreshing() as other:
        cut(database, holder(database))
        slow.server.pages["/feed"] = Page(body=feed(range(50, 54)).encode())
        assert other.run("slow").new == 4
        slow.sent.set()
        with pytest.raises(BusyError, match="taken for dead"):
            run.result(30)
        assert other.catalog.listings.facets().offers == 4
        assert [one.state for one in other.catalog.runs.latest("slow")] == ["done", "killed"]
