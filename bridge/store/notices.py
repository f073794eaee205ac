"""What people are told without an answer being waited for: a consent that ends soon, a chart nothing more goes to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, func, insert, select

from bridge.model import Hold
from bridge.store import holds, persons, tables
from bridge.store.views import by_name

hold, entry, link, consent, person = tables.hold, tables.entry, tables.link, tables.consent, tables.person


@dataclass(frozen=True, slots=True)
class Tell:
    """One notice about a person at a practice; the hold's `waits_for` recognises one that stands already.

    `of_chart`: only where something stands in their chart there, and with that chart's id for `{patient}` in the next
    step: else it would tell a practice of somebody it knows nothing of.
    """

    agency: str
    source: str
    practice: str
    hold_id: int
    hold: Hold
    due: int
    now: int
    of_chart: bool = False


def tell(connection: Connection, asked: Sequence[Tell]) -> list[bool]:
    """Operation: each notice stands; False where it stood already, or there is nobody to tell."""
    people = persons.fetch(connection, [(ask.agency, ask.source) for ask in asked])
    answers = []
    for ask in asked:
        row = people.get((ask.agency, ask.source))
        said = ask.hold
        if row is not None and ask.of_chart:
            patient = chart_of(connection, row.id, ask.practice)
            row = row if patient else None
            said = replace(said, next_step=said.next_step.format(patient=patient))
        same = hold.c.waits_for == ask.hold.waits_for, hold.c.rule == ask.hold.rule, tables.OPEN_HOLD
        new = row is not None and connection.execute(select(hold.c.id).where(*same)).first() is None
        answers.append(new)
        if row is not None and new:
            values = holds.row(ask.hold_id, ask.agency, said, ask.now, ask.due, person=row.id, practice=ask.practice)
            connection.execute(insert(hold).values(**values))
    return answers


def chart_of(connection: Connection, person_id: int, practice: str) -> str:
    """The EHR's own id of the chart in which something of ours stands for this person; "" where there is none."""
    stands = select(entry.c.id).where(
        entry.c.person == person_id, entry.c.practice == practice, entry.c.stands_id.isnot(None)
    )
    query = select(link.c.patient).where(link.c.person == person_id, link.c.practice == practice, tables.CURRENT_LINK)
    found = connection.execute(query.where(stands.exists())).scalar()
    return str(found or "")


def count(connection: Connection, rule: str) -> dict[str, int]:
    """Open notices of this rule, by practice."""
    query = select(hold.c.practice, func.count()).where(tables.OPEN_HOLD, hold.c.rule == rule)
    return by_name(connection, query.group_by(hold.c.practice))


def persons_with_consents(connection: Connection, agency: str, after: str, limit: int) -> list[str]:
    """The next persons of an agency of whom a form is recorded, by the agency's ids after this one."""
    query = select(person.c.source).where(person.c.agency == agency, person.c.source > after)
    query = query.where(select(consent.c.id).where(consent.c.person == person.c.id).exists())
    return list(connection.execute(query.order_by(person.c.source).limit(limit)).scalars())
