"""Whether a copy of a picture is kept, and what tells a picture that changed behind its address."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TIME = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
OPTIONS: dict[str, Any] = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (("engine", "InnoDB"), ("charset", "utf8mb4"), ("collate", "utf8mb4_bin"))
}
DAYS = 7
"""Over how many days the pictures that are there already are asked about again: not all at once."""
BATCH = 1000


def upgrade() -> None:
    op.add_column("pictures", sa.Column("kept", sa.Boolean(), server_default=sa.text("1"), nullable=False))
    sources = op.create_table(
        "picture_sources",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("picture", sa.String(length=64), nullable=True),
        sa.Column("etag", sa.String(length=500), nullable=False),
        sa.Column("last_modified", sa.String(length=100), nullable=False),
        sa.Column("checked_at", TIME, nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["picture"], ["pictures.digest"], name="fk_picture_sources_picture"),
        sa.PrimaryKeyConstraint("digest", name="pk_picture_sources"),
        **OPTIONS,
    )
    op.create_index("ix_picture_sources_due_at_digest", "picture_sources", ["due_at", "digest"])
    op.create_index("ix_picture_sources_picture", "picture_sources", ["picture"])
    _note_sources(sources)


def _note_sources(sources: sa.Table) -> None:
    """Addresses of the pictures that are there already: no database here computes a SHA-256 that both would."""
    connection, now = op.get_bind(), datetime.now(UTC).replace(tzinfo=None)
    query = sa.text("SELECT image_source, MAX(picture) FROM offers WHERE picture IS NOT NULL GROUP BY image_source")
    known = connection.execute(query).all()
    for start in range(0, len(known), BATCH):
        rows = [_row(address, picture, now) for address, picture in known[start : start + BATCH]]
        connection.execute(sources.insert(), rows)


def _row(address: str, picture: str, now: datetime) -> dict[str, Any]:
    digest = hashlib.sha256(address.encode()).hexdigest()
    wait = timedelta(days=DAYS * int(digest[:8], 16) / 0x1_0000_0000)
    times = {"checked_at": now, "due_at": now + wait}
    texts = {"etag": "", "last_modified": "", "reason": ""}
    return {"digest": digest, "address": address, "picture": picture, "failures": 0, **times, **texts}
