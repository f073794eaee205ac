"""What went to a wrong chart, by the chart each step went to: marked once, under way or not, and lifted again."""

from __future__ import annotations

from dataclasses import replace

from bridge.model import Action, EntryState, Hold, HoldReason, Owner, Stands
from bridge.store import past_steps, recalls, tables
from bridge.store.ledger import Ledger
from bridge.store.steps import Begun
from tests.unit.store.making import (
    AGENCY,
    CHILD,
    LINK_KEY,
    NEEDS_DECISION,
    NOW,
    PRACTICE,
    begin,
    claim_lane,
    entries,
    entry_plan,
    finish,
    item,
    link,
    one,
    open_holds,
    person,
    planned,
    release,
    rows,
)  # fmt: skip

TOLD = Hold(HoldReason.NOTICE, "incident:1", Owner.AGENCY, "it went astray", "tell somebody")


def asked(ledger: Ledger, **changes: object) -> recalls.Recall:
    made = recalls.Recall(
        agency=AGENCY, source=CHILD, practice=PRACTICE, patient="pat-1", reason=recalls.WRONG_CHART, since=0,
        incident=1, told=((ledger.ids.take(), TOLD),), told_due=NOW, by="kim", now=NOW + 10,
    )  # fmt: skip
    return replace(made, **changes)  # type: ignore[arg-type]


def sent(ledger: Ledger, state: EntryState = EntryState.DELIVERED, name: str = "c1", patient: str = "pat-1") -> None:
    """One document went to a chart, and is in this state."""
    planned(ledger, item(name, name.encode()), entry_plan(name))
    lane = claim_lane(ledger)
    (entry,) = [entry for entry in lane.entries if entry.name == name]
    begun, step = begin(ledger, lane, entry, patient=patient)
    assert begun is Begun.YES
    there = Stands(f"doc-{name}", "1", "d1", patient) if state is EntryState.DELIVERED else None
    if state is not EntryState.SENDING:
        hold = NEEDS_DECISION if state is EntryState.HELD else None
        answered = {"step": step, "answer": "done" if there else "unknown", "stands": there, "hold": hold}
        assert finish(ledger, lane, entry, state, **answered)
    assert release(ledger, lane)


def test_what_stands_is_due_to_be_withdrawn_and_the_match_is_forgotten(ledger: Ledger) -> None:
    assert link(ledger)
    sent(ledger)
    before = person(ledger)["consent_revision"]
    assert ledger.write(recalls.recall, asked(ledger)) == recalls.Recalled(1, True, 1)
    entry = entries(ledger)["c1"]
    assert (entry["state"], entry["recalled"], entry["revision"]) == ("ready", "pat-1", 1)
    assert one(ledger, tables.link)["patient"] == ""
    assert person(ledger)["consent_revision"] == before + 1
    assert [hold["rule"] for hold in open_holds(ledger)] == ["it went astray"]
    with ledger.read() as connection:
        assert recalls.unseen(connection) == 1
        assert recalls.recalled_from(connection, PRACTICE, person(ledger)["id"], "pat-1")
        assert not recalls.recalled_from(connection, PRACTICE, person(ledger)["id"], "pat-2")


def test_said_twice_nothing_more_is_marked(ledger: Ledger) -> None:
    sent(ledger)
    assert ledger.write(recalls.recall, asked(ledger)).new
    again = ledger.write(recalls.recall, asked(ledger, incident=2, now=NOW + 20))
    assert again == recalls.Recalled(1, False, 0)
    assert [row["entries"] for row in rows(ledger, tables.incident)] == [1]


def test_what_is_under_way_or_in_doubt_keeps_its_state_and_is_marked(ledger: Ledger) -> None:
    """It may arrive yet: once it is known to stand, it is withdrawn."""
    for name, state in (("a", EntryState.SENDING), ("b", EntryState.UNKNOWN), ("c", EntryState.HELD)):
        sent(ledger, state, name)
    assert ledger.write(recalls.recall, asked(ledger)).entries == 3
    found = entries(ledger)
    assert {name: (row["state"], row["recalled"]) for name, row in found.items()} == {
        "a": ("sending", "pat-1"), "b": ("unknown", "pat-1"), "c": ("held", "pat-1"),
    }  # fmt: skip


def test_what_went_to_another_chart_or_before_stays(ledger: Ledger) -> None:
    sent(ledger, name="a")
    sent(ledger, name="b", patient="pat-2")
    assert ledger.write(recalls.recall, asked(ledger, patient="pat-2")).entries == 1
    assert entries(ledger)["a"]["recalled"] is None
    assert ledger.write(recalls.recall, asked(ledger, since=NOW + 5, incident=3)).entries == 0


def test_a_step_decided_before_the_recall_does_not_leave(ledger: Ledger) -> None:
    sent(ledger)
    planned(ledger, item("c2", b"c2"), entry_plan("c2"))
    lane = claim_lane(ledger)
    ledger.write(recalls.recall, asked(ledger))
    assert begin(ledger, lane, lane.entries[0])[0] is Begun.CHANGED


def test_wrong_content_should_stand_no_more(ledger: Ledger) -> None:
    sent(ledger)
    assert ledger.write(recalls.recall, asked(ledger, reason=recalls.CONTENT)).entries == 1
    entry = entries(ledger)["c1"]
    assert (entry["should"], entry["state"]) == (False, "ready")


def test_a_mistaken_recall_is_lifted_once_and_what_waited_for_the_link_runs(ledger: Ledger) -> None:
    sent(ledger)
    ledger.write(recalls.recall, asked(ledger))
    lift = recalls.Lift(1, (LINK_KEY,), "kim", NOW)
    assert ledger.write(recalls.lift, lift)
    assert not ledger.write(recalls.lift, lift)
    with ledger.read() as connection:
        assert not recalls.recalled_from(connection, PRACTICE, person(ledger)["id"], "pat-1")


def test_documents_that_others_replaced_are_to_be_withdrawn_too(ledger: Ledger) -> None:
    """Newest first, and each once: what a step took back is gone."""
    planned(ledger)
    (entry_id,) = [row["id"] for row in rows(ledger, tables.entry)]
    for number, action in enumerate((Action.CREATE, Action.REPLACE, Action.REPLACE, Action.UPDATE)):
        lane = claim_lane(ledger)
        stands = f"doc-{min(number, 2)}"
        begun, step = begin(ledger, lane, lane.entries[0], action=action, now=NOW + number)
        assert begun is Begun.YES
        there = Stands(stands, "1", "d1", "pat-1")
        answered = {"step": step, "answer": "done", "stands": there, "due": NOW, "now": NOW + number}
        assert finish(ledger, lane, lane.entries[0], EntryState.READY, **answered)
        assert release(ledger, lane)
    with ledger.read() as connection:
        assert [one.id for one in past_steps.others(connection, entry_id, "doc-2")] == ["doc-1", "doc-0"]
    lane = claim_lane(ledger)
    begun, step = begin(ledger, lane, lane.entries[0], action=Action.RETRACT, target="doc-1", now=NOW + 9)
    assert finish(ledger, lane, lane.entries[0], EntryState.READY, step=step, answer="done", due=NOW)
    with ledger.read() as connection:
        assert [one.id for one in past_steps.others(connection, entry_id, "doc-2")] == ["doc-0"]


def test_a_merge_is_known_once(ledger: Ledger) -> None:
    planned(ledger)
    said = recalls.Merged(ledger.ids.take(), AGENCY, PRACTICE, person(ledger)["id"], "pat-1", "pat-2", NOW)
    assert ledger.write(recalls.was_merged, said)
    assert not ledger.write(recalls.was_merged, replace(said, id=ledger.ids.take()))
    with ledger.read() as connection:
        assert recalls.merged_into(connection, PRACTICE, said.person, "pat-1") == "pat-2"
        assert recalls.merged_into(connection, PRACTICE, said.person, "pat-2") == ""
