"""Run by Alembic: migrations go over the connection that was handed in, in its transaction."""

from __future__ import annotations

from alembic import context

from mapsi.catalog.store.tables import Table

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Table.metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
