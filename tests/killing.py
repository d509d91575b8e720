"""Refreshes whose process is killed at random moments, and what has to be true of the catalogue afterwards."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from sqlalchemy import text

from mapsi.catalog import Catalog, open_catalog
from mapsi.catalog.query import Query
from mapsi.catalog.store.database import open_database
from refreshing import Refreshing, feed, refresh_services

COUNT = 1000
SOURCE = "haru"
CHILD = """
import sys
from pathlib import Path
from killing import SOURCE
from mapsi.artifacts import atomic_file
from mapsi.catalog import open_catalog
from refreshing import Refreshing, feed, refresh_services

url, folder, first, count = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
with open_catalog(url) as catalog:
    refreshing = Refreshing(catalog, refresh_services(folder))
    for price in range(first, first + 5000):
        with atomic_file(folder / "feed.csv") as beside:
            beside.write_text(feed(range(count), price), "utf-8")
        print("refresh", flush=True)
        refreshing.run(SOURCE)
"""


def start_catalog(url: str, folder: Path, count: int = COUNT) -> None:
    """A catalogue with one source, refreshed once."""
    with open_catalog(url) as catalog:
        catalog.migrate()
        (folder / "feed.csv").write_text(feed(range(count), 1000), "utf-8")
        refreshing = Refreshing(catalog, refresh_services(folder))
        refreshing.add(SOURCE, folder / "feed.csv")
        refreshing.run(SOURCE)


def kill_and_check(url: str, folder: Path, round_: int, chance: random.Random) -> str:
    """Kill refreshes somewhere in the first moments, check what is left, and refresh again; gives the state in which
    the killed run is in the log."""
    _kill_in_the_middle(url, folder, 10_000 * (round_ + 1), chance.uniform(0, 1.5))
    _wait_until_alone(url)
    with open_catalog(url) as catalog:
        feed_is_whole(catalog)
        catalog.sweep()
        state = catalog.runs.latest(SOURCE, 1)[0].state
        (folder / "feed.csv").write_text(feed(range(COUNT), 9000 + round_), "utf-8")
        report = Refreshing(catalog, refresh_services(folder)).run(SOURCE)
        assert (report.state, report.changed) == ("done", COUNT)
        feed_is_whole(catalog)
        assert all(run.state in ("done", "unchanged", "killed") for run in catalog.runs.latest(SOURCE, 1000))
    return state


def feed_is_whole(catalog: Catalog, count: int = COUNT) -> None:
    """All offers of one feed, at one price, found by words as well, with their classes and the price in their
    history."""
    facets = catalog.listings.facets()
    assert facets.offers == count
    assert facets.price_min == facets.price_max
    assert ("sweater", count) in facets.classes["garment"]  # beside it what a sweater is a kind of
    assert catalog.listings.search(Query(words="니트", size=1)).total == count
    assert catalog.status().living == count
    for offer_id in (1, count // 2, count):
        assert catalog.listings.prices(offer_id)[-1].lowest_price == facets.price_min


def _wait_until_alone(url: str) -> None:
    """A MariaDB ends the statement it is in before it notices that the client is dead."""
    database = open_database(url)
    others = text("SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()")
    while database.kind == "mariadb":
        with database.read() as connection:
            if connection.scalar(others) == 0:
                break
        time.sleep(0.02)
    database.close()


def _kill_in_the_middle(url: str, folder: Path, price: int, seconds: float) -> None:
    """Start refreshes in a child, wait for the first to begin, then kill the child after some seconds."""
    command = [sys.executable, "-c", CHILD, url, str(folder), str(price), str(COUNT)]
    with subprocess.Popen(command, cwd=Path(__file__).parent, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"refresh\n"
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
