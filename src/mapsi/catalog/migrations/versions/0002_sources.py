"""Sources of offers, their runs, provenance and time to live."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
LONG = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
OPTIONS: dict[str, Any] = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (("engine", "InnoDB"), ("charset", "utf8mb4"), ("collate", "utf8mb4_bin"))
}


def upgrade() -> None:
    op.add_column("shops", sa.Column("copies", sa.Boolean(), server_default=sa.text("1"), nullable=False))
    op.add_column("shops", sa.Column("time_to_live", sa.Integer(), nullable=True))
    op.add_column("shops", sa.Column("first_expiry", TIME, nullable=True))
    op.add_column("shops", sa.Column("last_expiry", TIME, nullable=True))
    op.create_index("ix_shops_first_expiry", "shops", ["first_expiry"])
    op.add_column("offers", sa.Column("seller", sa.String(length=200), server_default=sa.text("''"), nullable=False))
    _create_sources()
    _create_faults()


def _create_sources() -> None:
    op.create_table(
        "sources",
        sa.Column("id", ID, nullable=False),
        sa.Column("shop_id", ID, nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("format", sa.String(length=50), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("every", sa.Integer(), nullable=True),
        sa.Column("shrink", sa.Double(), nullable=False),
        sa.Column("added_at", TIME, nullable=False),
        sa.Column("remembered", sa.Text(), nullable=False),
        sa.Column("taxonomy", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.id"], name="fk_sources_shop_id"),
        sa.PrimaryKeyConstraint("id", name="pk_sources"),
        sa.UniqueConstraint("shop_id", name="uq_sources_shop_id"),
        **OPTIONS,
    )
    op.create_table(
        "answers",
        sa.Column("source_id", ID, autoincrement=False, nullable=False),
        sa.Column("query", sa.String(length=200), nullable=False),
        sa.Column("answered_at", TIME, nullable=False),
        sa.Column("taken", sa.Boolean(), nullable=False),
        sa.Column("offers", LONG, nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_answers_source_id"),
        sa.PrimaryKeyConstraint("source_id", "query", name="pk_answers"),
        **OPTIONS,
    )
    op.create_table(
        "quotas",
        sa.Column("account", sa.String(length=100), nullable=False),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("account", "day", name="pk_quotas"),
        **OPTIONS,
    )


def _create_faults() -> None:
    op.create_table(
        "import_faults",
        sa.Column("import_id", ID, autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name="fk_import_faults_import_id"),
        sa.PrimaryKeyConstraint("import_id", "number", name="pk_import_faults"),
        **OPTIONS,
    )
