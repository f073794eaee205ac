"""The first ledger."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Every table of records and entries, the counters and the first era."""
    op.create_table(
        "blob",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("person", BIG, nullable=False),
        sa.Column("codec", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=("pk_blob")),
    )
    op.create_index(("ix_blob_person"), "blob", ["person"], unique=False)
    op.create_table(
        "counter",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("next", BIG, nullable=False),
        sa.PrimaryKeyConstraint("name", name=("pk_counter")),
    )
    op.create_table(
        "era",
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("began_at", BIG, nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("number", name=("pk_era")),
    )
    op.create_table(
        "hold",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("practice", sa.Text(), server_default="", nullable=False),
        sa.Column("record", BIG, nullable=True),
        sa.Column("entry", BIG, nullable=True),
        sa.Column("subject", BIG, nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("waits_for", sa.Text(), nullable=False),
        sa.Column("owner", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("next_step", sa.Text(), nullable=False),
        sa.Column("opened_at", BIG, nullable=False),
        sa.Column("due_at", BIG, nullable=False),
        sa.Column("closed_at", BIG, nullable=True),
        sa.Column("closed_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=("pk_hold")),
    )
    op.create_index(
        "ix_hold_agency",
        "hold",
        ["agency", "opened_at"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_index("ix_hold_entry", "hold", ["entry"], unique=False)
    op.create_index("ix_hold_record", "hold", ["record"], unique=False)
    op.create_index(
        "ix_hold_waits_for",
        "hold",
        ["waits_for"],
        unique=False,
        sqlite_where=sa.text("closed_at IS NULL"),
        postgresql_where=sa.text("closed_at IS NULL"),
    )
    op.create_table(
        "person",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("position", BIG, server_default="0", nullable=False),
        sa.Column("consent_revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("role", sa.Text(), server_default="", nullable=False),
        sa.Column("practice", sa.Text(), server_default="", nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("wrapping_key", sa.Text(), nullable=False),
        sa.Column("patient_blob", BIG, nullable=True),
        sa.Column("custody", sa.Text(), server_default="", nullable=False),
        sa.Column("places_at", BIG, nullable=True),
        sa.PrimaryKeyConstraint("id", name=("pk_person")),
        sa.UniqueConstraint("agency", "source", name=("uq_person_agency_source")),
    )
    op.create_index(
        "ix_person_places",
        "person",
        ["places_at"],
        unique=False,
        sqlite_where=sa.text("places_at IS NOT NULL"),
        postgresql_where=sa.text("places_at IS NOT NULL"),
    )
    op.create_table(
        "table_row",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("table_name", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("start", sa.Text(), nullable=False),
        sa.Column("row", sa.Text(), nullable=False),
        sa.Column("recorded_at", BIG, nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=("pk_table_row")),
        sa.UniqueConstraint(
            "agency", "table_name", "code", "start", name=("uq_table_row_agency_table_name_code_start")
        ),
    )
    op.create_table(
        "catching_up",
        sa.Column("person", BIG, autoincrement=False, nullable=False),
        sa.Column("practice", sa.Text(), nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("after", BIG, nullable=False),
        sa.Column("due_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=("fk_catching_up_person")),
        sa.PrimaryKeyConstraint("person", "practice", name=("pk_catching_up")),
    )
    op.create_index("ix_catching_up_due", "catching_up", ["due_at"], unique=False)
    op.create_table(
        "consent",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("person", BIG, nullable=False),
        sa.Column("practice", sa.Text(), nullable=False),
        sa.Column("start", BIG, nullable=False),
        sa.Column("until", BIG, nullable=True),
        sa.Column("revoked", BIG, nullable=True),
        sa.Column("ended", BIG, nullable=True),
        sa.Column("suspended", BIG, nullable=True),
        sa.Column("tell_at", BIG, nullable=True),
        sa.Column("terms_blob", BIG, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("source_ref", sa.Text(), server_default="", nullable=False),
        sa.Column("recorded_at", BIG, nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=("fk_consent_person")),
        sa.PrimaryKeyConstraint("id", name=("pk_consent")),
    )
    op.create_index("ix_consent_person", "consent", ["person", "practice"], unique=False)
    op.create_index(
        "ix_consent_tell",
        "consent",
        ["tell_at"],
        unique=False,
        sqlite_where=sa.text("tell_at IS NOT NULL"),
        postgresql_where=sa.text("tell_at IS NOT NULL"),
    )
    op.create_table(
        "lane",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("practice", sa.Text(), nullable=False),
        sa.Column("person", BIG, nullable=False),
        sa.Column("due_at", BIG, nullable=True),
        sa.Column("urgency", sa.Integer(), server_default="0", nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("epoch", sa.Integer(), server_default="0", nullable=False),
        sa.Column("until", BIG, server_default="0", nullable=False),
        sa.Column("seen", sa.Integer(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=("fk_lane_person")),
        sa.PrimaryKeyConstraint("id", name=("pk_lane")),
        sa.UniqueConstraint("agency", "practice", "person", name=("uq_lane_agency_practice_person")),
    )
    op.create_index(
        "ix_lane_due",
        "lane",
        ["urgency", "due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index(("ix_lane_person"), "lane", ["person"], unique=False)
    op.create_table(
        "link",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("person", BIG, nullable=False),
        sa.Column("practice", sa.Text(), nullable=False),
        sa.Column("value_hash", sa.Text(), nullable=False),
        sa.Column("value_blob", BIG, nullable=False),
        sa.Column("basis", sa.Text(), nullable=False),
        sa.Column("patient", sa.Text(), server_default="", nullable=False),
        sa.Column("matched_at", BIG, server_default="0", nullable=False),
        sa.Column("recorded_at", BIG, nullable=False),
        sa.Column("recorded_by", sa.Text(), nullable=False),
        sa.Column("retired_at", BIG, nullable=True),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=("fk_link_person")),
        sa.PrimaryKeyConstraint("id", name=("pk_link")),
    )
    op.create_index("ix_link_patient", "link", ["practice", "patient"], unique=False)
    op.create_index(
        "ix_link_person",
        "link",
        ["person", "practice"],
        unique=True,
        sqlite_where=sa.text("retired_at IS NULL"),
        postgresql_where=sa.text("retired_at IS NULL"),
    )
    op.create_index("ix_link_value", "link", ["practice", "value_hash"], unique=False)
    op.create_table(
        "record",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("thing", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source_id", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("person", BIG, nullable=False),
        sa.Column("position", BIG, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("final", sa.Boolean(), nullable=False),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.Column("occurred_at", BIG, nullable=True),
        sa.Column("accepted_at", BIG, nullable=False),
        sa.Column("raw_blob", BIG, nullable=False),
        sa.Column("due_at", BIG, nullable=True),
        sa.Column("claims", sa.Integer(), server_default="0", nullable=False),
        sa.Column("owner", sa.Text(), nullable=True),
        sa.Column("mapping_hash", sa.Text(), nullable=True),
        sa.Column("engine_hash", sa.Text(), nullable=True),
        sa.Column("definitions_hash", sa.Text(), nullable=True),
        sa.Column("weight", sa.Text(), server_default="", nullable=False),
        sa.Column("decided", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('accepted', 'translated', 'held', 'superseded')", name=("ck_record_state")),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=("fk_record_person")),
        sa.PrimaryKeyConstraint("id", name=("pk_record")),
        sa.UniqueConstraint("thing", "ordinal", name=("uq_record_thing_ordinal")),
    )
    op.create_index(
        "ix_record_due",
        "record",
        ["due_at"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL"),
        postgresql_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_record_person", "record", ["person", "position"], unique=False)
    op.create_index("ix_record_state", "record", ["agency", "state"], unique=False)
    op.create_table(
        "referral",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("practice", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("value_hash", sa.Text(), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("void", sa.Boolean(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("person", BIG, nullable=False),
        sa.Column("raw_blob", BIG, nullable=False),
        sa.Column("received_at", BIG, nullable=False),
        sa.Column("received_by", sa.Text(), nullable=False),
        sa.Column("answered_at", BIG, nullable=True),
        sa.Column("answered_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=("fk_referral_person")),
        sa.PrimaryKeyConstraint("id", name=("pk_referral")),
        sa.UniqueConstraint("agency", "practice", "name", "ordinal", name=("uq_referral_agency_practice_name_ordinal")),
    )
    op.create_index("ix_referral_person", "referral", ["person"], unique=False)
    op.create_index("ix_referral_received", "referral", ["agency", "received_at"], unique=False)
    op.create_index("ix_referral_value", "referral", ["agency", "practice", "value_hash"], unique=False)
    op.create_table(
        "entry",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("program", sa.Text(), nullable=False),
        sa.Column("practice", sa.Text(), nullable=False),
        sa.Column("lane", BIG, nullable=False),
        sa.Column("person", BIG, nullable=False),
        sa.Column("thread", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("route", sa.Text(), nullable=False),
        sa.Column("resource_type", sa.Text(), nullable=False),
        sa.Column("parts", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("urgency", sa.Integer(), server_default="0", nullable=False),
        sa.Column("record", BIG, nullable=False),
        sa.Column("position", BIG, nullable=False),
        sa.Column("revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("should", sa.Boolean(), nullable=False),
        sa.Column("should_digest", sa.Text(), nullable=False),
        sa.Column("stands_id", sa.Text(), nullable=True),
        sa.Column("stands_version", sa.Text(), nullable=True),
        sa.Column("stands_digest", sa.Text(), nullable=True),
        sa.Column("stands_patient", sa.Text(), nullable=True),
        sa.Column("recalled", sa.Text(), nullable=True),
        sa.Column("doubted", sa.Integer(), server_default="0", nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("replaced", sa.Integer(), server_default="0", nullable=False),
        sa.Column("occurred_at", BIG, nullable=True),
        sa.Column("withheld", sa.Integer(), server_default="0", nullable=False),
        sa.Column("confirmed", sa.Text(), nullable=True),
        sa.Column("due_at", BIG, nullable=True),
        sa.Column("look_first", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("absent", sa.Integer(), server_default="0", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("claims", sa.Integer(), server_default="0", nullable=False),
        sa.Column("faults", sa.Integer(), server_default="0", nullable=False),
        sa.Column("gathers_from", BIG, nullable=True),
        sa.Column("gathers_until", BIG, nullable=True),
        sa.Column("updated_at", BIG, nullable=False),
        sa.CheckConstraint(
            "state IN ('ready', 'sending', 'delivered', 'handed-over', 'held', 'refused', 'unknown', 'cancelled', 'retracted')",  # noqa: E501
            name=("ck_entry_state"),
        ),
        sa.ForeignKeyConstraint(["lane"], ["lane.id"], name=("fk_entry_lane")),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=("fk_entry_person")),
        sa.ForeignKeyConstraint(["record"], ["record.id"], name=("fk_entry_record")),
        sa.PrimaryKeyConstraint("id", name=("pk_entry")),
        sa.UniqueConstraint("thread", "practice", "person", "name", name=("uq_entry_thread_practice_person_name")),
    )
    op.create_index(
        "ix_entry_lane",
        "entry",
        ["lane"],
        unique=False,
        sqlite_where=sa.text("due_at IS NOT NULL OR state IN ('ready', 'sending', 'held', 'unknown', 'refused')"),
        postgresql_where=sa.text("due_at IS NOT NULL OR state IN ('ready', 'sending', 'held', 'unknown', 'refused')"),
    )
    op.create_index("ix_entry_person", "entry", ["person"], unique=False)
    op.create_index("ix_entry_record", "entry", ["record"], unique=False)
    op.create_index("ix_entry_state", "entry", ["practice", "state"], unique=False)
    op.create_table(
        "translation",
        sa.Column("record", BIG, autoincrement=False, nullable=False),
        sa.Column("person", BIG, autoincrement=False, nullable=False),
        sa.Column("parts_blob", BIG, nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=("fk_translation_person")),
        sa.ForeignKeyConstraint(["record"], ["record.id"], name=("fk_translation_record")),
        sa.PrimaryKeyConstraint("record", "person", name=("pk_translation")),
    )
    op.create_index(("ix_translation_person"), "translation", ["person"], unique=False)
    op.create_table(
        "member",
        sa.Column("entry", BIG, autoincrement=False, nullable=False),
        sa.Column("thing", sa.Text(), nullable=False),
        sa.Column("record", BIG, nullable=False),
        sa.Column("parts", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["entry"], ["entry.id"], name=("fk_member_entry")),
        sa.ForeignKeyConstraint(["record"], ["record.id"], name=("fk_member_record")),
        sa.PrimaryKeyConstraint("entry", "thing", name=("pk_member")),
    )
    op.create_index("ix_member_record", "member", ["record"], unique=False)
    op.create_index("ix_member_thing", "member", ["thing"], unique=False)
    op.create_table(
        "step",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("practice", sa.Text(), nullable=False),
        sa.Column("entry", BIG, nullable=False),
        sa.Column("record", BIG, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("patient", sa.Text(), server_default="", nullable=False),
        sa.Column("target", sa.Text(), server_default="", nullable=False),
        sa.Column("consents", sa.Text(), server_default="", nullable=False),
        sa.Column("places", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("begun_at", BIG, nullable=False),
        sa.Column("answered_at", BIG, nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("status", sa.Integer(), nullable=True),
        sa.Column("stands_id", sa.Text(), nullable=True),
        sa.Column("stands_version", sa.Text(), nullable=True),
        sa.Column("request_blob", BIG, nullable=True),
        sa.Column("receipt_blob", BIG, nullable=True),
        sa.ForeignKeyConstraint(["entry"], ["entry.id"], name=("fk_step_entry")),
        sa.PrimaryKeyConstraint("id", name=("pk_step")),
    )
    op.create_index(("ix_step_entry"), "step", ["entry"], unique=False)
    op.execute("INSERT INTO counter (name, next) VALUES ('id', 1), ('rows', 1)")
    op.execute("INSERT INTO era (number, began_at, reason) VALUES (1, 0, 'first')")
