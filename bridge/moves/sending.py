"""One entry's next step: what may leave of it by now, and whether that is what stands already."""

from __future__ import annotations

from collections.abc import Sequence

from bridge import release
from bridge.ehr import decide
from bridge.model import (
    CONSENT_ENDED,
    EntryState,
    Hold,
    Part,
    Route,
)
from bridge.moves import guarding, holding, own_record, planning, referring
from bridge.moves.endangered import remains
from bridge.moves.ending import say_ended
from bridge.moves.finishing import Outcome, finish
from bridge.moves.staying import held
from bridge.moves.turning import Turn
from bridge.moves.writing import bring, withdraw
from bridge.release import withhold


async def next_step(turn: Turn) -> Outcome:
    """The entry is brought one step nearer to what should stand, or held."""
    entry, now = turn.entry, turn.clock()
    if entry.claims >= holding.STOPPED_AT:
        return await held(turn, holding.stopped_the_worker(decide.decision_key(str(entry.id))))
    if not entry.should:
        return await withdraw(turn)
    if entry.kind == CONSENT_ENDED:
        return await say_ended(turn)
    program = turn.line.project.programs.get(entry.program)
    gate = release.gate(
        turn.lane.agency,
        turn.lane.source,
        turn.chart.practice,
        turn.lane.consents,
        turn.lane.link is not None,
        entry.occurred_at,
        now,
        planning.subject_of(turn.line, turn.lane.agency, entry.program, turn.lane.patient),
        status=release.may_answer(turn.line.translator.mappings.kinds.get(entry.kind), turn.chart.practice, program),
    )
    if gate.hold is not None:
        return await remains(turn, gate.hold, gate.due)
    kind = turn.line.translator.mappings.kinds.get(entry.kind)
    if kind is not None and kind.before_consent:
        at = turn.lane.agency, turn.lane.practice, turn.lane.source
        wrong = referring.mistaken(turn.line, *at, turn.leaving.parts(entry))
        if wrong is not None:
            return await held(turn, wrong)
    unknown = own_record.missing(turn)
    if unknown is not None:
        return await held(turn, unknown)
    danger = guarding.in_danger(turn.line, turn.lane, gate.decision.classes)
    conditions = withhold.conditions_of(turn.chart.practice, program, turn.lane.patient, in_danger=danger)
    parts = turn.leaving.parts(entry)
    released = turn.leaving.released(entry, gate.decision, conditions, turn.chart.practice)
    route = Route(entry.name, entry.route, entry.resource_type, entry.parts, entry.rank)
    leaving = planning.parts_of(route, released)
    if not leaving:  # withheld whole: what stood before was true and stays
        return await remains(turn, None)
    digest = planning.digest(turn.line, leaving, turn.chart)
    if entry.stands is not None and entry.stands.digest == digest:
        return await finish(turn.line, turn.lane, entry, EntryState.DELIVERED, now, stands=entry.stands)
    reads = look(turn, leaving, digest)
    if reads is not None:
        return await held(turn, reads)
    withheld = planning.withheld_of(route, parts, released)
    return await bring(turn, leaving, digest, withheld, gate.decision)


def look(turn: Turn, leaving: Sequence[Part], digest: str) -> Hold | None:
    """The hold where a person at the agency reads it first; None where nothing was found, or they said it may leave."""
    entry, wants = turn.entry, turn.line.project.agencies[turn.lane.agency].guard
    if entry.confirmed == digest:
        return None
    practice = turn.chart.practice
    return guarding.hold(leaving, turn.leaving.near, wants, practice, entry.kind, entry.reference, digest)
