"""What should stand in which charts after a version: each entry, or the roll-up that tells it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import Connection, Row, bindparam, select

from bridge.model import AnswerClass, EntryState
from bridge.store import holds, persons, rollups, tables
from bridge.store.ledger import slices
from bridge.store.wanted import Chart, EntryPlan, Mine
from bridge.store.written import UNDER_WAY, Written, awaiting_decision, withdraw

entry, lane, record = tables.entry, tables.lane, tables.record
STANDING = (
    select(entry, record.c.ordinal)
    .join(record, record.c.id == entry.c.record)
    .where(entry.c.thread.in_(bindparam("things", expanding=True)))
)
Here = dict[tuple[str, int, str], Row[Any]]  # by practice, person and name


def plan_entries(connection: Connection, wave: Sequence[Mine], *, missed: bool = False) -> None:
    """The threads' entries say what should stand after these versions; those no longer asked for should be absent.

    What a version with a higher `ordinal` planned stays. (Positions would not tell: they count within one person, and
    a newer version may be about another.) With `missed` only what was planned for nobody yet is.
    """
    if not wave:
        return
    things = [one.ask.work.thing for one in wave]
    found = connection.execute(STANDING, {"things": things}).all()
    standing: dict[str, Here] = {}
    for known in found:
        standing.setdefault(known.thread, {})[known.practice, known.person, known.name] = known
    told = rollups.told(connection, things)
    tellers = {row.id for of_thing in told.values() for row in of_thing.values()}
    undecided = awaiting_decision(connection, {*tellers, *(row.id for row in found)})
    back = taken_back(connection, [row.id for row in found if not row.should])
    lane_ids = ensure_lanes(connection, wave)
    write, rolls = Written(), rollups.RollUps()
    for one in wave:
        here: Here = standing.get(one.ask.work.thing, {})
        elsewhere: Here = told.get(one.ask.work.thing, {})
        for plan in one.ask.entries:
            chart = one.lane_of(plan)
            key = chart[1], chart[2], plan.name
            row: Row[Any] | None = here.pop(key, None)
            teller: Row[Any] | None = elsewhere.pop(key, None)
            if row is not None and row.ordinal == one.ordinal and (row.id, plan.digest) in back:
                continue
            if not (missed and (row is not None or teller is not None)):
                place(write, rolls, one, plan, row, teller, lane_ids[chart], undecided)
        if missed:
            continue
        charts = {one.lane_of(plan)[1:] for plan in one.ask.entries}
        for left in here.values():
            if left.should and (left.ordinal < one.ordinal or rerouted(left, one, charts, undecided)):
                withdraw(write, left, one.ask, left.id in undecided)
        for left in elsewhere.values():
            if left.ordinal < one.ordinal:
                rolls.leave(left, one)
    rolls.plan(connection, write, lane_ids)
    write.all(connection)


def taken_back(connection: Connection, entries: Sequence[int]) -> set[tuple[int, str]]:
    """What these entries, of which nothing should stand, said in a chart: the same version planned anew in the same
    words, since a practice's ways changed or somebody else came to know the person, does not bring it back.
    """
    step, found = tables.step, set[tuple[int, str]]()
    came = step.c.answer.in_([AnswerClass.DONE.value, AnswerClass.ACCEPTED.value])
    for some in slices(entries):
        rows = connection.execute(select(step.c.entry, step.c.digest).where(step.c.entry.in_(some), came))
        found |= {(row.entry, row.digest) for row in rows if row.digest}
    return found


def place(
    write: Written,
    rolls: rollups.RollUps,
    one: Mine,
    plan: EntryPlan,
    row: Row[Any] | None,
    teller: Row[Any] | None,
    lane_id: int,
    undecided: Collection[int],
) -> None:
    """What this version says goes where it stands already; what stands nowhere goes where the practice wants it now.

    `row` is its own entry as it stands, `teller` the roll-up it is told in.
    """
    if any(known is not None and known.ordinal > one.ordinal for known in (row, teller)):
        return
    own = row is not None and may_stand(row, undecided)
    gathered = None if own else plan.gathered
    if teller is not None and may_stand(teller, undecided) and rollups.within(teller, one.ask.work.occurred_at):
        gathered = rollups.as_before(teller, plan.gathered)
    if teller is not None and (gathered is None or gathered.thread != teller.thread):
        rolls.leave(teller, one)
    if gathered is not None:
        rolls.join(one, plan, gathered)
    if gathered is None and (own or not plan.unwanted):
        plan_entry(write, one, plan, row, lane_id, undecided)
    elif row is not None and row.should:
        withdraw(write, row, one.ask, row.id in undecided)


def rerouted(row: Row[Any], one: Mine, charts: Collection[tuple[str, int]], undecided: Collection[int]) -> bool:
    """Whether the same version now reaches this entry's chart by other ways, and nothing of the entry was begun."""
    return row.ordinal == one.ordinal and (row.practice, row.person) in charts and not may_stand(row, undecided)


def may_stand(row: Row[Any], undecided: Collection[int]) -> bool:
    """Whether this entry stands in the chart, or nobody can say yet that it does not."""
    given = row.state in (*UNDER_WAY, EntryState.HANDED_OVER.value)
    return row.stands_id is not None or given or row.look_first or row.id in undecided


def plan_entry(
    write: Written, one: Mine, plan: EntryPlan, row: Row[Any] | None, lane_id: int, undecided: Collection[int]
) -> None:
    """One entry as this version plans it; `row` is how it stands."""
    ask, work = one.ask, one.ask.work
    entry_id = row.id if row is not None else next(one.ids)
    values = planned_values(one, plan, row, entry_id in undecided)
    if row is None:
        person_id = one.people[plan.person].id
        write.inserted.append(
            {
                "id": entry_id, "agency": work.agency, "program": work.program, "practice": plan.practice,
                "lane": lane_id, "person": person_id, "thread": work.thing, "name": plan.name,
                "reference": plan.reference, "look_first": one.look_first, "gathers_from": None,
                "gathers_until": None, **values,
            }
        )  # fmt: skip
    else:
        write.update(entry_id, values)
        if entry_id not in undecided:
            write.close(entry_id, ask.now, "planned")
    if plan.hold is not None and values["state"] == EntryState.HELD.value and entry_id not in undecided:
        new, practice = next(one.ids), plan.practice
        write.opened.append(
            holds.row(new, work.agency, plan.hold, ask.now, ask.hold_due, entry=entry_id, practice=practice)
        )
    if values["due_at"] is not None:
        write.wake(lane_id, values["due_at"])


def planned_values(one: Mine, plan: EntryPlan, row: Row[Any] | None, undecided: bool) -> dict[str, Any]:
    """The entry's columns after this plan. A step under way keeps its state; its outcome is compared afterwards."""
    ask = one.ask
    values: dict[str, Any] = {
        "kind": plan.kind, "route": plan.route, "resource_type": plan.resource_type, "parts": " ".join(plan.parts),
        "rank": plan.rank, "occurred_at": ask.work.occurred_at, "record": ask.work.id, "position": ask.work.position,
        "should": True, "should_digest": plan.digest, "withheld": plan.withheld, "updated_at": ask.now,
        "urgency": one.urgency(plan, row, row.ordinal if row is not None else None),
    }  # fmt: skip
    state, due = (EntryState.READY, plan.due or ask.now) if plan.hold is None else (EntryState.HELD, plan.due)
    if plan.hold is None and not plan.digest:  # all of it is withheld: what stood before was true and stays
        stands = row is not None and row.stands_id is not None
        state, due = (EntryState.DELIVERED if stands else EntryState.CANCELLED), None
        if row is not None and row.state == EntryState.HANDED_OVER.value:
            state = EntryState.HANDED_OVER
    if row is not None:
        values["revision"] = row.revision + 1
        stands_so = row.state == EntryState.DELIVERED.value and row.stands_digest == plan.digest
        given_so = row.state == EntryState.HANDED_OVER.value and row.should_digest == plan.digest
        if undecided or stands_so or given_so or row.state in UNDER_WAY:
            state, due = EntryState(row.state), row.due_at
        else:
            values |= {"attempts": 0, "claims": 0, "faults": 0, "absent": 0}
    return values | {"state": state.value, "due_at": due}


def ensure_lanes(connection: Connection, wave: Sequence[Mine]) -> dict[Chart, int]:
    """The lanes of every chart that is planned for, made where there was none."""
    charts = {one.lane_of(plan): one for one in wave for plan in one.ask.entries}
    found = lanes_of(connection, charts)
    missing = sorted(charts.keys() - found.keys())
    if missing:
        rows = [
            {"id": next(charts[chart].ids), "agency": chart[0], "practice": chart[1], "person": chart[2]}
            for chart in missing
        ]
        connection.execute(persons.insert_ignore(connection, lane), rows)
        found = lanes_of(connection, charts)
    return found


def lanes_of(connection: Connection, charts: Collection[Chart]) -> dict[Chart, int]:
    """The lanes there are of these persons."""
    query = select(lane.c.id, lane.c.agency, lane.c.practice, lane.c.person)
    found: dict[Chart, int] = {}
    for some in slices(person for _, _, person in charts):
        rows = connection.execute(query.where(lane.c.person.in_(some)))
        found |= {(row.agency, row.practice, row.person): row.id for row in rows}
    return found
