"""Opening a database: what can go wrong is a sentence, and none holds a password."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from mapsi.catalog import open_catalog
from mapsi.catalog.store.database import Database, open_database
from mapsi.errors import CatalogError
from servers import MariaDB, free_port


def refusal(url: str) -> CatalogError:
    with pytest.raises(CatalogError) as caught:
        open_catalog(url).migrate()
    assert caught.value.hint
    assert "sesame" not in str(caught.value)
    assert "s3cret" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("scheme", ["mysql", "mariadb", "mysql+pymysql", "mariadb+pymysql"])
def test_every_spelling_of_the_address_works(mariadb: MariaDB, new_database: Callable[[str], str], scheme: str) -> None:
    url = new_database("mariadb").replace("mariadb://", f"{scheme}://", 1)
    with open_catalog(url) as catalog:
        catalog.migrate()
        catalog.check_schema()


def test_a_wrong_password_is_told(mariadb: MariaDB) -> None:
    assert "password" in refusal(f"mariadb://mapsi:s3cret@127.0.0.1:{mariadb.port}/test").message


def test_a_missing_database_is_told(mariadb: MariaDB) -> None:
    assert "no such database" in refusal(mariadb.url("nowhere")).message


def test_a_server_that_is_not_there_is_told() -> None:
    assert "does not answer" in refusal(f"mariadb://mapsi:s3cret@127.0.0.1:{free_port()}/test").message


@pytest.mark.parametrize(
    "url",
    [
        "",
        "nonsense",
        "postgresql://a:s3cret@127.0.0.1/x",
        "mysql+mysqldb://a:s3cret@127.0.0.1/x",
        "sqlite://",
        "sqlite:///:memory:",
    ],
)
def test_addresses_it_cannot_use_are_told(url: str) -> None:
    refusal(url)


def test_a_missing_driver_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pymysql", None)
    assert "mapsi[mysql]" in refusal("mariadb://a:s3cret@127.0.0.1/x").hint


def test_a_file_that_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite3").write_bytes(b"this is no database at all, but long enough to look at" * 50)
    assert "no SQLite database" in refusal(f"sqlite:///{tmp_path / 'x.sqlite3'}").message


def test_a_folder_in_place_of_the_file_is_told(tmp_path: Path) -> None:
    assert "cannot be opened" in refusal(f"sqlite:///{tmp_path}").message


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert "cannot be made" in refusal(f"sqlite:///{tmp_path / 'file' / 'x.sqlite3'}").message


def test_the_folder_of_a_new_file_is_made(tmp_path: Path) -> None:
    with open_catalog(f"sqlite:///{tmp_path / 'a' / 'b' / 'x.sqlite3'}") as catalog:
        catalog.migrate()


def test_sqlite_is_set_up_for_many_readers_and_true_keys(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path / 'x.sqlite3'}")
    with database.read() as connection:
        found = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous")
        }
    assert found == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 1}


@pytest.fixture(params=["sqlite", "mariadb"])
def database(request: pytest.FixtureRequest, new_database: Callable[[str], str]) -> Database:
    opened = open_database(new_database(request.param))
    with opened.write() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER)"))
    return opened


def test_what_fails_in_the_middle_is_taken_back(database: Database) -> None:
    def fail_after_writing() -> None:
        with database.write() as connection:
            connection.execute(text("INSERT INTO t VALUES (1)"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_writing()
    with database.read() as connection:
        assert connection.scalar(text("SELECT COUNT(*) FROM t")) == 0


def test_a_reader_sees_one_moment(database: Database) -> None:
    with database.read() as reader:
        assert reader.scalar(text("SELECT COUNT(*) FROM t")) == 0
        with database.write() as writer:
            writer.execute(text("INSERT INTO t VALUES (1)"))
        assert reader.scalar(text("SELECT COUNT(*) FROM t")) == 0
    with database.read() as reader:
        assert reader.scalar(text("SELECT COUNT(*) FROM t")) == 1
