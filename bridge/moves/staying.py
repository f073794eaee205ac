"""An entry that stays where it is for now: until a time, until somebody answers, behind another of its thread."""

from __future__ import annotations

from bridge.ehr.decide import MOST_UNUSABLE
from bridge.model import (
    EntryState,
    Hold,
)
from bridge.moves.finishing import LATER_LOOKS, Outcome, Stepped, finish
from bridge.moves.matching import Found
from bridge.moves.turning import Turn
from bridge.store.lanes import EntryWork

WAITING = (EntryState.HELD, EntryState.REFUSED)


def may_move(entry: EntryWork, now: int) -> bool:
    """Whether its time has come; what is held or refused waits for a person, unless time alone may open its hold."""
    return entry.due <= now if entry.due is not None else entry.state not in WAITING


def waiting(entry: EntryWork) -> Outcome:
    """Its time has not come, or a person is waited for; what stands holds nobody up."""
    return Outcome(settled=entry.state is EntryState.DELIVERED, due=entry.due)


async def stay(
    turn: Turn, due: int | None, *, tried: int = 0, stop: bool = False, step: Stepped | None = None
) -> Outcome:
    """The entry stays as it is and comes again at `due`; `tried` counts towards its waiting longer and longer."""
    entry = turn.entry
    return await finish(
        turn.line,
        turn.lane,
        entry,
        EntryState.READY if entry.state is EntryState.HELD else entry.state,  # its gate is open, only not its way
        turn.clock(),
        due=due,
        stands=entry.stands,
        step=step,
        attempts=entry.attempts + tried,
        absent=entry.absent,
        look_first=entry.look_first,
        keep_claims=step is None,
        stop=stop,
    )


async def held(turn: Turn, hold: Hold, due: int | None = None, *, step: Stepped | None = None) -> Outcome:
    """The entry waits for what the hold says."""
    return await finish(
        turn.line,
        turn.lane,
        turn.entry,
        EntryState.HELD,
        turn.clock(),
        due=due,
        stands=turn.entry.stands,
        hold=hold,
        step=step,
        look_first=turn.entry.look_first,
    )


async def not_found(turn: Turn, found: Found) -> Outcome:
    """The chart could not be looked for now, why, its connection's pace heard; or a person is asked after a few."""
    if found.asks is not None and turn.entry.attempts + found.left >= MOST_UNUSABLE:
        return await held(turn, found.asks)
    return await stay(turn, found.due, tried=int(found.left), stop=True)


async def once_more(turn: Turn) -> Outcome:
    """The lane's turn ends and it is claimed anew for this entry, also where that waited behind another, not due."""
    return Outcome(stop=True) if turn.entry.due is not None else await stay(turn, turn.clock(), stop=True)


def passes(entry: EntryWork, until: int | None) -> bool:
    """Whether an entry may go though one before it in its thread waits (`until` a time, or None: for a person).

    The last of a thread is what carries the record whole: it refers to what stands and else says the same itself, so
    that no discrete write that an EHR does not take keeps back what was urgent.
    """
    return entry.route != "discrete" and until is None


async def park(turn: Turn, until: int | None) -> None:
    """An entry behind a waiting one of its thread waits with it; the arrival that moves that one finds this one too.

    So does one whose hold its time has opened. None keeps a time that has passed: its lane would be claimed for it at
    once, and again.
    """
    entry, now = turn.entry, turn.clock()
    if entry.due is None or entry.due > now or entry.due == until:
        return
    if entry.state in (EntryState.READY, EntryState.HELD):
        await stay(turn, until)
    else:  # a look, that waits for nobody's answer
        await stay(turn, until or now + LATER_LOOKS[2])
