"""People's answers to holds, written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, case, or_, select, update

from bridge.model import EntryState, HoldReason, RecordState
from bridge.store import holds, lanes, tables
from bridge.store.needs import Pile

entry, hold, record = tables.entry, tables.hold, tables.record
SEND, KEEP = "send", "keep"


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
        values: dict[str, Any] = {"attempts": 0, "absent": 0, "claims": 0, "updated_at": ask.now}
        if ask.verdict == "stands":
            digest = select(tables.step.c.digest).where(tables.step.c.entry == ask.entry)
            latest = connection.execute(digest.order_by(tables.step.c.begun_at.desc()).limit(1)).scalar()
            values |= {"state": EntryState.READY.value, "due_at": ask.now, "look_first": False}
            values |= {"stands_id": ask.stands, "stands_version": "", "stands_digest": latest or ""}
        elif ask.verdict == "absent":
            again, gone = (EntryState.READY.value, ask.now), (EntryState.RETRACTED.value, None)
            state, due = (case((entry.c.should, new), else_=old) for new, old in zip(again, gone, strict=True))
            values |= {"state": state, "due_at": due, "look_first": False}
            values |= {"stands_id": None, "stands_version": None, "stands_digest": None}
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
