"""Colours and brands of listings and the book of their changes. The full-text index goes: words are found by an index in
memory (docs/decisions/0007).

Listings that stand there have no colour until their shop's next import, which sees every offer as changed.
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
OPTIONS: dict[str, Any] = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (("engine", "InnoDB"), ("charset", "utf8mb4"), ("collate", "utf8mb4_bin"))
}


def upgrade() -> None:
    _drop_full_text()
    for name in ("colors", "brand"):
        column = sa.Column(name, sa.String(length=200), server_default=sa.text("''"), nullable=False)
        op.add_column("listings", column)
    op.execute("UPDATE listings SET brand = (SELECT brand FROM offers WHERE offers.id = listings.offer_id)")
    op.create_table(
        "listing_changes",
        sa.Column("id", ID, nullable=False),
        sa.Column("generation", ID, nullable=False),
        sa.Column("offer_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_listing_changes"),
        **OPTIONS,
    )
    op.create_index("ix_listing_changes_generation", "listing_changes", ["generation"])


def _drop_full_text() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for event in ("insert", "delete", "update"):
            op.execute(f"DROP TRIGGER listings_words_{event}")
        op.execute("DROP TABLE listings_words")
    else:
        op.drop_index("listings_words", "listings")
    op.drop_column("listings", "tokens")
