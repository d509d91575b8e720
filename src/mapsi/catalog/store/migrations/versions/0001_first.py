"""The schema: shops and their sources, offers and prices, pictures and readings, listings, people and what they keep,
jobs."""

from __future__ import annotations

import uuid
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import mysql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TIME = sa.DateTime().with_variant(mysql.DATETIME(fsp=6), "mysql", "mariadb")
LONG = sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql", "mariadb")
DIGEST = sa.LargeBinary(16).with_variant(mysql.BINARY(16), "mysql", "mariadb")
OPTIONS: dict[str, Any] = {
    f"{dialect}_{option}": value
    for dialect in ("mysql", "mariadb")
    for option, value in (
        ("engine", "InnoDB"),
        ("row_format", "DYNAMIC"),
        ("charset", "utf8mb4"),
        ("collate", "utf8mb4_bin"),
    )
}


def upgrade() -> None:
    _create_books()
    _create_sources()
    _create_offers()
    _create_readings()
    _create_listings()
    _create_accounts()
    _create_operations()
    op.execute(
        sa.text("INSERT INTO state (id, generation, mark) VALUES (1, 0, :mark)").bindparams(mark=uuid.uuid4().hex)
    )


def _create_books() -> None:
    op.create_table(
        "state",
        sa.Column("id", ID, autoincrement=False, nullable=False),
        sa.Column("generation", ID, nullable=False),
        sa.Column("mark", sa.String(length=32), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_state"),
        **OPTIONS,
    )
    op.create_table(
        "shops",
        sa.Column("id", ID, nullable=False),
        sa.Column("slug", sa.String(length=100), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("sample", sa.Boolean(), nullable=False),
        sa.Column("copies", sa.Boolean(), server_default=sa.text("1"), nullable=False),
        sa.Column("time_to_live", sa.Integer(), nullable=True),
        sa.Column("first_expiry", TIME, nullable=True),
        sa.Column("last_expiry", TIME, nullable=True),
        sa.Column("first_turn", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_shops"),
        sa.UniqueConstraint("slug", name="uq_shops_slug"),
        **OPTIONS,
    )
    op.create_index("ix_shops_first_expiry", "shops", ["first_expiry"])
    op.create_table(
        "class_words",
        sa.Column("axis", sa.String(length=60), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("words", LONG, nullable=False),
        sa.PrimaryKeyConstraint("axis", "slug", name="pk_class_words"),
        **OPTIONS,
    )
    op.create_table(
        "imports",
        sa.Column("id", ID, nullable=False),
        sa.Column("shop", sa.String(length=100), nullable=False),
        sa.Column("format", sa.String(length=50), nullable=False),
        sa.Column("origin", sa.Text(), nullable=False),
        sa.Column("started", TIME, nullable=False),
        sa.Column("finished", TIME, nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("new", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("changed", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("unchanged", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("gone", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("broken", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_imports"),
        **OPTIONS,
    )
    op.create_index("ix_imports_shop_id", "imports", ["shop", "id"])
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


def _create_offers() -> None:
    op.create_table(
        "pictures",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("fetched_at", TIME, nullable=False),
        sa.Column("kept", sa.Boolean(), server_default=sa.text("1"), nullable=False),
        sa.Column("thumbprint", sa.LargeBinary(), nullable=False),
        sa.Column("same_as", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("digest", name="pk_pictures"),
        **OPTIONS,
    )
    op.create_index("ix_pictures_same_as", "pictures", ["same_as"])
    op.create_table(
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
    op.create_table(
        "offers",
        sa.Column("id", ID, nullable=False),
        sa.Column("shop_id", ID, nullable=False),
        sa.Column("shop_offer_id", sa.String(length=50), nullable=False),
        sa.Column("group_key", sa.String(length=200), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("image_source", sa.Text(), nullable=False),
        sa.Column("price", ID, nullable=False),
        sa.Column("sale_price", ID, nullable=True),
        sa.Column("sale_from", TIME, nullable=True),
        sa.Column("sale_until", TIME, nullable=True),
        sa.Column("expires_at", TIME, nullable=True),
        sa.Column("turns_at", TIME, nullable=True),
        sa.Column("lowest_price", ID, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("availability", sa.String(length=20), nullable=False),
        sa.Column("description", LONG, nullable=False),
        sa.Column("brand", sa.String(length=200), nullable=False),
        sa.Column("category", sa.String(length=750), nullable=False),
        sa.Column("color", sa.String(length=200), nullable=False),
        sa.Column("audience", sa.String(length=10), nullable=True),
        sa.Column("seller", sa.String(length=200), server_default=sa.text("''"), nullable=False),
        sa.Column("google_category", sa.String(length=255), server_default=sa.text("''"), nullable=False),
        sa.Column("gtin", sa.String(length=14), server_default=sa.text("''"), nullable=False),
        sa.Column("mpn", sa.String(length=100), server_default=sa.text("''"), nullable=False),
        sa.Column("fingerprint", DIGEST, nullable=False),
        sa.Column("import_id", ID, nullable=False),
        sa.Column("first_seen", TIME, nullable=False),
        sa.Column("last_seen", TIME, nullable=False),
        sa.Column("gone_at", TIME, nullable=True),
        sa.Column("picture", sa.String(length=64), nullable=True),
        sa.Column("picture_failure", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["import_id"], ["imports.id"], name="fk_offers_import_id"),
        sa.ForeignKeyConstraint(["picture"], ["pictures.digest"], name="fk_offers_picture"),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.id"], name="fk_offers_shop_id"),
        sa.PrimaryKeyConstraint("id", name="pk_offers"),
        sa.UniqueConstraint("shop_id", "shop_offer_id", name="uq_offers_shop_id_shop_offer_id"),
        **OPTIONS,
    )
    op.create_index("ix_offers_picture", "offers", ["picture"])
    op.create_index("ix_offers_shop_id_gone_at", "offers", ["shop_id", "gone_at"])
    op.create_index("ix_offers_shop_id_turns_at", "offers", ["shop_id", "turns_at"])
    op.create_table(
        "prices",
        sa.Column("offer_id", ID, autoincrement=False, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("lowest_price", ID, nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.ForeignKeyConstraint(["offer_id"], ["offers.id"], name="fk_prices_offer_id"),
        sa.PrimaryKeyConstraint("offer_id", "seen_at", name="pk_prices"),
        **OPTIONS,
    )


def _create_readings() -> None:
    op.create_table(
        "readings",
        sa.Column("picture", sa.String(length=64), nullable=False),
        sa.Column("model", sa.String(length=64), nullable=False),
        sa.Column("embedding", sa.LargeBinary(), nullable=False),
        sa.Column("labels", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["picture"], ["pictures.digest"], name="fk_readings_picture"),
        sa.PrimaryKeyConstraint("picture", "model", name="pk_readings"),
        **OPTIONS,
    )
    op.create_index("ix_readings_model", "readings", ["model"])
    op.create_table(
        "offer_classes",
        sa.Column("offer_id", ID, autoincrement=False, nullable=False),
        sa.Column("axis", sa.String(length=60), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("confidence", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["offer_id"], ["offers.id"], name="fk_offer_classes_offer_id"),
        sa.PrimaryKeyConstraint("offer_id", "axis", name="pk_offer_classes"),
        **OPTIONS,
    )
    op.create_index("ix_offer_classes_axis_slug_offer_id", "offer_classes", ["axis", "slug", "offer_id"])


def _create_listings() -> None:
    op.create_table(
        "listings",
        sa.Column("offer_id", ID, autoincrement=False, nullable=False),
        sa.Column("shop_id", ID, nullable=False),
        sa.Column("group_key", sa.String(length=200), nullable=False),
        sa.Column("price_order", ID, nullable=False),
        sa.Column("audience", sa.String(length=10), nullable=True),
        sa.Column("title", LONG, nullable=False),
        sa.Column("brand", sa.String(length=200), server_default=sa.text("''"), nullable=False),
        sa.Column("category", sa.String(length=750), server_default=sa.text("''"), nullable=False),
        sa.Column("color", sa.String(length=200), server_default=sa.text("''"), nullable=False),
        sa.Column("classes", sa.Text(), nullable=False),
        sa.Column("colors", sa.String(length=200), server_default=sa.text("''"), nullable=False),
        sa.Column("gtin", sa.String(length=14), nullable=True),
        sa.Column("maker", sa.String(length=160), nullable=True),
        sa.Column("joined", ID, nullable=True),
        sa.ForeignKeyConstraint(["offer_id"], ["offers.id"], name="fk_listings_offer_id"),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.id"], name="fk_listings_shop_id"),
        sa.PrimaryKeyConstraint("offer_id", name="pk_listings"),
        **OPTIONS,
    )
    op.create_index(
        "ix_listings_shop_id_group_key_price_order_offer_id",
        "listings",
        ["shop_id", "group_key", "price_order", "offer_id"],
    )
    for column in ("joined", "gtin", "maker"):
        op.create_index(f"ix_listings_{column}", "listings", [column])
    op.create_table(
        "listing_changes",
        sa.Column("id", ID, nullable=False),
        sa.Column("generation", ID, nullable=False),
        sa.Column("offer_id", ID, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_listing_changes"),
        **OPTIONS,
    )
    op.create_index("ix_listing_changes_generation", "listing_changes", ["generation"])


def _create_accounts() -> None:
    op.create_table(
        "users",
        sa.Column("id", ID, nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("password_hash", sa.String(length=255), nullable=True),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("is_operator", sa.Boolean(), nullable=False),
        sa.Column("wants_mail", sa.Boolean(), nullable=False),
        sa.Column("keeps_history", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("email", name="uq_users_email"),
        **OPTIONS,
    )
    op.create_table(
        "account_traces",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("mark", sa.String(length=32), nullable=False),
        sa.Column("until", TIME, nullable=False),
        sa.PrimaryKeyConstraint("digest", name="pk_account_traces"),
        **OPTIONS,
    )
    op.create_index("ix_account_traces_until", "account_traces", ["until"])
    op.create_table(
        "sessions",
        sa.Column("digest", sa.String(length=64), nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_sessions_user_id"),
        sa.PrimaryKeyConstraint("digest", name="pk_sessions"),
        **OPTIONS,
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_index("ix_sessions_seen_at", "sessions", ["seen_at"])
    op.create_table(
        "saved",
        sa.Column("user_id", ID, autoincrement=False, nullable=False),
        sa.Column("offer_id", ID, autoincrement=False, nullable=False),
        sa.Column("saved_at", TIME, nullable=False),
        sa.Column("told_price", ID, nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_saved_user_id"),
        sa.ForeignKeyConstraint(["offer_id"], ["offers.id"], name="fk_saved_offer_id"),
        sa.PrimaryKeyConstraint("user_id", "offer_id", name="pk_saved"),
        **OPTIONS,
    )
    op.create_index("ix_saved_offer_id", "saved", ["offer_id"])
    op.create_table(
        "emails",
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("address", sa.String(length=254), nullable=False),
        sa.Column("language", sa.String(length=5), nullable=False),
        sa.Column("about", LONG, nullable=False),
        sa.Column("asked_at", TIME, nullable=False),
        sa.Column("sent_at", TIME, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_emails"),
        **OPTIONS,
    )
    op.create_index("ix_emails_sent_at_asked_at", "emails", ["sent_at", "asked_at"])
    op.create_index("ix_emails_address_kind", "emails", ["address", "kind"])
    op.create_table(
        "shares",
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("user_id", ID, nullable=True),
        sa.Column("device", sa.String(length=64), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("offers", sa.Text(), nullable=False),
        sa.Column("photo", sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql", "mariadb"), nullable=True),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_shares_user_id"),
        sa.PrimaryKeyConstraint("token", name="pk_shares"),
        **OPTIONS,
    )
    op.create_index("ix_shares_user_id", "shares", ["user_id"])
    op.create_index("ix_shares_device", "shares", ["device"])
    op.create_table(
        "kept_searches",
        sa.Column("id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("query", sa.Text(), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_kept_searches_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_kept_searches"),
        **OPTIONS,
    )
    op.create_index("ix_kept_searches_user_id", "kept_searches", ["user_id"])
    op.create_table(
        "history",
        sa.Column("id", ID, nullable=False),
        sa.Column("user_id", ID, nullable=False),
        sa.Column("words", sa.String(length=256), nullable=False),
        sa.Column("searched_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_history_user_id"),
        sa.PrimaryKeyConstraint("id", name="pk_history"),
        **OPTIONS,
    )
    op.create_index("ix_history_user_id_searched_at", "history", ["user_id", "searched_at"])


def _create_operations() -> None:
    op.create_table(
        "jobs",
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("argument", sa.String(length=100), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("due_at", TIME, nullable=False),
        sa.Column("leased_until", TIME, nullable=True),
        sa.Column("worker", sa.String(length=100), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "argument", name="pk_jobs"),
        **OPTIONS,
    )
    op.create_index("ix_jobs_due_at", "jobs", ["due_at"])
    op.create_table(
        "workers",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_workers"),
        **OPTIONS,
    )
    op.create_table(
        "searches",
        sa.Column("words", sa.String(length=256), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.Column("found", sa.Integer(), nullable=False),
        sa.Column("last_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("words", name="pk_searches"),
        **OPTIONS,
    )
    op.create_index("ix_searches_last_at", "searches", ["last_at"])
    op.create_table(
        "clicks",
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("shop", sa.String(length=100), nullable=False),
        sa.Column("axis", sa.String(length=60), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "shop", "axis", "slug", name="pk_clicks"),
        **OPTIONS,
    )
    op.create_table(
        "previews",
        sa.Column("source_id", ID, autoincrement=False, nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.Column("document", LONG, nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["sources.id"], name="fk_previews_source_id"),
        sa.PrimaryKeyConstraint("source_id", name="pk_previews"),
        **OPTIONS,
    )
    op.create_table(
        "corrections",
        sa.Column("offer_id", ID, autoincrement=False, nullable=False),
        sa.Column("axis", sa.String(length=60), nullable=False),
        sa.Column("slug", sa.String(length=60), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["offer_id"], ["offers.id"], name="fk_corrections_offer_id"),
        sa.PrimaryKeyConstraint("offer_id", "axis", name="pk_corrections"),
        **OPTIONS,
    )
    op.create_table(
        "partings",
        sa.Column("shop_id", ID, autoincrement=False, nullable=False),
        sa.Column("group_key", sa.String(length=200), nullable=False),
        sa.Column("made_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["shop_id"], ["shops.id"], name="fk_partings_shop_id"),
        sa.PrimaryKeyConstraint("shop_id", "group_key", name="pk_partings"),
        **OPTIONS,
    )
