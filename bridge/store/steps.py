"""Steps: in the ledger before they leave, and what came back. Every write carries the lane's epoch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    Integer,
    Text,
    bindparam,
    case,
    func,
    insert,
    or_,
    select,
    update,
)

from bridge.model import GUARDED, WITHDRAWALS, Action, EntryState, Hold, HoldReason, Stands
from bridge.store import holds, lanes, leases, persons, tables
from bridge.store.engine import run_each
from bridge.store.ledger import Ledger, put_blobs

entry, step = tables.entry, tables.step


class Begun(StrEnum):
    """May the request leave?"""

    YES = "yes"
    LEASE_LOST = "lease-lost"
    CHANGED = "changed"  # a newer version or another consent came, or the practice was suspended; load the lane again


@dataclass(frozen=True, slots=True)
class Begin:
    """One step about to leave, with what its decision rested on. `correction` is exempt from the consent check.

    `patient` is the EHR's id of the chart it goes to, `target` that of what it changes ("" = it makes something new).
    `reference` is the delivery reference it carries, the entry's own from here on; `replaced` counts the documents
    that took the first one's place.
    """

    ledger: Ledger
    lease: lanes.Lease
    agency: str
    practice: str
    person: int
    consent_revision: int
    entry: int
    revision: int
    record: int
    step: int
    action: Action
    digest: str
    withheld: int
    consents: tuple[int, ...]
    correction: bool
    patient: str
    target: str
    reference: str
    replaced: int
    request_blob: int
    request: bytes = field(repr=False)
    now: int
    places: bool = False  # what it carries tells where somebody is


ADD_STEP = insert(step)
SENDING = (
    update(entry)
    .where(entry.c.id == bindparam("entry_id"))
    .values(
        state=EntryState.SENDING.value, should_digest=bindparam("digest"), withheld=bindparam("new_withheld"),
        reference=bindparam("new_reference"), replaced=bindparam("new_replaced"), claims=entry.c.claims + 1,
        updated_at=bindparam("at"),
    )
)  # fmt: skip


def begin(connection: Connection, asked: Sequence[Begin]) -> list[Begun]:
    """Operation: the step's key is durable and its entry `sending`, or the reason why it must not leave."""
    # locked, so that a revocation either came before or finds the step begun
    consents = persons.revisions(connection, (ask.person for ask in asked))
    mine = lanes.held(connection, [ask.lease for ask in asked])
    revisions = plan_revisions(connection, [ask.entry for ask in asked])
    suspended = leases.suspended(connection)  # after the lanes are locked (suspending.suspend)
    answers, going = [], []
    for ask in asked:
        if ask.lease not in mine:
            answers.append(Begun.LEASE_LOST)
        elif (
            ask.practice in suspended
            or revisions.get(ask.entry) != ask.revision
            or (not ask.correction and consents.get(ask.person) != ask.consent_revision)
        ):
            answers.append(Begun.CHANGED)
        else:
            answers.append(Begun.YES)
            going.append(ask)
    if going:
        ledger = going[0].ledger
        keys = ledger.keys.load(connection, {ask.person for ask in going})
        put_blobs(connection, keys, [(ask.request_blob, ask.agency, ask.person, ask.request) for ask in going])
        run_each(connection, ADD_STEP, [step_row(ask) for ask in going])
        run_each(
            connection,
            SENDING,
            [
                {
                    "entry_id": a.entry, "digest": a.digest, "new_withheld": a.withheld, "at": a.now,
                    "new_reference": a.reference, "new_replaced": a.replaced,
                }
                for a in going
            ],
        )  # fmt: skip
    return answers


PLANS = select(entry.c.id, entry.c.revision).where(entry.c.id.in_(bindparam("ids", expanding=True)))


def plan_revisions(connection: Connection, entries: Sequence[int]) -> dict[int, int]:
    """How often each of these entries was planned; steady while its lane is locked."""
    return {row.id: row.revision for row in connection.execute(PLANS, {"ids": entries})}


def step_row(ask: Begin) -> dict[str, Any]:
    """The row of a step about to leave."""
    return {
        "id": ask.step, "agency": ask.agency, "practice": ask.practice, "entry": ask.entry, "record": ask.record,
        "action": ask.action.value, "digest": ask.digest, "begun_at": ask.now, "request_blob": ask.request_blob,
        "consents": " ".join(map(str, ask.consents)), "patient": ask.patient, "target": ask.target,
        "places": ask.places,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finish:
    """What became of one entry: its new state and, where a step was answered, the receipt.

    `stands` is what stands in the chart afterwards, None = nothing: pass on what stood before where nothing changed.
    `revision` is the plan the outcome belongs to: if a newer one came meanwhile the entry becomes ready again instead,
    so that the newer content follows. So it does where what a hold would wait for may have come since the lane was
    claimed. Only what is `sending`, `unknown` or waits for a person's decision stays so.
    """

    ledger: Ledger
    lease: lanes.Lease
    agency: str
    practice: str
    person: int
    entry: int
    revision: int
    state: EntryState
    due: int | None
    now: int
    stands: Stands | None = None
    attempts: int = 0
    absent: int = 0
    look_first: bool = False
    keep_claims: bool = False
    doubted: int = 0
    replaced: int | None = None  # where a look found that another took its place
    reference: str | None = None  # of what stands, where a look found that it has another
    withdrawn: bool = False  # nothing of it stands any more in a chart it was recalled from
    hold: Hold | None = None
    closes: bool = False  # the entry was held before
    alone: bool = False  # a look found nothing beside what stands
    hold_id: int = 0
    hold_due: int = 0
    step: int | None = None
    answer: str = ""
    code: str = ""
    status: int = 0
    receipt_blob: int = 0
    receipt: bytes = field(default=b"", repr=False)


GATES = (HoldReason.CONSENT, HoldReason.LINK, HoldReason.PRACTICE, HoldReason.RECORD, HoldReason.REFERRAL)


def finish(connection: Connection, asked: Sequence[Finish]) -> list[bool]:
    """Operation: outcomes written; False where the lease was lost (another worker decides, nothing is written)."""
    # locked, so that a consent or link either came before or finds the hold
    gated = (ask.person for ask in asked if ask.hold is not None and ask.hold.reason in GATES)
    consents = persons.revisions(connection, gated)
    mine = lanes.held(connection, [ask.lease for ask in asked])
    going = [ask for ask in asked if ask.lease in mine]
    if going:
        revisions = plan_revisions(connection, [ask.entry for ask in going])
        again = {ask.entry for ask in going if comes_again(ask, revisions[ask.entry], consents, mine[ask.lease])}
        write_receipts(connection, [ask for ask in going if ask.step is not None])
        for ask in going:
            if ask.closes:
                holds.close(connection, tables.hold.c.entry == ask.entry, ask.now, "moved")
            elif ask.alone or (ask.hold is not None and ask.hold.reason is HoldReason.DUPLICATE):
                twice = tables.hold.c.reason == HoldReason.DUPLICATE.value
                holds.close(connection, twice & (tables.hold.c.entry == ask.entry), ask.now, "moved")
        run_each(connection, UPDATE_ENTRY, [entry_values(ask, ask.entry in again) for ask in going])
        opened = [
            holds.row(ask.hold_id, ask.agency, ask.hold, ask.now, ask.hold_due, entry=ask.entry, practice=ask.practice)
            for ask in going
            if ask.hold is not None and (ask.entry not in again or ask.state is EntryState.DELIVERED)
        ]
        run_each(connection, holds.ADD, opened)
    return [ask.lease in mine for ask in asked]


def comes_again(ask: Finish, revision: int, consents: Mapping[int, int], seen: int) -> bool:
    """Whether an outcome rests on what has changed since: a newer plan, or consents and links for a hold's gate."""
    asked = ask.hold is not None and ask.hold.reason is HoldReason.DECISION
    decided = asked and ask.hold is not None and not ask.hold.waits_for.startswith(GUARDED)
    waits = decided and ask.state in (EntryState.HELD, EntryState.REFUSED)
    if waits or ask.state in (EntryState.SENDING, EntryState.UNKNOWN):
        return False
    gated = ask.hold is not None and ask.hold.reason in GATES
    return revision != ask.revision or (gated and consents[ask.person] != seen)


UPDATE_ENTRY = (
    update(entry)
    .where(entry.c.id == bindparam("entry_id"))
    .values(
        state=bindparam("new_state"), due_at=bindparam("new_due"), stands_id=bindparam("new_id"),
        stands_version=bindparam("new_version"), stands_digest=bindparam("new_digest"),
        stands_patient=bindparam("new_patient"), doubted=bindparam("new_doubted"),
        replaced=func.coalesce(bindparam("new_replaced", type_=Integer), entry.c.replaced),
        reference=func.coalesce(bindparam("new_reference", type_=Text), entry.c.reference),
        recalled=case((bindparam("clear_recall", type_=Boolean), None), else_=entry.c.recalled),
        attempts=bindparam("new_attempts"), absent=bindparam("new_absent"), look_first=bindparam("new_look"),
        claims=entry.c.claims * bindparam("keep"), faults=0, updated_at=bindparam("at"),
    )
)  # fmt: skip


def entry_values(ask: Finish, again: bool) -> dict[str, Any]:
    """The columns of an entry after its outcome; `again` = it is ready instead, at once or when the EHR said."""
    state, due = ask.state, ask.due
    if again:
        state, due = EntryState.READY, due if due is not None and ask.state is EntryState.READY else ask.now
    return {
        "entry_id": ask.entry, "new_state": state.value, "new_due": due,
        "new_id": ask.stands.id if ask.stands else None, "new_version": ask.stands.version if ask.stands else None,
        "new_digest": ask.stands.digest if ask.stands else None, "new_attempts": ask.attempts,
        "new_patient": ask.stands.patient if ask.stands else None, "new_doubted": ask.doubted,
        "clear_recall": ask.withdrawn, "new_replaced": ask.replaced,
        "new_reference": ask.reference,
        "new_absent": ask.absent, "new_look": ask.look_first, "keep": int(ask.keep_claims), "at": ask.now,
    }  # fmt: skip


TOOK_BACK = or_(*(step.c.action == action.value for action in WITHDRAWALS))  # `run_each` compiles no IN
RECEIVED = (
    update(step)
    .where(step.c.id == bindparam("step_id"))
    .values(
        answered_at=bindparam("at"), answer=bindparam("new_answer"), code=bindparam("new_code"),
        status=bindparam("new_status"), stands_version=bindparam("new_version"),
        stands_id=case((TOOK_BACK, None), else_=bindparam("new_id", type_=Text)),
        receipt_blob=func.coalesce(bindparam("blob", type_=BigInteger), step.c.receipt_blob),
    )
)  # fmt: skip


def write_receipts(connection: Connection, answered: Sequence[Finish]) -> None:
    """What came back stands beside the steps it answers; what a look settles keeps the receipt it had."""
    if not answered:
        return
    keys = answered[0].ledger.keys.load(connection, {ask.person for ask in answered})
    kept = [ask for ask in answered if ask.receipt]
    put_blobs(connection, keys, [(ask.receipt_blob, ask.agency, ask.person, ask.receipt) for ask in kept])
    run_each(
        connection,
        RECEIVED,
        [
            {
                "step_id": ask.step, "at": ask.now, "new_answer": ask.answer, "new_code": ask.code,
                "new_status": ask.status, "new_id": ask.stands.id if ask.stands else None,
                "new_version": ask.stands.version if ask.stands else None,
                "blob": ask.receipt_blob if ask.receipt else None,
            }
            for ask in answered
        ],
    )  # fmt: skip
