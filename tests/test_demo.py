"""The demo: one command, no network, no credentials, and a sample shop that can be searched."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from mapsi.cli import main
from mapsi.cli.opening import open_stock
from mapsi.cli.serve import SAMPLE_SHOP, open_sample_shop
from mapsi.errors import CatalogError
from mapsi.sample.shop import shipped_feed
from mapsi.settings import Settings
from servers import free_port
from tracing import outside_connections, traced

PATIENCE = 240


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running ``mapsi demo`` with a home of its own that, as its trace shows, connects nowhere."""
    port, trace = free_port(), tmp_path_factory.mktemp("trace") / "connections"
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MAPSI_")}
    environment = {**kept, "MAPSI_HOME": str(tmp_path_factory.mktemp("home"))}
    words = [*traced(trace), sys.executable, "-m", "mapsi", "demo", "--port", str(port)]
    with subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            wait_for(f"http://127.0.0.1:{port}/healthz", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
            out, errors = process.communicate(timeout=30)
    assert process.returncode == 0, errors
    assert out.startswith("Opening the sample shop")
    assert f"127.0.0.1:{port}" in out
    assert "Traceback" not in errors
    assert outside_connections(trace) == []


def wait_for(address: str, process: subprocess.Popen[str]) -> None:
    for _ in range(PATIENCE * 2):
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.5)
    pytest.fail(f"{address} did not answer in {PATIENCE} s")


def fetch(address: str, body: bytes | None = None) -> Any:
    headers = {"Content-Type": "multipart/form-data; boundary=cut"} if body is not None else {}
    with urllib.request.urlopen(urllib.request.Request(address, body, headers), timeout=30) as answer:
        return json.load(answer)


def test_the_sample_shop_is_found_by_words(demo: str) -> None:
    found = fetch(f"{demo}/api/v1/search/words?q={urllib.parse.quote('원피스')}")
    assert found["total"] >= 5
    assert all("원피스" in product["name"] for product in found["products"][:5])
    assert fetch(f"{demo}/healthz")["indexed"] == 250


def test_a_picture_of_a_product_brings_that_product_and_its_kind(demo: str) -> None:
    picture: Path = sorted((shipped_feed().parent / "pictures").glob("m001-*.webp"))[0]
    head = b'--cut\r\nContent-Disposition: form-data; name="photo"; filename="a.webp"\r\n\r\n'
    found = fetch(f"{demo}/api/v1/search/image", head + picture.read_bytes() + b"\r\n--cut--\r\n")
    assert found["axes"]["garment"]["top"][0]["slug"] == "shirt"
    assert found["products"][0]["similarity"] > 0.97
    assert "난방" in found["products"][0]["name"]


def test_its_front_page_shows_the_three_steps(demo: str) -> None:
    with urllib.request.urlopen(f"{demo}/?lang=ko", timeout=30) as answer:
        page = answer.read().decode()
    assert 'type="file"' in page
    assert "사진 고르기" in page


def test_it_says_what_it_is_doing_before_it_does_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def refuse(settings: Settings) -> None:
        raise CatalogError("The disk is full.", "Make room.")

    monkeypatch.setattr("mapsi.cli.serve.open_sample_shop", refuse)
    told = CliRunner().invoke(main, ["demo"], env={"MAPSI_HOME": str(tmp_path)})
    assert told.output.startswith(f"Opening the sample shop in {tmp_path / 'demo'}")


@pytest.fixture
def old_home(tmp_path: Path) -> Path:
    """A demo's home whose catalogue was made before the release: the same name of the schema, a column fewer."""
    home = tmp_path / "demo"
    open_stock(Settings(home=home)).close()
    with closing(sqlite3.connect(home / "catalog.db")) as database, database:
        database.execute("INSERT INTO shops (slug, name, sample) VALUES ('sample', ?, 1)", (SAMPLE_SHOP,))
        database.execute("ALTER TABLE shops DROP COLUMN copies")
    return home


def test_a_sample_shop_from_before_the_release_is_made_anew_beside_the_old_one(
    old_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with open_sample_shop(Settings(home=old_home)).catalog as catalog:
        assert catalog.shop_names() == []
        catalog.migrate()
    (aside,) = old_home.parent.glob("demo-*")
    assert (aside / "catalog.db").exists()
    assert str(aside) in capsys.readouterr().out


def test_a_folder_with_another_shop_is_left_as_it_is(old_home: Path) -> None:
    with closing(sqlite3.connect(old_home / "catalog.db")) as database, database:
        database.execute("UPDATE shops SET name = 'haru'")
    with pytest.raises(CatalogError, match="haru"):
        open_sample_shop(Settings(home=old_home))
    assert [folder.name for folder in old_home.parent.iterdir()] == ["demo"]
