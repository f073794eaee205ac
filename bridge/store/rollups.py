"""Roll-ups: one entry made of several records of one person, the members of its window.

Members change with every version of what they tell; what is said of them is decided when the roll-up is sent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from bridge.model import EntryState
from bridge.store import tables
from bridge.store.ledger import Ledger, get_blobs, slices
from bridge.store.wanted import Chart, EntryPlan, Gathering, Mine
from bridge.store.written import UNDER_WAY, Written, awaiting_decision, withdraw

entry, member, record, translation = tables.entry, tables.member, tables.record, tables.translation
Key = tuple[str, str, int]  # thread, practice, person
TOLD = (
    select(entry, member.c.thing, record.c.ordinal)
    .select_from(member)
    .join(entry, entry.c.id == member.c.entry)
    .join(record, record.c.id == member.c.record)
    .where(member.c.thing.in_(bindparam("things", expanding=True)))
)
MEMBERS = select(member.c.entry, member.c.thing).where(member.c.entry.in_(bindparam("entries", expanding=True)))


def told(connection: Connection, things: Sequence[str]) -> dict[str, dict[tuple[str, int, str], Row[Any]]]:
    """The roll-ups that tell of these things, by practice, person and name."""
    found: dict[str, dict[tuple[str, int, str], Row[Any]]] = {}
    for row in connection.execute(TOLD, {"things": things}):
        found.setdefault(row.thing, {})[row.practice, row.person, row.name] = row
    return found


def within(row: Row[Any], occurred: int | None) -> bool:
    """Whether a record of this clinical time belongs to this roll-up; one without stays where it was."""
    return occurred is None or bool(row.gathers_from <= occurred < row.gathers_until)


def as_before(row: Row[Any], wanted: Gathering | None) -> Gathering:
    """The roll-up in which a record is told already, whatever the practice wants by now."""
    due = max(row.gathers_until, wanted.due if wanted is not None else 0)
    return Gathering(row.thread, row.gathers_from, row.gathers_until, due, row.reference)


@dataclass(slots=True)
class RollUps:
    """What a wave of versions changes in roll-ups, so that each is planned once."""

    joins: dict[Key, dict[str, tuple[Mine, EntryPlan, Gathering]]] = field(default_factory=dict)
    leaves: dict[Key, dict[str, Mine]] = field(default_factory=dict)
    rows: dict[Key, Row[Any]] = field(default_factory=dict)

    def join(self, one: Mine, plan: EntryPlan, gathering: Gathering) -> None:
        """The version is told in this roll-up, in place of the one before it."""
        _, practice, person = one.lane_of(plan)
        self.joins.setdefault((gathering.thread, practice, person), {})[one.ask.work.thing] = one, plan, gathering

    def leave(self, row: Row[Any], one: Mine) -> None:
        """The thing is not told in this roll-up any more."""
        self.leaves.setdefault((row.thread, row.practice, row.person), {})[one.ask.work.thing] = one

    def plan(self, connection: Connection, write: Written, lane_ids: Mapping[Chart, int]) -> None:
        """What became of every roll-up that was touched is added to what is written."""
        touched = self.joins.keys() | self.leaves.keys()
        if not touched:
            return
        query = select(entry).where(entry.c.thread.in_(sorted({thread for thread, _, _ in touched})))
        people = sorted({person for _, _, person in touched})
        for some in slices(people):
            for known in connection.execute(query.where(entry.c.person.in_(some))):
                self.rows[known.thread, known.practice, known.person] = known
        before: dict[int, set[str]] = {}
        ids = [self.rows[key].id for key in touched if key in self.rows]
        for found in connection.execute(MEMBERS, {"entries": ids}):
            before.setdefault(found.entry, set()).add(found.thing)
        undecided = awaiting_decision(connection, ids)
        for key in sorted(touched):
            row = self.rows.get(key)
            members = before.get(row.id, set()) if row is not None else set()
            self._plan_one(write, key, row, members, lane_ids, row is not None and row.id in undecided)

    def _plan_one(
        self,
        write: Written,
        key: Key,
        row: Row[Any] | None,
        members: set[str],
        lane_ids: Mapping[Chart, int],
        undecided: bool,
    ) -> None:
        joins, leaves = self.joins.get(key, {}), self.leaves.get(key, {})
        if row is not None:
            write.left.setdefault(row.id, set()).update(leaves, joins.keys() & members)
            if not joins and not members - leaves.keys():
                if row.should:
                    withdraw(write, row, list(leaves.values())[-1].ask, undecided)
                return
        entry_id = row.id if row is not None else next(next(iter(joins.values()))[0].ids)
        for thing, (one, plan, _) in joins.items():
            names = " ".join(plan.parts)
            write.joined.append({"entry": entry_id, "thing": thing, "record": one.ask.work.id, "parts": names})
        now = max(one.ask.now for one in (*leaves.values(), *(one for one, _, _ in joins.values())))
        values = self._said(joins, row) | {"should": True, "should_digest": "", "updated_at": now}
        state, due = self._due(row, joins, members, now, undecided)
        values |= {"state": state.value, "due_at": due}
        if row is None:
            one, plan, gathering = next(iter(joins.values()))
            agency, practice, person = one.lane_of(plan)
            lane_id = lane_ids[agency, practice, person]
            write.inserted.append(
                {
                    "id": entry_id, "agency": agency, "program": one.ask.work.program, "practice": practice,
                    "lane": lane_id, "person": person, "thread": gathering.thread, "name": plan.name,
                    "reference": gathering.reference, "gathers_from": gathering.since,
                    "gathers_until": gathering.until, "withheld": 0,
                    "look_first": any(one.look_first for one, _, _ in joins.values()), **values,
                }
            )  # fmt: skip
        else:
            lane_id = row.lane
            values["revision"] = row.revision + 1
            if row.stands_id is None and any(one.look_first for one, _, _ in joins.values()):
                values["look_first"] = True  # an earlier issue of it may stand
            if not undecided and row.state not in UNDER_WAY:
                values |= {"attempts": 0, "claims": 0, "faults": 0, "absent": 0}
                if state is EntryState.READY:
                    write.close(row.id, now, "planned")
            write.update(row.id, values)
        if due is not None:
            write.wake(lane_id, due)

    @staticmethod
    def _said(joins: Mapping[str, tuple[Mine, EntryPlan, Gathering]], row: Row[Any] | None) -> dict[str, Any]:
        """What the roll-up's row says of its latest member."""
        if not joins:
            return {}
        one, plan, _ = list(joins.values())[-1]
        urgencies = [each.urgency(plan, row) for each, plan, _ in joins.values()]
        if row is not None and row.due_at is not None:  # what it told before still goes
            urgencies.append(row.urgency)
        return {
            "kind": plan.kind, "route": plan.route, "resource_type": plan.resource_type, "parts": "",
            "rank": plan.rank, "occurred_at": one.ask.work.occurred_at, "record": one.ask.work.id,
            "position": one.ask.work.position, "urgency": max(urgencies),
        }  # fmt: skip

    @staticmethod
    def _due(
        row: Row[Any] | None,
        joins: Mapping[str, tuple[Mine, EntryPlan, Gathering]],
        members: set[str],
        now: int,
        undecided: bool,
    ) -> tuple[EntryState, int | None]:
        """When it is looked at again: at its window's end; at once where what stands of it is not right any more."""
        if row is not None and (undecided or row.state in UNDER_WAY):
            return EntryState(row.state), row.due_at
        stands = row is not None and (row.stands_id is not None or row.state == EntryState.HANDED_OVER.value)
        times = [
            when(plan, gathering, now, stands and thing in members) for thing, (_, plan, gathering) in joins.items()
        ]
        if row is not None:
            if row.state == EntryState.READY.value and row.due_at is not None:
                times.append(row.due_at)
            elif row.state == EntryState.HELD.value or (stands and not joins):
                times.append(max(now, row.gathers_until))
            if not times:  # nothing of it ever left
                return EntryState(row.state), row.due_at
        return EntryState.READY, min(times)


def when(plan: EntryPlan, gathering: Gathering, now: int, corrects: bool) -> int:
    """When a roll-up that a record joined is looked at: when it is due, or at once where what stands is not right.

    At once too where something is waited for, so that it is seen; it is not sent before its window's end.
    """
    at_once = plan.hold is not None or (corrects and now >= gathering.until)
    return now if at_once else max(now, gathering.due)


def kinds_told(connection: Connection, entry_id: int) -> dict[str, str]:
    """The things a roll-up tells of, with the kind of each."""
    query = select(member.c.thing, record.c.kind).join(record, record.c.id == member.c.record)
    return {row.thing: row.kind for row in connection.execute(query.where(member.c.entry == entry_id))}


@dataclass(frozen=True, slots=True)
class Member:
    """One record a roll-up tells, with the parts about its person (JSON, decrypted)."""

    thing: str
    program: str
    kind: str
    occurred_at: int | None
    parts: tuple[str, ...]
    own: bool  # the record is this person's own, and does not only tell of them
    translation: bytes = field(repr=False)


OF_ENTRY = (
    select(member, record.c.program, record.c.kind, record.c.occurred_at, record.c.person, translation.c.parts_blob)
    .select_from(member)
    .join(record, record.c.id == member.c.record)
    .join(
        translation,
        (translation.c.record == member.c.record) & (translation.c.person == bindparam("of_person")),
    )
    .where(member.c.entry == bindparam("of"))
    .order_by(record.c.occurred_at, member.c.thing)
)


def members(connection: Connection, ledger: Ledger, entry_id: int, person: int) -> list[Member]:
    """What a roll-up tells, by clinical time; without members whose person's key was destroyed."""
    rows = connection.execute(OF_ENTRY, {"of": entry_id, "of_person": person}).all()
    parts = get_blobs(connection, ledger.keys, [row.parts_blob for row in rows])
    return [
        Member(
            row.thing,
            row.program,
            row.kind,
            row.occurred_at,
            tuple(row.parts.split()),
            row.person == person,
            parts[row.parts_blob],
        )
        for row in rows
        if row.parts_blob in parts
    ]
