"""A step is in the ledger before it leaves, and what came back is written once."""

from __future__ import annotations

import threading
import time

import pytest

from bridge.model import Action, EntryState, Hold, HoldReason, Owner, Stands
from bridge.store import steps, tables
from bridge.store.ledger import Ledger, get_blobs
from bridge.store.steps import Begun
from tests.postgres import Reopen
from tests.unit.store.making import (
    AGENCY,
    MINUTE,
    NEEDS_CONSENT,
    NEEDS_DECISION,
    NEEDS_LINK,
    NOW,
    PRACTICE,
    begin,
    claim,
    claim_lane,
    claim_lanes,
    consent,
    deliver,
    entries,
    entry_plan,
    finish,
    item,
    keep,
    link,
    one,
    open_holds,
    planned,
    release,
    revoke,
    rows,
    save,
    to_begin,
    to_finish,
)  # fmt: skip

NEEDS_CONTENT = Hold(HoldReason.CONTENT, "content:1", Owner.ENGINEER, "the EHR rejects a code", "map it")


def plan_again(ledger: Ledger, raw: bytes = b"v2", digest: str = "d2") -> None:
    """A newer version is planned while the lane is held."""
    keep(ledger, item("c1", raw), now=NOW + 1)
    (work,) = claim(ledger, now=NOW + 1)
    assert save(ledger, work, entry_plan(digest=digest), now=NOW + 1)


def test_a_step_is_durable_before_it_leaves(ledger: Ledger, reopen: Reopen) -> None:
    """R14: its key (entry, action, digest) and its bytes are there, whatever becomes of the worker."""
    planned(ledger)
    lane = claim_lane(ledger)
    (entry,) = lane.entries
    begun, step = begin(ledger, lane, entry, digest="d9", withheld=3, consents=(77, 78), reference="DB-2", replaced=1)
    assert begun is Begun.YES
    after = reopen()
    row = one(after, tables.step)
    expected = {
        "id": step, "agency": AGENCY, "practice": PRACTICE, "entry": entry.id, "record": entry.record,
        "action": "create", "digest": "d9", "consents": "77 78", "begun_at": NOW, "answered_at": None, "answer": None,
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    with after.read() as connection:
        assert get_blobs(connection, after.keys, [row["request_blob"]]) == {row["request_blob"]: b"POST it"}
    found = entries(after)["document"]
    assert (found["state"], found["claims"], found["should_digest"]) == ("sending", 1, "d9")
    assert (found["withheld"], found["reference"], found["replaced"]) == (3, "DB-2", 1)


def test_what_came_back_stands_beside_the_step(ledger: Ledger) -> None:
    planned(ledger)
    lane = claim_lane(ledger)
    (entry,) = lane.entries
    _, step = begin(ledger, lane, entry)
    there = Stands("doc-1", "3", "d1")
    assert finish(
        ledger, lane, entry, EntryState.DELIVERED, stands=there, step=step, answer="done", code="created", status=201,
        receipt=b"201 Created", now=NOW + 5,
    )  # fmt: skip
    row = one(ledger, tables.step)
    expected = {
        "answered_at": NOW + 5, "answer": "done", "code": "created", "status": 201, "stands_id": "doc-1",
        "stands_version": "3",
    }  # fmt: skip
    assert {name: row[name] for name in expected} == expected
    with ledger.read() as connection:
        assert get_blobs(connection, ledger.keys, [row["receipt_blob"]]) == {row["receipt_blob"]: b"201 Created"}
    found = entries(ledger)["document"]
    assert (found["state"], found["due_at"], found["claims"]) == ("delivered", None, 0)
    assert (found["stands_id"], found["stands_version"], found["stands_digest"]) == ("doc-1", "3", "d1")


def test_an_answer_without_a_body_leaves_no_receipt(ledger: Ledger) -> None:
    planned(ledger)
    lane = claim_lane(ledger)
    _, step = begin(ledger, lane, lane.entries[0])
    assert finish(ledger, lane, lane.entries[0], EntryState.UNKNOWN, step=step, answer="unknown", due=NOW + 1)
    assert one(ledger, tables.step)["receipt_blob"] is None
    assert entries(ledger)["document"]["stands_id"] is None


def test_claims_in_a_row_without_an_outcome_are_counted(ledger: Ledger) -> None:
    """The third in a row stops the worker: so the count lives until an outcome."""
    planned(ledger)
    for number in (1, 2, 3):
        lane = claim_lane(ledger, f"w{number}", NOW + number * MINUTE, NOW + number * MINUTE + 1)
        assert lane.entries[0].claims == number - 1
        assert begin(ledger, lane, lane.entries[0])[0] is Begun.YES
    lane = claim_lane(ledger, "w4", NOW + 9 * MINUTE, NOW + 10 * MINUTE)
    assert finish(ledger, lane, lane.entries[0], EntryState.UNKNOWN, due=NOW, keep_claims=True)
    assert entries(ledger)["document"]["claims"] == 3
    assert finish(ledger, lane, lane.entries[0], EntryState.READY, due=NOW)
    assert entries(ledger)["document"]["claims"] == 0


# ── what a step rests on ──────────────────────────────────────────────────────────────────────────────────────────
def test_no_step_leaves_on_a_consent_that_was_revoked(ledger: Ledger) -> None:
    """R26: the decision rests on the consents as they are when the request leaves."""
    consent(ledger)
    planned(ledger)
    lane = claim_lane(ledger)
    assert revoke(ledger) == 1
    assert begin(ledger, lane, lane.entries[0])[0] is Begun.CHANGED
    assert rows(ledger, tables.step) == []
    assert entries(ledger)["document"]["state"] == "ready"


def test_no_step_leaves_for_a_chart_that_was_linked_anew(ledger: Ledger) -> None:
    link(ledger, "MRN-1")
    planned(ledger)
    lane = claim_lane(ledger)
    link(ledger, "MRN-2")
    assert begin(ledger, lane, lane.entries[0])[0] is Begun.CHANGED


def test_a_correction_leaves_whatever_the_consent(ledger: Ledger) -> None:
    planned(ledger)
    lane = claim_lane(ledger)
    consent(ledger)
    assert begin(ledger, lane, lane.entries[0], correction=True, action=Action.RETRACT)[0] is Begun.YES


def test_no_step_leaves_for_content_that_is_out_of_date(ledger: Ledger) -> None:
    planned(ledger)
    lane = claim_lane(ledger)
    plan_again(ledger)
    assert begin(ledger, lane, lane.entries[0])[0] is Begun.CHANGED
    assert begin(ledger, lane, lane.entries[0], correction=True)[0] is Begun.CHANGED
    assert rows(ledger, tables.step) == []


def test_in_one_commit_each_step_is_judged_alone(ledger: Ledger) -> None:
    for number in range(3):
        child = f"child-{number}"
        planned(ledger, item(f"c{number}", b"%d" % number, subject=child), entry_plan(person=child))
    lanes = sorted(claim_lanes(ledger), key=lambda lane: lane.source)
    changes = [{}, {"revision": 9}, {"consent_revision": 9}]
    asked = [to_begin(ledger, lane, lane.entries[0], **change) for lane, change in zip(lanes, changes, strict=True)]
    with ledger.engine.begin() as connection:
        assert steps.begin(connection, asked) == [Begun.YES, Begun.CHANGED, Begun.CHANGED]
    assert len(rows(ledger, tables.step)) == 1


# ── what changed while a step was under way ───────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize("state", [EntryState.DELIVERED, EntryState.HELD, EntryState.REFUSED, EntryState.READY])
def test_newer_content_follows_whatever_became_of_the_step(ledger: Ledger, state: EntryState) -> None:
    planned(ledger)
    lane = claim_lane(ledger)
    _, step = begin(ledger, lane, lane.entries[0])
    plan_again(ledger)
    there = Stands("doc-1", "1", "d1")
    hold = NEEDS_CONTENT if state is EntryState.HELD else None
    assert finish(
        ledger, lane, lane.entries[0], state, stands=there, step=step, hold=hold, due=NOW + MINUTE, now=NOW + 7
    )
    found = entries(ledger)["document"]
    due = NOW + MINUTE if state is EntryState.READY else NOW + 7  # when the EHR said, if it said so
    assert (found["state"], found["due_at"], found["stands_id"]) == ("ready", due, "doc-1")
    assert open_holds(ledger) == []
    assert release(ledger, lane)
    assert one(ledger, tables.lane)["due_at"] == due


def test_what_is_unknown_stays_unknown_whatever_is_newer(ledger: Ledger) -> None:
    planned(ledger)
    lane = claim_lane(ledger)
    _, step = begin(ledger, lane, lane.entries[0])
    plan_again(ledger)
    assert finish(ledger, lane, lane.entries[0], EntryState.UNKNOWN, step=step, due=NOW + MINUTE)
    assert entries(ledger)["document"]["state"] == "unknown"


def test_what_a_person_must_decide_is_held_whatever_is_newer(ledger: Ledger) -> None:
    """Its answer was lost and cannot be looked for: newer content sent now might stand beside it."""
    planned(ledger)
    lane = claim_lane(ledger)
    _, step = begin(ledger, lane, lane.entries[0])
    plan_again(ledger)
    consent(ledger)
    assert finish(ledger, lane, lane.entries[0], EntryState.HELD, step=step, hold=NEEDS_DECISION)
    assert entries(ledger)["document"]["state"] == "held"
    assert [hold["reason"] for hold in open_holds(ledger)] == ["decision"]


@pytest.mark.parametrize("arrives", ["consent", "link"])
def test_a_hold_for_what_came_meanwhile_is_not_opened(ledger: Ledger, arrives: str) -> None:
    """Between the decision and its hold the consent (or link) came: nothing would ever close that hold."""
    planned(ledger)
    lane = claim_lane(ledger)
    if arrives == "consent":
        consent(ledger)
    else:
        link(ledger)
    hold = NEEDS_CONSENT if arrives == "consent" else NEEDS_LINK
    assert finish(ledger, lane, lane.entries[0], EntryState.HELD, hold=hold, now=NOW + 3)
    found = entries(ledger)["document"]
    assert (found["state"], found["due_at"]) == ("ready", NOW + 3)
    assert open_holds(ledger) == []
    assert release(ledger, lane)
    lane = claim_lane(ledger, now=NOW + 3)
    assert finish(ledger, lane, lane.entries[0], EntryState.HELD, hold=hold)
    assert entries(ledger)["document"]["state"] == "held"
    assert len(open_holds(ledger)) == 1


def test_another_hold_is_opened_whatever_came_meanwhile(ledger: Ledger) -> None:
    planned(ledger)
    lane = claim_lane(ledger)
    consent(ledger)
    assert finish(ledger, lane, lane.entries[0], EntryState.HELD, hold=NEEDS_CONTENT)
    (hold,) = open_holds(ledger)
    assert (hold["reason"], hold["entry"], hold["practice"]) == ("content", lane.entries[0].id, PRACTICE)


def test_a_hold_and_the_consent_it_waits_for_cannot_miss_each_other(ledger: Ledger, reopen: Reopen) -> None:
    """The hold is written but not committed when the consent comes: the consent waits, then finds it."""
    planned(ledger)
    lane = claim_lane(ledger)
    other = reopen()
    answers: list[bool] = []
    giving = threading.Thread(target=lambda: answers.append(consent(other)))
    ask = to_finish(ledger, lane, lane.entries[0], EntryState.HELD, hold=NEEDS_CONSENT)
    with ledger.engine.begin() as connection:
        assert steps.finish(connection, [ask]) == [True]
        giving.start()
        time.sleep(0.3)
        assert answers == []
    giving.join(10)
    assert answers == [True]
    assert entries(ledger)["document"]["state"] == "ready"
    assert open_holds(ledger) == []


def test_what_stands_is_kept_by_whoever_says_so(ledger: Ledger) -> None:
    planned(ledger)
    deliver(ledger)
    plan_again(ledger)
    lane = claim_lane(ledger, now=NOW + 1)
    (entry,) = lane.entries
    _, step = begin(ledger, lane, entry, action=Action.UPDATE)
    assert finish(ledger, lane, entry, EntryState.UNKNOWN, stands=entry.stands, step=step, due=NOW)
    found = entries(ledger)["document"]
    assert (found["stands_id"], found["stands_digest"]) == ("doc-1", "d1")
