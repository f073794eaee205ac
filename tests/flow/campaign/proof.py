"""What must be true after a campaign, asked of the ledger and of what the EHRs hold. Ids and references only."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from sqlalchemy import Table, select

from bridge.ehr.merge import is_in_error
from bridge.model import UNRESOLVED, Action, EntryState, RecordState
from bridge.store import tables
from bridge.store.ledger import Ledger
from tests.flow.campaign.crew import Orphan
from tests.flow.campaign.sites import Held

Row = dict[str, Any]
CREATES = (Action.CREATE.value, Action.REPLACE.value)
UNDER_WAY = (EntryState.READY.value, EntryState.SENDING.value, EntryState.UNKNOWN.value)


@dataclass
class Facts:
    """The ledger's rows and everything clients made in the EHRs (`posts`: creates they were asked for, if known)."""

    records: list[Row]
    entries: list[Row]
    steps: list[Row]
    holds: list[Row]
    lanes: list[Row]
    held: list[Held]
    posts: int | None = None
    orphans: Sequence[Orphan] = ()
    timeout: int = 0  # microseconds a request may take
    skipped: int | None = None  # when the ledger's clock was first moved ahead of the EHRs', if it was
    late: frozenset[str] = frozenset()  # delivery references an EHR committed after the look: these may stand twice
    standing: dict[str, list[Held]] = field(init=False)  # by delivery reference
    copies: dict[str, list[Held]] = field(init=False)  # what an EHR's own side filed again, likewise
    unknown: list[str] = field(init=False)  # delivery references that no entry has

    def __post_init__(self) -> None:
        self.standing, self.copies = defaultdict(list), defaultdict(list)
        known = {entry["reference"] for entry in self.entries}
        for one in self.held:
            for reference in one.references:
                (self.copies if one.copy_of else self.standing)[reference].append(one)
        self.unknown = sorted(reference for reference in self.standing if reference not in known)


def facts(ledger: Ledger, held: Sequence[Held], **more: Any) -> Facts:
    """As they are now."""

    def rows(table: Table) -> list[Row]:
        return [dict(row._mapping) for row in connection.execute(select(table).order_by(table.c.id))]

    with ledger.read() as connection:
        return Facts(
            rows(tables.record), rows(tables.entry), rows(tables.step), rows(tables.hold), rows(tables.lane),
            list(held), **more,
        )  # fmt: skip


def wrong(found: Facts) -> dict[str, list[str]]:
    """What is not as it must be, by the name of the rule; empty when all is well."""
    checks = {
        "record lost": records_lost(found),
        "entry unsettled": unsettled(found),
        "delivered, but not there": missing(found),
        "there, but not known": strays(found),
        "there twice": duplicates(found),
        "withdrawn, but there": not_withdrawn(found),
        "created again after it stood": resent(found),
        "created without a step": without_step(found),
        "created before its step": before_its_step(found),
        "out of its thread's order": disorder(found),
        "two requests of one lane at once": overlaps(found),
        "leased step taken by another": taken(found),
        "held by nothing": held_by_nothing(found),
    }
    return {rule: told for rule, complaints in checks.items() if (told := list(complaints))}


def counts(found: Facts) -> dict[str, int]:
    """How much there was of what, for the report."""
    states = Counter(entry["state"] for entry in found.entries)
    return {
        "records": len(found.records),
        "entries": len(found.entries),
        **{f"entries {state.value}": states[state.value] for state in EntryState},
        "steps": len(found.steps),
        "steps settled by a look": sum(step["code"] == "looked" for step in found.steps),
        "steps never answered": sum(step["answered_at"] is None for step in found.steps),
        "resources made": sum(not one.copy_of for one in found.held),
        "delivery references": len(found.standing),
        "duplicates": sum(len(held) - 1 for held in found.standing.values()),
        "lanes": len(found.lanes),
        "lanes held by killed workers": len(found.orphans),
        "open holds": sum(hold["closed_at"] is None for hold in found.holds),
    }


def before(found: Facts, instant: int | None) -> int:
    """How many steps began before an instant."""
    return sum(instant is None or step["begun_at"] < instant for step in found.steps)


def records_lost(found: Facts) -> Iterator[str]:
    """Every final record is translated, held or superseded, and none is claimed by anybody."""
    for record in found.records:
        if record["due_at"] is not None or (record["final"] and record["state"] == RecordState.ACCEPTED.value):
            yield f"record {record['id']} {record['state']}"


def unsettled(found: Facts) -> Iterator[str]:
    """Nothing is under way any more."""
    yield from (f"entry {entry['id']} {entry['state']}" for entry in found.entries if entry["state"] in UNDER_WAY)


def missing(found: Facts) -> Iterator[str]:
    """What the ledger says stands does, under its reference."""
    for entry in found.entries:
        if entry["state"] == EntryState.DELIVERED.value or entry["stands_id"] is not None:
            held = found.standing.get(entry["reference"], [])
            if not any((one.type, one.id) == (entry["resource_type"], entry["stands_id"]) for one in held):
                yield f"entry {entry['id']} {entry['reference']}"


def strays(found: Facts) -> Iterator[str]:
    """What stands is known to the ledger."""
    yield from found.unknown
    known = {(entry["reference"], entry["resource_type"], entry["stands_id"]) for entry in found.entries}
    for one in found.held:
        if is_in_error(one.resource) or one.copy_of or found.late.intersection(one.references):
            continue
        if not any((reference, one.type, one.id) in known for reference in one.references):
            yield f"{one.type}/{one.id} {', '.join(one.references) or 'without a reference'}"


def duplicates(found: Facts) -> Iterator[str]:
    """No delivery reference stands twice, but where an EHR committed one after it was looked for."""
    for reference, held in found.standing.items():
        if len(held) > 1 and reference not in found.late:
            yield f"{reference}: {len(held)} times"


def not_withdrawn(found: Facts) -> Iterator[str]:
    """What should not stand does not."""
    for entry in found.entries:
        gone = entry["state"] in (EntryState.RETRACTED.value, EntryState.CANCELLED.value)
        if entry["should"] and entry["state"] == EntryState.RETRACTED.value:
            yield f"entry {entry['id']} is retracted and should stand"
        if not entry["should"] and not gone and entry["state"] not in (EntryState.HELD.value, *UNDER_WAY):
            yield f"entry {entry['id']} {entry['state']}"
        standing = found.standing.get(entry["reference"], [])
        if gone and entry["reference"] not in found.late and not all(is_in_error(one.resource) for one in standing):
            yield f"{entry['reference']} stands though its entry is {entry['state']}"


def resent(found: Facts) -> Iterator[str]:
    """No create began once the entry stood. (What began on a moved clock cannot be compared.)"""
    created: dict[int, list[int]] = defaultdict(list)
    for step in found.steps:
        if step["action"] == Action.CREATE.value and (found.skipped is None or step["begun_at"] < found.skipped):
            created[step["entry"]].append(step["begun_at"])
    for entry in found.entries:
        held = found.standing.get(entry["reference"], [])
        if len(held) == 1 and not entry["replaced"]:
            late = sum(begun > moment(held[0].born) + 1000 for begun in created[entry["id"]])  # born in milliseconds
            if late:
                yield f"entry {entry['id']} {entry['reference']}: {late} more"


def without_step(found: Facts) -> Iterator[str]:
    """No create left before its step was in the ledger."""
    steps = sum(step["action"] in CREATES for step in found.steps)
    if found.posts is not None and found.posts > steps:
        yield f"{found.posts} creates were asked for, {steps} steps began"


def before_its_step(found: Facts) -> Iterator[str]:
    """Nothing stood before the first step that could make it. (What began on a moved clock cannot be compared.)"""
    first: dict[int, int] = {}
    for step in found.steps:
        if step["action"] in CREATES:
            first[step["entry"]] = min(step["begun_at"], first.get(step["entry"], step["begun_at"]))
    for entry in found.entries:
        for one in found.standing.get(entry["reference"], ()):
            begun = first.get(entry["id"])
            if (
                begun is not None
                and (found.skipped is None or begun < found.skipped)
                and moment(one.born) + 1000 < begun
            ):
                yield f"entry {entry['id']} {entry['reference']}: {(begun - moment(one.born)) // 1000} ms"


def disorder(found: Facts) -> Iterator[str]:
    """What others of its thread refer to came first."""
    threads: dict[tuple[int, str], list[Row]] = defaultdict(list)
    for entry in found.entries:
        if not entry["replaced"] and entry["reference"] in found.standing:
            threads[entry["lane"], entry["thread"]].append(entry)
    for entries in threads.values():
        for first, then in pairwise(sorted(entries, key=lambda entry: entry["rank"])):
            one, other = (found.standing[entry["reference"]][0] for entry in (first, then))
            if first["rank"] < then["rank"] and moment(one.born) > moment(other.born):
                yield f"entry {then['id']} before {first['id']}"


def by_lane(found: Facts) -> dict[int, list[Row]]:
    """The steps of each lane, in the order they began."""
    lane_of = {entry["id"]: entry["lane"] for entry in found.entries}
    lanes: dict[int, list[Row]] = defaultdict(list)
    for step in sorted(found.steps, key=lambda step: (step["begun_at"], step["id"])):
        lanes[lane_of[step["entry"]]].append(step)
    return lanes


def overlaps(found: Facts) -> Iterator[str]:
    """Of one lane, a step begins when the one before was answered, or when its request cannot be under way any more."""
    for lane, begun in by_lane(found).items():
        for before, after in pairwise(begun):
            over = before["answered_at"]
            if over is None or (
                before["code"] == "looked" and before["receipt_blob"] is None
            ):  # whoever sent it was killed
                over = before["begun_at"] + found.timeout
            elif before["code"] == "looked":  # its sender knew that the answer was lost, and went on; when, is not kept
                over = before["begun_at"]
            early = over - after["begun_at"]
            if early > 0:
                yield f"lane {lane}: step {after['id']} {early // 1000} ms before {before['id']} was over"


def taken(found: Facts) -> Iterator[str]:
    """What a killed worker held was nobody else's until its lease ended."""
    lanes = by_lane(found)
    for orphan in found.orphans:
        for step in lanes.get(orphan.lane, []):
            if orphan.killed <= step["begun_at"] < orphan.until:
                yield f"lane {orphan.lane}: step {step['id']} {(orphan.until - step['begun_at']) // 1000} ms too early"


def held_by_nothing(found: Facts) -> Iterator[str]:
    """Whatever waits for a person has a hold that says for what."""
    holds = {hold["entry"] for hold in found.holds if hold["closed_at"] is None}
    records = {hold["record"] for hold in found.holds if hold["closed_at"] is None}
    waiting = {state.value for state in UNRESOLVED} - set(UNDER_WAY)
    yield from (f"entry {e['id']}" for e in found.entries if e["state"] in waiting and e["id"] not in holds)
    yield from (
        f"record {r['id']}" for r in found.records if r["state"] == RecordState.HELD.value and r["id"] not in records
    )


def moment(instant: str) -> int:
    """An instant of FHIR in microseconds."""
    return int(datetime.fromisoformat(instant).timestamp() * 1_000_000)
