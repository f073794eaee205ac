"""Practices that come to know a person late: what was planned before is planned for them too, a few records at a time.

A consent or a link for a second practice marks the person here; a worker plans the person's records for it from the
parts that are kept, nothing is translated again. What stands or waits elsewhere is not touched.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, select, update

from bridge.model import RecordState
from bridge.store import persons, tables
from bridge.store.ledger import Ledger, get_blobs

entry, record, translation, todo, member = (
    tables.entry, tables.record, tables.translation, tables.catching_up, tables.member,
)  # fmt: skip
Chart = tuple[int, str, str]  # person, agency, practice


def begin(connection: Connection, charts: Iterable[Chart], now: int) -> None:
    """The practices of these charts catch up from the first record on, where there is one that they missed."""
    for person_id, agency, practice in sorted(set(charts)):
        if connection.execute(missed(person_id, practice, 0).limit(1)).first() is None:
            continue
        said = {"person": person_id, "practice": practice, "agency": agency, "after": 0, "due_at": now}
        connection.execute(persons.insert_ignore(connection, todo), [said])
        connection.execute(update(todo).where(of(person_id, practice)).values(after=0, due_at=now))


def of(person_id: int, practice: str) -> ColumnElement[bool]:
    """The mark of one chart."""
    return and_(todo.c.person == person_id, todo.c.practice == practice)


def missed(person_id: int, practice: str, after: int) -> Select[Any]:
    """The translated records with parts about a person of which nothing was planned for a practice, by their ids."""
    theirs = entry.c.practice == practice, entry.c.person == person_id
    planned = select(entry.c.id).where(entry.c.thread == record.c.thing, *theirs)
    told = (
        select(entry.c.id).join(member, member.c.entry == entry.c.id).where(member.c.thing == record.c.thing, *theirs)
    )
    return (
        select(record, tables.person.c.source.label("subject"), translation.c.parts_blob)
        .select_from(translation)
        .join(record, record.c.id == translation.c.record)
        .join(tables.person, tables.person.c.id == record.c.person)
        .where(
            translation.c.person == person_id, record.c.state == RecordState.TRANSLATED.value, record.c.id > after,
            ~record.c.void, ~planned.exists(),
            ~told.exists(),
        )
        .order_by(record.c.id)
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Missed:
    """One chart that catches up: the person, up to so many of its records with their parts, and whether more follow."""

    person: int
    source: str
    agency: str
    practice: str
    after: int
    records: tuple[tuple[Row[Any], bytes], ...] = field(repr=False)
    last: int
    more: bool


def due(connection: Connection, ledger: Ledger, now: int, charts: int, chunk: int) -> list[Missed]:
    """The charts that catch up now, the one due longest first, each with its next records."""
    person = tables.person
    query = select(todo, person.c.source).join(person, person.c.id == todo.c.person)
    found = []
    for row in connection.execute(query.where(todo.c.due_at <= now).order_by(todo.c.due_at).limit(charts)).all():
        rows = connection.execute(missed(row.person, row.practice, row.after).limit(chunk + 1)).all()
        parts = get_blobs(connection, ledger.keys, [one.parts_blob for one in rows[:chunk]])
        readable = tuple((one, parts[one.parts_blob]) for one in rows[:chunk] if one.parts_blob in parts)
        last = rows[:chunk][-1].id if rows else row.after
        more = len(rows) > chunk
        found.append(Missed(row.person, row.source, row.agency, row.practice, row.after, readable, last, more))
    return found


@dataclass(frozen=True, slots=True)
class Reached:
    """A chart has caught up to this record, or to the end (None) under this consent revision; or waits until `due`."""

    person: int
    practice: str
    after: int | None
    revision: int | None  # None = whatever it is
    due: int


def reached(connection: Connection, asked: Sequence[Reached]) -> list[bool]:
    """Operation: how far these charts are; False, and they begin again, where consents or links changed meanwhile."""
    revisions = persons.revisions(connection, (ask.person for ask in asked))
    answers = []
    for ask in asked:
        same = ask.revision in (None, revisions.get(ask.person))
        answers.append(same)
        if same and ask.after is None:
            connection.execute(todo.delete().where(of(ask.person, ask.practice)))
        elif same:
            connection.execute(update(todo).where(of(ask.person, ask.practice)).values(after=ask.after, due_at=ask.due))
    return answers
