"""Servers as people have them: configured otherwise, over TLS or a socket, full accounts, frozen; each tells its
trouble in a sentence, and none changes an answer."""

from __future__ import annotations

import gc
import subprocess
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import text

from freezing import Way, way_to
from killing import feed_is_whole, start_catalog
from mapsi.catalog import open_catalog
from mapsi.catalog.store.database import Database, DatabaseTimeouts, open_database
from mapsi.errors import CatalogError
from servers import MariaDB, mariadb_is_installed, require, run_mariadb

HABITS = (
    "--sql-mode=ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PIPES_AS_CONCAT,ONLY_FULL_GROUP_BY",
    "--lower-case-table-names=1",
    "--character-set-server=latin1",
    "--collation-server=latin1_general_cs",
    "--default-time-zone=+09:00",
    "--max-allowed-packet=1M",
    "--max-connections=10",
    "--wait-timeout=2",
    "--transaction-isolation=READ-COMMITTED",
    "--innodb-default-row-format=compact",
    "--default-storage-engine=MyISAM",
    "--autocommit=0",
)
"""What a server's configuration may say, all at once."""

SESSIONS = {"sql_select_limit": 3, "sql_safe_updates": 1, "sql_quote_show_create": 0, "foreign_key_checks": 0}
"""What it hands to each connection, as that can only be set while it runs."""


@dataclass(frozen=True)
class Odd:
    """A server with :data:`HABITS` and a certificate for ``localhost``."""

    server: MariaDB
    folder: Path

    def url(self, options: str = "", *, host: str = "127.0.0.1", user: str = "mapsi:sesame") -> str:
        return f"mariadb://{user}@{host}:{self.server.port}/test?{options}"

    def file(self, name: str) -> str:
        return str(self.folder / name)


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Odd]:
    require(mariadb_is_installed(), "MariaDB")
    folder = tmp_path_factory.mktemp("odd")
    _sign(folder)
    tls = [f"--ssl-{part}={folder / file}" for part, file in (("cert", "server.pem"), ("key", "server.key"))]
    with run_mariadb(folder, *HABITS, *tls) as server:
        server.execute(*(f"SET GLOBAL {name} = {value}" for name, value in SESSIONS.items()))
        yield Odd(server, folder)


def _sign(folder: Path) -> None:
    """Two authorities, and a certificate by the first."""

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], check=True, capture_output=True, cwd=folder)

    key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    for name in ("ours", "others"):
        openssl(
            "req", "-x509", *key, "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "1", "-subj", f"/CN={name}"
        )
    openssl("req", *key, "-keyout", "server.key", "-out", "server.csr", "-subj", "/CN=localhost")
    (folder / "names").write_text("subjectAltName=DNS:localhost")
    signed = ("-CA", "ours.pem", "-CAkey", "ours.key", "-CAcreateserial", "-days", "1", "-extfile", "names")
    openssl("x509", "-req", "-in", "server.csr", "-out", "server.pem", *signed)


def told(url: str) -> CatalogError:
    with pytest.raises(CatalogError) as caught:
        open_catalog(url)
    assert caught.value.hint
    assert "sesame" not in str(caught.value)
    return caught.value


def test_a_server_configured_otherwise_answers_as_any_other(odd: Odd, tmp_path: Path) -> None:
    url = odd.server.create_database("habits")
    start_catalog(url, tmp_path)
    with open_catalog(url) as catalog:
        catalog.migrate()
        feed_is_whole(catalog)


def test_a_reader_sees_one_moment_whatever_the_server_goes_by(odd: Odd) -> None:
    database = open_database(odd.server.create_database("moment"))
    with database.write() as connection:
        connection.execute(text("CREATE TABLE t (n INTEGER PRIMARY KEY) ENGINE=InnoDB"))
    with database.read() as reader:
        assert reader.scalar(text("SELECT COUNT(*) FROM t")) == 0
        with database.write() as writer:
            writer.execute(text("INSERT INTO t VALUES (1)"))
        assert reader.scalar(text("SELECT COUNT(*) FROM t")) == 0
    database.close()


@pytest.mark.parametrize(
    ("host", "options", "says"),
    [
        ("localhost", "ssl_mode=required", None),
        ("localhost", "ssl_ca={ours}", None),
        ("127.0.0.1", "ssl_mode=verify_ca&ssl_ca={ours}", None),
        ("127.0.0.1", "ssl_ca={ours}", "certificate is not trusted"),
        ("localhost", "ssl_ca={others}", "certificate is not trusted"),
        ("localhost", "ssl_mode=verify_ca", "certificate is not trusted"),
    ],
)
def test_a_certificate_is_believed_as_the_mode_says(odd: Odd, host: str, options: str, says: str | None) -> None:
    url = odd.url(options.format(ours=odd.file("ours.pem"), others=odd.file("others.pem")), host=host)
    if says:
        assert says in told(url).message
    else:
        open_catalog(url).close()


def test_a_socket_is_a_way_to_a_server(odd: Odd) -> None:
    odd.server.execute(
        "CREATE OR REPLACE USER 'mapsi'@'localhost' IDENTIFIED BY 'sesame'", "GRANT ALL ON *.* TO 'mapsi'@'localhost'"
    )
    open_catalog(f"mariadb://mapsi:sesame@/test?unix_socket={odd.file('s.sock')}").close()
    with warnings.catch_warnings():  # PyMySQL leaves a socket that nobody listens at to the collector
        warnings.simplefilter("ignore", ResourceWarning)
        assert "socket" in told("mariadb://mapsi:sesame@/test?unix_socket=/nowhere/s.sock").message
        gc.collect()


def test_a_host_that_nobody_knows_is_told_as_that() -> None:
    assert "Nobody knows the name" in told("mariadb://mapsi:sesame@no.such.host.invalid/test").message


@pytest.mark.parametrize(
    ("account", "says"),
    [
        ("IDENTIFIED BY 'x' PASSWORD EXPIRE", "has expired"),
        ("IDENTIFIED BY 'x' ACCOUNT LOCK", "is locked"),
        ("IDENTIFIED VIA unix_socket", "refused the user"),
        ("IDENTIFIED BY 'x' REQUIRE SSL", "refused the user"),
        ("IDENTIFIED BY 'x' WITH MAX_QUERIES_PER_HOUR 1", "too often"),
        ("IDENTIFIED BY 'other'", "refused the user"),
    ],
)
def test_an_account_that_is_not_let_in_is_told_why(odd: Odd, account: str, says: str) -> None:
    odd.server.execute(
        f"CREATE OR REPLACE USER 'guest'@'127.0.0.1' {account}", "GRANT ALL ON test.* TO 'guest'@'127.0.0.1'"
    )
    assert says in told(odd.url("ssl_mode=disabled", user="guest:x")).message


def test_a_user_who_may_not_make_tables_is_told_so(odd: Odd) -> None:
    odd.server.create_database("poor")
    odd.server.execute("CREATE OR REPLACE USER 'poor'@'127.0.0.1'", "GRANT SELECT ON poor.* TO 'poor'@'127.0.0.1'")
    with (
        open_catalog(f"mariadb://poor@127.0.0.1:{odd.server.port}/poor?ssl_mode=disabled") as catalog,
        pytest.raises(CatalogError, match="lacks a permission"),
    ):
        catalog.migrate()


def test_a_server_that_takes_no_more_connections_says_so_and_takes_them_again(odd: Odd) -> None:
    url, held = odd.url("ssl_mode=disabled"), deque[Database]()
    with pytest.raises(CatalogError, match="no connection left"):
        held.extend(open_database(url) for _ in range(20))  # each keeps one in its pool
    for database in held:
        database.close()
    open_catalog(odd.url("ssl_mode=disabled")).close()


def test_no_question_outlives_who_asked_it(mariadb: MariaDB, new_database: Callable[[str], str]) -> None:
    database = open_database(new_database("mariadb"), timeouts=DatabaseTimeouts(connect=5, answer=7, lock=1))
    with database.read() as connection:
        assert connection.scalar(text("SELECT @@max_statement_time")) == 7
    many = " CROSS JOIN ".join(f"information_schema.collations t{n}" for n in range(4))
    with pytest.raises(CatalogError, match="too long"), database.read() as connection:
        connection.execute(text(f"SET STATEMENT max_statement_time = 0.05 FOR SELECT COUNT(*) FROM {many}"))
    database.close()


@contextmanager
def behind_a_way(mariadb: MariaDB, url: str, patience: DatabaseTimeouts) -> Iterator[tuple[Database, Way]]:
    """A database with a connection in its pool, and the way to its server."""
    with way_to(mariadb.port) as way:
        database = open_database(url.replace(f":{mariadb.port}", f":{way.port}"), timeouts=patience)
        yield database, way
        database.close()


def test_a_frozen_server_is_waited_for_once_and_not_for_another_connection(
    mariadb: MariaDB, new_database: Callable[[str], str]
) -> None:
    url = new_database("mariadb")
    with behind_a_way(mariadb, url, DatabaseTimeouts(connect=1, answer=1, lock=1)) as (database, way):
        way.frozen, taken = True, way.taken
        with pytest.raises(CatalogError, match="does not answer"), database.read():
            pass
        assert way.taken == taken


def test_a_frozen_server_has_no_longer_to_greet_than_connecting_may_take(
    mariadb: MariaDB, new_database: Callable[[str], str]
) -> None:
    url = new_database("mariadb")
    with behind_a_way(mariadb, url, DatabaseTimeouts(connect=1, answer=600, lock=1)) as (database, way):
        database.engine.dispose()
        way.frozen, began = True, time.monotonic()
        with pytest.raises(CatalogError, match="does not answer"), database.read():
            pass
        assert time.monotonic() - began < 10
