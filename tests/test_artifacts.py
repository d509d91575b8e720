"""Written formats are whole or not there."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

import pytest

from mapsi.artifacts import (
    atomic_file,
    atomic_folder,
    discard_folder,
    file_digest,
    locked_file,
    read_json,
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


def test_a_digest_is_that_of_the_bytes(tmp_path: Path) -> None:
    file = tmp_path / "x"
    file.write_bytes(b"abc")
    assert file_digest(file) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def _fail_after(written: int) -> float:
    return written / 0
