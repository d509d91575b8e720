"""Colours and brands of listings and the book of their changes. The full-text index goes: words are found by an index in
memory (docs/decisions/0007).
"""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from mapsi.catalog.colors import ColorReader
from mapsi.taxonomy.synonyms import load_colors

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
    _read_colors()
    op.create_table(
        "listing_changes",
        sa.Column("id", ID, nullable=False),
        sa.Column("generation", ID, nullable=False),
        sa.Column("offer_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_listing_changes"),
        **OPTIONS,
    )
    op.create_index("ix_listing_changes_generation", "listing_changes", ["generation"])


def _read_colors() -> None:
    """As an import of today would: the next one sees every offer as changed anyway, but may be far away."""
    connection, reader, last = op.get_bind(), ColorReader(load_colors()), 0
    query = sa.text(
        "SELECT offers.id, offers.color, offers.title FROM listings JOIN offers ON offers.id = listings.offer_id "
        "WHERE offers.id > :last ORDER BY offers.id LIMIT 1000"
    )
    colored = sa.text("UPDATE listings SET colors = :colors WHERE offer_id = :offer")
    while batch := connection.execute(query, {"last": last}).all():
        rows = [{"offer": offer, "colors": reader.keys(color, title)} for offer, color, title in batch]
        connection.execute(colored, rows)
        last = batch[-1][0]


def _drop_full_text() -> None:
    if op.get_bind().dialect.name == "sqlite":
        for event in ("insert", "delete", "update"):
            op.execute(f"DROP TRIGGER listings_words_{event}")
        op.execute("DROP TABLE listings_words")
    else:
        op.drop_index("listings_words", "listings")
    op.drop_column("listings", "tokens")
