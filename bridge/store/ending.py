"""That sharing ended, told once: marked in the transaction that ends it, so that no crash forgets it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, Select, func, insert, select, update

from bridge.model import CONSENT_ENDED, EntryState
from bridge.store import lanes, notices, persons, tables

consent, entry, step, person = tables.consent, tables.entry, tables.step, tables.person
MAY_STAND = (EntryState.SENDING.value, EntryState.UNKNOWN.value)


@dataclass(frozen=True, slots=True)
class Ended:
    """One chart of which somebody ended the sharing, and the first instant without (microseconds)."""

    agency: str
    person: int
    source: str
    practice: str
    instant: int


def due(connection: Connection, now: int, limit: int) -> list[Ended]:
    """The charts whose practice is to be told by now."""
    query = (
        select(consent.c.agency, consent.c.person, person.c.source, consent.c.practice, func.max(consent.c.tell_at))
        .join(person, person.c.id == consent.c.person)
        .where(tables.TO_TELL, consent.c.tell_at <= now)
        .group_by(consent.c.agency, consent.c.person, person.c.source, consent.c.practice)
        .order_by(consent.c.person, consent.c.practice)
        .limit(limit)
    )
    return [Ended(*row) for row in connection.execute(query)]


@dataclass(frozen=True, slots=True)
class Standing:
    """What of this agency's went into a chart under a consent: whether it stands, may yet, and of which programs."""

    stands: bool = False
    may_yet: bool = False
    programs: frozenset[str] = frozenset()


def standing(connection: Connection, person_id: int, practice: str) -> Standing:
    """What was sent to this practice of this person and rested on a consent; what needed none does not count."""
    rows = connection.execute(sent(person_id, practice)).all()
    return Standing(
        any(row.stands_id is not None for row in rows),
        any(row.stands_id is None for row in rows),
        frozenset(row.program for row in rows),
    )


def sent(person_id: int, practice: str) -> Select[Any]:
    """Their entries that stand or may, the one sent last first."""
    last = func.max(step.c.begun_at).label("begun_at")
    return (
        select(entry.c.lane, entry.c.program, entry.c.record, entry.c.stands_id, last)
        .join(step, step.c.entry == entry.c.id)
        .where(
            entry.c.person == person_id, entry.c.practice == practice, entry.c.kind != CONSENT_ENDED,
            step.c.consents != "", entry.c.stands_id.isnot(None) | entry.c.state.in_(MAY_STAND),
        )
        .group_by(entry.c.id)
        .order_by(last.desc())
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tell:
    """What is told of one end: `page` on the practice's page and, with `chart`, a note in the chart; or nothing.

    `thread` and `reference` are those of its entry.
    """

    ended: Ended
    page: notices.Tell | None
    chart: bool
    entry: int
    thread: str
    reference: str
    now: int


def tell(connection: Connection, asked: Sequence[Tell]) -> list[bool]:
    """Operation: these ends are told, or need not be; True where a note goes into the chart.

    It goes once for each end, and only where something was sent under a consent since the last such note.
    """
    people = persons.fetch(connection, [(ask.ended.agency, ask.ended.source) for ask in asked])
    notices.tell(connection, [ask.page for ask in asked if ask.page is not None])
    lanes.lock(connection, connection.execute(lanes.of_persons(row.id for row in people.values())).scalars())
    positions = {row.id: row.position for row in people.values()}
    restored = connection.execute(select(func.max(tables.era.c.number))).scalar_one() > 1
    answers = []
    for ask in asked:
        one, row = ask.ended, people[(ask.ended.agency, ask.ended.source)]
        mine = (consent.c.person == row.id, consent.c.practice == one.practice, consent.c.tell_at <= ask.now)
        connection.execute(update(consent).where(*mine).values(tell_at=None))
        latest = connection.execute(sent(row.id, one.practice).limit(1)).first() if ask.chart else None
        known = connection.execute(select(entry.c.id).where(entry.c.thread == ask.thread)).first() is not None
        answers.append(latest is not None and not known and latest.begun_at > told_at(connection, row.id, one.practice))
        if latest is not None and answers[-1]:
            positions[row.id] += 1
            connection.execute(insert(entry).values(**entry_row(ask, row.id, positions[row.id], latest, restored)))
            lanes.wake(connection, [latest.lane], ask.now)
    persons.advance(connection, positions)
    return answers


def told_at(connection: Connection, person_id: int, practice: str) -> int:
    """When the latest such note was planned; 0 where there is none."""
    query = select(func.max(entry.c.occurred_at)).where(
        entry.c.person == person_id, entry.c.practice == practice, entry.c.kind == CONSENT_ENDED,
        entry.c.state != EntryState.CANCELLED.value,
    )  # fmt: skip
    return connection.execute(query).scalar() or 0


def entry_row(ask: Tell, person_id: int, position: int, latest: Row[Any], restored: bool) -> dict[str, Any]:
    """The row of the note's entry, in the lane of what was sent last."""
    return {
        "id": ask.entry, "agency": ask.ended.agency, "program": latest.program, "practice": ask.ended.practice,
        "lane": latest.lane, "person": person_id, "thread": ask.thread, "name": "document", "kind": CONSENT_ENDED,
        "route": "document", "resource_type": "DocumentReference", "parts": "note", "rank": 90,
        "record": latest.record, "position": position, "state": EntryState.READY.value, "should": True,
        "should_digest": "", "reference": ask.reference, "occurred_at": ask.now, "due_at": ask.now,
        "look_first": restored, "updated_at": ask.now,
    }  # fmt: skip


def of_chart(connection: Connection, person_id: int, practice: str) -> tuple[bool, bool]:
    """Whether a note about this person goes, or went, to this practice; and whether its page says it."""
    note = select(entry.c.id).where(
        entry.c.person == person_id, entry.c.practice == practice, entry.c.kind == CONSENT_ENDED,
        entry.c.state != EntryState.CANCELLED.value,
    )  # fmt: skip
    hold = tables.hold
    page = select(hold.c.id).where(
        hold.c.subject == person_id, hold.c.practice == practice, hold.c.reason == "notice", tables.OPEN_HOLD,
        hold.c.owner == "practice",
    )  # fmt: skip
    return connection.execute(note.limit(1)).first() is not None, connection.execute(page.limit(1)).first() is not None
