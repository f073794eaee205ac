"""Charts that were another person's, or became another: what went there, what of it is to be withdrawn."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, func, insert, select, update

from bridge.model import WITHDRAWALS, AnswerClass, EntryState, Hold, HoldReason
from bridge.store import holds, lanes, persons, tables
from bridge.store.ledger import slices
from bridge.store.written import UNDER_WAY, awaiting_decision

entry, step, incident, merged = tables.entry, tables.step, tables.incident, tables.merged_chart
WRONG_CHART, CONTENT = "wrong-chart", "content"
ARRIVED = (None, *(kind.value for kind in (AnswerClass.DONE, AnswerClass.ACCEPTED, AnswerClass.UNKNOWN)),
           AnswerClass.DUPLICATE.value, AnswerClass.UNCLEAR.value)  # fmt: skip
"""After these answers, and after none, what a step carried is in the chart or may be."""


def went(connection: Connection, agency: str, source: str, practice: str, since: int = 0) -> list[dict[str, Any]]:
    """Every step since then that took, or may have taken, something of this person to this practice, oldest first."""
    person = tables.person
    query = (
        select(
            step.c.id, step.c.entry, step.c.practice, step.c.action, step.c.patient, step.c.begun_at, step.c.answer,
            step.c.stands_id,
            entry.c.thread, entry.c.name, entry.c.resource_type, entry.c.state, entry.c.reference, entry.c.lane,
            entry.c.stands_id.label("stands"), entry.c.stands_patient, entry.c.should, entry.c.recalled,
            entry.c.record,
        )
        .join(entry, entry.c.id == step.c.entry)
        .join(person, person.c.id == entry.c.person)
        .where(person.c.agency == agency, person.c.source == source, entry.c.practice == practice)
        .where(step.c.begun_at >= since, step.c.action.not_in(WITHDRAWALS))
        .order_by(step.c.begun_at, step.c.id)
    )  # fmt: skip
    return [dict(row._mapping) for row in connection.execute(query) if row.answer in ARRIVED]


@dataclass(frozen=True, slots=True)
class Recall:
    """What went to the chart `patient` is to be withdrawn: it was another person's, or its content was wrong.

    `told` are the notices of the incident; the keys of both begin with `incident_key`.
    """

    agency: str
    source: str
    practice: str
    patient: str
    reason: str
    since: int
    incident: int
    told: tuple[tuple[int, Hold], ...]
    told_due: int
    by: str
    now: int


@dataclass(frozen=True, slots=True)
class Recalled:
    """The incident, whether it is new, and how many entries were marked now."""

    incident: int
    new: bool
    entries: int


INCIDENT, NOTICE = "incident:", HoldReason.NOTICE.value


def incident_key(number: int) -> str:
    """What the notices of an incident are recognised by."""
    return f"{INCIDENT}{number}"


def recall(connection: Connection, asked: Sequence[Recall]) -> list[Recalled]:
    """Operation: what stands in the chart is to be withdrawn, and the incident is open; said again it changes nothing.

    A wrong chart's match is forgotten and no step decided on it leaves any more. A step under way keeps its state: once
    it is known to have arrived, it is withdrawn too.
    """
    people = persons.fetch(connection, {(ask.agency, ask.source) for ask in asked})
    wrong = {people[ask.agency, ask.source].id: () for ask in asked if ask.reason == WRONG_CHART}
    forgotten = tables.link.c.person.in_(wrong) & tables.CURRENT_LINK
    connection.execute(update(tables.link).where(forgotten).values(patient="", matched_at=0))
    lanes.lock(connection, connection.execute(lanes.of_persons(row.id for row in people.values())).scalars())
    bumped = update(tables.person).where(tables.person.c.id.in_(wrong))
    connection.execute(bumped.values(consent_revision=tables.person.c.consent_revision + 1))
    return [one(connection, ask, people[ask.agency, ask.source].id) for ask in asked]


def one(connection: Connection, ask: Recall, person: int) -> Recalled:
    """One recall, its person and lanes locked."""
    known = connection.execute(
        select(incident).where(
            incident.c.person == person, incident.c.practice == ask.practice, incident.c.patient == ask.patient,
            incident.c.reason == ask.reason, incident.c.since == ask.since, incident.c.lifted_at.is_(None),
        )
    ).first()  # fmt: skip
    until = known.opened_at if known is not None else ask.now  # what was sent since was right
    steps: dict[int, set[str | None]] = {}
    for row in went(connection, ask.agency, ask.source, ask.practice, ask.since):
        if row["patient"] == ask.patient and row["begun_at"] <= until:
            steps.setdefault(row["entry"], set()).add(row["stands_id"])
    marked = 0
    for some in slices(steps):
        for found in connection.execute(select(entry).where(entry.c.id.in_(some))).all():
            marked += mark(connection, ask, found, steps[found.id])
    if known is not None:
        more = update(incident).where(incident.c.id == known.id)
        connection.execute(more.values(entries=incident.c.entries + marked))
        return Recalled(known.id, False, marked)
    connection.execute(
        insert(incident).values(
            id=ask.incident, agency=ask.agency, practice=ask.practice, person=person, patient=ask.patient,
            reason=ask.reason, since=ask.since, entries=marked, opened_at=ask.now, opened_by=ask.by,
        )
    )  # fmt: skip
    for number, hold in ask.told:
        told = holds.row(number, ask.agency, hold, ask.now, ask.told_due, person=person, practice=ask.practice)
        connection.execute(insert(tables.hold).values(**told))
    return Recalled(ask.incident, True, marked)


def mark(connection: Connection, ask: Recall, row: Row[Any], arrived: Collection[str | None]) -> bool:
    """One entry, of whose steps these ids came to stand, is to be withdrawn from the chart.

    False where it is already, or nothing of it can stand there.
    """
    under_way = row.state in UNDER_WAY
    there = row.stands_id is not None and (row.stands_id in arrived or None in arrived)
    undecided = bool(awaiting_decision(connection, [row.id]))
    marked = row.recalled == ask.patient and (ask.reason == WRONG_CHART or not row.should)
    if marked or not (there or under_way or undecided):
        return False
    values: dict[str, Any] = {"revision": row.revision + 1, "updated_at": ask.now, "recalled": ask.patient}
    if ask.reason == CONTENT:
        values |= {"should": False, "should_digest": ""}
    if not under_way and not undecided:
        values |= {"state": EntryState.READY.value, "due_at": ask.now, "attempts": 0, "claims": 0, "faults": 0}
        holds.close(connection, tables.hold.c.entry == row.id, ask.now, "recalled")
        lanes.wake(connection, [row.lane], ask.now)
    connection.execute(update(entry).where(entry.c.id == row.id).values(**values))
    return True


@dataclass(frozen=True, slots=True)
class Lift:
    """A recall from a wrong chart was itself the mistake: the chart may be sent to again."""

    incident: int
    keys: tuple[str, ...]
    by: str
    now: int


def lift(connection: Connection, asked: Sequence[Lift]) -> list[bool]:
    """Operation: the chart counts again; what waited for the link runs again. False where it was lifted before."""
    answers = []
    for ask in asked:
        still = (incident.c.id == ask.incident) & incident.c.lifted_at.is_(None)
        done = connection.execute(update(incident).where(still).values(lifted_at=ask.now, lifted_by=ask.by))
        answers.append(done.rowcount > 0)
    ran = [holds.Arrival(ask.keys, ask.now, ask.by) for ask, done in zip(asked, answers, strict=True) if done]
    if ran:
        holds.arrive(connection, ran)
    return answers


def incidents(connection: Connection, agency: str = "") -> list[dict[str, Any]]:
    """Every incident, oldest first, with the agency's id of the person and how many of its notices are not seen yet."""
    hold, person = tables.hold, tables.person
    query = select(incident, person.c.source).join(person, person.c.id == incident.c.person).order_by(incident.c.id)
    query = query.where(incident.c.agency == agency) if agency else query
    rows = [dict(row._mapping) for row in connection.execute(query)]
    waiting = select(hold.c.waits_for).where(
        hold.c.waits_for.in_([incident_key(r["id"]) for r in rows]), tables.OPEN_HOLD
    )
    unseen = list(connection.execute(waiting).scalars())
    return [row | {"unseen": unseen.count(incident_key(row["id"]))} for row in rows]


def unseen(connection: Connection) -> int:
    """Incidents of which somebody who must be told has not seen the notice yet."""
    hold = tables.hold
    waiting = select(func.count(hold.c.waits_for.distinct())).where(tables.OPEN_HOLD)
    found = connection.execute(waiting.where(hold.c.waits_for.startswith(INCIDENT), hold.c.reason == NOTICE))
    return int(found.scalar_one())


def recalled_from(connection: Connection, practice: str, person: int, patient: str) -> bool:
    """Whether this person's records were recalled from this chart as another patient's, and nobody lifted that."""
    same = incident.c.person == person, incident.c.practice == practice, incident.c.patient == patient
    query = select(incident.c.id).where(*same, incident.c.reason == WRONG_CHART, incident.c.lifted_at.is_(None))
    return bool(patient) and connection.execute(query.limit(1)).first() is not None


@dataclass(frozen=True, slots=True)
class Merged:
    """The EHR said that a person's chart was merged into another."""

    id: int
    agency: str
    practice: str
    person: int
    patient: str
    into: str
    now: int


def was_merged(connection: Connection, asked: Sequence[Merged]) -> list[bool]:
    """Operation: the merges are known; False where they were."""
    answers = []
    for ask in asked:
        row = {
            "id": ask.id, "agency": ask.agency, "practice": ask.practice, "person": ask.person,
            "patient": ask.patient, "into": ask.into, "seen_at": ask.now,
        }  # fmt: skip
        answers.append(not merged_into(connection, ask.practice, ask.person, ask.patient))
        connection.execute(persons.insert_ignore(connection, merged).values(**row))
    return answers


def merged_into(connection: Connection, practice: str, person: int, patient: str) -> str:
    """The chart that took this one's place; "" where none is known."""
    same = merged.c.person == person, merged.c.practice == practice, merged.c.patient == patient
    return str(connection.execute(select(merged.c.into).where(*same)).scalar() or "")
