"""Whether what stands is in the chart it should be in: a chart may be merged into another, or be the wrong one."""

from __future__ import annotations

from bridge.ehr import match, send
from bridge.ehr.merge import is_in_error
from bridge.ehr.references import chart_of
from bridge.model import Action, Answer, EntryState, Hold, Stands
from bridge.moves import holding, searching
from bridge.moves.finishing import LATER_LOOKS
from bridge.moves.turning import Turn
from bridge.store import past_steps, recalls


async def placed(turn: Turn, stands: Stands, current: send.Current | None, certain: str) -> str | Hold:
    """The chart a correction is written for: the `certain` one, or the one merged into it where it stands still.

    The hold where it stands in any other, or where somebody marked it entered-in-error. `current` is what stands as it
    was just read, None where that was not needed.
    """
    if current is not None and is_in_error(current.resource):
        return holding.withdrawn_there(turn.entry)
    there = chart_of(current.resource) if current is not None else ""
    where = there or stands.patient
    if where in ("", certain):
        return certain
    if await merged(turn, where, certain):
        return there or certain
    return holding.elsewhere(turn.entry)


async def merged(turn: Turn, patient: str, into: str) -> bool:
    """Whether the EHR says, or said before, that one chart was merged into the other."""
    line, lane = turn.line, turn.lane
    with line.ledger.read() as connection:
        known = recalls.merged_into(connection, lane.practice, lane.person, patient)
    if not known:
        known = match.moved_to(await turn.chart.client.send(match.read(patient)))
        if known == into:
            number, now = line.ledger.ids.take(), turn.clock()
            said = recalls.Merged(number, lane.agency, lane.practice, lane.person, patient, into, now)
            await line.write(recalls.was_merged, said)
    return known == into


async def after_withdrawal(turn: Turn, now: int) -> tuple[EntryState, int | None, Stands | None, bool]:
    """What follows once what stands is marked entered-in-error: state, when, what is next, whether all of it is done.

    Documents that were replaced by others stand too, and copies that came late or were filed by somebody else: nothing
    of it may stand. (Where a note asked to disregard it, that names them all by their reference.) What was recalled
    from a wrong chart goes to the right one.
    """
    entry = turn.entry
    if entry.replaced and entry.stands is not None:
        with turn.line.ledger.read() as connection:
            more = past_steps.others(connection, entry.id, entry.stands.id)
        left = [one for one in more if not entry.should or one.patient == entry.recalled]
        if left:
            return EntryState.READY, now, left[0], False
    if entry.stands is not None and send.withdrawal(entry.resource_type, turn.chart.planned) is Action.RETRACT:
        copies = await searching.beside(turn, entry.stands)
        if isinstance(copies, Answer):  # it is read again then, found marked, and this look made again
            return EntryState.READY, now + LATER_LOOKS[2], entry.stands, False
        if copies:
            return EntryState.READY, now + turn.chart.visibility_delay, copies[0], False
    if entry.should:
        return EntryState.READY, now, None, True
    return EntryState.RETRACTED, None, None, True
