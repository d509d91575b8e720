"""The commands for sources, refreshes and the status, as an operator types them."""

from __future__ import annotations

import json
import os
import time
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from mapsi.cli import main
from refreshing import feed
from shop_json_server import CLIENT_ID, CLIENT_SECRET, run_shop_json


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run a command of ``mapsi catalog`` in a home of its own."""
    monkeypatch.setenv("MAPSI_HOME", str(tmp_path / "home"))

    def invoke(*words: object) -> Result:
        return CliRunner().invoke(main, ["catalog", *map(str, words)])

    return invoke


def told(result: Result, code: int = 0) -> str:
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.output


def put(file: Path, text: str) -> None:
    """A feed that was written a while ago: it is not waited for to settle."""
    file.write_text(text, "utf-8")
    written = time.time() - 60 + next(_ticks)
    os.utime(file, (written, written))


_ticks = count()


def test_a_source_from_its_first_day_to_its_last(run: Any, tmp_path: Path) -> None:
    file = tmp_path / "feed.csv"
    put(file, feed(range(10)) + "bad,No price,https://shop.example.com/x,x.jpg,\n")
    assert "no source yet" in told(run("sources", "list"))
    assert "no source yet" in told(run("refresh"))
    added = told(
        run("sources", "add", "haru", "--format", "csv", "--at", file, "--every", "6h", "--time-to-live", "3d")
    )
    assert "every 6 hours" in added
    assert "3 days" in added
    assert str(file) in told(run("sources", "list"))
    assert json.loads(told(run("sources", "list", "--json")))[0]["every"] == 6 * 3600
    assert "never refreshed" in told(run("status"))

    first = told(run("refresh", "haru", "--no-index"))
    assert "haru: 10 new, 0 changed, 0 unchanged, 0 gone, 1 row skipped." in first
    assert "line 12: The row has no price." in first
    assert "unchanged" in told(run("refresh", "--no-index"))

    put(file, feed(range(3), price=9_000) + feed(["new"]).partition("\n")[2])
    dry = told(run("refresh", "haru", "--dry-run"))
    assert "1 would be new, 3 would change in price, 0 in something else, 7 would be gone" in dry
    assert "니트 0: 10,000 KRW -> 9,000 KRW" in dry
    assert "would hold it back" in dry
    held = told(run("refresh", "haru", "--no-index"), 12)
    assert "mapsi catalog refresh haru --accept" in held
    status = told(run("status"))
    assert "held" in status
    assert "mapsi catalog refresh haru --accept" in status
    assert "10 offers shown" in told(run("status"))
    assert "1 new, 3 changed" in told(run("refresh", "haru", "--accept", "--no-index"))

    removed = told(run("sources", "remove", "haru"))
    assert "with its 4 offers" in removed
    assert "0 offers shown" in told(run("status"))


def test_the_status_for_programs(run: Any, tmp_path: Path) -> None:
    assert json.loads(told(run("status", "--json"))) == {
        "offers": 0, "sources": [], "shown": 0, "gone": 0, "pictures": 0,
    }  # fmt: skip
    file = tmp_path / "feed.csv"
    put(file, feed(range(4)) + "bad,No price,https://shop.example.com/x,x.jpg,\n")
    told(run("sources", "add", "haru", "--format", "csv", "--at", file))
    document = json.loads(told(run("status", "--json")))
    assert document["sources"][0]["last_run"] is None
    told(run("refresh", "haru", "--no-index"))
    document = json.loads(told(run("status", "--json")))
    assert document["offers"] == 4
    (source,) = document["sources"]
    assert (source["name"], source["format"], source["offers"]) == ("haru", "csv", 4)
    last = source["last_run"]
    assert {name: last[name] for name in ("state", "new", "changed", "gone", "errors")} == {
        "state": "done", "new": 4, "changed": 0, "gone": 0, "errors": 1,
    }  # fmt: skip
    assert last["first_errors"] == [{"line": 6, "reason": "The row has no price."}]
    assert all(datetime.fromisoformat(last[name]).tzinfo is not None for name in ("started", "finished"))


def test_what_was_imported_by_hand_stands_in_the_status_too(run: Any, tmp_path: Path) -> None:
    from mapsi.catalog import open_catalog
    from offers import offer, take_in

    told(run("status"))
    with open_catalog(f"sqlite:///{tmp_path / 'home' / 'catalog.db'}") as catalog:
        take_in(catalog, offer("1"), shop="My Shop")
    (source,) = json.loads(told(run("status", "--json")))["sources"]
    assert (source["name"], source["format"], source["offers"], source["at"]) == ("My Shop", "test", 1, None)
    assert "My Shop (imported by hand)" in told(run("status"))


def test_one_source_that_goes_wrong_does_not_keep_the_others_back(run: Any, tmp_path: Path) -> None:
    for name in ("a", "c"):
        put(tmp_path / f"{name}.csv", feed([name]))
        told(run("sources", "add", name, "--format", "csv", "--at", tmp_path / f"{name}.csv"))
    put(tmp_path / "b.csv", "id,title,link,image_link,price\nb,")
    told(run("sources", "add", "b", "--format", "csv", "--at", tmp_path / "b.csv"))
    output = told(run("refresh", "--no-index"), 5)
    assert "a: 1 new" in output
    assert "mapsi: b: The feed is cut off" in output
    assert "c: 1 new" in output


def test_shop_json_is_asked_with_the_keys_of_the_settings(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with run_shop_json(daily=2) as server:
        told(run("sources", "add", "naver", "--format", "shop-json", "--at", server.url))
        monkeypatch.setenv("MAPSI_ALLOW_HOSTS", server.host)
        without = told(run("refresh", "naver", "--no-index"), 2)
        assert "MAPSI_NAVER_CLIENT_ID" in without
        monkeypatch.setenv("MAPSI_NAVER_CLIENT_ID", CLIENT_ID)
        monkeypatch.setenv("MAPSI_NAVER_CLIENT_SECRET", CLIENT_SECRET)
        partial = told(run("refresh", "naver", "--no-index"))
        assert "the next run asks the others" in partial
        assert "0 calls are left today" in partial
        assert json.loads(told(run("status", "--json")))["sources"][0]["calls_left"] == 0


@pytest.mark.parametrize(
    ("words", "code", "named"),
    [
        (["refresh", "haru"], 3, "no source 'haru'"),
        (["refresh", "--accept"], 2, "--accept"),
        (["sources", "remove", "haru"], 3, "no source 'haru'"),
        (["sources", "add", "haru", "--format", "xml", "--at", "https://shop.example.com/f"], 2, "merchant, naver-ep"),
        (["sources", "add", "haru", "--format", "csv", "--at", "nowhere.csv"], 2, "nowhere.csv"),
        (["sources", "add", "haru", "--format", "csv", "--at", "https://s.example", "--every", "soon"], 2, "6h"),
    ],
)
def test_what_goes_wrong_is_a_sentence_and_a_code(run: Any, words: list[str], code: int, named: str) -> None:
    assert named in told(run(*words), code)
