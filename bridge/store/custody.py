"""Who may consent for a person changed: what others signed is suspended, and the agency is asked who may now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, insert, select, update

from bridge.model import Authority, Hold
from bridge.store import holds, permissions, persons, tables
from bridge.store.ledger import Ledger, slices

consent, person = tables.consent, tables.person


@dataclass(frozen=True, slots=True)
class Suspend:
    """A person whose guardian or custody changed, or of whom a record says (`said`) who has it; None = it changed.

    `questions` are the holds to open: practice → (hold id, hold).
    """

    ledger: Ledger
    person: persons.NewPerson
    said: str | None
    questions: Mapping[str, tuple[int, Hold]]
    hold_due: int
    now: int


def suspend(connection: Connection, asked: Sequence[Suspend]) -> list[int]:
    """Operation: what others than the person signed is suspended where custody changed; how many forms.

    What a record says first, and says again, is no change. Kept of it is a keyed hash.
    """
    people = persons.ensure(connection, (ask.person for ask in asked))
    custody = {row.id: row.custody for row in people.values()}
    answers: list[int] = []
    moved: dict[int, tuple[str, ...]] = {}
    opened = []
    for ask in asked:
        row = people[(ask.person.agency, ask.person.source)]
        ask.ledger.keys.add(row.id, row.wrapped_key)
        if ask.said is not None:
            before, custody[row.id] = custody[row.id], ask.ledger.keyring.hash("custody", str(row.id), ask.said)
            if custody[row.id] != before:
                connection.execute(update(person).where(person.c.id == row.id).values(custody=custody[row.id]))
            if before in ("", custody[row.id]):
                answers.append(0)
                continue
        forms = signed_by_others(connection, ask.ledger, row.id)
        for some in slices(forms):
            connection.execute(update(consent).where(consent.c.id.in_(some)).values(suspended=ask.now, tell_at=ask.now))
        answers.append(len(forms))
        if forms:
            moved[row.id] = ()
        for practice in sorted(set(forms.values()) & ask.questions.keys()):
            hold_id, hold = ask.questions[practice]
            opened.append(holds.row(hold_id, row.agency, hold, ask.now, ask.hold_due, person=row.id, practice=practice))
    if moved:
        permissions.changed(connection, moved, max(ask.now for ask in asked), "custody")
    if opened:
        connection.execute(insert(tables.hold), opened)
    return answers


def signed_by_others(connection: Connection, ledger: Ledger, person_id: int) -> dict[int, str]:
    """The forms not suspended yet that the person did not sign by their own right: id → practice."""
    found = connection.execute(select(consent).where(consent.c.person == person_id, consent.c.suspended.is_(None)))
    others = {}
    for row in found.all():
        terms = permissions.terms_of(connection, ledger, row.terms_blob)
        if terms is None or terms.authority is not Authority.SELF:
            others[row.id] = row.practice
    return others
