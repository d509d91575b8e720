"""The schema's history, and the one road along it: Alembic, run from here and never by a configuration file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from mapsi.catalog.store.database import Database, begin_write
from mapsi.catalog.store.locks import exclusive
from mapsi.catalog.store.tables import Table
from mapsi.errors import CatalogError, CatalogTooOldError

_RUN = "Run `mapsi catalog migrate`."


def migrate(database: Database) -> None:
    """Upgrade the schema to this version's; raises :class:`CatalogError` where it is newer, and
    :class:`CatalogTooOldError` where it is from before the first release.

    Where there is nothing to do, nothing is written or locked: a server starts on a full or read-only disk too.
    """
    with database.read() as connection:
        if _refuse_newer(connection) == _scripts().get_current_head():
            return _refuse_unreleased(connection)
    with (
        database.session() as connection,
        exclusive(database, connection, "migrate", seconds=600) as free,
        begin_write(connection),
    ):
        if not free:
            raise CatalogError("Another process is changing the catalogue's schema.", "Wait for it, then try again.")
        _refuse_newer(connection)
        command.upgrade(_config(connection), "head")


def check_schema(database: Database) -> None:
    """Raise :class:`CatalogError` where the schema is not this version's."""
    with database.read() as connection:
        current = current_revision(connection)
    if current != _scripts().get_current_head():
        raise CatalogError("The catalogue's schema is older than this version of mapsi needs.", _RUN)


def _refuse_unreleased(connection: Connection) -> None:
    """A table or a column of this version may be missing although the revision has the same name: before the first
    release its one migration was changed in place, so that no migration leads on from there."""
    kept = {name: {column["name"] for column in columns} for (_, name), columns in _columns(connection).items()}
    for table in Table.metadata.sorted_tables:
        if missing := set(table.columns.keys()) - kept.get(table.name, set()):
            raise CatalogTooOldError(
                f"The catalogue was made before the first release: its table {table.name} lacks {min(missing)}.",
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
    current = MigrationContext.configure(connection).get_current_revision()
    known = {script.revision for script in _scripts().walk_revisions()}
    if current is not None and current not in known:
        raise CatalogError(
            "The catalogue's schema is newer than this version of mapsi knows.", "Install the newer version."
        )
    return current


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(None))


def _config(connection: Connection | None) -> Config:
    attributes: dict[str, Any] = {"connection": connection}
    config = Config(attributes=attributes)
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
