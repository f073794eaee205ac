"""What became of one entry, written under the lane's lease."""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from bridge.model import Answer, EntryState, Hold, Response, Stands
from bridge.moves.line import SECOND, Line
from bridge.store import steps
from bridge.store.lanes import EntryWork, LaneWork, Lease

SETTLED = frozenset({EntryState.DELIVERED, EntryState.CANCELLED, EntryState.RETRACTED})
LATER_LOOKS = {2: 3_600 * SECOND, 1: 86_400 * SECOND}
"""What was absent and sent again is looked for twice more: an EHR may have written the first one late."""

KEPT_BODY = 8192
"""Bytes of an answer that are kept; servers that echo the resource send back what the request blob already has."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an entry's turn ended: `settled` lets its thread go on, `stop` ends the lane's turn."""

    settled: bool = False
    due: int | None = None
    stop: bool = False


@dataclass(frozen=True, slots=True)
class Stepped:
    """A step that was answered, or settled by a look."""

    id: int
    answer: Answer
    response: Response | None = None


async def finish(
    line: Line,
    lane: LaneWork,
    entry: EntryWork,
    state: EntryState,
    now: int,
    *,
    due: int | None = None,
    stands: Stands | None = None,
    hold: Hold | None = None,
    step: Stepped | None = None,
    attempts: int = 0,
    absent: int = 0,
    look_first: bool = False,
    keep_claims: bool = False,
    stop: bool = False,
    doubted: int | None = None,
    replaced: int | None = None,
    reference: str | None = None,
    withdrawn: bool = False,
) -> Outcome:
    """The outcome is durable; the lane's turn ends where its lease was lost.

    `doubted` counts later looks to make, as before where it is None; `withdrawn`: what was recalled stands no more.
    """
    looks = entry.doubted if doubted is None else doubted
    if state is EntryState.DELIVERED and due is None and looks:
        due = now + LATER_LOOKS[looks]
    written = await line.write(
        steps.finish,
        steps.Finish(
            ledger=line.ledger,
            lease=Lease.of(lane),
            agency=lane.agency,
            practice=lane.practice,
            person=lane.person,
            entry=entry.id,
            revision=entry.revision,
            state=state,
            due=due,
            now=now,
            stands=stands,
            attempts=attempts,
            absent=absent,
            look_first=look_first,
            keep_claims=keep_claims,
            doubted=looks,
            replaced=replaced,
            reference=reference,
            withdrawn=withdrawn,
            hold=hold,
            closes=entry.state is EntryState.HELD,
            hold_id=line.ledger.ids.take() if hold is not None else 0,
            hold_due=line.hold_due(now),
            step=step.id if step is not None else None,
            answer=step.answer.kind.value if step is not None else "",
            code=step.answer.code if step is not None else "",
            status=step.answer.status if step is not None else 0,
            receipt_blob=line.ledger.ids.take() if step is not None and step.response is not None else 0,
            receipt=receipt(step.response) if step is not None and step.response is not None else b"",
        ),
    )
    if written and state in SETTLED:
        if stands is not None and state is EntryState.DELIVERED:
            lane.standing[entry.thread, entry.name] = f"{entry.resource_type}/{stands.id}"
        else:
            lane.standing.pop((entry.thread, entry.name), None)
    return Outcome(settled=state in SETTLED, due=due, stop=stop or not written)


def receipt(response: Response) -> bytes:
    """What is kept of an answer: status, the headers that say what stands, and a short body."""
    kept = {name: response.headers[name] for name in ("location", "etag", "date") if name in response.headers}
    body = response.body.decode("utf-8", "replace") if len(response.body) <= KEPT_BODY else ""
    failure = response.failure.value if response.failure is not None else ""
    return orjson.dumps({"status": response.status, "failure": failure, "headers": kept, "body": body})
