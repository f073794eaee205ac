"""Translations kept, and the entries they ask for brought up to date."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update

from bridge.model import EntryState, Hold, HoldReason, RecordState
from bridge.store import holds, lanes, permissions, persons, records, tables
from bridge.store.ledger import Ledger, put_blobs

entry, lane, record = tables.entry, tables.lane, tables.record
UNDER_WAY = (EntryState.SENDING.value, EntryState.UNKNOWN.value)


@dataclass(frozen=True, slots=True)
class EntryPlan:
    """One thing that should stand in one chart, as planned from one record."""

    practice: str
    person: str
    name: str
    kind: str
    route: str
    resource_type: str
    rank: int
    parts: tuple[str, ...]
    digest: str  # "" = nothing of it may leave under the consent in force
    reference: str
    withheld: int
    hold: Hold | None = None
    due: int | None = None  # not before; None = at once


@dataclass(frozen=True, slots=True)
class Translated:
    """What became of one claimed record: its parts by person and its entries, or the holds that keep it.

    `ids` must hold one for each of `parts`, `patients` and `holds`, and three for each entry. `revisions` (person →
    `Permissions.revision`) and `rows` (`permissions.rows_version`) say what the plan rests on, read before it was made.
    """

    ledger: Ledger
    work: records.Work
    owner: str
    now: int
    parts: dict[str, bytes]  # the agency's id of the person → JSON of the parts about them
    patients: dict[str, bytes]  # the person → their canonical Patient, where the record makes one
    entries: tuple[EntryPlan, ...]
    holds: tuple[Hold, ...]
    hashes: tuple[str, str, str]
    hold_due: int
    people: dict[str, persons.NewPerson] = field(default_factory=dict)
    ids: tuple[int, ...] = ()  # spare ids for what this writes
    revisions: Mapping[str, int] = field(default_factory=dict)
    rows: int | None = None


def save(connection: Connection, asked: Sequence[Translated]) -> list[bool]:
    """Operation: translations kept and entries planned.

    False, and nothing written, where the claim passed on or a newer version came; and where consents, links or table
    rows changed since the plan was made: the record is due again then, for what waits for them would wait for ever.
    """
    held = any(ask.holds and ask.rows is not None for ask in asked)
    rows = permissions.rows_version(connection, lock=True) if held else None
    people = persons.ensure(connection, (new for ask in asked for new in ask.people.values()))
    theirs = lanes.of_persons(row.id for row in people.values())
    standing = select(entry.c.lane).where(entry.c.thread.in_([ask.work.thing for ask in asked]))
    lanes.lock(connection, connection.execute(theirs.union(standing)).scalars())
    current = records.lock(connection, (ask.work.id for ask in asked))
    era = connection.execute(select(tables.era).order_by(tables.era.c.number.desc()).limit(1)).one()
    answers = []
    for ask in asked:
        known = {source: people[(ask.work.agency, source)] for source in ask.people}
        row = current[ask.work.id]
        mine = row.owner == ask.owner and row.state in (RecordState.ACCEPTED.value, RecordState.HELD.value)
        changed = any(known[source].consent_revision != revision for source, revision in ask.revisions.items())
        if mine and (changed or (ask.holds and ask.rows is not None and ask.rows != rows)):
            records.again(connection, ask.work.id, ask.now)
            mine = False
        answers.append(mine)
        if mine:
            save_one(connection, ask, known, row.ordinal, era)
    return answers


def save_one(
    connection: Connection, ask: Translated, people: Mapping[str, Row[Any]], ordinal: int, era: Row[Any]
) -> None:
    """One record's parts, Patients, holds or entries, and its state."""
    ids = iter(ask.ids)
    keys = {row.id: ask.ledger.keys.add(row.id, row.wrapped_key) for row in people.values()}
    connection.execute(tables.translation.delete().where(tables.translation.c.record == ask.work.id))
    for source, parts in ask.parts.items():
        row, blob = people[source], next(ids)
        put_blobs(connection, keys, [(blob, ask.work.agency, row.id, parts)])
        connection.execute(insert(tables.translation).values(record=ask.work.id, person=row.id, parts_blob=blob))
    for source, patient in ask.patients.items():
        blob = next(ids)
        put_blobs(connection, keys, [(blob, ask.work.agency, people[source].id, patient)])
        connection.execute(
            update(tables.person).where(tables.person.c.id == people[source].id).values(patient_blob=blob)
        )
        again = (tables.link.c.person == people[source].id) & tables.CURRENT_LINK
        connection.execute(update(tables.link).where(again).values(patient=""))  # who they are may have changed
    holds.close(connection, tables.hold.c.record == ask.work.id, ask.now, "translated")
    if ask.holds:
        opened = [
            holds.row(next(ids), ask.work.agency, hold, ask.now, ask.hold_due, record=ask.work.id) for hold in ask.holds
        ]
        connection.execute(insert(tables.hold), opened)
    else:
        happened = ask.work.occurred_at
        look_first = era.number > 1 and (happened is None or happened < era.began_at)
        plan_entries(connection, ask, people, ordinal, look_first, ids)
    state = RecordState.HELD if ask.holds else RecordState.TRANSLATED
    mapping, engine, definitions = ask.hashes
    records.mark(
        connection,
        [
            {
                "record_id": ask.work.id,
                "new_state": state.value,
                "mapping": mapping,
                "engine": engine,
                "definitions": definitions,
            }
        ],
    )


def plan_entries(
    connection: Connection,
    ask: Translated,
    people: Mapping[str, Row[Any]],
    ordinal: int,
    look_first: bool,
    ids: Iterator[int],
) -> None:
    """The thread's entries say what should stand after this version; those it no longer asks for should be absent.

    What a version with a higher `ordinal` planned stays. (Positions would not tell: they count within one person, and
    a newer version may be about another.) New entries are looked for first after a restore, unless they happened later:
    the ledger cannot prove then that they were never sent.
    """
    query = select(entry, record.c.ordinal).join(record, record.c.id == entry.c.record)
    standing = {
        (row.practice, row.person, row.name): row
        for row in connection.execute(query.where(entry.c.thread == ask.work.thing))
    }
    undecided = awaiting_decision(connection, [row.id for row in standing.values()])
    for plan in ask.entries:
        person_id = people[plan.person].id
        lane_id = ensure_lane(connection, ask, plan.practice, person_id, ids)
        row = standing.pop((plan.practice, person_id, plan.name), None)
        if row is not None and row.ordinal > ordinal:
            continue
        entry_id = row.id if row is not None else next(ids)
        values = planned_values(ask, plan, row, entry_id in undecided)
        if row is None:
            connection.execute(
                insert(entry).values(
                    id=entry_id, agency=ask.work.agency, program=ask.work.program, practice=plan.practice, lane=lane_id,
                    person=person_id, thread=ask.work.thing, name=plan.name, reference=plan.reference,
                    look_first=look_first, **values,
                )
            )  # fmt: skip
        else:
            connection.execute(update(entry).where(entry.c.id == entry_id).values(**values))
            if entry_id not in undecided:
                holds.close(connection, tables.hold.c.entry == entry_id, ask.now, "planned")
        if plan.hold is not None and values["state"] == EntryState.HELD.value and entry_id not in undecided:
            new, practice = next(ids), plan.practice
            opened = holds.row(
                new, ask.work.agency, plan.hold, ask.now, ask.hold_due, entry=entry_id, practice=practice
            )
            connection.execute(insert(tables.hold).values(**opened))
        if values["due_at"] is not None:
            lanes.wake(connection, [lane_id], values["due_at"])
    for row in standing.values():
        if row.ordinal < ordinal and row.should:
            withdraw(connection, row, ask, row.id in undecided)


def awaiting_decision(connection: Connection, entries: Sequence[int]) -> set[int]:
    """Those of these entries of which only a person can say what stands: no newer plan sends them."""
    hold = tables.hold
    query = select(hold.c.entry).where(hold.c.entry.in_(entries), tables.OPEN_HOLD)
    return set(connection.execute(query.where(hold.c.reason == HoldReason.DECISION.value)).scalars())


def planned_values(ask: Translated, plan: EntryPlan, row: Row[Any] | None, undecided: bool) -> dict[str, Any]:
    """The entry's columns after this plan. A step under way keeps its state; its outcome is compared afterwards."""
    values: dict[str, Any] = {
        "kind": plan.kind, "route": plan.route, "resource_type": plan.resource_type, "parts": " ".join(plan.parts),
        "rank": plan.rank, "occurred_at": ask.work.occurred_at, "record": ask.work.id, "position": ask.work.position,
        "should": True, "should_digest": plan.digest, "withheld": plan.withheld, "updated_at": ask.now,
    }  # fmt: skip
    state, due = (EntryState.READY, plan.due or ask.now) if plan.hold is None else (EntryState.HELD, plan.due)
    if plan.hold is None and not plan.digest:  # all of it is withheld: what stood before was true and stays
        stands = row is not None and row.stands_id is not None
        state, due = (EntryState.DELIVERED if stands else EntryState.CANCELLED), None
    if row is not None:
        values["revision"] = row.revision + 1
        stands_so = row.state == EntryState.DELIVERED.value and row.stands_digest == plan.digest
        given_so = row.state == EntryState.HANDED_OVER.value and row.should_digest == plan.digest
        if undecided or stands_so or given_so or row.state in UNDER_WAY:
            state, due = EntryState(row.state), row.due_at
        else:
            values |= {"attempts": 0, "claims": 0, "absent": 0}
    return values | {"state": state.value, "due_at": due}


def withdraw(connection: Connection, row: Row[Any], ask: Translated, undecided: bool) -> None:
    """Nothing should stand for this entry any more: cancelled if nothing went, else a correction is due."""
    values: dict[str, Any] = {
        "should": False, "should_digest": "", "record": ask.work.id, "position": ask.work.position,
        "revision": row.revision + 1, "updated_at": ask.now,
    }  # fmt: skip
    if not undecided and row.state not in UNDER_WAY:
        gone = row.stands_id is not None
        values |= {
            "state": (EntryState.READY if gone else EntryState.CANCELLED).value,
            "due_at": ask.now if gone else None,
            "attempts": 0,
            "claims": 0,
        }
        holds.close(connection, tables.hold.c.entry == row.id, ask.now, "withdrawn")
        if gone:
            lanes.wake(connection, [row.lane], ask.now)
    connection.execute(update(entry).where(entry.c.id == row.id).values(**values))


def ensure_lane(connection: Connection, ask: Translated, practice: str, person: int, ids: Iterator[int]) -> int:
    """The lane of this practice and person."""
    query = select(lane.c.id).where(
        lane.c.agency == ask.work.agency, lane.c.practice == practice, lane.c.person == person
    )
    found = connection.execute(query).scalar()
    if found is None:
        new = {"id": next(ids), "agency": ask.work.agency, "practice": practice, "person": person}
        connection.execute(persons.insert_ignore(connection, lane).values(**new))
        found = connection.execute(query).scalar_one()
    return int(found)
