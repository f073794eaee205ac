"""What running the bridge needs beside records and charts."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Every table of `running_tables`."""
    op.create_table(
        "activation",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("activated_at", BIG, nullable=False),
        sa.Column("activated_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=("pk_activation")),
    )
    op.create_table(
        "alert",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("opened_at", BIG, autoincrement=False, nullable=False),
        sa.Column("cause", sa.Text(), nullable=False),
        sa.Column("closed_at", BIG, nullable=True),
        sa.Column("told_at", BIG, nullable=True),
        sa.Column("told_closed_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("connection", "opened_at", name=("pk_alert")),
    )
    op.create_index(
        "ix_alert_open",
        "alert",
        ["connection"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "audit",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("at", BIG, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("seal", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=("pk_audit")),
    )
    op.create_index(
        "ix_audit_unsealed",
        "audit",
        ["agency", "id"],
        unique=False,
        sqlite_where=sa.text("seal IS NULL"),
        postgresql_where=sa.text("seal IS NULL"),
    )
    op.create_table(
        "audit_seal",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.Column("sealed_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("id", name=("pk_audit_seal")),
        sa.UniqueConstraint("agency", "number", name=("uq_audit_seal_agency_number")),
    )
    op.create_table(
        "budget",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("span", sa.Text(), nullable=False),
        sa.Column("begins", BIG, autoincrement=False, nullable=False),
        sa.Column("taken", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("connection", "span", "begins", name=("pk_budget")),
    )
    op.create_table(
        "connection_state",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("closed_until", BIG, server_default="0", nullable=False),
        sa.Column("reason", sa.Text(), server_default="", nullable=False),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("not_before", BIG, server_default="0", nullable=False),
        sa.Column("because", sa.Text(), server_default="", nullable=False),
        sa.Column("learned_per_minute", sa.Integer(), nullable=True),
        sa.Column("learned_at", BIG, nullable=True),
        sa.Column("at_once", sa.Integer(), nullable=True),
        sa.Column("statement", sa.LargeBinary(), nullable=True),
        sa.Column("statement_at", BIG, nullable=True),
        sa.Column("statement_digest", sa.Text(), server_default="", nullable=False),
        sa.Column("changed_at", BIG, nullable=True),
        sa.Column("changes", sa.Text(), server_default="[]", nullable=False),
        sa.Column("token_calls", BIG, server_default="0", nullable=False),
        sa.Column("token_failures", BIG, server_default="0", nullable=False),
        sa.Column("token_narrowed", BIG, server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("connection", name=("pk_connection_state")),
    )
    op.create_table(
        "learned",
        sa.Column("connection", sa.Text(), nullable=False),
        sa.Column("resource_type", sa.Text(), nullable=False),
        sa.Column("interaction", sa.Text(), nullable=False),
        sa.Column("because", sa.Text(), nullable=False),
        sa.Column("learned_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("connection", "resource_type", "interaction", name=("pk_learned")),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("until", BIG, nullable=False),
        sa.Column("ran_at", BIG, nullable=True),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failed_at", BIG, nullable=True),
        sa.Column("why", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("name", name=("pk_lease")),
    )
    op.create_table(
        "session",
        sa.Column("token_hash", sa.Text(), nullable=False),
        sa.Column("use", sa.Text(), nullable=False),
        sa.Column("user", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), server_default="", nullable=False),
        sa.Column("expires_at", BIG, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=("pk_session")),
    )
    op.create_table(
        "signing_key",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("algorithm", sa.Text(), nullable=False),
        sa.Column("kid", sa.Text(), nullable=False),
        sa.Column("public", sa.Text(), nullable=False),
        sa.Column("private", sa.LargeBinary(), nullable=False),
        sa.Column("wrapping_key", sa.Text(), nullable=False),
        sa.Column("made_at", BIG, nullable=False),
        sa.Column("signs_from", BIG, nullable=False),
        sa.Column("retired_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=("pk_signing_key")),
        sa.UniqueConstraint("kid", name=("uq_signing_key_kid")),
    )
    op.create_table(
        "suspension",
        sa.Column("practice", sa.Text(), nullable=False),
        sa.Column("since", BIG, nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("practice", name=("pk_suspension")),
    )
