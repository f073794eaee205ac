"""An entry's turn that an error of ours ended: it is counted, other threads go on, and after a few a person is asked.

Only where the ledger itself does not work nothing is counted: the lane's lease runs out, and it is claimed again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bridge import log
from bridge.ehr.decide import back_off
from bridge.errors import LedgerDown, LedgerError, Problem
from bridge.model import EntryState
from bridge.moves import holding
from bridge.moves.finishing import Outcome
from bridge.moves.turning import Turn
from bridge.store import failing
from bridge.store.lanes import LaneWork, Lease

MOST_FAULTS = 5
"""Errors in a row that end an entry's turn, half a minute to four between them; then the engineer is asked."""


async def contained(move: Callable[[Turn], Awaitable[Outcome]], turn: Turn) -> Outcome:
    """What became of the entry's turn, also where it ended in an error. Raises LedgerDown alone."""
    try:
        return await move(turn)
    except LedgerDown:
        raise
    except Exception as error:  # noqa: BLE001 - whatever it is, other threads go on and somebody comes to know
        return await failed(turn, error)


def readable(lane: LaneWork) -> None:
    """Raises LedgerError where what is kept of the lane's person does not open: nothing is decided without it."""
    if not lane.readable:
        rule = "a consent, the link or the Patient of this lane's person does not open with its key"
        raise LedgerError(Problem("person-damaged", rule, next_step="bring back a backup of the ledger"))


async def failed(turn: Turn, error: Exception) -> Outcome:
    """The error is in the log and in the ledger: its class and where in our code, never its words."""
    line, lane, entry, now = turn.line, turn.lane, turn.entry, turn.clock()
    faults = entry.faults + 1
    log.failure("carry-failed", error, practice=lane.practice, lane=lane.id, entry=entry.id, attempt=faults)
    counted = await line.write(
        failing.count,
        failing.Failed(
            lease=Lease.of(lane),
            agency=lane.agency,
            entry=entry.id,
            revision=entry.revision,
            now=now,
            due=now + back_off(str(entry.id), faults),
            most=MOST_FAULTS,
            claims=holding.STOPPED_AT,
            hold=holding.failed(entry, log.where(error)),
            hold_id=line.ledger.ids.take(),
            hold_due=line.hold_due(now),
        ),
    )
    stands = entry.state is EntryState.DELIVERED
    return Outcome(settled=stands and counted.mine, due=counted.due, stop=not counted.mine)
