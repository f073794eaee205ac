"""Which entries tell of a thing, for people: its own, and the roll-ups it is told in."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, case, func, not_, or_, select

from bridge.model import EntryState
from bridge.store import tables

entry, member, record = tables.entry, tables.member, tables.record
GATHERING = "gathering"
"""Where an entry is that waits for nothing but its roll-up's time."""
BEHIND = "behind"
"""Where an entry is that waits behind another of its record; what moves that one moves it."""
PARKED = and_(entry.c.state == EntryState.READY.value, entry.c.due_at.is_(None))
ON_THE_WAY = (EntryState.READY.value, EntryState.SENDING.value, EntryState.UNKNOWN.value)
GOES = and_(entry.c.state.in_(ON_THE_WAY), not_(PARKED))
WAITS = and_(entry.c.gathers_until.isnot(None), entry.c.state == EntryState.READY.value, entry.c.attempts == 0)
SINCE = case((WAITS, entry.c.due_at), else_=entry.c.updated_at)
"""Since when an entry waits: a roll-up from its time on, which may lie ahead."""


def entries_of(connection: Connection, things: Collection[str]) -> dict[str, list[dict[str, Any]]]:
    """The entries that tell of these things, by practice and rank; each says `where` it is."""
    wanted = sorted(things)
    columns = [*entry.c, member.c.thing]
    own = select(*entry.c, entry.c.thread.label("thing")).where(entry.c.thread.in_(wanted))
    told = select(*columns).join(member, member.c.entry == entry.c.id).where(member.c.thing.in_(wanted))
    rows = [*connection.execute(own), *connection.execute(told)]
    found: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: (row.practice, row.rank, row.id)):
        found.setdefault(row.thing, []).append({**row._mapping, "where": where(row)})
    return found


def where(row: Row[Any]) -> str:
    """The entry's state, `BEHIND` or `GATHERING`."""
    if row.state == EntryState.READY.value and row.due_at is None:
        return BEHIND
    waits = row.gathers_until is not None and row.state == EntryState.READY.value and not row.attempts
    return GATHERING if waits else str(row.state)


def tells_of_record(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Of a query's record: whether an entry made of it, or a roll-up that tells it, meets these conditions."""
    own = select(entry.c.id).where(entry.c.record == record.c.id, *conditions)
    of_it = member.c.record == record.c.id
    told = select(member.c.entry).join(entry, entry.c.id == member.c.entry).where(of_it, *conditions)
    return or_(own.exists(), told.exists())


def gathering(connection: Connection) -> dict[str, dict[str, int]]:
    """For each practice with roll-ups that wait for their time: how many (`count`), and when the first is `due`."""
    query = select(entry.c.practice, func.count().label("number"), func.min(entry.c.due_at).label("due"))
    rows = connection.execute(query.where(WAITS).group_by(entry.c.practice))
    return {row.practice: {"count": row.number, "due": row.due} for row in rows}


def oldest(connection: Connection, agency: str = "") -> dict[str, int]:
    """For each practice with entries on their way: since when the oldest goes. What waits for a person, or behind
    another of its record, does not go; a roll-up goes from its time on, which may lie ahead.
    """
    mine = [entry.c.agency == agency] if agency else []
    query = select(entry.c.practice, func.min(SINCE)).where(GOES, *mine).group_by(entry.c.practice)
    return {str(practice): int(since) for practice, since in connection.execute(query)}


def behind(connection: Connection, agency: str = "") -> dict[str, int]:
    """For each practice with entries that wait behind another of their record: how many."""
    mine = [entry.c.agency == agency] if agency else []
    query = select(entry.c.practice, func.count()).where(PARKED, *mine).group_by(entry.c.practice)
    return {str(practice): int(count) for practice, count in connection.execute(query)}
