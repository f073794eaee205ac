"""The ledger's tables: one schema for SQLite and PostgreSQL.

Every row belongs to an agency and, where it leaves, a practice: tenancy is in the keys. Instants are integer
microseconds UTC. Personal content is only in `blob`, encrypted; `*_blob` columns refer to it. Ids are handed out in
blocks (`ids.Ids`) and order nothing; order comes from `record.position`, a counter on the person's row.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    literal_column,
    or_,
    text,
)

from bridge.model import UNRESOLVED, EntryState, RecordState
from bridge.store.chart_tables import incident as incident
from bridge.store.chart_tables import merged_chart as merged_chart
from bridge.store.columns import BIG as BIG
from bridge.store.columns import key as key
from bridge.store.columns import metadata as metadata
from bridge.store.running_tables import OPEN_ALERT as OPEN_ALERT
from bridge.store.running_tables import TOKEN_COUNTS as TOKEN_COUNTS
from bridge.store.running_tables import activation as activation
from bridge.store.running_tables import alert as alert
from bridge.store.running_tables import audit as audit
from bridge.store.running_tables import audit_seal as audit_seal
from bridge.store.running_tables import budget as budget
from bridge.store.running_tables import connection_state as connection_state
from bridge.store.running_tables import learned as learned
from bridge.store.running_tables import lease as lease
from bridge.store.running_tables import session as session
from bridge.store.running_tables import signing_key as signing_key
from bridge.store.running_tables import suspension as suspension


def one_of(states: type[RecordState] | type[EntryState]) -> str:
    """The check that a row is in one of these states."""
    return "state IN (" + ", ".join(f"'{state.value}'" for state in states) + ")"


counter = Table("counter", metadata, Column("name", Text, primary_key=True), Column("next", BIG, nullable=False))

era = Table(
    "era",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("began_at", BIG, nullable=False),
    Column("reason", Text, nullable=False),
)

person = Table(
    "person",
    metadata,
    key(),
    Column("agency", Text, nullable=False),
    Column("source", Text, nullable=False),  # the agency's own id of the person
    Column("position", BIG, nullable=False, server_default="0"),
    # counts what decisions about this person rest on: consents, links, the practice named
    Column("consent_revision", Integer, nullable=False, server_default="0"),
    Column("role", Text, nullable=False, server_default=""),  # in which records speak of them: child, caregiver
    Column("practice", Text, nullable=False, server_default=""),  # the practice the agency's record names
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("wrapping_key", Text, nullable=False),
    Column("patient_blob", BIG),  # the latest canonical Patient
    Column("custody", Text, nullable=False, server_default=""),  # keyed hash of who has it; "" = nobody said so far
    # a record said then that they must not be found: what stands of their family is to be looked at; NULL = it was
    Column("places_at", BIG),
    UniqueConstraint("agency", "source"),
)
TO_LOOK_AT = person.c.places_at.isnot(None)
Index("ix_person_places", person.c.places_at, sqlite_where=TO_LOOK_AT, postgresql_where=TO_LOOK_AT)

blob = Table(
    "blob",
    metadata,
    key(),
    Column("agency", Text, nullable=False),
    Column("person", BIG, nullable=False),
    Column("codec", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),
)
Index(None, blob.c.person)

record = Table(
    "record",
    metadata,
    key(),
    Column("agency", Text, nullable=False),
    Column("program", Text, nullable=False),
    Column("thing", Text, nullable=False),  # agency/kind/source id: what the versions are versions of
    Column("kind", Text, nullable=False),
    Column("source_id", Text, nullable=False),
    Column("ordinal", Integer, nullable=False),
    Column("version", Text, nullable=False),
    Column("person", BIG, ForeignKey("person.id"), nullable=False),
    Column("position", BIG, nullable=False),
    Column("digest", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("final", Boolean(create_constraint=False), nullable=False),
    Column("void", Boolean(create_constraint=False), nullable=False),
    Column("occurred_at", BIG),
    Column("accepted_at", BIG, nullable=False),
    Column("raw_blob", BIG, nullable=False),
    Column("due_at", BIG),  # when a worker may translate it; NULL = nothing to do
    Column("claims", Integer, nullable=False, server_default="0"),
    Column("owner", Text),
    Column("mapping_hash", Text),
    Column("engine_hash", Text),
    Column("definitions_hash", Text),
    Column("weight", Text, nullable=False, server_default=""),  # significant | urgent: what its kind declares so
    Column("decided", Text),  # a person's word on this version: send | keep (answers.decide_record)
    UniqueConstraint("thing", "ordinal"),
    CheckConstraint(one_of(RecordState), name="state"),
)
Index(
    "ix_record_due",
    record.c.due_at,
    sqlite_where=record.c.due_at.isnot(None),
    postgresql_where=record.c.due_at.isnot(None),
)
Index("ix_record_person", record.c.person, record.c.position)
Index("ix_record_state", record.c.agency, record.c.state)

translation = Table(
    "translation",
    metadata,
    Column("record", BIG, ForeignKey("record.id"), primary_key=True, autoincrement=False),
    Column("person", BIG, ForeignKey("person.id"), primary_key=True, autoincrement=False),
    Column("parts_blob", BIG, nullable=False),
)
Index(None, translation.c.person)

catching_up = Table(
    "catching_up",
    metadata,
    Column("person", BIG, ForeignKey("person.id"), primary_key=True, autoincrement=False),
    Column("practice", Text, primary_key=True),  # it came to know the person after their records had been planned
    Column("agency", Text, nullable=False),
    Column("after", BIG, nullable=False),  # the records up to this id are planned for it
    Column("due_at", BIG, nullable=False),
)
Index("ix_catching_up_due", catching_up.c.due_at)

lane = Table(
    "lane",
    metadata,
    key(),
    Column("agency", Text, nullable=False),
    Column("practice", Text, nullable=False),
    Column("person", BIG, ForeignKey("person.id"), nullable=False),
    Column("due_at", BIG),  # the earliest entry's time; NULL = nothing to do
    Column("urgency", Integer, nullable=False, server_default="0"),  # the most urgent entry's that is due some time
    Column("owner", Text),
    Column("epoch", Integer, nullable=False, server_default="0"),
    Column("until", BIG, nullable=False, server_default="0"),
    Column("seen", Integer, nullable=False, server_default="0"),  # the person's consent_revision when it was claimed
    UniqueConstraint("agency", "practice", "person"),
)
Index(None, lane.c.person)
Index(
    "ix_lane_due", lane.c.urgency, lane.c.due_at,
    sqlite_where=lane.c.due_at.isnot(None), postgresql_where=lane.c.due_at.isnot(None),
)  # fmt: skip

entry = Table(
    "entry",
    metadata,
    key(),
    Column("agency", Text, nullable=False),
    Column("program", Text, nullable=False),
    Column("practice", Text, nullable=False),
    Column("lane", BIG, ForeignKey("lane.id"), nullable=False),
    Column("person", BIG, ForeignKey("person.id"), nullable=False),
    Column("thread", Text, nullable=False),  # the thing whose versions it follows
    Column("name", Text, nullable=False),  # the route's name within the record: "document" or a part
    Column("kind", Text, nullable=False),
    Column("route", Text, nullable=False),  # document | handoff | discrete
    Column("resource_type", Text, nullable=False),
    Column("parts", Text, nullable=False),  # names of the parts, space-separated
    Column("rank", Integer, nullable=False),
    Column("urgency", Integer, nullable=False, server_default="0"),  # 1 urgent, 0 routine, -1 replay
    Column("record", BIG, ForeignKey("record.id"), nullable=False),
    Column("position", BIG, nullable=False),
    Column("revision", Integer, nullable=False, server_default="0"),  # counts plans; a step rests on one
    Column("state", Text, nullable=False),
    Column("should", Boolean(create_constraint=False), nullable=False),  # should anything stand
    Column("should_digest", Text, nullable=False),
    Column("stands_id", Text),
    Column("stands_version", Text),
    Column("stands_digest", Text),
    Column("stands_patient", Text),  # the EHR's Patient id in whose chart it stands
    Column("recalled", Text),  # the Patient id in whose chart nothing of it may stand: it was another person's
    Column("doubted", Integer, nullable=False, server_default="0"),  # later looks to make: a copy may have come late
    Column("reference", Text, nullable=False),  # the delivery reference
    Column("replaced", Integer, nullable=False, server_default="0"),  # documents that took the first one's place
    Column("occurred_at", BIG),  # the record's clinical instant
    Column("withheld", Integer, nullable=False, server_default="0"),
    Column("confirmed", Text),  # the digest of what a person said may leave though the guard found something
    Column("due_at", BIG),
    Column("look_first", Boolean(create_constraint=False), nullable=False, server_default=text("false")),
    Column("absent", Integer, nullable=False, server_default="0"),  # looks in a row that found nothing
    Column("attempts", Integer, nullable=False, server_default="0"),  # requests that left, hand-overs tried, in a row
    Column("claims", Integer, nullable=False, server_default="0"),  # claims in a row without an outcome
    Column("faults", Integer, nullable=False, server_default="0"),  # errors of ours in a row that ended its turn
    Column("gathers_from", BIG),  # a roll-up's window: the clinical instants it gathers, NULL = no roll-up
    Column("gathers_until", BIG),  # exclusive; it is not sent before
    Column("updated_at", BIG, nullable=False),
    UniqueConstraint("thread", "practice", "person", "name"),
    CheckConstraint(one_of(EntryState), name="state"),
)
# Literals, not parameters: both engines use a partial index only where the query says word for word what it says.
OPEN_ENTRY = or_(
    entry.c.due_at.isnot(None), entry.c.state.in_([literal_column(f"'{state.value}'", Text) for state in UNRESOLVED])
)
Index("ix_entry_lane", entry.c.lane, sqlite_where=OPEN_ENTRY, postgresql_where=OPEN_ENTRY)
Index("ix_entry_state", entry.c.practice, entry.c.state)
Index("ix_entry_record", entry.c.record)
Index("ix_entry_person", entry.c.person)

member = Table(
    "member",
    metadata,
    Column("entry", BIG, ForeignKey("entry.id"), primary_key=True, autoincrement=False),
    Column("thing", Text, primary_key=True),  # what the roll-up tells of
    Column("record", BIG, ForeignKey("record.id"), nullable=False),  # the version it tells
    Column("parts", Text, nullable=False),  # names of the parts, space-separated
)
Index("ix_member_thing", member.c.thing)
Index("ix_member_record", member.c.record)

step = Table(
    "step",
    metadata,
    key(),
    Column("agency", Text, nullable=False),
    Column("practice", Text, nullable=False),
    Column("entry", BIG, ForeignKey("entry.id"), nullable=False),
    Column("record", BIG, nullable=False),
    Column("action", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("patient", Text, nullable=False, server_default=""),  # the EHR's Patient id of the chart it went to
    Column("target", Text, nullable=False, server_default=""),  # the id of what it changes; "" = it makes something new
    Column("consents", Text, nullable=False, server_default=""),  # what it rested on: ids, space-separated
    Column(
        "places", Boolean(create_constraint=False), nullable=False, server_default=text("false")
    ),  # what it carries tells where somebody is
    Column("begun_at", BIG, nullable=False),
    Column("answered_at", BIG),
    Column("answer", Text),
    Column("code", Text),
    Column("status", Integer),
    Column("stands_id", Text),
    Column("stands_version", Text),
    Column("request_blob", BIG),
    Column("receipt_blob", BIG),
)
Index(None, step.c.entry)

hold = Table(
    "hold",
    metadata,
    key(),
    Column("agency", Text, nullable=False),
    Column("practice", Text, nullable=False, server_default=""),
    Column("record", BIG),
    Column("entry", BIG),
    Column("subject", BIG),  # the person it is about where it is about neither
    Column("reason", Text, nullable=False),
    Column("waits_for", Text, nullable=False),
    Column("owner", Text, nullable=False),
    Column("rule", Text, nullable=False),
    Column("next_step", Text, nullable=False),
    Column("opened_at", BIG, nullable=False),
    Column("due_at", BIG, nullable=False),
    Column("closed_at", BIG),
    Column("closed_by", Text),
)
OPEN_HOLD = hold.c.closed_at.is_(None)
Index("ix_hold_waits_for", hold.c.waits_for, sqlite_where=OPEN_HOLD, postgresql_where=OPEN_HOLD)
Index("ix_hold_entry", hold.c.entry)
Index("ix_hold_record", hold.c.record)
Index("ix_hold_agency", hold.c.agency, hold.c.opened_at, sqlite_where=OPEN_HOLD, postgresql_where=OPEN_HOLD)

consent = Table(
    "consent",
    metadata,
    key(),
    Column("agency", Text, nullable=False),
    Column("person", BIG, ForeignKey("person.id"), nullable=False),
    Column("practice", Text, nullable=False),
    Column("start", BIG, nullable=False),
    Column("until", BIG),
    Column("revoked", BIG),  # what it came from says so
    Column("ended", BIG),  # a person said so since: nothing that is sent again undoes it
    Column("suspended", BIG),  # who may consent came into question then
    Column("tell_at", BIG),  # from then on the practice is to be told that sharing ended; NULL = nothing to tell
    Column("terms_blob", BIG, nullable=False),  # who signed by which right, which classes, what for: encrypted
    Column("source", Text, nullable=False),  # roster | record | person | fhir
    Column("source_ref", Text, nullable=False, server_default=""),  # what it came from, so that a resend adds nothing
    Column("recorded_at", BIG, nullable=False),
    Column("recorded_by", Text, nullable=False),
)
TO_TELL = consent.c.tell_at.isnot(None)
Index("ix_consent_person", consent.c.person, consent.c.practice)
Index("ix_consent_tell", consent.c.tell_at, sqlite_where=TO_TELL, postgresql_where=TO_TELL)

link = Table(
    "link",
    metadata,
    key(),
    Column("agency", Text, nullable=False),
    Column("person", BIG, ForeignKey("person.id"), nullable=False),
    Column("practice", Text, nullable=False),
    Column("value_hash", Text, nullable=False),  # keyed hash of system and value
    Column("value_blob", BIG, nullable=False),
    Column("basis", Text, nullable=False),
    Column("patient", Text, nullable=False, server_default=""),  # the EHR's Patient id that was found; "" = look
    Column("matched_at", BIG, nullable=False, server_default="0"),  # when that was
    Column("recorded_at", BIG, nullable=False),
    Column("recorded_by", Text, nullable=False),
    Column("retired_at", BIG),
)
CURRENT_LINK = link.c.retired_at.is_(None)
Index(
    "ix_link_person", link.c.person, link.c.practice,
    unique=True, sqlite_where=CURRENT_LINK, postgresql_where=CURRENT_LINK,
)  # fmt: skip
Index("ix_link_value", link.c.practice, link.c.value_hash)
Index("ix_link_patient", link.c.practice, link.c.patient)

referral = Table(
    "referral",
    metadata,
    key(),
    Column("agency", Text, nullable=False),
    Column("practice", Text, nullable=False),
    Column(
        "name", Text, nullable=False
    ),  # keyed hash of the practice's number of it: what the versions are versions of
    Column("value_hash", Text, nullable=False),  # of the number without its system
    Column("ordinal", Integer, nullable=False),
    Column("version", Text, nullable=False),  # meta.lastUpdated in microseconds, "" = none
    Column("digest", Text, nullable=False),
    Column("status", Text, nullable=False),  # FHIR request-status
    Column("void", Boolean(create_constraint=False), nullable=False),  # the practice took it back
    Column("state", Text, nullable=False),  # received | placed | declined | superseded
    Column("person", BIG, ForeignKey("person.id"), nullable=False),
    Column("raw_blob", BIG, nullable=False),
    Column("received_at", BIG, nullable=False),
    Column("received_by", Text, nullable=False),
    Column("answered_at", BIG),
    Column("answered_by", Text),
    UniqueConstraint("agency", "practice", "name", "ordinal"),
)
Index("ix_referral_received", referral.c.agency, referral.c.received_at)
Index("ix_referral_value", referral.c.agency, referral.c.practice, referral.c.value_hash)
Index("ix_referral_person", referral.c.person)

table_row = Table(
    "table_row",
    metadata,
    key(),
    Column("agency", Text, nullable=False),
    Column("table_name", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("start", Text, nullable=False),  # the day from which it holds, "" for one without
    Column("row", Text, nullable=False),  # JSON: the cells by column
    Column("recorded_at", BIG, nullable=False),
    Column("recorded_by", Text, nullable=False),
    UniqueConstraint("agency", "table_name", "code", "start"),
)
