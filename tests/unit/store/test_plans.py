"""What should stand in which chart, after every version of what an agency said."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from bridge.model import AHEAD, EntryState, Stands
from bridge.store import lanes, leases, permissions, plans, tables
from bridge.store.ledger import Ledger
from tests.unit.store.making import (
    AGENCY,
    CHILD,
    MINUTE,
    NEEDS_CONSENT,
    NEEDS_DECISION,
    NEEDS_LINK,
    NEEDS_ROW,
    NOW,
    PRACTICE,
    add_row,
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
    person,
    planned,
    release,
    rows,
    save,
    translated,
)  # fmt: skip

LATER = NOW + 10 * MINUTE


def state_of(ledger: Ledger, name: str = "document") -> tuple[str, bool]:
    found = entries(ledger)[name]
    return found["state"], found["should"]


def again(ledger: Ledger, raw: bytes, *plan: plans.EntryPlan, now: int = LATER, **changes: str) -> None:
    """A newer version of the same thing is kept, translated and planned."""
    keep(ledger, item("c1", raw, **changes), now=now)
    (work,) = claim(ledger, now=now, until=now + MINUTE)
    assert save(ledger, work, *plan, now=now, people=[CHILD])


def test_a_new_entry_is_ready_and_its_lane_due(ledger: Ledger) -> None:
    work = planned(ledger, item(), entry_plan("document", "d1", withheld=2, rank=1))
    found = entries(ledger)["document"]
    expected = {
        "agency": AGENCY, "program": "visits", "practice": PRACTICE, "person": work.person, "record": work.id,
        "thread": work.thing, "position": 1, "revision": 0, "state": "ready", "should": True, "should_digest": "d1",
        "parts": "note encounter", "rank": 1, "withheld": 2, "reference": "DB-document", "due_at": NOW,
        "stands_id": None, "look_first": False, "occurred_at": NOW - MINUTE,
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected
    lane = one(ledger, tables.lane)
    assert (lane["agency"], lane["practice"], lane["person"], lane["due_at"]) == (AGENCY, PRACTICE, work.person, NOW)
    record = one(ledger, tables.record)
    assert (record["state"], record["due_at"], record["claims"], record["owner"]) == ("translated", None, 0, None)
    assert (record["mapping_hash"], record["engine_hash"], record["definitions_hash"]) == ("m1", "e1", "f1")


def test_parts_and_patients_of_every_person_are_kept_under_their_own_key(ledger: Ledger) -> None:
    keep(ledger, item())
    (work,) = claim(ledger)
    parts = {CHILD: b'["of the child"]', "mother-1": b'["of the mother"]'}
    assert save(ledger, work, parts=parts, patients={"mother-1": b'{"resourceType":"Patient"}'})
    blobs = {row["id"]: row["person"] for row in rows(ledger, tables.blob)}
    assert {(row["person"], blobs[row["parts_blob"]]) for row in rows(ledger, tables.translation)} == {
        (person(ledger)["id"], person(ledger)["id"]),
        (person(ledger, "mother-1")["id"], person(ledger, "mother-1")["id"]),
    }
    assert blobs[person(ledger, "mother-1")["patient_blob"]] == person(ledger, "mother-1")["id"]
    assert person(ledger)["patient_blob"] is None


def test_what_a_lane_is_given_is_what_was_planned(ledger: Ledger) -> None:
    keep(ledger, item())
    (work,) = claim(ledger)
    assert save(ledger, work, entry_plan(), parts={CHILD: b'["a note"]'}, patients={CHILD: b'{"id":"p"}'})
    lane = claim_lane(ledger)
    assert (lane.source, lane.patient, lane.practice) == (CHILD, b'{"id":"p"}', PRACTICE)
    (entry,) = lane.entries
    assert (entry.translation, entry.parts, entry.state) == (b'["a note"]', ("note", "encounter"), EntryState.READY)


def test_a_translation_made_again_leaves_nothing_of_the_one_before(ledger: Ledger) -> None:
    keep(ledger, item())
    (work,) = claim(ledger)
    assert save(ledger, work, holds=(NEEDS_ROW,), parts={CHILD: b"[1]", "mother-1": b"[2]"})
    assert add_row(ledger) == 1
    (work,) = claim(ledger)
    assert save(ledger, work, entry_plan(), parts={CHILD: b"[3]"})
    (kept,) = rows(ledger, tables.translation)
    assert kept["person"] == person(ledger)["id"]
    assert claim_lane(ledger).entries[0].translation == b"[3]"


def test_the_same_content_again_leaves_what_stands(ledger: Ledger) -> None:
    """R6: a resend or replay that says the same sends nothing."""
    planned(ledger)
    deliver(ledger)
    again(ledger, b"v2", entry_plan(digest="d1"))
    found = entries(ledger)["document"]
    assert (found["state"], found["due_at"], found["stands_id"], found["revision"]) == ("delivered", None, "doc-1", 1)
    assert claim_lanes(ledger, now=LATER) == []


def test_changed_content_of_what_stands_is_ready_again(ledger: Ledger) -> None:
    planned(ledger)
    deliver(ledger)
    again(ledger, b"v2", entry_plan(digest="d2"))
    found = entries(ledger)["document"]
    assert (found["state"], found["due_at"], found["should_digest"]) == ("ready", LATER, "d2")
    assert (found["stands_id"], found["stands_digest"], found["reference"]) == ("doc-1", "d1", "DB-document")
    (entry,) = claim_lane(ledger, now=LATER, until=LATER + MINUTE).entries
    assert entry.stands == Stands("doc-1", "1", "d1")


@pytest.mark.parametrize("state", [EntryState.SENDING, EntryState.UNKNOWN])
def test_a_step_under_way_keeps_its_state_whatever_is_planned(ledger: Ledger, state: EntryState) -> None:
    planned(ledger)
    lane = claim_lane(ledger)
    _, step = begin(ledger, lane, lane.entries[0])
    if state is EntryState.UNKNOWN:
        assert finish(ledger, lane, lane.entries[0], state, due=LATER, step=step, answer="unknown")
        release(ledger, lane)
    before = entries(ledger)["document"]
    again(ledger, b"v2", entry_plan(digest="d2"), now=NOW + 5)
    after = entries(ledger)["document"]
    assert (after["state"], after["due_at"], after["claims"]) == (state.value, before["due_at"], before["claims"])
    assert (after["revision"], after["should_digest"]) == (1, "d2")
    again(ledger, b"v3", now=NOW + 6)
    after = entries(ledger)["document"]
    assert (after["state"], after["should"], after["revision"]) == (state.value, False, 2)


def test_what_was_handed_over_stays_so_unless_its_content_changes(ledger: Ledger) -> None:
    planned(ledger)
    lane = claim_lane(ledger)
    _, step = begin(ledger, lane, lane.entries[0])
    assert finish(ledger, lane, lane.entries[0], EntryState.HANDED_OVER, step=step)
    assert release(ledger, lane)
    again(ledger, b"v2", entry_plan(digest="d1"))
    assert state_of(ledger) == ("handed-over", True)
    again(ledger, b"v3", entry_plan(digest="d2"))
    assert state_of(ledger) == ("ready", True)


def test_what_is_asked_for_no_more_is_cancelled_if_nothing_went(ledger: Ledger) -> None:
    planned(ledger, item(), entry_plan("document"), entry_plan("encounter"))
    again(ledger, b"v2", entry_plan("document"))
    assert state_of(ledger) == ("ready", True)
    assert state_of(ledger, "encounter") == ("cancelled", False)
    assert entries(ledger)["encounter"]["due_at"] is None


def test_what_is_asked_for_no_more_is_to_be_retracted_if_it_stands(ledger: Ledger) -> None:
    planned(ledger)
    deliver(ledger)
    again(ledger, b"v2")
    found = entries(ledger)["document"]
    assert (found["state"], found["should"], found["due_at"], found["stands_id"]) == ("ready", False, LATER, "doc-1")
    assert one(ledger, tables.lane)["due_at"] == LATER


def test_what_was_withdrawn_may_come_back(ledger: Ledger) -> None:
    planned(ledger)
    again(ledger, b"v2")
    assert state_of(ledger) == ("cancelled", False)
    again(ledger, b"v3", entry_plan(digest="d3"))
    assert state_of(ledger) == ("ready", True)


def test_a_withdrawn_hold_is_closed(ledger: Ledger) -> None:
    planned(ledger, item(), entry_plan(hold=NEEDS_CONSENT))
    assert len(open_holds(ledger)) == 1
    again(ledger, b"v2")
    assert open_holds(ledger) == []
    assert state_of(ledger) == ("cancelled", False)


def test_a_record_that_turns_out_to_be_about_another_child_moves_charts(ledger: Ledger) -> None:
    """What stands in the wrong chart is to be retracted there, and stands anew in the right one."""
    planned(ledger)
    deliver(ledger)
    again(ledger, b"v2", entry_plan(digest="d2", person="child-2"), subject="child-2")
    found = {row["person"]: row for row in rows(ledger, tables.entry)}
    wrong, right = found[person(ledger)["id"]], found[person(ledger, "child-2")["id"]]
    assert (wrong["state"], wrong["should"], wrong["stands_id"]) == ("ready", False, "doc-1")
    assert (right["state"], right["should"], right["stands_id"]) == ("ready", True, None)
    assert wrong["lane"] != right["lane"]
    assert {row["due_at"] for row in rows(ledger, tables.lane)} == {LATER}


def test_an_older_version_translated_late_changes_nothing(ledger: Ledger) -> None:
    """Whatever made the first version due again, its plan does not undo the second's: of the child or of another."""
    keep(ledger, item("c1", b"v1"))
    (first,) = claim(ledger)
    again(ledger, b"v2", entry_plan(digest="new"), entry_plan("for-2", person="child-2"), subject="child-2")
    with ledger.engine.begin() as connection:
        forgotten = update(tables.record).where(tables.record.c.id == first.id)
        connection.execute(forgotten.values(state="accepted", owner="w1"))
    before = entries(ledger)
    assert save(ledger, first, entry_plan(digest="old"))
    assert entries(ledger) == before


def test_a_hold_on_an_entry_keeps_it_and_says_for_what(ledger: Ledger) -> None:
    planned(ledger, item(), entry_plan(hold=NEEDS_CONSENT))
    found = entries(ledger)["document"]
    assert (found["state"], found["due_at"]) == ("held", None)
    (hold,) = open_holds(ledger)
    expected = {
        "agency": AGENCY, "practice": PRACTICE, "entry": found["id"], "record": None, "reason": "consent",
        "waits_for": NEEDS_CONSENT.waits_for, "owner": "agency", "opened_at": NOW, "due_at": NOW + 100 * MINUTE,
    }  # fmt: skip
    assert {name: hold[name] for name in expected} == expected
    assert one(ledger, tables.lane)["due_at"] is None


def test_what_only_waits_for_a_time_is_looked_at_then(ledger: Ledger) -> None:
    planned(ledger, item(), entry_plan(hold=NEEDS_CONSENT, due=LATER))
    assert claim_lanes(ledger, now=LATER - 1) == []
    (entry,) = claim_lane(ledger, now=LATER, until=LATER + MINUTE).entries
    assert (entry.state, entry.due) == (EntryState.HELD, LATER)


def test_a_new_plan_replaces_the_hold_of_the_one_before(ledger: Ledger) -> None:
    planned(ledger, item(), entry_plan(hold=NEEDS_CONSENT))
    again(ledger, b"v2", entry_plan(hold=NEEDS_LINK))
    (hold,) = open_holds(ledger)
    assert hold["waits_for"] == NEEDS_LINK.waits_for
    again(ledger, b"v3", entry_plan())
    assert open_holds(ledger) == []
    assert state_of(ledger) == ("ready", True)


def test_what_a_person_must_decide_no_newer_version_sends(ledger: Ledger) -> None:
    """Nobody knows whether it stands: neither a newer version nor its withdrawal may answer that."""
    planned(ledger)
    lane = claim_lane(ledger)
    _, step = begin(ledger, lane, lane.entries[0])
    assert finish(ledger, lane, lane.entries[0], EntryState.HELD, hold=NEEDS_DECISION, step=step)
    assert release(ledger, lane)
    again(ledger, b"v2", entry_plan(digest="d2"))
    assert state_of(ledger) == ("held", True)
    again(ledger, b"v3")
    assert state_of(ledger) == ("held", False)
    (hold,) = open_holds(ledger)
    assert hold["reason"] == "decision"


def test_a_records_holds_keep_it_and_plan_nothing(ledger: Ledger) -> None:
    """R13: a code without a row in its table holds the record, with its reason."""
    keep(ledger, item())
    (work,) = claim(ledger)
    assert save(ledger, work, holds=(NEEDS_ROW, NEEDS_LINK))
    record = one(ledger, tables.record)
    assert (record["state"], record["due_at"]) == ("held", None)
    assert {hold["waits_for"] for hold in open_holds(ledger)} == {NEEDS_ROW.waits_for, NEEDS_LINK.waits_for}
    assert {hold["record"] for hold in open_holds(ledger)} == {work.id}
    assert rows(ledger, tables.entry) == []
    assert len(rows(ledger, tables.translation)) == 1


def test_many_records_in_one_commit_are_planned_each(ledger: Ledger) -> None:
    keep(ledger, *(item(f"c{number}", b"%d" % number, subject=f"child-{number % 3}") for number in range(12)))
    futures = [
        ledger.submit(plans.save, translated(ledger, work, entry_plan(person=work.subject)))
        for work in claim(ledger)
    ]  # fmt: skip
    assert all(future.result() for future in futures)
    assert len(rows(ledger, tables.entry)) == 12
    assert len(rows(ledger, tables.lane)) == 3


# ── what a plan rests on ──────────────────────────────────────────────────────────────────────────────────────────
def test_a_plan_that_rests_on_old_consents_or_links_is_made_again(ledger: Ledger) -> None:
    """Else its hold would wait for ever for a consent that came between the decision and the hold."""
    keep(ledger, item())
    (work,) = claim(ledger)
    with ledger.read() as connection:
        seen = permissions.of_persons(connection, ledger, AGENCY, [CHILD])[CHILD]
    consent(ledger)
    assert not save(ledger, work, entry_plan(hold=NEEDS_CONSENT), revisions={CHILD: seen.revision})
    assert open_holds(ledger) == rows(ledger, tables.entry) == rows(ledger, tables.translation) == []
    (work,) = claim(ledger)
    with ledger.read() as connection:
        seen = permissions.of_persons(connection, ledger, AGENCY, [CHILD])[CHILD]
    assert len(seen.consents) == 1
    assert save(ledger, work, entry_plan(), revisions={CHILD: seen.revision})
    assert state_of(ledger) == ("ready", True)


@pytest.mark.parametrize("change", ["link", "practice"])
def test_a_link_or_a_practice_named_meanwhile_counts_too(ledger: Ledger, change: str) -> None:
    keep(ledger, item())
    (work,) = claim(ledger)
    revision = person(ledger)["consent_revision"]
    if change == "link":
        link(ledger)
    else:
        keep(ledger, item("child", b"about the child", practice=PRACTICE, final=False))
    assert not save(ledger, work, entry_plan(hold=NEEDS_LINK), revisions={CHILD: revision})


def test_a_hold_for_a_row_that_came_meanwhile_is_not_opened(ledger: Ledger) -> None:
    keep(ledger, item())
    (work,) = claim(ledger)
    with ledger.read() as connection:
        seen = permissions.rows_version(connection)
    assert add_row(ledger) == 0
    assert not save(ledger, work, holds=(NEEDS_ROW,), rows=seen)
    (work,) = claim(ledger)
    assert (work.claims, open_holds(ledger)) == (1, [])
    assert save(ledger, work, entry_plan(), rows=seen), "rows matter only to what is held"


# ── after a restore ───────────────────────────────────────────────────────────────────────────────────────────────
def test_after_a_restore_what_happened_before_it_is_looked_for_first(ledger: Ledger) -> None:
    ledger.write(leases.new_era, (NOW, "restored"))
    planned(ledger, item("c1", b"before", when=NOW - 1), entry_plan("before"))
    planned(ledger, item("c2", b"undated", when=None), entry_plan("undated"))
    planned(ledger, item("c3", b"ahead", when=NOW + AHEAD), entry_plan("ahead"))
    planned(ledger, item("c4", b"after", when=NOW + AHEAD + 1), entry_plan("after"))
    looked = {name: row["look_first"] for name, row in entries(ledger).items()}
    assert looked == {"before": True, "undated": True, "ahead": True, "after": False}, "the door took none later"


def test_what_is_sent_again_goes_behind_what_is_new_and_a_correction_of_what_stands_does_not(ledger: Ledger) -> None:
    ledger.write(leases.new_era, (NOW, "restored"))
    planned(ledger, item("c1", b"before", version="1"), entry_plan("again"))
    planned(ledger, item("c2", b"urgent"), entry_plan("urgent", urgency=lanes.URGENT))
    assert {name: row["urgency"] for name, row in entries(ledger).items()} == {"again": -1, "urgent": 1}
    for work in claim_lanes(ledger):
        for entry in work.entries:
            assert finish(ledger, work, entry, EntryState.DELIVERED, stands=Stands("doc", "1", "d1"))
        assert release(ledger, work)
    planned(ledger, item("c1", b"corrected", version="2"), entry_plan("again", digest="d2", urgency=lanes.REPLAY))
    assert entries(ledger)["again"]["urgency"] == 0


def test_the_same_version_planned_anew_goes_behind_what_is_new(ledger: Ledger) -> None:
    """Many are at once, where a way into an EHR opens (`statements.replan`)."""
    planned(ledger, None, entry_plan(hold=NEEDS_LINK))
    with ledger.engine.begin() as connection:
        connection.execute(update(tables.record).values(state="accepted", due_at=NOW))
    (work,) = claim(ledger)
    assert save(ledger, work, entry_plan())
    assert (one(ledger, tables.entry)["urgency"], one(ledger, tables.lane)["urgency"]) == (-1, -1)
