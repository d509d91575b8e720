"""What lies under the home folder is its owner's alone, and the key that signs is long enough."""

from __future__ import annotations

from pathlib import Path

import pytest

from mapsi.catalog import open_catalog
from mapsi.cli.opening import make_home
from mapsi.cli.serve import LEAST_KEY_BYTES, secret_key
from mapsi.errors import SettingError
from mapsi.settings import Secret, Settings


def _rights(path: Path) -> str:
    return f"{path.stat().st_mode & 0o777:o}"


def test_the_home_folder_and_the_catalogue_are_their_owners_alone(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "a" / "home")
    make_home(settings)
    assert _rights(settings.home) == "700"
    with open_catalog(settings.home / "catalog.db") as catalog:
        catalog.migrate()
        assert {file.name: _rights(file) for file in settings.home.glob("catalog.db*")} == dict.fromkeys(
            ("catalog.db", "catalog.db-wal", "catalog.db-shm"), "600"
        )


def test_a_home_folder_that_is_there_keeps_the_rights_it_was_given(tmp_path: Path) -> None:
    tmp_path.chmod(0o750)
    make_home(Settings(home=tmp_path))
    assert _rights(tmp_path) == "750"


def test_a_key_is_made_once_and_kept(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    key = secret_key(settings)
    assert len(key.encode()) >= LEAST_KEY_BYTES
    assert secret_key(settings) == key
    assert _rights(tmp_path / "secret-key") == "600"


@pytest.mark.parametrize("left", [b"", b"short", bytes(range(128, 140))])
def test_a_key_that_was_cut_short_is_made_anew(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "secret-key").write_bytes(left)
    key = secret_key(Settings(home=tmp_path))
    assert len(key.encode()) >= LEAST_KEY_BYTES
    assert secret_key(Settings(home=tmp_path)) == key


@pytest.mark.parametrize("key", ["x", "a" * 31])
def test_a_key_of_ones_own_has_as_many_bytes_as_its_signature(tmp_path: Path, key: str) -> None:
    with pytest.raises(SettingError, match="fewer than 32 bytes") as told:
        secret_key(Settings(home=tmp_path, secret_key=Secret(key)))
    assert "token_hex" in told.value.hint
    assert secret_key(Settings(home=tmp_path, secret_key=Secret("키" * 11))) == "키" * 11
