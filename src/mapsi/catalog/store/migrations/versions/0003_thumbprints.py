"""What copies of a picture are known by, and of which picture one is a copy."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("pictures", sa.Column("thumbprint", sa.LargeBinary(), nullable=True))
    op.add_column("pictures", sa.Column("same_as", sa.String(length=64), nullable=True))
    op.create_index("ix_pictures_same_as", "pictures", ["same_as"])
