"""A step is durable before anything of it leaves; whichever way it leaves."""

from __future__ import annotations

from dataclasses import dataclass, field

from bridge.model import WITHDRAWALS, Action, Answer, AnswerClass, Decision
from bridge.moves.finishing import Outcome, Stepped
from bridge.moves.line import SECOND
from bridge.moves.staying import once_more, stay
from bridge.moves.turning import Turn
from bridge.store import steps
from bridge.store.lanes import Lease

NOT_SENT = Answer(AnswerClass.RETRY_LATER, "not-sent")
TO_BEGIN = SECOND // 10
"""What a step may take to become durable, beyond the request itself, before a lease is too short for it."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What is about to leave: what it is in the ledger, and what its decision rested on.

    `takes` is how long it may be under way (microseconds); the rest is as in `store.steps.Begin`. `kept` is what is
    kept of it.
    """

    action: Action
    digest: str
    withheld: int
    resting_on: Decision | None
    patient: str
    target: str
    reference: str
    replaced: int
    takes: int
    places: bool = False
    kept: bytes = field(default=b"", repr=False)


async def begin(turn: Turn, leaving: Beginning) -> steps.Begin | Outcome:
    """The step is in the ledger, and may leave now; else what became of the turn, and nothing leaves.

    A lease must outlast what is under way, and what time alone has ended since it was decided does not leave: both are
    looked at before, and again once the step is durable, for this process may have stood still meanwhile.
    """
    line, lane, entry, resting_on = turn.line, turn.lane, turn.entry, leaving.resting_on
    if lane.until - turn.clock() < leaving.takes + TO_BEGIN or lapsed(resting_on, turn.clock()):
        return await once_more(turn)  # the lane is claimed anew
    step = steps.Begin(
        ledger=line.ledger,
        lease=Lease.of(lane),
        agency=lane.agency,
        practice=lane.practice,
        person=lane.person,
        consent_revision=lane.consent_revision,
        entry=entry.id,
        revision=entry.revision,
        record=entry.record,
        step=line.ledger.ids.take(),
        action=leaving.action,
        digest=leaving.digest,
        withheld=leaving.withheld,
        consents=resting_on.consents if resting_on is not None else (),
        correction=leaving.action in WITHDRAWALS,
        patient=leaving.patient,
        target=leaving.target,
        reference=leaving.reference,
        replaced=leaving.replaced,
        request_blob=line.ledger.ids.take(),
        request=leaving.kept,
        now=turn.clock(),
        places=leaving.places,
    )
    begun = await line.write(steps.begin, step)
    if begun is steps.Begun.LEASE_LOST:
        return Outcome(stop=True)
    if begun is steps.Begun.CHANGED:
        return await once_more(turn)
    if lane.until - turn.clock() < leaving.takes or lapsed(resting_on, turn.clock()):
        return await stay(turn, turn.clock(), step=Stepped(step.step, NOT_SENT), stop=True)
    return step


def lapsed(decision: Decision | None, now: int) -> bool:
    """Whether time alone may have ended what a step rests on."""
    return decision is not None and decision.until is not None and decision.until <= now
