"""The one road to a schema, on both databases."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

import mapsi
from mapsi.catalog import open_catalog
from mapsi.catalog.database import Database, begin_write, open_database
from mapsi.catalog.migrations import _config, check_schema, migrate
from mapsi.catalog.tables import Table
from mapsi.errors import CatalogError


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


def test_listings_of_an_earlier_version_have_a_colour_at_once(database: Database) -> None:
    with database.session() as connection, begin_write(connection):
        command.upgrade(_config(connection), "0002")
        connection.execute(text("INSERT INTO shops (id, slug, name, sample) VALUES (1, 's', 'S', 0)"))
        connection.execute(
            text(
                "INSERT INTO imports (id, shop, format, origin, started, state, reason) "
                "VALUES (1, 's', 'x', 'x', '2026-01-01 00:00:00', 'done', '')"
            )
        )
        for number, (title, color) in enumerate((("린넨 셔츠", "Navy Blue"), ("블랙 코트", ""), ("니트", "")), 1):
            values = {"id": number, "title": title, "color": color}
            connection.execute(
                text(
                    "INSERT INTO offers (id, shop_id, shop_offer_id, group_key, title, link, image_source, price, "
                    "lowest_price, currency, availability, description, brand, category, color, fingerprint, import_id, "
                    "first_seen, last_seen) VALUES (:id, 1, :id, '=', :title, 'l', '', 1, 1, 'KRW', 'in_stock', '', '', "
                    "'', :color, 'abcdefghijklmnop', 1, '2026-01-01 00:00:00', '2026-01-01 00:00:00')"
                ),
                values,
            )
            connection.execute(
                text(
                    "INSERT INTO listings (offer_id, shop_id, group_key, price_order, title, about, classes, tokens) "
                    "VALUES (:id, 1, :key, 1, :title, '', '', '')"
                ),
                {"id": number, "title": title, "key": f"={number}"},
            )
    migrate(database)
    with database.read() as connection:
        colors = connection.execute(text("SELECT colors FROM listings ORDER BY offer_id")).scalars().all()
    assert [found.split() for found in colors] == [["navy"], ["black"], []]


def test_an_empty_database_is_told(database: Database) -> None:
    with pytest.raises(CatalogError, match="empty") as caught:
        check_schema(database)
    assert "mapsi catalog migrate" in caught.value.hint


def test_a_schema_of_the_future_is_told_and_left_alone(database: Database) -> None:
    migrate(database)
    set_revision(database, "9999")
    for action in (check_schema, migrate):
        with pytest.raises(CatalogError, match="newer"):
            action(database)


def test_a_missing_schema_is_told_by_every_question(new_database: Callable[[str], str]) -> None:
    for kind in ("sqlite", "mariadb"):
        with open_catalog(new_database(kind)) as catalog, pytest.raises(CatalogError, match="schema"):
            catalog.facets()


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
