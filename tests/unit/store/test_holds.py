"""What waits is run again by what it waits for, and by nothing else."""

from __future__ import annotations

import threading
import time

import pytest
from sqlalchemy import insert

from bridge.model import EntryState, Hold, HoldReason, Owner
from bridge.store import answers, holds, lanes, tables
from bridge.store import ledger as ledgers
from bridge.store.lanes import Lease
from bridge.store.ledger import Ledger
from tests.postgres import Reopen
from tests.unit.store.listening import statements
from tests.unit.store.making import (
    CHILD,
    CONSENT_KEY,
    MINUTE,
    NEEDS_CONSENT,
    NEEDS_DECISION,
    NEEDS_LINK,
    NEEDS_ROW,
    NOW,
    TABLE_KEY,
    add_row,
    begin,
    claim,
    claim_lane,
    claim_lanes,
    consent,
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
    rows,
    save,
)  # fmt: skip

LATER = NOW + MINUTE


def arrive(ledger: Ledger, *keys: str, now: int = LATER) -> int:
    return ledger.write(holds.arrive, holds.Arrival(keys, now, "it came"))


def waiting(key: str, reason: HoldReason = HoldReason.CONSENT) -> Hold:
    return Hold(reason, key, Owner.AGENCY, "something is missing", "bring it")


def held_record(ledger: Ledger, source_id: str, *hold: Hold, subject: str = CHILD) -> int:
    keep(ledger, item(source_id, source_id.encode(), subject=subject))
    (work,) = claim(ledger)
    assert save(ledger, work, holds=hold)
    return work.id


def test_an_arrival_runs_exactly_what_waited(ledger: Ledger) -> None:
    planned(ledger, item("c1", b"1"), entry_plan("waits", hold=waiting("a")), entry_plan("else", hold=waiting("b")))
    planned(ledger, item("c2", b"2"), entry_plan("too", hold=waiting("a")), entry_plan("ready"))
    first, second = held_record(ledger, "r1", waiting("a")), held_record(ledger, "r2", waiting("ab"))
    before = entries(ledger)
    assert arrive(ledger, "a") == 3
    after = entries(ledger)
    assert {name: row["state"] for name, row in after.items()} == {
        "waits": "ready", "too": "ready", "else": "held", "ready": "ready",
    }  # fmt: skip
    assert after["waits"]["due_at"] == after["too"]["due_at"] == LATER
    assert (after["else"], after["ready"]) == (before["else"], before["ready"])
    due = {row["id"]: row["due_at"] for row in rows(ledger, tables.record)}
    assert (due[first], due[second]) == (LATER, None)
    closed = [row for row in rows(ledger, tables.hold) if row["closed_at"] is not None]
    assert {(row["waits_for"], row["closed_at"], row["closed_by"]) for row in closed} == {("a", LATER, "it came")}
    assert sorted(hold["waits_for"] for hold in open_holds(ledger)) == ["ab", "b"]
    assert arrive(ledger, "a") == 0


def test_a_held_record_that_runs_again_is_translated_again(ledger: Ledger) -> None:
    """R13: the row was added; the record that waited for it goes on by itself."""
    held_record(ledger, "r1", NEEDS_ROW)
    assert add_row(ledger) == 1
    (work,) = claim(ledger, now=LATER, until=LATER + MINUTE)
    assert save(ledger, work, entry_plan())
    assert [row["state"] for row in rows(ledger, tables.record)] == ["translated"]


def test_what_waits_for_two_things_waits_for_both(ledger: Ledger) -> None:
    record = held_record(ledger, "r1", waiting("a"), waiting("b"))
    assert arrive(ledger, "a") == 0
    assert one(ledger, tables.record)["due_at"] is None
    assert arrive(ledger, "b") == 1
    assert [work.id for work in claim(ledger, now=LATER)] == [record]


def test_two_things_that_arrive_together_are_enough(ledger: Ledger) -> None:
    held_record(ledger, "r1", waiting("a"), waiting("b"))
    assert arrive(ledger, "b", "a", "c") == 1


def test_a_superseded_record_does_not_come_back(ledger: Ledger) -> None:
    held_record(ledger, "c1", waiting("a"))
    keep(ledger, item("c1", b"newer"))
    assert arrive(ledger, "a") == 0
    assert [row["state"] for row in rows(ledger, tables.record)] == ["superseded", "accepted"]


def test_what_was_refused_or_held_runs_again_and_nothing_else_does(ledger: Ledger) -> None:
    planned(ledger, item(), entry_plan("refused"), entry_plan("unknown"), entry_plan("held"))
    lane = claim_lane(ledger)
    for entry in lane.entries:
        assert finish(ledger, lane, entry, EntryState(entry.name), hold=waiting("a", HoldReason.CONTENT), attempts=2)
    assert release(ledger, lane)
    assert arrive(ledger, "a") == 2
    assert {name: (row["state"], row["attempts"]) for name, row in entries(ledger).items()} == {
        "refused": ("ready", 0),
        "unknown": ("unknown", 2),
        "held": ("ready", 0),
    }


def test_the_lane_of_what_runs_again_is_due(ledger: Ledger) -> None:
    planned(ledger, item(), entry_plan(hold=NEEDS_CONSENT))
    assert claim_lanes(ledger, now=LATER) == []
    consent(ledger, now=LATER)
    assert [entry.state for entry in claim_lane(ledger, now=LATER).entries] == [EntryState.READY]


def test_more_holds_than_one_statement_takes(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """An unmapped code in every contact of a first import: one row lets them all go."""
    monkeypatch.setattr(ledgers, "SLICE", 100)
    record = held_record(ledger, "r1", waiting("other"))
    entry = planned(ledger, item("c2", b"2"), entry_plan(hold=waiting("other")))
    assert entry.id != record
    many = [
        holds.row(ledger.ids.take(), "harbor", waiting("all"), NOW, LATER, record=record if number % 2 else entry.id)
        for number in range(350)
    ]
    with ledger.engine.begin() as connection:
        connection.execute(insert(tables.hold), many)
    with statements(ledger) as said:
        assert arrive(ledger, "all") == 0
    assert max(one.values for one in said) < 110
    assert len(open_holds(ledger)) == 2


# ── what must not be missed ───────────────────────────────────────────────────────────────────────────────────────
def wait_for(thread: threading.Thread, done: list[object]) -> None:
    thread.start()
    time.sleep(0.3)
    assert done == []


def test_of_two_arrivals_at_once_the_later_sees_the_earlier(ledger: Ledger, reopen: Reopen) -> None:
    """A record waits for two things; each arrives in its own uncommitted transaction: one of them must run it."""
    held_record(ledger, "r1", waiting("a"), waiting("b"))
    planned(ledger, item("c2", b"2"), entry_plan())
    lane = claim_lane(ledger)
    assert finish(ledger, lane, lane.entries[0], EntryState.HELD, hold=waiting("a", HoldReason.CONTENT))
    assert finish(ledger, lane, lane.entries[0], EntryState.HELD, hold=waiting("b", HoldReason.CONTENT))
    assert release(ledger, lane)
    other, done = reopen(), list[object]()
    second = threading.Thread(target=lambda: done.append(arrive(other, "b")))
    with ledger.engine.begin() as connection:
        assert holds.arrived(connection, ["a"], LATER, "first") == 0
        wait_for(second, done)
    second.join(10)
    assert done == [2]
    assert entries(ledger)["document"]["state"] == "ready"
    assert {row["due_at"] for row in rows(ledger, tables.record) if row["state"] == "held"} == {LATER}


def test_a_lane_released_while_something_arrives_is_due(ledger: Ledger, reopen: Reopen) -> None:
    """The entry is ready but not committed when its lane is released, which must not put the lane to sleep."""
    planned(ledger, item("c1", b"1"), entry_plan("held", hold=NEEDS_CONSENT), entry_plan("ready"))
    lane = claim_lane(ledger)
    ready = next(entry for entry in lane.entries if entry.name == "ready")
    assert finish(ledger, lane, ready, EntryState.DELIVERED)
    other, done = reopen(), list[object]()
    releasing = threading.Thread(target=lambda: done.append(other.write(lanes.release, Lease.of(lane))))
    with ledger.engine.begin() as connection:
        assert holds.arrived(connection, [CONSENT_KEY], NOW, "consent") == 1
        wait_for(releasing, done)
    releasing.join(10)
    assert done == [True]
    assert one(ledger, tables.lane)["due_at"] == NOW
    assert [entry.name for entry in claim_lane(ledger).entries] == ["held"]


# ── people's answers ──────────────────────────────────────────────────────────────────────────────────────────────
def test_one_hold_is_tried_again(ledger: Ledger) -> None:
    planned(ledger, item(), entry_plan("a", hold=NEEDS_CONSENT), entry_plan("b", hold=NEEDS_CONSENT))
    chosen = next(hold for hold in open_holds(ledger) if hold["entry"] == entries(ledger)["a"]["id"])
    assert ledger.write(answers.retry, answers.Retry(chosen["id"], "", "ana", LATER)) == 1
    assert {name: row["state"] for name, row in entries(ledger).items()} == {"a": "ready", "b": "held"}


def test_all_holds_of_a_reason_are_tried_again(ledger: Ledger) -> None:
    planned(ledger, item(), entry_plan("a", hold=NEEDS_CONSENT), entry_plan("b", hold=NEEDS_LINK))
    held_record(ledger, "r1", NEEDS_ROW)
    asked = [answers.Retry(None, reason, "ana", LATER) for reason in ("consent", "link", "practice")]
    with ledger.engine.begin() as connection:
        assert answers.retry(connection, asked) == [1, 1, 0]
    assert [hold["waits_for"] for hold in open_holds(ledger)] == [TABLE_KEY]


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        ("stands", {"state": "ready", "due_at": LATER, "stands_id": "doc-9", "stands_digest": "d7", "should": True}),
        ("absent", {"state": "ready", "due_at": LATER, "stands_id": None, "should": True}),
        ("drop", {"state": "cancelled", "due_at": None, "stands_id": None, "should": False}),
    ],
)
def test_a_person_says_what_stands(ledger: Ledger, verdict: str, expected: dict[str, object]) -> None:
    planned(ledger)
    lane = claim_lane(ledger)
    _, step = begin(ledger, lane, lane.entries[0], digest="d7")
    assert finish(ledger, lane, lane.entries[0], EntryState.HELD, hold=NEEDS_DECISION, step=step, look_first=True)
    assert release(ledger, lane)
    (hold,) = open_holds(ledger)
    ask = answers.Verdict(hold["id"], lane.entries[0].id, verdict, "doc-9", "ana", LATER)
    assert ledger.write(answers.decide, ask)
    found = entries(ledger)["document"]
    assert {name: found[name] for name in expected} == expected
    assert open_holds(ledger) == []
    assert rows(ledger, tables.hold)[0]["closed_by"] == "ana"
    assert one(ledger, tables.lane)["due_at"] == LATER
    assert not ledger.write(answers.decide, ask)


def test_a_link_and_a_consent_let_go_only_what_waits_for_them(ledger: Ledger) -> None:
    planned(ledger, item(), entry_plan("consent", hold=NEEDS_CONSENT), entry_plan("link", hold=NEEDS_LINK))
    assert link(ledger)
    assert {name: row["state"] for name, row in entries(ledger).items()} == {"consent": "held", "link": "ready"}
    assert consent(ledger)
    assert {name: row["state"] for name, row in entries(ledger).items()} == {"consent": "ready", "link": "ready"}


def test_keys_that_begin_so_arrive_together(ledger: Ledger) -> None:
    """Letters that a pattern would read as any letter are those letters."""
    keys = ("capability:elm_1:Task", "capability:elm_1:Encounter", "capability:elm-1:Task", "capability:elm_10:Task")
    planned(ledger, item(), *(entry_plan(key, hold=waiting(key)) for key in keys))
    arrival = holds.Arrival(("nothing",), LATER, "statement", beginnings=("capability:elm_1:",))
    assert ledger.write(holds.arrive, arrival) == 2
    assert [name for name, row in entries(ledger).items() if row["state"] == "ready"] == list(keys[:2])


def test_a_hold_opened_while_others_arrive_is_left_for_its_own_arrival(ledger: Ledger) -> None:
    """Locking its lane as well, after the others', would be out of order: two workers would wait in a circle."""
    planned(ledger, item("c1", b"1", subject="child-1"), entry_plan("first", person="child-1", hold=waiting("a")))
    with ledger.read() as connection:
        rows_then = holds.open_among(connection, tables.hold.c.waits_for == "a")
    planned(ledger, item("c2", b"2", subject="child-2"), entry_plan("second", person="child-2", hold=waiting("a")))
    with ledger.engine.begin() as connection:
        holds.lock_held(connection, rows_then)
        assert holds.run_again(connection, rows_then, LATER, "test") == 1
    assert {name: row["state"] for name, row in entries(ledger).items()} == {"first": "ready", "second": "held"}
