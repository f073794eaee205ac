"""THE LINE: what becomes of a record, in order.

    agency ─▶ accept ─▶ translate ─▶ release ─▶ route ─▶ send ─▶ settle ─▶ practice's chart

This module alone knows the order. Stages take values and return values; the durable moves between them are in
`bridge.moves`. What a move found is in the ledger before the next begins, and no request leaves before its step.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import orjson

from bridge import log
from bridge.ehr.chart import Chart
from bridge.errors import Problem, RecordError
from bridge.intake.fate import fate
from bridge.intake.opening import open_record
from bridge.intake.rows import Row
from bridge.model import Accepted, Fate, Hold, HoldReason, Item, Owner, Severity, Translation
from bridge.moves import failing, granting, guarding, planning, staying
from bridge.moves.finishing import Outcome
from bridge.moves.holding import STOPPED_AT, stopped_the_worker
from bridge.moves.leaving import Leaving
from bridge.moves.line import AddedRows, Line
from bridge.moves.matching import Matcher
from bridge.moves.sending import next_step
from bridge.moves.settling import LOOKED_FOR, settle
from bridge.moves.turning import Turn
from bridge.settings import Agency
from bridge.store import records
from bridge.store.lanes import LaneWork

ELSEWHERE = "?"
"""The practice of a person whose record names one that the agency does not work with; no practice has this id."""


# ── accept ────────────────────────────────────────────────────────────────────────────────────────────────────────
def accept(
    line: Line, agency: Agency, kind: str, rows: Sequence[tuple[int, Row | Problem]], now: int
) -> list[Accepted]:
    """The fate of each numbered reading, once all that is good is durable; one bad item harms no other."""
    opened = [(index, open_row(line, agency, kind, row, now)) for index, row in rows]
    kept = records.keep_items(line.ledger, [(i, item) for i, item in opened if isinstance(item, Item)], fate, now)
    granting.heard(line, {i: item for i, item in opened if isinstance(item, Item)}, kept, now)
    refused = [Accepted(i, Fate.REJECTED, problem=found) for i, found in opened if isinstance(found, Problem)]
    return sorted([*kept, *refused], key=lambda accepted: accepted.index)


def open_row(line: Line, agency: Agency, kind: str, row: Row | Problem, now: int) -> Item | Problem:
    """One reading opened by its kind: the one asked for, or the one the item names as `{"kind", "record"}`."""
    if isinstance(row, Problem):
        return row
    record, named = row.record, kind
    if not kind and set(record) == {"kind", "record"} and isinstance(record["record"], dict):
        record, named = record["record"], str(record["kind"])
    kinds = line.translator.mappings.kinds
    if named not in kinds:
        step = "name one of them as ?kind=PACK/NAME, or in the item: " + ", ".join(sorted(kinds))
        return Problem("record-kind", "the kind of this record is not known", row.where, "kind", step)
    item = open_record(record, kinds[named], agency.id, agency.program, agency.timezone, now, row.where)
    return within(line, agency, item, row.where) if isinstance(item, Item) else item


def within(line: Line, agency: Agency, item: Item, where: str) -> Item | Problem:
    """The item, its program one of the project's, its practice one of the agency's or `ELSEWHERE`.

    Both stand unencrypted in the ledger and the program in what is sent: nothing but what bridge.yaml names may.
    """
    if item.program not in line.project.programs:
        step = "name it under `programs` in bridge.yaml, or correct the record"
        return Problem("record-program", "the project has no program of this id", where, "program", step)
    known = not item.practice or item.practice in agency.practices
    return item if known else replace(item, practice=ELSEWHERE)


# ── translate ─▶ release ─▶ route ─────────────────────────────────────────────────────────────────────────────────
def translate(line: Line, works: Sequence[records.Work], owner: str, now: int) -> int:
    """Claimed records become parts and planned entries, or are held; how many were kept."""
    added = line.learn_rows()
    made = [(work, translated(line, work, added)) for work in works if work.agency in line.project.agencies]
    granting.grant(line, [work for work, translation in made if not translation.holds], now)
    known = planning.permissions_of(line, made)
    plan = [planning.plan(line, work, translation, known, added.version, owner, now) for work, translation in made]
    room, none = planning.with_room(line, plan)
    line.write_all(records.postpone, [(one.work.id, owner, now + planning.LATER) for one in none])
    return planning.keep(line, room, now)


def translated(line: Line, work: records.Work, added: AddedRows) -> Translation:
    """The canonical parts of one record, validated; a hold where the mapping, or what it made, is at fault."""
    if work.claims >= STOPPED_AT:
        return Translation((), (stopped_the_worker(f"record:{work.id}"),), (), "", "")
    context = line.agency_context(work.agency, work.program)
    try:
        rows, sent = added.of(work.agency), work.decided == "send"  # a person said so, for this version
        translation = line.translator.translate(work.kind, orjson.loads(work.raw), context, rows, decided=sent)
    except RecordError as error:
        return Translation((), (at_fault(work.kind, error.problems[0].rule, error.problems[0].code),), (), "", "")
    except Exception as error:  # noqa: BLE001 - one record must not cost the others of its batch their turn
        log.failure("translate-failed", error, record=work.id)
        return Translation((), (at_fault(work.kind, "the translation failed", "unforeseen"),), (), "", "")
    findings = (*translation.findings, *line.validator.check_all(translation.parts, advise=False))
    wrong = [finding for finding in findings if finding.severity is Severity.ERROR]
    holds = translation.holds
    if wrong and not holds:
        first = wrong[0]
        holds = (at_fault(work.kind, f"{first.part} {first.path}: {first.rule}", first.code),)
    return replace(translation, holds=holds, findings=findings, definitions_hash=line.validator.digest)


def at_fault(kind: str, rule: str, code: str) -> Hold:
    """The hold of what our own mapping got wrong."""
    step = "correct the mapping and activate it; `bridge held retry` runs what waited again"
    rule = f"the mapping does not make valid FHIR of this record: {rule} [{code}]"
    return Hold(HoldReason.CONTENT, f"mapping:{kind}", Owner.ENGINEER, rule, step)


# ── send ─▶ settle ────────────────────────────────────────────────────────────────────────────────────────────────
async def moved(turn: Turn) -> Outcome:
    """The entry waits, is settled, or goes its next step."""
    entry = turn.entry
    if not staying.may_move(entry, turn.clock()):
        return staying.waiting(entry)
    failing.readable(turn.lane)
    looks = entry.state in LOOKED_FOR or entry.look_first
    return await (settle(turn) if looks else next_step(turn))


async def carry(line: Line, chart: Chart, lane: LaneWork, clock: Callable[[], int]) -> None:
    """One leased lane goes as far as it can now: each thread in its order, one request at a time.

    A thread that waits parks only itself; threads behind it pass, and so may its document (`staying.passes`).
    """
    matcher, leaving = Matcher(line, chart, lane, clock), Leaving(lane.source, partial(guarding.near, line, lane))
    parked: dict[str, int | None] = {}  # thread → when it may go on; None = when what it waits for arrives
    for entry in lane.entries:
        turn = Turn(line, chart, lane, entry, matcher, leaving, clock)
        if entry.thread in parked and not staying.passes(entry, parked[entry.thread]):
            await staying.park(turn, parked[entry.thread])
            continue
        outcome = await failing.contained(moved, turn)
        if outcome.stop:
            return
        if not outcome.settled:
            parked[entry.thread] = outcome.due
