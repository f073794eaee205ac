"""What was handed over and waits for confirmation: found, confirmed, refused, handed over anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, insert, or_, select, update

from bridge.model import Action, AnswerClass, EntryState, Hold, HoldReason
from bridge.store import holds, lanes, past_steps, tables
from bridge.store.ledger import Ledger, get_blobs, slices

entry, hold, step = tables.entry, tables.hold, tables.step
CONFIRMED = "confirmed"
"""The version of what was handed over and is confirmed."""
GIVEN = "handed"
"""The version of what was handed over and is not."""

AGAIN = "again"
WAITING = entry.c.state == EntryState.HANDED_OVER.value
WORD = and_(step.c.action == Action.RETRACT.value, step.c.answer == AnswerClass.ACCEPTED.value)
"""A step that asked to disregard a document, and is not confirmed."""
OPEN = entry.c.state.in_([EntryState.HANDED_OVER.value, EntryState.HELD.value])


def waiting(
    connection: Connection, practice: str, *, agency: str = "", before: int | None = None, limit: int = 500
) -> list[dict[str, Any]]:
    """What this practice was handed and nobody confirmed, the oldest first; `before` an instant where one is given.

    An entry that is taken back stands there once for each document whose `reference` the practice is to disregard.
    """
    query = select(entry).where(entry.c.practice == practice, WAITING)
    query = query.order_by(entry.c.updated_at, entry.c.id).limit(limit)
    query = query.where(entry.c.agency == agency) if agency else query
    query = query.where(entry.c.updated_at <= before) if before is not None else query
    found = [dict(row._mapping) for row in connection.execute(query)]
    words: dict[int, list[str]] = {}
    for some in slices(row["id"] for row in found if not row["should"]):
        asked = select(step.c.entry, step.c.target).where(step.c.entry.in_(some), WORD).order_by(step.c.begun_at)
        for word in connection.execute(asked):
            words.setdefault(word.entry, []).append(word.target)
    return [{**row, "reference": one} for row in found for one in words.get(row["id"], [row["reference"]])]


def asked_of(reference: str) -> ColumnElement[bool]:
    """Of a query's entry: whether it goes under this reference, or the practice is to disregard this document of it."""
    asked = select(step.c.id).where(step.c.entry == entry.c.id, step.c.target == reference, WORD)
    return or_(entry.c.reference == reference, asked.correlate(entry).exists())


def agency_of(connection: Connection, practice: str, reference: str) -> str:
    """Whose the entry is that waits at this practice under this reference; "" where there is none."""
    which = entry.c.practice == practice, asked_of(reference), OPEN
    return str(connection.execute(select(entry.c.agency).where(*which).limit(1)).scalar() or "")


@dataclass(frozen=True, slots=True)
class Word:
    """What is said of what was handed over to a practice under a reference: `confirmed`, `refused` or `again`.

    `cancels`: it is about the word that something should be disregarded. `hold` stands where it was refused.
    """

    practice: str
    reference: str
    cancels: bool
    verdict: str
    by: str
    now: int
    hold: Hold | None = None
    hold_id: int = 0
    hold_due: int = 0


def hear(connection: Connection, asked: Sequence[Word]) -> list[int]:
    """Operation: the entries are as was said, by what is known of them; how many each word was about.

    Of what waits for confirmation, and of what a person was asked about, since nobody could say whether it arrived. A
    refusal is heard only of what waits; what a worker is at is left to it.
    """
    found = [rows_of(connection, word) for word in asked]
    lanes.lock(connection, {row.lane for rows in found for row in rows})
    return [sum(heard(connection, word, row) for row in rows_of(connection, word)) for word in asked]


def rows_of(connection: Connection, word: Word) -> Sequence[Row[Any]]:
    """The entries a word is about."""
    under = asked_of(word.reference) if word.cancels else entry.c.reference == word.reference
    mine = entry.c.practice == word.practice, under, entry.c.should != word.cancels
    open_question = (
        select(hold.c.id)
        .where(hold.c.entry == entry.c.id, tables.OPEN_HOLD, hold.c.reason == HoldReason.DECISION.value)
        .exists()
    )
    asked_about = (entry.c.state == EntryState.HELD.value) & entry.c.look_first & open_question
    states = WAITING if word.verdict != CONFIRMED else or_(WAITING, asked_about)
    if word.verdict == AGAIN:  # what should be disregarded is not handed over anew
        states = WAITING & entry.c.should
    return connection.execute(select(entry).where(*mine, states)).all()


def heard(connection: Connection, word: Word, row: Row[Any]) -> int:
    """One entry as was said."""
    holds.close(connection, hold.c.entry == row.id, word.now, word.by)
    values: dict[str, Any] = {"attempts": 0, "absent": 0, "claims": 0, "faults": 0, "updated_at": word.now}
    values |= {"look_first": False}
    digest = select(step.c.digest).where(step.c.entry == row.id).order_by(step.c.begun_at.desc(), step.c.id.desc())
    answered(connection, word, row.id)
    if word.verdict == CONFIRMED and word.cancels:
        more, left = (
            connection.execute(select(step.c.id).where(step.c.entry == row.id, WORD)).first(),
            before(connection, row),
        )
        state = EntryState.RETRACTED if more is None else EntryState.HANDED_OVER
        state, due = (EntryState.READY, word.now) if left["stands_id"] else (state, None)
        values |= {"state": state.value, "due_at": due} | left
    elif word.verdict == CONFIRMED:
        handed = row.state == EntryState.HANDED_OVER.value
        latest = (row.stands_digest if handed else None) or connection.execute(digest.limit(1)).scalar() or ""
        state, due = (EntryState.DELIVERED, None) if latest == row.should_digest else (EntryState.READY, word.now)
        values |= {"state": state.value, "due_at": due, "stands_id": row.reference}
        values |= {"stands_version": CONFIRMED, "stands_digest": latest}
    elif word.hold is not None:
        values |= {"state": EntryState.HELD.value, "due_at": None, "replaced": row.replaced + 1}
        still = {"stands_id": word.reference, "stands_version": "", "stands_digest": ""}  # to be disregarded
        values |= still if word.cancels else before(connection, row)
        opened = holds.row(
            word.hold_id, row.agency, word.hold, word.now, word.hold_due, entry=row.id, practice=row.practice
        )
        connection.execute(insert(hold).values(**opened))
    else:
        values |= {"state": EntryState.READY.value, "due_at": word.now, "replaced": row.replaced + 1}
        values |= before(connection, row)
    connection.execute(update(entry).where(entry.c.id == row.id).values(**values))
    if values["due_at"] is not None:
        lanes.wake(connection, [row.lane], values["due_at"])
    return 1


SAID = {CONFIRMED: AnswerClass.DONE, AGAIN: AnswerClass.RETRY_LATER}
"""What a step's answer is after a word about it; else the other side refused it."""


def answered(connection: Connection, word: Word, entry_id: int) -> None:
    """The step that a word is about says so: it is there, or never came, or was not taken."""
    retract = step.c.action == Action.RETRACT.value
    which = (
        retract & (step.c.target == word.reference) if word.cancels else ~retract & (step.c.stands_id == word.reference)
    )
    lost = or_(step.c.answer.is_(None), step.c.answer == AnswerClass.UNKNOWN.value)
    waits = step.c.entry == entry_id, which, or_(step.c.answer == AnswerClass.ACCEPTED.value, lost)
    answer = SAID.get(word.verdict, AnswerClass.CONTENT)
    code = {CONFIRMED: "confirmed", AGAIN: "never-came"}.get(word.verdict, "refused-later")
    connection.execute(update(step).where(*waits).values(answer=answer.value, code=code))


def before(connection: Connection, row: Row[Any]) -> dict[str, str | None]:
    """The columns of what stands where the latest document is not there: the one whose place it was to take, if any."""
    retract, there = step.c.action == Action.RETRACT.value, step.c.answer.in_([*map(str, IN_PLACE)])
    gone = select(step.c.target).where(step.c.entry == row.id, retract, there)
    seen = step.c.code.is_distinct_from(past_steps.ABSENT)
    other = step.c.stands_id != row.reference, step.c.stands_id.not_in(gone)
    made = step.c.entry == row.id, ~retract, there, seen, *other
    query = select(step.c.stands_id, step.c.patient).where(*made).order_by(step.c.begun_at.desc(), step.c.id.desc())
    known = connection.execute(query.limit(1)).first()
    if known is None:
        return nothing_stands()
    return {
        "stands_id": known.stands_id, "stands_version": GIVEN, "stands_digest": "", "stands_patient": known.patient,
    }  # fmt: skip


IN_PLACE = (AnswerClass.DONE, AnswerClass.ACCEPTED)


def nothing_stands() -> dict[str, str | None]:
    """The columns of an entry of which nothing stands."""
    return {"stands_id": None, "stands_version": None, "stands_digest": None}


@dataclass(frozen=True, slots=True)
class Overdue:
    """One entry that nobody confirmed in time, and the notice to give."""

    entry: int
    agency: str
    practice: str
    hold: Hold
    hold_id: int
    due: int
    now: int


def tell(connection: Connection, asked: Sequence[Overdue]) -> list[bool]:
    """Operation: the notices stand; False where one stood already, or it is not waited for any more."""
    answers = []
    for ask in asked:
        same = hold.c.entry == ask.entry, tables.OPEN_HOLD
        stood = connection.execute(select(hold.c.id).where(*same)).first() is not None
        waits = connection.execute(select(entry.c.id).where(entry.c.id == ask.entry, WAITING)).first() is not None
        answers.append(waits and not stood)
        if answers[-1]:
            row = holds.row(ask.hold_id, ask.agency, ask.hold, ask.now, ask.due, entry=ask.entry, practice=ask.practice)
            connection.execute(insert(hold).values(**row))
    return answers


def last_given(connection: Connection, ledger: Ledger, practice: str, reference: str) -> bytes:
    """What the latest step of what waits under a reference handed over; b"" where there is none."""
    which = entry.c.practice == practice, asked_of(reference), OPEN
    back = step.c.action == Action.RETRACT.value
    latest = case((back & (step.c.target == reference), 0), (back, 2), else_=1)
    query = select(step.c.request_blob).join(entry, entry.c.id == step.c.entry)
    query = query.where(*which, step.c.request_blob.isnot(None))
    blob = connection.execute(query.order_by(latest, step.c.begun_at.desc(), step.c.id.desc()).limit(1)).scalar()
    return get_blobs(connection, ledger.keys, [blob]).get(blob, b"") if blob is not None else b""
