"""Written formats are whole or not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from mapsi.artifacts import atomic_file, atomic_folder, file_digest, read_json, write_json
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
