"""Reading the ledger for people: counts, holds, one record's life. Nothing here changes a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select

from bridge.model import EntryState, RecordState
from bridge.store import tables, telling

record, entry, hold, step, person, lane = (
    tables.record, tables.entry, tables.hold, tables.step, tables.person, tables.lane,
)  # fmt: skip


def record_counts(connection: Connection, agency: str | None = None) -> dict[str, int]:
    """Records by state, zeros too; `accepted` is cumulative: every version ever accepted."""
    query = select(record.c.state, func.count()).group_by(record.c.state)
    rows = by_name(connection, query.where(record.c.agency == agency) if agency else query)
    counts = {state.value: rows.get(state.value, 0) for state in RecordState}
    waiting = counts["accepted"]
    return counts | {"accepted": sum(rows.values()), "waiting": waiting}


def entry_counts(connection: Connection, practice: str | None = None) -> dict[str, int]:
    """Entries by state, zeros too."""
    query = select(entry.c.state, func.count()).group_by(entry.c.state)
    rows = by_name(connection, query.where(entry.c.practice == practice) if practice else query)
    return {state.value: rows.get(state.value, 0) for state in EntryState}


def by_name(connection: Connection, query: Select[Any]) -> dict[str, int]:
    """The rows of a query of (name, count)."""
    return {str(name): int(count) for name, count in connection.execute(query)}


def withheld(connection: Connection) -> int:
    """Parts and sections that stayed behind, over all entries."""
    return int(connection.execute(select(func.coalesce(func.sum(entry.c.withheld), 0))).scalar_one())


def practice_counts(connection: Connection) -> dict[str, dict[str, Any]]:
    """For each practice: entries by state and by resource type, how many wait behind another, the oldest that waits.

    `behind`: ready, and parked behind another of their thread that waits; what moves that one moves them. `gathering`:
    roll-ups that wait for their time, which are ready too, and when the first is due; they wait from then on.
    """
    found: dict[str, dict[str, Any]] = {}
    rows = connection.execute(
        select(entry.c.practice, entry.c.resource_type, entry.c.state, func.count()).group_by(
            entry.c.practice, entry.c.resource_type, entry.c.state
        )
    )
    for practice, resource_type, state, count in rows:
        of = found.setdefault(
            practice,
            {
                "entries": {s.value: 0 for s in EntryState},
                "routes": {},
                "behind": 0,
                "oldest": None,
                "gathering": {"count": 0, "due": None},
            },
        )
        of["entries"][state] += count
        of["routes"].setdefault(resource_type, {}).setdefault(state, 0)
        of["routes"][resource_type][state] += count
    for practice, count in telling.behind(connection).items():
        if practice in found:
            found[practice]["behind"] = count
    for practice, waiting in telling.gathering(connection).items():
        if practice in found:
            found[practice]["gathering"] = waiting
    for practice, since in telling.oldest(connection).items():
        if practice in found:
            found[practice]["oldest"] = since
    return found


def hold_counts(connection: Connection, agency: str | None = None) -> dict[str, int]:
    """Open holds by reason."""
    query = select(hold.c.reason, func.count()).where(tables.OPEN_HOLD).group_by(hold.c.reason)
    return by_name(connection, query.where(hold.c.agency == agency) if agency else query)


def holds_by_practice(connection: Connection) -> dict[str, dict[str, int]]:
    """Open holds by practice and reason."""
    query = select(hold.c.practice, hold.c.reason, func.count()).where(tables.OPEN_HOLD, hold.c.practice != "")
    found: dict[str, dict[str, int]] = {}
    for practice, reason, count in connection.execute(query.group_by(hold.c.practice, hold.c.reason)):
        found.setdefault(practice, {})[reason] = count
    return found


def open_holds(
    connection: Connection,
    *,
    agency: str | None = None,
    practice: str | None = None,
    reason: str | None = None,
    limit: int = 100,
    after: int = 0,
) -> list[dict[str, Any]]:
    """Open holds, oldest first, with what they are about."""
    query = (
        select(
            hold,
            func.coalesce(record.c.kind, entry.c.kind).label("kind"),
            func.coalesce(record.c.source_id, entry.c.thread).label("thing"),
            person.c.source.label("person"),
            entry.c.state.label("entry_state"),
        )
        .outerjoin(record, record.c.id == hold.c.record)
        .outerjoin(entry, entry.c.id == hold.c.entry)
        .outerjoin(person, person.c.id == func.coalesce(record.c.person, entry.c.person, hold.c.subject))
        .where(tables.OPEN_HOLD, hold.c.id > after)
        .order_by(hold.c.id)
        .limit(limit)
    )
    if agency:
        query = query.where(hold.c.agency == agency)
    if practice:
        query = query.where(hold.c.practice == practice)
    if reason:
        query = query.where(hold.c.reason == reason)
    return [dict(row._mapping) for row in connection.execute(query)]


def one_hold(connection: Connection, hold_id: int) -> dict[str, Any] | None:
    """One hold, open or closed."""
    row = connection.execute(select(hold).where(hold.c.id == hold_id)).first()
    return dict(row._mapping) if row is not None else None


def life(connection: Connection, record_id: int) -> dict[str, Any] | None:
    """One record from acceptance to chart: its row, holds, the entries that tell of its thing and every step."""
    row = connection.execute(
        select(record, person.c.source.label("subject"))
        .join(person, person.c.id == record.c.person)
        .where(record.c.id == record_id)
    ).first()
    if row is None:
        return None
    entries = telling.entries_of(connection, [row.thing]).get(row.thing, [])
    ids = [one["id"] for one in entries]
    steps = connection.execute(select(step).where(step.c.entry.in_(ids)).order_by(step.c.begun_at, step.c.id)).all()
    held = connection.execute(
        select(hold).where((hold.c.record == record_id) | hold.c.entry.in_(ids)).order_by(hold.c.id)
    ).all()
    return {
        "record": dict(row._mapping),
        "entries": entries,
        "steps": [dict(s._mapping) for s in steps],
        "holds": [dict(h._mapping) for h in held],
    }


def recent_records(
    connection: Connection, *, agency: str | None = None, person_source: str | None = None, limit: int = 50
) -> list[dict[str, Any]]:
    """The latest records, each with the entries that tell of its thing."""
    query = select(record, person.c.source.label("subject")).join(person, person.c.id == record.c.person)
    if agency:
        query = query.where(record.c.agency == agency)
    if person_source:
        query = query.where(person.c.source == person_source)
    rows = [dict(row._mapping) for row in connection.execute(query.order_by(record.c.id.desc()).limit(limit))]
    entries = telling.entries_of(connection, {row["thing"] for row in rows})
    return [row | {"entries": entries.get(row["thing"], [])} for row in rows]


def idle(connection: Connection, now: int, closed: Sequence[str] = ()) -> bool:
    """Whether nothing is to be translated, or sent to a practice not `closed`, at `now`: what is left waits."""
    claimed_or_due = record.c.due_at.isnot(None) & (record.c.owner.isnot(None) | (record.c.due_at <= now))
    behind = connection.execute(select(tables.catching_up.c.person).where(tables.catching_up.c.due_at <= now).limit(1))
    told = connection.execute(select(tables.consent.c.id).where(tables.TO_TELL, tables.consent.c.tell_at <= now))
    looked = connection.execute(select(person.c.id).where(tables.TO_LOOK_AT).limit(1))
    if behind.first() is not None or told.first() is not None or looked.first() is not None:
        return False
    due_records = connection.execute(select(record.c.id).where(claimed_or_due).limit(1)).first()
    due = select(lane.c.id).where(lane.c.due_at <= now, lane.c.practice.not_in(closed))
    return due_records is None and connection.execute(due.limit(1)).first() is None


def in_short(found: dict[str, Any]) -> dict[str, Any]:
    """A record's life as its agency's system may read it: states, times and ids, no reasons that name others."""
    held = [hold for hold in found["holds"] if hold["closed_at"] is None]
    return {
        "record": found["record"]["id"],
        "state": found["record"]["state"],
        "final": found["record"]["final"],
        "entries": [entry_in_short(one) for one in found["entries"]],
        "holds": [{"reason": h["reason"], "owner": h["owner"], "rule": h["rule"]} for h in held],
    }


def entry_in_short(one: dict[str, Any]) -> dict[str, Any]:
    """One entry's state; `roll_up_due` (microseconds) where it waits for its roll-up's time."""
    short = {"practice": one["practice"], "what": one["name"], "type": one["resource_type"], "state": one["state"]}
    return short | ({"roll_up_due": one["due_at"]} if one["where"] == telling.GATHERING else {})


FULL = (
    select(entry.c.id)
    .where(
        entry.c.practice == bindparam("of"),
        entry.c.state.in_(telling.ON_THE_WAY),
    )
    .offset(bindparam("all_but_one"))
    .limit(1)
)


def full_practices(connection: Connection, practices: Iterable[str], most: int) -> frozenset[str]:
    """Those of the practices for which at least `most` entries wait to be sent or settled; held ones wait for people.

    What is settled is not looked at: it grows for ever.
    """
    full = (name for name in practices if connection.execute(FULL, {"of": name, "all_but_one": most - 1}).first())
    return frozenset(full)
