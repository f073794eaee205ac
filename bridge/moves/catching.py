"""A practice that came to know a person late is sent what was translated before: planned from the parts kept."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Row

from bridge.model import Part, Weight
from bridge.moves import planning
from bridge.moves.line import Line
from bridge.store import catching, permissions, persons, plans, records, views
from bridge.store.permissions import Permissions

CHARTS = 16
CHUNK = 200
"""Charts that catch up in one turn, and records of each: what one commit holds."""


def catch_up(line: Line, now: int) -> int:
    """The next records of every chart that catches up are planned; how many charts were looked at.

    One that fails comes later, so that the others go on; then its error is raised.
    """
    with line.ledger.read() as connection:
        found = catching.due(connection, line.ledger, now, CHARTS, CHUNK)
        full = views.full_practices(connection, {one.practice for one in found}, line.project.limits.planned_entries)
    failed = list[Exception]()
    for one in found:
        if one.agency not in line.project.agencies or one.practice not in line.charts:  # the project has them no more
            line.ledger.write(catching.reached, catching.Reached(one.person, one.practice, None, None, now))
            continue
        try:
            plan_chunk(line, one, now, full=one.practice in full)
        except Exception as error:  # noqa: BLE001 - raised below, once the others went on
            failed.append(error)
            later = catching.Reached(one.person, one.practice, one.after, None, now + planning.LATER)
            line.ledger.write(catching.reached, later)
    if failed:
        raise failed[0]
    return len(found)


def plan_chunk(line: Line, missed: catching.Missed, now: int, *, full: bool) -> None:
    """One chart's next records are planned for its practice, or it waits until the practice has room.

    Where consents or links changed meanwhile nothing is, and it begins again.
    """
    with line.ledger.read() as connection:
        has = permissions.of_persons(connection, line.ledger, missed.agency, [missed.source])[missed.source]
    after, due = (missed.after, now + planning.LATER) if full else (missed.last if missed.more else None, now)
    if not full:
        line.write_all(plans.add, [planned(line, missed, row, kept, has, now) for row, kept in missed.records])
    reached = catching.Reached(missed.person, missed.practice, after, has.revision, due)
    line.ledger.write(catching.reached, reached)


def planned(
    line: Line, missed: catching.Missed, row: Row[Any], kept: bytes, has: Permissions, now: int
) -> plans.Translated:
    """What one record asks for in the chart of the practice that missed it."""
    parts, work = [Part.from_dict(part) for part in orjson.loads(kept)], work_of(row)
    plan = planning.plan_person(line, work, missed.source, parts, has, now)
    entries = tuple(entry for entry in plan if entry.practice == missed.practice)
    return plans.Translated(
        ledger=line.ledger,
        work=work,
        owner="",
        now=now,
        parts={},
        patients={},
        entries=entries,
        holds=(),
        hashes=("", "", ""),
        hold_due=line.hold_due(now),
        people={missed.source: persons.prepare(line.ledger, missed.agency, missed.source)},
        ids=line.ids(3 * len(entries)),
        revisions={missed.source: has.revision},
    )


def work_of(row: Row[Any]) -> records.Work:
    """A translated record as planning takes it."""
    return records.Work(
        row.id, row.agency, row.program, row.thing, row.kind, row.source_id, row.person, row.subject, row.position,
        row.occurred_at, row.void, 0, b"", weight=Weight(row.weight),
        accepted_at=row.accepted_at,
    )  # fmt: skip
