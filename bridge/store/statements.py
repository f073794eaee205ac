"""What EHRs state of themselves, how that changed, what their refusals taught; what rested on it is planned anew."""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, or_, select, update

from bridge.model import EntryState, RecordState
from bridge.store import persons, tables
from bridge.store.ledger import slices

state, learned, entry, record, hold = (
    tables.connection_state,
    tables.learned,
    tables.entry,
    tables.record,
    tables.hold,
)
Change = Mapping[str, Any]
"""One difference between two statements: `type`, `of` (interaction, parameter, …), `name`, and `now`, whether it is
stated now."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A statement as it was read, with what is otherwise than in the one before."""

    connection: str
    content: bytes = field(repr=False)
    now: int
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Known:
    """What the ledger knows of one connection's statement; instants in microseconds UTC."""

    content: bytes = field(repr=False)
    digest: str
    read_at: int
    changed_at: int
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Lesson:
    """An interaction that a server refused as unsupported."""

    connection: str
    type: str
    interaction: str
    because: str
    learned_at: int


def digest_of(content: bytes) -> str:
    """What tells one statement from another."""
    return hashlib.sha256(content).hexdigest()


def keep(connection: Connection, asked: Sequence[Kept]) -> list[bool]:
    """Operation: these are the newest statements; True where one differs from the one before.

    A refusal of a type that is stated otherwise now, or by other software, is forgotten: it may be tried again.
    """
    answers = []
    for ask in asked:
        connection.execute(persons.insert_ignore(connection, state).values(connection=ask.connection))
        mine, digest = state.c.connection == ask.connection, digest_of(ask.content)
        before = connection.execute(select(state.c.statement_digest).where(mine)).scalar_one()
        values: dict[str, object] = {"statement_at": ask.now}
        answers.append(before != digest)
        if answers[-1]:
            values |= {"statement": zlib.compress(ask.content), "statement_digest": digest, "changed_at": ask.now}
            values |= {"changes": json.dumps([dict(change) for change in ask.changes])}
            _relearn(connection, ask)
        connection.execute(update(state).where(mine).values(**values))
    return answers


def _relearn(connection: Connection, ask: Kept) -> None:
    of = learned.c.connection == ask.connection
    if any(change["of"] == "software" for change in ask.changes):
        connection.execute(delete(learned).where(of))
        return
    types = {str(change["type"]) for change in ask.changes if change["of"] in ("interaction", "type")}
    connection.execute(delete(learned).where(of, learned.c.resource_type.in_(types)))


def known(connection: Connection) -> dict[str, Known]:
    """The last statement read from each connection."""
    return {
        row.connection: Known(
            zlib.decompress(row.statement),
            row.statement_digest,
            row.statement_at,
            row.changed_at,
            (*json.loads(row.changes),),
        )
        for row in connection.execute(select(state).where(state.c.statement.isnot(None)))
    }


def digests(connection: Connection) -> dict[str, str]:
    """What tells the last statement of each connection from others."""
    rows = connection.execute(select(state.c.connection, state.c.statement_digest).where(state.c.statement.isnot(None)))
    return {row.connection: row.statement_digest for row in rows}


def learn(connection: Connection, asked: Sequence[Lesson]) -> list[bool]:
    """Operation: the EHR said it does not take this; what was known before stays as it was."""
    for ask in asked:
        connection.execute(
            persons.insert_ignore(connection, learned).values(
                connection=ask.connection, resource_type=ask.type, interaction=ask.interaction, because=ask.because,
                learned_at=ask.learned_at,
            )
        )  # fmt: skip
    return [True] * len(asked)


def forget(connection: Connection, asked: Sequence[tuple[str, str, str]]) -> list[bool]:
    """Operation: `(connection, type, interaction)`: the refusal counts no more; False where there was none."""
    answers = []
    for name, type, interaction in asked:
        mine = learned.c.connection == name, learned.c.resource_type == type, learned.c.interaction == interaction
        answers.append(bool(connection.execute(delete(learned).where(*mine)).rowcount))
    return answers


def lessons(connection: Connection) -> dict[str, tuple[Lesson, ...]]:
    """What was learned, by connection."""
    found: dict[str, list[Lesson]] = {}
    for row in connection.execute(select(learned).order_by(learned.c.resource_type, learned.c.interaction)):
        one = Lesson(row.connection, row.resource_type, row.interaction, row.because, row.learned_at)
        found.setdefault(row.connection, []).append(one)
    return {name: tuple(all) for name, all in found.items()}


# ── planned anew ──────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class Sort:
    """Entries alike for routing: all of one practice, kind of record, route and type."""

    practice: str
    kind: str
    route: str
    type: str


@dataclass(frozen=True, slots=True)
class Replan:
    """What waits under keys that begin so, and what is of these sorts and was not begun, is to be planned anew."""

    now: int
    beginnings: tuple[str, ...] = ()
    sorts: tuple[Sort, ...] = ()


def not_begun(connection: Connection, practices: Iterable[str]) -> list[Sort]:
    """The sorts of entries for these practices that are ready to go and of which nothing stands."""
    columns = entry.c.practice, entry.c.kind, entry.c.route, entry.c.resource_type
    theirs = entry.c.practice.in_(sorted(practices))
    query = select(*columns).where(theirs, *_fresh(EntryState.READY)).distinct()
    return [Sort(*row) for row in connection.execute(query)]


def replan(connection: Connection, asked: Sequence[Replan]) -> list[int]:
    """Operation: the records of these entries are due for translation again; how many.

    Of what stands in a chart, or may, nothing is undone here: the new plan is compared with it as any newer one.
    """
    answers = []
    for ask in asked:
        found: set[int] = set()
        if ask.beginnings:
            begin_so = or_(*(hold.c.waits_for.startswith(one, autoescape=True) for one in ask.beginnings))
            held = select(entry.c.record).join(hold, hold.c.entry == entry.c.id).where(tables.OPEN_HOLD, begin_so)
            found |= set(connection.execute(held.where(*_fresh(EntryState.HELD))).scalars())
        for one in ask.sorts:
            alike = (
                entry.c.practice == one.practice, entry.c.kind == one.kind, entry.c.route == one.route,
                entry.c.resource_type == one.type,
            )  # fmt: skip
            found |= set(connection.execute(select(entry.c.record).where(*alike, *_fresh(EntryState.READY))).scalars())
        again = {"state": RecordState.ACCEPTED.value, "due_at": ask.now, "owner": None, "claims": 0}
        answers.append(0)
        for some in slices(sorted(found)):
            translated = record.c.id.in_(some), record.c.state == RecordState.TRANSLATED.value
            answers[-1] += connection.execute(update(record).where(*translated).values(**again)).rowcount
    return answers


def _fresh(now: EntryState) -> tuple[ColumnElement[bool], ...]:
    return entry.c.should.is_(True), entry.c.stands_id.is_(None), entry.c.state == now.value, ~entry.c.look_first
