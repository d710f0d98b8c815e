"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0100"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "call_count",
        sa.Column("side", sa.String(length=16), nullable=False),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("side", "outcome", name=op.f("pk_call_count")),
    )
    op.create_table(
        "daily_count",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column(
            "step",
            sa.Enum(
                "requested",
                "mailed",
                "confirmed",
                "subscribed",
                "expired",
                "disowned",
                "mail_failed",
                "refused",
                name="step",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "step", name=op.f("pk_daily_count")),
    )
    op.create_table(
        "erasure",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("ref", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("address", sa.LargeBinary(), nullable=True),
        sa.Column("keep_block", sa.Boolean(), nullable=False),
        sa.Column("found", sa.JSON(), nullable=False),
        sa.Column("found_at_mailchimp", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("settles_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=64), nullable=True),
        sa.Column("mailchimp_done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("file_done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "completed_at IS NULL OR digest IS NULL", name=op.f("ck_erasure_ends_anonymous")
        ),
        sa.UniqueConstraint("digest", name=op.f("uq_erasure_digest")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_erasure")),
    )
    op.create_index("ix_erasure_ref", "erasure", ["ref"])
    op.create_index("ix_erasure_case_id", "erasure", ["case_id"])
    op.create_index("ix_erasure_completed_at", "erasure", ["completed_at", "requested_at"])
    for column, waits in (("requested_at", "mailchimp_done_at"), ("deleted_at", "file_done_at")):
        op.create_index(
            f"ix_erasure_{column}",
            "erasure",
            [column],
            sqlite_where=sa.text(f"{waits} IS NULL"),
            postgresql_where=sa.text(f"{waits} IS NULL"),
        )

    op.create_table(
        "inquiry",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "place",
            sa.Enum(
                "absent",
                "unknown",
                "subscribed",
                "unsubscribed",
                "awaiting",
                "refused",
                name="place",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("error", sa.String(length=64), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("has_mail_server", sa.Boolean(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inquiry")),
        sa.UniqueConstraint("digest", name=op.f("uq_inquiry_digest")),
    )
    op.create_index("ix_inquiry_asked_at", "inquiry", ["asked_at"])
    op.create_table(
        "job",
        sa.Column("name", sa.String(length=48), nullable=False),
        sa.Column("leased_by", sa.String(length=32), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ran_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_job")),
    )
    op.create_table(
        "keyring",
        sa.Column("id", sa.Integer(), autoincrement=True, nullable=False),
        sa.Column("purpose", sa.String(length=16), nullable=False),
        sa.Column("wrapped", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_keyring")),
    )
    op.create_table(
        "ledger_row",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ref", sa.String(length=32), nullable=False),
        sa.Column("round", sa.Integer(), nullable=True),
        sa.Column(
            "event",
            sa.Enum(
                "signup",
                "mail_sent",
                "mail_failed",
                "confirmed",
                "blocked",
                "lifted",
                "disowned",
                "rectified",
                "held",
                "released",
                "synced",
                "sync_failed",
                "expired",
                "erased",
                "viewed",
                "restored",
                "imported",
                name="event",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "reason",
            sa.Enum(
                "removed_at_mailchimp",
                "rectified",
                "unsubscribed",
                "bounce",
                "not_me",
                "complaint",
                "staff",
                name="reason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("detail", sa.String(length=64), nullable=True),
        sa.Column("wording", sa.String(length=64), nullable=True),
        sa.Column("template", sa.String(length=64), nullable=True),
        sa.Column("actor", sa.String(length=64), nullable=True),
        sa.Column("commitment", sa.LargeBinary(length=32), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_ledger_row")),
    )
    op.create_index("ix_ledger_row_ref", "ledger_row", ["ref"])

    op.create_table(
        "notice",
        sa.Column("code", sa.String(length=32), nullable=False),
        sa.Column("owner", sa.String(length=48), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("code", "owner", name=op.f("pk_notice")),
    )
    op.create_table(
        "quota",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("letters", sa.JSON(), nullable=False),
        sa.Column("touched_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_quota")),
    )
    op.create_index("ix_quota_touched_at", "quota", ["touched_at"])

    op.create_table(
        "wording",
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("language", sa.String(length=8), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agreed", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hash", name=op.f("pk_wording")),
    )
    op.create_table(
        "privacy_notice",
        sa.Column("wording", sa.String(length=64), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["wording"], ["wording.hash"], name=op.f("fk_privacy_notice_wording")
        ),
        sa.PrimaryKeyConstraint("wording", "since", name=op.f("pk_privacy_notice")),
    )
    op.create_table(
        "seal",
        sa.Column("position", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("row_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("seal", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["row_id"], ["ledger_row.id"], name=op.f("fk_seal_row_id")),
        sa.PrimaryKeyConstraint("position", name=op.f("pk_seal")),
        sa.UniqueConstraint("row_id", name=op.f("uq_seal_row_id")),
    )
    op.create_table(
        "subscription",
        sa.Column("ref", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "unknown",
                "pending",
                "confirmed",
                "blocked",
                "returning",
                name="status",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column(
            "reason",
            sa.Enum(
                "removed_at_mailchimp",
                "rectified",
                "unsubscribed",
                "bounce",
                "not_me",
                "complaint",
                "staff",
                name="reason",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("confirmed_round", sa.Integer(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("locale", sa.String(length=8), nullable=False),
        sa.Column("wording", sa.String(length=64), nullable=True),
        sa.Column("nonce", sa.LargeBinary(length=32), nullable=True),
        sa.Column("hold", sa.Boolean(), nullable=False),
        sa.Column("imported", sa.LargeBinary(), nullable=True),
        sa.Column("replaces_ref", sa.String(length=32), nullable=True),
        sa.Column("follows_ref", sa.String(length=32), nullable=True),
        sa.Column(
            "audience",
            sa.Enum(
                "absent",
                "unknown",
                "subscribed",
                "unsubscribed",
                "awaiting",
                "refused",
                name="audience",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("audience_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("audience_due_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("audience_tries", sa.Integer(), nullable=False),
        sa.Column("audience_error", sa.String(length=64), nullable=True),
        sa.Column(
            "audience_asked",
            sa.Enum(
                "absent",
                "unknown",
                "subscribed",
                "unsubscribed",
                "awaiting",
                "refused",
                name="asked",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=True,
        ),
        sa.Column("audience_settles_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("synced_round", sa.Integer(), nullable=True),
        sa.CheckConstraint(
            "(status IN ('blocked', 'returning')) = (reason IS NOT NULL)",
            name=op.f("ck_subscription_blocked_why"),
        ),
        sa.CheckConstraint(
            "(status IN ('pending', 'returning')) = (expires_at IS NOT NULL)",
            name=op.f("ck_subscription_open_ends"),
        ),
        sa.CheckConstraint("status <> 'unknown'", name=op.f("ck_subscription_somewhere")),
        sa.CheckConstraint(
            "address IS NOT NULL OR (status = 'blocked' AND audience = 'absent')",
            name=op.f("ck_subscription_reachable"),
        ),
        sa.ForeignKeyConstraint(
            ["wording"], ["wording.hash"], name=op.f("fk_subscription_wording")
        ),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_subscription")),
        sa.UniqueConstraint("digest", name=op.f("uq_subscription_digest")),
    )
    elsewhere = (
        "(coalesce(status, '') = 'confirmed' AND NOT hold"
        " AND audience IN ('absent', 'unknown', 'unsubscribed')"
        " OR (coalesce(status, '') IN ('blocked', 'returning')"
        " OR coalesce(status, '') = 'confirmed' AND hold"
        " OR coalesce(status, '') = 'pending' AND replaces_ref IS NOT NULL)"
        " AND audience IN ('subscribed', 'unknown', 'awaiting'))"
    )
    not_taken = (
        "(coalesce(status, '') = 'confirmed' AND NOT hold AND audience IN ('refused', 'awaiting'))"
    )
    for name, waits in (("audience_due_since", elsewhere), ("not_taken", not_taken)):
        op.create_index(
            f"ix_subscription_{name}",
            "subscription",
            ["audience_due_since"],
            sqlite_where=sa.text(waits),
            postgresql_where=sa.text(waits),
        )
    op.create_index(
        "ix_subscription_expires_at",
        "subscription",
        ["expires_at"],
        sqlite_where=sa.text("expires_at IS NOT NULL"),
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.create_index(
        "ix_subscription_follows_ref",
        "subscription",
        ["follows_ref"],
        sqlite_where=sa.text("follows_ref IS NOT NULL"),
        postgresql_where=sa.text("follows_ref IS NOT NULL"),
    )
    op.create_index(
        "ix_subscription_place", "subscription", ["status", "hold", "audience", "audience_try_at"]
    )

    op.create_table(
        "letter",
        sa.Column(
            "number",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("ref", sa.String(length=32), nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "confirmation",
                "way_back",
                "my_data",
                name="kind",
                native_enum=False,
                create_constraint=True,
                length=32,
            ),
            nullable=False,
        ),
        sa.Column("wording", sa.String(length=64), nullable=False),
        sa.Column("template", sa.String(length=64), nullable=True),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("leased_by", sa.String(length=32), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("copies", sa.Integer(), nullable=False),
        sa.Column("error", sa.String(length=64), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["ref"], ["subscription.ref"], name=op.f("fk_letter_ref"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(["wording"], ["wording.hash"], name=op.f("fk_letter_wording")),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_letter")),
        sa.UniqueConstraint("id", name=op.f("uq_letter_id")),
    )
    op.create_index(
        "ix_letter_due_at",
        "letter",
        ["due_at", "number"],
        sqlite_where=sa.text("sent_at IS NULL AND failed_at IS NULL"),
        postgresql_where=sa.text("sent_at IS NULL AND failed_at IS NULL"),
    )
    op.create_index(
        "ix_letter_failed_at",
        "letter",
        ["failed_at"],
        sqlite_where=sa.text("failed_at IS NOT NULL"),
        postgresql_where=sa.text("failed_at IS NOT NULL"),
    )
    op.create_index("ix_letter_ref", "letter", ["ref"])

    op.create_table(
        "retention_run",
        sa.Column(
            "id",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            autoincrement=True,
            nullable=False,
        ),
        sa.Column("ran_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counts", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_run")),
    )
    op.create_index("ix_retention_run_ran_at", "retention_run", ["ran_at"])
    for table in ("ledger_row", "seal"):
        _append_only(table)


def _append_only(table: str) -> None:
    """Let rows only be added. A later migration that rebuilds the table must do this again."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
    )
