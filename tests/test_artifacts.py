"""Written formats are whole or not there."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

import pytest

from mapsi.artifacts import (
    atomic_file,
    atomic_folder,
    clear_place,
    discard_folder,
    file_digest,
    locked_file,
    read_json,
    read_short,
    write_json,
)
from mapsi.errors import ArtifactError


def test_a_file_takes_its_place_only_when_the_block_ends_well(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "x.txt"
    with atomic_file(target) as beside:
        beside.write_text("one")
        assert not target.exists()
    assert target.read_text() == "one"
    with pytest.raises(ZeroDivisionError), atomic_file(target) as beside:
        _fail_after(beside.write_text("half"))
    assert target.read_text() == "one"
    assert [p.name for p in target.parent.iterdir()] == ["x.txt"]


def test_a_way_out_of_the_process_is_written_to_and_stays(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with out.open("wb") as opened:
        opened.write(b"before ")
        opened.flush()
        write_json(Path(f"/dev/fd/{opened.fileno()}"), 1)
        write_json(Path("/dev/null"), 1)
    assert out.read_text() == "before 1\n"
    assert Path("/dev/null").is_char_device()
    with pytest.raises(OSError, match="No space"):
        write_json(Path("/dev/full"), 1)


def test_a_folder_takes_its_place_only_when_the_block_ends_well(tmp_path: Path) -> None:
    target = tmp_path / "model"
    for text in ("one", "two"):
        with atomic_folder(target) as folder:
            (folder / "x").write_text(text)
        assert (target / "x").read_text() == text
    with pytest.raises(ZeroDivisionError), atomic_folder(target) as folder:
        _fail_after((folder / "x").write_text("half"))
    assert (target / "x").read_text() == "two"
    assert [p.name for p in tmp_path.iterdir()] == ["model"]


def test_a_folder_is_discarded_whole_though_another_thread_creates_files_in_it(tmp_path: Path) -> None:
    folder, done = tmp_path / "index", Event()

    def create() -> None:
        while not done.is_set():
            with suppress(FileNotFoundError):
                (folder / "lock").touch()

    with ThreadPoolExecutor(1) as thread:
        thread.submit(create)
        for _ in range(50):
            folder.mkdir()
            (folder / "meta.json").touch()
            discard_folder(folder)
            assert list(tmp_path.iterdir()) == []
        done.set()


def test_discarding_a_folder_that_is_gone_does_nothing(tmp_path: Path) -> None:
    discard_folder(tmp_path / "none")
    assert list(tmp_path.iterdir()) == []


def test_a_secret_file_is_never_readable_by_others(tmp_path: Path) -> None:
    with atomic_file(tmp_path / "key", mode=0o600) as beside:
        assert beside.stat().st_mode & 0o077 == 0
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_a_lock_is_given_up_after_its_time_and_free_after_its_holder(tmp_path: Path) -> None:
    with locked_file(tmp_path / "lock", seconds=0) as mine:
        assert mine
        with locked_file(tmp_path / "lock", seconds=0.1) as second:
            assert not second
    with locked_file(tmp_path / "lock", seconds=0) as again:
        assert again


def test_json_comes_back_and_damage_is_a_sentence(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    write_json(file, {"이름": [1, 2]})
    assert read_json(file, "The thing") == {"이름": [1, 2]}
    file.write_text("{")
    with pytest.raises(ArtifactError, match="The thing is damaged"):
        read_json(file, "The thing")
    with pytest.raises(ArtifactError, match="cannot be read"):
        read_json(tmp_path / "none.json", "The thing")


def test_json_that_nests_too_deep_or_is_far_too_large_is_damage(tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_text("[" * 200_000)
    with pytest.raises(ArtifactError, match="damaged"):
        read_json(file, "The thing")
    os.truncate(file, 1 << 40)  # zeros that take no room, as file systems show them after a fall
    with pytest.raises(ArtifactError, match="damaged"):
        read_json(file, "The thing")
    with pytest.raises(ValueError, match="larger than"):
        read_short(file)


@pytest.mark.parametrize("in_the_way", ["a file", "a folder", "a circle", "a circle of two", "a link to a folder"])
@pytest.mark.parametrize("where", ["", "in", "in/it"])
def test_a_derived_files_place_is_cleared_of_what_is_in_the_way(tmp_path: Path, where: str, in_the_way: str) -> None:
    target = tmp_path / "root" / "in" / "it"
    place = tmp_path / "root" / where
    place.parent.mkdir(parents=True, exist_ok=True)
    other = tmp_path / "other"
    other.mkdir()
    (other / "kept").write_text("")
    match in_the_way:
        case "a file":
            place.write_text("x")
        case "a folder":
            place.mkdir()
        case "a circle":
            place.symlink_to(place.name)
        case "a circle of two":
            place.symlink_to(tmp_path / "two")
            (tmp_path / "two").symlink_to(place)
        case "a link to a folder":
            place.symlink_to(other)
    clear_place(target)
    with atomic_file(target) as beside:
        beside.write_text("new")
    assert target.read_text() == "new"
    assert (other / "kept").exists()


def test_a_link_to_a_disk_that_is_not_there_stays(tmp_path: Path) -> None:
    (tmp_path / "index").symlink_to("/nowhere/index")
    with pytest.raises(ArtifactError, match="leads nowhere"):
        clear_place(tmp_path / "index" / "lock")
    assert (tmp_path / "index").is_symlink()


def test_a_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"abc")
    assert file_digest(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def _fail_after(written: int) -> float:
    return written / 0
