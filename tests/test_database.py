"""Opening a database: what can go wrong is a sentence, and none holds a password."""

from __future__ import annotations

import socket
import struct
import threading
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from freezing import way_to
from mapsi.catalog import open_catalog
from mapsi.catalog.store.address import read_address
from mapsi.catalog.store.database import IDLE, IDLE_LOCK, IDLE_RUN, Database, DatabaseTimeouts, open_database
from mapsi.cli.opening import database_address
from mapsi.errors import CatalogError
from mapsi.settings import read_settings
from served import eventually
from servers import MariaDB, free_port


def refusal(url: str) -> CatalogError:
    with pytest.raises(CatalogError) as caught:
        open_catalog(url).migrate()
    assert caught.value.hint
    assert "sesame" not in str(caught.value)
    assert "s3cret" not in str(caught.value)
    return caught.value


@pytest.mark.parametrize("scheme", ["mysql", "MariaDB", "mysql+pymysql", "MARIADB+PyMySQL"])
def test_every_spelling_of_the_address_works(migrated_mariadb: str, scheme: str) -> None:
    with open_catalog(migrated_mariadb.replace("mariadb://", f"{scheme}://", 1)) as catalog:
        catalog.migrate()
        catalog.check_schema()


def test_a_wrong_password_is_reported(mariadb: MariaDB) -> None:
    assert "password" in refusal(f"mariadb://mapsi:s3cret@127.0.0.1:{mariadb.port}/test").message


def test_a_missing_database_is_reported(mariadb: MariaDB) -> None:
    assert "no such database" in refusal(mariadb.url("nowhere")).message


def test_a_server_that_is_not_there_is_reported() -> None:
    assert "does not answer" in refusal(f"mariadb://mapsi:s3cret@127.0.0.1:{free_port()}/test").message


@pytest.mark.parametrize(
    "password", ["p@ss", "a/b", "a#b?c=d", "a:b@c/d", "100%25", "한글 비밀", "'\"\\;", "@@@", "p@127.0.0.1/x"]
)
def test_a_password_may_have_any_letter(mariadb: MariaDB, migrated_mariadb: str, password: str) -> None:
    meant = password.replace("%25", "%").replace("\\", "\\\\").replace("'", "''")
    mariadb.execute(f"CREATE OR REPLACE USER 'odd'@'127.0.0.1' IDENTIFIED BY '{meant}'")
    mariadb.execute("GRANT ALL ON *.* TO 'odd'@'127.0.0.1'")
    with open_catalog(migrated_mariadb.replace("mapsi:sesame", f"odd:{password}")) as catalog:
        catalog.check_schema()


def test_an_address_without_a_database_is_reported(mariadb: MariaDB) -> None:
    assert "names no database" in refusal(mariadb.url("")).message


def test_an_unknown_option_is_reported(mariadb: MariaDB) -> None:
    told = refusal(mariadb.url("test") + "?sslmode=require")
    assert "sslmode" in told.message
    assert "ssl_mode" in told.hint


def test_an_option_that_is_there_twice_is_reported(mariadb: MariaDB) -> None:
    assert "ssl_mode twice" in refusal(mariadb.url("test") + "?ssl_mode=required&ssl_mode=disabled").message


@pytest.mark.parametrize("charset", ["utf8", "UTF8MB4", "utf8mb3"])
def test_an_address_may_name_the_charset_that_is_used_anyway(migrated_mariadb: str, charset: str) -> None:
    open_catalog(f"{migrated_mariadb}&charset={charset}").close()


@pytest.mark.parametrize("charset", ["latin1", "euckr", "nonsense"])
def test_another_charset_is_refused(mariadb: MariaDB, charset: str) -> None:
    assert "utf8mb4" in refusal(f"{mariadb.url('test')}?charset={charset}").message


@pytest.mark.parametrize("mode", ["disabled", "preferred", "PREFERRED"])
def test_a_database_without_tls_is_used_where_that_may_be(migrated_mariadb: str, mode: str) -> None:
    with open_catalog(migrated_mariadb.replace("disabled", mode)) as catalog:
        catalog.check_schema()


@pytest.mark.parametrize("mode", ["required", "verify-ca", "VERIFY_IDENTITY"])
def test_a_database_without_tls_is_refused_where_it_has_to_be(mariadb: MariaDB, mode: str) -> None:
    assert "TLS" in refusal(f"{mariadb.url('test')}?ssl_mode={mode}").message


@pytest.mark.parametrize("option", ["ssl_mode=perhaps", "ssl_ca=/nowhere.pem", "ssl_cert=/nowhere.pem"])
def test_tls_that_cannot_be_set_up_is_reported(mariadb: MariaDB, option: str) -> None:
    told = refusal(f"{mariadb.url('test')}?{option}")
    assert "TLS" in told.message or "certificate" in told.message


@contextmanager
def mysql_with_a_damaged_key() -> Iterator[int]:
    """A server that greets as MySQL 8.4 does and sends a key of RSA that is none, for a password without TLS."""

    def packet(number: int, body: bytes) -> bytes:
        return struct.pack("<I", len(body))[:3] + bytes([number]) + body

    abilities = 0x1 | 0x2 | 0x8 | 0x200 | 0x2000 | 0x8000 | 0x80000 | 0x200000
    greeting = b"\x0a8.4.3\0" + struct.pack("<I", 7) + b"12345678\0" + struct.pack("<H", abilities & 0xFFFF) + b"\xff"
    greeting += (
        struct.pack("<HH", 2, abilities >> 16) + bytes([21]) + b"\0" * 10 + b"901234567890\0caching_sha2_password\0"
    )
    key = b"-----BEGIN PUBLIC KEY-----\nMFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBAK7\n-----END PUBLIC KEY-----\n"

    def greet(listening: socket.socket) -> None:
        opened, _ = listening.accept()
        with opened:
            for number, body in ((0, greeting), (2, b"\x01\x04"), (4, b"\x01" + key)):
                opened.sendall(packet(number, body))
                opened.recv(65536)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=greet, args=(listening,))
        thread.start()
        yield int(listening.getsockname()[1])
        thread.join()


def test_whatever_a_driver_raises_at_the_door_is_a_sentence_with_its_words() -> None:
    with mysql_with_a_damaged_key() as port:
        told = refusal(f"mysql://mapsi:s3cret@127.0.0.1:{port}/test")
    assert "cannot be used" in told.message
    assert "It says: " in told.hint


def test_a_password_without_tls_needs_no_other_package() -> None:
    """PyMySQL encrypts it by a library of its own extra, which ours asks for."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
    assert any("pymysql[rsa]" in wish for wish in project["optional-dependencies"]["mysql"])


@pytest.mark.parametrize("host", ["no.such.host.invalid", "127.0.0.1:99999", "[::1", "a..b", "x" * 300])
def test_a_host_that_cannot_be_reached_is_a_sentence(host: str) -> None:
    refusal(f"mariadb://mapsi:s3cret@{host}/test")


@given(st.text(max_size=60))
def test_any_address_is_used_or_refused_in_a_sentence(written: str) -> None:
    with suppress(CatalogError):
        assert read_address(f"mariadb://{written}").url.database


def test_a_frozen_server_holds_one_at_a_time_and_comes_back(
    mariadb: MariaDB, new_database: Callable[[str], str]
) -> None:
    name = new_database("mariadb").rpartition("/")[2]
    with way_to(mariadb.port) as way:
        url = mariadb.url(name).replace(f":{mariadb.port}", f":{way.port}")
        database = open_database(url, timeouts=DatabaseTimeouts(connect=1, answer=1, lock=1))
        way.frozen = True
        with pytest.raises(CatalogError, match="does not answer"), database.read():
            pass
        tried = way.taken
        for _ in range(20):
            with pytest.raises(CatalogError, match="does not answer"), database.read():
                pass
        assert way.taken == tried
        way.frozen = False
        assert eventually(lambda: _answers(database))
        database.close()


def _answers(database: Database) -> bool:
    try:
        with database.read() as connection:
            return connection.scalar(text("SELECT 1")) == 1
    except CatalogError:
        return False


def test_how_long_a_connection_may_lie_idle_is_not_for_the_server_to_say(
    mariadb: MariaDB, new_database: Callable[[str], str]
) -> None:
    mariadb.execute("SET GLOBAL wait_timeout = 4")
    try:
        database = open_database(new_database("mariadb"))
        assert database.guarding is not None
        for engine, idle in ((database.engine, IDLE), (database.patient, IDLE_RUN), (database.guarding, IDLE_LOCK)):
            with engine.connect() as connection:
                assert connection.scalar(text("SELECT @@wait_timeout")) == idle
        database.close()
    finally:
        mariadb.execute("SET GLOBAL wait_timeout = 28800")


@pytest.mark.parametrize("kind", ["sqlite", "mariadb"])
def test_where_visitors_wait_a_lock_is_told_soon(kind: str, new_database: Callable[[str], str]) -> None:
    url = new_database(kind)
    database, other = open_database(url, timeouts=DatabaseTimeouts(connect=1, answer=5, lock=1)), open_database(url)
    with other.write() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER PRIMARY KEY)"))
    with other.write() as connection:
        connection.execute(text("INSERT INTO t VALUES (1)"))
        with pytest.raises(CatalogError, match="busy"), database.write() as second:
            second.execute(text("INSERT INTO t VALUES (1)"))
    for opened in (database, other):
        opened.close()


@pytest.mark.parametrize("name", ["what?mode=memory", "100%", "a#b", "한글 이름", "%2e%2e", "file:x"])
def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    with open_catalog(tmp_path / name / "catalog.db") as catalog:
        catalog.migrate()
    assert (tmp_path / name / "catalog.db").stat().st_size > 0


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
def test_addresses_it_cannot_use_are_reported(url: str) -> None:
    refusal(url)


def test_a_missing_driver_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "pymysql", None)
    assert "mapsi[mysql]" in refusal("mariadb://a:s3cret@127.0.0.1/x").hint


def test_a_file_that_is_no_database_is_reported(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite3").write_bytes(b"this is no database at all, but long enough to look at" * 50)
    assert "not an SQLite database" in refusal(f"sqlite:///{tmp_path / 'x.sqlite3'}").message


@pytest.mark.parametrize("name", ["a?b.db", "a.db?mode=ro", "a.db?timeout=3"])
def test_a_question_mark_in_the_address_of_a_file_cuts_nothing_off_without_a_word(tmp_path: Path, name: str) -> None:
    assert "%3F" in refusal(f"sqlite:///{tmp_path / name}").hint
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("written", "name"), [("a%3Fb.db", "a?b.db"), ("100%.db", "100%.db"), ("한글 #1.db", "한글 #1.db")]
)
def test_the_address_of_a_file_has_any_letter(tmp_path: Path, written: str, name: str) -> None:
    with open_catalog(f"sqlite:///{tmp_path / written}"):
        assert (tmp_path / name).is_file()


def test_the_address_of_a_file_may_begin_in_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    with open_catalog("sqlite:///~/catalog.db"):
        assert (tmp_path / "catalog.db").is_file()


def test_two_slashes_before_a_file_are_reported() -> None:
    assert "three slashes" in refusal("sqlite://folder/catalog.db").hint


def test_a_folder_in_place_of_the_file_is_reported(tmp_path: Path) -> None:
    assert "cannot be opened" in refusal(f"sqlite:///{tmp_path}").message


def test_a_folder_that_cannot_be_made_is_reported(tmp_path: Path) -> None:
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


@pytest.mark.parametrize("name", ["a?b", "a%41b", "a#b", "100% sure", "한글 집", "a&b=c", "a;b", "a+b", "집?mode=ro"])
def test_a_home_of_any_name_holds_its_own_catalogue(tmp_path: Path, name: str) -> None:
    home = tmp_path / name
    with open_catalog(database_address(read_settings({"MAPSI_HOME": str(home)}))):
        assert (home / "catalog.db").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [name]
