"""What an entry's steps did before: the latest of them, all of them, and what they left standing."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection, Row, case, or_, select

from bridge.model import WITHDRAWALS, Action, AnswerClass, HoldReason, Stands
from bridge.store import tables
from bridge.store.ledger import Ledger, get_blobs

step = tables.step


@dataclass(frozen=True, slots=True)
class Last:
    """The latest step of an entry: what it was to do, and the resource it carried."""

    id: int
    action: Action
    digest: str
    begun_at: int
    patient: str  # the EHR's id of the chart it went to
    answer: str | None  # the class of what came back; None = nothing did
    body: bytes = field(repr=False)
    code: str = ""

    @property
    def in_doubt(self) -> bool:
        """Whether its answer leaves open that it arrived."""
        return self.answer in IN_DOUBT


ABSENT = "absent"
"""The code of a step whose document a person did not find there."""
IN_DOUBT = (None, *map(str, (AnswerClass.ACCEPTED, AnswerClass.UNKNOWN, AnswerClass.DUPLICATE, AnswerClass.UNCLEAR)))
"""Answers that leave open whether what a step wrote is there."""


def last(
    connection: Connection, ledger: Ledger, entry_id: int, *, digest: str | None = None, stands: str = ""
) -> Last | None:
    """The latest step of an entry, or the latest that wrote what has this `digest`; None where there was none.

    Of several that wrote the same, the one that made what `stands` under this id.
    """
    query = select(step).where(step.c.entry == entry_id, step.c.request_blob.isnot(None))
    if digest is not None:
        query = query.where(step.c.action.not_in(WITHDRAWALS), step.c.digest == digest)
    mine = case((step.c.stands_id == stands, 0), else_=1)
    row = connection.execute(query.order_by(mine, step.c.begun_at.desc(), step.c.id.desc()).limit(1)).first()
    if row is None:
        return None
    body = get_blobs(connection, ledger.keys, [row.request_blob]).get(row.request_blob, b"")
    return as_last(row, body)


def every(connection: Connection, ledger: Ledger, entry_id: int) -> list[Last]:
    """Every step of an entry whose words are kept, the oldest first."""
    query = select(step).where(step.c.entry == entry_id, step.c.request_blob.isnot(None))
    rows = connection.execute(query.order_by(step.c.begun_at, step.c.id)).all()
    bodies = get_blobs(connection, ledger.keys, [row.request_blob for row in rows])
    return [as_last(row, bodies[row.request_blob]) for row in rows if row.request_blob in bodies]


def as_last(row: Row[Any], body: bytes) -> Last:
    """A step's row with the resource it carried."""
    action = Action(row.action)
    return Last(row.id, action, row.digest, row.begun_at, row.patient, row.answer, body, row.code or "")


def in_a_row(connection: Connection, entry_id: int, answer: AnswerClass, most: int = 10) -> int:
    """How many of the entry's latest answered steps were answered so, one after another; at most `most`."""
    query = select(step.c.answer).where(step.c.entry == entry_id, step.c.answer.isnot(None))
    latest = connection.execute(query.order_by(step.c.begun_at.desc(), step.c.id.desc()).limit(most)).scalars()
    return sum(1 for _ in takewhile(lambda one: one == answer.value, latest))


BESIDE = (Action.REPLACE, Action.SUPERSEDE)
"""What makes a document that takes the place of one which stays in the chart."""


def known(connection: Connection, entry_id: int) -> tuple[set[str], set[str]]:
    """The EHR's ids of all that an entry's steps made, and of all that they took back."""
    done = step.c.answer.in_([AnswerClass.DONE.value])
    query = select(step.c.action, step.c.stands_id, step.c.target).where(step.c.entry == entry_id, done)
    rows = connection.execute(query).all()
    made = {row.stands_id for row in rows if row.stands_id}
    return made, {row.target for row in rows if row.action in WITHDRAWALS and row.target}


def wrote_otherwise(connection: Connection, entry_id: int, digest: str) -> bool:
    """Whether an earlier step of an entry, of which nobody knows whether it arrived, was to write something else."""
    made = step.c.action.in_([*BESIDE, Action.CREATE]) & (step.c.digest != digest)
    doubtful = or_(step.c.answer.is_(None), step.c.answer.in_([one for one in IN_DOUBT if one is not None]))
    query = select(step.c.id).where(step.c.entry == entry_id, made, doubtful)
    return connection.execute(query.limit(1)).first() is not None


def stood_twice(connection: Connection, entry_id: int) -> bool:
    """Whether more than one of an entry was found in its chart before."""
    hold = tables.hold
    query = select(hold.c.id).where(hold.c.entry == entry_id, hold.c.reason == HoldReason.DUPLICATE.value)
    return connection.execute(query.limit(1)).first() is not None


def others(connection: Connection, entry_id: int, stands: str) -> list[Stands]:
    """What an entry's steps wrote before what `stands`, and no step took back; the newest first.

    A document that took another's place leaves that one in the chart.
    """
    made = step.c.action.in_([*BESIDE, Action.CREATE]) & step.c.stands_id.isnot(None)
    back = step.c.action.in_(WITHDRAWALS) & step.c.answer.in_([AnswerClass.DONE.value])
    mine = connection.execute(select(step).where(step.c.entry == entry_id, made | back).order_by(step.c.begun_at)).all()
    gone = {row.target for row in mine if row.action in WITHDRAWALS}
    left: dict[str, Stands] = {}
    for row in mine:
        if row.stands_id == stands and row.action not in WITHDRAWALS:
            break
        if row.stands_id is not None and row.action not in WITHDRAWALS and row.stands_id not in gone:
            # a step that was put off has the id of what stood before it, which another made
            left.setdefault(row.stands_id, Stands(row.stands_id, "", row.digest, row.patient))
    return list(reversed(left.values()))
