"""Vectors in a Milvus: built beside the index that serves, filtered inside, gone and back while serving."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from flask.testing import FlaskClient
from pymilvus import MilvusClient

from mapsi.errors import ArtifactError, IndexUnavailableError
from mapsi.progress import no_progress
from mapsi.search.building import build_index
from mapsi.search.cells import Cells
from mapsi.search.finder import Finder
from mapsi.search.index import Batch
from mapsi.search.milvus import ALIAS, MilvusDatabase, MilvusIndex
from mapsi.search.pair import ServingPair
from servers import Milvus
from small_house import EVERYTHING, House, install, photo_bytes, photo_form, reopen_house

WIDTH = 8


@pytest.fixture
def shop(built_house: Path, tmp_path: Path, milvus: Milvus) -> Iterator[House]:
    """The small house, its index built anew into the Milvus."""
    folder = tmp_path / "house"
    shutil.copytree(built_house, folder)
    with reopen_house(folder) as house:
        finder = house.finder
        database, model = MilvusDatabase(milvus.url), finder.serving().model
        installation = install(finder.catalog, model, folder, database=database)
        build_index(installation, no_progress)
        serving = ServingPair(model, installation.index_root, database=database)
        yield House(
            Finder(finder.catalog, serving, finder.pictures, house.taxonomy, EVERYTHING), house.taxonomy, folder
        )


def test_a_build_switches_to_a_new_collection_and_keeps_the_one_before(shop: House, milvus: Milvus) -> None:
    client = MilvusClient(milvus.url)

    def served() -> Any:
        return client.describe_alias(ALIAS)["collection_name"]

    names = [served()]
    serving = shop.finder.serving()
    installation = install(shop.finder.catalog, serving.model, shop.home, database=MilvusDatabase(milvus.url))
    for _ in range(2):
        build_index(installation, no_progress)
        names.append(served())
        assert {*names[-2:]} <= set(client.list_collections())
    assert len(set(names)) == 3
    assert shop.finder.serving().snapshot != serving.snapshot


def test_photos_find_in_milvus_what_they_find_in_files(shop: House, house: House) -> None:
    """The same page, product by product, with a filter as without."""

    def found(one: House, **filters: str) -> list[str]:
        client = one.app().test_client()
        answer = client.post("/api/v1/search/image", query_string=filters, **photo_form(photo_bytes()))
        assert answer.status_code == 200, answer.text
        return [product["id"] for product in answer.get_json()["products"]]

    assert found(shop) == found(house)
    assert found(shop, shop="nuri", max_price="50000") == found(house, shop="nuri", max_price="50000")


def test_milvus_may_go_and_come_back_while_pages_are_served(shop: House, milvus: Milvus) -> None:
    client = shop.app().test_client()

    def by_photo() -> Any:
        return client.post("/api/v1/search/image", **photo_form(photo_bytes()))

    before = by_photo().get_json()
    milvus.kill()
    for _ in range(2):
        answer = by_photo()
        assert answer.status_code == 503
        assert answer.get_json()["error"] == {
            "code": "index_unavailable",
            "message": "Searching by photo is not possible just now.",
            "hint": "Search with words, or try again in a moment.",
        }
    assert "지금은 사진으로 찾을 수 없어요." in page_of_a_photo(client)
    assert client.get("/search?q=니트").status_code == 200
    assert client.get("/").status_code == 200
    assert client.get("/healthz").get_json()["index"] == "unreachable"
    milvus.start()
    rested(shop.finder)
    assert client.get("/healthz").get_json()["index"] == "ok"
    assert by_photo().get_json()["products"] == before["products"]


def page_of_a_photo(client: FlaskClient) -> str:
    token = client.get("/").text.split('name="csrf_token"')[1].split('value="')[1].split('"')[0]
    answer = client.post("/search/photo", **photo_form(photo_bytes(), csrf_token=token))
    page = client.get(answer.headers["Location"]) if answer.status_code == 303 else answer
    assert page.status_code == 503
    return page.text


def rested(finder: Finder) -> None:
    """As if the second had passed in which Milvus is not asked again."""
    snapshot = finder.serving().snapshot
    assert snapshot is not None
    assert isinstance(snapshot.index, MilvusIndex)
    snapshot.index._database._resting_until = 0.0


def test_one_thread_finds_out_for_all_that_a_milvus_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """It takes connections and says nothing, as a machine that hangs: words need the other threads."""
    monkeypatch.setattr("mapsi.milvus.SECONDS", 0.3)
    tried: list[dict[str, Any]] = []

    def connecting(**address: Any) -> MilvusClient:
        tried.append(address)
        return MilvusClient(**address)

    monkeypatch.setattr("mapsi.milvus.MilvusClient", connecting)
    with socket.socket() as silent, ThreadPoolExecutor(8) as threads:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        database = MilvusDatabase(f"http://127.0.0.1:{silent.getsockname()[1]}")
        together = Barrier(8)

        def ask() -> object:
            together.wait()
            return database.ask(lambda client: client.list_collections())

        answers = [threads.submit(ask) for _ in range(8)]
        assert all(isinstance(answer.exception(), IndexUnavailableError) for answer in answers)
    assert len(tried) == 1


def test_a_server_starts_without_its_milvus(shop: House, milvus: Milvus) -> None:
    milvus.kill()
    serving = ServingPair(shop.finder.serving().model, shop.home / "index", database=MilvusDatabase(milvus.url))
    snapshot = serving.now().snapshot
    assert snapshot is not None
    with pytest.raises(IndexUnavailableError):
        snapshot.index.nearest(np.ones(snapshot.index.vector.__self__._width, np.float32), 1)  # type: ignore[attr-defined]


def test_vectors_in_a_database_that_is_not_set_are_reported(shop: House) -> None:
    serving = ServingPair(shop.finder.serving().model, shop.home / "index")
    with pytest.raises(ArtifactError, match="MAPSI_INDEX_URL"):
        serving.now()


def test_an_index_that_somebody_dropped_asks_to_be_built(milvus_url: str) -> None:
    index = MilvusDatabase(milvus_url).open("00000009-00000000", WIDTH, cells_of(np.zeros(3)))
    with pytest.raises(ArtifactError, match="index build"):
        index.nearest(np.ones(WIDTH, np.float32), 1)


def cells_of(kind: npt.ArrayLike) -> Cells:
    """Cells of rows that differ by their kind alone."""
    codes = np.asarray(kind, np.int16)
    return Cells.of(codes, 0 * codes, 0 * codes)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The conditions that Milvus is asked with."""
    seen: list[str] = []
    plain = MilvusIndex._search

    def noting(self: MilvusIndex, vector: Any, limit: int, condition: str = "") -> Any:
        seen.append(condition)
        return plain(self, vector, limit, condition)

    monkeypatch.setattr(MilvusIndex, "_search", noting)
    return seen


def test_a_filter_is_asked_by_cells_or_by_rows_and_finds_what_a_scan_finds(
    milvus_url: str, asked: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With rows named one by one up to 50: whole cells, a part of each cell, few rows, and far too many to name that
    are far from the question."""
    monkeypatch.setattr("mapsi.search.milvus.LISTED", 50)
    monkeypatch.setattr("mapsi.search.milvus.MOST", 300)
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(1000, WIDTH)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    kind, question = np.arange(1000) % 10, vectors[0]
    cells = cells_of(kind)
    numbers = cells.numbers[cells.of_row]
    database = MilvusDatabase(milvus_url)
    database.write(
        "00000001-cafe0000", WIDTH, [Batch(vectors[at : at + 400], numbers[at : at + 400]) for at in (0, 400, 800)]
    )
    index = database.open("00000001-cafe0000", WIDTH, cells)
    cosines = vectors @ question
    for allowed, conditions in (
        (np.isin(kind, (2, 7)), [f"cell in {cells.numbers[[2, 7]].tolist()}"]),
        (rng.random(1000) < 0.5, [""]),
        (np.arange(1000) % 40 == 0, [f"row in {list(range(0, 1000, 40))}"]),
        (cosines < np.sort(cosines)[120], None),
    ):
        asked.clear()
        rows, found = index.nearest(question, 20, allowed)
        expected = np.flatnonzero(allowed)[np.argsort(-cosines[allowed], kind="stable")[:20]]
        assert rows.tolist() == expected.tolist()
        assert found == pytest.approx(cosines[expected], abs=1e-5)
        assert conditions is None or asked == conditions
    assert [condition[:6] for condition in asked[-3:]] == ["row in"] * 3


def test_rows_named_one_by_one_are_found_though_the_graph_met_few_of_them(
    milvus_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(6)
    vectors = rng.normal(size=(100, WIDTH)).astype(np.float32)
    cells = cells_of(np.zeros(100))
    database, name = MilvusDatabase(milvus_url), "00000002-cafe0000"
    database.write(name, WIDTH, [Batch(vectors, cells.numbers[cells.of_row])])
    index = database.open(name, WIDTH, cells)
    whole = MilvusIndex._search

    def short(self: MilvusIndex, vector: Any, limit: int, condition: str = "") -> Any:
        rows, cosines = whole(self, vector, limit, condition)
        return rows[:2], cosines[:2]

    monkeypatch.setattr(MilvusIndex, "_search", short)
    allowed = np.arange(100) % 3 == 0
    rows, found = index.nearest(vectors[0], 10, allowed)
    products = vectors @ vectors[0]
    assert rows.tolist() == np.flatnonzero(allowed)[np.argsort(-products[allowed], kind="stable")[:10]].tolist()
    assert found == pytest.approx(products[rows], abs=1e-5)
