"""Charts that were merged, and charts that were the wrong ones."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Every table of `chart_tables`."""
    op.create_table(
        "incident",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("practice", sa.Text(), nullable=False),
        sa.Column("person", BIG, nullable=False),
        sa.Column("patient", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", BIG, nullable=False),
        sa.Column("entries", sa.Integer(), nullable=False),
        sa.Column("opened_at", BIG, nullable=False),
        sa.Column("opened_by", sa.Text(), nullable=False),
        sa.Column("lifted_at", BIG, nullable=True),
        sa.Column("lifted_by", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=("fk_incident_person")),
        sa.PrimaryKeyConstraint("id", name=("pk_incident")),
    )
    op.create_index("ix_incident_person", "incident", ["person", "practice"], unique=False)
    op.create_table(
        "merged_chart",
        sa.Column("id", BIG, autoincrement=False, nullable=False),
        sa.Column("agency", sa.Text(), nullable=False),
        sa.Column("practice", sa.Text(), nullable=False),
        sa.Column("person", BIG, nullable=False),
        sa.Column("patient", sa.Text(), nullable=False),
        sa.Column("into", sa.Text(), nullable=False),
        sa.Column("seen_at", BIG, nullable=False),
        sa.ForeignKeyConstraint(["person"], ["person.id"], name=("fk_merged_chart_person")),
        sa.PrimaryKeyConstraint("id", name=("pk_merged_chart")),
        sa.UniqueConstraint("person", "practice", "patient", name=("uq_merged_chart_person_practice_patient")),
    )
