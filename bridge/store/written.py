"""What planning writes about entries, gathered to be written at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from bridge.model import GUARDED, EntryState, HoldReason
from bridge.store import holds, lanes, tables
from bridge.store.engine import run_each
from bridge.store.ledger import slices
from bridge.store.wanted import Translated

entry, member = tables.entry, tables.member
ADD_ENTRY, ADD_MEMBER = insert(entry), insert(member)
UNDER_WAY = (EntryState.SENDING.value, EntryState.UNKNOWN.value)


@dataclass(slots=True)
class Written:
    """What planning writes, gathered to be written at once."""

    inserted: list[dict[str, Any]] = field(default_factory=list)
    updated: dict[tuple[str, ...], list[dict[str, Any]]] = field(default_factory=dict)  # by the columns they change
    closed: dict[tuple[int, str], list[int]] = field(default_factory=dict)  # (when, by what) → entries
    opened: list[dict[str, Any]] = field(default_factory=list)
    woken: dict[int, set[int]] = field(default_factory=dict)  # due → lanes
    left: dict[int, set[str]] = field(default_factory=dict)  # roll-up → things it tells no more, or in another version
    joined: list[dict[str, Any]] = field(default_factory=list)  # members

    def update(self, entry_id: int, values: Mapping[str, Any]) -> None:
        """This entry's row changes so."""
        row = {"entry_id": entry_id} | {f"new_{name}": value for name, value in values.items()}
        self.updated.setdefault(tuple(sorted(values)), []).append(row)

    def close(self, entry_id: int, now: int, by: str) -> None:
        """This entry's open holds are closed."""
        self.closed.setdefault((now, by), []).append(entry_id)

    def wake(self, lane_id: int, due: int) -> None:
        """This lane is looked at no later than `due`."""
        self.woken.setdefault(due, set()).add(lane_id)

    def all(self, connection: Connection) -> None:
        """All of it is written; holds are closed before others are opened."""
        run_each(connection, ADD_ENTRY, self.inserted)
        for names, rows in self.updated.items():
            named: dict[str, Any] = {name: bindparam(f"new_{name}") for name in names}
            connection.execute(update(entry).where(entry.c.id == bindparam("entry_id")).values(**named), rows)
        for (now, by), entries in self.closed.items():
            for some in slices(entries):
                holds.close(connection, tables.hold.c.entry.in_(some), now, by)
        run_each(connection, holds.ADD, self.opened)
        for entry_id, things in self.left.items():
            of_it = member.c.entry == entry_id
            connection.execute(member.delete().where(of_it, member.c.thing.in_(sorted(things))))
        run_each(connection, ADD_MEMBER, self.joined)
        for due, lane_ids in self.woken.items():
            lanes.wake(connection, lane_ids, due)


def awaiting_decision(connection: Connection, entries: Iterable[int]) -> set[int]:
    """Those of these entries of which only a person can say what stands: no newer plan sends them."""
    hold, found = tables.hold, set[int]()
    for some in slices(entries):
        query = select(hold.c.entry).where(hold.c.entry.in_(some), tables.OPEN_HOLD)
        query = query.where(~hold.c.waits_for.startswith(GUARDED))  # a newer version is looked at anew
        found |= set(connection.execute(query.where(hold.c.reason == HoldReason.DECISION.value)).scalars())
    return found


def withdraw(write: Written, row: Row[Any], ask: Translated, undecided: bool) -> None:
    """Nothing should stand for this entry any more: cancelled if nothing went, else a correction is due."""
    values: dict[str, Any] = {
        "should": False, "should_digest": "", "record": ask.work.id, "position": ask.work.position,
        "revision": row.revision + 1, "updated_at": ask.now,
    }  # fmt: skip
    if not undecided and row.state not in UNDER_WAY:
        gone = row.stands_id is not None
        values |= {
            "state": (EntryState.READY if gone else EntryState.CANCELLED).value,
            "due_at": ask.now if gone else None,
            "attempts": 0,
            "claims": 0,
            "faults": 0,
        }
        write.close(row.id, ask.now, "withdrawn")
        if gone:
            write.wake(row.lane, ask.now)
    write.update(row.id, values)
