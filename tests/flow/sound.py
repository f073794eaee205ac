"""What is true of every ledger between two claims: nothing in it waits for nothing."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, select

from bridge.model import UNRESOLVED, EntryState, RecordState
from bridge.moves.failing import MOST_FAULTS
from bridge.store import tables

entry, hold, lane, record = tables.entry, tables.hold, tables.lane, tables.record
WAITS = (EntryState.HELD, EntryState.REFUSED)
GONE = (EntryState.CANCELLED, EntryState.RETRACTED)


def unsound(connection: Connection) -> list[str]:
    """The rows that nothing will ever move, or that contradict themselves: their ids and why."""
    return [*entries_unsound(connection), *records_unsound(connection)]


def entries_unsound(connection: Connection) -> Iterator[str]:
    held = set(connection.execute(select(hold.c.entry).where(tables.OPEN_HOLD)).scalars())
    dues = {row.id: row.due_at for row in connection.execute(select(lane))}
    rows = connection.execute(select(entry)).all()
    waiting = {(row.lane, row.thread, row.id) for row in rows if EntryState(row.state) in UNRESOLVED}
    for row in rows:
        state, named = EntryState(row.state), f"entry {row.id} {row.kind} {row.name} is {row.state}"
        behind = any(at[:2] == (row.lane, row.thread) and at[2] != row.id for at in waiting)
        if row.due_at is not None and (dues[row.lane] is None or dues[row.lane] > row.due_at):
            yield f"{named} and due before its lane"
        if state in WAITS and row.due_at is None and row.id not in held:
            yield f"{named} without a hold or a time"
        if state in (EntryState.READY, EntryState.UNKNOWN) and row.due_at is None and not behind:
            yield f"{named} without a time, and behind nothing"
        if row.faults >= MOST_FAULTS and row.id not in held:
            yield f"{named} and failed {row.faults} times, and nobody knows"
        if state is EntryState.SENDING and dues[row.lane] is None:
            yield f"{named}, and nobody looks at its lane"
        if state is EntryState.DELIVERED and row.stands_id is None:
            yield f"{named}, and nothing stands"
        if state in GONE and row.stands_id is not None:
            yield f"{named}, and something stands"
        if state is EntryState.HANDED_OVER and row.should and row.stands_id is None:
            yield f"{named}, and nobody knows as what"
        if state is EntryState.DELIVERED and row.recalled and row.stands_patient == row.recalled:
            yield f"{named} in the chart it was recalled from"


def records_unsound(connection: Connection) -> Iterator[str]:
    held = set(connection.execute(select(hold.c.record).where(tables.OPEN_HOLD)).scalars())
    for row in connection.execute(select(record)):
        named = f"record {row.id} {row.kind} is {row.state}"
        if row.state == RecordState.HELD.value and row.due_at is None and row.id not in held:
            yield f"{named} without a hold or a time"
        if row.state == RecordState.ACCEPTED.value and row.due_at is None and row.final:
            yield f"{named} without a time"
