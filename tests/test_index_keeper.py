"""The index of words against the database: after any change, in any process, answers are those of a fresh one."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import update

from mapsi.artifacts import discard_folder, locked_file
from mapsi.catalog import Catalog, open_catalog
from mapsi.catalog.listings import index_keeper
from mapsi.catalog.listings.engines.word_index import WordIndex
from mapsi.catalog.offer import Offer
from mapsi.catalog.query import Query
from mapsi.catalog.store import changes
from mapsi.catalog.store.tables import State
from mapsi.catalog.text.thesaurus import Thesaurus
from mapsi.errors import CatalogError, NotBuiltYetError
from offers import TAXONOMY, offer, take_in, take_in_all

QUERIES = ("", "니트", "블랙 셔츠", "shirt", "검정")


def answers(catalog: Catalog) -> list[object]:
    found: list[object] = []
    for text in QUERIES:
        if text:
            page = catalog.listings.search(Query(words=text, size=1000, exact=True))
        else:
            page = catalog.listings.search(Query(sort="price-up", size=1000))
        found += [page, catalog.listings.facets(Query(words=text or None))]
    return [*found, catalog.listings.suggest("니", TAXONOMY)]


def random_feed(chance: random.Random) -> list[Offer]:
    return [
        offer(
            str(number),
            chance.choice(("니트", "니트 블랙", "셔츠 블랙", "Black shirt", "mug")),
            chance.choice((1000, 2000, 3000)),
            group=chance.choice(("", "g1", "g2")),
            availability=chance.choice(("in_stock", "in_stock", "out_of_stock")),
        )
        for number in range(30)
        if chance.random() < 0.8
    ]


def test_catching_up_gives_what_reading_anew_gives(catalog: Catalog) -> None:
    chance, url = random.Random(11), catalog._database.engine.url.render_as_string(hide_password=False)
    for round_ in range(8):
        take_in_all(catalog, [*random_feed(chance), offer("x")], shop=f"shop{round_ % 3}")
        with open_catalog(url) as fresh:
            assert answers(catalog) == answers(fresh)


def test_another_process_sees_an_import_with_its_next_question(catalog: Catalog) -> None:
    url = catalog._database.engine.url.render_as_string(hide_password=False)
    with open_catalog(url) as other:
        assert other.listings.facets().offers == 0
        take_in(catalog, offer("1", "니트"), offer("2", "셔츠"))
        assert other.listings.search(Query(words="니트", size=9)).total == 1
        take_in(catalog, offer("2", "니트"))
        assert [p.name for p in other.listings.search(Query(words="니트", size=9)).products] == ["니트"]
        assert other.listings.facets().offers == 1


def test_many_changes_are_read_anew(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MOST", 5)
    for number in range(4):
        take_in_all(catalog, (offer(str(n), f"니트 {number}") for n in range(4 + number)))
        assert catalog.listings.search(Query(words=f"니트 {number}", size=9)).total == 4 + number


def test_what_is_past_its_time_is_found_and_counted_no_more(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    take_in(catalog, offer("1", "니트 하나"), shop="brief", now=begin, time_to_live=timedelta(hours=1))
    take_in(catalog, offer("1", "니트 둘"), shop="lasting", now=begin)
    monkeypatch.setattr(catalog._database, "now", lambda: begin + timedelta(minutes=30))
    assert catalog.listings.search(Query(words="니트", size=9)).total == 2
    monkeypatch.setattr(catalog._database, "now", lambda: begin + timedelta(hours=2))
    assert [p.name for p in catalog.listings.search(Query(words="니트", size=9)).products] == ["니트 둘"]
    assert catalog.listings.facets(Query(words="니트")).offers == 1


# --- in a folder, shared by processes


@pytest.fixture
def shelf(catalog_url: str, tmp_path: Path) -> Iterator[Catalog]:
    """A catalogue with two offers, whose index lies in ``tmp_path / words``."""
    with open_catalog(catalog_url, words=tmp_path / "words") as opened:
        take_in(opened, offer("1", "니트"), offer("2", "셔츠"))
        assert titles(opened, "니트") == ["니트"]
        yield opened


def titles(catalog: Catalog, text: str) -> list[str]:
    return [p.name for p in catalog.listings.search(Query(words=text, size=9, exact=True)).products]


def serving_folder(root: Path) -> Path:
    (folder,) = [file.parent / file.read_text() for file in root.glob("*/current")]
    return folder


def test_processes_share_one_index_and_see_each_others_changes(
    shelf: Catalog, catalog_url: str, tmp_path: Path
) -> None:
    with open_catalog(catalog_url, words=tmp_path / "words") as other:
        assert titles(other, "니트") == ["니트"]
        for number in range(12):  # so many writings that segments are merged and files go
            take_in(shelf, offer("1", f"니트 {number}"), offer("2", "셔츠"))
            first, second = (shelf, other) if number % 2 else (other, shelf)
            assert titles(first, "니트") == titles(second, "니트") == [f"니트 {number}"]
    assert len(list(serving_folder(tmp_path / "words").parent.glob("*/meta.json"))) == 1


@pytest.mark.parametrize("catalog_url", ["sqlite"], indirect=True)  # nothing of the database is in these files
@pytest.mark.parametrize(
    "harm",
    ["cut off", "deleted", "meta deleted", "meta cut off", "folder deleted", "nonsense", "circle"],
)
@pytest.mark.parametrize("by_another", [True, False], ids=["in a new process", "while serving"])
def test_a_damaged_index_is_built_anew_and_that_is_said(
    shelf: Catalog, catalog_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, harm: str, by_another: bool
) -> None:
    folder = serving_folder(tmp_path / "words")
    damage(folder, harm)
    with open_catalog(catalog_url, words=tmp_path / "words") if by_another else nullcontext(shelf) as asked:
        assert titles(asked, "니트") == ["니트"]
        assert "being rebuilt" in caplog.text
        assert serving_folder(tmp_path / "words") != folder
        take_in(shelf, offer("1", "니트 둘"))
        assert titles(asked, "니트") == titles(shelf, "니트") == ["니트 둘"]


@pytest.mark.parametrize("catalog_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("in_the_way", ["a file", "a circle"])
def test_what_is_in_the_place_of_the_indexes_folders_goes(
    shelf: Catalog, catalog_url: str, tmp_path: Path, level: int, in_the_way: str
) -> None:
    place = serving_folder(tmp_path / "words").parents[level]
    shutil.rmtree(place)
    if in_the_way == "a file":
        place.write_text("x")
    else:
        place.symlink_to(place.name)
    with open_catalog(catalog_url, words=tmp_path / "words") as asked:
        assert titles(asked, "니트") == titles(shelf, "니트") == ["니트"]
        assert not asked.listings.in_memory
    assert serving_folder(tmp_path / "words").is_dir()


def damage(folder: Path, harm: str) -> None:
    """Do to an index what full disks, tidy people and broken copies do."""
    store, meta = max(folder.glob("*.store"), key=lambda file: file.stat().st_size), folder / "meta.json"
    match harm:
        case "cut off":
            for file in folder.glob("*.*"):
                if file != meta:
                    os.truncate(file, file.stat().st_size // 2)
        case "deleted":
            store.unlink()
        case "meta deleted":
            meta.unlink()
        case "meta cut off":
            os.truncate(meta, 20)
        case "circle":
            store.unlink()
            store.symlink_to(store.name)
        case "nonsense":
            meta.write_text('{"segments": 1}')
        case _:
            shutil.rmtree(folder)


def test_an_index_of_other_words_is_built_anew(shelf: Catalog, tmp_path: Path, catalog_url: str) -> None:
    folder = serving_folder(tmp_path / "words")
    with open_catalog(catalog_url, words=tmp_path / "words") as opened:
        opened.listings._thesaurus = opened.listings._keeper._thesaurus = Thesaurus([])
        assert titles(opened, "니트") == ["니트"]
    assert serving_folder(tmp_path / "words") != folder


def test_an_index_is_rebuilt_when_asked_for(shelf: Catalog, tmp_path: Path) -> None:
    folder = serving_folder(tmp_path / "words")
    assert shelf.listings.rebuild() == 2
    assert serving_folder(tmp_path / "words") != folder
    assert titles(shelf, "니트") == ["니트"]


def test_where_a_new_index_cannot_be_written_the_one_before_serves(
    shelf: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    folder = serving_folder(tmp_path / "words")
    with monkeypatch.context() as disk:
        disk.setattr(WordIndex, "write", full)
        take_in(shelf, offer("1", "니트"), offer("3", "니트 새것"))
        assert titles(shelf, "니트") == ["니트"]
        assert "No space left" in caplog.text
        with pytest.raises(CatalogError, match="No space left"):
            shelf.listings.rebuild()
        assert serving_folder(tmp_path / "words") == folder
        assert [each.name for each in folder.parent.iterdir() if each.is_dir()] == [folder.name]
    assert titles(shelf, "니트") == ["니트 새것", "니트"]


def test_a_large_index_is_built_beside_the_one_that_serves(
    shelf: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MOST", 1)
    monkeypatch.setattr(index_keeper, "SMALL", 1)
    take_in(shelf, offer("1", "니트"), offer("3", "니트 새것"), offer("4", "니트 또"))
    assert titles(shelf, "니트") == ["니트"]
    shelf.listings.close()
    assert titles(shelf, "니트") == ["니트 또", "니트 새것", "니트"]


def test_after_a_first_import_of_many_no_question_hangs(
    catalog_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "MOST", 1)
    monkeypatch.setattr(index_keeper, "SMALL", 1)
    with open_catalog(catalog_url, words=tmp_path / "fresh") as catalog:
        assert titles(catalog, "니트") == []
        take_in(catalog, offer("1", "니트"), offer("2", "니트 둘"))
        with pytest.raises(NotBuiltYetError, match="being built"):
            titles(catalog, "니트")
        catalog.listings.close()
        assert titles(catalog, "니트") == ["니트 둘", "니트"]


def test_where_the_disk_takes_no_index_of_many_it_is_built_beside_in_memory_and_that_is_said(
    catalog: Catalog, catalog_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_keeper, "SMALL", 1)
    monkeypatch.setattr(index_keeper, "_PAUSE", 0)
    take_in(catalog, offer("1", "니트"), offer("2", "니트 둘"))
    with open_catalog(catalog_url, words=Path("/proc/takes-none")) as opened:
        with pytest.raises(NotBuiltYetError, match="being built"):
            titles(opened, "니트")
        opened.listings.close()
        assert titles(opened, "니트") == ["니트 둘", "니트"]
        assert opened.listings.in_memory
        take_in(catalog, offer("1", "니트"), offer("2", "니트 둘"), offer("3", "니트 셋"))
        assert titles(opened, "니트") == ["니트 둘", "니트"]  # the one before, while the next is built
        opened.listings.close()
        assert titles(opened, "니트") == ["니트 셋", "니트 둘", "니트"]
    assert not catalog.listings.in_memory


def test_where_there_is_no_index_of_many_yet_questions_are_told_at_once(
    catalog: Catalog, catalog_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_keeper, "SMALL", 1)
    take_in(catalog, offer("1", "니트"), offer("2", "니트 둘"))
    with open_catalog(catalog_url, words=tmp_path / "none") as opened:
        with pytest.raises(NotBuiltYetError, match="being built"):
            titles(opened, "니트")
        opened.listings.close()
        assert titles(opened, "니트") == ["니트 둘", "니트"]


def test_while_one_thread_brings_the_index_up_to_date_the_others_are_answered_from_the_one_before(
    shelf: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, done, write = Event(), Event(), WordIndex.write

    def slowly(*args: Any, **more: Any) -> None:
        writing.set()
        assert done.wait(60)
        write(*args, **more)

    monkeypatch.setattr(index_keeper, "MOMENT", 0.01)
    monkeypatch.setattr(WordIndex, "write", slowly)
    take_in(shelf, offer("1", "니트"), offer("3", "니트 새것"))
    with ThreadPoolExecutor(1) as one:
        first = one.submit(titles, shelf, "니트")
        assert writing.wait(60)
        assert [titles(shelf, "니트") for _ in range(3)] == [["니트"]] * 3
        done.set()
        assert first.result(60) == ["니트 새것", "니트"]
    assert titles(shelf, "니트") == ["니트 새것", "니트"]


def test_while_another_process_writes_the_index_questions_are_answered_from_the_one_before(
    shelf: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index_keeper, "MOMENT", 0.01)
    take_in(shelf, offer("1", "니트"), offer("3", "니트 새것"))
    with locked_file(serving_folder(tmp_path / "words").parent / index_keeper.LOCK, seconds=0):
        assert titles(shelf, "니트") == ["니트"]
    assert titles(shelf, "니트") == ["니트 새것", "니트"]


def folder_for_a_file(file: Path) -> None:
    file.unlink()
    file.mkdir()
    (file / "in it").write_text("")


def file_for_a_folder(folder: Path) -> None:
    discard_folder(folder)
    folder.write_text("")


HARMS: dict[str, Callable[[Path], object]] = {
    "a folder for the name": lambda folder: folder_for_a_file(folder / "current"),
    "a folder for the lock": lambda folder: folder_for_a_file(folder / "lock"),
    "noise for the name": lambda folder: (folder / "current").write_bytes(bytes(range(256))),
    "a name with NUL": lambda folder: (folder / "current").write_bytes((folder / "current").read_bytes() + b"\0"),
    "a name that leads elsewhere": lambda folder: (folder / "current").write_text("../../elsewhere"),
    "a file for the index": lambda folder: file_for_a_folder(folder / (folder / "current").read_text()),
    "a file for its folder": file_for_a_folder,
    "a file for all folders": lambda folder: file_for_a_folder(folder.parent),
}


@pytest.mark.parametrize("catalog_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("running", [False, True], ids=["at the start", "while it runs"])
@pytest.mark.parametrize("harm", HARMS)
def test_whatever_stands_where_the_index_is_to_lie_it_is_rebuilt(
    catalog_url: str, shelf: Catalog, tmp_path: Path, harm: str, running: bool
) -> None:
    with open_catalog(catalog_url, words=tmp_path / "words") as opened:
        if running:
            assert titles(opened, "니트") == ["니트"]
        HARMS[harm](serving_folder(tmp_path / "words").parent)
        assert [titles(opened, "니트") for _ in range(2)] == [["니트"]] * 2


def test_a_catalogue_restored_from_a_copy_is_indexed_anew(shelf: Catalog) -> None:
    take_in(shelf, offer("1", "니트 하나"))
    assert titles(shelf, "니트") == ["니트 하나"]
    with shelf._database.write() as connection:
        connection.execute(update(State).values(generation=0))
    assert titles(shelf, "니트") == ["니트 하나"]
