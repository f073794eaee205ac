"""The tables of running the bridge: what is in force, connections, schedules, sign-in, the trail."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text, UniqueConstraint

from bridge.store.columns import BIG, key, metadata

activation = Table(
    "activation",
    metadata,
    key(),
    Column("what", Text, nullable=False),  # mappings
    Column("hash", Text, nullable=False),
    Column("content", LargeBinary, nullable=False),  # zlib JSON of path → text; no personal content
    Column("activated_at", BIG, nullable=False),
    Column("activated_by", Text, nullable=False),
)

TOKEN_COUNTS = ("token_calls", "token_failures", "token_narrowed")
connection_state = Table(
    "connection_state",
    metadata,
    Column("connection", Text, primary_key=True),
    # the circuit: no lane of it is claimed before; after that one alone, until `failures` is 0 again
    Column("closed_until", BIG, nullable=False, server_default="0"),
    Column("reason", Text, nullable=False, server_default=""),
    Column("failures", Integer, nullable=False, server_default="0"),
    # the pace: nothing leaves before, for its budget is spent or it asked us to wait
    Column("not_before", BIG, nullable=False, server_default="0"),
    Column("because", Text, nullable=False, server_default=""),
    Column("learned_per_minute", Integer),  # what it took before it said "too many"
    Column("learned_at", BIG),
    Column("at_once", Integer),  # requests at a time, as the last process that changed it has it
    Column("statement", LargeBinary),
    Column("statement_at", BIG),
    Column("statement_digest", Text, nullable=False, server_default=""),
    Column("changed_at", BIG),  # when it last differed from the one before
    Column("changes", Text, nullable=False, server_default="[]"),  # JSON: what differed then
    # how often its token endpoint was asked, how often no token came, how often it granted less than asked
    *(Column(name, BIG, nullable=False, server_default="0") for name in TOKEN_COUNTS),
)

budget = Table(
    "budget",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("span", Text, primary_key=True),  # minute | day | documents (a day's)
    Column("begins", BIG, primary_key=True, autoincrement=False),
    Column("taken", Integer, nullable=False, server_default="0"),  # granted, less what came back
)

alert = Table(
    "alert",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("opened_at", BIG, primary_key=True, autoincrement=False),
    Column("cause", Text, nullable=False),
    Column("closed_at", BIG),
    Column("told_at", BIG),  # the contacts were told that it is down
    Column("told_closed_at", BIG),  # and that it is up again
)
OPEN_ALERT = alert.c.closed_at.is_(None)
Index("ix_alert_open", alert.c.connection, sqlite_where=OPEN_ALERT, postgresql_where=OPEN_ALERT)

suspension = Table(
    "suspension",
    metadata,
    Column("practice", Text, primary_key=True),  # nothing is sent to it while it stands here
    Column("since", BIG, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
)

learned = Table(
    "learned",
    metadata,
    Column("connection", Text, primary_key=True),
    Column("resource_type", Text, primary_key=True),
    Column("interaction", Text, primary_key=True),
    Column("because", Text, nullable=False),
    Column("learned_at", BIG, nullable=False),
)

lease = Table(
    "lease",
    metadata,
    Column("name", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("until", BIG, nullable=False),
    Column("ran_at", BIG),
    Column("failures", Integer, nullable=False, server_default="0"),  # in a row
    Column("failed_at", BIG),
    Column("why", Text, nullable=False, server_default=""),  # the last one's class, and where in our code
)

signing_key = Table(
    "signing_key",
    metadata,
    key(),
    Column("kind", Text, nullable=False),  # of the connections it signs for: test | production
    Column("algorithm", Text, nullable=False),
    Column("kid", Text, nullable=False, unique=True),
    Column("public", Text, nullable=False),  # the JWK, as EHRs read it
    Column("private", LargeBinary, nullable=False),  # encrypted under the ledger's key; empty once retired
    Column("wrapping_key", Text, nullable=False),
    Column("made_at", BIG, nullable=False),
    Column("signs_from", BIG, nullable=False),
    Column("retired_at", BIG),
)

session = Table(
    "session",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("use", Text, nullable=False),  # link | session
    Column("user", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("agency", Text, nullable=False, server_default=""),
    Column("expires_at", BIG, nullable=False),
)

audit = Table(
    "audit",
    metadata,
    key(),
    Column("agency", Text, nullable=False),
    Column("at", BIG, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("object", Text, nullable=False),  # ids and codes only
    Column("seal", BIG),
)
Index(
    "ix_audit_unsealed",
    audit.c.agency,
    audit.c.id,
    sqlite_where=audit.c.seal.is_(None),
    postgresql_where=audit.c.seal.is_(None),
)

audit_seal = Table(
    "audit_seal",
    metadata,
    key(),
    Column("agency", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("hash", Text, nullable=False),
    Column("sealed_at", BIG, nullable=False),
    UniqueConstraint("agency", "number"),
)
