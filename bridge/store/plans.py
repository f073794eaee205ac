"""Translations kept, and the entries they ask for brought up to date."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, bindparam, insert, select, union, update

from bridge.model import AHEAD, RecordState
from bridge.store import holds, kin, lanes, permissions, persons, places, records, tables
from bridge.store.engine import run_each
from bridge.store.entries import plan_entries
from bridge.store.ledger import put_blobs
from bridge.store.wanted import EntryPlan as EntryPlan
from bridge.store.wanted import Gathering as Gathering
from bridge.store.wanted import Mine as Mine
from bridge.store.wanted import Spoken as Spoken
from bridge.store.wanted import Translated as Translated

entry, lane, member = tables.entry, tables.lane, tables.member
ADD_PARTS = insert(tables.translation)
THINGS: BindParameter[Any] = bindparam("things", expanding=True)
TOUCHED = union(
    select(lane.c.id).where(lane.c.person.in_(bindparam("people", expanding=True))),
    select(entry.c.lane).where(entry.c.thread.in_(THINGS)),
    select(entry.c.lane).join(member, member.c.entry == entry.c.id).where(member.c.thing.in_(THINGS)),
)
"""The lanes of these persons, of what these things' entries are in, and of the roll-ups that tell of them."""


def save(connection: Connection, asked: Sequence[Translated]) -> list[bool]:
    """Operation: translations kept and entries planned.

    False, and nothing written, where the claim passed on or a newer version came; and where consents, links or table
    rows changed since the plan was made: the record is due again then, for what waits for them would wait for ever.
    """
    held = any(ask.holds and ask.rows is not None for ask in asked)
    rows = permissions.rows_version(connection, lock=True) if held else None
    people = persons.ensure(connection, (new for ask in asked for new in ask.people.values()))
    touched = {"people": [row.id for row in people.values()], "things": [ask.work.thing for ask in asked]}
    lanes.lock(connection, connection.execute(TOUCHED, touched).scalars())
    current = records.lock(connection, (ask.work.id for ask in asked))
    era = connection.execute(select(tables.era).order_by(tables.era.c.number.desc()).limit(1)).one()
    answers, mine = [], []
    roles = {row.id: str(row.role) for row in people.values()}
    for ask in asked:
        known = {source: people[(ask.work.agency, source)] for source in ask.people}
        row = current[ask.work.id]
        still = row.owner == ask.owner and row.state in (RecordState.ACCEPTED.value, RecordState.HELD.value)
        changed = any(known[source].consent_revision != revision for source, revision in ask.revisions.items())
        changed |= any(roles[known[one].id] not in (said.role, said.before) for one, said in ask.roles.items())
        if still and (changed or (ask.holds and ask.rows is not None and ask.rows != rows)):
            records.again(connection, ask.work.id, ask.now)
            still = False
        answers.append(still)
        if still:
            mine.append(Mine(ask, known, row.ordinal, unproved(era, ask.work), iter(ask.ids)))
            roles |= {known[one].id: said.role for one, said in ask.roles.items()}
    new = [(row.id, roles[row.id]) for row in people.values() if roles[row.id] != row.role]
    run_each(connection, persons.SPOKEN_OF_AS, [{"person_id": number, "as_role": role} for number, role in new])
    for wave in waves(mine):
        save_wave(connection, wave)
    arrive(connection, mine)
    known_anew(connection, mine)
    return answers


def unproved(era: Row[Any], work: records.Work) -> bool:
    """Whether what a new record asks for may have been sent before the ledger came back from its backup.

    So it may of what the door would have taken by then: what was dated up to `AHEAD` later, or not at all.
    """
    return era.number > 1 and (work.occurred_at is None or work.occurred_at <= era.began_at + AHEAD)


def known_anew(connection: Connection, mine: Sequence[Mine]) -> None:
    """What a lane's holder decided on who these people were is decided anew; of whoever must not be found, what stands
    is marked to be looked at. Their rows are locked.
    """
    people = {one.people[source].id for one in mine for source in one.ask.patients}
    if people:
        connection.execute(kin.ANEW, {"people": sorted(people), "at": max(one.ask.now for one in mine)})
    marks = {one.people[source].id: one.ask.now for one in mine for source in one.ask.endangered}
    run_each(connection, places.MARK, [{"person_id": number, "at": now} for number, now in marks.items()])


def arrive(connection: Connection, mine: Sequence[Mine]) -> None:
    """What waited for these records runs again; what a lane's holder decided without them is decided anew."""
    here = [one for one in mine if one.ask.arrives]
    if here:
        now = max(one.ask.now for one in here)
        about = sorted({one.people[one.ask.work.subject].id for one in here})
        connection.execute(kin.ANEW, {"people": about, "at": now})
        holds.arrived(connection, [key for one in here for key in one.ask.arrives], now, "record")


def add(connection: Connection, asked: Sequence[Translated]) -> list[bool]:
    """Operation: entries of records translated before, for practices that did not know their person then.

    What is planned already is left as it is. False, and nothing written, where the record is no longer current, or
    consents and links changed since the plan was made.
    """
    people = persons.ensure(connection, (new for ask in asked for new in ask.people.values()))
    lanes.lock(connection, connection.execute(lanes.of_persons(row.id for row in people.values())).scalars())
    current = records.lock(connection, (ask.work.id for ask in asked))
    era = connection.execute(select(tables.era).order_by(tables.era.c.number.desc()).limit(1)).one()
    answers, mine = [], []
    for ask in asked:
        known = {source: people[(ask.work.agency, source)] for source in ask.people}
        row = current[ask.work.id]
        same = all(known[source].consent_revision == revision for source, revision in ask.revisions.items())
        answers.append(same and row.state == RecordState.TRANSLATED.value)
        if answers[-1]:
            mine.append(Mine(ask, known, row.ordinal, unproved(era, ask.work), iter(ask.ids), caught_up=True))
    plan_entries(connection, mine, missed=True)
    return answers


def waves(mine: Sequence[Mine]) -> Iterator[list[Mine]]:
    """These in order, in groups that hold each thread once: a version's plan sees what the one before it planned."""
    wave: list[Mine] = []
    threads: set[str] = set()
    for one in mine:
        if one.ask.work.thing in threads:
            yield wave
            wave, threads = [], set()
        wave.append(one)
        threads.add(one.ask.work.thing)
    if wave:
        yield wave


def save_wave(connection: Connection, wave: Sequence[Mine]) -> None:
    """Records' parts, Patients, holds or entries, and their states: each table is written once for all of them."""
    ids, now = [one.ask.work.id for one in wave], max(one.ask.now for one in wave)
    keep_parts(connection, wave)
    holds.close(connection, tables.hold.c.record.in_(ids), now, "translated")
    opened = [
        holds.row(next(one.ids), one.ask.work.agency, hold, one.ask.now, one.ask.hold_due, record=one.ask.work.id)
        for one in wave
        for hold in one.ask.holds
    ]
    run_each(connection, holds.ADD, opened)
    plan_entries(connection, [one for one in wave if not one.ask.holds])
    records.mark(connection, [marked(one.ask) for one in wave])


def marked(ask: Translated) -> dict[str, Any]:
    """What the record's row says from here on."""
    mapping, engine, definitions = ask.hashes
    state = RecordState.HELD if ask.holds else RecordState.TRANSLATED
    return {
        "record_id": ask.work.id, "new_state": state.value, "mapping": mapping, "engine": engine,
        "definitions": definitions,
    }  # fmt: skip


def keep_parts(connection: Connection, wave: Sequence[Mine]) -> None:
    """Parts and Patients stand under their persons' keys; what an earlier translation of these records left is gone."""
    ids = [one.ask.work.id for one in wave]
    connection.execute(tables.translation.delete().where(tables.translation.c.record.in_(ids)))
    keys: dict[int, bytes] = {}
    blobs: list[tuple[int, str, int, bytes]] = []
    parts_rows: list[dict[str, int]] = []
    patients: list[dict[str, int]] = []
    for one in wave:
        ask, agency = one.ask, one.ask.work.agency
        keys |= {row.id: ask.ledger.keys.add(row.id, row.wrapped_key) for row in one.people.values()}
        for source, parts in ask.parts.items():
            row, blob = one.people[source], next(one.ids)
            blobs.append((blob, agency, row.id, parts))
            parts_rows.append({"record": ask.work.id, "person": row.id, "parts_blob": blob})
        for source, patient in ask.patients.items():
            row, blob = one.people[source], next(one.ids)
            blobs.append((blob, agency, row.id, patient))
            patients.append({"person_id": row.id, "blob": blob})
    put_blobs(connection, keys, blobs)
    run_each(connection, ADD_PARTS, parts_rows)
    if patients:
        person = tables.person
        named = update(person).where(person.c.id == bindparam("person_id")).values(patient_blob=bindparam("blob"))
        connection.execute(named, patients)
        again = tables.link.c.person.in_([one["person_id"] for one in patients]) & tables.CURRENT_LINK
        connection.execute(update(tables.link).where(again).values(patient=""))  # who they are may have changed
