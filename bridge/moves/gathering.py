"""What an entry tells, judged with what is known now: of the one record it is made of, or of each of a roll-up's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import orjson

from bridge import release
from bridge.model import Part, Route
from bridge.moves import guarding, own_record, planning, referring
from bridge.moves.turning import Turn
from bridge.release import withhold
from bridge.release.withhold import Conditions
from bridge.store import rollups


@dataclass(frozen=True, slots=True)
class Told:
    """One record: whether it may go at all, the parts that leave and how many stayed behind."""

    gate: release.Gate
    leaving: tuple[Part, ...] = ()
    withheld: int = 0


def told(turn: Turn, now: int) -> list[Told]:
    """Every record of the entry, by clinical time."""
    return [one(turn, now)] if turn.entry.gathers_until is None else several(turn, now)


def one(turn: Turn, now: int) -> Told:
    """The only record of an entry that is no roll-up."""
    entry, practice = turn.entry, turn.chart.practice
    gate = gate_of(turn, entry.program, entry.kind, entry.occurred_at, now)
    told = [part for part in turn.leaving.parts(entry) if part.name in entry.parts]
    gate = known(turn, gate, entry.kind, told, own=entry.own)
    if gate.hold is not None:
        return Told(gate)
    conditions = conditions_of(turn, entry.program, gate)
    released = turn.leaving.released(entry, gate.decision, conditions, practice)
    route = Route(entry.name, entry.route, entry.resource_type, entry.parts, entry.rank)
    withheld = planning.withheld_of(route, turn.leaving.parts(entry), released)
    return Told(gate, planning.parts_of(route, released), withheld)


def several(turn: Turn, now: int) -> list[Told]:
    """The records of a roll-up. Where the practice's portal shows one of them at once, only facts leave of any."""
    entry, practice = turn.entry, turn.chart.practice
    with turn.line.ledger.read() as connection:
        members = rollups.members(connection, turn.line.ledger, entry.id, turn.lane.person)
    made = [(one, [Part.from_dict(kept) for kept in orjson.loads(one.translation)]) for one in members]
    facts = any(withhold.facts_only_by(entry.route, parts, one.kind, practice) for one, parts in made)
    return [judged(turn, one, parts, now, facts=facts) for one, parts in made]


def judged(turn: Turn, member: rollups.Member, parts: Sequence[Part], now: int, *, facts: bool) -> Told:
    """One member of a roll-up, by its own labels."""
    entry = turn.entry
    gate = gate_of(turn, member.program, member.kind, member.occurred_at, now)
    gate = known(turn, gate, member.kind, [part for part in parts if part.name in member.parts], own=member.own)
    if gate.hold is not None:
        return Told(gate)
    decision = withhold.facts_only(gate.decision) if facts else gate.decision
    conditions = conditions_of(turn, member.program, gate)
    released = withhold.released(parts, turn.lane.source, decision, conditions)
    route = Route(entry.name, entry.route, entry.resource_type, member.parts, entry.rank)
    return Told(gate, planning.parts_of(route, released), planning.withheld_of(route, parts, released))


def gate_of(turn: Turn, program: str, kind: str, occurred: int | None, now: int) -> release.Gate:
    """Whether a record of this program, kind and time may go to this chart now."""
    line, lane, practice = turn.line, turn.lane, turn.chart.practice
    status = release.may_answer(line.translator.mappings.kinds.get(kind), practice, line.project.programs.get(program))
    subject = planning.subject_of(line, lane.agency, program, lane.patient)
    linked = lane.link is not None
    return release.gate(
        lane.agency, lane.source, practice, lane.consents, linked, occurred, now, subject, status=status
    )


def known(turn: Turn, gate: release.Gate, kind: str, parts: Sequence[Part], *, own: bool) -> release.Gate:
    """The gate, closed where the parts tell of somebody who has no record of their own (R25), or answer a referral that
    is not known to be about this person."""
    if gate.hold is not None:
        return gate
    unknown = own_record.missing(turn, kind, parts, own=own)
    declared = turn.line.translator.mappings.kinds.get(kind)
    if unknown is None and declared is not None and declared.before_consent:
        lane = turn.lane
        unknown = referring.mistaken(turn.line, lane.agency, lane.practice, lane.source, parts)
    return gate if unknown is None else replace(gate, hold=unknown, due=None)


def parts_told(turn: Turn) -> list[Part]:
    """The parts that the entry is made of, whatever of them may leave: of one record, or of all of a roll-up's."""
    entry = turn.entry
    if entry.gathers_until is None:
        return [part for part in turn.leaving.parts(entry) if part.name in entry.parts]
    with turn.line.ledger.read() as connection:
        members = rollups.members(connection, turn.line.ledger, entry.id, turn.lane.person)
    made = ((one.parts, Part.from_dict(kept)) for one in members for kept in orjson.loads(one.translation))
    return [part for names, part in made if part.name in names]


def conditions_of(turn: Turn, program: str, gate: release.Gate) -> Conditions:
    """What decides beside the consent."""
    danger = guarding.in_danger(turn.line, turn.lane, gate.decision.classes)
    known = turn.line.project.programs.get(program)
    return withhold.conditions_of(turn.chart.practice, known, turn.lane.patient, in_danger=danger)
