"""Turns that an error of ours ended: counted at their entry, and after so many in a row a person is asked.

Nothing else of the entry changes, for nothing is known of it; what was on its way is looked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, update

from bridge.model import EntryState, Hold
from bridge.store import holds, lanes, tables
from bridge.store.written import UNDER_WAY

entry = tables.entry


@dataclass(frozen=True, slots=True)
class Failed:
    """The turn of this entry, as it was planned in this `revision`, ended in an error.

    It comes again at `due`, unless that was the last of `most` in a row, or of `claims` steps that were begun and got
    no outcome: then `hold` says who is asked.
    """

    lease: lanes.Lease
    agency: str
    entry: int
    revision: int
    now: int
    due: int
    most: int
    claims: int
    hold: Hold
    hold_id: int
    hold_due: int


@dataclass(frozen=True, slots=True)
class Counted:
    """What became of it: `held`, or when it comes again (`due`); `mine` is False where the lease was lost."""

    mine: bool = True
    held: bool = False
    due: int | None = None


def count(connection: Connection, asked: Sequence[Failed]) -> list[Counted]:
    """Operation: the error is counted, and the entry waits longer each time, or for a person.

    What was planned anew meanwhile begins to be counted anew.
    """
    mine = lanes.held(connection, [ask.lease for ask in asked])
    answers = []
    for ask in asked:
        if ask.lease not in mine:
            answers.append(Counted(mine=False))
            continue
        row = connection.execute(select(entry).where(entry.c.id == ask.entry)).one()
        held, values = outcome(ask, row)
        if held:
            holds.close(connection, tables.hold.c.entry == ask.entry, ask.now, "moved")
            new = holds.row(
                ask.hold_id, ask.agency, ask.hold, ask.now, ask.hold_due, entry=row.id, practice=row.practice
            )
            connection.execute(holds.ADD, [new])
        connection.execute(update(entry).where(entry.c.id == ask.entry).values(updated_at=ask.now, **values))
        answers.append(Counted(held=held, due=values["due_at"]))
    return answers


def outcome(ask: Failed, row: Row[Any]) -> tuple[bool, dict[str, Any]]:
    """Whether a person is asked, and the entry's columns.

    What stands is not held up for a later look that could not be made: it stands, and somebody looks instead.
    """
    lost = row.state == EntryState.SENDING.value
    doubt = row.state in UNDER_WAY
    values: dict[str, Any] = {"faults": row.faults + 1, "due_at": ask.due}
    if lost:
        values |= {"state": EntryState.UNKNOWN.value, "look_first": True}
    if row.revision != ask.revision:
        return False, values | {"faults": 0} if doubt else {"faults": 0, "due_at": row.due_at}
    if values["faults"] < ask.most and not (lost and row.claims >= ask.claims):
        return False, values
    if row.state == EntryState.DELIVERED.value:
        return True, {"faults": 0, "due_at": None, "doubted": 0}
    return True, values | {"state": EntryState.HELD.value, "due_at": None, "look_first": row.look_first or doubt}
