"""Damage to derived files: noticed, told, mended by a build; the server goes on with what it has."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from mapsi.catalog.query import Query
from mapsi.errors import ArtifactError
from mapsi.progress import no_progress
from mapsi.search.building import build_index, building
from mapsi.search.finder import Finder
from mapsi.search.pair import ServingPair
from mapsi.search.snapshot import current_name
from small_house import EVERYTHING, House, install

PHOTO = Image.new("RGB", (64, 64), "#c0392b")


@pytest.fixture
def house(house: House, tmp_path: Path) -> House:
    """The house, but its index is a copy to damage."""
    for kept in ("index", "pictures"):
        shutil.copytree(house.home / kept, tmp_path / kept)
    return House(_finder(house, tmp_path / "index"), house.taxonomy, tmp_path)


def _finder(house: House, index: Path) -> Finder:
    return Finder(
        house.catalog,
        ServingPair(house.finder.serving().model, index),
        house.finder.pictures,
        house.taxonomy,
        EVERYTHING,
    )


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def empty(file: Path) -> None:
    file.write_bytes(b"")


def flip(file: Path) -> None:
    """One bit in the middle, which for vectors and columns changes no more than a number."""
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)


def other_json(file: Path) -> None:
    file.write_text(json.dumps([1, {"format": 2}]))


def json_without_entries(file: Path) -> None:
    file.write_text(json.dumps({"format": 2}))


def noise(file: Path) -> None:
    file.write_bytes(bytes(range(256)) * 8)


def folder(file: Path) -> None:
    file.unlink()
    file.mkdir()
    (file / "in it").write_text("")


def gone(file: Path) -> None:
    file.unlink()


def circle(file: Path) -> None:
    file.unlink()
    file.symlink_to(file.name)


def nested(file: Path) -> None:
    file.write_text("[" * 200_000)


DAMAGES = (cut, empty, flip, other_json, json_without_entries, noise, folder, gone, circle, nested)
FILES = ("current", "vectors.faiss", "columns.npz", "index.json")
Damage = Callable[[Path], None]


def _harm(home: Path, name: str, damage: Damage) -> None:
    index = home / "index"
    damage(index / name if name == "current" else index / str(current_name(index)) / name)


def _build(house: House) -> None:
    model = house.finder._pair.look()[0].model
    build_index(install(house.catalog, model, house.home), no_progress)


def _found(finder: Finder) -> int:
    return finder.by_photo(finder.read(PHOTO), Query(size=20)).total


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", FILES)
def test_a_server_that_starts_on_damage_says_so_finds_words_and_is_mended_by_a_build(
    house: House, name: str, damage: Damage
) -> None:
    _harm(house.home, name, damage)
    client = house.app().test_client()
    assert client.get("/api/v1/search/words?q=coat").json["total"] > 0
    health = client.get("/healthz")
    none = name == "current" and damage in (empty, gone)
    assert (health.status_code, health.json["status"]) == (200, "incomplete")
    assert health.json["index"] == ("missing" if none else "damaged")
    with pytest.raises(ArtifactError, match=r"index build|not indexed") as told:
        _found(house.finder)
    assert told.value.hint == "Run `mapsi index build`."
    _build(house)
    assert client.get("/healthz").json["index"] == "ok"
    assert _found(house.finder) == 90


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize("name", FILES)
def test_a_server_that_runs_goes_on_with_the_index_it_has(house: House, name: str, damage: Damage) -> None:
    assert _found(house.finder) == 90
    before = current_name(house.home / "index")
    _build(house)
    _harm(house.home, name, damage)
    assert _found(house.finder) == 90
    assert house.finder.serving().snapshot.name == before  # type: ignore[union-attr]
    assert house.finder.status()["index"] == ("ok" if name == "current" and damage in (empty, gone) else "damaged")
    _build(house)
    assert _found(house.finder) == 90
    assert house.finder.status()["index"] == "ok"


@pytest.mark.parametrize("name", ["index", "index/lock", "index/build.lock", "models"])
@pytest.mark.parametrize("damage", [folder, circle, "a file"])
def test_what_is_in_the_place_of_a_folder_or_a_lock_is_cleared_by_a_build(
    house: House, name: str, damage: Damage | str
) -> None:
    place = house.home / name
    place.parent.mkdir(exist_ok=True)
    if place.is_dir():
        shutil.rmtree(place)
    place.write_text("")
    if callable(damage):
        damage(place)
    with building(house.home / "index"):
        _build(house)
    assert _found(house.finder) == 90
    assert (house.home / "models" / house.finder.serving().model.fingerprint).is_dir()


def test_a_name_that_leads_elsewhere_is_damage(house: House) -> None:
    (house.home / "index" / "current").write_text("../../elsewhere")
    with pytest.raises(ArtifactError, match="damaged"):
        current_name(house.home / "index")
