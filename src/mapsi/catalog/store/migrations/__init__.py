"""The schema's history, and the one road along it: Alembic, run from here and never by a configuration file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, FromClause, inspect, literal, select, text
from sqlalchemy.schema import DropTable

from mapsi.catalog.store.database import Database, begin_write
from mapsi.catalog.store.locks import exclusive
from mapsi.catalog.store.tables import Table
from mapsi.errors import CatalogError, CatalogTooOldError

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0001"
"""The name of this version's schema, that of the last script. It stands here so that a server starts without Alembic, a
tenth of all it would import: that is asked only where there is something to do."""
_RUN = "Run `mapsi catalog migrate`."
_VERSION = "alembic_version"


def migrate(database: Database) -> None:
    """Upgrade the schema to this version's; raises :class:`CatalogError` where it is newer, and
    :class:`CatalogTooOldError` where it is from before the first release.

    Where there is nothing to do, nothing is written or locked: a server starts on a full or read-only disk too.
    """
    with database.read() as connection:
        if _refuse_newer(connection) == HEAD:
            return _refuse_unreleased(connection)
    with (
        database.session() as connection,
        exclusive(database, connection, "migrate", seconds=600) as free,
        begin_write(connection),
    ):
        if not free:
            raise CatalogError("Another process is changing the catalogue's schema.", "Wait for it, then try again.")
        if _refuse_newer(connection) is None:
            _clear_the_ground(connection)
        from alembic import command

        command.upgrade(_config(connection), "head")


def check_schema(database: Database) -> None:
    """Raise :class:`CatalogError` where the schema is not this version's."""
    with database.read() as connection:
        current = current_revision(connection)
    if current != HEAD:
        raise CatalogError("The catalogue's schema is older than this version of mapsi needs.", _RUN)


def _clear_the_ground(connection: Connection) -> None:
    """Drop what a migration that broke off left: a MariaDB takes over each table by itself, and the revision's name
    last. Raises :class:`CatalogError` where there are tables of somebody else's: on a server only those in the way."""
    names = set(inspect(connection).get_table_names())
    ours = [table for table in reversed(Table.metadata.sorted_tables) if table.name in names]
    begun = _VERSION in names and not any(_has_rows(connection, table) for table in ours if table.name != "state")
    strangers = names.difference([_VERSION], (table.name for table in ours))
    if connection.dialect.name != "sqlite":
        strangers.clear()
    if not begun:
        strangers.update(table.name for table in ours)
    if strangers:
        raise _not_ours(min(strangers))
    for table in ours:
        connection.execute(DropTable(table))


def _has_rows(connection: Connection, table: FromClause) -> bool:
    return connection.execute(select(literal(1)).select_from(table).limit(1)).first() is not None


def _not_ours(table: str) -> CatalogError:
    return CatalogError(
        f"The database is another program's: it has a table {table} already.",
        "Give an empty one in MAPSI_DATABASE_URL.",
    )


def _refuse_unreleased(connection: Connection) -> None:
    """A table may have other columns than this version's although the revision has the same name: before the first
    release its one migration was changed in place, so that no migration leads on from there."""
    kept = {name: {column["name"] for column in columns} for (_, name), columns in _columns(connection).items()}
    for table in Table.metadata.sorted_tables:
        wanted, found = set(table.columns.keys()), kept.get(table.name, set())
        if wanted != found:
            differs = f"lacks {min(wanted - found)}" if wanted - found else f"has {min(found - wanted)} besides"
            raise CatalogTooOldError(
                f"The catalogue was made before the first release: its table {table.name} {differs}.",
                "Give an empty MAPSI_HOME, or an empty database in MAPSI_DATABASE_URL, and import the feeds again; "
                "what is there stays as it is.",
            )


def _columns(connection: Connection) -> Any:
    return inspect(connection).get_multi_columns()


def current_revision(connection: Connection) -> str:
    """The name of the schema that the database has; raises :class:`CatalogError` where it has none, or a newer one."""
    current = _refuse_newer(connection)
    if current is None:
        raise CatalogError("The catalogue's database is empty.", _RUN)
    return current


def _refuse_newer(connection: Connection) -> str | None:
    current = _revision(connection)
    if current not in (None, HEAD) and current not in known_revisions():
        if not inspect(connection).has_table("offers"):
            raise _not_ours(_VERSION)
        raise CatalogError(
            "The catalogue's schema is newer than this version of mapsi knows.", "Install the newer version."
        )
    return current


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_VERSION):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def known_revisions() -> list[str]:
    """The names of all schemas that there is a script for, the latest first."""
    from alembic.script import ScriptDirectory

    return [script.revision for script in ScriptDirectory.from_config(_config(None)).walk_revisions()]


def _config(connection: Connection | None) -> Config:
    from alembic.config import Config

    attributes: dict[str, Any] = {"connection": connection}
    config = Config(attributes=attributes)
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
