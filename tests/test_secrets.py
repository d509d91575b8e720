"""What lies under the home folder is its owner's alone, and the key that signs is long enough."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from mapsi.catalog import open_catalog
from mapsi.cli import main, serve
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


def test_a_demo_before_the_shop_leaves_the_home_folder_its_owners_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(settings: Settings) -> None:
        raise SettingError("far enough", "")

    monkeypatch.setenv("MAPSI_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(serve, "open_sample_shop", stop)
    assert "far enough" in CliRunner().invoke(main, ["demo"]).output
    assert _rights(tmp_path / "home") == "700"


@pytest.mark.parametrize("left", [b"", b"short", bytes(range(128, 140)), bytes(64), b" " * 64, b"k" * 64])
def test_a_key_that_was_cut_short_or_overwritten_is_made_anew(tmp_path: Path, left: bytes) -> None:
    (tmp_path / "secret-key").write_bytes(left)
    key = secret_key(Settings(home=tmp_path))
    assert len(key.encode()) >= LEAST_KEY_BYTES
    assert secret_key(Settings(home=tmp_path)) == key


@pytest.mark.parametrize("key", ["x", "a" * 31])
def test_a_key_of_ones_own_has_as_many_bytes_as_its_signature(tmp_path: Path, key: str) -> None:
    with pytest.raises(SettingError, match="fewer than 32 bytes") as told:
        secret_key(Settings(home=tmp_path, secret_key=Secret(key)))
    assert "token_hex" in told.value.hint
    key = "열한 글자로 된 비밀 열쇠"
    assert secret_key(Settings(home=tmp_path, secret_key=Secret(key))) == key


@pytest.mark.parametrize("key", [" " * 40, "a" * 64, "0123" * 16, "changeme" * 8, "키" * 11])
def test_a_key_of_the_same_few_letters_again_and_again_is_refused(tmp_path: Path, key: str) -> None:
    with pytest.raises(SettingError, match="fewer than 8 different letters") as told:
        secret_key(Settings(home=tmp_path, secret_key=Secret(key)))
    assert key not in str(told.value)
