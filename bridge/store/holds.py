"""Holds: what is waited for, and its arrival re-running exactly what waited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, insert, or_, select, update

from bridge.model import EntryState, Hold, RecordState
from bridge.store import lanes, records, tables
from bridge.store.ledger import slices

hold, entry, record = tables.hold, tables.entry, tables.record


ADD = insert(hold)


def row(
    hold_id: int,
    agency: str,
    held: Hold,
    now: int,
    due: int,
    *,
    record: int | None = None,
    entry: int | None = None,
    person: int | None = None,
    practice: str = "",
) -> dict[str, Any]:
    """A hold's row; it is about a record or an entry, or else about a person."""
    return {
        "id": hold_id,
        "agency": agency,
        "practice": practice,
        "record": record,
        "entry": entry,
        "subject": person,
        "reason": held.reason.value,
        "waits_for": held.waits_for,
        "owner": held.owner.value,
        "rule": held.rule,
        "next_step": held.next_step,
        "opened_at": now,
        "due_at": due,
    }


def close(connection: Connection, which: ColumnElement[bool], now: int, by: str) -> None:
    """The open holds among `which` are closed."""
    connection.execute(update(hold).where(which, tables.OPEN_HOLD).values(closed_at=now, closed_by=by))


@dataclass(frozen=True, slots=True)
class Arrival:
    """What holds wait for under these keys, or keys that begin so, is here; `by` is kept as what closed them."""

    keys: tuple[str, ...]
    now: int
    by: str
    beginnings: tuple[str, ...] = ()

    def where(self) -> ColumnElement[bool]:
        """The holds meant; closed ones may be among them."""
        begin_so = (hold.c.waits_for.startswith(beginning, autoescape=True) for beginning in self.beginnings)
        return or_(hold.c.waits_for.in_(sorted(set(self.keys))), *begin_so)


def arrive(connection: Connection, asked: Sequence[Arrival]) -> list[int]:
    """Operation: what waited for these keys, and nothing else, runs again; how many ran for each who asked."""
    return rerun_each(connection, [(ask.where(), ask.now, ask.by) for ask in asked])


def arrived(connection: Connection, keys: Sequence[str], now: int, by: str) -> int:
    """What these keys stand for is here: what waited for one of them, and nothing else, runs again. How many ran."""
    return rerun(connection, hold.c.waits_for.in_(sorted(set(keys))), now, by)


def rerun(connection: Connection, which: ColumnElement[bool], now: int, by: str) -> int:
    """Closes the open holds among `which` and makes what they held due now, unless another hold still keeps it.

    At most once in a transaction, which then locks no lane any more: see `rerun_each`.
    """
    rows = open_among(connection, which)
    lock_held(connection, rows)
    return run_again(connection, rows, now, by)


def rerun_each(connection: Connection, asked: Sequence[tuple[ColumnElement[bool], int, str]]) -> list[int]:
    """The same for several `(which, now, by)`; all that is held is locked first, so in one order for everybody."""
    rows = {row.id: row for row in open_among(connection, or_(*(which for which, _, _ in asked)))}
    lock_held(connection, list(rows.values()))
    ran = []
    for which, now, by in asked:
        open_now = connection.execute(select(hold.c.id).where(which, tables.OPEN_HOLD)).scalars().all()
        ran.append(run_again(connection, [rows[one] for one in open_now if one in rows], now, by))
    return ran


def run_again(connection: Connection, rows: Sequence[Row[Any]], now: int, by: str) -> int:
    """These holds, whose records and lanes are locked, are closed; how many things run again."""
    held_records = {row.record for row in rows if row.record is not None}
    held_entries = {row.entry for row in rows if row.entry is not None}
    for some in slices(row.id for row in rows):
        close(connection, hold.c.id.in_(some), now, by)
    ran = 0
    for some in slices(held_records):
        free = set(some) - still_held(connection, hold.c.record, some)
        ran += connection.execute(
            update(record)
            .where(record.c.id.in_(free), record.c.state == RecordState.HELD.value)
            .values(due_at=now, claims=0)
        ).rowcount
    for some in slices(held_entries):
        free = set(some) - still_held(connection, hold.c.entry, some)
        waiting = entry.c.id.in_(free), entry.c.state.in_([EntryState.HELD.value, EntryState.REFUSED.value])
        woken = list(connection.execute(select(entry.c.lane).where(*waiting)).scalars())
        connection.execute(
            update(entry)
            .where(*waiting)
            .values(state=EntryState.READY.value, due_at=now, attempts=0, claims=0, faults=0, absent=0, updated_at=now)
        )
        lanes.wake(connection, woken, now)
        ran += len(woken)
    return ran


def open_among(connection: Connection, which: ColumnElement[bool]) -> Sequence[Row[Any]]:
    """The open holds among `which`."""
    return connection.execute(select(hold).where(which, tables.OPEN_HOLD)).all()


def lock(connection: Connection, which: ColumnElement[bool]) -> dict[int, int]:
    """What the open holds among `which` hold is locked; the lanes of the entries by entry."""
    return lock_held(connection, open_among(connection, which))


def lock_held(connection: Connection, rows: Sequence[Row[Any]]) -> dict[int, int]:
    """Lanes, then records, locked before holds are closed: of two arrivals for one thing the later sees the earlier."""
    found: dict[int, int] = {}
    for some in slices(row.entry for row in rows if row.entry is not None):
        query = select(entry.c.id, entry.c.lane).where(entry.c.id.in_(some))
        found |= {row.id: row.lane for row in connection.execute(query)}
    lanes.lock(connection, found.values())
    records.lock(connection, (row.record for row in rows if row.record is not None))
    return found


def still_held(connection: Connection, column: ColumnElement[Any], ids: Sequence[int]) -> set[int]:
    """Those of these records or entries that an open hold keeps."""
    return set(connection.execute(select(column).where(column.in_(ids), tables.OPEN_HOLD)).scalars())
