"""Somebody must not be found, and a place may stand in a chart: taken out by an update, else told to a person."""

from __future__ import annotations

from bridge.ehr.decide import decision_key
from bridge.mappings.classes import LOCATION
from bridge.model import EntryState, Hold, HoldReason, Owner
from bridge.moves import gathering, guarding, handing
from bridge.moves.finishing import Outcome, finish
from bridge.moves.staying import held
from bridge.moves.turning import Turn
from bridge.release import withhold


async def remains(turn: Turn, hold: Hold | None, due: int | None = None) -> Outcome:
    """The entry waits for what the hold says; what stands, and nothing newer is asked of, stays as it is.

    Where it may tell a place of somebody who must not be found by now, a person is told.
    """
    entry = turn.entry
    newer = entry.stands is None or entry.stands.digest != entry.should_digest
    if hold is not None and newer:
        return await held(turn, hold, due)
    if entry.stands is not None and tells_a_place(turn):
        return await held(turn, ask_the_practice(turn))
    state = EntryState.CANCELLED if entry.stands is None else handing.standing(entry)
    return await finish(turn.line, turn.lane, entry, state, turn.clock(), stands=entry.stands)


def tells_a_place(turn: Turn) -> bool:
    """Whether what stands is made of parts that may tell where somebody is, and somebody near must not be found."""
    if LOCATION not in withhold.classes_of(gathering.parts_told(turn)):
        return False
    return withhold.marked(turn.lane.patient) or guarding.in_danger(turn.line, turn.lane, {LOCATION})


def ask_the_practice(turn: Turn) -> Hold:
    """The agency's question: what stands cannot be changed, and may tell a place."""
    return Hold(
        HoldReason.DECISION,
        decision_key(str(turn.entry.id)),
        Owner.AGENCY,
        "somebody of this family must not be found, and what stands in the chart may tell a place: it cannot be changed"
        " from here, for no consent is in force or nothing of it may leave any more",
        f"ask the practice to take out what has reference {turn.entry.reference}, then answer this hold",
    )
