"""People's answers to holds, written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, or_, select, update

from bridge.model import WITHDRAWALS, Action, AnswerClass, EntryState, HoldReason, RecordState
from bridge.store import holds, lanes, past_steps, tables
from bridge.store.needs import Pile

entry, hold, record, step = tables.entry, tables.hold, tables.record, tables.step
SEND, KEEP = "send", "keep"
LATER_LOOKS = 2  # a person may look before an EHR has written it


@dataclass(frozen=True, slots=True)
class Retry:
    """Look again at one hold, at a pile of them, or at all open ones of a reason."""

    hold: int | None
    reason: str
    by: str
    now: int
    pile: Pile | None = None

    def where(self) -> ColumnElement[bool]:
        """The holds meant; closed ones may be among them."""
        if self.pile is not None:
            return self.pile.where()
        which = hold.c.id == self.hold if self.hold else hold.c.reason == self.reason
        return which & or_(hold.c.reason != HoldReason.REFERRAL.value, hold.c.entry.isnot(None))  # looking answers none


def retry(connection: Connection, asked: Sequence[Retry]) -> list[int]:
    """Operation: what was held is due again; how many."""
    return holds.rerun_each(connection, [(ask.where(), ask.now, ask.by) for ask in asked])


@dataclass(frozen=True, slots=True)
class Verdict:
    """A person looked: the entry `stands` under an id, is `absent`, or is to be dropped (`drop`).

    Where the answer to a new document beside what stands was lost, the word is about that document: absent, it is sent
    again, and what stood before still stands; a document that asks to disregard it stands, and it is taken back.
    Dropped: it does not go, and what stood before stays. Absent, and nothing should stand any more: taken back.
    `leave`: what the guard found may leave, in exactly the content whose `digest` was asked about.
    """

    hold: int
    entry: int
    verdict: str
    stands: str
    by: str
    now: int
    digest: str = ""


BESIDE = (Action.REPLACE.value, Action.SUPERSEDE.value, Action.DISREGARD.value)
"""What makes a document beside the one that stands."""


def latest_step(connection: Connection, entry_id: int) -> tuple[str, str, str]:
    """The digest that the latest step of an entry wrote, in whose chart, and its action where its answer was lost."""
    query = select(step.c.action, step.c.digest, step.c.patient, step.c.answer).where(step.c.entry == entry_id)
    latest = connection.execute(query.order_by(step.c.begun_at.desc(), step.c.id.desc()).limit(1)).first()
    if latest is None:
        return "", "", ""
    return latest.digest, latest.patient, latest.action if latest.answer in past_steps.IN_DOUBT else ""


def answered(connection: Connection, ask: Verdict) -> None:
    """The latest step is not in doubt any more: a later word is about something else."""
    latest = select(step.c.id).where(step.c.entry == ask.entry)
    last = latest.order_by(step.c.begun_at.desc(), step.c.id.desc()).limit(1).scalar_subquery()
    there = ask.verdict == "stands"
    said = (AnswerClass.DONE if there else AnswerClass.RETRY_LATER).value
    makes = step.c.action.not_in([action.value for action in WITHDRAWALS])
    values: dict[str, Any] = {"answer": said, "code": "person", "answered_at": ask.now}
    values |= {"stands_id": case((makes, ask.stands), else_=None) if there else None}
    connection.execute(update(step).where(step.c.id == last).values(**values))


def not_there(connection: Connection, entry_id: int) -> None:
    """The steps that made what is said to stand say that a person did not find it."""
    stands = select(entry.c.stands_id).where(entry.c.id == entry_id).scalar_subquery()
    made = step.c.entry == entry_id, step.c.stands_id == stands, step.c.action.not_in(WITHDRAWALS)
    connection.execute(update(step).where(*made).values(code=past_steps.ABSENT))


def left(connection: Connection, entry_id: int) -> dict[str, Any]:
    """The columns of an entry whose document was taken back: the one before it is next, where that stands too."""
    row = connection.execute(select(entry).where(entry.c.id == entry_id)).one()
    found = past_steps.others(connection, entry_id, row.stands_id) if row.stands_id else []
    more = [one for one in found if not row.should or one.patient == row.recalled]
    if not more:
        return {}
    stands = {"stands_id": more[0].id, "stands_version": "", "stands_digest": more[0].digest}
    return stands | {"stands_patient": more[0].patient, "recalled": row.recalled}


def decide(connection: Connection, asked: Sequence[Verdict]) -> list[bool]:
    """Operation: the entry is as the person said; False where its hold was closed before."""
    held = holds.lock(connection, hold.c.id.in_([ask.hold for ask in asked]))
    answers = []
    for ask in asked:
        still = connection.execute(select(hold.c.id).where(hold.c.id == ask.hold, tables.OPEN_HOLD)).first()
        answers.append(still is not None)
        if still is None:
            continue
        lanes.wake(connection, [held[ask.entry]], ask.now)
        holds.close(connection, hold.c.entry == ask.entry, ask.now, ask.by)
        values: dict[str, Any] = {"attempts": 0, "absent": 0, "claims": 0, "faults": 0, "updated_at": ask.now}
        again, gone = (EntryState.READY.value, ask.now), (EntryState.RETRACTED.value, None)
        state: Any
        due: Any
        state, due = (case((entry.c.should, new), else_=old) for new, old in zip(again, gone, strict=True))
        nothing = dict.fromkeys(("stands_id", "stands_version", "stands_digest", "stands_patient", "recalled"))
        digest, patient, lost = latest_step(connection, ask.entry)
        if lost and ask.verdict in ("stands", "absent"):
            answered(connection, ask)
        if ask.verdict == "stands" and lost == Action.DISREGARD.value:
            more = left(connection, ask.entry)
            state, due = again if more else (state, due)
            values |= {"state": state, "due_at": due, "look_first": False} | nothing | more
        elif ask.verdict == "stands":
            values |= {"state": EntryState.READY.value, "due_at": ask.now, "look_first": False}
            values |= {"stands_id": ask.stands, "stands_version": "", "stands_digest": digest}
            values |= {"stands_patient": patient}
            if past_steps.stood_twice(connection, ask.entry):  # and whether it stands alone is looked for again
                values |= {"doubted": 1}
        elif ask.verdict == "absent" and lost in BESIDE:
            values |= {"state": EntryState.READY.value, "due_at": ask.now, "look_first": False}
        elif ask.verdict == "absent":
            not_there(connection, ask.entry)
            more = left(connection, ask.entry)
            state, due = again if more else (state, due)
            values |= {"state": state, "due_at": due, "look_first": False, "doubted": LATER_LOOKS} | nothing | more
        elif ask.verdict == "leave":
            values |= {"state": EntryState.READY.value, "due_at": ask.now, "confirmed": ask.digest}
        else:
            stands = entry.c.stands_id.isnot(None)
            state = case((stands, EntryState.DELIVERED.value), else_=EntryState.CANCELLED.value)
            values |= {"state": state, "due_at": None, "should": stands}
        connection.execute(update(entry).where(entry.c.id == ask.entry).values(**values))
    return answers


@dataclass(frozen=True, slots=True)
class RecordVerdict:
    """A person's word on a record that waits for a decision: `send` it as it is, or else it is kept by the agency."""

    hold: int
    record: int
    send: bool
    by: str
    now: int


def decide_record(connection: Connection, asked: Sequence[RecordVerdict]) -> list[bool]:
    """Operation: the person's word stands on the record's version; False where its hold was closed before.

    Sent: its decisions are answered, and it is translated again once nothing else keeps it. Kept: it is done with, as
    one that asks for nothing to stand; what stood from earlier versions was true and stays. A newer version is asked
    about anew. Whoever is translating the record at this moment writes nothing any more (its owner is gone).
    """
    holds.lock(connection, hold.c.id.in_([ask.hold for ask in asked]))
    answers = []
    for ask in asked:
        this = hold.c.record == ask.record
        still = connection.execute(select(hold.c.id).where(hold.c.id == ask.hold, this, tables.OPEN_HOLD)).first()
        answers.append(still is not None)
        if still is None:
            continue
        values: dict[str, Any] = {"decided": SEND if ask.send else KEEP, "owner": None, "claims": 0}
        if ask.send:
            holds.close(connection, this & (hold.c.reason == HoldReason.DECISION.value), ask.now, ask.by)
            waits = holds.still_held(connection, hold.c.record, [ask.record])
            values |= {"due_at": None if waits else ask.now}
        else:
            holds.close(connection, this, ask.now, ask.by)
            values |= {"state": RecordState.TRANSLATED.value, "due_at": None}
        connection.execute(update(record).where(record.c.id == ask.record).values(**values))
    return answers
