"""The one road to a schema, on both databases."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

import mapsi
from mapsi.catalog import open_catalog
from mapsi.catalog.store.database import Database, open_database
from mapsi.catalog.store.migrations import HEAD, check_schema, known_revisions, migrate
from mapsi.catalog.store.tables import Table
from mapsi.errors import CatalogError, CatalogTooOldError


@pytest.fixture(params=["sqlite", "mariadb"])
def database(request: pytest.FixtureRequest, new_database: Callable[[str], str]) -> Database:
    return open_database(new_database(request.param))


def set_revision(database: Database, revision: str) -> None:
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :revision"), {"revision": revision})


def test_the_migrations_make_exactly_the_tables_of_the_code(database: Database) -> None:
    migrate(database)
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Table.metadata) == []


def test_migrating_again_changes_nothing(database: Database) -> None:
    migrate(database)
    migrate(database)
    check_schema(database)
    with database.read() as connection:
        assert connection.execute(text("SELECT generation FROM state")).all() == [(0,)]


def test_the_name_of_the_schema_is_that_of_the_last_script() -> None:
    assert known_revisions()[0] == HEAD


def test_a_catalogue_of_this_version_is_opened_without_alembic(tmp_path: Path) -> None:
    """It would be a tenth of what a server imports before its first answer."""
    with open_catalog(tmp_path / "catalog.db") as catalog:
        catalog.migrate()
    script = (
        "import sys; from pathlib import Path; from mapsi.catalog import open_catalog; open_catalog(Path(sys.argv[1])).migrate(); "
        "sys.exit('alembic' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script, tmp_path / "catalog.db"], check=False).returncode == 0


@pytest.mark.parametrize("count", [1, 5, 20])
def test_a_migration_that_broke_off_is_begun_again(
    new_database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    """A MariaDB takes each table over at once, so that a server that was killed leaves a part of them."""
    database = open_database(new_database("mariadb"))
    made: list[object] = []
    create = op.create_table
    monkeypatch.setattr(op, "create_table", lambda *words, **more: _until(count, made, create, *words, **more))
    with pytest.raises(CatalogError, match="does not answer"):
        migrate(database)
    monkeypatch.setattr(op, "create_table", create)
    migrate(database)
    check_schema(database)


def _until(count: int, made: list[object], create: Callable[..., object], *words: object, **more: object) -> object:
    if len(made) == count:
        raise CatalogError("The database server does not answer.", "Start it.")
    made.append(create(*words, **more))
    return made[-1]


@pytest.mark.parametrize("row", [None, "a name"])
def test_tables_of_another_program_are_told_and_left_alone(database: Database, row: str | None) -> None:
    with database.write() as connection:
        connection.execute(text("CREATE TABLE users (id INTEGER PRIMARY KEY, name VARCHAR(20))"))
        if row:
            connection.execute(text("INSERT INTO users VALUES (1, :name)"), {"name": row})
    with pytest.raises(CatalogError, match="another program's: it has a table users") as caught:
        migrate(database)
    assert "MAPSI_DATABASE_URL" in caught.value.hint
    with database.read() as connection:
        assert connection.scalar(text("SELECT COUNT(*) FROM users")) == (row is not None)
        assert inspect(connection).get_table_names() == ["users"]


def test_a_file_of_another_program_is_left_alone_and_a_server_may_have_both(
    new_database: Callable[[str], str],
) -> None:
    for kind in ("sqlite", "mariadb"):
        database = open_database(new_database(kind))
        with database.write() as connection:
            connection.execute(text("CREATE TABLE moz_places (id INTEGER PRIMARY KEY)"))
        if kind == "sqlite":
            with pytest.raises(CatalogError, match="moz_places"):
                migrate(database)
        else:
            migrate(database)
            check_schema(database)


def test_not_a_byte_of_another_programs_file_changes(tmp_path: Path) -> None:
    file = tmp_path / "places.sqlite"
    with closing(sqlite3.connect(file)) as places:
        places.execute("CREATE TABLE moz_places (id INTEGER PRIMARY KEY)")
        places.commit()
    before = file.read_bytes()
    with open_catalog(file) as catalog, pytest.raises(CatalogError, match="another program"):
        catalog.migrate()
    assert file.read_bytes() == before


def test_another_programs_own_alembic_is_no_newer_mapsi(database: Database) -> None:
    with database.write() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES ('4f3c2a')"))
    with pytest.raises(CatalogError, match="another program"):
        migrate(database)


def test_an_empty_database_is_reported(database: Database) -> None:
    with pytest.raises(CatalogError, match="empty") as caught:
        check_schema(database)
    assert "mapsi catalog migrate" in caught.value.hint


def test_a_schema_of_the_future_is_told_and_left_alone(database: Database) -> None:
    migrate(database)
    set_revision(database, "9999")
    for action in (check_schema, migrate):
        with pytest.raises(CatalogError, match="newer"):
            action(database)


def test_a_schema_from_before_the_first_release_is_told_and_left_alone(database: Database) -> None:
    migrate(database)
    with database.write() as connection:
        connection.execute(text("ALTER TABLE shops DROP COLUMN copies"))
    with pytest.raises(CatalogTooOldError, match="table shops lacks copies") as caught:
        migrate(database)
    assert "import the feeds again" in caught.value.hint


def test_a_column_that_this_version_no_longer_fills_is_told_as_well(database: Database) -> None:
    migrate(database)
    with database.write() as connection:
        connection.execute(text("ALTER TABLE users ADD COLUMN display_name VARCHAR(100) NOT NULL DEFAULT ''"))
    with pytest.raises(CatalogTooOldError, match="table users has display_name besides"):
        migrate(database)


def test_a_missing_schema_is_told_by_every_question(new_database: Callable[[str], str]) -> None:
    for kind in ("sqlite", "mariadb"):
        with open_catalog(new_database(kind)) as catalog, pytest.raises(CatalogError, match="schema"):
            catalog.listings.facets()


def test_texts_compare_byte_for_byte_in_innodb(new_database: Callable[[str], str]) -> None:
    database = open_database(new_database("mariadb"))
    migrate(database)
    with database.read() as connection:
        rows = connection.execute(
            text("SELECT engine, table_collation FROM information_schema.tables WHERE table_schema = DATABASE()")
        ).all()
    ours = [tuple(row) for row in rows]
    assert ours.count(("InnoDB", "utf8mb4_bin")) == len(Table.metadata.tables)


def test_nothing_makes_tables_but_migrations() -> None:
    room = Path(mapsi.__file__).parent / "catalog"
    assert [str(file) for file in room.rglob("*.py") if "create_all" in file.read_text("utf-8")] == []
