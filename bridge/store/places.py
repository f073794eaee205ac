"""Places in a family's charts, once it is known that somebody of it must not be found.

Marked by the transaction that learns it (`person.places_at`), worked off from that mark: no crash forgets it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select, update

from bridge.model import CONSENT_ENDED, Action, AnswerClass, EntryState, Hold
from bridge.store import holds, kin, lanes, tables
from bridge.store.ledger import slices

entry, hold, person, step = tables.entry, tables.hold, tables.person, tables.step
STANDING = (EntryState.DELIVERED.value, EntryState.HANDED_OVER.value)
MARK = update(person).where(person.c.id == bindparam("person_id")).values(places_at=bindparam("at"))


@dataclass(frozen=True, slots=True)
class Endangered:
    """One person of whom a record said so, and when it was kept (microseconds)."""

    person: int
    at: int


def due(connection: Connection, limit: int) -> list[Endangered]:
    """Those whose families' charts are to be looked at, the first known first."""
    query = select(person.c.id, person.c.places_at).where(tables.TO_LOOK_AT)
    rows = connection.execute(query.order_by(person.c.places_at, person.c.id).limit(limit))
    return [Endangered(*row) for row in rows]


def look_again(connection: Connection, asked: Sequence[tuple[Endangered, int]]) -> list[int]:
    """Operation: `(endangered, now)`: what stands of them and those near them is due, to be brought to what may stand
    now, and no step of theirs that was decided before leaves any more. How many entries for each.

    Whatever tells no place is found to stand as it should, and nothing is sent for it.
    """
    around = kin.families(connection, sorted({ask.person for ask, _ in asked}))
    ids = [{ask.person, *near(around, ask.person)} for ask, _ in asked]
    everybody = set[int]().union(*ids)
    kin.anew(connection, everybody, max(now for _, now in asked))
    lanes.lock(connection, connection.execute(lanes.of_persons(everybody)).scalars())
    for ask, _ in asked:
        mine = person.c.id == ask.person, person.c.places_at <= ask.at
        connection.execute(update(person).where(*mine).values(places_at=None))
    return [due_again(connection, people, now) for people, (_, now) in zip(ids, asked, strict=True)]


def near(around: dict[int, kin.Family], of: int) -> frozenset[int]:
    """Everybody near one person; nobody where no record speaks of two."""
    return around[of].close | around[of].others if of in around else frozenset()


def due_again(connection: Connection, people: Iterable[int], now: int) -> int:
    """What stands of these people, whose lanes are locked, is due; how many entries."""
    count = 0
    for some in slices(people):
        standing = (
            entry.c.person.in_(some), entry.c.state.in_(STANDING), entry.c.should,
            entry.c.stands_id.isnot(None), entry.c.kind != CONSENT_ENDED,
        )  # fmt: skip
        woken = list(connection.execute(select(entry.c.lane).where(*standing).distinct()).scalars())
        count += connection.execute(
            update(entry).where(*standing).values(state=EntryState.READY.value, due_at=now)
        ).rowcount
        lanes.wake(connection, woken, now)
    return count


def told(connection: Connection, entry_id: int) -> dict[str, bool]:
    """Whether each document that an entry's steps wrote tells a place, by its id at the EHR, and what last wrote it.

    What was marked entered-in-error is not among them.
    """
    done = step.c.answer.in_([AnswerClass.DONE.value, AnswerClass.ACCEPTED.value])
    query = select(step.c.action, step.c.target, step.c.stands_id, step.c.places).where(step.c.entry == entry_id, done)
    found: dict[str, bool] = {}
    for row in connection.execute(query.order_by(step.c.begun_at, step.c.id)):
        if row.action == Action.RETRACT.value:
            found.pop(row.target, None)
        elif row.stands_id is not None:
            found[row.stands_id] = row.places
    return found


def asked_before(connection: Connection, keys: Sequence[str]) -> frozenset[str]:
    """Those of these keys that a hold was ever opened for, whether or not it is answered."""
    query = select(hold.c.waits_for).where(hold.c.waits_for.in_(keys))
    return frozenset(connection.execute(query).scalars())


@dataclass(frozen=True, slots=True)
class Ask:
    """People are told of one document in the chart of an entry: agency and practice, each in their own words."""

    agency: str
    practice: str
    person: int
    holds: tuple[tuple[int, Hold], ...]
    due: int
    now: int


def ask(connection: Connection, asked: Sequence[Ask]) -> list[bool]:
    """Operation: they are told; False where they were before."""
    answers = []
    for one in asked:
        before = asked_before(connection, [said.waits_for for _, said in one.holds])
        new = [
            holds.row(number, one.agency, said, one.now, one.due, person=one.person, practice=one.practice)
            for number, said in one.holds
            if said.waits_for not in before
        ]
        if new:
            connection.execute(holds.ADD, new)
        answers.append(bool(new))
    return answers
