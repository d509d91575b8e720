"""An import whose process is killed at any moment: readers see the old feed or the new one, and the next one goes on."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from mapsi.catalog import Catalog, open_catalog
from mapsi.catalog.database import open_database
from mapsi.catalog.filters import Filters
from offers import offer, take_in_all

COUNT = 3000
CHILD = """
import sys
from offers import offer, take_in_all
from mapsi.catalog import open_catalog

def feed(price):
    for number in range({count}):
        if number % 1000 == 0:
            print("row", flush=True)
        yield offer(str(number), f"니트 {{number}}", price)

with open_catalog(sys.argv[1]) as catalog:
    for price in range(2000, 10_000):
        print("import", flush=True)
        take_in_all(catalog, feed(price))
"""


def feed_is_whole(catalog: Catalog) -> None:
    """All offers of one feed, at one price, found by words as well."""
    facets = catalog.facets()
    assert facets.offers == COUNT
    assert facets.price_min == facets.price_max
    assert facets.classes["garment"] == (("longsleeve", COUNT),)
    assert catalog.search_words("니트", Filters(), "likeness", 1, 1).total == COUNT
    newest = catalog.price_history(1)[-1].lowest_price
    assert newest == facets.price_min


@pytest.mark.parametrize(("kind", "kills"), [("sqlite", 10), ("mariadb", 3)])
def test_a_killed_import_leaves_no_trace_that_a_reader_sees(
    new_database: Callable[[str], str], kind: str, kills: int
) -> None:
    chance, url = random.Random(11), new_database(kind)
    with open_catalog(url) as catalog:
        catalog.migrate()
        take_in_all(catalog, (offer(str(n), f"니트 {n}", 1000) for n in range(COUNT)))
    for _ in range(kills):
        kill_in_the_middle(url, chance.uniform(0, 1.2))
        wait_until_alone(url)
        with open_catalog(url) as catalog:
            feed_is_whole(catalog)
    with open_catalog(url) as catalog:
        report = take_in_all(catalog, (offer(str(n), f"니트 {n}", 50_000) for n in range(COUNT)))
        assert report.changed == COUNT
        feed_is_whole(catalog)
        states = {shop.last_import.state for shop in catalog.status().shops if shop.last_import}
        assert states == {"done"}


def wait_until_alone(url: str) -> None:
    """A MariaDB ends the statement it is in before it notices that the client is dead."""
    database = open_database(url)
    others = text("SELECT COUNT(*) FROM information_schema.processlist WHERE db = DATABASE() AND id <> CONNECTION_ID()")
    while database.kind == "mariadb":
        with database.read() as connection:
            if connection.scalar(others) == 0:
                break
        time.sleep(0.02)
    database.engine.dispose()


def kill_in_the_middle(url: str, seconds: float) -> None:
    """Start imports in a child, wait for the first to begin, then kill the child after some seconds."""
    command = [sys.executable, "-c", CHILD.format(count=COUNT), url]
    with subprocess.Popen(command, cwd=Path(__file__).parent, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"import\n"
        assert child.stdout.readline() == b"row\n"
        time.sleep(seconds)
        child.send_signal(signal.SIGKILL)
    assert child.returncode == -signal.SIGKILL
