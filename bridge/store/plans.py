"""Translations kept, and the entries they ask for brought up to date."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from bridge.model import GUARDED, EntryState, Hold, HoldReason, RecordState
from bridge.store import holds, lanes, permissions, persons, records, tables
from bridge.store.engine import run_each
from bridge.store.ledger import Ledger, put_blobs, slices

entry, lane, record = tables.entry, tables.lane, tables.record
Chart = tuple[str, str, int]  # agency, practice, person
ADD_ENTRY, ADD_PARTS = insert(entry), insert(tables.translation)
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
    urgency: int = lanes.ROUTINE


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
    parts: dict[str, bytes] = field(repr=False)  # the agency's id of the person → JSON of the parts about them
    patients: dict[str, bytes] = field(repr=False)  # the person → their canonical Patient, where there is one
    entries: tuple[EntryPlan, ...]
    holds: tuple[Hold, ...]
    hashes: tuple[str, str, str]
    hold_due: int
    people: dict[str, persons.NewPerson] = field(default_factory=dict)
    ids: tuple[int, ...] = ()  # spare ids for what this writes
    revisions: Mapping[str, int] = field(default_factory=dict)
    rows: int | None = None
    roles: Mapping[str, Spoken] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spoken:
    """In which role a record speaks of a person, and what the plan was made on: "" where nobody did before."""

    role: str
    before: str


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
            happened = ask.work.occurred_at
            look_first = era.number > 1 and (happened is None or happened < era.began_at)
            mine.append(Mine(ask, known, row.ordinal, look_first, iter(ask.ids)))
            roles |= {known[one].id: said.role for one, said in ask.roles.items()}
    new = [(row.id, roles[row.id]) for row in people.values() if roles[row.id] != row.role]
    run_each(connection, persons.SPOKEN_OF_AS, [{"person_id": number, "as_role": role} for number, role in new])
    for wave in waves(mine):
        save_wave(connection, wave)
    return answers


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
            happened = ask.work.occurred_at
            look_first = era.number > 1 and (happened is None or happened < era.began_at)
            mine.append(Mine(ask, known, row.ordinal, look_first, iter(ask.ids)))
    if mine:
        threads = [one.ask.work.thing for one in mine]
        columns = (entry.c.thread, entry.c.practice, entry.c.person, entry.c.name)
        standing = {tuple(row) for row in connection.execute(select(*columns).where(entry.c.thread.in_(threads)))}
        lane_ids, write = ensure_lanes(connection, mine), Written()
        for one in mine:
            for plan in one.ask.entries:
                chart = one.lane_of(plan)
                if (one.ask.work.thing, chart[1], chart[2], plan.name) not in standing:
                    plan_entry(write, one, plan, None, lane_ids[chart], ())
        write.all(connection)
    return answers


@dataclass(frozen=True, slots=True)
class Mine:
    """A translation to keep, with the rows it rests on. `look_first`: new entries are looked for before they are sent,
    for the ledger cannot prove after a restore that what happened before it was never sent.
    """

    ask: Translated
    people: Mapping[str, Row[Any]]
    ordinal: int
    look_first: bool
    ids: Iterator[int]

    def lane_of(self, plan: EntryPlan) -> Chart:
        """Agency, practice and person of the chart a plan is for."""
        return self.ask.work.agency, plan.practice, self.people[plan.person].id


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


def plan_entries(connection: Connection, wave: Sequence[Mine]) -> None:
    """The threads' entries say what should stand after these versions; those no longer asked for should be absent.

    What a version with a higher `ordinal` planned stays. (Positions would not tell: they count within one person, and
    a newer version may be about another.)
    """
    if not wave:
        return
    query = select(entry, record.c.ordinal).join(record, record.c.id == entry.c.record)
    found = connection.execute(query.where(entry.c.thread.in_([one.ask.work.thing for one in wave]))).all()
    standing: dict[str, dict[tuple[str, int, str], Row[Any]]] = {}
    for row in found:
        standing.setdefault(row.thread, {})[row.practice, row.person, row.name] = row
    undecided = awaiting_decision(connection, (row.id for row in found))
    lane_ids = ensure_lanes(connection, wave)
    write = Written()
    for one in wave:
        here = standing.get(one.ask.work.thing, {})
        for plan in one.ask.entries:
            chart = one.lane_of(plan)
            plan_entry(write, one, plan, here.pop((chart[1], chart[2], plan.name), None), lane_ids[chart], undecided)
        for row in here.values():
            if row.ordinal < one.ordinal and row.should:
                withdraw(write, row, one.ask, row.id in undecided)
    write.all(connection)


@dataclass(slots=True)
class Written:
    """What planning writes, gathered to be written at once."""

    inserted: list[dict[str, Any]] = field(default_factory=list)
    updated: dict[tuple[str, ...], list[dict[str, Any]]] = field(default_factory=dict)  # by the columns they change
    closed: dict[tuple[int, str], list[int]] = field(default_factory=dict)  # (when, by what) → entries
    opened: list[dict[str, Any]] = field(default_factory=list)
    woken: dict[int, set[int]] = field(default_factory=dict)  # due → lanes

    def update(self, entry_id: int, values: Mapping[str, Any]) -> None:
        """This entry's row changes so."""
        row = {"entry_id": entry_id} | {f"new_{name}": value for name, value in values.items()}
        self.updated.setdefault(tuple(sorted(values)), []).append(row)

    def close(self, entry_id: int, now: int, by: str) -> None:
        """This entry's open holds are closed."""
        self.closed.setdefault((now, by), []).append(entry_id)

    def wake(self, lane_id: int, due: int) -> None:
        """This lane is looked at no later than `due`."""
        self.woken.setdefault(due, set()).add(lane_id)

    def all(self, connection: Connection) -> None:
        """All of it is written; holds are closed before others are opened."""
        run_each(connection, ADD_ENTRY, self.inserted)
        for names, rows in self.updated.items():
            named: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
            connection.execute(update(entry).where(entry.c.id == bindparam("entry_id")).values(**named), rows)
        for (now, by), entries in self.closed.items():
            for some in slices(entries):
                holds.close(connection, tables.hold.c.entry.in_(some), now, by)
        run_each(connection, holds.ADD, self.opened)
        for due, lane_ids in self.woken.items():
            lanes.wake(connection, lane_ids, due)


def plan_entry(
    write: Written, one: Mine, plan: EntryPlan, row: Row[Any] | None, lane_id: int, undecided: Collection[int]
) -> None:
    """One entry as this version plans it; `row` is how it stands."""
    ask, work = one.ask, one.ask.work
    if row is not None and row.ordinal > one.ordinal:
        return
    entry_id = row.id if row is not None else next(one.ids)
    values = planned_values(ask, plan, row, entry_id in undecided)
    if row is None:
        person_id = one.people[plan.person].id
        write.inserted.append(
            {
                "id": entry_id, "agency": work.agency, "program": work.program, "practice": plan.practice,
                "lane": lane_id, "person": person_id, "thread": work.thing, "name": plan.name,
                "reference": plan.reference, "look_first": one.look_first, **values,
            }
        )  # fmt: skip
    else:
        write.update(entry_id, values)
        if entry_id not in undecided:
            write.close(entry_id, ask.now, "planned")
    if plan.hold is not None and values["state"] == EntryState.HELD.value and entry_id not in undecided:
        new, practice = next(one.ids), plan.practice
        write.opened.append(
            holds.row(new, work.agency, plan.hold, ask.now, ask.hold_due, entry=entry_id, practice=practice)
        )
    if values["due_at"] is not None:
        write.wake(lane_id, values["due_at"])


def awaiting_decision(connection: Connection, entries: Iterable[int]) -> set[int]:
    """Those of these entries of which only a person can say what stands: no newer plan sends them."""
    hold, found = tables.hold, set[int]()
    for some in slices(entries):
        query = select(hold.c.entry).where(hold.c.entry.in_(some), tables.OPEN_HOLD)
        query = query.where(~hold.c.waits_for.startswith(GUARDED))  # a newer version is looked at anew
        found |= set(connection.execute(query.where(hold.c.reason == HoldReason.DECISION.value)).scalars())
    return found


def planned_values(ask: Translated, plan: EntryPlan, row: Row[Any] | None, undecided: bool) -> dict[str, Any]:
    """The entry's columns after this plan. A step under way keeps its state; its outcome is compared afterwards."""
    values: dict[str, Any] = {
        "kind": plan.kind, "route": plan.route, "resource_type": plan.resource_type, "parts": " ".join(plan.parts),
        "rank": plan.rank, "occurred_at": ask.work.occurred_at, "record": ask.work.id, "position": ask.work.position,
        "should": True, "should_digest": plan.digest, "withheld": plan.withheld, "updated_at": ask.now,
        "urgency": plan.urgency,
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


def withdraw(write: Written, row: Row[Any], ask: Translated, undecided: bool) -> None:
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
        write.close(row.id, ask.now, "withdrawn")
        if gone:
            write.wake(row.lane, ask.now)
    write.update(row.id, values)


def ensure_lanes(connection: Connection, wave: Sequence[Mine]) -> dict[Chart, int]:
    """The lanes of every chart that is planned for, made where there was none."""
    charts = {one.lane_of(plan): one for one in wave for plan in one.ask.entries}
    found = lanes_of(connection, charts)
    missing = sorted(charts.keys() - found.keys())
    if missing:
        rows = [
            {"id": next(charts[chart].ids), "agency": chart[0], "practice": chart[1], "person": chart[2]}
            for chart in missing
        ]
        connection.execute(persons.insert_ignore(connection, lane), rows)
        found = lanes_of(connection, charts)
    return found


def lanes_of(connection: Connection, charts: Collection[Chart]) -> dict[Chart, int]:
    """The lanes there are of these persons."""
    query = select(lane.c.id, lane.c.agency, lane.c.practice, lane.c.person)
    found: dict[Chart, int] = {}
    for some in slices(person for _, _, person in charts):
        rows = connection.execute(query.where(lane.c.person.in_(some)))
        found |= {(row.agency, row.practice, row.person): row.id for row in rows}
    return found
