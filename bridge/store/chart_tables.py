"""The tables of charts that were not what they seemed: merged into another, or another person's."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from bridge.store.columns import BIG, key, metadata

merged_chart = Table(
    "merged_chart",
    metadata,
    key(),
    Column("agency", Text, nullable=False),
    Column("practice", Text, nullable=False),
    Column("person", BIG, ForeignKey("person.id"), nullable=False),  # of whom it was the chart
    Column("patient", Text, nullable=False),  # the EHR's Patient id that was
    Column("into", Text, nullable=False),  # the one that has its place
    Column("seen_at", BIG, nullable=False),
    UniqueConstraint("person", "practice", "patient"),
)

incident = Table(
    "incident",
    metadata,
    key(),
    Column("agency", Text, nullable=False),
    Column("practice", Text, nullable=False),
    Column("person", BIG, ForeignKey("person.id"), nullable=False),  # whose records went astray
    Column("patient", Text, nullable=False),  # the EHR's Patient id they went to
    Column("reason", Text, nullable=False),  # wrong-chart | content
    Column("since", BIG, nullable=False),  # steps from then on are recalled; 0 = all
    Column("entries", Integer, nullable=False),  # marked for withdrawal, so far
    Column("opened_at", BIG, nullable=False),
    Column("opened_by", Text, nullable=False),
    Column("lifted_at", BIG),  # somebody said that the chart was the right one
    Column("lifted_by", Text),
)
Index("ix_incident_person", incident.c.person, incident.c.practice)
